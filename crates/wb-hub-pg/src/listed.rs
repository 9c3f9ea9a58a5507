//! Reading what a hub's pages list: of members that are listed and served at that moment, and of nobody else.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, Card, To};
use wb_core::line::Line;
use wb_core::scope::By;
use wb_core::time::Timestamp;
use wb_hub::{
    COUNTED_MAX, CommentsAsk, Community, CommunityPlace, HubListings, Kept, ListedComment,
    ListedRequest, RequestOrder, RequestPlace, RequestsAsk, RequestsPage, Tally, Words,
};

use crate::error::{PgError, Result};
use crate::hub::PgHub;
use crate::listing::searched;
use crate::member::IS_SERVED;
use crate::tx::{Columns as _, Tx};

/// Kinds of which is told how many a community shares.
const COUNTED_KINDS: [&str; 3] = ["request", "comment", "user"];
const OPEN_FIRST: &str = "l.open DESC, l.placed_at DESC, l.id DESC, l.instance_no DESC";
const CHANGED: &str = "l.changed_at DESC, l.id DESC, l.instance_no DESC";

impl HubListings for PgHub {
    async fn communities(
        &self,
        after: Option<CommunityPlace>,
        limit: usize,
        now: Timestamp,
    ) -> Kept<Vec<Community>> {
        self.read(move |tx| communities(tx, after.as_ref(), limit, now))
            .await
    }

    async fn community(&self, id: InstanceId, now: Timestamp) -> Kept<Option<Community>> {
        self.read(move |tx| {
            let sql = format!("{} AND m.id = $2", community_sql());
            let row = tx.row(&sql, &[&now.unix_ms(), &&id.0[..]])?;
            row.as_ref().map(community).transpose()
        })
        .await
    }

    async fn requests(&self, ask: RequestsAsk, now: Timestamp) -> Kept<RequestsPage> {
        self.read(move |tx| requests(tx, &ask, now)).await
    }

    async fn request(&self, key: RecordRef, now: Timestamp) -> Kept<Option<ListedRequest>> {
        self.read(move |tx| {
            let sql = format!(
                "SELECT {}, {} FROM members m JOIN listings l ON l.instance_no = m.instance_no
                 JOIN lines x ON x.instance_no = l.instance_no AND x.line_no = l.line_no
                 WHERE {} AND m.id = $2 AND l.id = $3 AND l.kind = 'request'",
                record_columns(),
                comments_counted(),
                is_listed()
            );
            let values: [&(dyn ToSql + Sync); 3] =
                [&now.unix_ms(), &&key.origin.0[..], &&key.id.as_bytes()[..]];
            Ok(listed(tx, &tx.rows(&sql, &values)?)?.pop())
        })
        .await
    }

    async fn comments(&self, ask: CommentsAsk, now: Timestamp) -> Kept<Vec<ListedComment>> {
        self.read(move |tx| comments(tx, &ask, now)).await
    }
}

/// SQL for a member `m` whose records are listed at the time `$1`.
fn is_listed() -> String {
    format!("m.listed AND {IS_SERVED}")
}

/// SQL for whether another that is listed has the name of the member `m`. Those that are not must not show by it.
fn shares_its_name() -> String {
    let is_other_listed = is_listed().replace("m.", "o.");
    format!(
        "EXISTS (SELECT 1 FROM members o WHERE o.name = m.name AND o.id <> m.id AND {is_other_listed})"
    )
}

/// The columns that requests and comments are read from.
fn record_columns() -> String {
    let is_shared = shares_its_name();
    format!(
        "m.id, l.id, m.name, {is_shared}, x.line, l.status, l.contested, l.placed_at, l.changed_at"
    )
}

/// SQL for how many comments on a request are listed; it stops one after the last that is told.
fn comments_counted() -> String {
    let is_listed = is_listed().replace("m.", "cm.");
    format!(
        "(SELECT count(*) FROM (SELECT 1 FROM listings c JOIN members cm ON cm.instance_no = c.instance_no
          WHERE {is_listed} AND c.parent_id = l.id AND c.kind = 'comment' AND c.parent_origin = m.id
          LIMIT {}) counted)",
        COUNTED_MAX + 1
    )
}

fn tally(counted: u64) -> Tally {
    Tally {
        n: counted.min(COUNTED_MAX),
        has_more: counted > COUNTED_MAX,
    }
}

fn rows_max(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A name, told apart from the same name of another.
fn told_apart(name: String, is_shared: bool, id: &InstanceId) -> String {
    if is_shared {
        format!("{name} ({})", id.short())
    } else {
        name
    }
}

/// A community, with how many records of each kind are listed of it.
fn community_sql() -> String {
    let counted = COUNTED_KINDS.map(|kind| {
        format!(
            "(SELECT count(*) FROM (SELECT 1 FROM listings l WHERE l.instance_no = m.instance_no AND l.kind = '{kind}'
              LIMIT {}) counted)",
            COUNTED_MAX + 1
        )
    });
    format!(
        "SELECT m.id, m.name, {}, m.card, m.since, s.at, {} FROM members m LEFT JOIN seen s USING (instance_no) WHERE {}",
        shares_its_name(),
        counted.join(", "),
        is_listed()
    )
}

fn communities(
    tx: &Tx<'_>,
    after: Option<&CommunityPlace>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Community>> {
    let sql = format!(
        "{} AND ($2::text IS NULL OR (m.name, m.id) > ($2, $3::bytea)) ORDER BY m.name, m.id LIMIT $4",
        community_sql()
    );
    let name = after.map(|after| after.name.as_str());
    let id = after.map(|after| &after.id.0[..]);
    let rows = tx.rows(&sql, &[&now.unix_ms(), &name, &id, &rows_max(limit)])?;
    rows.iter().map(community).collect()
}

fn community(row: &Row) -> Result<Community> {
    let id = row.instance(0)?;
    let name: String = row.value(1)?;
    let card: Option<Card> = serde_json::from_str(row.value(3)?).ok();
    let mut kinds = BTreeMap::new();
    for (place, kind) in COUNTED_KINDS.into_iter().enumerate() {
        kinds.insert(kind, tally(row.number(6 + place)?));
    }
    Ok(Community {
        id,
        name: told_apart(name.clone(), row.value(2)?, &id),
        place: CommunityPlace { name, id },
        about: card.and_then(|card| card.about),
        since: row.time(4)?,
        seen_at: row.time_or(5)?,
        kinds,
    })
}

fn requests(tx: &Tx<'_>, ask: &RequestsAsk, now: Timestamp) -> Result<RequestsPage> {
    if let Some(words) = &ask.words {
        return search(tx, ask, words, now);
    }
    let columns = format!("{}, {}", record_columns(), comments_counted());
    let rows = in_order(tx, &columns, ask, ask.limit, now)?;
    Ok(RequestsPage {
        rows: listed(tx, &rows)?,
        stopped_at: None,
    })
}

/// So many rows in the order asked for. Each variant goes along an index of its own, and stops as soon as it has what
/// is asked for.
fn in_order(
    tx: &Tx<'_>,
    columns: &str,
    ask: &RequestsAsk,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Row>> {
    let (home, after) = (ask.home.map(|home| home.0.to_vec()), ask.after);
    let after = after.filter(|_| ask.order == RequestOrder::OpenFirst);
    let of_home = match home {
        Some(_) => " AND l.instance_no = (SELECT h.instance_no FROM members h WHERE h.id = $3)",
        None => " AND $3::bytea IS NULL",
    };
    let behind = match after {
        Some(_) => format!(
            " AND (l.open, l.placed_at, l.id, l.instance_no) < ($4::boolean, $5::bigint, $6::bytea,
                coalesce((SELECT m.instance_no FROM members m WHERE m.id = $7 AND {}), 0))",
            is_listed()
        ),
        None => " AND $4::boolean IS NULL AND $5::bigint IS NULL AND $6::bytea IS NULL AND $7::bytea IS NULL".to_owned(),
    };
    let order = match ask.order {
        RequestOrder::OpenFirst => OPEN_FIRST,
        RequestOrder::Changed => CHANGED,
    };
    let sql = format!(
        "SELECT {columns} FROM listings l JOIN members m ON m.instance_no = l.instance_no
         JOIN lines x ON x.instance_no = l.instance_no AND x.line_no = l.line_no
         WHERE l.kind = 'request' AND {}{of_home}{behind} ORDER BY {order} LIMIT $2",
        is_listed()
    );
    tx.rows(
        &sql,
        &[
            &now.unix_ms(),
            &rows_max(limit),
            &home,
            &after.map(|after| after.is_open),
            &after.map(|after| after.placed_at.unix_ms()),
            &after.map(|after| after.key.id.as_bytes().to_vec()),
            &after.map(|after| after.key.origin.0.to_vec()),
        ],
    )
}

/// Looks for words in as many requests as it may, in their order; reads the lines of those alone that it found.
fn search(tx: &Tx<'_>, ask: &RequestsAsk, words: &Words, now: Timestamp) -> Result<RequestsPage> {
    let wanted = searched(&[&words.text]);
    let columns = "coalesce(l.words, ''), l.open, l.placed_at, m.id, l.id";
    let looked = in_order(tx, columns, ask, words.rows_max, now)?;
    let (mut found, mut looked_at, mut last) = (Vec::new(), 0, None);
    for row in &looked {
        if found.len() == ask.limit {
            break;
        }
        let key = RecordRef {
            origin: row.instance(3)?,
            id: row.record(4)?,
        };
        if row.value::<&str>(0)?.contains(&wanted) {
            found.push(key);
        }
        looked_at += 1;
        last = Some(RequestPlace {
            is_open: row.value(1)?,
            placed_at: row.time(2)?,
            key,
        });
    }
    let is_stopped = found.len() < ask.limit && looked_at == words.rows_max;
    let sql = format!(
        "SELECT {}, {} FROM unnest($2::bytea[], $3::bytea[]) WITH ORDINALITY AS k (origin, id, place)
         JOIN members m ON m.id = k.origin JOIN listings l ON l.instance_no = m.instance_no AND l.id = k.id
         JOIN lines x ON x.instance_no = l.instance_no AND x.line_no = l.line_no
         WHERE {} ORDER BY k.place",
        record_columns(),
        comments_counted(),
        is_listed()
    );
    let origins: Vec<&[u8]> = found.iter().map(|key| &key.origin.0[..]).collect();
    let ids: Vec<&[u8]> = found.iter().map(|key| &key.id.as_bytes()[..]).collect();
    let rows = tx.rows(&sql, &[&now.unix_ms(), &origins, &ids])?;
    Ok(RequestsPage {
        rows: listed(tx, &rows)?,
        stopped_at: last.filter(|_| is_stopped),
    })
}

fn comments(tx: &Tx<'_>, ask: &CommentsAsk, now: Timestamp) -> Result<Vec<ListedComment>> {
    let sql = format!(
        "SELECT {} FROM listings l JOIN members m ON m.instance_no = l.instance_no
         JOIN lines x ON x.instance_no = l.instance_no AND x.line_no = l.line_no
         WHERE {} AND l.parent_id = $2 AND l.kind = 'comment' AND l.parent_origin = $3
           AND ($4::bigint IS NULL OR (l.placed_at, l.id, m.id) > ($4, $5::bytea, $6::bytea))
         ORDER BY l.placed_at, l.id, m.id LIMIT $7",
        record_columns(),
        is_listed()
    );
    let after = ask.after;
    let rows = tx.rows(
        &sql,
        &[
            &now.unix_ms(),
            &&ask.request.id.as_bytes()[..],
            &&ask.request.origin.0[..],
            &after.map(|after| after.placed_at.unix_ms()),
            &after.map(|after| after.key.id.as_bytes().to_vec()),
            &after.map(|after| after.key.origin.0.to_vec()),
            &rows_max(ask.limit),
        ],
    )?;
    let heads: Vec<Head> = rows.iter().map(Head::read).collect::<Result<_>>()?;
    let names = Names::load(tx, &heads)?;
    let comments = heads.into_iter().filter_map(|head| {
        let Body::Comment(comment) = &head.body else {
            return None;
        };
        Some(ListedComment {
            author: names.of(&head),
            body: comment.body.clone(),
            key: head.key,
            home: head.home,
            placed_at: head.placed_at,
        })
    });
    Ok(comments.collect())
}

/// Requests from their rows.
fn listed(tx: &Tx<'_>, rows: &[Row]) -> Result<Vec<ListedRequest>> {
    let heads: Vec<Head> = rows.iter().map(Head::read).collect::<Result<_>>()?;
    let names = Names::load(tx, &heads)?;
    let mut requests = Vec::with_capacity(rows.len());
    for (row, head) in rows.iter().zip(heads) {
        let Body::Request(body) = &head.body else {
            return Err(PgError::damaged("a listed request is none"));
        };
        requests.push(ListedRequest {
            author: names.of(&head),
            title: body.title.clone(),
            description: body.description.clone(),
            status: status(row.value::<Option<&str>>(5)?.unwrap_or_default()),
            is_contested: row.value(6)?,
            changed_at: row.time(8)?,
            comments: tally(row.number(9)?),
            placed_at: head.placed_at,
            key: head.key,
            home: head.home,
        });
    }
    Ok(requests)
}

fn status(word: &str) -> To {
    [To::Open, To::Completed, To::Cancelled]
        .into_iter()
        .find(|to| to.as_str() == word)
        .unwrap_or(To::Open)
}

/// What requests and comments have in common.
struct Head {
    key: RecordRef,
    home: String,
    by: By,
    body: Body,
    placed_at: Timestamp,
}

impl Head {
    fn read(row: &Row) -> Result<Self> {
        let origin = row.instance(0)?;
        let (by, body) = read_line(row.value(4)?)?;
        Ok(Self {
            key: RecordRef {
                origin,
                id: row.record(1)?,
            },
            home: told_apart(row.value(2)?, row.value(3)?, &origin),
            by,
            body,
            placed_at: row.time(7)?,
        })
    }
}

fn read_line(bytes: &[u8]) -> Result<(By, Body)> {
    let line = Line::read(bytes)
        .map_err(|rule| PgError::damaged(format!("a stored line breaks {rule}")))?;
    let body = Body::of_line(&line).map_err(|_| PgError::damaged("a listed line"))?;
    Ok((line.by, body))
}

/// The names of members who wrote something, as far as their profiles are shared.
struct Names(BTreeMap<(InstanceId, RecordId), String>);

impl Names {
    fn load(tx: &Tx<'_>, heads: &[Head]) -> Result<Self> {
        let authors = heads.iter().filter_map(|head| match &head.by {
            By::User(user) => Some((head.key.origin, *user)),
            By::Instance | By::Pseudonym(_) => None,
        });
        let authors: std::collections::BTreeSet<_> = authors.collect();
        if authors.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let origins: Vec<&[u8]> = authors.iter().map(|(origin, _)| &origin.0[..]).collect();
        let users: Vec<&[u8]> = authors
            .iter()
            .map(|(_, user)| &user.as_bytes()[..])
            .collect();
        let rows = tx.rows(
            "SELECT m.id, l.id, x.line FROM unnest($1::bytea[], $2::bytea[]) AS k (origin, id)
             JOIN members m ON m.id = k.origin JOIN listings l ON l.instance_no = m.instance_no AND l.id = k.id
             JOIN lines x ON x.instance_no = l.instance_no AND x.line_no = l.line_no WHERE l.kind = 'user'",
            &[&origins, &users],
        )?;
        let mut names = BTreeMap::new();
        for row in &rows {
            if let (_, Body::User(user)) = read_line(row.value(2)?)?
                && let Some(name) = user.display_name.or(user.handle)
            {
                names.insert((row.instance(0)?, row.record(1)?), name);
            }
        }
        Ok(Self(names))
    }

    /// Who wrote something, as far as that is shared.
    fn of(&self, head: &Head) -> String {
        let home = &head.home;
        match &head.by {
            By::User(user) => {
                let name = self.0.get(&(head.key.origin, *user));
                name.cloned()
                    .unwrap_or_else(|| format!("a member of {home}"))
            }
            By::Pseudonym(token) => format!("a member of {home} ({})", &token.to_string()[..4]),
            By::Instance => home.clone(),
        }
    }
}
