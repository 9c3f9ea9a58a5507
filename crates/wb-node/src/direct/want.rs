//! What is held here of one peer and of this instance, said to that peer: a question, and a receipt.

use std::collections::BTreeSet;

use wb_core::bundle::Speaks;
use wb_core::id::InstanceId;
use wb_core::ndjson::put_line;
use wb_core::scope::FeedScope;
use wb_core::want::{Held, Want};

use crate::error::Result;
use crate::node::Node;

/// A signed want.
pub(crate) struct OwnWant {
    /// The signed line.
    pub line: Vec<u8>,
}

impl OwnWant {
    /// The line with the own identity log behind it, as a file or a body.
    pub fn with_identity(&self, node: &Node) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_line(&mut bytes, &self.line);
        for entry in node.identity().entries() {
            put_line(&mut bytes, &entry.line);
        }
        bytes
    }
}

/// Says what is held of the public feeds of these instances.
pub(crate) fn own_want(node: &Node, of: &[InstanceId]) -> Result<OwnWant> {
    let emptied = emptied(node)?;
    let mut feeds: Vec<Held> = Vec::new();
    for id in of.iter().filter(|id| !emptied.contains(id)) {
        feeds.extend(node.store.served().head(id, FeedScope::Public)?);
    }
    signed(node, feeds)
}

/// The same, as a receipt: of a feed that contradicts itself, or whose head a recovery made void, nothing is
/// confirmed, and its owner gives it anew.
pub(crate) fn own_receipt(node: &Node, of: &[InstanceId]) -> Result<OwnWant> {
    let emptied = emptied(node)?;
    let feeds = node.store.served().feeds()?.into_iter();
    let sound = feeds.filter(|feed| {
        let is_own = feed.held.origin == node.own_id();
        feed.held.scope == FeedScope::Public
            && of.contains(&feed.held.origin)
            && (is_own || !(feed.forked || emptied.contains(&feed.held.origin)))
    });
    signed(node, sound.map(|feed| feed.held).collect())
}

/// Instances of whose public feed lines are missing here, because it was refused or left for a while: they
/// have to be given whole once more, and until then nothing is confirmed.
fn emptied(node: &Node) -> Result<BTreeSet<InstanceId>> {
    let missing = node.store.missing_counts()?.into_iter();
    let public = missing.filter(|lines| lines.scope == FeedScope::Public);
    let origins = public.map(|lines| lines.origin);
    Ok(origins.filter(|id| *id != node.own_id()).collect())
}

fn signed(node: &Node, mut feeds: Vec<Held>) -> Result<OwnWant> {
    feeds.sort_unstable_by_key(|held| held.origin);
    let want = Want::new(node.identity(), Speaks::this(), feeds);
    Ok(OwnWant {
        line: want.sign(&node.signer()?),
    })
}

/// What a want says of an instance's public feed.
pub(crate) fn says<'w>(want: &'w Want, origin: &InstanceId) -> Option<&'w Held> {
    let mut feeds = want.feeds.iter();
    feeds.find(|held| held.origin == *origin && held.scope == FeedScope::Public)
}

/// What a want confirms of the own public feed.
pub(crate) fn confirmed(want: &Want, own: &InstanceId) -> Vec<Held> {
    says(want, own).cloned().into_iter().collect()
}
