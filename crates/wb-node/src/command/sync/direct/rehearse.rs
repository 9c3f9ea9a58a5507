//! What a sync would do: everything is taken in one transaction that is dropped.

use std::time::Duration;

use wb_core::sync::Next;
use wb_core::want::Held;
use wb_net::PeerClient;
use wb_store::Write;

use super::{EXCHANGES_MAX, Ended, Running, not_taken, too_much};
use crate::command::sync::{SyncInput, waiting};
use crate::direct::quota::WAITING_BYTES_MAX;
use crate::direct::take::Taker;
use crate::direct::want::confirmed;
use crate::node::Node;
use crate::plan::plan;
use crate::sync::spool::Spool;
use crate::sync::{OnProgress, sealed_and_lacking};

impl Running {
    /// Rehearses: everything is fetched first, because others wait for the transaction.
    pub(super) async fn rehearse_direct(
        &mut self,
        node: &Node,
        client: &mut PeerClient,
        input: SyncInput,
        first: Vec<u8>,
        progress: OnProgress<'_>,
    ) -> Ended<()> {
        let mut answer = self.read(client, &first)?;
        let own = confirmed(&answer.want, &node.own_id());
        // All in one file, however many bundles there are, with the lines of each.
        let mut spool = Spool::new(node.store.home().dir())?;
        let mut bundles: Vec<u64> = Vec::new();
        let mut from = None;
        let mut goes_on = input.pull;
        while goes_on {
            let bundle = self.whole(node, client, &mut answer).await?;
            bundles.push(append(&mut spool, bundle)?);
            if spool.bytes() > WAITING_BYTES_MAX {
                return Err(too_much());
            }
            let Some(after @ Next::Deltas { seq, .. }) = answer.next else {
                break;
            };
            // One that sends round in a circle is left there.
            if from.is_some_and(|from| seq <= from) {
                break;
            }
            from = Some(seq);
            progress(bundles.len() as u64, bundles.len() as u64);
            let body = client
                .exchange(self.want(node)?, Some(after), Duration::ZERO)
                .await?;
            answer = self.read(client, &body)?;
            goes_on = bundles.len() < EXCHANGES_MAX;
        }
        if input.pull {
            let write = node.store.write_in_sight()?;
            write.remember_shown()?;
            let mut bundles = bundles.into_iter();
            let mut left = bundles.next().unwrap_or(0);
            let mut taker = Taker::new(&write, self.taking(node, None));
            spool.each(|line| -> Ended<()> {
                while left == 0 {
                    let next = Taker::new(&write, self.taking(node, None));
                    let whole = std::mem::replace(&mut taker, next);
                    self.count(&whole.finish().map_err(not_taken)?);
                    left = bundles.next().unwrap_or(u64::MAX);
                }
                left -= 1;
                Ok(taker.push(line)?)
            })?;
            self.count(&taker.finish().map_err(not_taken)?);
            self.preview(node, &write)?;
        }
        self.preview_push(node, input, &own)
    }

    pub(super) fn preview(&mut self, node: &Node, write: &Write<'_>) -> Ended<()> {
        self.done.changed = write.changed_since()?;
        self.done.waiting = waiting(node)?;
        Ok(())
    }

    pub(super) fn preview_push(
        &mut self,
        node: &Node,
        input: SyncInput,
        own: &[Held],
    ) -> Ended<()> {
        if input.push {
            self.done.plan = Some(plan(node, node.now())?);
            self.done.lacking = sealed_and_lacking(node, own)?;
        }
        Ok(())
    }
}

/// Puts the lines of one bundle behind those that wait; gives how many.
fn append(spool: &mut Spool, bundle: Spool) -> Ended<u64> {
    let mut lines = 0;
    let mut with_end = Vec::new();
    bundle.each(|line| -> Ended<()> {
        lines += 1;
        with_end.clear();
        with_end.extend_from_slice(line);
        with_end.push(b'\n');
        Ok(spool.put(&with_end)?)
    })?;
    Ok(lines)
}
