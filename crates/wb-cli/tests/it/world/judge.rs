//! What was found where, held against the table.

use std::collections::{BTreeMap, BTreeSet};

use super::canaries::{ALL, Reach, Zone, word};
use super::places::Place;
use crate::canary::needles::{Needle, Searcher};

/// Every word of the table in each place: none where it may not be, each where it has to be.
#[track_caller]
pub fn judge(when: &str, places: &[Place], reach_of: impl Fn(usize) -> Reach) {
    let needles: Vec<Needle> = ALL
        .iter()
        .map(|canary| Needle::text(canary.of, &word(canary.of)))
        .collect();
    let searcher = Searcher::new(&needles);
    let number: BTreeMap<&str, usize> = ALL
        .iter()
        .enumerate()
        .map(|(n, canary)| (canary.of, n))
        .collect();
    let (mut wrong, mut found) = (Vec::new(), BTreeSet::new());
    for place in places {
        for hit in searcher.find(&place.bytes) {
            let row = number[hit.label.as_str()];
            found.insert((row, place.zone));
            if !reach_of(row).may.contains(&place.zone) {
                wrong.push(format!(
                    "“{}” is in {} ({})",
                    hit.label, place.name, hit.form
                ));
            }
        }
    }
    for (row, canary) in ALL.iter().enumerate() {
        for zone in reach_of(row).must {
            if !found.contains(&(row, *zone)) {
                wrong.push(format!(
                    "“{}” is not found in {zone:?}, where it has to be",
                    canary.of
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{when}: {} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Of every word of the table: it is nowhere where it may not be. Where it has to be is not asked.
#[track_caller]
pub fn within(when: &str, places: &[Place], reach_of: impl Fn(usize) -> Reach) {
    judge(when, places, |row| Reach {
        must: &[],
        ..reach_of(row)
    });
}

/// Of some secrets nothing is in any of these zones.
#[track_caller]
pub fn nowhere<'n>(
    what: &str,
    needles: impl IntoIterator<Item = &'n Needle>,
    places: &[Place],
    zones: &[Zone],
) {
    let searcher = Searcher::new(needles);
    let mut wrong = Vec::new();
    for place in places.iter().filter(|place| zones.contains(&place.zone)) {
        for hit in searcher.find(&place.bytes) {
            wrong.push(format!("{} is in {} ({})", hit.label, place.name, hit.form));
        }
    }
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}
