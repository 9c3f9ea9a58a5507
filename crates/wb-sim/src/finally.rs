//! What holds in the end: faults stop, everybody syncs some times, and then everybody has the same.

use std::time::Duration;

use wb_core::sync::{HEADS_EVERY_MS, PeerCause};
use wb_node::query::inbox::inbox;
use wb_node::query::status::status;
use wb_node::view::InboxView;
use wb_store::Store;

use crate::always::hex;
use crate::error::SimError;
use crate::ledger::marks_in;
use crate::look::{FORKED, HeldFeed, Look, WITHOUT_WORDS};
use crate::member::Exchange;
use crate::play::Touched;
use crate::world::World;

/// Times everybody syncs at most: to give and take, to answer what came, and for what that changed. It ends
/// earlier with a round in which nothing moved.
const ROUNDS: usize = 5;
/// Time between two rounds: long enough that nothing sent before the first is still on its way.
const REST: Duration = Duration::from_secs(600);
/// After this, heads are compared whatever the cursor says.
const A_DAY: Duration = Duration::from_millis(HEADS_EVERY_MS.unsigned_abs());

impl World {
    /// Ends every fault, lets everybody sync, and looks at everything.
    pub async fn finish(&mut self, told: &mut Vec<String>) -> Result<(), SimError> {
        self.net.heal();
        self.end_lies(told);
        self.recover_in_the_end(told).await?;
        // What a hub kept back of somebody who is silent since is found when heads are compared anew.
        tokio::time::sleep(A_DAY).await;
        self.settle_copies(told).await?;
        for round in 0..ROUNDS {
            tokio::time::sleep(REST).await;
            let mut has_moved = false;
            for member in 0..self.members.len() {
                for hub in 0..self.hubs.len() {
                    has_moved |= self.last_sync(member, hub, round, told).await?;
                }
                let peers: Vec<usize> = self.peers_of(member).collect();
                for peer in peers {
                    has_moved |= self.last_exchange(member, peer, round, told).await?;
                }
            }
            if !self.failures.is_empty() {
                return Ok(());
            }
            if !has_moved {
                break;
            }
        }
        let everybody = Touched {
            members: (0..self.members.len()).collect(),
            hubs: (0..self.hubs.len()).collect(),
            told: Vec::new(),
        };
        self.check_touched(&everybody)?;
        for member in 0..self.members.len() {
            self.check_equal(member)?;
        }
        for hub in 0..self.hubs.len() {
            self.check_hub_has_all(hub)?;
        }
        for member in 0..self.members.len() {
            self.check_told(member)?;
            self.check_sound(member)?;
        }
        Ok(())
    }

    /// Hubs that lied are honest from now on, or out of reach. Members whose every hub is gone have nobody
    /// to be equal through.
    fn end_lies(&mut self, told: &mut Vec<String>) {
        for number in 0..self.hubs.len() {
            if !self.hubs[number].lies {
                continue;
            }
            self.hubs[number].tongue.set_lie(None);
            if self.hubs.len() > 1 && self.chance.percent(50) {
                self.hubs[number].leave();
                self.gone.insert(number);
                told.push(format!("{} is gone", self.hubs[number].name));
            }
        }
    }

    /// Whoever is an older copy of itself takes its history back, and goes on without a fork.
    async fn settle_copies(&mut self, told: &mut Vec<String>) -> Result<(), SimError> {
        for member in 0..self.members.len() {
            let of = &self.members[member];
            if !of.is_suspect || of.is_two_faced {
                continue;
            }
            let told_of = self.told_of(member)?;
            let of = &mut self.members[member];
            of.told = told_of;
            self.coverage.tried("older copy settled");
            if of.settle().await? {
                self.coverage.took("older copy settled");
                told.push(format!("{} is settled", of.name));
                self.note_head(member)?;
            }
        }
        Ok(())
    }

    /// A sync without faults; in the last round it has to end well. Returns whether anything moved.
    async fn last_sync(
        &mut self,
        member: usize,
        hub: usize,
        round: usize,
        told: &mut Vec<String>,
    ) -> Result<bool, SimError> {
        if !self.is_at(member, hub) {
            return Ok(false);
        }
        let (id, name) = (self.hubs[hub].id(), self.hubs[hub].name.clone());
        let exchange = self.members[member].sync(id, true, true).await?;
        let is_forgotten = matches!(exchange.end, Some((PeerCause::NotRegistered, _)));
        let has_moved = self.after_last(member, &name, &exchange, round, told)?;
        if is_forgotten && !self.members[member].is_untrue() {
            // What its operator would do on reading that.
            self.members[member].register(&self.hubs[hub]).await?;
        }
        Ok(has_moved)
    }

    /// The same with a peer.
    async fn last_exchange(
        &mut self,
        member: usize,
        peer: usize,
        round: usize,
        told: &mut Vec<String>,
    ) -> Result<bool, SimError> {
        let (id, name) = (self.members[peer].id, self.members[peer].name.clone());
        let exchange = self.members[member].sync(id, true, true).await?;
        self.after_last(member, &name, &exchange, round, told)
    }

    /// Looks at how a last sync ended. Returns whether anything moved.
    fn after_last(
        &mut self,
        member: usize,
        with: &str,
        exchange: &Exchange,
        round: usize,
        told: &mut Vec<String>,
    ) -> Result<bool, SimError> {
        self.note_head(member)?;
        self.check_exchange(member, exchange);
        self.note_shut_out(member, exchange);
        let name = &self.members[member].name;
        let has_moved =
            !exchange.synced.tally.is_empty() || exchange.synced.pushed.deltas > 0 || round == 0;
        let Some((cause, detail)) = &exchange.end else {
            return Ok(has_moved);
        };
        let what = format!("{name} and {with}: {} ({detail})", cause.as_str());
        told.push(format!("round {}: {what}", round + 1));
        if *cause == PeerCause::NotRegistered && !self.members[member].is_untrue() {
            return Ok(true);
        }
        let may_end = self.may_end(member, exchange)?;
        if !may_end && round + 1 == ROUNDS {
            self.fail("without faults everybody syncs", what);
        }
        // Who may not give any more takes all the same, and then nothing moves.
        Ok(has_moved || !may_end)
    }

    /// Whether a member is registered at a hub that is there.
    pub fn is_at(&self, member: usize, hub: usize) -> bool {
        !self.gone.contains(&hub)
            && !self.members[member].is_out
            && self.members[member].hubs().contains(&self.hubs[hub].id())
    }

    /// A hub has of every member what that member has itself.
    fn check_hub_has_all(&mut self, hub: usize) -> Result<(), SimError> {
        let look = self.look(&self.hubs[hub].file())?;
        for member in 0..self.members.len() {
            let of = &self.members[member];
            if !self.is_at(member, hub) || of.is_suspect || of.is_untrue() {
                continue;
            }
            let own = self.look(&of.file())?.feed(&of.id)?;
            let there = look.feed(&of.id)?;
            let (own, there) = (own.and_then(|f| f.head), there.and_then(|f| f.head));
            if own != there {
                let (name, of) = (self.hubs[hub].name.clone(), of.name.clone());
                self.fail(
                    "in the end everybody has the same",
                    format!("{name} does not have the head of {of}"),
                );
            }
        }
        Ok(())
    }

    /// A member has of everybody it follows what that one has itself, and shows it.
    fn check_equal(&mut self, number: usize) -> Result<(), SimError> {
        let look = self.look(&self.members[number].file())?;
        self.check_all_sealed(number, &look)?;
        for other in 0..self.members.len() {
            let hubs: Vec<usize> = (0..self.hubs.len())
                .filter(|hub| self.is_at(number, *hub) && self.is_at(other, *hub))
                .collect();
            let at: Vec<_> = hubs.iter().map(|hub| self.hubs[*hub].id()).collect();
            let (member, of) = (&self.members[number], &self.members[other]);
            let is_told = member.ledger.follows(&of.id, &at) || self.are_peers(number, other);
            if other == number || of.is_untrue() || of.is_out || !is_told {
                continue;
            }
            if self.is_shut_out_of(number, other, &hubs) {
                continue;
            }
            let wrong = self.differs(&look, number, other, &hubs)?;
            if let Some(wrong) = wrong {
                let (name, of) = (self.members[number].name.clone(), of.name.clone());
                self.fail(
                    "in the end everybody has the same",
                    format!("{name} of {of}: {wrong}"),
                );
            }
        }
        Ok(())
    }

    /// How what a member has of another differs from what that one has itself.
    fn differs(
        &self,
        look: &Look,
        number: usize,
        other: usize,
        hubs: &[usize],
    ) -> Result<Option<String>, SimError> {
        let (member, of) = (&self.members[number], &self.members[other]);
        let held = look.feed(&of.id)?;
        let seq = held.as_ref().and_then(|feed| feed.seq);
        let place = held.as_ref().map(HeldFeed::place);
        if of.is_suspect {
            // It gives nothing any more: then it is what a hub has. One that withheld the last cannot be told
            // from one that had no more.
            for hub in hubs.iter().filter(|hub| !self.hubs[**hub].lies) {
                let there = self.look(&self.hubs[*hub].file())?.feed(&of.id)?;
                if there.map(|feed| feed.place()) > place {
                    return Ok(Some("less than a hub has".to_owned()));
                }
            }
        } else {
            let own = self.look(&of.file())?.feed(&of.id)?;
            let (own, held) = (
                own.and_then(|f| f.head),
                held.as_ref().and_then(|f| f.head.clone()),
            );
            if own != held {
                return Ok(Some(format!("not the head it has itself (delta {seq:?})")));
            }
        }
        let live = look.live(of.id.as_bytes())?;
        if let Some((id, _)) = live.iter().find(|(_, line)| line.line.is_none()) {
            return Ok(Some(format!("the words of {} are missing", hex(id))));
        }
        let is_approved = hubs.iter().any(|hub| {
            let lists = &member.ledger.follows;
            let list = lists.get(&self.hubs[*hub].id());
            list.is_some_and(|list| list.named.contains(&of.id))
        });
        if !is_approved {
            return Ok(None);
        }
        let shown = look.shown()?;
        let requests = shown
            .iter()
            .filter(|row| row.origin == of.id.as_bytes() && row.kind == "request");
        let mut shown: Vec<String> = requests
            .flat_map(|row| marks_in(row.body.as_bytes()))
            .collect();
        shown.sort_unstable();
        let should = self.should_show(look, other, &live)?;
        Ok((shown != should).then(|| format!("{shown:?} is shown, and should be {should:?}")))
    }

    /// What is marked is sealed, in the end.
    fn check_all_sealed(&mut self, number: usize, look: &Look) -> Result<(), SimError> {
        let member = &self.members[number];
        let is_alone = (0..self.hubs.len()).all(|hub| !self.is_at(number, hub));
        if member.is_suspect || member.is_settled || member.is_untrue() || is_alone {
            return Ok(());
        }
        let live = look.live(member.id.as_bytes())?;
        let unsealed = member.ledger.written.keys().find(|id| {
            let is_live = live.contains_key(&id.as_bytes()[..]);
            match member.ledger.leaves(id, member.id) {
                crate::ledger::Leaves::Yes => !is_live,
                crate::ledger::Leaves::No => is_live,
                crate::ledger::Leaves::IfParentShows => false,
            }
        });
        if let Some(id) = unsealed {
            let what = format!("{id} of {} is not as marked", member.name);
            self.fail("in the end what is marked is sealed", what);
        }
        Ok(())
    }

    /// Whatever is wrong in what is held of others stands in the inbox, under the name of its origin.
    fn check_told(&mut self, number: usize) -> Result<(), SimError> {
        let look = self.look(&self.members[number].file())?;
        let member = &self.members[number];
        let told = member.machine.run(|| inbox(member.node()))?;
        let own = member.id;
        let is_told = |origin: &[u8]| {
            let of = |view: &&InboxView| view.origin.is_some_and(|id| id.as_bytes() == origin);
            told.iter().any(|view| of(&view))
        };
        let anomalies = look.anomalies()?;
        // Nobody asks for the words of whom nobody follows: that they are missing was meant.
        let is_meant = |origin: &[u8], what: &str| {
            let of = self.member_of(origin).map(|of| of.id);
            what == WITHOUT_WORDS
                && of.is_some_and(|of| !member.ledger.follows(&of, &member.hubs()))
        };
        let anomalies = anomalies
            .iter()
            .filter(|(origin, what)| origin != own.as_bytes() && !is_meant(origin, what));
        let anomalies: Vec<_> = anomalies.collect();
        let mut untold = Vec::new();
        for (origin, what) in anomalies {
            if *what == FORKED {
                self.coverage.tried("fork told to an operator");
            }
            if !is_told(origin) {
                untold.push(format!("{} of {}", what, self.name_of(origin)));
            } else if *what == FORKED {
                self.coverage.took("fork told to an operator");
            }
        }
        if !untold.is_empty() {
            let what = format!(
                "{} has not in its inbox: {}",
                self.members[number].name,
                untold.join(", ")
            );
            self.fail("what is wrong is told", what);
        }
        Ok(())
    }

    /// `wb doctor` finds nothing, and a node that is an older copy says so.
    fn check_sound(&mut self, number: usize) -> Result<(), SimError> {
        let member = &self.members[number];
        let said = member.machine.run(|| status(member.node()))?.suspect;
        if said != member.is_suspect {
            let what = format!("{} says suspect: {said}", member.name);
            self.fail("what is wrong is told", what);
        }
        let member = &self.members[number];
        let mut store = Store::open(member.home())?;
        let mut problems = Vec::new();
        for finding in store.check()? {
            if !(member.is_suspect && finding.check == "guard against restored copies") {
                problems.extend(finding.problems);
            }
        }
        if !problems.is_empty() {
            let what = format!("{}: {}", member.name, problems.join("; "));
            self.fail("the doctor finds nothing", what);
        }
        Ok(())
    }
}
