//! Reading what a hub's pages list: of members that are listed and served at that moment, and of nobody
//! else.

use std::collections::BTreeMap;
use std::fmt;

use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, Card, To};
use wb_core::line::Line;
use wb_core::scope::By;
use wb_core::time::Timestamp;

use super::file::Relay;
use super::listing::searched;
use super::member::IS_SERVED;
use super::places::{CommentPlace, CommunityPlace, RequestPlace};
use crate::error::{Result, StoreError};
use crate::sql::{Sql, some};

/// Comments, or records of a kind, that are counted for a page; whoever has more is told so.
pub const COUNTED_MAX: u64 = 1_000;
/// Kinds of which is told how many a community shares.
const COUNTED_KINDS: [&str; 3] = ["request", "comment", "user"];

/// How many there are, counted up to [`COUNTED_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// So many are there at least.
    pub n: u64,
    /// Whether there are more.
    pub has_more: bool,
}

impl Tally {
    /// SQL that counts rows, and stops one after the last that is told.
    fn sql(rows: &str) -> String {
        format!("SELECT count(*) FROM ({rows} LIMIT {})", COUNTED_MAX + 1)
    }

    fn of(counted: u64) -> Self {
        Self {
            n: counted.min(COUNTED_MAX),
            has_more: counted > COUNTED_MAX,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.has_more { "+" } else { "" };
        write!(f, "{}{more}", self.n)
    }
}

/// A community that a hub lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Community {
    /// Its id.
    pub id: InstanceId,
    /// Its place in the list by name.
    pub place: CommunityPlace,
    /// Its name; with the start of its id where another member has the same.
    pub name: String,
    /// What its card says about it.
    pub about: Option<String>,
    /// When it registered.
    pub since: Timestamp,
    /// When it was last heard.
    pub seen_at: Option<Timestamp>,
    /// What is listed of it, by kind: requests, comments, profiles.
    pub kinds: BTreeMap<&'static str, Tally>,
}

/// A request that a hub lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRequest {
    /// The request.
    pub key: RecordRef,
    /// The name of its home, as in [`Community::name`].
    pub home: String,
    /// Who wrote it, as far as that is shared.
    pub author: String,
    /// In a few words.
    pub title: String,
    /// In full.
    pub description: String,
    /// What it is now.
    pub status: To,
    /// Whether home and helpers disagree.
    pub is_contested: bool,
    /// When it was written; never later than it came.
    pub placed_at: Timestamp,
    /// When it, or where it stands, last changed; never later than that came.
    pub changed_at: Timestamp,
    /// Comments listed.
    pub comments: Tally,
}

impl ListedRequest {
    /// Its place in a list that begins with the open ones.
    #[must_use]
    pub fn place(&self) -> RequestPlace {
        RequestPlace {
            is_open: self.status == To::Open,
            placed_at: self.placed_at,
            key: self.key,
        }
    }
}

/// A comment that a hub lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedComment {
    /// The comment.
    pub key: RecordRef,
    /// The name of its home.
    pub home: String,
    /// Who wrote it, as far as that is shared.
    pub author: String,
    /// What it says.
    pub body: String,
    /// When it was written; never later than it came.
    pub placed_at: Timestamp,
}

impl ListedComment {
    /// Its place among the comments on its request.
    #[must_use]
    pub fn place(&self) -> CommentPlace {
        CommentPlace {
            placed_at: self.placed_at,
            key: self.key,
        }
    }
}

/// In which order requests come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOrder {
    /// Open ones first, of each the newest first.
    OpenFirst,
    /// What changed last first.
    Changed,
}

/// Which requests are wanted.
#[derive(Debug, Clone)]
pub struct RequestsAsk {
    /// Only of this home.
    pub home: Option<InstanceId>,
    /// Only those that say this.
    pub words: Option<Words>,
    /// In which order.
    pub order: RequestOrder,
    /// After this place, where open ones come first.
    pub after: Option<RequestPlace>,
    /// How many.
    pub limit: usize,
}

/// What is searched for.
#[derive(Debug, Clone)]
pub struct Words {
    /// The words, as somebody wrote them.
    pub text: String,
    /// How many requests are looked at, in the order asked for.
    pub rows_max: usize,
}

/// Requests that are listed.
#[derive(Debug, Clone)]
pub struct RequestsPage {
    /// The requests.
    pub rows: Vec<ListedRequest>,
    /// Where search stopped because it had looked at as many as it may: after this place nothing was looked
    /// at.
    pub stopped_at: Option<RequestPlace>,
}

/// Which comments are wanted.
#[derive(Debug, Clone, Copy)]
pub struct CommentsAsk {
    /// Of which request.
    pub request: RecordRef,
    /// After this place.
    pub after: Option<CommentPlace>,
    /// How many.
    pub limit: usize,
}

/// SQL for a member `m` whose records are listed at the time `?1`.
fn is_listed() -> String {
    format!("m.listed = 1 AND {IS_SERVED}")
}

/// SQL for whether another that is listed has the name of the member `m`. Those that are not must not show
/// by it.
fn shares_its_name() -> String {
    let is_other_listed = is_listed().replace("m.", "o.");
    format!(
        "EXISTS (SELECT 1 FROM members o WHERE o.name = m.name AND o.id != m.id AND {is_other_listed})"
    )
}

/// The columns that requests and comments are read from.
fn record_columns() -> String {
    let is_shared = shares_its_name();
    format!(
        "m.id, l.id, m.name, {is_shared}, x.line, l.status, l.contested, l.placed_at, l.changed_at"
    )
}

impl Relay {
    /// Communities by name, after one where it is given.
    ///
    /// # Errors
    /// What the database reports.
    pub fn communities(
        &self,
        after: Option<&CommunityPlace>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Community>> {
        self.at_one_moment(|connection| {
            let sql = format!(
                "SELECT {} FROM members m WHERE {} AND (?2 IS NULL OR (m.name, m.id) > (?2, ?3))
                 ORDER BY m.name, m.id LIMIT ?4",
                community_columns(),
                is_listed()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let values = params![
                Sql(now),
                after.map(|after| &after.name),
                after.map(|after| Sql(after.id)),
                rows_max(limit)
            ];
            let rows = statement.query_map(values, community)?;
            rows.map(|row| counted(connection, row?)).collect()
        })
    }

    /// One community.
    ///
    /// # Errors
    /// What the database reports.
    pub fn community(&self, id: &InstanceId, now: Timestamp) -> Result<Option<Community>> {
        self.at_one_moment(|connection| {
            let sql = format!(
                "SELECT {} FROM members m WHERE {} AND m.id = ?2",
                community_columns(),
                is_listed()
            );
            let found = connection
                .prepare_cached(&sql)?
                .query_row(params![Sql(now), Sql(id)], community)
                .optional()?;
            found.map(|row| counted(connection, row)).transpose()
        })
    }

    /// Requests that are listed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn listed_requests(&self, ask: &RequestsAsk, now: Timestamp) -> Result<RequestsPage> {
        self.at_one_moment(|connection| {
            if let Some(words) = &ask.words {
                return search(connection, ask, words, now);
            }
            let (sql, values) = requests_sql(&record_columns(), ask, ask.limit, now);
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            let mut requests = Vec::new();
            while let Some(row) = rows.next()? {
                requests.push(request(connection, row, now)?);
            }
            Ok(RequestsPage {
                rows: requests,
                stopped_at: None,
            })
        })
    }

    /// One request that is listed.
    ///
    /// # Errors
    /// What the database reports.
    pub fn listed_request(&self, key: &RecordRef, now: Timestamp) -> Result<Option<ListedRequest>> {
        self.at_one_moment(|connection| {
            let sql = format!(
                "SELECT {} FROM members m JOIN listings l ON l.instance_no = m.instance_no
                 JOIN feed_lines x ON x.line_no = l.line_no
                 WHERE {} AND m.id = ?2 AND l.id = ?3 AND +l.kind = 'request'",
                record_columns(),
                is_listed()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![Sql(now), Sql(key.origin), Sql(key.id)])?;
            let row = rows.next()?;
            row.map(|row| request(connection, row, now)).transpose()
        })
    }

    /// Comments on a request, oldest first.
    ///
    /// # Errors
    /// What the database reports.
    pub fn listed_comments(&self, ask: &CommentsAsk, now: Timestamp) -> Result<Vec<ListedComment>> {
        self.at_one_moment(|connection| {
            let sql = format!(
                "SELECT {} FROM listings l JOIN members m ON m.instance_no = l.instance_no
                 JOIN feed_lines x ON x.line_no = l.line_no
                 WHERE {} AND l.parent_id = ?2 AND l.kind = 'comment' AND l.parent_origin = ?3
                   AND (?4 IS NULL OR (l.placed_at, l.id, m.id) > (?4, ?5, ?6))
                 ORDER BY l.placed_at, l.id, m.id LIMIT ?7",
                record_columns(),
                is_listed()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![
                Sql(now),
                Sql(ask.request.id),
                Sql(ask.request.origin),
                ask.after.map(|after| Sql(after.placed_at)),
                ask.after.map(|after| Sql(after.key.id)),
                ask.after.map(|after| Sql(after.key.origin)),
                rows_max(ask.limit),
            ])?;
            let mut comments = Vec::new();
            while let Some(row) = rows.next()? {
                let head = Head::read(row)?;
                if let Body::Comment(comment) = &head.body {
                    comments.push(ListedComment {
                        author: head.author(connection)?,
                        body: comment.body.clone(),
                        key: head.key,
                        home: head.home,
                        placed_at: head.placed_at,
                    });
                }
            }
            Ok(comments)
        })
    }
}

type Value = Box<dyn rusqlite::ToSql>;

/// Looks for words in as many requests as it may, in their order; reads the lines of those alone that it found.
fn search(
    connection: &Connection,
    ask: &RequestsAsk,
    words: &Words,
    now: Timestamp,
) -> Result<RequestsPage> {
    let wanted = searched(&[&words.text]);
    let columns = "l.listing_no, ifnull(l.words, ''), l.open, l.placed_at, m.id, l.id";
    let (sql, values) = requests_sql(columns, ask, words.rows_max, now);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let (mut found, mut looked_at, mut last) = (Vec::new(), 0, None);
    while found.len() < ask.limit
        && let Some(row) = rows.next()?
    {
        let words: String = row.get(1)?;
        if words.contains(&wanted) {
            found.push(row.get(0)?);
        }
        looked_at += 1;
        last = Some(RequestPlace {
            is_open: row.get(2)?,
            placed_at: row.get::<_, Sql<Timestamp>>(3)?.0,
            key: RecordRef {
                origin: row.get::<_, Sql<InstanceId>>(4)?.0,
                id: row.get::<_, Sql<RecordId>>(5)?.0,
            },
        });
    }
    let is_stopped = found.len() < ask.limit && looked_at == words.rows_max;
    let sql = format!(
        "SELECT {} FROM listings l JOIN members m ON m.instance_no = l.instance_no
         JOIN feed_lines x ON x.line_no = l.line_no WHERE l.listing_no = ?2",
        record_columns()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut requests = Vec::new();
    for listing_no in found {
        let listing_no: i64 = listing_no;
        let mut rows = statement.query(params![Sql(now), listing_no])?;
        if let Some(row) = rows.next()? {
            requests.push(request(connection, row, now)?);
        }
    }
    Ok(RequestsPage {
        rows: requests,
        stopped_at: last.filter(|_| is_stopped),
    })
}

/// The text of the query for so many rows, and its values. Each variant goes along an index of its own, and stops as soon as
/// it has what is asked for.
fn requests_sql(
    columns: &str,
    ask: &RequestsAsk,
    limit: usize,
    now: Timestamp,
) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![Box::new(Sql(now)), Box::new(rows_max(limit))];
    let mut conditions = String::new();
    if let Some(home) = ask.home {
        values.push(Box::new(Sql(home)));
        conditions
            .push_str(" AND l.instance_no = (SELECT h.instance_no FROM members h WHERE h.id = ?3)");
    }
    let (index, order) = match (ask.order, ask.home.is_some()) {
        (RequestOrder::OpenFirst, false) => ("listings_open", OPEN_FIRST),
        (RequestOrder::OpenFirst, true) => ("listings_home", OPEN_FIRST),
        (RequestOrder::Changed, false) => ("listings_changed", CHANGED),
        (RequestOrder::Changed, true) => ("listings_home_changed", CHANGED),
    };
    if let Some(after) = ask.after.filter(|_| ask.order == RequestOrder::OpenFirst) {
        let first = values.len() + 1;
        values.push(Box::new(after.is_open));
        values.push(Box::new(Sql(after.placed_at)));
        values.push(Box::new(Sql(after.key.id)));
        values.push(Box::new(Sql(after.key.origin)));
        conditions.push_str(&format!(
            " AND (l.open, l.placed_at, l.id, l.instance_no) < (?{first}, ?{}, ?{},
                ifnull((SELECT m.instance_no FROM members m WHERE m.id = ?{} AND {}), 0))",
            first + 1,
            first + 2,
            first + 3,
            is_listed()
        ));
    }
    let sql = format!(
        "SELECT {columns} FROM listings l INDEXED BY {index}
         CROSS JOIN members m ON m.instance_no = l.instance_no
         CROSS JOIN feed_lines x ON x.line_no = l.line_no
         WHERE l.kind = 'request' AND {}{conditions} ORDER BY {order} LIMIT ?2",
        is_listed()
    );
    (sql, values)
}

const OPEN_FIRST: &str = "l.open DESC, l.placed_at DESC, l.id DESC, l.instance_no DESC";
const CHANGED: &str = "l.changed_at DESC, l.id DESC, l.instance_no DESC";

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

/// The columns that a community is read from.
fn community_columns() -> String {
    let is_shared = shares_its_name();
    format!("m.id, m.name, {is_shared}, m.card, m.since, m.seen_at, m.instance_no")
}

fn community(row: &Row<'_>) -> rusqlite::Result<(Community, i64)> {
    let Sql(id): Sql<InstanceId> = row.get(0)?;
    let card: Option<Card> = serde_json::from_str(row.get_ref(3)?.as_str()?).ok();
    let name: String = row.get(1)?;
    let community = Community {
        id,
        name: told_apart(name.clone(), row.get(2)?, &id),
        place: CommunityPlace { name, id },
        about: card.and_then(|card| card.about),
        since: row.get::<_, Sql<Timestamp>>(4)?.0,
        seen_at: some(row.get(5)?),
        kinds: BTreeMap::new(),
    };
    Ok((community, row.get(6)?))
}

fn counted(connection: &Connection, found: (Community, i64)) -> Result<Community> {
    let (mut community, instance_no) = found;
    let rows = "SELECT 1 FROM listings WHERE instance_no = ?1 AND kind = ?2";
    let mut statement = connection.prepare_cached(&Tally::sql(rows))?;
    for kind in COUNTED_KINDS {
        let Sql(n): Sql<u64> = statement.query_row(params![instance_no, kind], |row| row.get(0))?;
        community.kinds.insert(kind, Tally::of(n));
    }
    Ok(community)
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
    fn read(row: &Row<'_>) -> Result<Self> {
        let Sql(origin): Sql<InstanceId> = row.get(0)?;
        let bytes: Vec<u8> = row.get(4)?;
        let (by, body) = read_line(&bytes)?;
        Ok(Self {
            key: RecordRef {
                origin,
                id: row.get::<_, Sql<RecordId>>(1)?.0,
            },
            home: told_apart(row.get(2)?, row.get(3)?, &origin),
            by,
            body,
            placed_at: row.get::<_, Sql<Timestamp>>(7)?.0,
        })
    }

    /// Who wrote it, as far as that is shared here.
    fn author(&self, connection: &Connection) -> Result<String> {
        let home = &self.home;
        let By::User(user) = &self.by else {
            return Ok(match &self.by {
                By::Pseudonym(token) => {
                    format!("a member of {home} ({})", &token.to_string()[..4])
                }
                By::Instance | By::User(_) => home.clone(),
            });
        };
        let sql = "SELECT x.line FROM listings l JOIN instances i USING (instance_no)
                   JOIN feed_lines x ON x.line_no = l.line_no
                   WHERE i.id = ?1 AND l.id = ?2 AND +l.kind = 'user'";
        let line: Option<Vec<u8>> = connection
            .prepare_cached(sql)?
            .query_row(params![Sql(self.key.origin), Sql(user)], |row| row.get(0))
            .optional()?;
        let name = match line.as_deref().map(read_line).transpose()? {
            Some((_, Body::User(user))) => user.display_name.or(user.handle),
            _ => None,
        };
        Ok(name.unwrap_or_else(|| format!("a member of {home}")))
    }
}

fn read_line(bytes: &[u8]) -> Result<(By, Body)> {
    let line = Line::read(bytes)
        .map_err(|rule| StoreError::damaged(format!("a stored line breaks {rule}")))?;
    let body = Body::of_line(&line).map_err(|_| StoreError::damaged("a listed line"))?;
    Ok((line.by, body))
}

fn request(connection: &Connection, row: &Row<'_>, now: Timestamp) -> Result<ListedRequest> {
    let head = Head::read(row)?;
    let Body::Request(body) = &head.body else {
        return Err(StoreError::damaged("a listed request is none"));
    };
    let comments = format!(
        "SELECT 1 FROM listings l JOIN members m ON m.instance_no = l.instance_no
         WHERE {} AND l.parent_id = ?2 AND l.kind = 'comment' AND l.parent_origin = ?3",
        is_listed()
    );
    let mut counting = connection.prepare_cached(&Tally::sql(&comments))?;
    let Sql(comments): Sql<u64> = counting.query_row(
        params![Sql(now), Sql(head.key.id), Sql(head.key.origin)],
        |row| row.get(0),
    )?;
    Ok(ListedRequest {
        author: head.author(connection)?,
        title: body.title.clone(),
        description: body.description.clone(),
        status: status(row.get_ref(5)?.as_str().unwrap_or_default()),
        is_contested: row.get(6)?,
        changed_at: row.get::<_, Sql<Timestamp>>(8)?.0,
        placed_at: head.placed_at,
        key: head.key,
        home: head.home,
        comments: Tally::of(comments),
    })
}

fn status(word: &str) -> To {
    [To::Open, To::Completed, To::Cancelled]
        .into_iter()
        .find(|to| to.as_str() == word)
        .unwrap_or(To::Open)
}
