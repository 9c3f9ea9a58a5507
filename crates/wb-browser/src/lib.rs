//! A real browser in front of the real program: what people see and do, in headless Chromium.
//!
//! `held` keeps processes that cannot outlive whoever started them, `chromium` starts a browser, `page` is
//! what somebody in front of it does, `axe` asks whether everybody can; `community` has nodes and hubs of
//! the program `wb`, `street` a community with a past and the list of its pages. The tests need Debian's `chromium` and `chromium-driver` and fail without them;
//! `scripts/test browser` installs and runs everything.

mod axe;
mod chromium;
mod community;
mod held;
mod page;
mod street;
mod texts;
mod wire;

pub use axe::violations;
pub use chromium::{Chromium, Script};
pub use community::{Hub, Node};
pub use held::{Held, PATIENCE, wait_until};
pub use page::{Look, Theme};
pub use street::{Page, Street, Who};
pub use texts::Texts;
