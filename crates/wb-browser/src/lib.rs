//! A real browser in front of the real program: what people see and do, in headless Chromium.
//!
//! `held` keeps processes that cannot outlive whoever started them, `chromium` starts a browser, `page` is
//! what somebody in front of it does, `axe` asks whether everybody can, and `community` has nodes and hubs of
//! the program `wb`. The tests need Debian's `chromium` and `chromium-driver` and fail without them;
//! `scripts/test browser` installs and runs everything.

mod axe;
mod chromium;
mod community;
mod held;
mod page;
mod wire;

pub use axe::violations;
pub use chromium::{Chromium, Script};
pub use community::{Hub, Node};
pub use held::{Held, PATIENCE, wait_until};
pub use page::{Look, Theme};
