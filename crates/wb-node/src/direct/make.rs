//! Making the bundle that answers a want, or that is delivered.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;

use wb_core::feed::Header;
use wb_core::hash;
use wb_core::id::{Hash, InstanceId};
use wb_core::limits::PAGE_BYTES_TARGET;
use wb_core::scope::FeedScope;
use wb_core::sync::Next;
use wb_core::want::{Held, Want};
use wb_store::{Served, Store, StoreError, StoredHeader};

use super::want::says;
use crate::command::bundle_export::{LineSink, Section, write_bundle, write_file};
use crate::error::{NodeError, Result};
use crate::node::Node;

/// Bytes after which a bundle is given in parts: above what deltas are cut to, so that only a snapshot is.
const PART_BYTES: usize = 2 * PAGE_BYTES_TARGET;
/// What stands for the head of a feed in which nothing was sealed.
const NO_HEAD: Hash = Hash([0; 32]);

/// A bundle, or a part of one.
pub(crate) struct Made {
    /// Its lines, each with its LF.
    pub bytes: Vec<u8>,
    /// Where to go on.
    pub next: Option<Next>,
}

/// Why a bundle is not made.
#[derive(Debug)]
pub(crate) enum NotMade {
    /// The feed moved on since the part before.
    HeadGone,
    /// Something here.
    Local(NodeError),
}

impl<E: Into<NodeError>> From<E> for NotMade {
    fn from(error: E) -> Self {
        Self::Local(error.into())
    }
}

/// What a bundle will hold.
struct Found {
    sections: Vec<Section>,
    cut: Option<Next>,
    head: Hash,
}

/// Answers a want of a peer: the own feed from where it stands, and its own where more of it is here.
pub(crate) fn answer_want(
    node: &Node,
    want: &Want,
    want_hash: Hash,
    after: Option<Next>,
) -> std::result::Result<Made, NotMade> {
    let own = node.own_id();
    let (from, given) = match after {
        Some(Next::Lines { head, line }) => (line, Some(head)),
        _ => (0, None),
    };
    let known = RefCell::new((None, NO_HEAD));
    let choose = |store: &Store| {
        let found = find(store, own, want, after)?;
        *known.borrow_mut() = (found.cut, found.head);
        Ok((found.sections, Vec::new()))
    };
    let mut sink = LineSink::new(Part::from_line(from), Path::new("an answer"));
    write_bundle(node, Some(want_hash), &choose, &mut sink, &mut |_, _| {})?;
    let (cut, head) = known.into_inner();
    if given.is_some_and(|given| given != head) {
        return Err(NotMade::HeadGone);
    }
    let part = sink.into_inner();
    let next = match part.ended_at {
        Some(line) if line < part.line => Some(Next::Lines { head, line }),
        _ => cut,
    };
    Ok(Made {
        bytes: part.bytes,
        next,
    })
}

/// Whether there is something that a want lacks, without making it.
pub(crate) fn lacks_something(node: &Node, want: &Want) -> Result<bool> {
    let found = find(&node.store, node.own_id(), want, None)?;
    Ok(!found.sections.is_empty())
}

fn find(store: &Store, own: InstanceId, want: &Want, after: Option<Next>) -> Result<Found> {
    let served = store.served();
    let forked = store.forked_feeds()?;
    let is_forked = |origin: InstanceId| {
        let mut forked = forked.iter();
        forked.any(|feed| (feed.origin, feed.scope) == (origin, FeedScope::Public))
    };
    let mut found = Found {
        sections: Vec::new(),
        cut: None,
        head: NO_HEAD,
    };
    // Of a feed that contradicts itself nothing is handed on, by any road.
    if let Some(head) = served.head(&own, FeedScope::Public)?
        && !is_forked(own)
    {
        found.head = head.hash;
        let theirs = match after {
            Some(Next::Deltas { seq, hash }) => Some(Held {
                seq,
                hash,
                ..head.clone()
            }),
            _ => says(want, &own).cloned(),
        };
        match leads_on(served, &head, theirs.as_ref())? {
            Leads::Nothing => {}
            Leads::Deltas(mut headers) => {
                let count = page(served, &headers)?;
                if count < headers.len() {
                    headers.truncate(count);
                    found.cut = headers.last().map(place).transpose()?;
                }
                found.sections.push(Section::Deltas(head, headers));
            }
            Leads::Whole => found.sections.extend(
                served
                    .snapshot(&own, FeedScope::Public)?
                    .map(Section::Snapshot),
            ),
        }
    }
    let asker = want.instance;
    // Its own feed it is given also where that contradicts itself, or is void: its owner has to see that.
    if let Some(head) = served.head(&asker, FeedScope::Public)? {
        let theirs = says(want, &asker);
        // Who is ahead of what is here needs nothing of it.
        let is_ahead = theirs.is_some_and(|theirs| {
            (theirs.generation, theirs.seq) > (head.generation, head.seq) || *theirs == head
        });
        if !is_ahead {
            match leads_on(served, &head, theirs)? {
                Leads::Nothing => {}
                Leads::Deltas(headers) => found.sections.push(Section::Deltas(head, headers)),
                Leads::Whole => found.sections.extend(
                    served
                        .snapshot(&asker, FeedScope::Public)?
                        .map(Section::Snapshot),
                ),
            }
        }
    }
    found.sections.sort_by_key(Section::origin);
    Ok(found)
}

/// What leads on to a head.
enum Leads {
    /// It is there already, or further.
    Nothing,
    /// These.
    Deltas(Vec<StoredHeader>),
    /// Only all of it.
    Whole,
}

fn leads_on(
    served: Served<'_>,
    head: &Held,
    theirs: Option<&Held>,
) -> std::result::Result<Leads, StoreError> {
    let headers = match theirs {
        Some(theirs) => served.headers_after(theirs)?,
        // A later log may follow an earlier one, which whoever holds nothing does not have.
        None if head.generation == 0 => served.all_headers(&head.origin, head.scope)?,
        None => None,
    };
    Ok(match headers {
        Some(headers) if headers.is_empty() => Leads::Nothing,
        Some(headers) => Leads::Deltas(headers),
        // Whoever holds more than is here is told nothing: this may be an older copy.
        None if theirs.is_some_and(|it| it.log == head.log && it.seq > head.seq) => Leads::Nothing,
        None => Leads::Whole,
    })
}

/// How many deltas fit on a page; one always does.
pub(crate) fn page(
    served: Served<'_>,
    headers: &[StoredHeader],
) -> std::result::Result<usize, StoreError> {
    let mut bytes = 0;
    for (index, header) in headers.iter().enumerate() {
        if bytes > PAGE_BYTES_TARGET {
            return Ok(index);
        }
        let items = served.items(header)?;
        bytes += header.line.len() + items.iter().map(|item| item.len() + 1).sum::<usize>();
    }
    Ok(headers.len())
}

/// The place of a delta, for whoever goes on after it.
fn place(header: &StoredHeader) -> Result<Next> {
    let damaged = |rule| StoreError::Damaged(format!("a stored header breaks {rule}"));
    let (read, signed) = Header::read(&header.line).map_err(damaged)?;
    let body = hash::sha256(signed.payload());
    Ok(Next::Deltas {
        seq: header.seq,
        hash: hash::header(read.prev.as_ref(), &body),
    })
}

/// What is delivered.
pub(crate) enum Delivery<'h> {
    /// Some deltas of the own feed.
    Deltas(&'h [StoredHeader]),
    /// All of it.
    Whole,
}

impl Delivery<'_> {
    fn sections(&self, store: &Store, own: InstanceId) -> Result<Vec<Section>> {
        let served = store.served();
        Ok(match self {
            Self::Deltas(headers) => {
                let head = served.head(&own, FeedScope::Public)?;
                let head = head.into_iter();
                head.map(|head| Section::Deltas(head, headers.to_vec()))
                    .collect()
            }
            Self::Whole => {
                let rows = served.snapshot(&own, FeedScope::Public)?.into_iter();
                rows.map(Section::Snapshot).collect()
            }
        })
    }
}

/// A bundle of the own feed in memory.
pub(crate) fn own_bundle(
    node: &Node,
    want: Option<Hash>,
    delivery: &Delivery<'_>,
) -> Result<Vec<u8>> {
    let own = node.own_id();
    let choose = |store: &Store| Ok((delivery.sections(store, own)?, Vec::new()));
    let mut sink = LineSink::new(Vec::new(), Path::new("a delivery"));
    write_bundle(node, want, &choose, &mut sink, &mut |_, _| {})?;
    Ok(sink.into_inner())
}

/// A bundle of the own feed in a file that is not there yet, on the disk when this returns.
pub(crate) fn own_bundle_file(
    node: &Node,
    want: Option<Hash>,
    delivery: &Delivery<'_>,
    file: &Path,
) -> Result<u64> {
    let own = node.own_id();
    let choose = |store: &Store| Ok((delivery.sections(store, own)?, Vec::new()));
    let (_, bytes, _) = write_file(node, want, &choose, file, None, &mut |_, _| {})?;
    Ok(bytes)
}

/// Takes the lines of a part, and counts all.
struct Part {
    from: u64,
    line: u64,
    bytes: Vec<u8>,
    /// The first line that is not in it any more.
    ended_at: Option<u64>,
}

impl Part {
    fn from_line(from: u64) -> Self {
        Self {
            from,
            line: 0,
            bytes: Vec::new(),
            ended_at: None,
        }
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let is_in = self.line >= self.from && self.ended_at.is_none();
        if is_in {
            self.bytes.extend_from_slice(bytes);
        }
        // A line holds no LF, and its end comes by itself.
        if bytes.last() == Some(&b'\n') {
            self.line += 1;
            if is_in && self.bytes.len() > PART_BYTES {
                self.ended_at = Some(self.line);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_bundle_are_all_of_its_lines() {
        let lines: Vec<Vec<u8>> = (0..40_u8).map(|n| vec![b'a' + n % 26; 700_000]).collect();
        let (mut from, mut all) = (0, Vec::new());
        loop {
            let mut part = Part::from_line(from);
            for line in &lines {
                part.write_all(line).expect("memory");
                part.write_all(b"\n").expect("memory");
            }
            all.extend_from_slice(&part.bytes);
            assert!(part.bytes.len() <= PART_BYTES + 700_001);
            match part.ended_at.filter(|end| *end < part.line) {
                Some(end) => from = end,
                None => break,
            }
        }
        let whole: Vec<u8> = lines.join(&b'\n').into_iter().chain(*b"\n").collect();
        assert_eq!(all, whole);
    }
}
