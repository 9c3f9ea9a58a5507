//! What would be published now, and why the rest stays home.
//!
//! The preview and the publishing itself both run [`plan`], so the list shown is the list sealed.
//! Every decision is `may_leave`'s; its arguments are gathered in `gather`. What nothing happened to since it was worked out
//! last is not looked at again (`changed`); [`whole`] looks at everything, and says the same (ADR 0066).

mod changed;
mod gather;

use std::collections::BTreeMap;

use wb_core::entry::Reason;
use wb_core::id::RecordId;
use wb_core::leave::{self, Leaving, Stays};
use wb_core::scope::{FeedScope, Scope};
use wb_core::time::Timestamp;
use wb_store::{LogDue, NewLog};

use self::changed::Looked;
pub use self::changed::disagreement;
pub(crate) use self::changed::{answered, is_to_be_kept, keep, settle};
pub(crate) use self::gather::Reaches;
pub use self::gather::reach;
use self::gather::{Gather, Verdict};
use crate::error::{NodeError, Result};
use crate::node::Node;

/// Kinds that an instance writes itself (spec: records, `by`). A member says where a request stands; the instance
/// does where the value shown is said anew.
pub(crate) const SPEAKS_ITSELF: [&str; 5] = ["card", "vouch", "helper", "status", "notice"];

/// A revision to seal.
#[derive(Debug)]
pub struct Put {
    /// What leaves.
    pub leaving: Leaving,
    /// Its revision.
    pub rev: u64,
    /// The local change it stands for.
    pub edit: u64,
    /// Whether the record was in this feed before.
    pub is_new: bool,
}

/// A record to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retract {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// The feed.
    pub scope: FeedScope,
    /// Why, for the receivers.
    pub reason: Reason,
    /// The revision taken back.
    pub rev: u64,
    /// What keeps it home now; none when it moves to another feed.
    pub cause: Option<Stays>,
}

/// A record that stays home although its author would share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: String,
    /// Why.
    pub cause: Stays,
    /// The scope its author chose.
    pub scope: Scope,
}

/// How many records stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Published already and unchanged.
    pub unchanged: u64,
    /// Kept home, by cause; private ones included.
    pub stays: BTreeMap<Stays, u64>,
}

/// What would be published.
#[derive(Debug, Default)]
pub struct Plan {
    /// Revisions to seal, in the order they are sealed.
    pub puts: Vec<Put>,
    /// Records to take back, ordered by id.
    pub retracts: Vec<Retract>,
    /// New logs that are opened by it, also where there is nothing else to seal.
    pub new_logs: Vec<LogDue>,
    /// How many records stay as they are.
    pub tally: Tally,
    /// What was looked at, to be kept with what is sealed.
    looked: Looked,
}

impl Plan {
    /// Whether there is nothing to seal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.retracts.is_empty() && self.new_logs.is_empty()
    }

    /// How many records were looked at to make it.
    #[must_use]
    pub fn looked_at(&self) -> usize {
        self.looked.at
    }

    /// The new log that a feed is to go on in.
    #[must_use]
    pub fn opens(&self, scope: FeedScope) -> Option<NewLog> {
        opens(&self.new_logs, scope)
    }

    /// In the order in which it is sealed and shown, whatever was looked at first.
    fn sort(&mut self) {
        self.puts
            .sort_by_key(|put| (rank(put.leaving.kind().as_str()), put.leaving.id()));
        self.retracts.sort_by_key(|retract| retract.id);
    }
}

/// What would be published, and of each other record why not.
#[derive(Debug, Default)]
pub struct Whole {
    /// What would be published.
    pub plan: Plan,
    /// Records already published and unchanged: id and kind.
    pub unchanged: Vec<(RecordId, String)>,
    /// Records that stay home, with the cause; private ones included.
    pub stays: Vec<Stay>,
}

/// Works out what would be published now, from what changed.
///
/// # Errors
/// What the store reports.
pub fn plan(node: &Node, now: Timestamp) -> Result<Plan> {
    let plan = changed::plan(node, now)?;
    // Builds for development hold each plan against one of everything: so does every test.
    #[cfg(debug_assertions)]
    if let Some(differs) = disagreement(node, now)? {
        panic!("{differs}");
    }
    Ok(plan)
}

/// The same from everything, with a list of what stays as it is.
///
/// # Errors
/// What the store reports.
pub fn whole(node: &Node, now: Timestamp) -> Result<Whole> {
    let gather = Gather::new(node, now, node.store.new_logs_due()?)?;
    let mut whole = Whole::default();
    node.store.each_local(|record| -> Result<()> {
        let verdict = gather.verdict(&record)?;
        whole.plan.tally.count(&verdict);
        let Verdict {
            put,
            retracts,
            stay,
            is_unchanged,
            ..
        } = verdict;
        whole.plan.puts.extend(put);
        whole.plan.retracts.extend(retracts);
        whole.stays.extend(stay);
        if is_unchanged {
            whole.unchanged.push((record.id, record.kind.to_string()));
        }
        Ok(())
    })?;
    whole.plan.new_logs = gather.new_logs;
    whole.plan.sort();
    Ok(whole)
}

impl Tally {
    fn count(&mut self, verdict: &Verdict) {
        self.unchanged += u64::from(verdict.is_unchanged);
        if let Some(stay) = &verdict.stay {
            *self.stays.entry(stay.cause).or_default() += 1;
        }
    }
}

fn opens(new_logs: &[LogDue], scope: FeedScope) -> Option<NewLog> {
    let due = new_logs.iter().find(|due| due.scope == scope);
    due.map(|due| due.opens)
}

/// The order within a publish: profiles, then requests, then what refers to them.
pub(crate) fn rank(kind: &str) -> u8 {
    match kind {
        "user" => 0,
        "request" => 1,
        _ => 2,
    }
}

/// A short text that tells people which record is meant: its title, or the start of its text.
#[must_use]
pub fn headline(kind: &str, body: &str) -> String {
    const CHARS_MAX: usize = 60;
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let text = |key: &str| {
        value
            .get(key)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let found = match kind {
        "user" => {
            let name = text("display_name");
            if name.is_empty() {
                text("handle")
            } else {
                name
            }
        }
        "request" | "skill" => text("title"),
        "comment" => text("body"),
        "status" => text("to"),
        "card" => text("name"),
        "invite" => text("suggested_handle"),
        "vouch" => text("basis"),
        "notice" => text("reason"),
        _ => String::new(),
    };
    let line = found.lines().next().unwrap_or_default();
    if line.chars().count() > CHARS_MAX {
        line.chars().take(CHARS_MAX - 1).chain(['…']).collect()
    } else {
        line.to_owned()
    }
}

impl From<leave::Stays> for NodeError {
    fn from(cause: Stays) -> Self {
        Self::Refused(format!("it stays home: {}", cause.sentence()))
    }
}
