//! A hub's pages from outside.

mod access;
mod atom;
mod moderating;
mod public;
mod world;
