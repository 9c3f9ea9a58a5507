//! The pages from outside: who may see what, and what a form does.

mod access;
mod door;
mod feeds;
mod invites;
mod sessions;
mod site;
