//! `wb vouch add` and `wb vouch revoke`: what this instance says about another, for everybody who follows it.

use wb_core::hash;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::kinds::{Body, Level, Vouch, check_text};
use wb_core::leave::Life;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_core::trust::{VOUCH_MONTHS_MAX, VOUCHES_MAX, Vouched};
use wb_store::{NO_WORDS, Standing, Write};

use super::init::local;
use super::peer_pause::must_be_admin;
use super::retire::check_open;
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::levels::settle_in;
use crate::node::{Actor, Node};
use crate::query::trust::{MovedView, Trust, number};

/// Months that a vouch lasts unless told.
pub const VOUCH_MONTHS: i64 = 12;
/// A month, shorter than the longest, so that no vouch lasts longer than one may.
const MONTH_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// What is vouched.
#[derive(Debug, Clone)]
pub struct VouchAdd<'a> {
    /// For whom.
    pub subject: InstanceId,
    /// How far.
    pub level: Level,
    /// Why, in words that everybody reads.
    pub basis: &'a str,
    /// Months that it lasts.
    pub months: i64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VouchAdded {
    /// The record.
    pub id: RecordId,
    /// Whom it is for, by name.
    pub name: String,
    /// Until when it lasts.
    pub expires_at: Timestamp,
    /// Whether it takes the place of an earlier one.
    pub renewed: bool,
    /// Levels here that change by it.
    pub moved: Vec<MovedView>,
}

/// What vouching would do, before anybody does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldVouch {
    /// Whom it is for, by name.
    pub name: String,
    /// Until when it would last.
    pub expires_at: Timestamp,
    /// What it would take the place of.
    pub earlier: Option<Vouch>,
    /// Levels here that would change by it.
    pub moved: Vec<MovedView>,
    /// How many vouches for others as trusted or more count with it, of the most that do.
    pub strong: usize,
    /// Names what is shown; who says yes to it names it again.
    pub shown: Hash,
}

/// Says what vouching for another instance would do, and whether that can be done.
///
/// # Errors
/// What is wrong with the words or the time, or that the instance is not known or refused here.
pub fn would_vouch(node: &Node, input: &VouchAdd<'_>) -> Result<WouldVouch> {
    Ok(look(node, &Trust::of(node)?, input, node.now())?.0)
}

/// The same with the record's id and everything in the vouch.
fn look(
    node: &Node,
    trust: &Trust,
    input: &VouchAdd<'_>,
    now: Timestamp,
) -> Result<(WouldVouch, RecordId, Vouch)> {
    check_text(input.basis).map_err(NodeError::text("basis"))?;
    check_open(node)?;
    if !(1..=VOUCH_MONTHS_MAX).contains(&input.months) {
        return Err(NodeError::Refused(format!(
            "a vouch lasts 1 to {VOUCH_MONTHS_MAX} months, so that somebody looks at it again; nothing was changed"
        )));
    }
    check_subject(node, trust, input)?;
    let expires_at = now.plus_ms(input.months * MONTH_MS);
    let earlier = trust.own(&input.subject).next();
    let id = earlier.map_or_else(|| entropy::record_id(now), |(vouched, _)| vouched.id);
    let vouch = Vouch {
        issuer: node.own_id(),
        subject: input.subject,
        level: input.level,
        basis: input.basis.to_owned(),
        issued_at: now,
        expires_at,
        issuer_user: None,
        subject_user: None,
    };
    let moved = trust.with(Vouched {
        id,
        issuer: node.own_id(),
        subject: input.subject,
        level: input.level,
        issued_at: now,
        expires_at,
        feed_valid_until: None,
    });
    let is_strong = input.level != Level::Known;
    let earlier = earlier.map(|(_, vouch)| vouch.clone());
    let replaced = earlier
        .as_ref()
        .map(|vouch| (vouch.level, vouch.expires_at));
    let said = format!(
        "{:?} {} {replaced:?} {}",
        input.level, input.months, input.basis
    );
    let would = WouldVouch {
        name: trust.name(&input.subject),
        expires_at,
        earlier,
        strong: trust.own_strong_beside(&input.subject) + usize::from(is_strong),
        shown: shown(&input.subject, &moved, &said),
        moved,
    };
    Ok((would, id, vouch))
}

/// Names what somebody was shown of an act: for whom, which levels move by it, and what is said.
fn shown(subject: &InstanceId, moved: &[MovedView], said: &str) -> Hash {
    let mut text = subject.to_string();
    for one in moved {
        text.push_str(&format!("\n{} {} {}", one.id, one.before, one.after));
    }
    hash::sha256(format!("{text}\n\n{said}").as_bytes())
}

fn check_shown(seen: Option<&Hash>, now: &Hash) -> Result<()> {
    if seen.is_none_or(|seen| seen == now) {
        return Ok(());
    }
    Err(NodeError::Refused(
        "what would come of it is not what was shown; nothing was changed. Look at it again"
            .to_owned(),
    ))
}

/// Vouches for another instance; one that this instance vouches for already is vouched for anew. Whoever was shown what
/// would come of it names that, and nothing else is done.
///
/// # Errors
/// What is wrong with the words or the time, that the instance is not known or refused here, that the actor may not, or
/// that what would come of it is not what was shown.
pub fn vouch_add(
    node: &Node,
    actor: &Actor,
    input: &VouchAdd<'_>,
    seen: Option<&Hash>,
) -> Result<VouchAdded> {
    must_be_admin(actor, "vouch for an instance")?;
    let write = node.store.write_in_sight()?;
    let now = node.now();
    // All of it is looked at inside: what was decided while this waited counts.
    let (would, id, vouch) = look(node, &Trust::of(node)?, input, now)?;
    check_shown(seen, &would.shown)?;
    let body = Body::Vouch(vouch);
    let mut record = local(id, &body, None, Scope::Public, node.own_id(), now);
    if let Some(known) = write.local(&id)? {
        record.created_at = known.created_at;
        record.edit = known.edit + 1;
        (record.sealed_edit, record.rev, record.left_by) =
            (known.sealed_edit, known.rev, known.left_by);
    }
    write.put_local(&record)?;
    settle_in(node, &write)?;
    write.commit()?;
    let detail = format!("level {}", number(Some(input.level)));
    node.audit(now, actor, "vouch add", &input.subject, detail)?;
    Ok(VouchAdded {
        id,
        name: would.name,
        expires_at: would.expires_at,
        renewed: would.earlier.is_some(),
        moved: would.moved,
    })
}

fn check_subject(node: &Node, trust: &Trust, input: &VouchAdd<'_>) -> Result<()> {
    let refuse = |text: String| Err(NodeError::Refused(text));
    if input.subject == node.own_id() {
        return refuse("an instance does not vouch for itself; nothing was changed".to_owned());
    }
    match node.store.standing(&input.subject)? {
        Some(Standing::Blocked) => refuse(format!(
            "{} is refused here; nothing was changed. Whoever refuses an instance cannot vouch for it",
            trust.name(&input.subject)
        )),
        Some(_)
            if input.level != Level::Known
                && trust.own_strong_beside(&input.subject) >= VOUCHES_MAX =>
        {
            refuse(format!(
                "this instance vouches for {VOUCHES_MAX} others as trusted or more, and a further one would count nowhere; \
                 nothing was changed. The page Trust and `wb vouch list` show them, and one can be taken back there or by \
                 `wb vouch revoke`"
            ))
        }
        Some(_) => Ok(()),
        None => refuse(format!(
            "{} is not known here; nothing was changed. Follow it at a hub, or take a bundle of it, first",
            input.subject.short()
        )),
    }
}

/// What taking back what this instance vouched for another would do, before anybody does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldFall {
    /// For whom, by name.
    pub name: String,
    /// Levels here that would change by it.
    pub moved: Vec<MovedView>,
    /// Names what is shown; who says yes to it names it again.
    pub shown: Hash,
}

/// What taking back what this instance vouched for another would change here.
///
/// # Errors
/// That it vouches nothing for it.
pub fn would_fall(node: &Node, subject: InstanceId) -> Result<WouldFall> {
    look_at_fall(&Trust::of(node)?, &subject)
}

fn look_at_fall(trust: &Trust, subject: &InstanceId) -> Result<WouldFall> {
    let Some((_, vouch)) = trust.own(subject).next() else {
        return Err(NodeError::Refused(format!(
            "this instance vouches for nothing of {}; nothing was changed. `wb vouch list` shows what it does vouch for",
            trust.name(subject)
        )));
    };
    let moved = trust.without_own(subject);
    let said = format!("{:?} {}", vouch.level, vouch.expires_at);
    Ok(WouldFall {
        name: trust.name(subject),
        shown: shown(subject, &moved, &said),
        moved,
    })
}

/// Takes back what this instance vouched for another: with the next publish nobody counts it any more. Whoever was shown
/// who falls by it names that, and nothing else is done.
///
/// # Errors
/// That it vouches nothing for it, that the actor may not, or that what would come of it is not what was shown.
pub fn vouch_revoke(
    node: &Node,
    actor: &Actor,
    subject: InstanceId,
    seen: Option<&Hash>,
) -> Result<Vec<MovedView>> {
    must_be_admin(actor, "take a vouch back")?;
    let write = node.store.write_in_sight()?;
    let trust = Trust::of(node)?;
    let falls = look_at_fall(&trust, &subject)?;
    check_shown(seen, &falls.shown)?;
    let now = node.now();
    take_back_all(&write, &trust, &subject, now)?;
    settle_in(node, &write)?;
    write.commit()?;
    node.audit(now, actor, "vouch revoke", &subject, "")?;
    Ok(falls.moved)
}

/// Takes back what this instance vouched for one that it refuses. Returns whether there was something.
pub(super) fn take_back_refused(node: &Node, actor: &Actor, subject: InstanceId) -> Result<bool> {
    let write = node.store.write_in_sight()?;
    let trust = Trust::of(node)?;
    let now = node.now();
    let had = take_back_all(&write, &trust, &subject, now)?;
    settle_in(node, &write)?;
    write.commit()?;
    if had {
        node.audit(now, actor, "vouch revoke", &subject, "it is refused")?;
    }
    Ok(had)
}

fn take_back_all(
    write: &Write<'_>,
    trust: &Trust,
    subject: &InstanceId,
    now: Timestamp,
) -> Result<bool> {
    let mut had = false;
    for (vouched, _) in trust.own(subject) {
        take_back(write, &vouched.id, now)?;
        had = true;
    }
    Ok(had)
}

fn take_back(write: &Write<'_>, id: &RecordId, now: Timestamp) -> Result<()> {
    if let Some(mut record) = write.local(id)? {
        record.life = Life::Deleted;
        NO_WORDS.clone_into(&mut record.body);
        record.at = now;
        record.edit += 1;
        write.put_local(&record)?;
    }
    Ok(())
}
