//! `identity.json`: one log offered to a reader, and the makers of its entries.

use serde_json::Value;
use wb_core::id::Hash;
use wb_core::identity::{
    Entry, Heads, IdentityError, IdentityLog, Merge, Recovery, VerifiedLogs, found, recover, rotate,
};
use wb_core::rule::Rule;
use wb_core::signed::Signer;
use zeroize::Zeroizing;

use crate::histories::Subject as _;
use crate::naive::{Follower, Outcome};
use crate::subject::InMemory;
use crate::vectors::{cases, file, outcome_of, report, texts};

fn run(answer: impl Fn(&Value) -> Outcome) {
    let vectors = file("identity.json");
    let mut findings = Vec::new();
    for (name, case) in cases(&vectors) {
        let (answer, expected) = (answer(case), outcome_of(case));
        if answer != expected {
            findings.push(format!("{name}: expected {expected:?}, got {answer:?}"));
        }
    }
    report(&findings);
}

#[test]
fn the_naive_follower_agrees_with_the_vectors_of_identity() {
    run(|case| {
        let mut follower = Follower::new(&["public"]);
        if !case["known"].is_null() {
            follower.identity(&texts(&case["known"]));
        }
        follower.identity_of(&texts(&case["offered"]), case["id"].as_str())
    });
}

#[test]
fn wb_core_agrees_with_the_vectors_of_identity() {
    run(|case| {
        let mut reader = InMemory::new(&["public"]);
        if !case["known"].is_null() {
            reader.identity(&texts(&case["known"]));
        }
        let answer = reader.identity_of(&texts(&case["offered"]), case["id"].as_str());
        answer.unwrap_or_else(|error| {
            let at = case["entry"].as_u64().map(usize::try_from);
            assert_eq!(at, Some(Ok(error.entry)), "{}", case["name"]);
            Outcome::refused(error.rule.as_str())
        })
    });
}

/// A log that was verified is given again for the same bytes, and for nothing else.
#[test]
fn a_log_is_remembered_by_all_that_it_is_made_of() {
    let (remembered, nothing) = (VerifiedLogs::new(), Vec::<String>::new());
    let vectors = file("identity.json");
    let mut logs = 0;
    for (name, case) in cases(&vectors) {
        let lines = texts(&case["offered"]);
        let Ok(log) = IdentityLog::verify(None, &lines) else {
            continue;
        };
        logs += 1;
        let id = log.id();
        let stored = |lines: &[String], void| remembered.stored(id, lines, void, &nothing);
        for _ in 0..2 {
            assert_eq!(stored(&lines, Vec::new()).as_ref(), Ok(&log), "{name}");
        }
        let fewer = &lines[..lines.len() - 1];
        let of_fewer = IdentityLog::verify(Some(id), fewer);
        assert_eq!(stored(fewer, Vec::new()), of_fewer, "{name}");
        for nth in 0..lines.len() {
            let mut damaged = lines.clone();
            // The first digit of its signature.
            let at = r#"{"signature":""#.len();
            let other = if &lines[nth][at..=at] == "0" {
                "1"
            } else {
                "0"
            };
            damaged[nth].replace_range(at..=at, other);
            assert!(stored(&damaged, Vec::new()).is_err(), "{name}: entry {nth}");
        }
        let void = vec![wb_core::hash::sha256(b"void")];
        let with_void = stored(&lines, void.clone()).expect("a good log");
        assert_eq!(with_void.void(), void, "{name}");
        let other = wb_core::id::InstanceId([7; 32]);
        let of_other = remembered.stored(other, &lines, Vec::new(), &nothing);
        assert!(of_other.is_err(), "{name}");
        let beside = remembered.stored(id, fewer, Vec::new(), &lines);
        let verified = of_fewer.and_then(|log| log.with_history(Vec::new(), &lines));
        assert_eq!(beside, verified, "{name}: beside");
    }
    assert!(logs > 5, "{logs}");
}

/// The key that the vectors know by a name.
fn key(name: &str) -> Signer {
    let seed = wb_core::hash::sha256(format!("wb vectors key {name}").as_bytes());
    Signer::from_seed(&Zeroizing::new(seed.0))
}

fn commitment(name: &str) -> Hash {
    wb_core::hash::recovery_commitment(&key(name).public_key())
}

/// The log of a vector.
fn log_of(name: &str) -> IdentityLog {
    let vectors = file("identity.json");
    let mut cases = cases(&vectors).into_iter();
    let (_, case) = cases.find(|(found, _)| *found == name).expect("a case");
    IdentityLog::verify(None, &texts(&case["offered"])).expect("a good log")
}

fn heads_of(entry: &Entry) -> Heads {
    *entry.heads().expect("an entry that lists heads")
}

/// A whole life, made again: every entry is the very line of the vectors.
#[test]
fn the_makers_write_the_lines_of_the_vectors() {
    let wanted = log_of("long_life");
    let entries = wanted.entries();
    let line = found(&key("alice"), commitment("alice words"), entries[0].at);
    let mut log = IdentityLog::verify(None, &[line]).expect("a good founding");
    let steps: [(&str, &str, Option<&str>); 5] = [
        ("alice", "alice 2", None),
        ("alice 2", "alice 3", None),
        ("alice words", "alice new", Some("alice new words")),
        ("alice new", "alice new 2", None),
        ("alice new words", "alice newer", Some("alice newer words")),
    ];
    for ((signer, next, words), entry) in steps.into_iter().zip(&entries[1..]) {
        let (signer, signing_key) = (key(signer), key(next).public_key());
        let (heads, at) = (heads_of(entry), entry.at);
        let newest = log.newest().hash;
        log = match words {
            None => rotate(&log, &signer, signing_key, heads, at),
            Some(words) => {
                let recovery = Recovery {
                    words: &signer,
                    signing_key,
                    recovery: commitment(words),
                    heads,
                    at,
                };
                recover(&log, &newest, &recovery).expect("an entry of the log")
            }
        }
        .expect("a good entry");
    }
    assert_eq!(log, wanted);
}

#[test]
fn a_recovery_continues_from_the_entry_it_names_and_voids_what_followed() {
    let thief = log_of("rotate");
    let recovery = Recovery {
        words: &key("alice words"),
        signing_key: key("alice new").public_key(),
        recovery: commitment("alice new words"),
        heads: Heads::default(),
        at: thief.newest().at,
    };
    let first = thief.entries()[0].hash;
    let recovered = recover(&thief, &first, &recovery)
        .expect("an entry of the log")
        .expect("a good recovery");
    assert_eq!(recovered.entries().len(), 2);
    let (merge, held) = thief.offer(&recovered);
    assert_eq!(merge, Merge::Replace);
    assert_eq!(held.void(), [thief.newest().hash]);
    assert!(recover(&recovered, &thief.newest().hash, &recovery).is_none());
}

/// What a maker is asked for and does not hold is an error, never an entry.
#[test]
fn the_makers_refuse_other_keys_and_old_words() {
    let log = log_of("recover");
    let (next, at) = (key("alice 3").public_key(), log.newest().at);
    let rule = |made: Result<IdentityLog, IdentityError>| made.map(|_| ()).map_err(|e| e.rule);
    let old_key = rotate(&log, &key("alice"), next, Heads::default(), at);
    assert_eq!(rule(old_key), Err(Rule::BadSignature));
    let recovered = |words: &str, new: &str| {
        let recovery = Recovery {
            words: &key(words),
            signing_key: next,
            recovery: commitment(new),
            heads: Heads::default(),
            at,
        };
        rule(recover(&log, &log.newest().hash, &recovery).expect("an entry of the log"))
    };
    assert_eq!(
        recovered("alice words", "alice newer words"),
        Err(Rule::RecoveryNotCommitted)
    );
    assert_eq!(
        recovered("alice new words", "alice new words"),
        Err(Rule::RecoveryReused)
    );
    assert_eq!(recovered("alice new words", "alice newer words"), Ok(()));
}
