//! Letters in a sync: those that wait there are taken after the pull, those that wait here are given at the end.

use std::path::Path;

use wb_core::sync::PeerCause;
use wb_net::HubClient;

use super::Running;
use crate::direct::folder::{letter_file, read_sealed};
use crate::error::NodeError;
use crate::letters::{Exchanged, give, prepare, settle, take, take_waiting};
use crate::node::Node;
use crate::sealed::To;
use crate::sync::SyncEnd;

impl Running {
    /// Takes the letters that wait there.
    pub(super) async fn take_letters(
        &mut self,
        node: &Node,
        client: &mut HubClient,
    ) -> Result<(), SyncEnd> {
        let place = self.done.peer.id;
        let came = take_waiting(node, client, place, self.started).await?;
        self.count_letters(came);
        Ok(settle(node)?)
    }

    /// Nothing waits there any more: what was counted as left was taken, or is over.
    pub(super) fn no_letters_there(&self, node: &Node) -> Result<(), SyncEnd> {
        let place = self.done.peer.id;
        if !node.store.has_mail_left(&place).map_err(NodeError::from)? {
            return Ok(());
        }
        let write = node.store.write_in_sight()?;
        write
            .note_mail_left(&place, false, &[], self.started)
            .map_err(NodeError::from)?;
        Ok(write.commit().map_err(NodeError::from)?)
    }

    fn count_letters(&mut self, came: Exchanged) {
        let told = &mut self.done.letters;
        told.taken += came.taken;
        told.left += came.left;
        let rules = came.refused.into_iter().map(wb_core::rule::Rule::as_str);
        told.refused.extend(rules);
    }

    /// Seals the letters that wait, and gives them: to a hub all, to a node what is for it.
    pub(super) async fn give_letters(
        &mut self,
        node: &Node,
        client: &mut HubClient,
        to: To,
    ) -> Result<(), SyncEnd> {
        prepare(node, node.now())?;
        let gave = give(node, client, to).await?;
        self.done.letters.given += gave.kept;
        self.trouble = self.trouble.take().or(gave.trouble);
        Ok(())
    }

    /// Takes the letters that a peer left in a folder.
    pub(super) fn take_letter_file(&mut self, node: &Node, folder: &Path) -> Result<(), SyncEnd> {
        let path = letter_file(folder, self.done.peer.id, node.own_id());
        let found = match read_sealed(&path) {
            Ok(found) => found,
            Err(error) => {
                self.trouble = Some(SyncEnd::Peer(PeerCause::BadAnswer, error.to_string()));
                return Ok(());
            }
        };
        let mut came = Exchanged::default();
        for waiting in found {
            came.note(take(node, waiting.envelope.as_bytes(), &waiting.body.0)?);
        }
        self.count_letters(came);
        Ok(settle(node)?)
    }
}
