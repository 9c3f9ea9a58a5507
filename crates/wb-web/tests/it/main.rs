//! The pages from outside: who may see what, and what a form does.

mod access;
mod door;
mod invites;
mod live;
mod rates;
mod sessions;
mod site;
