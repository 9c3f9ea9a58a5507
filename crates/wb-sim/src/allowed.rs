//! What may be otherwise in the end, and why: each as narrow as what the design promises, because whatever a check
//! lets go by, it never finds.

use wb_core::id::InstanceId;
use wb_core::sync::PeerCause;

use crate::error::SimError;
use crate::ledger::{Live, marks_in};
use crate::look::{Look, Marks};
use crate::member::Exchange;
use crate::world::World;

impl World {
    /// Whether a last sync may end like that. Everybody else's has to end well.
    pub fn may_end(&self, member: usize, exchange: &Exchange) -> Result<bool, SimError> {
        let Some((cause, detail)) = &exchange.end else {
            return Ok(true);
        };
        let it = &self.members[member];
        Ok(match cause {
            PeerCause::OlderCopy | PeerCause::OwnIsAhead => it.is_suspect || it.is_untrue(),
            // Whoever has the same key may have changed it.
            PeerCause::TwoCopies
            | PeerCause::OwnIsRefused
            | PeerCause::KeyRetired
            | PeerCause::NotRegistered => it.is_untrue(),
            PeerCause::NotProved => self.has_retired_key(member, exchange.hub)?,
            PeerCause::BadAnswer => self.carries_retired_key(member, exchange.hub, detail)?,
            _ => false,
        })
    }

    /// Notes who is not let in any more, or does not believe who answers: between those two nothing goes, and both are
    /// told. A copy is not let in because another retired its key, or because the hub does not know the key it has
    /// (nobody registers it again here); no other member is ever noted.
    pub fn note_shut_out(&mut self, member: usize, exchange: &Exchange) {
        let road = (member, exchange.hub);
        let is_shut_out = match &exchange.end {
            Some((PeerCause::KeyRetired | PeerCause::NotRegistered, _)) => {
                self.members[member].is_untrue()
            }
            Some((PeerCause::NotProved, _)) => true,
            _ => false,
        };
        if is_shut_out {
            self.shut_out.insert(road);
        } else {
            self.shut_out.remove(&road);
        }
    }

    /// Whether every road by which something of another comes to a member is shut, because another copy of either
    /// retired its key. What it holds then is what it held before: a retired key can do nothing.
    pub fn is_shut_out_of(&self, number: usize, other: usize, hubs: &[usize]) -> bool {
        let (id, of) = (self.members[number].id, self.members[other].id);
        let is_shut = |road: &(usize, InstanceId)| self.shut_out.contains(road);
        let at_hubs = hubs
            .iter()
            .all(|hub| is_shut(&(number, self.hubs[*hub].id())));
        let as_peer =
            !self.are_peers(number, other) || is_shut(&(number, of)) || is_shut(&(other, id));
        self.members[number].is_untrue() && at_hubs && as_peer
    }

    /// Whether who answers still has a key that another copy of it changed, and the caller knows the newer one.
    fn has_retired_key(&self, member: usize, with: InstanceId) -> Result<bool, SimError> {
        let known = self.look(&self.members[member].file())?.newest_key(&with)?;
        for peer in self.peers_of(member) {
            let peer = &self.members[peer];
            if peer.id == with && peer.is_untrue() {
                return Ok(self.look(&peer.file())?.newest_key(&with)? < known);
            }
        }
        Ok(false)
    }

    /// Whether an answer is about the feed of somebody who has a key that another copy of it changed, and who
    /// carries it was not told: it gives in good faith what nobody takes who knows the newer key.
    fn carries_retired_key(
        &self,
        member: usize,
        hub: InstanceId,
        detail: &str,
    ) -> Result<bool, SimError> {
        let Some(hub) = self.hub_of(hub) else {
            return Ok(false);
        };
        for of in &self.members {
            if !of.is_untrue() || !detail.contains(&of.id.to_string()) {
                continue;
            }
            let known = self
                .look(&self.members[member].file())?
                .newest_key(&of.id)?;
            if self.look(&hub.file())?.newest_key(&of.id)? < known {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is known of a member's records by whomever it can ask: hubs that are there, and the peers that it calls.
    pub fn told_of(&self, member: usize) -> Result<Marks, SimError> {
        let id = self.members[member].id;
        let hubs = (0..self.hubs.len()).filter(|hub| self.is_at(member, *hub));
        let hubs = hubs.map(|hub| self.hubs[hub].file());
        let peers = self.peers_of(member).map(|peer| self.members[peer].file());
        let mut told = Marks::new();
        for file in hubs.chain(peers) {
            for (record, mark) in self.look(&file)?.marks(&id)? {
                let known = told.entry(record).or_default();
                known.put = known.put.max(mark.put);
                known.taken_back = known.taken_back.max(mark.taken_back);
            }
        }
        Ok(told)
    }

    /// The marks of the requests of another that a member has to show: those that are live, but for what a settled
    /// copy gives that is below what it gave or took back before, where nobody whom it could ask had that any more.
    /// Whoever saw it hides the older words: they may have been taken back for a reason.
    pub fn should_show(
        &self,
        look: &Look,
        other: usize,
        live: &Live,
    ) -> Result<Vec<String>, SimError> {
        let of = &self.members[other];
        let seen = look.marks(&of.id)?;
        let is_outdone = |id: &[u8], rev: i64| {
            let is_seen = seen.get(id).is_some_and(|mark| mark.outdoes(rev));
            let was_told = of.told.get(id).is_some_and(|mark| mark.outdoes(rev));
            // Seen there, and sealed by its origin: a mark that somebody else made hides nothing.
            of.is_settled && is_seen && self.seals.past(other, id).outdoes(rev) && !was_told
        };
        let mut marks = Vec::new();
        for (id, line) in live {
            let request = line.line.as_ref().filter(|bytes| is_request(bytes));
            if let Some(bytes) = request.filter(|_| !is_outdone(id, line.rev)) {
                marks.extend(marks_in(bytes));
            }
        }
        marks.sort_unstable();
        Ok(marks)
    }
}

fn is_request(line: &[u8]) -> bool {
    let value: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
    value.get("kind").and_then(serde_json::Value::as_str) == Some("request")
}
