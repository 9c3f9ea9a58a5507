//! What nobody gives back: the trusted feed, and who may read it.
//!
//! A copy may be from before a record was taken back or erased, and from before somebody was removed. Others hold the
//! trusted feed sealed to them alone, so nobody is asked; what this copy would share there is private until its author
//! says so again, and who was in its audience is asked about again.

use wb_core::leave::Life;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{Belongs, LocalRecord};

use super::reconcile::{CameBack, told};
use crate::error::Result;
use crate::node::Node;
use crate::query::peers::label;

/// Makes private what goes to the trusted audience. Returns who is in it.
///
/// # Errors
/// What the store reports.
pub(super) fn doubt_trusted(
    node: &Node,
    came: &mut CameBack,
    now: Timestamp,
) -> Result<Vec<String>> {
    let write = node.store.write_in_sight()?;
    let mut doubtful: Vec<LocalRecord> = Vec::new();
    node.store.each_local(|record| -> Result<()> {
        let is_trusted = record.scope.min(record.ceiling) == Scope::TrustedPeers;
        if is_trusted && record.life == Life::Active {
            doubtful.push(record);
        }
        Ok(())
    })?;
    for mut record in doubtful {
        let is_known = came.private.iter().any(|told| told.id == record.id);
        if !is_known {
            came.private_unsure += 1;
            came.private
                .push(told(record.kind.as_str(), record.id, &record.body));
        }
        record.scope = Scope::Private;
        record.at = now;
        record.edit += 1;
        write.put_local(&record)?;
    }
    write.commit()?;
    let known = node.store.instances()?;
    let mut names = Vec::new();
    for row in node.store.audience()? {
        if matches!(row.belongs, Belongs::In | Belongs::Unsure) {
            let named = known.iter().find(|known| known.id == row.member);
            let name = named.and_then(|known| known.name.clone());
            names.push(label(&name.unwrap_or_default(), &row.member));
        }
    }
    Ok(names)
}
