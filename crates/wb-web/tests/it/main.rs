//! The pages from outside: who may see what, and what a form does.

mod access;
mod asking;
mod door;
mod feeds;
mod founding;
mod invites;
mod live;
mod operating;
mod people;
mod rates;
mod sessions;
mod site;
