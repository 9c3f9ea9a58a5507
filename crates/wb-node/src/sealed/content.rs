//! The section of the trusted feed that members of the audience lack.

use wb_core::bundle::Writer;
use wb_core::entry::{Entry, Op};
use wb_core::feed::SnapshotWriter;
use wb_core::hash;
use wb_core::id::RecordId;
use wb_core::limits::{CHUNK_ITEMS_MAX, ENVELOPE_BYTES_MAX};
use wb_core::line::Line;
use wb_core::ndjson::put_line;
use wb_core::scope::FeedScope;
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::{Served, StoreError, StoredHeader};

use crate::error::{NodeError, Result};

/// Bytes after which deltas go into another envelope; one delta always fits.
const PIECE_BYTES: usize = 4 * 1_024 * 1_024;
/// What stands beside the content in an envelope, with the padding at its worst.
const CONTENT_BYTES_MAX: usize = ENVELOPE_BYTES_MAX / 8 * 7;

/// A section, and the head that whoever takes it stands at.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Its lines.
    pub content: Vec<u8>,
    /// The head it leads to.
    pub head: Held,
}

/// What a member is to be given.
#[derive(Debug)]
pub(crate) enum Given {
    /// Nothing: it has everything, or more than is here.
    Nothing,
    /// These, one after the other.
    Pieces(Vec<Piece>),
    /// All of the feed, which is larger than an envelope.
    TooLarge,
}

/// What leads from a head to that of the own trusted feed; without lines of records from before a time.
pub(crate) fn lacking(
    served: Served<'_>,
    head: &Held,
    from: Option<&Held>,
    since: Option<Timestamp>,
) -> Result<Given> {
    let headers = match from {
        Some(from) if from == head => return Ok(Given::Nothing),
        Some(from) => served.headers_after(from)?,
        // Who is new is shown no history.
        None => None,
    };
    match headers {
        Some(headers) if headers.is_empty() => Ok(Given::Nothing),
        Some(headers) => deltas(served, head, &headers, since),
        // Whoever holds more than is here is told nothing: this may be an older copy.
        None if from.is_some_and(|from| from.log == head.log && from.seq > head.seq) => {
            Ok(Given::Nothing)
        }
        None => snapshot(served, head, since),
    }
}

fn deltas(
    served: Served<'_>,
    head: &Held,
    headers: &[StoredHeader],
    since: Option<Timestamp>,
) -> Result<Given> {
    let mut pieces = Vec::new();
    let mut rest = headers;
    while !rest.is_empty() {
        let (mut lines, mut count, mut items) = (Vec::new(), 0, 0);
        for header in rest {
            if lines.len() > PIECE_BYTES {
                break;
            }
            put_line(&mut lines, &header.line);
            for item in served.items(header)? {
                put_line(&mut lines, &as_given(item, since, false)?);
            }
            items += header.entries;
            count += 1;
        }
        if lines.len() > CONTENT_BYTES_MAX {
            return Ok(Given::TooLarge);
        }
        let (now, later) = rest.split_at(count);
        let last = now.last().expect("one header at least was taken");
        let mut content = Vec::with_capacity(lines.len() + 256);
        let section = Writer::deltas(head.origin, head.scope, count as u64, items);
        put_line(&mut content, &section);
        content.extend_from_slice(&lines);
        pieces.push(Piece {
            content,
            head: at(head, last)?,
        });
        rest = later;
    }
    Ok(Given::Pieces(pieces))
}

/// The head that a header of the same log is.
fn at(head: &Held, header: &StoredHeader) -> Result<Held> {
    let damaged = |rule| StoreError::Damaged(format!("a stored header breaks {rule}"));
    let (read, signed) = wb_core::feed::Header::read(&header.line).map_err(damaged)?;
    Ok(Held {
        seq: header.seq,
        hash: hash::header(read.prev.as_ref(), &hash::sha256(signed.payload())),
        ..head.clone()
    })
}

/// All of the own trusted feed.
pub(crate) fn snapshot(served: Served<'_>, head: &Held, since: Option<Timestamp>) -> Result<Given> {
    let Some(rows) = served.snapshot(&head.origin, FeedScope::TrustedPeers)? else {
        return Ok(Given::Nothing);
    };
    let mut content = Vec::new();
    put_line(&mut content, &SnapshotWriter::totals(&rows.totals));
    put_line(&mut content, &rows.head);
    if let Some(first) = &rows.first {
        put_line(&mut content, first);
    }
    for chunk in rows.chain.chunks(CHUNK_ITEMS_MAX) {
        put_line(&mut content, &SnapshotWriter::chain(chunk));
    }
    let mut is_too_large = false;
    served.each_live(&rows, |item| -> Result<()> {
        is_too_large |= content.len() > CONTENT_BYTES_MAX;
        if !is_too_large {
            put_line(&mut content, &as_given(item.to_vec(), since, true)?);
        }
        Ok(())
    })?;
    if is_too_large {
        return Ok(Given::TooLarge);
    }
    let mut pairs: Vec<(RecordId, u64)> = Vec::new();
    served.each_retracted(&rows, |id, rev| -> Result<()> {
        pairs.push((id, rev));
        Ok(())
    })?;
    for chunk in pairs.chunks(CHUNK_ITEMS_MAX) {
        put_line(&mut content, &SnapshotWriter::retracted(chunk));
    }
    if content.len() > CONTENT_BYTES_MAX {
        return Ok(Given::TooLarge);
    }
    Ok(Given::Pieces(vec![Piece {
        content,
        head: head.clone(),
    }]))
}

/// An item as a member gets it: the line of a record from before its from-date is a stub.
fn as_given(item: Vec<u8>, since: Option<Timestamp>, in_snapshot: bool) -> Result<Vec<u8>> {
    let Some(since) = since else {
        return Ok(item);
    };
    if Entry::starts(&item) {
        return Ok(item);
    }
    let line = Line::read(&item).map_err(|rule| {
        NodeError::from(StoreError::Damaged(format!(
            "a line of the own feed breaks {rule}"
        )))
    })?;
    if line.at >= since {
        return Ok(item);
    }
    let mut entry = Entry::of_line(&line);
    debug_assert!(matches!(entry.op, Op::Put { .. }));
    if in_snapshot {
        entry.drops = None;
    }
    Ok(entry.to_bytes())
}
