//! Whether what was left where it waits is asked for again: only where something changed about those it is from.
//!
//! What was left is noted with a stamp: of each origin its standing, and how much of its identity log is known. What
//! happens to anybody else changes nothing. The origins are those that outsides name, also unproved ones: one that is
//! not known now may be known later.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rusqlite::{OptionalExtension as _, params};
use wb_core::id::InstanceId;
use wb_core::time::Timestamp;

use crate::error::Result;
use crate::levels::{IS_SHOWN, STANDING};
use crate::sql::Sql;
use crate::store::{Store, Write};

/// Origins that a stamp names; bounds the row. Of more, everything that is decided about anybody counts.
const STAMPED_MAX: usize = 1_000;
/// What begins a stamp that names nobody.
const ANYBODY: char = '*';

/// What waits at a hub or peer, and is left there where nobody here accepted who made it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Waiting {
    Envelopes,
    Letters,
}

impl Waiting {
    /// The table that says how far it was looked at, and its column for the place.
    fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Envelopes => ("envelopes_left", "hub"),
            Self::Letters => ("mail_passed", "place"),
        }
    }

    /// The number up to which it was left at a place, where nothing changed since that would let some of it in.
    pub(crate) fn passed(
        self,
        store: &Store,
        place: &InstanceId,
        after: Timestamp,
    ) -> Result<Option<u64>> {
        let (table, column) = self.table();
        let sql = format!("SELECT n, stamp FROM {table} WHERE {column} = ?1 AND at > ?2");
        let mut statement = store.main().prepare_cached(&sql)?;
        let found = statement.query_row(params![Sql(place), Sql(after)], |row| {
            Ok((row.get::<_, Sql<u64>>(0)?.0, row.get::<_, String>(1)?))
        });
        match found.optional()? {
            Some((n, noted)) if stands(store, &noted)? => Ok(Some(n)),
            _ => Ok(None),
        }
    }

    /// Notes up to which number it was left at a place, and of whom, beside those that were noted before where the looking
    /// went on from there.
    pub(crate) fn note(
        self,
        write: &Write<'_>,
        store: &Store,
        (place, n): (&InstanceId, u64),
        (origins, goes_on): (&BTreeSet<InstanceId>, bool),
        now: Timestamp,
    ) -> Result<()> {
        let (table, column) = self.table();
        let earlier = format!("SELECT stamp FROM {table} WHERE {column} = ?1");
        let mut statement = write.transaction.prepare_cached(&earlier)?;
        let earlier: Option<String> = statement
            .query_row([Sql(place)], |row| row.get(0))
            .optional()?;
        let noted = stamp(store, origins, earlier.as_deref().filter(|_| goes_on))?;
        let sql = format!(
            "INSERT INTO {table} ({column}, n, stamp, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT ({column}) DO UPDATE SET n = excluded.n, stamp = excluded.stamp, at = excluded.at"
        );
        write
            .transaction
            .execute(&sql, params![Sql(place), Sql(n), noted, Sql(now)])?;
        Ok(())
    }
}

/// The stamp of what was left of these; with those of an earlier one, where the looking went on from there.
fn stamp(store: &Store, origins: &BTreeSet<InstanceId>, earlier: Option<&str>) -> Result<String> {
    let mut all = origins.clone();
    match earlier.map(origins_in) {
        Some(None) => return of_anybody(store),
        Some(Some(earlier)) => all.extend(earlier),
        None => {}
    }
    if all.len() > STAMPED_MAX {
        return of_anybody(store);
    }
    of_these(store, &all)
}

/// Whether nothing changed since that would let something in that was left.
fn stands(store: &Store, stamp: &str) -> Result<bool> {
    let now = match origins_in(stamp) {
        Some(origins) => of_these(store, &origins)?,
        None => of_anybody(store)?,
    };
    Ok(now == stamp)
}

/// The origins that a stamp names; none where it is of anybody.
fn origins_in(stamp: &str) -> Option<BTreeSet<InstanceId>> {
    if stamp.starts_with(ANYBODY) {
        return None;
    }
    let parts = stamp.split_terminator(' ');
    parts
        .map(|part| part.split('=').next().and_then(|id| id.parse().ok()))
        .collect()
}

fn of_these(store: &Store, origins: &BTreeSet<InstanceId>) -> Result<String> {
    let sql = format!(
        "SELECT {STANDING} || '/' ||
           (SELECT count(*) FROM identity_entries e WHERE e.instance_no = i.instance_no)
         FROM instances i WHERE i.id = ?1"
    );
    let mut statement = store.main().prepare_cached(&sql)?;
    let mut stamp = String::new();
    for origin in origins {
        let stands: Option<String> = statement
            .query_row(params![Sql(origin)], |row| row.get(0))
            .optional()?;
        let stands = stands.as_deref().unwrap_or("unknown");
        write!(stamp, "{origin}={stands} ").expect("a text grows");
    }
    Ok(stamp)
}

fn of_anybody(store: &Store) -> Result<String> {
    let sql = format!(
        "SELECT (SELECT group_concat(instance_no) FROM
           (SELECT instance_no FROM instances i WHERE {IS_SHOWN} ORDER BY instance_no))
         || '/' || (SELECT count(*) FROM identity_entries)"
    );
    let stamp: Option<String> = store.main().query_row(&sql, [], |row| row.get(0))?;
    Ok(format!("{ANYBODY}{}", stamp.unwrap_or_default()))
}
