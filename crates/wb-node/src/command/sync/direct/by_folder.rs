//! Syncing through a folder: the same bundles as over the network, left there and taken from there.

use std::path::Path;

use wb_core::id::Hash;
use wb_core::scope::FeedScope;
use wb_core::sync::PeerCause;
use wb_store::Standing;

use super::{Ended, Running, is_later_log, live, not_taken, too_much};
use crate::command::publish::publish;
use crate::command::sync::SyncInput;
use crate::direct::folder;
use crate::direct::make::Delivery;
use crate::direct::quota::WAITING_BYTES_MAX;
use crate::direct::take::Taker;
use crate::direct::want::confirmed;
use crate::error::NodeError;
use crate::import::lines::{Lines, Next as NextLine};
use crate::node::{Actor, Node};
use crate::sealed::keys::note_keys;
use crate::sync::push::{Owed, lacking};
use crate::sync::spool::Spool;
use crate::sync::{OnProgress, SyncEnd, check_own};

impl Running {
    /// Takes what the other side left in a folder, and leaves ours.
    pub(super) fn by_folder(
        &mut self,
        node: &mut Node,
        actor: &Actor,
        input: SyncInput,
        path: &Path,
        progress: OnProgress<'_>,
    ) -> Ended<()> {
        let id = self.done.peer.id;
        if !path.is_dir() {
            return Err(SyncEnd::Peer(
                PeerCause::FolderMissing,
                path.display().to_string(),
            ));
        }
        let found = match folder::read_want(path, id) {
            Ok(found) => found,
            // Without its want it is given everything, and what it confirmed stands.
            Err(SyncEnd::Peer(cause, detail)) => {
                self.trouble = Some(SyncEnd::Peer(cause, detail));
                None
            }
            Err(end) => return Err(end),
        };
        if let Some(found) = &found {
            self.done.peer.acked = confirmed(&found.want, &node.own_id());
            if !input.dry_run {
                let now = node.now();
                let write = node.store.write()?;
                write.put_identity(&found.log, Standing::Waiting, now)?;
                write.commit()?;
            }
        }
        if input.pull {
            self.take_file(node, path, input, progress)?;
            if !input.dry_run {
                note_keys(node)?;
                self.take_sealed_file(node, path)?;
                self.take_letter_file(node, path)?;
            }
        }
        let acked = self.done.peer.acked.clone();
        if input.dry_run {
            self.preview_push(node, input, &acked)?;
            return self.trouble.take().map_or(Ok(()), Err);
        }
        self.check_ahead()?;
        if input.push {
            check_own(node, &acked)?;
            self.done.published = publish(node, actor)?.1;
            self.leave(node, path, found.map(|found| found.hash))?;
            self.seal_owed(node)?;
            self.done.envelopes.given += folder::leave_sealed(node, path, id)?;
            crate::letters::prepare(node, node.now())?;
            self.done.letters.given += folder::leave_letters(node, path, id)?;
        }
        folder::leave_want(node, path, Some(id))?;
        self.trouble.take().map_or(Ok(()), Err)
    }

    /// Takes the bundle in a folder, where there is one. What is wrong with it costs that file only.
    fn take_file(
        &mut self,
        node: &Node,
        path: &Path,
        input: SyncInput,
        progress: OnProgress<'_>,
    ) -> Ended<()> {
        let file = folder::bundle_file(path, self.done.peer.id, node.own_id());
        if !folder::is_plain(&file) {
            return Ok(());
        }
        let spooled = spool_file(node, &file);
        let push = |taker: &mut Taker<'_, '_>| -> Ended<()> {
            let mut number = 0;
            spooled?.each(|line| -> Ended<()> {
                number += 1;
                taker.push(line)?;
                progress(number, number);
                Ok(())
            })
        };
        let taken = if input.dry_run {
            let write = node.store.write_in_sight()?;
            write.remember_shown()?;
            let mut taker = Taker::new(&write, self.taking(node, None));
            push(&mut taker)
                .and_then(|()| taker.finish().map_err(not_taken))
                .and_then(|took| {
                    self.count(&took);
                    self.preview(node, &write)
                })
        } else {
            self.take_with(node, push)
        };
        match taken {
            Err(SyncEnd::Peer(cause, detail)) => {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                self.trouble = Some(SyncEnd::Peer(cause, format!("{name}: {detail}")));
                Ok(())
            }
            Err(SyncEnd::Local(error @ (NodeError::File { .. } | NodeError::TooLarge { .. }))) => {
                self.trouble = Some(SyncEnd::Peer(PeerCause::BadAnswer, error.to_string()));
                Ok(())
            }
            other => other,
        }
    }

    /// Leaves a bundle with what the peer lacks, or nothing where it lacks nothing.
    fn leave(&mut self, node: &Node, path: &Path, want: Option<Hash>) -> Ended<()> {
        let id = self.done.peer.id;
        let served = node.store.served();
        let owed = lacking(node, served, FeedScope::Public, &self.done.peer.acked)?;
        let headers = match &owed {
            Owed::Deltas(headers) if headers.is_empty() => {
                folder::remove_bundle(node, path, id);
                return Ok(());
            }
            Owed::Deltas(headers) if self.done.peer.acked.is_empty() && is_later_log(node)? => {
                let _ = headers;
                &[][..]
            }
            Owed::Deltas(headers) => headers.as_slice(),
            Owed::Whole => &[][..],
        };
        let delivery = if headers.is_empty() {
            Delivery::Whole
        } else {
            Delivery::Deltas(headers)
        };
        folder::leave_bundle(node, path, id, want, &delivery)?;
        let moved = crate::query::peers::moved(node, headers)?;
        self.done.pushed.deltas = (headers.len() as u64).max(1);
        self.done.pushed.records = moved.puts.len() as u64;
        self.done.pushed.retracts = moved.retracts.len() as u64;
        let given = headers.iter().map(wb_store::StoredHeader::place);
        self.done.pushed.sent.extend(given);
        if headers.is_empty() {
            self.done.pushed.records = live(node)?;
        }
        Ok(())
    }
}

/// Reads a file of a folder, before the database is written to: a stick may be slow, and others write meanwhile.
fn spool_file(node: &Node, file: &Path) -> Ended<Spool> {
    let mut spool = Spool::new(node.store.home().dir())?;
    let mut lines = Lines::open(file)?;
    let mut with_end = Vec::new();
    // A file that ends within a line lacks its end, which the driver tells.
    while let NextLine::Line(line) = lines.next(file)? {
        with_end.clear();
        with_end.extend_from_slice(line);
        with_end.push(b'\n');
        spool.put(&with_end)?;
        if spool.bytes() > WAITING_BYTES_MAX {
            return Err(too_much());
        }
    }
    Ok(spool)
}
