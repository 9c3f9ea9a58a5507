//! What a program that watches this node reads, in the text format of Prometheus (0.0.4).
//!
//! The same numbers as on the pages and in the commands, worked out when they are asked for. Names and
//! labels are documented in `docs/metrics.md`; they are kept as they are.

use std::fmt::Write as _;

use super::backups::backup_state;
use super::inbox::inbox_count;
use super::letters;
use super::peers::peers;
use crate::command::sync::VERIFY_FAILURES;
use crate::error::Result;
use crate::node::Node;
use crate::view::PeerView;

/// The states, in the order in which they are written.
const PHASES: [&str; 6] = ["idle", "syncing", "waiting", "held", "blocked", "failing"];

/// Everything.
///
/// # Errors
/// What the store reports.
pub fn metrics(node: &Node) -> Result<String> {
    let peers = peers(node)?;
    let mut text = String::new();
    let lag = |peer: &PeerView| peer.confirmed.lacks_records + peer.confirmed.lacks_retracts;
    gauge(
        &mut text,
        "wb_peer_lag_records",
        "Records and retractions that are sealed here and that the peer did not confirm.",
        peers.iter().map(|peer| (labels(peer, &[]), lag(peer))),
    );
    let success = peers.iter().filter_map(|peer| {
        let at = peer.last_synced?.unix_ms() / 1_000;
        Some((labels(peer, &[]), u64::try_from(at).unwrap_or(0)))
    });
    gauge(
        &mut text,
        "wb_peer_last_success_timestamp_seconds",
        "When a sync with the peer last ended well; absent before the first.",
        success,
    );
    let states = peers.iter().flat_map(|peer| {
        PHASES.map(|phase| {
            (
                labels(peer, &[("state", phase)]),
                u64::from(peer.phase == phase),
            )
        })
    });
    gauge(
        &mut text,
        "wb_peer_state",
        "1 for the state that the peer is in, 0 for the others.",
        states,
    );
    let failures = peers
        .iter()
        .map(|peer| (labels(peer, &[]), u64::from(peer.failures)));
    gauge(
        &mut text,
        "wb_peer_failures",
        "Syncs with the peer that failed since the last that ended well.",
        failures,
    );
    let doubts = peers
        .iter()
        .map(|peer| (labels(peer, &[]), peer.doubts.len() as u64));
    gauge(
        &mut text,
        "wb_peer_doubts",
        "Feeds of which the peer does not give what their origin signed.",
        doubts,
    );
    let whole = |n: u64| std::iter::once((String::new(), n));
    gauge(
        &mut text,
        "wb_outbox_records",
        "Records and retractions that wait for the peer that lacks most.",
        whole(peers.iter().map(lag).max().unwrap_or(0)),
    );
    gauge(
        &mut text,
        "wb_inbox_items",
        "Items of the inbox.",
        whole(inbox_count(node)?),
    );
    let letters = letters::outbox(node)?.into_iter();
    gauge(
        &mut text,
        "wb_letters_waiting",
        "Letters that wait for their receiver to say that it has them.",
        whole(letters.map(|(_, _, count)| count).sum()),
    );
    let backup = backup_state(node)?.last_good;
    let age_ms = backup.map(|row| node.now().unix_ms().saturating_sub(row.at.unix_ms()));
    let age = age_ms.map(|ms| (String::new(), u64::try_from(ms / 1_000).unwrap_or(0)));
    gauge(
        &mut text,
        "wb_backup_age_seconds",
        "How old the last good backup is; absent before the first.",
        age.into_iter(),
    );
    head(
        &mut text,
        "wb_verify_failures_total",
        "counter",
        "What came and did not verify, over the life of this folder.",
    );
    sample(
        &mut text,
        "wb_verify_failures_total",
        "",
        node.store.counter(VERIFY_FAILURES)?,
    );
    Ok(text)
}

fn gauge(text: &mut String, name: &str, help: &str, samples: impl Iterator<Item = (String, u64)>) {
    head(text, name, "gauge", help);
    for (labels, value) in samples {
        sample(text, name, &labels, value);
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(text: &mut String, name: &str, labels: &str, value: u64) {
    let _ = writeln!(text, "{name}{labels} {value}");
}

/// The labels of a peer: its name is what it says, its id is what it is.
fn labels(peer: &PeerView, more: &[(&str, &str)]) -> String {
    let id = peer.id.to_string();
    let own = [("peer", peer.name.as_str()), ("id", id.as_str())];
    let pairs: Vec<String> = own
        .iter()
        .chain(more)
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

/// A label's value: what would end it, or its line, is escaped.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            // A name of somebody else must not move a cursor in the log of whoever reads this.
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_name_cannot_end_its_label_or_its_line() {
        assert_eq!(
            escaped("a\"} 1\nwb_x 2\\\r"),
            "a\\\"} 1\\nwb_x 2\\\\\u{fffd}"
        );
    }
}
