//! The pages of a node on a free port, as `wb up` serves them, with a browser that is in.
//!
//! One member asks for more pages here than any member may, so the limits on that are lifted.

use std::path::Path;
use std::sync::Arc;

use wb_node::command::login_link::{login_link, login_link_use};
use wb_node::{Node, secret};
use wb_store::Home;
use wb_web::{Site, SiteConfig, SiteLimits};

use super::serve::ENDLESS;
use super::{Report, serve};
use crate::error::Result;

/// Serves until the input ends.
pub fn run(home: &Path) -> Result<()> {
    let home = Home::new(home);
    let node = Node::open(&home)?;
    let actor = node.actor(None)?;
    let link = login_link(&node, &actor, &actor.handle)?;
    let session = login_link_use(&node, &secret::name(&link), "a benchmark")?;
    let cookie = format!("wb_session_{}={}", node.own_id().short(), session.as_str());
    drop(node);
    serve::serve(|address| {
        let config = SiteConfig {
            home,
            hosts: vec![address.to_string()],
            secure: false,
        };
        let limits = SiteLimits {
            member: ENDLESS,
            address: ENDLESS,
            ..SiteLimits::default()
        };
        let site = Arc::new(Site::new(config).with_limits(limits));
        let report = Report {
            link: format!("http://{address}"),
            cookie,
            ..Report::default()
        };
        Ok((wb_web::router(&site), report))
    })
}
