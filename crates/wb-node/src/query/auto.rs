//! How often a peer is synced with by itself, and when next.

use std::time::Duration;

use wb_core::sync::{Role, next_sync};
use wb_store::Peer;

use crate::command::hub_register::state_of;
use crate::command::publish_for_callers::callers;
use crate::error::Result;
use crate::node::Node;
use crate::query::peers::goes_by_itself;
use crate::service::runs_every;
use crate::view::AutoView;

/// How often, and when next.
///
/// # Errors
/// What the store reports.
pub fn auto_view(node: &Node, peer: &Peer) -> Result<AutoView> {
    let chosen = node.store.intervals()?.get(&peer.id).copied();
    let running = runs_every(node.store.home());
    let of_minutes = |minutes| Duration::from_secs(60 * minutes);
    let every = chosen.map(of_minutes).or(running).unwrap_or_default();
    let goes = goes_by_itself(node, peer)?;
    let now = node.now();
    let next = next_sync(&state_of(peer, now), every, now).filter(|_| goes && running.is_some());
    let minutes = match every.as_secs() {
        60 => "every minute".to_owned(),
        seconds if seconds < 60 => format!("every {seconds} seconds"),
        seconds => format!("every {} minutes", seconds / 60),
    };
    let calls_here = peer.role == Role::Node && peer.address.is_empty();
    let sentence = match (goes, every.is_zero(), next) {
        (false, _, _) if calls_here => "not by itself: it calls this instance".to_owned(),
        (false, _, _) => "not by itself: it is paused or refused".to_owned(),
        (true, true, _) => "by hand".to_owned(),
        (true, false, Some(next)) if next <= now => format!("{minutes}, next at once"),
        (true, false, Some(next)) => format!("{minutes}, next at {next}"),
        (true, false, None) => format!("{minutes} while `wb up` runs, which it does not now"),
    };
    Ok(AutoView {
        chosen_minutes: chosen,
        every_minutes: Some(every.as_secs().div_ceil(60)).filter(|minutes| *minutes > 0),
        next,
        sentence,
    })
}

/// The shortest time between two syncs with any peer, or that any peer calls this node for, while a program that syncs by
/// itself runs here. None where nothing goes by itself.
///
/// # Errors
/// What the store reports.
pub(crate) fn shortest(node: &Node) -> Result<Option<Duration>> {
    let Some(running) = runs_every(node.store.home()) else {
        return Ok(None);
    };
    let (chosen, callers) = (node.store.intervals()?, callers(node, Some(running))?);
    let mut shortest: Option<Duration> = None;
    for peer in node.store.peers()? {
        let minutes = chosen.get(&peer.id);
        let every = minutes.map_or(running, |minutes| Duration::from_secs(60 * minutes));
        let goes = goes_by_itself(node, &peer)? || callers.contains(&peer.id);
        if goes && !every.is_zero() {
            shortest = Some(shortest.map_or(every, |shortest| shortest.min(every)));
        }
    }
    Ok(shortest)
}
