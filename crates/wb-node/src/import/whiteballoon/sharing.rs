//! What of the public rows of a file leaves with the next publish, and why the rest stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wb_core::id::RecordId;
use wb_core::leave::Stays;

use crate::plan::Whole;

/// Kinds that an import brings and that can leave.
const KINDS: [&str; 5] = ["user", "request", "status", "comment", "invite"];

/// Rows of one kind that are public in the file. `leaves` and all of `stays` together are
/// `public_in_file`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sharing {
    /// The kind.
    pub kind: &'static str,
    /// Rows that are public in the file and could be read; of `status` the completed requests.
    pub public_in_file: u64,
    /// Those that are public here: they left already, or leave with the next publish.
    pub leaves: u64,
    /// Those that stay home, by cause: those of the spec (records, what may leave), and `draft`,
    /// `no_author`, `too_long`, `bad_text`, `not_moved`.
    pub stays: BTreeMap<&'static str, u64>,
}

/// A row that is public in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicRow {
    /// The kind it becomes.
    pub kind: &'static str,
    /// The record it becomes, if it moves.
    pub id: Option<RecordId>,
    /// Why the import keeps it private, or why it is no record.
    pub why: Option<&'static str>,
}

/// Counts the public rows by what the plan says of their records.
pub(super) fn count(whole: &Whole, public: &[PublicRow]) -> Vec<Sharing> {
    let puts = whole.plan.puts.iter().map(|put| put.leaving.id());
    let leaves: BTreeSet<RecordId> = puts
        .chain(whole.unchanged.iter().map(|(id, _)| *id))
        .collect();
    let stays: BTreeMap<RecordId, Stays> = whole
        .stays
        .iter()
        .map(|stay| (stay.id, stay.cause))
        .collect();
    let mut counts = KINDS.map(|kind| Sharing {
        kind,
        public_in_file: 0,
        leaves: 0,
        stays: BTreeMap::new(),
    });
    for row in public {
        let count = counts.iter_mut().find(|count| count.kind == row.kind);
        let count = count.expect("public rows become records of kinds that can leave");
        count.public_in_file += 1;
        if row.id.is_some_and(|id| leaves.contains(&id)) {
            count.leaves += 1;
            continue;
        }
        let stay = row.id.and_then(|id| stays.get(&id));
        let cause = match (stay, row.why) {
            // The import's own reason says more than that it is private.
            (None | Some(Stays::ScopePrivate | Stays::BodyUnfit), Some(why)) => why,
            (Some(stay), _) => stay.as_str(),
            (None, None) => "not_moved",
        };
        *count.stays.entry(cause).or_default() += 1;
    }
    counts.to_vec()
}
