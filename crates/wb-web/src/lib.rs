//! The pages of a node, and those of a hub ([`hub`]).
//!
//! Every page is made on the server and works without script, on a phone and by keyboard; scripts only
//! make live what a reload would show. This crate knows how people look at a node and act on it; what
//! they may do and what comes of it is decided by `wb-node`, which the command line uses just the same.
//!
//! [`routes::ROUTES`] is the list of everything that can be asked for, with who may ask. A request goes
//! through one door (`door.rs`): host, route, body, browser, rate, right, origin of the form; then one function
//! answers it, on a thread for work that blocks, with an open node.

mod answer;
mod assets;
mod atom;
mod browser;
mod contact;
mod door;
mod form;
mod headers;
pub mod hub;
mod jobs;
mod limits;
mod live;
mod pages;
mod pictures;
mod rates;
mod routes;
mod shell;
mod site;
mod visit;
mod when;
mod words;

pub use door::router;
pub use limits::SETUP_MINUTES;
pub use pages::data::member_data_page;
pub use rates::SiteLimits;
pub use routes::{Access, ROUTES, Route};
pub use site::{Report, Site, SiteConfig};
