//! `wb key show`: which key speaks for this instance, where it lies, and how it came to that.

use wb_core::identity::{Entry, Op};

use crate::error::Result;
use crate::keys::form;
use crate::node::Node;
use crate::view::{KeyEntryView, KeyView, SCHEMA_VERSION};

/// Digits of a key in each group that people compare.
const GROUP: usize = 4;
/// Digits of a key that people compare.
const FINGERPRINT_DIGITS: usize = 32;

/// A key in groups that two people can read to each other.
#[must_use]
pub fn fingerprint(key: &wb_core::id::PublicKey) -> String {
    let digits: Vec<char> = key.to_string().chars().take(FINGERPRINT_DIGITS).collect();
    let groups = digits
        .chunks(GROUP)
        .map(|group| group.iter().collect::<String>());
    groups.collect::<Vec<_>>().join(" ")
}

/// The keys of this instance.
///
/// # Errors
/// What the store or the file of the key reports.
pub fn key(node: &Node) -> Result<KeyView> {
    let log = node.identity();
    let newest = log.newest();
    let home = node.store().home();
    let due = node.store().new_logs_due()?;
    Ok(KeyView {
        schema_version: SCHEMA_VERSION,
        id: log.id(),
        name: node.name().to_owned(),
        era: newest.position.era,
        n: newest.position.n,
        entry: newest.hash,
        key: newest.signing_key.to_string(),
        fingerprint: fingerprint(&newest.signing_key),
        file: home.signing_key().display().to_string(),
        form: form(home)?.as_str(),
        recovery: newest.recovery,
        new_log_due: due.first().map(|due| due.why.clone()),
        void_waiting: node.store().void_publications()?.len() as u64,
        void_taken_back: node.store().void_taken_back()?.len() as u64,
        void_returned: node.store().void_retracts()?,
        history: log.entries().iter().map(entry_view).collect(),
    })
}

fn entry_view(entry: &Entry) -> KeyEntryView {
    let (op, did) = match entry.op {
        Op::Found => ("found", "the instance was founded".to_owned()),
        Op::Rotate(_) => ("rotate", "a new key, signed by the one before".to_owned()),
        Op::Recover { .. } => (
            "recover",
            "taken back with the recovery words, which are new since".to_owned(),
        ),
    };
    let last = entry.heads().and_then(|heads| heads.public);
    let did = match last {
        Some(last) => format!("{did}; the keys before stop at publication {}", last.seq),
        None => did,
    };
    KeyEntryView {
        n: entry.position.n,
        era: entry.position.era,
        op,
        at: entry.at,
        hash: entry.hash,
        fingerprint: fingerprint(&entry.signing_key),
        did,
    }
}
