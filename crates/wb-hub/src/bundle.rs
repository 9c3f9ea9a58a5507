//! Bundles that a hub makes: the public feeds it relays in one file, for whoever has no network, or has to take very
//! much; with a want, what its author lacks of them.
//!
//! The feeds are those that a member is given, read page by page as a member reads them, so whatever is not served is
//! not in a bundle either. The hub signs the head of the file and vouches for nothing else: each feed proves itself.

use std::io::{self, BufRead, Write};

use serde::Deserialize;
use wb_core::bundle::{Contents, DeltasTotals, Form, Writer};
use wb_core::feed::{Header, Totals};
use wb_core::hash;
use wb_core::id::{Hash, InstanceId};
use wb_core::identity::IdentityLog;
use wb_core::ndjson::{lines, split_first};
use wb_core::scope::FeedScope;
use wb_core::sync::{PageSection, Standing};
use wb_core::time::Timestamp;
use wb_core::want::Held;

use crate::store::{HubStore, PageRefused, SnapshotAsk, StoreProblem};

/// Bytes of the deltas of one feed, which are counted before they are written; whoever lacks more takes the feed anew.
const DELTAS_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// Why no bundle is made.
#[derive(Debug, thiserror::Error)]
pub enum BundleProblem {
    /// The store could not answer.
    #[error("{0}")]
    Store(#[from] StoreProblem),
    /// Writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What the store gave is not of the form it gives to members.
    #[error("what is kept of {} cannot be read; `wb doctor` says why", .0.short())]
    Unreadable(InstanceId),
    /// The feed moved on, and its head is not kept any more.
    #[error("the feed of {} moved on while it was written; try again", .0.short())]
    Moved(InstanceId),
}

/// One feed of a bundle, whose lines were written aside.
#[derive(Debug, Clone)]
pub struct Part {
    /// What the head says of it.
    pub contents: Contents,
    /// The identity log of its origin.
    pub identity: IdentityLog,
}

#[derive(Deserialize)]
struct IdentityTotals {
    entries: usize,
}

/// The lines of a page after the identity log that it may begin with.
fn after_identity(body: &[u8]) -> Option<Vec<&[u8]>> {
    let mut all: Vec<&[u8]> = lines(body).collect();
    if let Some(first) = all.first()
        && first.starts_with(br#"{"section":"identity""#)
    {
        let totals: IdentityTotals = serde_json::from_slice(first).ok()?;
        let end = totals
            .entries
            .checked_add(1)
            .filter(|end| *end <= all.len())?;
        all.drain(..end);
    }
    Some(all)
}

fn put(out: &mut dyn Write, line: &[u8]) -> io::Result<()> {
    out.write_all(line)?;
    out.write_all(b"\n")
}

/// Writes what somebody who holds `held` lacks of a member's public feed, or all of it; none where it lacks nothing, or
/// where nothing is served.
///
/// # Errors
/// Why that cannot be done; what was written aside is to be thrown away then.
pub async fn part<S: HubStore>(
    store: &S,
    id: InstanceId,
    held: Option<Held>,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<Option<Part>, BundleProblem> {
    let standing = store.standing(id, now).await?.map(|held| held.standing);
    if standing != Some(Standing::Member) {
        return Ok(None);
    }
    let Some(identity) = store.identity(id).await? else {
        return Ok(None);
    };
    if let Some(held) = held {
        let mut deltas = Vec::new();
        match after(store, id, held, &mut deltas).await? {
            Some((0, _)) => return Ok(None),
            Some((count, items)) => {
                put(out, &Writer::deltas(id, FeedScope::Public, count, items))?;
                out.write_all(&deltas)?;
                let contents = contents(id, Form::Deltas, items);
                return Ok(Some(Part { contents, identity }));
            }
            None => {}
        }
    }
    let items = whole(store, id, now, out).await?;
    Ok(items.map(|items| Part {
        contents: contents(id, Form::Snapshot, items),
        identity,
    }))
}

fn contents(origin: InstanceId, form: Form, items: u64) -> Contents {
    Contents {
        origin,
        scope: FeedScope::Public,
        form,
        items,
    }
}

/// Deltas after a head, and the items in them; none where no delta leads on from there.
async fn after<S: HubStore>(
    store: &S,
    id: InstanceId,
    mut held: Held,
    out: &mut Vec<u8>,
) -> Result<Option<(u64, u64)>, BundleProblem> {
    let broken = || BundleProblem::Unreadable(id);
    let (mut deltas, mut items) = (0, 0);
    loop {
        let asked = store.own(id, FeedScope::Public, Some(held.clone()));
        let Ok(page) = asked.await? else {
            return Ok(None);
        };
        if out.len() > DELTAS_BYTES_MAX {
            return Ok(None);
        }
        let page = after_identity(&page).ok_or_else(broken)?;
        let Some((section, rest)) = page.split_first() else {
            return Ok(Some((deltas, items)));
        };
        let totals: DeltasTotals = serde_json::from_slice(section).map_err(|_| broken())?;
        let mut rest = rest.iter();
        for _ in 0..totals.deltas {
            let line = rest.next().ok_or_else(broken)?;
            let (header, hash) = header_of(line).ok_or_else(broken)?;
            put(out, line)?;
            for _ in 0..header.entries {
                put(out, rest.next().ok_or_else(broken)?)?;
            }
            held = Held {
                log: header.log,
                generation: header.generation,
                seq: header.seq,
                hash,
                ..held
            };
            (deltas, items) = (deltas + 1, items + header.entries);
        }
    }
}

fn header_of(line: &[u8]) -> Option<(Header, Hash)> {
    let (header, unverified) = Header::read(line).ok()?;
    let body = Header::body_hash(unverified.payload());
    let hash = hash::header(header.prev.as_ref(), &body);
    Some((header, hash))
}

/// All of a feed, as a snapshot; how many records, or none where nothing is served.
async fn whole<S: HubStore>(
    store: &S,
    id: InstanceId,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<Option<u64>, BundleProblem> {
    let broken = || BundleProblem::Unreadable(id);
    let (mut head, mut after, mut live) = (None, None, None);
    loop {
        let ask = SnapshotAsk {
            origin: id,
            scope: FeedScope::Public,
            head,
            after: after.take(),
            kinds: None,
        };
        let page = match store.snapshot(ask, now).await? {
            Ok(page) => page,
            Err(PageRefused::NotFound) if head.is_none() => return Ok(None),
            Err(_) => return Err(BundleProblem::Moved(id)),
        };
        let (first, rest) = split_first(&page);
        let section = PageSection::read(first).map_err(|_| broken())?;
        let rest = after_identity(rest).ok_or_else(broken)?;
        if head.is_none() {
            let line = rest.first().ok_or_else(broken)?;
            let totals: Totals = serde_json::from_slice(line).map_err(|_| broken())?;
            live = Some(totals.live);
        }
        for line in rest {
            put(out, line)?;
        }
        head = Some(section.head);
        after = section.next;
        if after.is_none() {
            return Ok(live);
        }
    }
}

/// Writes the file: its head, which is signed by who makes it, the identity logs, and the feeds whose lines were written
/// aside, in the same order as `parts`, which rises by id. Returns how many bytes.
///
/// # Errors
/// What writing reports.
pub fn write(
    out: &mut dyn Write,
    own: &IdentityLog,
    head: &[u8],
    parts: &[Part],
    aside: &mut dyn BufRead,
) -> io::Result<u64> {
    let (mut writer, mut bytes) = (Writer::default(), 0);
    let mut line = |line: &[u8]| -> io::Result<()> {
        writer.note(line);
        bytes += line.len() as u64 + 1;
        put(out, line)
    };
    line(head)?;
    let others = parts.iter().map(|part| &part.identity);
    for log in std::iter::once(own).chain(others.filter(|log| log.id() != own.id())) {
        line(&Writer::identity(log.id(), log.entries().len() as u64))?;
        for entry in log.entries() {
            line(&entry.line)?;
        }
    }
    let mut read = Vec::new();
    while aside.read_until(b'\n', &mut read)? > 0 {
        line(read.strip_suffix(b"\n").unwrap_or(&read))?;
        read.clear();
    }
    let end = writer.end();
    put(out, &end)?;
    Ok(bytes + end.len() as u64 + 1)
}
