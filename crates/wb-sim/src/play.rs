//! Does what a step says, and counts what came of it.

use std::cell::RefCell;
use std::time::Duration;

use wb_core::id::InstanceId;
use wb_core::sync::PeerCause;
use wb_node::NodeError;

use crate::coverage::Coverage;
use crate::crowd::Crowd;
use crate::error::SimError;
use crate::ledger::mark;
use crate::lie::Lie;
use crate::look::{Head, Look};
use crate::member::Exchange;
use crate::network::address_of_member;
use crate::step::{HubCrash, Step, Visit};
use crate::wire::Break;
use crate::world::World;

/// Tapes kept to be sent again; more would only take memory.
const TAPES_MAX: usize = 32;
/// Time that passes with every step, so that no two records are of one moment.
const STEP_MS: u64 = 750;

/// Where a member's own feed stood, as it was read between two syncs.
type HeadSeen = (usize, Result<Option<Head>, SimError>);

/// Members and hubs that a step touched.
#[derive(Debug, Default)]
pub struct Touched {
    pub members: Vec<usize>,
    pub hubs: Vec<usize>,
    /// What happened, in words.
    pub told: Vec<String>,
}

impl Touched {
    pub fn member(number: usize, done: Result<(), NodeError>) -> Self {
        Self {
            members: vec![number],
            told: done
                .err()
                .map(|error| error.to_string())
                .into_iter()
                .collect(),
            ..Self::default()
        }
    }
}

impl World {
    /// Does a step.
    pub async fn play(&mut self, step: &Step) -> Result<Touched, SimError> {
        tokio::time::sleep(Duration::from_millis(STEP_MS)).await;
        let number = self.next_mark();
        Ok(match step {
            Step::Ask(member, scope) => {
                let done = self.members[*member].ask(&mark(*member, number), *scope);
                Touched::member(*member, done.map(|_| ()))
            }
            Step::Edit(member, id) => {
                let done = self.members[*member].edit(*id, &mark(*member, number));
                Touched::member(*member, done)
            }
            Step::Complete(member, id) => {
                let done = self.members[*member].complete(*id, &mark(*member, number));
                Touched::member(*member, done.map(|_| ()))
            }
            Step::Comment(member, on, scope) => {
                let done = self.members[*member].comment(on, &mark(*member, number), *scope);
                Touched::member(*member, done.map(|_| ()))
            }
            Step::Share(member, id, scope) => {
                Touched::member(*member, self.members[*member].share(*id, *scope))
            }
            Step::Unshare(member, id) => {
                Touched::member(*member, self.members[*member].unshare(*id))
            }
            Step::Publish(member) => Touched::member(*member, self.members[*member].publish()),
            Step::Sync(visits, crash) => self.sync(visits, *crash).await?,
            Step::Follow(member, other) => {
                let other = self.members[*other].id;
                Touched::member(*member, self.members[*member].follow(other))
            }
            Step::Unfollow(member, other) => {
                let other = self.members[*other].id;
                self.coverage.tried("unfollow");
                self.coverage.took("unfollow");
                Touched::member(*member, self.members[*member].unfollow(other))
            }
            Step::Stick { from, to, by_want } => self.stick(*from, *to, *by_want)?,
            Step::Wait(ms) => {
                tokio::time::sleep(Duration::from_millis(*ms)).await;
                Touched::default()
            }
            Step::MemberClock(member, ms) => {
                self.coverage.tried("clock of a node wrong");
                self.members[*member].machine.set_ahead(*ms);
                Touched::default()
            }
            Step::HubClock(hub, ms) => {
                self.coverage.tried("clock of a hub wrong");
                self.hubs[*hub].machine.set_ahead(*ms);
                Touched::default()
            }
            Step::Forget(..)
            | Step::HubCopy(_)
            | Step::HubRestore(_)
            | Step::MemberCopy(_)
            | Step::MemberRestore(_) => self.keep_house(step).await?,
            Step::Cut(member, hub, is_cut) => {
                let address = self.hubs[*hub].address();
                self.net.set_cut(*member, address, *is_cut);
                if *is_cut {
                    self.coverage.tried("partition");
                }
                Touched::default()
            }
            Step::Lie(hub, lie) => {
                if let Some(lie) = lie {
                    self.coverage.tried(lie.name());
                    self.hubs[*hub].lies = true;
                }
                self.hubs[*hub].tongue.set_lie(*lie);
                Touched::default()
            }
            Step::Clone(member) => {
                self.coverage.tried("cloned node (fork)");
                self.clone_member(*member)?;
                Touched::default()
            }
            Step::Rotate(member) => self.rotate(*member).await?,
            Step::Recover(member) => self.recover(*member).await?,
            Step::Rogue(member, hub, wrong) => self.rogue(*member, *hub, *wrong).await?,
            Step::Replay(tape) => self.replay(*tape).await,
        })
    }

    /// What is done with files: copies, older copies, retention.
    async fn keep_house(&mut self, step: &Step) -> Result<Touched, SimError> {
        let mut touched = Touched::default();
        match step {
            Step::Forget(hub, ms) => {
                self.coverage.tried("hub forgets");
                if self.hubs[*hub].forget(*ms).await? > 0 {
                    self.coverage.took("hub forgets");
                }
                touched.hubs.push(*hub);
            }
            Step::HubCopy(hub) => self.hubs[*hub].copy().await?,
            Step::HubRestore(hub) => {
                self.forget_look(&self.hubs[*hub].file());
                self.coverage.tried("hub restored from an older copy");
                self.coverage.took("hub restored from an older copy");
                self.hubs[*hub].restore().await?;
                touched.hubs.push(*hub);
            }
            Step::MemberCopy(member) => self.members[*member].copy()?,
            Step::MemberRestore(member) => {
                self.forget_look(&self.members[*member].file());
                self.coverage.tried("node restored from an older copy");
                if self.members[*member].restore()? {
                    self.coverage.took("node restored from an older copy");
                }
                touched.members.push(*member);
            }
            _ => {}
        }
        Ok(touched)
    }

    async fn replay(&mut self, tape: usize) -> Touched {
        let tape = self.tapes.swap_remove(tape);
        self.coverage.tried("request sent twice, old after new");
        if self.net.replay(tape.hub, &tape.sent).await {
            self.coverage.took("request sent twice, old after new");
        }
        let hubs = self.hubs.iter().filter(|hub| hub.address() == tape.hub);
        let members = 0..self.members.len();
        Touched {
            hubs: hubs.map(|hub| hub.number).collect(),
            members: members
                .filter(|member| address_of_member(*member) == tape.hub)
                .collect(),
            ..Touched::default()
        }
    }

    fn stick(&mut self, from: usize, to: usize, by_want: bool) -> Result<Touched, SimError> {
        let (bundle, want) = (self.dir().join("stick.wb"), self.dir().join("stick.want"));
        self.coverage.tried("bundle by stick");
        let mut touched = Touched {
            members: vec![from, to],
            ..Touched::default()
        };
        if by_want {
            self.members[to].want(&want)?;
        }
        let exported = self.members[from].export(&bundle, by_want.then_some(want.as_path()));
        if let Err(error) = exported {
            touched.told.push(format!("nothing is exported: {error}"));
            return Ok(touched);
        }
        self.note_head(from)?;
        let bytes = std::fs::read(&bundle).map_err(crate::error::files(&bundle))?;
        self.check_travels(&bytes, "a bundle");
        match self.members[to].import(&bundle) {
            Ok(imported) => {
                self.coverage.took("bundle by stick");
                for feed in imported.feeds.iter().filter(|feed| !feed.is_good()) {
                    let name = self.name_of(feed.origin.as_bytes());
                    let rule = feed.rule.map_or("", wb_core::rule::Rule::as_str);
                    touched
                        .told
                        .push(format!("the feed of {name}: {} {rule}", feed.outcome));
                }
            }
            Err(error) => touched.told.push(format!("nothing is imported: {error}")),
        }
        Ok(touched)
    }

    /// Members sync at the same time; some are cut off midway, and so may a hub be.
    async fn sync(
        &mut self,
        visits: &[Visit],
        crash: Option<HubCrash>,
    ) -> Result<Touched, SimError> {
        let crowd_chance = self.chance.fork(self.marks);
        for visit in visits {
            tried(&mut self.coverage, visit);
            self.net.set_break(visit.member, visit.breaks);
        }
        let ids: Vec<InstanceId> = self.hubs.iter().map(crate::hub::SimHub::id).collect();
        let peer_ids: Vec<InstanceId> = self.members.iter().map(|member| member.id).collect();
        let done: RefCell<Vec<(usize, Result<Exchange, NodeError>)>> = RefCell::default();
        let heads: RefCell<Vec<HeadSeen>> = RefCell::default();
        let crashed: Vec<Option<()>> = {
            let mut crowd = Crowd::new(crowd_chance);
            let mut members: Vec<Option<&mut crate::member::Member>> =
                self.members.iter_mut().map(Some).collect();
            for visit in visits {
                let member = members[visit.member].take();
                let member = member.expect("a member is visited once");
                let (done, heads) = (&done, &heads);
                let hubs = visit.hubs.iter().map(|hub| ids[*hub]);
                let peers = visit.peers.iter().map(|peer| peer_ids[*peer]);
                let with: Vec<InstanceId> = hubs.chain(peers).collect();
                crowd.add(visit.crash, async move {
                    for id in with {
                        let exchange = member.sync(id, visit.pull, visit.push).await;
                        done.borrow_mut().push((visit.member, exchange));
                        // What comes from one hub can change what is sealed before the next.
                        let head =
                            Look::open(&member.file()).and_then(|look| look.head(&member.id));
                        heads.borrow_mut().push((visit.member, head));
                    }
                });
            }
            if let Some(HubCrash { hub, after_ms }) = crash {
                let (net, address) = (&self.net, self.hubs[hub].address());
                crowd.add(None, async move {
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                    net.shut_door(address);
                });
            }
            crowd.await
        };
        let mut touched = Touched {
            members: visits
                .iter()
                .flat_map(|visit| std::iter::once(visit.member).chain(visit.peers.clone()))
                .collect(),
            hubs: (0..self.hubs.len()).collect(),
            told: Vec::new(),
        };
        if visits.len() > 1 {
            self.coverage.tried("syncs at the same time");
            self.coverage.took("syncs at the same time");
        }
        for (member, head) in heads.into_inner() {
            if let Some(head) = head? {
                self.note_sealed(member, head);
            }
        }
        for (visit, ended) in visits.iter().zip(&crashed) {
            self.net.set_break(visit.member, None);
            if ended.is_none() {
                touched
                    .told
                    .push(format!("node {} crashed", visit.member + 1));
                self.after_crash(visit)?;
            }
        }
        if let Some(HubCrash { hub, .. }) = crash {
            self.coverage.tried("hub crash");
            self.hubs[hub].crash().await;
            self.hubs[hub].start()?;
        }
        for (member, exchange) in done.into_inner() {
            let exchange = exchange?;
            self.after_exchange(member, &exchange, crash.is_some(), &mut touched);
            // Who came back with an older copy has forgotten it.
            let mut ended = visits.iter().zip(&crashed);
            if !ended.any(|(visit, end)| visit.member == member && visit.restores && end.is_none())
            {
                self.check_state(member, &exchange)?;
            }
        }
        for (_, what) in self.net.take_befallen() {
            self.coverage.took(fault_of(what));
        }
        Ok(touched)
    }

    fn after_crash(&mut self, visit: &Visit) -> Result<(), SimError> {
        self.coverage.took("node crash");
        // What it sealed before it ended counts, also where its databases are older afterwards.
        self.note_head(visit.member)?;
        if visit.restores {
            self.coverage.tried("node crash and restored");
            self.forget_look(&self.members[visit.member].file());
            if self.members[visit.member].restore()? {
                self.coverage.took("node crash and restored");
            }
            return Ok(());
        }
        self.members[visit.member].reopen()
    }

    fn after_exchange(
        &mut self,
        member: usize,
        exchange: &Exchange,
        hub_crashed: bool,
        touched: &mut Touched,
    ) {
        let hub = match self.hub_of(exchange.hub) {
            Some(hub) => hub.name.clone(),
            None => self.name_of(exchange.hub.as_bytes()),
        };
        let name = &self.members[member].name;
        let is_off = exchange.synced.clock_offset != 0;
        match &exchange.end {
            None => touched.told.push(format!("{name} synced with {hub}")),
            Some((cause, detail)) => touched
                .told
                .push(format!("{name} and {hub}: {} ({detail})", cause.as_str())),
        }
        for notice in &exchange.synced.notices {
            touched
                .told
                .push(format!("{name} is told: {}", notice.as_str()));
        }
        if is_off {
            let own = self.members[member].machine.ahead_ms() != 0;
            self.coverage.took(if own {
                "clock of a node wrong"
            } else {
                "clock of a hub wrong"
            });
        }
        match &exchange.end {
            Some((PeerCause::Unreachable, _)) if hub_crashed => {
                self.coverage.took("hub crash");
            }
            Some((PeerCause::TimedOut | PeerCause::Unreachable, detail))
                if detail.contains("connection was not accepted") =>
            {
                self.coverage.took("partition");
            }
            _ => {}
        }
        self.note_peer(exchange);
        self.note_noticed(member, exchange);
        self.check_exchange(member, exchange);
    }

    /// Counts what came of calling a peer.
    fn note_peer(&mut self, exchange: &Exchange) {
        if self.hub_of(exchange.hub).is_some() {
            return;
        }
        self.coverage.tried("sync with a peer");
        match &exchange.end {
            None => self.coverage.took("sync with a peer"),
            Some((PeerCause::Unreachable | PeerCause::TimedOut, _)) => {
                self.coverage.took("sync with a peer cut off");
            }
            Some(_) => {}
        }
        let tally = &exchange.synced.tally;
        let is_older = matches!(exchange.end, Some((PeerCause::OlderCopy, _)));
        if tally.own_is_ahead || is_older && tally.deltas > 0 {
            self.coverage.took("peer gives back what a node lost");
        }
    }

    /// Counts the lies that were told, and whether they were noticed at once.
    fn note_noticed(&mut self, member: usize, exchange: &Exchange) {
        let is_noticed = exchange.end.is_some()
            || !exchange.synced.tally.set_aside.is_empty()
            || !exchange.synced.notices.is_empty();
        let hubs = self.hubs.iter().filter(|hub| hub.id() == exchange.hub);
        let told: Vec<Lie> = hubs.flat_map(|hub| hub.tongue.take_told()).collect();
        for lie in &told {
            self.coverage.took(lie.name());
            self.coverage.tried("lie noticed in the same sync");
            if is_noticed {
                self.coverage.took("lie noticed in the same sync");
            }
        }
        if self.members[member].is_two_faced
            && matches!(
                &exchange.end,
                Some((
                    PeerCause::OwnIsAhead | PeerCause::OwnIsRefused | PeerCause::TwoCopies,
                    _
                ))
            )
        {
            self.coverage.took("cloned node (fork)");
        }
    }

    /// Keeps some of what was sent, to be sent again.
    pub fn keep_tapes(&mut self) {
        for tape in self.net.take_tapes() {
            self.check_travels(&tape.sent, "what a node sent");
            self.check_travels(&tape.received, "what a node received");
            if self.mood.replays && self.tapes.len() < TAPES_MAX {
                self.tapes.push(tape);
            }
        }
    }
}

fn tried(coverage: &mut Coverage, visit: &Visit) {
    if let Some(what) = visit.breaks {
        coverage.tried(fault_of(what));
    }
    if visit.crash.is_some() {
        coverage.tried("node crash");
    }
}

/// The fault that a break is.
fn fault_of(what: Break) -> &'static str {
    match what {
        Break::Refused => "connection refused",
        Break::SentBytes(_) => "connection lost going out",
        Break::ReceivedBytes(_) => "connection lost coming in",
        Break::Answer(_) => "answer lost after it took effect",
        Break::LateMs(..) => "answers late",
    }
}
