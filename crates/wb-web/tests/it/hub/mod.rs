//! A hub's pages from outside.

mod access;
mod atom;
mod inviting;
mod moderating;
mod public;
mod world;
