//! Taking an envelope: the outside, the seal, the inside, and what it holds, each by its rules. It counts as a whole
//! or not at all.

use wb_core::bundle::Driver;
use wb_core::id::{Hash, InstanceId};
use wb_core::ndjson::lines;
use wb_core::rule::Rule;
use wb_core::scope::FeedScope;
use wb_core::sealed::{Envelope, Purpose, Sealed};
use wb_core::time::Timestamp;
use wb_store::{Belongs, Changed, Road, RunStart, Standing};

use super::crypt;
use super::want::take_want;
use crate::direct::quota::Quota;
use crate::error::Result;
use crate::import::sink::StoreSink;
use crate::node::Node;

/// By whom and by which road envelopes come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coming<'a> {
    /// Who gives them.
    pub peer: InstanceId,
    /// On which road.
    pub road: Road,
    /// The address or folder.
    pub detail: &'a str,
    /// The run that goes on already.
    pub run_no: Option<i64>,
    /// When it began.
    pub started: Timestamp,
}

/// What came of an envelope.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It was taken.
    New {
        /// What changed.
        changed: Vec<Changed>,
        /// The run by which it came.
        run_no: Option<i64>,
        /// Whether it brought something of a feed.
        is_feed: bool,
    },
    /// It came before.
    Known,
    /// It stays where it is, and its origin is not accepted here or has a key that is not known yet.
    Left(InstanceId),
    /// It stays where it is until there is room, or a newer program.
    Waits,
    /// It breaks a rule, and nothing of it counts.
    Refused(Rule),
}

/// Takes an envelope in a transaction of its own.
///
/// # Errors
/// What the store reports; then it is as if it had not come.
pub(crate) fn take(node: &Node, line: &[u8], body: &[u8], coming: Coming<'_>) -> Result<Taken> {
    let now = node.now();
    let (envelope, unverified) = match Envelope::read(line) {
        Ok(read) => read,
        Err(rule) => return Ok(Taken::Refused(rule)),
    };
    let origin = envelope.origin;
    if origin == node.own_id() || envelope.recipients.binary_search(&node.own_id()).is_err() {
        return Ok(Taken::Refused(Rule::NotInAudience));
    }
    match node.store.standing(&origin)? {
        Some(standing) if standing.is_accepted() => {}
        // Who is refused here fills nothing, neither here nor where it waits.
        Some(Standing::Blocked) => {
            hear_parted(node, line, body, &envelope)?;
            return Ok(Taken::Known);
        }
        _ => return Ok(Taken::Left(origin)),
    }
    let Some(log) = node.store.identity_log(&origin)? else {
        return Ok(Taken::Left(origin));
    };
    let Some(entry) = log.entry(&envelope.identity) else {
        // Its key may be one that comes with the next pull.
        return Ok(Taken::Left(origin));
    };
    if node.store.has_envelope(&origin, &envelope.hash)? {
        return Ok(Taken::Known);
    }
    let envelope = match Envelope::verify(line, body, &log, now) {
        Ok(envelope) => envelope,
        Err(rule) => {
            // Whoever carries it may have made it up: nothing is done for the sake of what nobody signed.
            let is_theirs = unverified.verify(&entry.signing_key).is_ok();
            if is_theirs {
                // Sealed before its origin changed its key, over, or broken on the way: it is asked to seal again what
                // is missing.
                let write = node.store.write_in_sight()?;
                write.owe_want(&origin, true)?;
                write.commit()?;
            }
            return Ok(Taken::Refused(rule));
        }
    };
    let secrets = node.store.private().sealing_secrets()?;
    let opened = crypt::open(body, &secrets);
    let plain = match opened {
        Ok(plain) => plain,
        Err(rule) => return refuse(node, &envelope, rule, now),
    };
    let (purpose, content) = match Sealed::open(&plain, &envelope, &log, &node.own_id()) {
        Ok((_, purpose, content)) => (purpose, content),
        Err(Rule::UnknownPurpose) => return Ok(Taken::Waits),
        Err(rule) => return refuse(node, &envelope, rule, now),
    };
    match purpose {
        Purpose::Feed => take_feed(node, &envelope, content, coming, now),
        Purpose::Want => {
            let write = node.store.write_in_sight()?;
            if let Err(rule) = take_want(node, &write, origin, content, now)? {
                drop(write);
                return refuse(node, &envelope, rule, now);
            }
            write.note_envelope(&envelope.hash, &origin, (now, envelope.expires), None)?;
            write.commit()?;
            Ok(Taken::New {
                changed: Vec::new(),
                run_no: coming.run_no,
                is_feed: false,
            })
        }
    }
}

/// Hears from somebody who is refused here one thing: that it erased what it had, which it was asked to. Otherwise it
/// would be asked for ever.
fn hear_parted(node: &Node, line: &[u8], body: &[u8], outside: &Envelope) -> Result<()> {
    let (origin, now) = (outside.origin, node.now());
    let row = node.store.in_audience(&origin)?;
    if row.is_none_or(|row| row.belongs != Belongs::Parted) {
        return Ok(());
    }
    let Some(log) = node.store.identity_log(&origin)? else {
        return Ok(());
    };
    let Ok(envelope) = Envelope::verify(line, body, &log, now) else {
        return Ok(());
    };
    let secrets = node.store.private().sealing_secrets()?;
    let Ok(plain) = crypt::open(body, &secrets) else {
        return Ok(());
    };
    let opened = Sealed::open(&plain, &envelope, &log, &node.own_id());
    if let Ok((_, Purpose::Want, content)) = opened {
        let write = node.store.write_in_sight()?;
        // What it says that breaks a rule says nothing.
        if take_want(node, &write, origin, content, now)?.is_ok() {
            write.commit()?;
        }
    }
    Ok(())
}

/// Notes that an envelope of its origin breaks a rule, so that it is looked at once.
fn refuse(node: &Node, envelope: &Envelope, rule: Rule, now: Timestamp) -> Result<Taken> {
    let write = node.store.write_in_sight()?;
    let times = (now, envelope.expires);
    write.note_envelope(&envelope.hash, &envelope.origin, times, Some(rule.as_str()))?;
    // Whoever sealed it is told what is here, and seals again what is missing.
    write.owe_want(&envelope.origin, true)?;
    write.commit()?;
    Ok(Taken::Refused(rule))
}

fn take_feed(
    node: &Node,
    envelope: &Envelope,
    content: &[u8],
    coming: Coming<'_>,
    now: Timestamp,
) -> Result<Taken> {
    let origin = envelope.origin;
    let write = node.store.write_in_sight()?;
    write.remember_shown()?;
    let run_no = match coming.run_no {
        Some(run_no) => run_no,
        None => write.start_run(&RunStart {
            // A file comes from whoever carried it.
            peer: (coming.road != Road::Bundle).then_some(coming.peer),
            road: coming.road,
            detail: coming.detail,
            at: coming.started,
        })?,
    };
    let quota = Quota::begin(&write, origin)?;
    let mut sink = StoreSink::new(&write, node.own_id(), now);
    sink.run_no = Some(run_no);
    sink.trusted_of = Some(origin);
    let mut driver = Driver::sections();
    for line in lines(content) {
        driver.push(line, &mut sink)?;
    }
    driver.cut_off(&mut sink)?;
    let refused = match (driver.finish(), driver.feeds()) {
        (Err(error), _) => Some(error.rule),
        (Ok(()), [feed]) if sink.origins.is_empty() => {
            let is_theirs = (feed.origin, feed.scope) == (origin, FeedScope::TrustedPeers);
            feed.rule.or((!is_theirs).then_some(Rule::SealedContent))
        }
        (Ok(()), _) => Some(Rule::SealedContent),
    };
    if let Some(rule) = refused {
        drop(write);
        return refuse(node, envelope, rule, now);
    }
    if quota.check(&write)?.is_some() {
        // Nothing of it counts; it waits where it is until there is room, or it is over.
        return Ok(Taken::Waits);
    }
    let outcome = driver.feeds().first().map(|feed| feed.outcome);
    let changed = write.changed_since()?;
    let is_new = !changed.is_empty() || outcome != Some("duplicate");
    if !is_new && coming.run_no.is_none() {
        write.drop_run(run_no)?;
    }
    write.note_envelope(&envelope.hash, &origin, (now, envelope.expires), None)?;
    write.owe_want(&origin, true)?;
    crate::levels::settle_in(node, &write)?;
    write.commit()?;
    // Lines that were taken back must not stay behind in the log file.
    node.store
        .forget_dropped(changed.iter().map(|change| change.difference).max())?;
    Ok(Taken::New {
        changed,
        run_no: if is_new { Some(run_no) } else { coming.run_no },
        is_feed: is_new,
    })
}

/// What names an envelope where it waits.
pub(super) fn name_of(body: &[u8]) -> Hash {
    wb_core::hash::sha256(body)
}
