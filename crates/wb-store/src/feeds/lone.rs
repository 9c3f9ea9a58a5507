//! A vouch taken out of its feed, with what signs it (spec: trust, a vouch alone).

use rusqlite::{OptionalExtension as _, params};
use wb_core::feed::Header;
use wb_core::id::{InstanceId, RecordId};
use wb_core::merkle;
use wb_core::trust::LoneVouch;

use super::serve::{Served, read_entry};
use crate::error::Result;
use crate::instances::KnownIdentity;
use crate::sql::Sql;

/// What there is of a vouch alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lone {
    /// It stands here and can be proved.
    Vouch(Box<LoneVouch>),
    /// It is live here, and the delta that put it is not: the feed came by snapshot, or its header was forgotten.
    Unproved,
    /// No such vouch is live in the public feed.
    None,
}

impl Served<'_> {
    /// A vouch that is live in the public feed of its issuer, alone.
    ///
    /// # Errors
    /// What the database reports.
    pub fn lone_vouch(&self, issuer: &InstanceId, id: &RecordId) -> Result<Lone> {
        self.lone_vouch_of(&KnownIdentity::default(), issuer, id)
    }

    /// The same among others: the log of an issuer is verified once for those of it that come one after the other.
    pub(crate) fn lone_vouch_of(
        &self,
        known: &KnownIdentity,
        issuer: &InstanceId,
        id: &RecordId,
    ) -> Result<Lone> {
        let sql = "SELECT x.log_no, x.seq, x.line, x.idx IS NOT NULL FROM feed_lines x JOIN feeds f USING (feed_no)
                   JOIN instances i USING (instance_no)
                   WHERE x.id = ?2 AND i.id = ?1 AND f.scope = 'public' AND x.live = 1 AND x.void = 0
                     AND x.kind = 'vouch' AND x.line IS NOT NULL";
        let mut statement = self.connection().prepare_cached(sql)?;
        let row = statement.query_row(params![Sql(issuer), Sql(id)], |row| {
            let place: (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok((place, row.get::<_, Vec<u8>>(2)?, row.get::<_, bool>(3)?))
        });
        let Some(((log_no, seq), line, is_of_delta)) = row.optional()? else {
            return Ok(Lone::None);
        };
        if !is_of_delta {
            return Ok(Lone::Unproved);
        }
        let sql = "SELECT line FROM headers WHERE log_no = ?1 AND seq = ?2";
        let header: Option<Option<Vec<u8>>> = self
            .connection()
            .prepare_cached(sql)?
            .query_row([log_no, seq], |row| row.get(0))
            .optional()?;
        let log = known.log(self.connection(), issuer)?;
        let (Some(header), Some(log)) = (header.flatten(), log) else {
            return Ok(Lone::Unproved);
        };
        let entries = self.entries(log_no, seq)?;
        // The header was verified when it was taken; whether all of its entries are kept is told by its root.
        let is_whole =
            Header::read(&header).is_ok_and(|(header, _)| merkle::root(&entries) == header.root);
        let lone = LoneVouch::new(&log, &header, &entries, &line).filter(|_| is_whole);
        Ok(lone.map_or(Lone::Unproved, |lone| Lone::Vouch(Box::new(lone))))
    }

    /// The entries of a delta, in order, as far as they are kept.
    fn entries(&self, log_no: i64, seq: i64) -> Result<Vec<Vec<u8>>> {
        let sql = "SELECT op, id, rev, kind, line_hash, drops, reason FROM feed_lines
                   WHERE log_no = ?1 AND seq = ?2 AND idx IS NOT NULL ORDER BY idx";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query([log_no, seq])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(read_entry(row)?.to_bytes());
        }
        Ok(entries)
    }
}
