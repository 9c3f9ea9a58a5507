//! `GET /sync/v1/snapshot/ORIGIN/SCOPE`

use std::sync::Arc;

use wb_core::hash::sha256;
use wb_net::signed::{NDJSON, Packed, Reply, Request};

use super::{feed, kinds, parsed, value};
use crate::problems::{Refusal, bad_request, of_page};
use crate::service::Hub;
use crate::store::{HubStore, SnapshotAsk};

/// Characters of a tag: as many as 128 bits have.
const TAG_CHARS: usize = 32;

/// Gives a page of a snapshot. It is not signed: the origin's header proves all pages together.
pub async fn snapshot<S: HubStore>(hub: &Arc<Hub<S>>, request: &Request) -> Result<Reply, Refusal> {
    let (origin, scope) = feed(request)?;
    let ask = SnapshotAsk {
        origin,
        scope,
        head: parsed(request, "head")?,
        after: value(request, "after").map(str::to_owned),
        kinds: kinds(request)?,
    };
    if ask.head.is_some() != ask.after.is_some() {
        return Err(bad_request("`head` and `after` come together"));
    }
    // Before the page: what changes in between is in the page, under a stamp that nobody is given any more.
    let stamp = hub.store().snapshot_stamp(ask.origin, ask.scope, hub.now());
    let stamp = hub.kept(stamp.await)?.filter(|_| request.accepts_zstd());
    // What only members may see is in no cache's files either.
    let tag = stamp
        .as_ref()
        .filter(|stamp| stamp.for_everybody && hub.is_cacheable());
    let tag = tag.map(|stamp| tag_of(&ask, &stamp.text));
    let stamp = stamp.map(|stamp| stamp.text);
    // Whoever asks was let in before: a cache only saves the bytes.
    if let Some(tag) = tag.clone().filter(|tag| request.holds(tag)) {
        return Ok(Reply::unchanged(NDJSON, tag));
    }
    if let Some(stamp) = &stamp
        && let Some(packed) = hub.bodies().get(&ask, stamp, hub.now())
    {
        return Ok(Reply {
            tag,
            ..Reply::packed(NDJSON, packed)
        });
    }
    let page = hub.kept(hub.store().snapshot(ask.clone(), hub.now()).await)?;
    let page = page.map_err(of_page)?;
    if let Some(stamp) = stamp
        && let Some(packed) = Packed::of(&page)
    {
        hub.bodies().put(&ask, stamp, packed.clone(), hub.now());
        return Ok(Reply {
            tag,
            ..Reply::packed(NDJSON, packed)
        });
    }
    Ok(Reply {
        proves_itself: true,
        ..Reply::ok(NDJSON, page)
    })
}

/// What a page is called while it is made from what it was made from: by the question and the stamp.
fn tag_of(ask: &SnapshotAsk, stamp: &str) -> String {
    let question = format!("{stamp} {:?} {:?} {:?}", ask.head, ask.after, ask.kinds);
    format!(
        "\"{}\"",
        &sha256(question.as_bytes()).to_string()[..TAG_CHARS]
    )
}
