//! Pushing own feeds to a hub: the deltas after the head it holds, page by page.

use wb_core::bundle::Writer;
use wb_core::entry::{Entry, Op};
use wb_core::id::RecordId;
use wb_core::identity::IdentityLog;
use wb_core::limits::PAGE_BYTES_TARGET;
use wb_core::line::Line;
use wb_core::ndjson::put_line;
use wb_core::scope::FeedScope;
use wb_core::sync::{PeerCause, PushedFeed};
use wb_core::want::Held;
use wb_net::HubClient;
use wb_store::{Served, StoredHeader};

use super::whole::own_snapshot;
use super::{OnProgress, SyncEnd};
use crate::error::NodeError;
use crate::node::Node;
use crate::plan::headline;

/// What was pushed.
#[derive(Debug, Clone, Default)]
pub struct PushedAll {
    /// Deltas the hub took.
    pub deltas: u64,
    /// Revisions in them.
    pub records: u64,
    /// Records taken back in them.
    pub retracts: u64,
    /// Heads of own feeds that the hub confirmed.
    pub acked: Vec<Held>,
    /// Where each delta that it took stands.
    pub sent: Vec<(i64, u64)>,
}

/// Something already sealed that a hub lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// The feed.
    pub scope: FeedScope,
    /// Whether it is taken back there.
    pub is_retract: bool,
    /// Its title or the start of its text, where its line is still live.
    pub headline: String,
}

/// What a hub lacks of an own feed.
pub(crate) enum Owed {
    /// These deltas.
    Deltas(Vec<StoredHeader>),
    /// All of it: the feed went on in a log to which no delta leads from where the hub stands.
    Whole,
}

/// What whoever holds these heads lacks of an own feed.
///
/// # Errors
/// That the hub holds what is not here: then nothing may be pushed, or published.
pub(crate) fn lacking(
    node: &Node,
    served: Served<'_>,
    scope: FeedScope,
    at_hub: &[Held],
) -> Result<Owed, SyncEnd> {
    let own = node.own_id();
    let theirs = at_hub
        .iter()
        .find(|held| held.origin == own && held.scope == scope);
    let Some(theirs) = theirs else {
        // A log that came by snapshot has its head here and not all that led there.
        return Ok(match served.all_headers(&own, scope)? {
            Some(headers) => Owed::Deltas(headers),
            None if served.head(&own, scope)?.is_some() => Owed::Whole,
            None => Owed::Deltas(Vec::new()),
        });
    };
    if let Some(headers) = served.headers_after(theirs)? {
        return Ok(Owed::Deltas(headers));
    }
    // What a recovery made void is outdone by the log that it opens.
    if served.has_passed(theirs)? || is_void(node, theirs)? {
        return Ok(Owed::Whole);
    }
    let here = served.head(&own, scope)?;
    let here = here.map_or("nothing".to_owned(), |held| format!("delta {}", held.seq));
    Err(SyncEnd::Peer(
        PeerCause::OwnIsAhead,
        format!("it holds delta {}, and here is {here}", theirs.seq),
    ))
}

/// Whether a recovery made a head of an own feed void.
pub(crate) fn is_void(node: &Node, theirs: &Held) -> Result<bool, NodeError> {
    Ok(is_above_recovery(node.identity(), theirs) || node.store.is_void_own(&theirs.hash)?)
}

/// Whether a head stands in the log that the last recovery names, above the head that it names: then it is
/// void, whoever signed it, because the recovery opened another log.
pub(crate) fn is_above_recovery(identity: &IdentityLog, theirs: &Held) -> bool {
    let mut entries = identity.entries().iter().rev();
    let recovery = entries.find(|entry| entry.is_recover());
    let last = recovery.and_then(|entry| entry.heads()?.public);
    last.is_some_and(|last| {
        theirs.scope == FeedScope::Public
            && theirs.log == last.log
            && (theirs.seq > last.seq || (theirs.seq == last.seq && theirs.hash != last.hash))
    })
}

/// Makes sure that a hub holds nothing of own feeds that is not here: before anything is sealed.
///
/// # Errors
/// As [`push`].
pub fn check_own(node: &Node, at_hub: &[Held]) -> Result<(), SyncEnd> {
    lacking(node, node.store.served(), FeedScope::Public, at_hub)?;
    Ok(())
}

/// What is already sealed and a hub lacks, record by record.
///
/// # Errors
/// As [`push`].
pub fn sealed_and_lacking(node: &Node, at_hub: &[Held]) -> Result<Vec<Lacking>, SyncEnd> {
    let served = node.store.served();
    let mut list = Vec::new();
    // What is shared with trusted peers only is given sealed, and nobody who carries it says what it has of it.
    for scope in [FeedScope::Public] {
        match lacking(node, served, scope, at_hub)? {
            Owed::Deltas(headers) => {
                for header in headers {
                    for item in served.items(&header)? {
                        list.push(describe(&item, scope)?);
                    }
                }
            }
            Owed::Whole => {
                if let Some(rows) = served.snapshot(&node.own_id(), scope)? {
                    served.each_live(&rows, |item| -> Result<(), SyncEnd> {
                        list.push(describe(item, scope)?);
                        Ok(())
                    })?;
                }
            }
        }
    }
    Ok(list)
}

fn describe(item: &[u8], scope: FeedScope) -> Result<Lacking, SyncEnd> {
    let damaged = |rule: wb_core::rule::Rule| {
        wb_store::StoreError::Damaged(format!("a line of an own feed breaks {rule}"))
    };
    if Entry::starts(item) {
        let entry = Entry::read(item).map_err(damaged)?;
        return Ok(Lacking {
            id: entry.id,
            kind: entry.kind.to_string(),
            scope,
            is_retract: matches!(entry.op, Op::Retract { .. }),
            headline: String::new(),
        });
    }
    let line = Line::read(item).map_err(damaged)?;
    let kind = line.kind.to_string();
    Ok(Lacking {
        id: line.id,
        headline: headline(&kind, line.body()),
        kind,
        scope,
        is_retract: false,
    })
}

/// Pushes what the hub lacks. `at_hub` is what it said it holds of own feeds.
///
/// # Errors
/// Why it ended early; what the hub took until then counts.
pub async fn push(
    node: &Node,
    hub: &mut HubClient,
    at_hub: Vec<Held>,
    progress: OnProgress<'_>,
) -> Result<PushedAll, (PushedAll, SyncEnd)> {
    let mut pushed = PushedAll {
        acked: at_hub,
        ..PushedAll::default()
    };
    // What is shared with named peers only goes by other ways (spec: records, scope).
    let ended = push_feed(node, hub, FeedScope::Public, &mut pushed, progress).await;
    match ended {
        Ok(()) => Ok(pushed),
        Err(end) => Err((pushed, end)),
    }
}

async fn push_feed(
    node: &Node,
    hub: &mut HubClient,
    scope: FeedScope,
    pushed: &mut PushedAll,
    progress: OnProgress<'_>,
) -> Result<(), SyncEnd> {
    let mut headers = match lacking(node, node.store.served(), scope, &pushed.acked)? {
        Owed::Deltas(headers) => headers,
        Owed::Whole => return push_whole(node, hub, scope, pushed, progress).await,
    };
    let total: u64 = headers.iter().map(|header| header.entries).sum();
    let mut done = 0;
    let mut told_anew = false;
    while !headers.is_empty() {
        let page = page(node, scope, &headers)?;
        let answer = hub.push(page.body).await?;
        pushed.acked = answer.own;
        let outcome = answer.feeds.first();
        match outcome.map(|feed| feed.outcome.as_str()) {
            Some("append" | "duplicate") => {
                pushed.deltas += page.deltas as u64;
                pushed.records += page.records;
                pushed.retracts += page.retracts;
                done += page.records + page.retracts;
                progress(done, total);
                let taken = headers.drain(..page.deltas);
                pushed.sent.extend(taken.map(|header| header.place()));
            }
            // The hub lost what it had confirmed, so it is an older copy: it says where to go on from.
            Some("early") if !told_anew => {
                told_anew = true;
                match lacking(node, node.store.served(), scope, &pushed.acked)? {
                    Owed::Deltas(lacked) => headers = lacked,
                    Owed::Whole => return push_whole(node, hub, scope, pushed, progress).await,
                }
            }
            Some("need_snapshot") => return push_whole(node, hub, scope, pushed, progress).await,
            _ => return Err(refused(outcome)),
        }
    }
    Ok(())
}

/// Pushes all of a feed, where no delta leads on from what the hub holds.
async fn push_whole(
    node: &Node,
    hub: &mut HubClient,
    scope: FeedScope,
    pushed: &mut PushedAll,
    progress: OnProgress<'_>,
) -> Result<(), SyncEnd> {
    let Some((body, live)) = own_snapshot(node, scope)? else {
        return Ok(());
    };
    let answer = hub.push(body).await?;
    pushed.acked = answer.own;
    let outcome = answer.feeds.first();
    match outcome.map(|feed| feed.outcome.as_str()) {
        Some("take" | "duplicate") => {
            pushed.deltas += 1;
            pushed.records += live;
            progress(live, live);
            Ok(())
        }
        _ => Err(refused(outcome)),
    }
}

/// An own feed that was not taken.
pub(crate) fn refused(outcome: Option<&PushedFeed>) -> SyncEnd {
    let rule = outcome.and_then(|feed| feed.rule.as_deref());
    let rule = rule.map(|rule| format!(", {rule}")).unwrap_or_default();
    let what = outcome.map_or("no outcome", |feed| feed.outcome.as_str());
    SyncEnd::Peer(
        PeerCause::OwnIsRefused,
        format!("its answer to our deltas: {what}{rule}"),
    )
}

/// A page of deltas.
pub(super) struct Page {
    pub body: Vec<u8>,
    pub deltas: usize,
    records: u64,
    retracts: u64,
}

pub(super) fn page(
    node: &Node,
    scope: FeedScope,
    headers: &[StoredHeader],
) -> Result<Page, SyncEnd> {
    let served = node.store.served();
    let (mut lines, mut entries) = (Vec::new(), 0);
    let mut page = Page {
        body: Vec::new(),
        deltas: 0,
        records: 0,
        retracts: 0,
    };
    for header in headers {
        // One delta always fits (limits: a body holds the largest delta).
        if lines.len() > PAGE_BYTES_TARGET {
            break;
        }
        put_line(&mut lines, &header.line);
        for item in served.items(header)? {
            let is_retract = Entry::starts(&item)
                && Entry::read(&item).is_ok_and(|entry| matches!(entry.op, Op::Retract { .. }));
            if is_retract {
                page.retracts += 1;
            } else {
                page.records += 1;
            }
            put_line(&mut lines, &item);
        }
        entries += header.entries;
        page.deltas += 1;
    }
    let section = Writer::deltas(node.own_id(), scope, page.deltas as u64, entries);
    put_line(&mut page.body, &section);
    page.body.extend_from_slice(&lines);
    Ok(page)
}
