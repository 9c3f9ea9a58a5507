//! Whose turn it is: two running copies of one instance are told from each other (spec: sync, turn).
//!
//! Each sync hands a token from the caller's folder to the other side and gets the next. A copy of the folder
//! still has the token before: who comes with one that is not the latest is another copy. Pure, so that a hub
//! and a node keep the same rule.

use serde::{Deserialize, Serialize};

use crate::id::Token;
use crate::json::{object_only, text_only};
use crate::time::Timestamp;
use crate::want::Held;

/// Copies remembered of one instance; protects the disk of whoever keeps turns.
pub const TURN_COPIES_MAX: usize = 16;
/// Turns remembered that a copy took before its last: a call that comes late or again is known by them.
pub const TURNS_PASSED_MAX: usize = 64;
/// Bytes of the name of a machine; protects whoever shows it.
pub const MACHINE_BYTES_MAX: usize = 64;

/// A token, and how many came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Turn {
    /// How many turns were taken with this peer: one restored from an older copy is told by it.
    pub n: u64,
    /// 16 random bytes.
    pub token: Token,
}

/// What a caller says at the beginning of a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct TurnCall {
    /// 1.
    pub schema_version: u32,
    /// The turn it had last here; none before the first.
    pub was: Option<Turn>,
    /// The turn it takes now; the same one again until an answer came.
    pub now: Turn,
    /// The name of its machine, for people.
    pub machine: String,
    /// Whether it was settled by its operator: every other copy ends.
    pub settles: bool,
    /// Turns it took there before `was`, the newest last: whoever is an older copy itself learns of them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<Token>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum TurnOutcome {
    /// The caller is the one copy.
    Yours,
    /// Two copies run: neither may publish until one is settled.
    TwoCopies,
    /// Another copy was settled: this one ended.
    SettledElsewhere,
}

text_only!(TurnOutcome);

/// Another copy, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct OtherCopy {
    /// The name of its machine.
    pub machine: String,
    /// When it was last here.
    pub at: Timestamp,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct TurnAnswer {
    /// 1.
    pub schema_version: u32,
    /// What came of it.
    pub outcome: TurnOutcome,
    /// The number of the caller's turn as it is kept here.
    pub n: u64,
    /// The other copy, where there is one.
    pub other: Option<OtherCopy>,
    /// Heads held of the caller's own feeds.
    pub own: Vec<Held>,
}

object_only!(Turn, TurnCall, OtherCopy, TurnAnswer);

/// Where a copy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyStanding {
    /// It came last, and nothing speaks against it.
    Latest,
    /// It came beside the latest.
    Beside,
    /// Another was settled.
    Ended,
}

impl CopyStanding {
    /// The word in a database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Latest => "latest",
            Self::Beside => "beside",
            Self::Ended => "ended",
        }
    }
}

impl std::str::FromStr for CopyStanding {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "latest" => Ok(Self::Latest),
            "beside" => Ok(Self::Beside),
            "ended" => Ok(Self::Ended),
            _ => Err(()),
        }
    }
}

/// A copy of an instance as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyRow {
    /// Its latest turn.
    pub turn: Turn,
    /// The name of its machine.
    pub machine: String,
    /// When it was last here.
    pub at: Timestamp,
    /// Where it stands.
    pub standing: CopyStanding,
    /// The turns it took before, the newest last.
    pub passed: Vec<Token>,
}

impl CopyRow {
    fn told(&self) -> OtherCopy {
        OtherCopy {
            machine: self.machine.clone(),
            at: self.at,
        }
    }
}

/// What a call leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What is remembered from now on, the newest first.
    pub rows: Vec<CopyRow>,
    /// What is answered.
    pub outcome: TurnOutcome,
    /// The other copy.
    pub other: Option<OtherCopy>,
    /// The number of the caller's turn.
    pub n: u64,
}

/// Decides about a call.
#[must_use]
pub fn take(rows: &[CopyRow], call: &TurnCall, now: Timestamp) -> Taken {
    let is_caller = |row: &CopyRow| {
        row.turn.token == call.now.token || call.was.is_some_and(|was| was.token == row.turn.token)
    };
    let mine = rows.iter().find(|row| is_caller(row));
    let latest = rows.iter().find(|row| row.standing == CopyStanding::Latest);
    // A call that was heard before and comes again, from whoever recorded it, changes nothing.
    if let Some(heard) = rows.iter().find(|row| was_heard(row, call)) {
        return Taken {
            rows: rows.to_vec(),
            outcome: match heard.standing {
                CopyStanding::Latest => TurnOutcome::Yours,
                CopyStanding::Beside => TurnOutcome::TwoCopies,
                CopyStanding::Ended => TurnOutcome::SettledElsewhere,
            },
            other: latest
                .filter(|latest| latest.turn != heard.turn)
                .map(CopyRow::told),
            n: call.now.n,
        };
    }
    let passed = || passed(mine, call);
    let row = |n: u64, standing| CopyRow {
        turn: Turn { n, ..call.now },
        machine: call.machine.clone(),
        at: now,
        standing,
        passed: passed(),
    };
    let others = || rows.iter().filter(|row| !is_caller(row)).cloned();
    if call.settles {
        let is_again = latest.is_some_and(|latest| latest.turn.token == call.now.token);
        let highest = rows.iter().map(|row| row.turn.n).max().unwrap_or(0);
        let n = match latest {
            Some(latest) if is_again => latest.turn.n,
            _ => call.now.n.max(highest.saturating_add(1)),
        };
        let ended = others().map(|row| CopyRow {
            standing: CopyStanding::Ended,
            ..row
        });
        let rows = std::iter::once(row(n, CopyStanding::Latest)).chain(ended);
        return Taken {
            rows: rows.take(TURN_COPIES_MAX).collect(),
            outcome: TurnOutcome::Yours,
            other: None,
            n,
        };
    }
    if let Some(mine) = mine.filter(|mine| mine.standing == CopyStanding::Ended) {
        return Taken {
            rows: rows.to_vec(),
            outcome: TurnOutcome::SettledElsewhere,
            other: latest.map(CopyRow::told),
            n: mine.turn.n,
        };
    }
    let beside = rows
        .iter()
        .find(|row| row.standing == CopyStanding::Beside && !is_caller(row));
    let is_latest = latest.is_some_and(is_caller);
    // Whoever counts further than what is known here comes to a peer that is an older copy itself.
    let is_older_here = latest.is_some_and(|latest| {
        call.was.is_some_and(|was| was.n > latest.turn.n) && beside.is_none() && mine.is_none()
    });
    if latest.is_none() || (is_latest && beside.is_none()) || is_older_here {
        let ended = others().filter(|row| row.standing == CopyStanding::Ended);
        let rows = std::iter::once(row(call.now.n, CopyStanding::Latest)).chain(ended);
        return Taken {
            rows: rows.take(TURN_COPIES_MAX).collect(),
            outcome: TurnOutcome::Yours,
            other: None,
            n: call.now.n,
        };
    }
    // Two copies: the caller keeps the turn it had, so that each is known again.
    let had = call.was.unwrap_or(call.now);
    let standing = if is_latest {
        CopyStanding::Latest
    } else {
        CopyStanding::Beside
    };
    let kept = CopyRow {
        turn: mine.map_or(had, |mine| mine.turn),
        passed: mine.map_or_else(Vec::new, |mine| mine.passed.clone()),
        ..row(had.n, standing)
    };
    let other = if is_latest { beside } else { latest };
    Taken {
        n: kept.turn.n,
        other: other.map(CopyRow::told),
        rows: bounded(std::iter::once(kept).chain(others()).collect()),
        outcome: TurnOutcome::TwoCopies,
    }
}

/// The turns that a copy took before the one it takes now: what is known here, and before that what the caller
/// says, because whoever answers may be an older copy itself.
fn passed(mine: Option<&CopyRow>, call: &TurnCall) -> Vec<Token> {
    let known = mine.map_or_else(Vec::new, |mine| {
        let last = std::iter::once(mine.turn.token);
        let known = mine.passed.iter().copied().chain(last);
        known.collect()
    });
    let said = call.passed.iter().copied();
    let said = said.chain(call.was.map(|was| was.token));
    let mut passed: Vec<Token> = said.filter(|token| !known.contains(token)).collect();
    passed.extend(known);
    passed.retain(|token| *token != call.now.token);
    let surplus = passed.len().saturating_sub(TURNS_PASSED_MAX);
    passed.split_off(surplus)
}

/// Whether a call is one that a copy made before its last turn, or made when it was not yet ended.
fn was_heard(row: &CopyRow, call: &TurnCall) -> bool {
    let is_last = row.turn.token == call.now.token;
    row.passed.contains(&call.now.token) || (is_last && row.standing == CopyStanding::Ended)
}

/// No more than the limit; the latest is never among those forgotten, because it is what tells the others.
fn bounded(mut rows: Vec<CopyRow>) -> Vec<CopyRow> {
    rows.sort_by_key(|row| row.standing != CopyStanding::Latest);
    rows.truncate(TURN_COPIES_MAX);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_760_000_000_000 + seconds * 1_000).unwrap()
    }

    fn turn(n: u64, byte: u8) -> Turn {
        Turn {
            n,
            token: Token([byte; 16]),
        }
    }

    /// A folder, and what it would do at the beginning of a sync.
    #[derive(Clone)]
    struct Folder {
        machine: &'static str,
        was: Option<Turn>,
        next: u8,
        passed: Vec<Token>,
    }

    impl Folder {
        fn new(machine: &'static str, next: u8) -> Self {
            Self {
                machine,
                was: None,
                next,
                passed: Vec::new(),
            }
        }

        fn call(&self) -> TurnCall {
            TurnCall {
                schema_version: 1,
                was: self.was,
                now: turn(self.was.map_or(1, |was| was.n + 1), self.next),
                machine: self.machine.to_owned(),
                settles: false,
                passed: self.passed.clone(),
            }
        }

        fn comes(&mut self, rows: &mut Vec<CopyRow>, settles: bool, now: i64) -> TurnOutcome {
            let call = TurnCall {
                settles,
                ..self.call()
            };
            let taken = take(rows, &call, at(now));
            // The same call again says the same.
            let again = take(&taken.rows, &call, at(now));
            assert_eq!((again.outcome, again.n), (taken.outcome, taken.n));
            assert_eq!(again.rows, taken.rows);
            *rows = taken.rows;
            if taken.outcome == TurnOutcome::Yours {
                self.passed.extend(self.was.map(|was| was.token));
                self.was = Some(Turn {
                    n: taken.n,
                    ..call.now
                });
                self.next += 1;
            }
            taken.outcome
        }
    }

    #[test]
    fn one_copy_takes_turn_after_turn() {
        let (mut rows, mut north) = (Vec::new(), Folder::new("north", 1));
        for now in 0..50 {
            assert_eq!(north.comes(&mut rows, false, now), TurnOutcome::Yours);
        }
        assert_eq!(rows.len(), 1);
    }

    #[test]
    fn of_two_copies_both_are_told_until_one_is_settled_and_the_other_stays_ended() {
        use TurnOutcome::{SettledElsewhere, TwoCopies, Yours};
        let (mut rows, mut first) = (Vec::new(), Folder::new("first", 1));
        first.comes(&mut rows, false, 0);
        let mut second = Folder {
            machine: "second",
            next: 100,
            ..first.clone()
        };
        assert_eq!(second.comes(&mut rows, false, 1), Yours, "it came first");
        assert_eq!(first.comes(&mut rows, false, 2), TwoCopies);
        assert_eq!(second.comes(&mut rows, false, 3), TwoCopies);
        assert_eq!(first.comes(&mut rows, false, 4), TwoCopies);
        let told = take(&rows, &first.call(), at(5)).other.unwrap();
        assert_eq!((told.machine.as_str(), told.at), ("second", at(3)));
        let told = take(&rows, &second.call(), at(5)).other.unwrap();
        assert_eq!((told.machine.as_str(), told.at), ("first", at(4)));
        assert_eq!(first.comes(&mut rows, true, 6), Yours);
        assert_eq!(second.comes(&mut rows, false, 7), SettledElsewhere);
        assert_eq!(first.comes(&mut rows, false, 8), Yours);
        // A third copy of the first folder is noticed all the same.
        let mut third = Folder {
            machine: "third",
            next: 200,
            ..first.clone()
        };
        first.comes(&mut rows, false, 9);
        assert_eq!(third.comes(&mut rows, false, 10), TwoCopies);
        // And the one that ended may be settled instead.
        assert_eq!(second.comes(&mut rows, true, 11), Yours);
        assert_eq!(first.comes(&mut rows, false, 12), SettledElsewhere);
        assert_eq!(third.comes(&mut rows, false, 13), SettledElsewhere);
        assert_eq!(second.comes(&mut rows, false, 14), Yours);
    }

    #[test]
    fn a_copy_that_was_restored_without_its_turns_ends_the_old_machine_when_it_is_settled() {
        use TurnOutcome::{SettledElsewhere, TwoCopies, Yours};
        let (mut rows, mut old) = (Vec::new(), Folder::new("old", 1));
        for now in 0..30 {
            old.comes(&mut rows, false, now);
        }
        let mut restored = Folder::new("restored", 100);
        assert_eq!(restored.comes(&mut rows, false, 31), TwoCopies);
        assert_eq!(restored.comes(&mut rows, true, 32), Yours);
        assert_eq!(old.comes(&mut rows, false, 33), SettledElsewhere);
        assert_eq!(restored.comes(&mut rows, false, 34), Yours);
    }

    #[test]
    fn a_peer_that_is_an_older_copy_itself_makes_nobody_two() {
        let (mut rows, mut north) = (Vec::new(), Folder::new("north", 1));
        for now in 0..5 {
            north.comes(&mut rows, false, now);
        }
        let older = rows.clone();
        for now in 5..10 {
            north.comes(&mut rows, false, now);
        }
        rows = older;
        assert_eq!(north.comes(&mut rows, false, 11), TurnOutcome::Yours);
        rows.clear();
        assert_eq!(north.comes(&mut rows, false, 12), TurnOutcome::Yours);
    }

    #[test]
    fn a_call_recorded_before_a_peer_became_an_older_copy_makes_nobody_two() {
        use TurnOutcome::{TwoCopies, Yours};
        let (mut rows, mut north) = (Vec::new(), Folder::new("north", 1));
        north.comes(&mut rows, false, 0);
        let older = rows.clone();
        // Another copy of the folder, as it was then.
        let mut second = Folder {
            machine: "second",
            next: 100,
            ..north.clone()
        };
        let mut recorded = Vec::new();
        for now in 1..6 {
            recorded.push(north.call());
            north.comes(&mut rows, false, now);
        }
        for comes_first in [false, true] {
            let (mut rows, mut north) = (older.clone(), north.clone());
            if comes_first {
                assert_eq!(north.comes(&mut rows, false, 10), Yours);
            }
            // In whatever order they come again, from whoever recorded them.
            for call in recorded.iter().rev().chain(&recorded) {
                let taken = take(&rows, call, at(11));
                assert_eq!(taken.outcome, Yours, "{} of {comes_first}", call.now.n);
                rows = taken.rows;
            }
            assert_eq!(north.comes(&mut rows, false, 12), Yours);
            // A copy that really runs is told all the same.
            assert_eq!(second.comes(&mut rows, false, 13), TwoCopies);
            assert_eq!(north.comes(&mut rows, false, 14), TwoCopies);
            let known = rows.iter().map(|row| row.passed.len());
            assert!(known.max() <= Some(TURNS_PASSED_MAX));
        }
    }

    #[test]
    fn a_call_that_was_recorded_and_comes_again_makes_nobody_two_and_settles_nothing() {
        use TurnOutcome::{SettledElsewhere, Yours};
        let (mut rows, mut first) = (Vec::new(), Folder::new("first", 1));
        let mut recorded = Vec::new();
        for now in 0..5 {
            recorded.push(first.call());
            first.comes(&mut rows, now == 3, now);
        }
        recorded[3].settles = true;
        for call in &recorded {
            // At the time of its last.
            let taken = take(&rows, call, at(4));
            assert_eq!((taken.outcome, &taken.rows), (Yours, &rows));
        }
        // Neither once another copy was settled.
        let mut second = Folder::new("second", 100);
        assert_eq!(second.comes(&mut rows, true, 10), Yours);
        for call in &recorded {
            let taken = take(&rows, call, at(11));
            assert_eq!((taken.outcome, &taken.rows), (SettledElsewhere, &rows));
        }
        assert_eq!(second.comes(&mut rows, false, 12), Yours);
    }

    #[test]
    fn no_more_copies_are_remembered_than_the_limit() {
        let (mut rows, mut north) = (Vec::new(), Folder::new("north", 1));
        north.comes(&mut rows, false, 0);
        for byte in 20..80 {
            let mut copy = Folder::new("copy", byte);
            copy.comes(&mut rows, false, 1);
        }
        assert_eq!(rows.len(), TURN_COPIES_MAX);
        assert_eq!(north.comes(&mut rows, false, 2), TurnOutcome::TwoCopies);
    }
}
