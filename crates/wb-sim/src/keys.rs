//! Keys over a life: a member changes its key, and one whose key somebody else has takes it back with its words.

use std::sync::Arc;

use wb_core::words::RecoveryWords;
use wb_node::NodeError;
use wb_node::command::key_recover::{Recover, fresh_words, gather, key_recover};
use wb_node::command::key_rotate::{Rotate, key_rotate};
use wb_node::keys::Behind;

use crate::error::SimError;
use crate::member::Member;
use crate::play::Touched;
use crate::world::World;

/// A member that puts another key in the place of its own.
pub const ROTATES: &str = "key rotated";
/// A key that somebody else has too, and that its owner takes back.
pub const RECOVERS: &str = "stolen key taken back";

impl Member {
    /// Puts another key in the place of its own.
    pub async fn rotate(&mut self) -> Result<(), NodeError> {
        let machine = Arc::clone(&self.machine);
        let node = self.node_mut();
        let rotating = async {
            let actor = node.actor(None)?;
            let input = Rotate {
                behind: &Behind::AsBefore,
                offline: false,
            };
            key_rotate(node, &actor, input).await.map(|_| ())
        };
        machine.drive(rotating).await?;
        // Databases of before do not know the key that lies beside them.
        self.forget_copy();
        Ok(())
    }

    /// Takes its key back; the newest publication that was sealed in its folder was the last good one.
    pub async fn recover(&mut self) -> Result<(), NodeError> {
        let machine = Arc::clone(&self.machine);
        let words = RecoveryWords::parse(&self.words)?;
        let node = self.node_mut();
        let recovering = async {
            let actor = node.actor(None)?;
            let gathered = gather(node).await?;
            let new_words = fresh_words();
            let input = Recover {
                words: &words,
                new_words: &new_words,
                last_good: gathered.suggested().map(|one| one.hash),
                gathered: &gathered,
                behind: Behind::AsBefore,
            };
            key_recover(node, &actor, &input)?;
            Ok::<_, NodeError>(new_words.text().to_string())
        };
        self.words = machine.drive(recovering).await?;
        self.forget_copy();
        self.has_recovered = true;
        Ok(())
    }
}

impl World {
    /// Rotates; what stands in the way is told.
    pub async fn rotate(&mut self, member: usize) -> Result<Touched, SimError> {
        self.coverage.tried(ROTATES);
        let done = self.members[member].rotate().await;
        if done.is_ok() {
            self.coverage.took(ROTATES);
        }
        Ok(Touched::member(member, done))
    }

    /// Takes the key of a member back: whoever else had it is out from here on.
    pub async fn recover(&mut self, member: usize) -> Result<Touched, SimError> {
        self.coverage.tried(RECOVERS);
        let done = self.members[member].recover().await;
        if done.is_ok() {
            self.coverage.took(RECOVERS);
            let id = self.members[member].id;
            for (number, other) in self.members.iter_mut().enumerate() {
                other.is_out |= number != member && other.id == id;
            }
        }
        Ok(Touched::member(member, done))
    }

    /// In the end some of those whose key contradicted itself take it back.
    pub async fn recover_in_the_end(&mut self, told: &mut Vec<String>) -> Result<(), SimError> {
        for member in 0..self.members.len() {
            if self.may_recover(member) && self.chance.percent(40) {
                let touched = self.recover(member).await?;
                told.push(format!("node {} takes its key back", member + 1));
                told.extend(touched.told);
            }
        }
        Ok(())
    }

    /// Whether a member is the owner of a key that contradicted itself, and has its newest databases.
    pub fn may_recover(&self, member: usize) -> bool {
        let it = &self.members[member];
        let mut before = self.members[..member].iter();
        let is_owner = !before.any(|other| other.id == it.id);
        is_owner && it.is_untrue() && !it.is_suspect
    }
}
