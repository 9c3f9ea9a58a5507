//! Sealed envelopes in a sync: those that wait there are taken after the pull, those that are owed are given at the end.

use std::path::Path;

use wb_core::sync::PeerCause;
use wb_net::HubClient;

use super::Running;
use crate::direct::folder::{read_sealed, sealed_file};
use crate::node::Node;
use crate::sealed::{Coming, Exchanged, To, give, prepare, take, take_waiting};
use crate::sync::SyncEnd;

impl Running {
    /// Takes the sealed envelopes that wait there.
    pub(super) async fn take_envelopes(
        &mut self,
        node: &Node,
        client: &mut HubClient,
    ) -> Result<(), SyncEnd> {
        let detail = self.done.peer.address.clone();
        let came = take_waiting(node, client, self.coming(&detail)).await?;
        self.count_envelopes(came);
        Ok(())
    }

    /// By whom and by which road they come.
    pub(super) fn coming<'d>(&self, detail: &'d str) -> Coming<'d> {
        Coming {
            peer: self.done.peer.id,
            road: self.road,
            detail,
            run_no: self.done.run_no,
            started: self.started,
        }
    }

    /// Counts what came sealed.
    pub(super) fn count_envelopes(&mut self, came: Exchanged) {
        self.done.run_no = came.run_no;
        self.done.tally.count(&came.changed);
        self.done.tally.deltas += came.feeds;
        let told = &mut self.done.envelopes;
        told.taken += came.taken;
        told.left += came.left;
        let rules = came.refused.into_iter().map(wb_core::rule::Rule::as_str);
        told.refused.extend(rules);
    }

    /// Seals what is owed, and gives it: to a hub everything, to a node what is for it.
    pub(super) async fn give_envelopes(
        &mut self,
        node: &mut Node,
        client: &mut HubClient,
        to: To,
    ) -> Result<(), SyncEnd> {
        self.seal_owed(node)?;
        let gave = give(node, client, to).await?;
        self.done.envelopes.given += gave.kept;
        self.trouble = self.trouble.take().or(gave.trouble);
        Ok(())
    }

    /// Seals what is owed.
    pub(super) fn seal_owed(&mut self, node: &Node) -> Result<(), SyncEnd> {
        let sealed = prepare(node, node.now())?;
        self.done.envelopes.blocked = sealed.blocked.len() as u64;
        self.done.envelopes.too_large = sealed.too_large.len() as u64;
        Ok(())
    }

    /// Takes the sealed envelopes that a peer left in a folder. A file that cannot be read costs itself.
    pub(super) fn take_sealed_file(&mut self, node: &Node, folder: &Path) -> Result<(), SyncEnd> {
        let path = sealed_file(folder, self.done.peer.id, node.own_id());
        let found = match read_sealed(&path) {
            Ok(found) => found,
            Err(error) => {
                self.trouble = Some(SyncEnd::Peer(PeerCause::BadAnswer, error.to_string()));
                return Ok(());
            }
        };
        let detail = self.done.peer.address.clone();
        for waiting in found {
            let line = waiting.envelope.as_bytes();
            let mut came = Exchanged {
                run_no: self.done.run_no,
                ..Exchanged::default()
            };
            let taken = take(node, line, &waiting.body.0, self.coming(&detail))?;
            came.note(taken);
            self.count_envelopes(came);
        }
        Ok(())
    }
}
