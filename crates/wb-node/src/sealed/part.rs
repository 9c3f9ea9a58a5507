//! Parting: who was removed from the audience is given the empty beginning of the next log, and no more.
//!
//! By the rules of feeds nothing of the trusted feed is live there any more, and its lines are erased. It is asked
//! until it said that it has that: what is lost on the way, expires, or was signed with a key that was replaced is
//! sealed once more.

use wb_core::id::InstanceId;
use wb_core::limits::ENVELOPE_RECIPIENTS_MAX;
use wb_core::scope::FeedScope;
use wb_core::sealed::Purpose;
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_store::{AudienceRow, Belongs, Write};

use super::content::{Given, snapshot};
use super::keys::{LASTS_MS, follow_card};
use super::prepare::{PART, Recipients, seal_to};
use crate::error::Result;
use crate::node::Node;

/// Seals the empty log that was just opened to everybody who is leaving, and to those who parted and did not say that
/// they have it. Called in the transaction that opened it, before anything is put into it.
pub(crate) fn part(node: &Node, write: &Write<'_>, signer: &Signer, now: Timestamp) -> Result<()> {
    let served = node.store.served();
    let head = served.head(&node.own_id(), FeedScope::TrustedPeers)?;
    let content = match &head {
        Some(head) => match snapshot(served, head, None)? {
            Given::Pieces(pieces) => pieces.into_iter().next().map(|piece| piece.content),
            Given::Nothing | Given::TooLarge => None,
        },
        None => None,
    };
    let mut leaving = Vec::new();
    for row in node.store.audience()? {
        if !matches!(row.belongs, Belongs::Leaving | Belongs::Parted) {
            continue;
        }
        if !row.had || content.is_none() {
            write.drop_audience(&row.member)?;
            continue;
        }
        leaving.push(AudienceRow {
            belongs: Belongs::Parted,
            given: head.clone(),
            parting: content.clone(),
            ..row
        });
    }
    ask(node, write, signer, leaving, now)
}

/// Seals what takes everything back to those who parted, where that did not come.
pub(super) fn ask_again(
    node: &Node,
    write: &Write<'_>,
    signer: &Signer,
    parted: Vec<AudienceRow>,
    now: Timestamp,
) -> Result<u64> {
    // Each is asked with what was the beginning of the log then.
    let count = parted.len() as u64;
    for row in parted {
        ask(node, write, signer, vec![row], now)?;
    }
    Ok(count)
}

/// Whether somebody who parted has to be asked once more.
pub(super) fn is_due(row: &AudienceRow, now: Timestamp) -> bool {
    let is_over = row
        .given_at
        .is_some_and(|at| now.unix_ms().saturating_sub(at.unix_ms()) > LASTS_MS);
    row.belongs == Belongs::Parted && (row.whole || is_over)
}

/// Seals one content to all of these, and notes that it was.
fn ask(
    node: &Node,
    write: &Write<'_>,
    signer: &Signer,
    mut rows: Vec<AudienceRow>,
    now: Timestamp,
) -> Result<()> {
    for row in &mut rows {
        // The key it had is better than none: what is sealed says that nothing is there.
        follow_card(node, row, now)?;
        row.whole = false;
        row.given_at = Some(now);
        write.outdone_for(&row.member, PART)?;
        write.put_audience(row)?;
    }
    for rows in rows.chunks(ENVELOPE_RECIPIENTS_MAX) {
        let Some(content) = rows.first().and_then(|row| row.parting.as_deref()) else {
            continue;
        };
        let ids: Vec<InstanceId> = rows.iter().map(|row| row.member).collect();
        let to = Recipients {
            audience: &ids.clone(),
            ids,
            keys: rows.iter().map(|row| row.sealing_key.clone()).collect(),
            waits_as: PART,
        };
        seal_to(
            node,
            write,
            signer,
            &to,
            (Purpose::Feed, None, content),
            now,
        )?;
    }
    Ok(())
}
