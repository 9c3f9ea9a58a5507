//! Vouches one by one (spec: sync): made from the feeds that are carried, so that none is given that was taken back.

use std::collections::BTreeMap;

use wb_core::feed::Header;
use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::merkle;
use wb_core::sync::{VouchPlace, VouchesAsk, VouchesPage};
use wb_core::time::Timestamp;
use wb_core::trust::LoneVouch;

use crate::error::Result;
use crate::member::IS_SERVED;
use crate::tx::{Columns as _, Tx};
use crate::{identity, items};

/// The columns of an entry, as [`items::entry`] reads them.
const ENTRY: &str = "l.put, l.id, l.rev, l.kind, l.line_hash, l.drops, l.reason";

/// A page of the vouches that members issue, by issuer and record: at most so many, and ended after so many bytes.
pub(crate) fn page(
    tx: &Tx<'_>,
    ask: &VouchesAsk,
    limit: usize,
    bytes_max: usize,
    now: Timestamp,
) -> Result<VouchesPage> {
    // Each its own condition, so that there is an index for it.
    let issuer = ["$2::bytea IS NULL", "m.id = $2"][usize::from(ask.issuer.is_some())];
    let subject = ["$3::bytea IS NULL", "l.parent_origin = $3"][usize::from(ask.subject.is_some())];
    let sql = format!(
        "SELECT m.id, l.id, x.log_no, x.seq, x.line, x.idx IS NOT NULL, m.instance_no, h.line
         FROM listings l JOIN members m ON m.instance_no = l.instance_no
         JOIN lines x ON x.instance_no = l.instance_no AND x.line_no = l.line_no
         JOIN headers h ON h.instance_no = x.instance_no AND h.log_no = x.log_no AND h.seq = x.seq
         WHERE l.kind = 'vouch' AND {IS_SERVED} AND {issuer} AND {subject} AND x.line IS NOT NULL
           AND ($4::bytea IS NULL OR (m.id, l.id) > ($4, $5::bytea))
         ORDER BY m.id, l.id LIMIT $6"
    );
    let rows_max = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let of = |id: &Option<InstanceId>| id.map(|id| id.0.to_vec());
    let after = ask
        .after
        .map(|after| (after.issuer.0.to_vec(), after.id.as_bytes().to_vec()));
    let (after_issuer, after_id) = after.unzip();
    let rows = tx.rows(
        &sql,
        &[
            &now.unix_ms(),
            &of(&ask.issuer),
            &of(&ask.subject),
            &after_issuer,
            &after_id,
            &rows_max,
        ],
    )?;
    let mut made = VouchesPage {
        schema_version: 1,
        vouches: Vec::new(),
        unproved: 0,
        next: None,
    };
    let (mut logs, mut bytes, mut last) = (BTreeMap::new(), 0, None);
    for (n, row) in rows.iter().enumerate() {
        if n == limit || bytes >= bytes_max {
            made.next = last;
            break;
        }
        match lone(tx, row, &mut logs)? {
            Some(vouch) => {
                bytes += vouch.to_text().len();
                made.vouches.push(vouch);
            }
            None => made.unproved += 1,
        }
        last = Some(VouchPlace {
            issuer: row.instance(0)?,
            id: row.record(1)?,
        });
    }
    Ok(made)
}

/// A vouch with what signs it; none where the delta that put it is not here: the feed came by snapshot, or its header
/// was forgotten.
fn lone(
    tx: &Tx<'_>,
    row: &tokio_postgres::Row,
    logs: &mut BTreeMap<InstanceId, Option<IdentityLog>>,
) -> Result<Option<LoneVouch>> {
    let issuer = row.instance(0)?;
    let (is_of_delta, header): (bool, Option<&[u8]>) = (row.value(5)?, row.value(7)?);
    let Some(header) = header.filter(|_| is_of_delta) else {
        return Ok(None);
    };
    if let std::collections::btree_map::Entry::Vacant(place) = logs.entry(issuer) {
        place.insert(identity::load(tx, &issuer)?);
    }
    let Some(log) = &logs[&issuer] else {
        return Ok(None);
    };
    let sql = format!(
        "SELECT {ENTRY} FROM lines l WHERE l.instance_no = $1 AND l.log_no = $2 AND l.seq = $3 AND l.idx IS NOT NULL
         ORDER BY l.idx"
    );
    let place: (i64, i64, i64) = (row.value(6)?, row.value(2)?, row.value(3)?);
    let rows = tx.rows(&sql, &[&place.0, &place.1, &place.2])?;
    let entries = rows.iter().map(|row| Ok(items::entry(row)?.to_bytes()));
    let entries: Vec<Vec<u8>> = entries.collect::<Result<_>>()?;
    // The header was verified when it was taken; whether all of its entries are kept is told by its root.
    let is_whole =
        Header::read(header).is_ok_and(|(header, _)| merkle::root(&entries) == header.root);
    Ok(LoneVouch::new(log, header, &entries, row.value(4)?).filter(|_| is_whole))
}
