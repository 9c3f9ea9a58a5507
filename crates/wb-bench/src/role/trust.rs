//! Levels of many instances, worked out from vouches that look like those of people who know each other.

use std::collections::{BTreeMap, BTreeSet};

use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::Level;
use wb_core::time::Timestamp;
use wb_core::trust::{Ground, Vouched};

use super::Report;
use crate::clock::timed;
use crate::error::{BenchError, Result};
use crate::words::Dice;

/// Vouches of each instance: as many as count.
const VOUCHES_EACH: u64 = 20;
/// Instances that were approved by hand.
const APPROVED: u64 = 10;
/// When it is, in milliseconds since 1970.
const NOW_MS: i64 = 1_760_000_000_000;
const DAY_MS: i64 = 86_400_000;
/// What dice are thrown for here.
const FOR_VOUCHES: u64 = 11;

/// Works the levels of so many instances out, so many times, and the distances alone beside.
pub fn trust(instances: u64, times: u32) -> Result<Report> {
    let ground = ground(instances)?;
    let now = at(NOW_MS)?;
    let mut report = Report {
        records: ground.vouches.len() as u64,
        ..Report::default()
    };
    for _ in 0..times {
        let (levels, took) = timed(|| ground.levels(now));
        let (distances, walk) = timed(|| ground.distances(Level::Known, now));
        if levels.is_empty() || distances.is_empty() {
            return Err(BenchError::Wrong("nobody has a level".to_owned()));
        }
        report.samples_s.push(took.as_secs_f64());
        report.beside_s.push(walk.as_secs_f64());
    }
    Ok(report)
}

fn ground(instances: u64) -> Result<Ground> {
    let mut vouches = Vec::new();
    for issuer in 0..instances {
        let mut dice = Dice::new(FOR_VOUCHES, issuer, instances);
        for nth in 0..VOUCHES_EACH {
            // Most know who is near; some know somebody far away.
            let far = dice.below(4) == 0;
            let step = 1 + dice.below(if far { instances } else { VOUCHES_EACH * 2 });
            let level = match dice.below(10) {
                0 => Level::Steward,
                1..=5 => Level::Trusted,
                _ => Level::Known,
            };
            vouches.push(Vouched {
                id: record(issuer * VOUCHES_EACH + nth)?,
                issuer: instance(issuer),
                subject: instance((issuer + step) % instances),
                level,
                issued_at: at(NOW_MS - DAY_MS)?,
                expires_at: at(NOW_MS + 300 * DAY_MS)?,
                feed_valid_until: None,
            });
        }
    }
    let approved: BTreeMap<InstanceId, Level> = (0..APPROVED.min(instances))
        .map(|nth| {
            let spread = nth * instances / APPROVED.min(instances);
            (instance(spread), Level::Steward)
        })
        .collect();
    Ok(Ground {
        me: instance(u64::MAX),
        approved,
        refused: BTreeSet::new(),
        vouches,
        secret: [9; 32],
    })
}

fn instance(index: u64) -> InstanceId {
    let bytes: [u8; 8] = index.to_be_bytes();
    InstanceId(wb_core::hash::sha256(&bytes).0)
}

fn record(index: u64) -> Result<RecordId> {
    let mut entropy = [0; 10];
    entropy[..8].copy_from_slice(&index.to_be_bytes());
    Ok(RecordId::new(at(NOW_MS)?, entropy))
}

fn at(unix_ms: i64) -> Result<Timestamp> {
    Timestamp::from_unix_ms(unix_ms)
        .ok_or_else(|| BenchError::Wrong(format!("{unix_ms} is no time")))
}
