//! The check of a hub's file: a sound one says so, and each thing that is damaged is found and named.

use rusqlite::Connection;
use wb_store::Finding;

use super::harbour::{Harbour, later};
use crate::origin::{Do, Origin, now};

/// A hub with two feeds, revisions and retracts, a follow list, and arrivals of every kind of which
/// the first are forgotten.
fn harbour() -> Harbour {
    let (mut north, mut south) = (Origin::new(1), Origin::new(2));
    let mut harbour = Harbour::with(&[&north, &south]);
    harbour.publish(&mut north, &[Do::Put(1), Do::Put(2)]);
    harbour.publish(&mut south, &[Do::Put(1)]);
    harbour
        .write(|write| write.forget_before(3))
        .expect("a change");
    harbour.publish(&mut north, &[Do::Put(1), Do::Comment(3)]);
    harbour.publish(&mut north, &[Do::Retract(2), Do::Put(4)]);
    harbour.publish(&mut south, &[Do::Put(2)]);
    harbour.stand(&south.id(), wb_core::sync::Standing::Suspended, Some(now()));
    harbour
        .write(|write| write.end_suspensions(later(1)))
        .expect("a change");
    harbour
}

/// What is wrong, with the check that says so.
fn problems(harbour: &Harbour) -> Vec<(&'static str, String)> {
    let findings = harbour.relay.check().expect("a check");
    let told = |finding: Finding| {
        let check = finding.check;
        finding.problems.into_iter().map(move |what| (check, what))
    };
    findings.into_iter().flat_map(told).collect()
}

#[test]
fn a_sound_hub_says_so_and_says_what_was_looked_at() {
    let harbour = harbour();
    assert_eq!(problems(&harbour), []);
    let findings = harbour.relay.check().expect("a check");
    let looked_at: Vec<_> = findings
        .iter()
        .skip(1)
        .map(|finding| (finding.check, finding.looked_at))
        .collect();
    assert_eq!(
        looked_at,
        [
            ("hub: identity logs", 2),
            ("hub: header chains", 5),
            ("hub: lines", 5),
            ("hub: live sets", 2),
            // Seven and two of the suspension, without the three that were forgotten.
            ("hub: arrivals", 6),
            ("hub: what arrived", 6),
            ("hub: public feeds only", 5),
            ("hub: members", 2),
            ("hub: withheld lines", 0),
        ]
    );
    assert!(findings[0].looked_at > 0);
}

/// SQL that changes the tenth byte of a blob.
fn flip(column: &str) -> String {
    format!(
        "{column} = CAST(substr({column}, 1, 9) || CASE substr({column}, 10, 1) WHEN x'00' THEN x'01' ELSE x'00' END
           || substr({column}, 11) AS BLOB)"
    )
}

/// Damages a hub's file, and asserts which check names it.
fn damaged(sql: &str, check: &str) {
    let harbour = harbour();
    let file = Connection::open(harbour.path()).expect("the file");
    let changed = file.execute(sql, []).expect("a change");
    assert!(changed > 0, "{sql}");
    let problems = problems(&harbour);
    assert!(
        problems.iter().any(|(found, _)| *found == check),
        "{sql}: {problems:?}"
    );
}

#[test]
fn one_damaged_byte_is_found_and_named() {
    let of_heads = "(log_no, seq) IN (SELECT log_no, seq FROM feeds)";
    let first_member = "id = (SELECT min(id) FROM members)";
    let cases = [
        (
            "identity_entries",
            "line",
            "branch = 0",
            "hub: identity logs",
        ),
        ("headers", "hash", of_heads, "hub: header chains"),
        ("headers", "body_hash", of_heads, "hub: header chains"),
        ("headers", "line", of_heads, "hub: header chains"),
        ("feeds", "hash", "1", "hub: header chains"),
        ("feeds", "live", "1", "hub: live sets"),
        ("feed_lines", "line", "live = 1", "hub: lines"),
        ("feed_lines", "line_hash", "live = 1", "hub: live sets"),
        ("feed_lines", "id", "op = 'retract'", "hub: what arrived"),
        ("arrivals", "running", "n = 5", "hub: arrivals"),
        ("arrivals", "hash", "n = 5", "hub: what arrived"),
        ("members", "id", first_member, "hub: members"),
    ];
    for (table, column, rows, check) in cases {
        damaged(
            &format!("UPDATE {table} SET {} WHERE {rows}", flip(column)),
            check,
        );
    }
}

#[test]
fn numbers_and_words_that_were_changed_are_found_and_named() {
    let last = "(SELECT max(n) FROM arrivals)";
    damaged(
        &format!("UPDATE arrivals SET n = n + 1 WHERE n = {last}"),
        "hub: arrivals",
    );
    damaged(
        "UPDATE arrivals SET kind = 'again' WHERE n = 5",
        "hub: arrivals",
    );
    damaged(
        "UPDATE meta SET value = '2' WHERE key = 'floor_n'",
        "hub: arrivals",
    );
    damaged("UPDATE feeds SET live_n = live_n + 1", "hub: live sets");
    damaged(
        "UPDATE feed_lines SET live = 0 WHERE line IS NOT NULL",
        "hub: lines",
    );
    damaged(
        "UPDATE logs SET scope = 'trusted_peers'",
        "hub: public feeds only",
    );
    damaged(
        "UPDATE feeds SET scope = 'trusted_peers'",
        "hub: public feeds only",
    );
    damaged("UPDATE members SET follows_ids = x'00'", "hub: members");
}

#[test]
fn a_head_with_a_forged_signature_is_named_as_such() {
    let harbour = harbour();
    let file = Connection::open(harbour.path()).expect("the file");
    // One digit of the signature, which stands at the beginning of the line.
    let sql = "UPDATE headers SET line = CAST(substr(line, 1, 40)
                 || CASE substr(line, 41, 1) WHEN CAST('a' AS BLOB) THEN 'b' ELSE 'a' END
                 || substr(line, 42) AS BLOB)
               WHERE line IS NOT NULL";
    assert!(file.execute(sql, []).expect("a change") > 2);
    let told = problems(&harbour);
    let forged = |(check, what): &&(&str, String)| {
        *check == "hub: header chains"
            && what.ends_with("does not have the signature of its instance")
    };
    assert_eq!(told.iter().filter(forged).count(), 2, "{told:?}");
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn a_missing_arrival_or_header_is_named() {
    let harbour = harbour();
    let file = Connection::open(harbour.path()).expect("the file");
    file.execute("DELETE FROM arrivals WHERE n = 5", [])
        .expect("a change");
    let told = problems(&harbour);
    assert!(told.contains(&(
        "hub: arrivals",
        "arrival 6 comes after arrival 4, and between them there should be none".to_owned()
    )));
    file.execute("DELETE FROM headers WHERE seq = 1", [])
        .expect("a change");
    let told = problems(&harbour);
    assert!(told.contains(&(
        "hub: what arrived",
        "arrival 7 names a header that is not here".to_owned()
    )));
}

#[test]
fn a_file_that_sqlite_finds_broken_is_told_and_the_other_checks_go_on() {
    let harbour = harbour();
    let file = Connection::open(harbour.path()).expect("the file");
    // An index that does not know a row.
    file.execute_batch(
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX members_standing ON members (standing, name)'
         WHERE name = 'members_standing';",
    )
    .expect("a change");
    drop(file);
    let relay = wb_store::relay::Relay::existing(&harbour.path()).expect("a file");
    let findings = relay.check().expect("a check");
    assert_eq!(findings[0].check, "hub file");
    assert!(!findings[0].problems.is_empty());
    assert!(findings[5].problems.is_empty());
}
