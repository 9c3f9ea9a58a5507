//! What holds in the end: faults stop, everybody syncs some times, and then everybody has the same.

use std::time::Duration;

use wb_core::sync::PeerCause;
use wb_node::query::status::status;
use wb_store::Store;

use crate::always::hex;
use crate::error::SimError;
use crate::ledger::{Live, marks_in};
use crate::look::Look;
use crate::play::Touched;
use crate::world::World;

/// Times everybody syncs: once to give and take, once to answer what came, and once for what that changed.
const ROUNDS: usize = 4;
/// Time between two rounds: long enough that nothing sent before the first is still on its way.
const REST: Duration = Duration::from_secs(600);

impl World {
    /// Ends every fault, lets everybody sync, and looks at everything.
    pub async fn finish(&mut self, told: &mut Vec<String>) -> Result<(), SimError> {
        self.net.heal();
        for round in 0..ROUNDS {
            tokio::time::sleep(REST).await;
            for member in 0..self.members.len() {
                for hub in 0..self.hubs.len() {
                    self.last_sync(member, hub, round, told).await?;
                }
            }
            if !self.failures.is_empty() {
                return Ok(());
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
            self.check_sound(member)?;
        }
        Ok(())
    }

    /// A sync without faults; in the last round it has to end well.
    async fn last_sync(
        &mut self,
        member: usize,
        hub: usize,
        round: usize,
        told: &mut Vec<String>,
    ) -> Result<(), SimError> {
        let id = self.hubs[hub].id();
        if !self.members[member].hubs().contains(&id) {
            return Ok(());
        }
        let exchange = self.members[member].sync(id, true, true).await?;
        self.note_head(member)?;
        self.check_exchange(member, &exchange);
        let (name, hub_name) = (&self.members[member].name, &self.hubs[hub].name);
        let Some((cause, detail)) = &exchange.end else {
            return Ok(());
        };
        let what = format!("{name} and {hub_name}: {} ({detail})", cause.as_str());
        told.push(format!("round {}: {what}", round + 1));
        if *cause == PeerCause::NotRegistered {
            // What its operator would do on reading that.
            self.members[member].register(&self.hubs[hub]).await?;
            return Ok(());
        }
        let may_end = match cause {
            PeerCause::OlderCopy | PeerCause::OwnIsAhead => {
                self.members[member].is_suspect || self.members[member].is_cloned
            }
            PeerCause::OwnIsRefused => self.members[member].is_cloned,
            _ => false,
        };
        if !may_end && round + 1 == ROUNDS {
            self.fail("without faults everybody syncs", what);
        }
        Ok(())
    }

    /// Whether a member is registered at a hub.
    fn is_at(&self, member: usize, hub: usize) -> bool {
        self.members[member].hubs().contains(&self.hubs[hub].id())
    }

    /// A hub has of every member what that member has itself.
    fn check_hub_has_all(&mut self, hub: usize) -> Result<(), SimError> {
        let look = Look::open(&self.hubs[hub].file())?;
        for member in 0..self.members.len() {
            let of = &self.members[member];
            if !self.is_at(member, hub) || of.is_suspect || of.is_cloned {
                continue;
            }
            let own = Look::open(&of.file())?.feed(&of.id)?;
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
        let look = Look::open(&self.members[number].file())?;
        self.check_all_sealed(number, &look)?;
        for other in 0..self.members.len() {
            let hubs: Vec<usize> = (0..self.hubs.len())
                .filter(|hub| self.is_at(number, *hub) && self.is_at(other, *hub))
                .collect();
            let at: Vec<_> = hubs.iter().map(|hub| self.hubs[*hub].id()).collect();
            let (member, of) = (&self.members[number], &self.members[other]);
            if other == number || of.is_cloned || !member.ledger.follows(&of.id, &at) {
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
        if of.is_suspect {
            // It gives nothing any more: then it is what a hub has.
            for hub in hubs {
                let there = Look::open(&self.hubs[*hub].file())?.feed(&of.id)?;
                if there.and_then(|feed| feed.seq) > seq {
                    return Ok(Some("less than a hub has".to_owned()));
                }
            }
        } else {
            let own = Look::open(&of.file())?.feed(&of.id)?;
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
        let should = request_marks(&live);
        Ok((shown != should).then(|| format!("{shown:?} is shown, and should be {should:?}")))
    }

    /// What is marked is sealed, in the end.
    fn check_all_sealed(&mut self, number: usize, look: &Look) -> Result<(), SimError> {
        let member = &self.members[number];
        if member.is_suspect || member.is_cloned {
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

/// The marks of the requests that are live.
fn request_marks(live: &Live) -> Vec<String> {
    let lines = live.values().filter_map(|line| line.line.as_ref());
    let requests = lines.filter(|line| {
        let value: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
        value.get("kind").and_then(serde_json::Value::as_str) == Some("request")
    });
    let mut marks: Vec<String> = requests.flat_map(|line| marks_in(line)).collect();
    marks.sort_unstable();
    marks
}
