//! Draws the next step. Which faults a seed has is drawn once, so that some seeds are calm, and others
//! have one kind of trouble again and again.

use wb_core::id::RecordRef;
use wb_core::scope::Scope;

use crate::chance::Chance;
use crate::error::SimError;
use crate::ledger::What;
use crate::lie::Lie;
use crate::rogue::Wrong;
use crate::step::{HubCrash, Step, Visit};
use crate::wire::Break;
use crate::world::World;

/// Chance that a kind of trouble is among those of a seed.
const TROUBLE_PERCENT: u64 = 35;
/// Chance that a key signs what it should not; rarer, because what comes after is told apart less sharply.
const SIGNS_WRONGLY_PERCENT: u64 = 15;
/// How far a clock is off at most: beyond what a signature lives (spec: requests).
const CLOCK_OFF_MS_MAX: u64 = 400_000;
/// Members up to which one of them is cloned.
const TWINS_WITHIN: usize = 22;
/// How many wakings a sync may take until its process ends, as a power of two; most syncs take a few.
const CRASH_POLLS_BITS: u32 = 5;

/// The kinds of trouble that a seed has.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each kind is drawn by itself"
)]
pub struct Mood {
    pub breaks: bool,
    pub late: bool,
    pub crashes: bool,
    pub hub_crashes: bool,
    pub hub_restores: bool,
    pub restores: bool,
    pub clocks: bool,
    pub forgets: bool,
    pub sticks: bool,
    pub partitions: bool,
    pub replays: bool,
    pub unfollows: bool,
    pub lies: bool,
    pub clones: bool,
    pub rogues: bool,
    pub rotates: bool,
}

impl Mood {
    pub fn draw(chance: &mut Chance) -> Self {
        let mut drawn = chance.fork(0);
        let mut has = || drawn.percent(TROUBLE_PERCENT);
        Self {
            breaks: has(),
            late: has(),
            crashes: has(),
            hub_crashes: has(),
            hub_restores: has(),
            restores: has(),
            clocks: has(),
            forgets: has(),
            sticks: has(),
            partitions: has(),
            replays: has(),
            unfollows: has(),
            lies: has(),
            clones: chance.percent(SIGNS_WRONGLY_PERCENT),
            rogues: chance.percent(SIGNS_WRONGLY_PERCENT),
            rotates: chance.percent(TROUBLE_PERCENT),
        }
    }
}

/// The kinds of step, to be weighed.
#[derive(Debug, Clone, Copy)]
enum Draw {
    Ask,
    Edit,
    Complete,
    Comment,
    Share,
    Unshare,
    Publish,
    Sync,
    Follow,
    Stick,
    Wait,
    Clock,
    Forget,
    HubCopy,
    MemberCopy,
    Cut,
    Replay,
    Lie,
    Clone,
    Rogue,
    Rotate,
    Recover,
}

fn scope(chance: &mut Chance) -> Scope {
    *chance.weighed(&[
        (70, Scope::Public),
        (20, Scope::Private),
        (10, Scope::TrustedPeers),
    ])
}

impl World {
    /// The next step.
    pub fn draw(&mut self) -> Result<Step, SimError> {
        loop {
            let mood = self.mood;
            let if_so = |has: bool, weight: u64| if has { weight } else { 0 };
            let kind = *self.chance.weighed(&[
                (16, Draw::Ask),
                (8, Draw::Edit),
                (4, Draw::Complete),
                (8, Draw::Comment),
                (4, Draw::Share),
                (6, Draw::Unshare),
                (4, Draw::Publish),
                (34, Draw::Sync),
                (if_so(mood.unfollows, 4), Draw::Follow),
                (if_so(mood.sticks, 8), Draw::Stick),
                (4, Draw::Wait),
                (if_so(mood.clocks, 4), Draw::Clock),
                (if_so(mood.forgets, 5), Draw::Forget),
                (if_so(mood.hub_restores, 6), Draw::HubCopy),
                (if_so(mood.restores, 6), Draw::MemberCopy),
                (if_so(mood.partitions, 6), Draw::Cut),
                (if_so(mood.lies, 8), Draw::Lie),
                (
                    if_so(mood.clones && self.members.len() < TWINS_WITHIN, 2),
                    Draw::Clone,
                ),
                (if_so(mood.rogues, 4), Draw::Rogue),
                (if_so(mood.rotates, 3), Draw::Rotate),
                (if_so(mood.clones || mood.rogues, 2), Draw::Recover),
                (
                    if_so(mood.replays && !self.tapes.is_empty(), 8),
                    Draw::Replay,
                ),
            ]);
            if let Some(step) = self.draw_kind(kind)?
                && !self.is_of_who_is_out(&step)
            {
                return Ok(step);
            }
        }
    }

    /// Whoever has a key that was taken back does nothing more, and nothing is done with it.
    fn is_of_who_is_out(&self, step: &Step) -> bool {
        let is_out = |member: &usize| self.members[*member].is_out;
        match step {
            Step::Sync(visits, _) => visits.iter().any(|visit| is_out(&visit.member)),
            Step::Stick { from, to, .. } => is_out(from) || is_out(to),
            Step::Ask(member, _)
            | Step::Edit(member, _)
            | Step::Complete(member, _)
            | Step::Comment(member, ..)
            | Step::Share(member, ..)
            | Step::Unshare(member, _)
            | Step::Publish(member)
            | Step::Follow(member, _)
            | Step::Unfollow(member, _)
            | Step::MemberCopy(member)
            | Step::MemberRestore(member)
            | Step::Clone(member)
            | Step::Rogue(member, ..)
            | Step::Rotate(member)
            | Step::Recover(member) => is_out(member),
            _ => false,
        }
    }

    fn a_member(&mut self) -> usize {
        self.chance.place(self.members.len())
    }

    fn a_hub(&mut self) -> usize {
        self.chance.place(self.hubs.len())
    }

    /// A step of a kind; none where there is nothing for it to be done with.
    fn draw_kind(&mut self, kind: Draw) -> Result<Option<Step>, SimError> {
        let member = self.a_member();
        Ok(match kind {
            Draw::Ask => Some(Step::Ask(member, scope(&mut self.chance))),
            Draw::Edit => self.a_request(member).map(|id| Step::Edit(member, id)),
            Draw::Complete => self.a_request(member).map(|id| Step::Complete(member, id)),
            Draw::Comment => self.a_comment(member)?,
            Draw::Share => {
                let scope = scope(&mut self.chance);
                self.a_record(member)
                    .map(|id| Step::Share(member, id, scope))
            }
            Draw::Unshare => self.a_record(member).map(|id| Step::Unshare(member, id)),
            Draw::Publish => Some(Step::Publish(member)),
            Draw::Sync => Some(self.a_sync()),
            Draw::Follow => {
                let other = self.a_member();
                let follows = self.chance.percent(60);
                (other != member).then_some(if follows {
                    Step::Follow(member, other)
                } else {
                    Step::Unfollow(member, other)
                })
            }
            Draw::Stick => {
                let (to, by_want) = (self.a_member(), self.chance.percent(50));
                (to != member).then_some(Step::Stick {
                    from: member,
                    to,
                    by_want,
                })
            }
            Draw::Wait => Some(Step::Wait(1_000 << self.chance.below(17))),
            Draw::Clock => Some(self.a_clock(member)),
            Draw::Forget => {
                let hub = self.a_hub();
                Some(Step::Forget(hub, i64_of(self.chance.magnitude(20))))
            }
            Draw::HubCopy => {
                let hub = self.a_hub();
                let restores = self.hubs[hub].has_copy() && self.chance.percent(60);
                Some(if restores {
                    Step::HubRestore(hub)
                } else {
                    Step::HubCopy(hub)
                })
            }
            Draw::MemberCopy => {
                let restores = self.members[member].has_copy() && self.chance.percent(50);
                Some(if restores {
                    Step::MemberRestore(member)
                } else {
                    Step::MemberCopy(member)
                })
            }
            Draw::Cut => {
                let (hub, is_cut) = (self.a_hub(), self.chance.percent(50));
                Some(Step::Cut(member, hub, is_cut))
            }
            Draw::Lie => {
                let (hub, lies) = (self.a_hub(), self.chance.percent(70));
                let lie = lies.then(|| *self.chance.pick(Lie::ALL));
                (lies || self.hubs[hub].lies).then_some(Step::Lie(hub, lie))
            }
            Draw::Clone => (!self.members[member].is_suspect).then_some(Step::Clone(member)),
            Draw::Rogue => {
                let (hub, wrong) = (self.a_hub(), *self.chance.pick(Wrong::ALL));
                let is_at = self.members[member].hubs().contains(&self.hubs[hub].id());
                is_at.then_some(Step::Rogue(member, hub, wrong))
            }
            Draw::Rotate => (!self.members[member].is_suspect).then_some(Step::Rotate(member)),
            Draw::Recover => self.may_recover(member).then_some(Step::Recover(member)),
            Draw::Replay => {
                let tape = self.chance.place(self.tapes.len());
                Some(Step::Replay(tape))
            }
        })
    }

    fn a_record(&mut self, member: usize) -> Option<wb_core::id::RecordId> {
        let written = &self.members[member].ledger.written;
        let ids: Vec<_> = written.keys().copied().collect();
        (!ids.is_empty()).then(|| *self.chance.pick(&ids))
    }

    fn a_request(&mut self, member: usize) -> Option<wb_core::id::RecordId> {
        let written = self.members[member].ledger.written.iter();
        let requests = written.filter(|(_, written)| written.what == What::Request);
        let ids: Vec<_> = requests.map(|(id, _)| *id).collect();
        (!ids.is_empty()).then(|| *self.chance.pick(&ids))
    }

    /// A comment on a request of its own, or on one of another that is shown there.
    fn a_comment(&mut self, member: usize) -> Result<Option<Step>, SimError> {
        let scope = scope(&mut self.chance);
        let on = if self.chance.percent(40) {
            let id = self.a_request(member);
            id.map(|id| self.members[member].key_of(id))
        } else {
            self.a_shown_request(member)?
        };
        Ok(on.map(|on| Step::Comment(member, on, scope)))
    }

    fn a_shown_request(&mut self, member: usize) -> Result<Option<RecordRef>, SimError> {
        let look = self.look(&self.members[member].file())?;
        let mut shown: Vec<RecordRef> = Vec::new();
        for row in look.shown()?.iter().filter(|row| row.kind == "request") {
            let origin = self.member_of(&row.origin).map(|member| member.id);
            let id = wb_core::id::RecordId::from_slice(&row.id);
            if let (Some(origin), Some(id)) = (origin, id) {
                shown.push(RecordRef { origin, id });
            }
        }
        shown.sort_unstable();
        Ok((!shown.is_empty()).then(|| *self.chance.pick(&shown)))
    }

    fn a_clock(&mut self, member: usize) -> Step {
        let hub = self.a_hub();
        let off = match self.chance.below(3) {
            0 => 0,
            1 => i64_of(self.chance.below(CLOCK_OFF_MS_MAX)),
            _ => -i64_of(self.chance.below(CLOCK_OFF_MS_MAX)),
        };
        if self.chance.percent(70) {
            Step::MemberClock(member, off)
        } else {
            Step::HubClock(hub, off)
        }
    }

    fn a_sync(&mut self) -> Step {
        let count = *self.chance.weighed(&[(60, 1), (25, 2), (10, 3), (5, 6)]);
        let mut all: Vec<usize> = (0..self.members.len()).collect();
        self.chance.shuffle(&mut all);
        all.truncate(count);
        let visits = all.into_iter().map(|member| self.a_visit(member)).collect();
        let crashes = self.mood.hub_crashes && self.chance.percent(25);
        let crash = crashes.then(|| HubCrash {
            hub: self.chance.place(self.hubs.len()),
            after_ms: self.chance.magnitude(10),
        });
        Step::Sync(visits, crash)
    }

    fn a_visit(&mut self, member: usize) -> Visit {
        let registered = self.members[member].hubs();
        let numbers = self
            .hubs
            .iter()
            .filter(|hub| registered.contains(&hub.id()));
        let mut hubs: Vec<usize> = numbers.map(|hub| hub.number).collect();
        self.chance.shuffle(&mut hubs);
        if self.chance.percent(40) {
            hubs.truncate(1);
        }
        // Worlds without peers go as they went before there were any.
        let mut peers: Vec<usize> = self.peers_of(member).collect();
        if !peers.is_empty() {
            self.chance.shuffle(&mut peers);
            peers.truncate(self.chance.place(peers.len() + 1));
            if !peers.is_empty() && self.chance.percent(50) {
                hubs.clear();
            }
        }
        let (pull, push) =
            *self
                .chance
                .weighed(&[(70, (true, true)), (15, (true, false)), (15, (false, true))]);
        let crashes = self.mood.crashes && self.chance.percent(30);
        Visit {
            member,
            hubs,
            peers,
            pull,
            push,
            breaks: self.a_break(),
            crash: crashes.then(|| self.chance.magnitude(CRASH_POLLS_BITS)),
            restores: crashes
                && self.mood.restores
                && self.members[member].has_copy()
                && self.chance.percent(60),
        }
    }

    fn a_break(&mut self) -> Option<Break> {
        if self.mood.breaks && self.chance.percent(25) {
            return Some(match self.chance.below(8) {
                0 => Break::Refused,
                1 | 2 => Break::SentBytes(self.chance.magnitude(14)),
                3 | 4 => Break::ReceivedBytes(self.chance.magnitude(14)),
                _ => Break::Answer(self.chance.below(6)),
            });
        }
        let is_late = self.mood.late && self.chance.percent(40);
        is_late.then(|| Break::LateMs(self.chance.magnitude(16), self.chance.next()))
    }
}

fn i64_of(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
