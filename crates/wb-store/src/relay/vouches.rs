//! Vouches one by one (spec: sync): made from the feeds that are carried, so that none is given that was taken back.

use rusqlite::params;
use wb_core::id::{InstanceId, RecordId};
use wb_core::sync::{VouchPlace, VouchesAsk, VouchesPage};
use wb_core::time::Timestamp;

use super::file::Relay;
use super::member::IS_SERVED;
use crate::error::Result;
use crate::feeds::{Lone, Served};
use crate::instances::KnownIdentity;
use crate::sql::Sql;

impl Relay {
    /// A page of the vouches that members issue, by issuer and record: at most so many, and ended after so many bytes.
    ///
    /// # Errors
    /// What the database reports.
    pub fn vouches(
        &self,
        ask: &VouchesAsk,
        limit: usize,
        bytes_max: usize,
        now: Timestamp,
    ) -> Result<VouchesPage> {
        self.at_one_moment(|connection| {
            // Each its own condition, so that there is an index for it.
            let issuer = ["?2 IS NULL", "m.id = ?2"][usize::from(ask.issuer.is_some())];
            let subject =
                ["?3 IS NULL", "l.parent_origin = ?3"][usize::from(ask.subject.is_some())];
            let sql = format!(
                "SELECT m.id, l.id FROM listings l JOIN members m ON m.instance_no = l.instance_no
                 WHERE l.kind = 'vouch' AND {IS_SERVED} AND {issuer} AND {subject}
                   AND (?4 IS NULL OR m.id > ?4 OR (m.id = ?4 AND l.id > ?5))
                 ORDER BY m.id, l.id LIMIT ?6"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(
                params![
                    Sql(now),
                    ask.issuer.map(Sql),
                    ask.subject.map(Sql),
                    ask.after.map(|after| Sql(after.issuer)),
                    ask.after.map(|after| Sql(after.id)),
                    Sql(limit as u64 + 1),
                ],
                |row| {
                    Ok(VouchPlace {
                        issuer: row.get::<_, Sql<InstanceId>>(0)?.0,
                        id: row.get::<_, Sql<RecordId>>(1)?.0,
                    })
                },
            )?;
            let places: Vec<VouchPlace> = rows.collect::<rusqlite::Result<_>>()?;
            let (served, known) = (Served::new(connection), KnownIdentity::default());
            let (mut vouches, mut unproved, mut bytes) = (Vec::new(), 0, 0);
            let (mut last, mut next) = (None, None);
            for (n, place) in places.into_iter().enumerate() {
                if n == limit || bytes >= bytes_max {
                    next = last;
                    break;
                }
                match served.lone_vouch_of(&known, &place.issuer, &place.id)? {
                    Lone::Vouch(vouch) => {
                        bytes += vouch.to_text().len();
                        vouches.push(*vouch);
                    }
                    Lone::Unproved => unproved += 1,
                    Lone::None => {}
                }
                last = Some(place);
            }
            Ok(VouchesPage {
                schema_version: 1,
                vouches,
                unproved,
                next,
            })
        })
    }
}
