//! How far other instances are trusted here, and why, in words a person can check (spec: trust).

mod says;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wb_core::id::{InstanceId, RecordId};
use wb_core::kinds::{Body, Level, Vouch};
use wb_core::limits::VOUCHES_READ_PER_ISSUER;
use wb_core::scope::{FeedScope, Scope};
use wb_core::show::Cause;
use wb_core::time::Timestamp;
use wb_core::trust::{Ground, Levels, Moved, Step, Vouched, moved};
use wb_store::{Filter, RecordRow, Standing};

use crate::error::{NodeError, Result};
use crate::node::Node;
use crate::view::{NamedView, SCHEMA_VERSION};

pub(crate) use says::Outline;

/// A vouch as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VouchView {
    /// Version of this form.
    pub schema_version: u32,
    /// The record.
    pub id: RecordId,
    /// Who vouches.
    pub issuer: NamedView,
    /// For whom.
    pub subject: NamedView,
    /// How far.
    pub level: Level,
    /// Why, as the issuer says.
    pub basis: String,
    /// Since when.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Why it does not count now; none where it does.
    pub counts_not: Option<&'static str>,
}

/// One arrow of a way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepView {
    /// To whom it leads.
    pub to: NamedView,
    /// The vouch; none where it was approved here by hand.
    pub vouch: Option<RecordId>,
    /// Why, as the issuer says.
    pub basis: Option<String>,
}

/// How far an instance is trusted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustView {
    /// Version of this form.
    pub schema_version: u32,
    /// The instance.
    pub id: InstanceId,
    /// Its name, or the first digits of its id.
    pub name: String,
    /// 0 to 3.
    pub level: u8,
    /// Whether it was approved here by hand.
    pub by_hand: bool,
    /// The shortest way from here.
    pub way: Vec<StepView>,
    /// How many ways share no instance in between.
    pub disjoint_ways: usize,
    /// The first time at which it is not trusted that far any more if nobody does anything.
    pub until: Option<Timestamp>,
    /// Issuers without whose vouch it would not be trusted that far.
    pub hangs_on: Vec<NamedView>,
    /// All of it in one sentence.
    pub sentence: String,
}

/// An instance from which levels start, and who hangs on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RootView {
    /// Version of this form.
    pub schema_version: u32,
    /// The instance.
    pub id: InstanceId,
    /// Its name, or the first digits of its id.
    pub name: String,
    /// 0 to 3.
    pub level: u8,
    /// Vouches of it that are known here.
    pub vouches: u64,
    /// Instances that would be trusted less without it.
    pub hang_on_it: Vec<NamedView>,
}

/// A change of a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovedView {
    /// Version of this form.
    pub schema_version: u32,
    /// The instance.
    pub id: InstanceId,
    /// Its name, or the first digits of its id.
    pub name: String,
    /// 0 to 3.
    pub before: u8,
    /// 0 to 3.
    pub after: u8,
    /// Why it is trusted less although nothing was taken back; none otherwise.
    pub why: Option<&'static str>,
}

/// The number of a level; 0 for who has none.
#[must_use]
pub fn number(level: Option<Level>) -> u8 {
    match level {
        None => 0,
        Some(Level::Known) => 1,
        Some(Level::Trusted) => 2,
        Some(Level::Steward) => 3,
    }
}

/// The word of a level.
#[must_use]
pub fn word(level: Level) -> &'static str {
    match level {
        Level::Known => "known",
        Level::Trusted => "trusted",
        Level::Steward => "steward",
    }
}

/// Everything that levels are worked out from, with the names of instances.
pub(crate) struct Trust {
    ground: Ground,
    vouches: Vec<(Vouched, Vouch)>,
    names: BTreeMap<InstanceId, String>,
    now: Timestamp,
}

impl Trust {
    /// Reads it.
    ///
    /// # Errors
    /// What the store reports.
    pub(crate) fn of(node: &Node) -> Result<Self> {
        let mut names = BTreeMap::from([(node.own_id(), node.name().to_owned())]);
        let (mut approved, mut refused) = (BTreeMap::new(), BTreeSet::new());
        for instance in node.store.instances()? {
            if instance.standing != Standing::Own {
                names.insert(instance.id, instance.label());
            }
            match instance.standing {
                Standing::Approved => {
                    let far = if instance.steward {
                        Level::Steward
                    } else {
                        Level::Trusted
                    };
                    approved.insert(instance.id, far);
                }
                Standing::Blocked => drop(refused.insert(instance.id)),
                Standing::Own | Standing::Vouched | Standing::Waiting => {}
            }
        }
        let vouches = vouches(node)?;
        Ok(Self {
            ground: Ground {
                me: node.own_id(),
                approved,
                refused,
                vouches: vouches.iter().map(|(vouched, _)| vouched.clone()).collect(),
                secret: node.secret().ties(),
            },
            vouches,
            names,
            now: node.now(),
        })
    }

    /// The level of each instance that has one.
    pub(crate) fn levels(&self) -> Levels {
        self.ground.levels(self.now)
    }

    /// The shortest way from here to each of those that are shown by what others vouch.
    pub(crate) fn ways(&self, shown: &BTreeSet<InstanceId>) -> BTreeMap<InstanceId, Vec<Step>> {
        self.ground.ways(Level::Trusted, shown, self.now)
    }

    /// The vouches of this instance.
    pub(crate) fn own_all(&self) -> impl Iterator<Item = &Vouch> {
        let own = self.vouches.iter();
        own.filter(|(vouched, _)| vouched.issuer == self.ground.me)
            .map(|(_, vouch)| vouch)
    }

    /// What changes when own vouches for an instance are taken back.
    pub(crate) fn without_own(&self, subject: &InstanceId) -> Vec<MovedView> {
        let own = self.own(subject);
        let ids = own
            .map(|(vouched, _)| (vouched.issuer, vouched.id))
            .collect();
        self.moved(self.ground.without(&ids, self.now))
    }

    /// What changes when this instance vouches, in the place of what it vouched before.
    pub(crate) fn with(&self, vouched: Vouched) -> Vec<MovedView> {
        let mut other = self.ground.clone();
        other
            .vouches
            .retain(|known| (known.issuer, known.subject) != (vouched.issuer, vouched.subject));
        let earlier = self.own(&vouched.subject).next();
        let is_less = earlier.is_some_and(|(earlier, _)| vouched.level < earlier.level);
        other.vouches.push(vouched);
        let mut moved = self.moved(moved(&self.levels(), &other.levels(self.now)));
        for one in moved.iter_mut().filter(|one| one.after < one.before) {
            one.why = Some(if is_less {
                "this instance vouches for less than before"
            } else {
                "whoever comes in by it is nearer, and takes a place that there was"
            });
        }
        moved
    }

    /// The vouches of this instance for another.
    pub(crate) fn own(&self, subject: &InstanceId) -> impl Iterator<Item = &(Vouched, Vouch)> {
        let (me, subject) = (self.ground.me, *subject);
        let is_own = move |one: &&(Vouched, Vouch)| (one.0.issuer, one.0.subject) == (me, subject);
        self.vouches.iter().filter(is_own)
    }

    /// How many strong vouches of this instance count beside those for one instance.
    pub(crate) fn own_strong_beside(&self, subject: &InstanceId) -> usize {
        let own = self.vouches.iter().filter(|(vouched, _)| {
            vouched.issuer == self.ground.me
                && vouched.subject != *subject
                && vouched.level != Level::Known
                && vouched.expires_at > self.now
        });
        own.count()
    }

    pub(crate) fn name(&self, id: &InstanceId) -> String {
        self.names.get(id).cloned().unwrap_or_else(|| id.short())
    }

    /// How far each instance is from here over what counts for a level.
    pub(crate) fn distances(&self, level: Level) -> BTreeMap<InstanceId, usize> {
        self.ground.distances(level, self.now)
    }

    /// Every vouch that is known here.
    pub(crate) fn all(&self) -> Vec<VouchView> {
        let all = self.vouches.iter();
        all.map(|(vouched, vouch)| self.view(vouched, vouch))
            .collect()
    }

    /// Who issued a vouch that is known here, where one issuer alone has one of that id.
    pub(crate) fn issuer_of(&self, id: &RecordId) -> Option<InstanceId> {
        let all = self.vouches.iter().filter(|(vouched, _)| vouched.id == *id);
        let issuers: BTreeSet<InstanceId> = all.map(|(vouched, _)| vouched.issuer).collect();
        // Somebody may have given a vouch the id of another's.
        let mut issuers = issuers.into_iter();
        issuers.next().filter(|_| issuers.next().is_none())
    }

    /// Whether a vouch is known here by its feed, and counts.
    pub(crate) fn counts(&self, issuer: &InstanceId, id: &RecordId) -> bool {
        let mut known = self.vouches.iter();
        let held = known.find(|(one, _)| one.id == *id && one.issuer == *issuer);
        held.is_some_and(|(vouched, vouch)| self.view(vouched, vouch).counts_not.is_none())
    }

    pub(crate) fn named(&self, id: &InstanceId) -> NamedView {
        NamedView {
            id: *id,
            name: self.names.get(id).cloned(),
        }
    }

    fn moved(&self, moved: Vec<Moved>) -> Vec<MovedView> {
        let moved = moved
            .into_iter()
            .filter(|one| one.instance != self.ground.me);
        let view = |one: Moved| MovedView {
            schema_version: SCHEMA_VERSION,
            id: one.instance,
            name: self.name(&one.instance),
            before: number(one.before),
            after: number(one.after),
            why: None,
        };
        moved.map(view).collect()
    }

    fn view(&self, vouched: &Vouched, vouch: &Vouch) -> VouchView {
        let refused = |id| self.ground.refused.contains(id);
        let counts_not = if vouched.expires_at <= self.now {
            Some("it is over")
        } else if refused(&vouched.issuer) || refused(&vouched.subject) {
            Some("one of the two is refused here")
        } else if vouched
            .feed_valid_until
            .is_some_and(|until| until <= self.now)
        {
            Some("nothing was heard of its issuer for too long")
        } else {
            None
        };
        VouchView {
            schema_version: SCHEMA_VERSION,
            id: vouched.id,
            issuer: self.named(&vouched.issuer),
            subject: self.named(&vouched.subject),
            level: vouched.level,
            basis: vouch.basis.clone(),
            issued_at: vouched.issued_at,
            expires_at: vouched.expires_at,
            counts_not,
        }
    }

    pub(crate) fn why(&self, id: InstanceId) -> TrustView {
        let why = self.ground.why(id, self.now);
        // Others may have given a vouch of theirs the same id.
        let of = |issuer: &InstanceId, id: &RecordId| {
            let mut all = self.vouches.iter();
            all.find(|(known, _)| known.id == *id && known.issuer == *issuer)
        };
        let way: Vec<StepView> = why
            .iter()
            .flat_map(|why| &why.way)
            .map(|step| StepView {
                to: self.named(&step.to),
                vouch: step.vouch,
                basis: step
                    .vouch
                    .as_ref()
                    .and_then(|id| of(&step.from, id))
                    .map(|(_, vouch)| vouch.basis.clone()),
            })
            .collect();
        let hangs_on: Vec<NamedView> = why
            .iter()
            .flat_map(|why| &why.hangs_on)
            .map(|(issuer, _)| self.named(issuer))
            .collect();
        TrustView {
            schema_version: SCHEMA_VERSION,
            id,
            name: self.name(&id),
            level: number(why.as_ref().map(|why| why.level)),
            by_hand: why.as_ref().is_some_and(|why| why.by_hand),
            disjoint_ways: why.as_ref().map_or(0, |why| why.disjoint_ways),
            until: why.as_ref().and_then(|why| why.until),
            sentence: self.sentence(id, why.as_ref(), &way, &hangs_on),
            way,
            hangs_on,
        }
    }
}

/// Vouches of this instance and of feeds that are carried here, oldest first.
fn vouches(node: &Node) -> Result<Vec<(Vouched, Vouch)>> {
    let filter = Filter {
        kind: "vouch".parse().ok(),
        first_of_each: Some(VOUCHES_READ_PER_ISSUER),
        hidden_too: true,
        ..Filter::default()
    };
    let validity = node.store.served().validity()?;
    let mut vouches = Vec::new();
    for row in node.store.records(&filter)? {
        let Some(vouch) = read(&row) else { continue };
        let feed = match row.scope {
            Scope::Public => FeedScope::Public,
            _ => FeedScope::TrustedPeers,
        };
        let feed_valid_until = match row.standing {
            // What this instance says counts here before it is published.
            Standing::Own => None,
            _ => match validity.get(&(row.key.origin, feed)) {
                Some(until) => *until,
                None => continue,
            },
        };
        let vouched = Vouched {
            id: row.key.id,
            issuer: row.key.origin,
            subject: vouch.subject,
            level: vouch.level,
            issued_at: vouch.issued_at,
            expires_at: vouch.expires_at,
            feed_valid_until,
        };
        vouches.push((vouched, vouch));
    }
    Ok(vouches)
}

/// The vouch of a row that is shown, or that would be were its origin approved: whether it is, is what vouches say.
fn read(row: &RecordRow) -> Option<Vouch> {
    // Nor does a notice of a hub decide about trust.
    let waits = [
        Cause::OriginWaiting,
        Cause::OriginBlocked,
        Cause::WithheldByHub,
    ];
    let waits = waits.map(Cause::as_str);
    let is_shown = row
        .hidden
        .as_deref()
        .is_none_or(|cause| waits.contains(&cause));
    let body = Body::read(&row.kind, 1, row.key.origin, row.body.as_deref()?);
    match body {
        Ok(Body::Vouch(vouch)) if is_shown => Some(vouch),
        _ => None,
    }
}

/// Vouches known here: all, or those by or for one instance.
///
/// # Errors
/// What the store reports.
pub fn list(node: &Node, of: Option<InstanceId>) -> Result<Vec<VouchView>> {
    let trust = Trust::of(node)?;
    let is_asked =
        |vouched: &Vouched| of.is_none_or(|id| vouched.issuer == id || vouched.subject == id);
    let vouches = trust
        .vouches
        .iter()
        .filter(|(vouched, _)| is_asked(vouched));
    Ok(vouches
        .map(|(vouched, vouch)| trust.view(vouched, vouch))
        .collect())
}

/// Whether this instance vouches for another: refusing it takes that back.
///
/// # Errors
/// What the store reports.
pub fn vouches_for(node: &Node, id: &InstanceId) -> Result<bool> {
    Ok(Trust::of(node)?.own(id).next().is_some())
}

/// How far an instance is trusted, and why.
///
/// # Errors
/// That it is this one, or what the store reports.
pub fn why(node: &Node, id: InstanceId) -> Result<TrustView> {
    if id == node.own_id() {
        return Err(NodeError::Refused(
            "this is the instance from which trust starts; name another".to_owned(),
        ));
    }
    Ok(Trust::of(node)?.why(id))
}

/// How far an instance is trusted: its number, 0 for who has no level.
///
/// # Errors
/// What the store reports.
pub fn levels(node: &Node) -> Result<BTreeMap<InstanceId, u8>> {
    let levels = Trust::of(node)?.levels().into_iter();
    Ok(levels
        .map(|(id, level)| (id, number(Some(level))))
        .collect())
}

/// The instances from which levels start.
///
/// # Errors
/// What the store reports.
pub fn roots(node: &Node) -> Result<Vec<RootView>> {
    let trust = Trust::of(node)?;
    let levels = trust.levels();
    let mut roots = Vec::new();
    for id in trust.ground.approved.keys() {
        let mut other = trust.ground.clone();
        other.approved.remove(id);
        other.vouches.retain(|vouch| vouch.issuer != *id);
        let without = other.levels(trust.now);
        let falls = levels
            .iter()
            .filter(|(one, level)| *one != id && without.get(one).copied() < Some(**level));
        let vouches = trust
            .vouches
            .iter()
            .filter(|(vouch, _)| vouch.issuer == *id);
        roots.push(RootView {
            schema_version: SCHEMA_VERSION,
            id: *id,
            name: trust.name(id),
            level: number(levels.get(id).copied()),
            vouches: vouches.count() as u64,
            hang_on_it: falls.map(|(one, _)| trust.named(one)).collect(),
        });
    }
    roots.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    Ok(roots)
}
