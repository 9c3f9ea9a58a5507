//! `wb vouch list --hub`: who vouches for an instance, also of whom nothing is followed here.
//!
//! A hub gives vouches one by one, each with what signs it, and each is verified here. They are shown and kept nowhere:
//! what counts comes with the feed of its issuer.

use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::limits::{VOUCHES_PAGE_MAX, VOUCHES_READ_MAX};
use wb_core::sync::VouchesAsk;
use wb_net::HubClient;
use wb_store::Peer;

use super::trust::Trust;
use crate::command::hub_register::ended;
use crate::command::vouch_alone::AloneView;
use crate::error::Result;
use crate::node::Node;
use crate::sync::{SyncEnd, bad_answer, connect};
use crate::view::NamedView;

/// A vouch that a hub gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenView {
    /// What it says.
    #[serde(flatten)]
    pub says: AloneView,
    /// The name of its issuer, where it is known here.
    pub issuer_name: Option<String>,
    /// The name of its subject, where it is known here.
    pub subject_name: Option<String>,
    /// Whether it counts here: the feed of its issuer is carried, and says so too.
    pub counts: bool,
}

/// What a hub gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// Vouches that verified.
    pub vouches: Vec<GivenView>,
    /// Vouches that the hub holds and cannot prove one by one.
    pub unproved: u64,
    /// Those of which it gave something that is no vouch of whom it says.
    pub broken: u64,
    /// Whether it had more than are read.
    pub is_cut_off: bool,
}

/// Asks a hub who vouches for an instance.
///
/// # Errors
/// Why it gave no answer.
pub async fn vouches_for_at(node: &Node, hub: &Peer, subject: InstanceId) -> Result<Given> {
    let mut client = connect(node, hub)?;
    let given = read_all(node, &mut client, subject).await;
    given.map_err(ended(&hub.name))
}

async fn read_all(
    node: &Node,
    hub: &mut HubClient,
    subject: InstanceId,
) -> std::result::Result<Given, SyncEnd> {
    let trust = Trust::of(node)?;
    let name = |id: &InstanceId| {
        let named: NamedView = trust.named(id);
        named.name
    };
    let mut given = Given::default();
    let mut ask = VouchesAsk {
        issuer: None,
        subject: Some(subject),
        after: None,
    };
    let mut read = 0;
    loop {
        let page = hub.vouches(&ask).await?;
        if page.vouches.len() > VOUCHES_PAGE_MAX {
            return Err(bad_answer("a page of vouches that is too long"));
        }
        given.unproved = given.unproved.saturating_add(page.unproved);
        read += page.vouches.len() + 1;
        for vouch in page.vouches {
            // It is a hub's word until its issuer's signature says so.
            let Some(verified) = vouch.verify().ok().filter(|_| vouch.subject == subject) else {
                given.broken += 1;
                continue;
            };
            given.vouches.push(GivenView {
                issuer_name: name(&vouch.issuer),
                subject_name: name(&vouch.subject),
                counts: trust.counts(&vouch.issuer, &verified.id),
                says: AloneView::of(&verified, node.now()),
            });
        }
        let goes_on = page
            .next
            .filter(|next| ask.after.is_none_or(|after| after < *next));
        let Some(next) = goes_on else { break };
        if read >= VOUCHES_READ_MAX {
            given.is_cut_off = true;
            break;
        }
        ask.after = Some(next);
    }
    Ok(given)
}
