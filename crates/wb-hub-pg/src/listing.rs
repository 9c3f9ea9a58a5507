//! What a hub's pages list, folded from what is stored: one row for each record that would be shown.
//!
//! The rows of a member are made by whoever writes its feed. Where a request stands is said by others as well: a
//! writer only notes that it has to be told anew, and that is done after it committed (`tell`).

use tokio_postgres::Row;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::Body;
use wb_core::line::Line;
use wb_core::scope::FeedScope;
use wb_core::show::{Candidate, Marks, choose};
use wb_core::time::Timestamp;

use crate::error::{PgError, Result};
use crate::tx::{Columns as _, Tx};
use crate::write::Write;

/// Records that are folded at once.
const FOLDED_MAX: usize = 1_000;
/// Characters of a request that search looks at; keeps a hub from storing every long text twice.
const SEARCHED_CHARS_MAX: usize = 2_000;

/// Records with what is live of them, with their marks, and what was listed of them before.
const FOLD: &str = "SELECT t.id, l.line_no, l.rev, l.void, l.line,
      (SELECT max(p.rev) FROM lines p WHERE p.instance_no = $1 AND p.id = t.id AND p.put AND NOT p.void),
      (SELECT max(r.rev) FROM lines r WHERE r.instance_no = $1 AND r.id = t.id AND NOT r.put AND NOT r.void),
      o.kind, o.parent_origin, o.parent_id
    FROM unnest($2::bytea[]) AS t (id)
    LEFT JOIN lines l ON l.instance_no = $1 AND l.id = t.id AND l.live = 1
    LEFT JOIN listings o ON o.instance_no = $1 AND o.id = t.id";
const PUT: &str = "INSERT INTO listings (instance_no, id, line_no, kind, parent_origin, parent_id, placed_at, line_at,
      changed_at, words)
    SELECT $1, id, line_no, kind, parent_origin, parent_id, placed_at, line_at, line_at, words
    FROM unnest($2::bytea[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[], $7::bigint[], $8::bigint[], $9::text[])
      AS new (id, line_no, kind, parent_origin, parent_id, placed_at, line_at, words)
    ON CONFLICT (instance_no, id) DO UPDATE SET line_no = excluded.line_no, kind = excluded.kind,
      parent_origin = excluded.parent_origin, parent_id = excluded.parent_id, placed_at = excluded.placed_at,
      line_at = excluded.line_at, changed_at = excluded.changed_at, words = excluded.words";

/// What is listed of a record.
struct Listing {
    id: RecordId,
    line_no: i64,
    kind: String,
    parent: Option<RecordRef>,
    /// For whom, where it is a vouch.
    subject: Option<InstanceId>,
    placed_at: Timestamp,
    line_at: Timestamp,
    words: Option<String>,
}

impl Listing {
    /// What is listed of one row; none where nothing of it would be shown.
    fn fold(row: &Row, now: Timestamp) -> Result<Option<Self>> {
        let Some(line_no) = row.value::<Option<i64>>(1)? else {
            return Ok(None);
        };
        let line: Option<&[u8]> = row.value(4)?;
        let candidate = Candidate {
            scope: FeedScope::Public,
            rev: row.number(2)?,
            has_line: line.is_some(),
            is_void: row.value(3)?,
        };
        let mark = |column| {
            Ok::<_, PgError>(
                row.value::<Option<i64>>(column)?
                    .unwrap_or(0)
                    .unsigned_abs(),
            )
        };
        let marks = Marks {
            put: mark(5)?,
            retract: mark(6)?,
        };
        let (Ok(()), Some(line)) = (choose(&candidate, &[candidate], marks), line) else {
            return Ok(None);
        };
        let line = Line::read(line)
            .map_err(|rule| PgError::damaged(format!("a stored line breaks {rule}")))?;
        let Ok(body) = Body::of_line(&line) else {
            return Ok(None);
        };
        let created_at = match &body {
            Body::Request(request) => Some(request.created_at),
            Body::Comment(comment) => Some(comment.created_at),
            _ => None,
        };
        Ok(Some(Self {
            id: line.id,
            line_no,
            kind: line.kind.to_string(),
            parent: body.parent(line.origin),
            subject: match &body {
                Body::Vouch(vouch) => Some(vouch.subject),
                _ => None,
            },
            // Whoever claims a time to come would stand on top until then.
            placed_at: created_at.unwrap_or(line.at).min(now),
            line_at: line.at.min(now),
            words: match &body {
                Body::Request(request) => Some(searched(&[&request.title, &request.description])),
                _ => None,
            },
        }))
    }

    fn parent_origin(&self) -> Option<&[u8]> {
        let parent = self.parent.as_ref().map(|parent| &parent.origin);
        parent.or(self.subject.as_ref()).map(|id| &id.0[..])
    }

    /// The request whose state it is about; its own for a request.
    fn speaks_of(&self, origin: InstanceId) -> Option<RecordRef> {
        match self.kind.as_str() {
            "request" => Some(RecordRef {
                origin,
                id: self.id,
            }),
            "status" | "helper" => self.parent,
            _ => None,
        }
    }
}

/// Texts as search compares them. NUL cannot be kept in a text, and nobody types it.
pub(crate) fn searched(texts: &[&str]) -> String {
    let small = texts.join("\n").to_lowercase();
    let chars = small.chars().filter(|char| *char != '\0');
    chars.take(SEARCHED_CHARS_MAX).collect()
}

/// Makes the rows of records of a member, and takes note of the requests that they are or speak of.
pub(crate) fn list(
    write: &Write<'_, '_>,
    member: (InstanceId, i64),
    ids: impl IntoIterator<Item = RecordId>,
) -> Result<()> {
    let (origin, no) = member;
    let ids: Vec<RecordId> = ids.into_iter().collect();
    for ids in ids.chunks(FOLDED_MAX) {
        let wanted: Vec<&[u8]> = ids.iter().map(|id| &id.as_bytes()[..]).collect();
        let (mut listed, mut gone) = (Vec::new(), Vec::new());
        for row in write.tx.rows(FOLD, &[&no, &wanted])? {
            let before = spoke_of(&row, origin)?;
            write.touch(before);
            match Listing::fold(&row, write.now)? {
                Some(listing) => listed.push(listing),
                None if row.value::<Option<&str>>(7)?.is_some() => gone.push(row.bytes(0)?),
                None => {}
            }
        }
        write.touch(
            listed
                .iter()
                .filter_map(|listing| listing.speaks_of(origin)),
        );
        if !gone.is_empty() {
            write.tx.execute(
                "DELETE FROM listings WHERE instance_no = $1 AND id = ANY ($2)",
                &[&no, &gone],
            )?;
        }
        put(write.tx, no, &listed)?;
    }
    Ok(())
}

/// The request that a record was about before.
fn spoke_of(row: &Row, origin: InstanceId) -> Result<Option<RecordRef>> {
    let kind: Option<&str> = row.value(7)?;
    Ok(match kind {
        Some("request") => Some(RecordRef {
            origin,
            id: row.record(0)?,
        }),
        Some("status" | "helper") => Some(RecordRef {
            origin: row.instance(8)?,
            id: row.record(9)?,
        }),
        _ => None,
    })
}

fn put(tx: &Tx<'_>, no: i64, listed: &[Listing]) -> Result<()> {
    if listed.is_empty() {
        return Ok(());
    }
    fn column<'l, T>(listed: &'l [Listing], value: impl Fn(&'l Listing) -> T) -> Vec<T> {
        listed.iter().map(value).collect()
    }
    tx.execute(
        PUT,
        &[
            &no,
            &column(listed, |row| &row.id.as_bytes()[..]),
            &column(listed, |row| row.line_no),
            &column(listed, |row| row.kind.as_str()),
            &column(listed, Listing::parent_origin),
            &column(listed, |row| {
                row.parent.as_ref().map(|parent| &parent.id.as_bytes()[..])
            }),
            &column(listed, |row| row.placed_at.unix_ms()),
            &column(listed, |row| row.line_at.unix_ms()),
            &column(listed, |row| row.words.as_deref()),
        ],
    )?;
    Ok(())
}

/// Takes note of those requests of others of which a member said something.
pub(crate) fn touch_what_was_said_by(
    write: &Write<'_, '_>,
    member: (InstanceId, i64),
) -> Result<()> {
    let (id, no) = member;
    let rows = write.tx.rows(
        "SELECT DISTINCT parent_origin, parent_id FROM listings
         WHERE instance_no = $1 AND kind = 'status' AND parent_origin <> $2",
        &[&no, &&id.0[..]],
    )?;
    for row in rows {
        write.touch([RecordRef {
            origin: row.instance(0)?,
            id: row.record(1)?,
        }]);
    }
    Ok(())
}
