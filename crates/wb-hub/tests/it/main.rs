//! A hub on a real port with a real file, as strangers and members find it.

mod bodies;
mod file;
mod kinds;
mod world;
