//! Parting: who was removed from the audience is given the empty beginning of the next log, and no more.
//!
//! By the rules of feeds nothing of the trusted feed is live there any more, and its lines are erased. It is asked
//! until it said that it has that: what is lost on the way, expires, or was signed with a key that was replaced is
//! sealed once more.

use wb_core::id::InstanceId;
use wb_core::scope::FeedScope;
use wb_core::sealed::Purpose;
use wb_core::signed::Signer;
use wb_core::time::Timestamp;
use wb_store::{AudienceRow, Belongs, Write};

use super::content::{Given, snapshot};
use super::keys::follow_card;
use super::prepare::{PART, Recipients, SealedUp, is_over, seal, seal_to};
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
    for row in node.store.audience()? {
        if !matches!(row.belongs, Belongs::Leaving | Belongs::Parted) {
            continue;
        }
        if !row.had || content.is_none() {
            write.drop_audience(&row.member)?;
            continue;
        }
        let leaving = AudienceRow {
            belongs: Belongs::Parted,
            given: head.clone(),
            parting: content.clone(),
            ..row
        };
        ask(node, write, signer, leaving, now)?;
    }
    Ok(())
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
        ask(node, write, signer, row, now)?;
    }
    Ok(count)
}

/// Whether somebody who parted has to be asked once more.
pub(super) fn is_due(row: &AudienceRow, waits: bool, now: Timestamp) -> bool {
    row.belongs == Belongs::Parted && (row.whole || !waits && is_over(row, now))
}

/// Seals what takes everything back to one, and notes that it was. Each gets an envelope of its own, so nobody sees who
/// else was removed.
fn ask(
    node: &Node,
    write: &Write<'_>,
    signer: &Signer,
    mut row: AudienceRow,
    now: Timestamp,
) -> Result<()> {
    // The key it had is better than none: what is sealed says that nothing is there.
    follow_card(node, &mut row, now)?;
    row.whole = false;
    row.given_at = Some(now);
    write.outdone_for(&row.member, PART)?;
    write.put_audience(&row)?;
    let Some(content) = row.parting.as_deref() else {
        return Ok(());
    };
    let audience = [row.member];
    let what = (Purpose::Feed, None, content);
    seal_to(node, write, signer, &to(&audience, &row), what, now)
}

/// What takes everything back from one who parted, sealed for a file that somebody carries to it.
pub(super) fn carried(
    node: &Node,
    signer: &Signer,
    row: &AudienceRow,
    now: Timestamp,
) -> Result<Option<SealedUp>> {
    let Some(content) = row.parting.as_deref() else {
        return Ok(None);
    };
    let audience = [row.member];
    let what = (Purpose::Feed, None, content);
    seal(node, signer, &to(&audience, row), what, now).map(Some)
}

fn to<'a>(audience: &'a [InstanceId], row: &AudienceRow) -> Recipients<'a> {
    Recipients {
        audience,
        ids: vec![row.member],
        keys: vec![row.sealing_key.clone()],
        waits_as: PART,
    }
}
