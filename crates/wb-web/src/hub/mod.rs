//! The pages of a hub: what it lists, for everybody, and its members, for its moderators.
//!
//! [`routes()`] is the list of everything that can be asked for, with who may ask. What everybody may read is
//! the same for everybody: cookies are not even looked at there, and caches may keep it as long as they ask
//! each time whether it still is so. Moderators are the stewards and admins of the hub's own instance
//! (ADR 0028).

mod caches;
mod deciding;
mod door;
mod pages;
mod routes;
mod shell;
mod site;
mod visit;

pub use deciding::{DecideError, carry, decide};
pub use door::router;
pub use routes::{Access, Route, routes};
pub use site::{HubSite, HubSiteConfig};
