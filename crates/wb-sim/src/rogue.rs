//! A key that signs what it should not: a delta made by hand, with one thing wrong in it.
//!
//! It is made from what its member seals honestly at that moment, so that everything else in it is right.
//! No hub may take it; and who signed it has contradicted itself from then on.

use std::sync::Arc;

use wb_core::bundle::Writer;
use wb_core::entry::Entry;
use wb_core::feed::Header;
use wb_core::id::{Hash, InstanceId, PublicKey};
use wb_core::line::Line;
use wb_core::merkle;
use wb_core::scope::{FeedScope, Scope};
use wb_core::signed::{self, Signer};
use wb_core::sync::Pushed;
use wb_node::Node;
use wb_node::sync::{SyncEnd, connect};

use crate::chance::Chance;
use crate::error::{SimError, files};
use crate::ledger::mark;
use crate::play::Touched;
use crate::world::World;

/// What is wrong in a delta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Its number skips one.
    Seq,
    /// It follows a header that is not there.
    Prev,
    /// The root is not of its entries.
    Root,
    /// The digest is not of what is live then.
    Live,
    /// It drops a line that is not live.
    Drops,
}

impl Wrong {
    /// Everything that can be wrong.
    pub const ALL: &[Self] = &[Self::Seq, Self::Prev, Self::Root, Self::Live, Self::Drops];

    /// Its name in the table of faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seq => "origin signs a wrong seq",
            Self::Prev => "origin signs a wrong prev",
            Self::Root => "origin signs a wrong root",
            Self::Live => "origin signs a wrong live",
            Self::Drops => "origin signs wrong drops",
        }
    }
}

/// A delta as it is sent.
struct Delta {
    header: Vec<u8>,
    items: Vec<Vec<u8>>,
}

impl Delta {
    /// The newest delta of an own public feed.
    fn newest(node: &Node) -> Result<Option<Self>, SimError> {
        let served = node.store().served();
        let headers = served.all_headers(&node.own_id(), FeedScope::Public)?;
        let Some(header) = headers.unwrap_or_default().pop() else {
            return Ok(None);
        };
        let items = served.items(&header)?;
        Ok(Some(Self {
            header: header.line,
            items,
        }))
    }

    /// Puts something wrong into it, and signs it anew; none where there is nothing to put it in.
    fn spoil(mut self, wrong: Wrong, signer: &Signer, chance: &mut Chance) -> Option<Self> {
        let mut random = [0; 32];
        chance.fill(&mut random);
        let (mut header, _) = Header::read(&self.header).ok()?;
        match wrong {
            Wrong::Seq => header.seq += 1,
            Wrong::Prev => header.prev = header.prev.map(|_| Hash(random)),
            Wrong::Root => header.root = Hash(random),
            Wrong::Live => header.live = Hash(random),
            Wrong::Drops => {
                self.drop_another(Hash(random))?;
                header.root = self.root()?;
                header.bytes = self.line_bytes();
            }
        }
        // The first delta of a log has no header before it.
        (header.seq > 0).then_some(())?;
        self.header = signer.sign(signed::HEADER, &signed::payload(&header));
        Some(self)
    }

    /// Lets a record that is new drop a line that nobody has.
    fn drop_another(&mut self, hash: Hash) -> Option<()> {
        let drops = format!("\"drops\":\"{hash}\"");
        let item = self.items.iter_mut().find(|item| {
            let text = String::from_utf8_lossy(item);
            !Entry::starts(item) && text.contains("\"drops\":null")
        })?;
        let text = std::str::from_utf8(item).ok()?;
        *item = text.replacen("\"drops\":null", &drops, 1).into_bytes();
        Some(())
    }

    fn root(&self) -> Option<Hash> {
        let mut leaves = Vec::new();
        for item in &self.items {
            leaves.push(if Entry::starts(item) {
                item.clone()
            } else {
                Entry::of_line(&Line::read(item).ok()?).to_bytes()
            });
        }
        Some(merkle::root(&leaves))
    }

    fn line_bytes(&self) -> u64 {
        let lines = self.items.iter().filter(|item| !Entry::starts(item));
        lines.map(|line| line.len() as u64 + 1).sum()
    }

    fn body(&self, origin: InstanceId) -> Vec<u8> {
        let section = Writer::deltas(origin, FeedScope::Public, 1, self.items.len() as u64);
        let mut body = Vec::new();
        for line in [&section, &self.header].into_iter().chain(&self.items) {
            body.extend_from_slice(line);
            body.push(b'\n');
        }
        body
    }
}

/// The key of a node, read from its file.
fn signer(node: &Node) -> Result<Signer, SimError> {
    let path = node.store().home().signing_key();
    let text = std::fs::read_to_string(&path).map_err(files(&path))?;
    // A seed has the form of a public key.
    let seed: PublicKey = text.trim().parse().expect("a key file holds 64 hex digits");
    Ok(Signer::from_seed(&seed.0.into()))
}

async fn send(node: &Node, hub: InstanceId, body: Vec<u8>) -> Result<Pushed, SyncEnd> {
    let peer = node.store().peer(&hub)?.expect("it is registered there");
    let mut hub = connect(node, &peer)?;
    Ok(hub.push(body).await?)
}

impl World {
    /// Signs a wrong delta with the key of a member, and gives it to a hub before the true one.
    pub async fn rogue(
        &mut self,
        member: usize,
        hub: usize,
        wrong: Wrong,
    ) -> Result<Touched, SimError> {
        let mut touched = Touched {
            members: vec![member],
            hubs: vec![hub],
            told: Vec::new(),
        };
        let number = self.next_mark();
        let by = &mut self.members[member];
        by.ask(&mark(member, number), Scope::Public)?;
        if let Err(error) = by.publish() {
            touched.told.push(error.to_string());
            return Ok(touched);
        }
        let mut chance = self.chance.fork(number);
        let node = by.node();
        let signer = signer(node)?;
        let wrong_one =
            Delta::newest(node)?.and_then(|delta| delta.spoil(wrong, &signer, &mut chance));
        let Some(wrong_one) = wrong_one else {
            touched
                .told
                .push("there is nothing to put it in".to_owned());
            return Ok(touched);
        };
        self.coverage.tried(wrong.name());
        let id = self.hubs[hub].id();
        let sending = send(node, id, wrong_one.body(node.own_id()));
        let machine = Arc::clone(&by.machine);
        let answer = machine.drive(sending).await;
        self.members[member].is_two_faced = true;
        self.members[member].has_recovered = false;
        self.note_head(member)?;
        match answer {
            Ok(pushed) => {
                self.coverage.took(wrong.name());
                self.coverage.tried("wrong delta refused");
                for feed in pushed.feeds {
                    let rule = feed.rule.unwrap_or_default();
                    touched.told.push(format!("{} {rule}", feed.outcome));
                    if feed.outcome == "refused" {
                        self.coverage.took("wrong delta refused");
                    }
                    if feed.outcome == "append" {
                        let what = format!("a hub took what {}", wrong.name());
                        self.fail("no wrong delta is taken", what);
                    }
                }
            }
            Err(end) => touched.told.push(format!("{end:?}")),
        }
        Ok(touched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_in_the_table() {
        for wrong in Wrong::ALL {
            assert!(crate::FAULTS.contains(&wrong.name()));
        }
        for lie in crate::lie::Lie::ALL {
            assert!(crate::FAULTS.contains(&lie.name()));
        }
    }
}
