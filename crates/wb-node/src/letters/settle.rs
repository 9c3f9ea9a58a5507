//! What letters lead to beside being read: redemptions are counted and heard of, and what was made of a letter is erased
//! once whoever wrote it asked for that.
//!
//! The letter itself is gone when that is taken; here the record that it was published as is taken back. Repeating it
//! changes nothing, so a crash in between is finished with the next sync.

use wb_core::entry::Reason;
use wb_core::id::RecordId;
use wb_core::leave::Life;
use wb_core::time::Timestamp;
use wb_store::{AuditRow, LetterIn, NO_WORDS, Write};

use super::redeem::settle_redemptions;
use crate::error::{NodeError, Result};
use crate::node::Node;

/// Does what is due.
///
/// # Errors
/// What the store reports.
pub(crate) fn settle(node: &Node) -> Result<()> {
    settle_redemptions(node)?;
    crate::offers::settle(node)?;
    take_back_made(node)
}

/// Takes back what was made of letters whose authors asked for that.
fn take_back_made(node: &Node) -> Result<()> {
    let due = node.store.private().letters_erasing()?;
    if due.is_empty() {
        if node.store.has_to_empty_logs()? {
            node.store.empty_logs()?;
        }
        return Ok(());
    }
    let now = node.now();
    node.store.note_erasing()?;
    let write = node.store.write_in_sight()?;
    for id in due.iter().filter_map(|letter| letter.published) {
        erase_published(node, &write, &id, now)?;
    }
    write.commit()?;
    node.store.private().together(|private| {
        for letter in due {
            let Some(held) = private.letter_in(&letter.origin, &letter.thread)? else {
                continue;
            };
            private.put_letter_in(&LetterIn {
                state: "erased".to_owned(),
                published: None,
                owes: true,
                ..held
            })?;
            private.audit(&AuditRow {
                at: now,
                actor: None,
                act: "letter erase".to_owned(),
                target: letter.thread.to_string(),
                detail: format!("asked by {}", letter.origin.short()),
            })?;
        }
        Ok::<_, NodeError>(())
    })?;
    node.store.empty_logs()?;
    Ok(())
}

/// Erases the record that a letter was published as, and takes it back from wherever it went.
pub(crate) fn erase_published(
    node: &Node,
    write: &Write<'_>,
    id: &RecordId,
    now: Timestamp,
) -> Result<()> {
    let Some(mut record) = write.local(id)? else {
        return Ok(());
    };
    if record.life == Life::Deleted {
        return Ok(());
    }
    NO_WORDS.clone_into(&mut record.body);
    record.life = Life::Deleted;
    record.at = now;
    record.edit += 1;
    write.erase_void(id)?;
    write.put_local(&record)?;
    if !node.store.sealed(id)?.is_empty() {
        write.put_retract_reason(id, Reason::Erase)?;
    }
    Ok(())
}
