//! The invite map: who invited whom, here and across instances, and who is joined to nobody (spec: invites, the invite
//! map).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::Body;
use wb_core::letter::RedeemRefusal;
use wb_core::limits::REDEMPTION_DAYS;
use wb_core::time::Timestamp;
use wb_store::{AccountState, Redemption, RedemptionState};

use super::authors::Authors;
use super::letters::Names;
use crate::error::Result;
use crate::node::{Actor, Node};
use crate::plan::Reaches;
use crate::view::{SCHEMA_VERSION, UserView};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How a member came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InvitedView {
    /// Who invited, in words; null where that is not known.
    pub by: Option<String>,
    /// The profile of who invited, where it is known.
    pub user: Option<RecordRef>,
    /// The instance whose invite it was.
    pub origin: InstanceId,
    /// Its name.
    pub home: String,
    /// `home` for an invite of the member's own instance; else what the issuer said: `asked`, `counted`, `refused`, or
    /// `settled` where a steward decided without it.
    pub state: &'static str,
    /// Why it was not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Since when, for an invite of another instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The same for people.
    pub sentence: String,
}

/// A member whom nobody invited, and who is joined to nobody of another instance and not to the founder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IsolatedView {
    /// Version of this form.
    pub schema_version: u32,
    /// The member.
    pub id: RecordId,
    /// The handle.
    pub handle: String,
    /// How many members are here through them.
    pub invited: usize,
    /// What would connect them.
    pub connects: String,
}

/// Whether a steward decides about a redemption: it was refused, or nobody answered for long enough.
#[must_use]
pub fn is_due(redemption: &Redemption, now: Timestamp) -> bool {
    redemption.is_provisional()
        && (redemption.state != RedemptionState::Asked
            || redemption.at.plus_ms(REDEMPTION_DAYS * DAY_MS) <= now)
}

/// Everything that says who invited whom.
pub(crate) struct Invitations {
    own: InstanceId,
    authors: Authors<'static>,
    names: Names,
    redemptions: BTreeMap<RecordId, Redemption>,
    /// Who joined by an invite of this instance, and who made that, for members from before profiles said so.
    joined: BTreeMap<RecordId, RecordId>,
}

impl Invitations {
    pub(crate) fn load(node: &Node) -> Result<Self> {
        let private = node.store.private();
        let makers: BTreeMap<RecordId, Option<RecordId>> = private
            .invites()?
            .into_iter()
            .map(|invite| (invite.record, invite.created_by))
            .collect();
        let joined = private.joined_by()?.into_iter();
        let joined = joined
            .filter_map(|(user, invite)| Some((user, makers.get(&invite).copied().flatten()?)));
        let redemptions = private.redemptions()?.into_iter();
        Ok(Self {
            own: node.own_id(),
            authors: Authors::load(node)?,
            names: Names::load(node)?,
            redemptions: redemptions.map(|of| (of.user, of)).collect(),
            joined: joined.collect(),
        })
    }

    /// How a member came, as far as it is known here; `inviter` is what their profile says.
    pub(crate) fn of(&self, user: &RecordRef, inviter: Option<RecordRef>) -> Option<InvitedView> {
        let is_own = user.origin == self.own;
        if let Some(redemption) = self.redemptions.get(&user.id).filter(|_| is_own) {
            return Some(self.redeemed(redemption, inviter));
        }
        let joined = self.joined.get(&user.id).filter(|_| is_own);
        let joined = joined.map(|id| RecordRef {
            origin: self.own,
            id: *id,
        });
        let by = inviter.or(joined)?;
        let name = self.authors.of_user(&by, self.own);
        let home = self.names.of(&by.origin);
        let who = name.clone().unwrap_or_else(|| "a member".to_owned());
        Some(InvitedView {
            sentence: if by.origin == self.own {
                format!("invited by {who}")
            } else {
                format!("invited by {who} at {home}")
            },
            by: name,
            user: Some(by),
            origin: by.origin,
            home,
            state: "home",
            cause: None,
            at: None,
        })
    }

    fn redeemed(&self, of: &Redemption, inviter: Option<RecordRef>) -> InvitedView {
        let home = self.names.of(&of.issuer);
        let by = inviter.filter(|by| by.origin == of.issuer);
        let name = by.and_then(|by| self.authors.of_user(&by, self.own));
        let who = name.clone().unwrap_or_else(|| "a member".to_owned());
        let (state, cause, then) = match &of.state {
            RedemptionState::Counted => ("counted", None, String::new()),
            RedemptionState::Refused(word) => {
                let cause = RedeemRefusal::from_word(word);
                let why = cause.map_or("", |cause| cause.sentence());
                (
                    "refused",
                    Some(word.clone()),
                    format!("; {home} did not count it: {why}"),
                )
            }
            RedemptionState::Asked => ("asked", None, format!("; {home} did not count it yet")),
        };
        let settled = of.settled_at.filter(|_| state != "counted");
        let decided = settled.map_or("", |_| "; somebody who looks after this community decided");
        InvitedView {
            sentence: format!("invited by {who} at {home}{then}{decided}"),
            by: name,
            user: by,
            origin: of.issuer,
            home,
            state: settled.map_or(state, |_| "settled"),
            cause,
            at: Some(of.at),
        }
    }
}

/// How somebody here came, as far as it is known.
///
/// # Errors
/// What the store reports.
pub fn invited_of(node: &Node, user: &RecordId) -> Result<Option<InvitedView>> {
    let key = RecordRef {
        origin: node.own_id(),
        id: *user,
    };
    Ok(Invitations::load(node)?.of(&key, inviter_of(node, user)?))
}

/// Who invited somebody here, as their profile says.
pub(crate) fn inviter_of(node: &Node, user: &RecordId) -> Result<Option<RecordRef>> {
    let record = node.store.local(user)?;
    let body = record.map(|record| Body::read(&record.kind, 1, node.own_id(), &record.body));
    Ok(match body {
        Some(Ok(Body::User(profile))) => profile.inviter,
        _ => None,
    })
}

/// Members here whom nobody invited, and who are joined neither to who founded this instance nor to anybody of another one.
///
/// # Errors
/// What the store reports.
pub fn isolated(node: &Node, actor: &Actor) -> Result<Vec<IsolatedView>> {
    let (users, private) = (super::users::users(node, actor)?, node.store.private());
    let mut map = Joined::default();
    let own = node.own_id();
    for user in &users {
        let key = key(user);
        if key.origin != own {
            map.join(Point::Member(key), Point::Elsewhere);
        }
        if let Some(by) = inviter(user) {
            map.join(Point::Member(key), by);
        }
    }
    for used in private.invite_uses()? {
        let row = private.invite(&used.invite)?;
        let maker = row.and_then(|row| row.created_by);
        if let (None, Some(id)) = (&used.refused, maker) {
            map.join(
                Point::Member(RecordRef { origin: own, id }),
                Point::Elsewhere,
            );
        }
    }
    let founder = node.store.founder()?;
    if let Some(id) = founder {
        let founder = RecordRef { origin: own, id };
        map.join(Point::Member(founder), Point::Founder);
    }
    let joined = [map.root(Point::Elsewhere), map.root(Point::Founder)];
    let mut groups: BTreeMap<Point, BTreeSet<RecordId>> = BTreeMap::new();
    for user in users.iter().filter(|user| user.base.origin == own) {
        let root = map.root(Point::Member(key(user)));
        if !joined.contains(&root) {
            groups.entry(root).or_default().insert(user.base.id);
        }
    }
    let shared = if groups.is_empty() {
        BTreeMap::new()
    } else {
        shared_invites(node)?
    };
    let mut roots = Vec::new();
    for user in users.iter().filter(|user| user.base.origin == own) {
        let is_member = user.state == Some(AccountState::Approved.as_str());
        let Some(with) = groups.get(&map.root(Point::Member(key(user)))) else {
            continue;
        };
        if !is_member || inviter(user).is_some() {
            continue;
        }
        roots.push(IsolatedView {
            schema_version: SCHEMA_VERSION,
            id: user.base.id,
            handle: user.handle.clone().unwrap_or_default(),
            invited: with.len() - 1,
            connects: connects(user, with, &shared),
        });
    }
    Ok(roots)
}

/// An invite that leaves and still admits somebody, of each member who has one.
fn shared_invites(node: &Node) -> Result<BTreeMap<RecordId, RecordId>> {
    let now = node.now();
    let reaches = Reaches::new(node, now)?;
    let mut shared = BTreeMap::new();
    for row in node.store.private().invites()? {
        let (Some(maker), true) = (row.created_by, row.is_open(now)) else {
            continue;
        };
        let record = node.store.local(&row.record)?;
        if let Some(record) = record
            && reaches.of(&record)?.is_ok()
        {
            shared.insert(maker, row.record);
        }
    }
    Ok(shared)
}

/// What would join a member, and those who came by them, to somebody.
fn connects(
    user: &UserView,
    with: &BTreeSet<RecordId>,
    shared: &BTreeMap<RecordId, RecordId>,
) -> String {
    let invited = user.invited.as_ref();
    let refused = match invited.filter(|invited| invited.state != "home") {
        Some(invited) => format!("{} did not count the invite they came by. ", invited.home),
        None => String::new(),
    };
    match with.iter().find_map(|member| shared.get(member)) {
        Some(invite) => {
            format!("{refused}That somebody uses their shared invite {invite} at another community")
        }
        None => format!(
            "{refused}That somebody comes to another community by an invite of theirs: `wb invite create`, then \
             `wb record share`"
        ),
    }
}

fn key(user: &UserView) -> RecordRef {
    RecordRef {
        origin: user.base.origin,
        id: user.base.id,
    }
}

/// Where an arrow to a member comes from; none where nobody's word holds that they were invited.
fn inviter(user: &UserView) -> Option<Point> {
    let invited = user.invited.as_ref()?;
    match (invited.state, invited.user) {
        ("home", Some(by)) => Some(Point::Member(by)),
        ("counted", _) => Some(Point::Elsewhere),
        // While it was asked, nobody is without an inviter yet.
        ("asked", _) => Some(Point::Asked(user.base.id)),
        _ => None,
    }
}

/// What the map joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    Member(RecordRef),
    /// Whoever is at another instance.
    Elsewhere,
    /// Whoever founded this one.
    Founder,
    /// An issuer that did not answer yet.
    Asked(RecordId),
}

/// Which points hang together.
#[derive(Debug, Default)]
struct Joined(BTreeMap<Point, Point>);

impl Joined {
    fn root(&mut self, point: Point) -> Point {
        let mut root = point;
        while let Some(next) = self.0.get(&root) {
            root = *next;
        }
        // The next walk from here is short.
        if root != point {
            self.0.insert(point, root);
        }
        root
    }

    fn join(&mut self, a: Point, b: Point) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.0.insert(a, b);
        }
    }
}
