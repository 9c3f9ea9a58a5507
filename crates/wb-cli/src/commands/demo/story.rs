//! What is shown, step by step.

use anyhow::{Result, ensure};
use wb_core::id::RecordRef;
use wb_core::scope::Scope;
use wb_node::command::comment_add::comment_add;
use wb_node::command::record_share::record_unshare;
use wb_node::entropy;
use wb_node::plan::plan;
use wb_node::query::requests;

use super::world::{HUB_NAME, World};
use super::{Narrator, Summary};
use crate::output::count;

const NORTH: usize = 0;
const SOUTH: usize = 1;
const EAST: usize = 2;

/// Tells the story and does it.
pub fn tell(shown: &Narrator<'_>, world: &mut World) -> Result<Summary> {
    shown.step("Three communities are founded and filled, and a hub is started")?;
    for side in &world.sides {
        let filled = &side.filled;
        shown.line(&format!(
            "   {:<14} {} members, {} requests, {} comments, {} invites",
            side.node.name(),
            filled.members,
            filled.requests,
            filled.comments,
            filled.invites
        ))?;
    }
    shown.line(&format!("   {HUB_NAME:<14} {}", world.hub_base()))?;

    shown.step("North looks at what would leave")?;
    let preview = plan(&world.sides[NORTH].node, entropy::now())?;
    let stays: u64 = preview.tally.stays.values().sum();
    let leaves = count(preview.puts.len() as u64, "record", "records");
    shown.line(&format!("   {leaves} would leave"))?;
    for (cause, n) in &preview.tally.stays {
        shown.line(&format!("   {n} stay home: {}", cause.sentence()))?;
    }

    shown.step("All three join the hub, publish, and take what the others chose to share")?;
    let (north_published, south_received) = exchange(shown, world)?;

    shown.step("South answers, and North has it with its next sync")?;
    let request = RecordRef {
        origin: world.sides[NORTH].node.own_id(),
        id: world.sides[NORTH].filled.public_request,
    };
    let north_received = answer(shown, world, &request)?;

    shown.step("Nothing new costs one round trip")?;
    let again = world.sync(EAST)?;
    let again = if again.tally.is_empty() {
        again
    } else {
        world.sync(EAST)?
    };
    shown.line(&format!(
        "   East asked once: {} bytes out, {} back",
        again.traffic.sent, again.traffic.received
    ))?;

    shown.step("What moved and what stayed home, by looking at the bytes")?;
    let (public, private) = look(shown, world)?;

    shown.step("North takes the request back")?;
    let taken_back = take_back(world, &request)?;
    shown.line("   with the next sync it is gone from the others' pages, and from their files and the hub's")?;
    ensure!(taken_back, "words that were taken back are still in a file");

    Ok(Summary {
        schema_version: 1,
        folder: world
            .hub_dir
            .parent()
            .map(|dir| dir.display().to_string())
            .unwrap_or_default(),
        kept: true,
        hub: world.hub_base(),
        north_published,
        north_stayed_home: stays,
        south_received,
        north_received,
        round_trips_with_nothing_new: again.round_trips,
        taken_back,
        private_words_found_elsewhere: private,
        public_words_found_elsewhere: public,
    })
}

fn exchange(shown: &Narrator<'_>, world: &mut World) -> Result<(u64, u64)> {
    for side in 0..world.sides.len() {
        world.join(side)?;
    }
    let mut published = Vec::new();
    for side in 0..world.sides.len() {
        published.push(world.sync(side)?.pushed.records);
    }
    let mut received = Vec::new();
    for (side, sealed) in published.iter().enumerate() {
        let synced = world.sync(side)?;
        let held = world.sides[side].node.store().served().feeds()?;
        let own = world.sides[side].node.own_id();
        let others = held.iter().filter(|feed| feed.held.origin != own);
        let taken: u64 = others.map(|feed| feed.live_n).sum();
        shown.line(&format!(
            "   {:<14} gave {}, and has {} of the others ({} on the way)",
            world.sides[side].node.name(),
            count(*sealed, "record", "records"),
            count(taken, "record", "records"),
            count(synced.traffic.received, "byte", "bytes"),
        ))?;
        received.push(taken);
    }
    Ok((published[NORTH], received[SOUTH]))
}

fn answer(shown: &Narrator<'_>, world: &mut World, request: &RecordRef) -> Result<u64> {
    let actor = world.sides[SOUTH].actor()?;
    comment_add(
        &mut world.sides[SOUTH].node,
        &actor,
        request,
        "We can help with this from across the canal.",
        Scope::Public,
    )?;
    world.sync(SOUTH)?;
    let received = world.sync(NORTH)?.tally.new;
    let title = requests::request(&world.sides[NORTH].node, request)?;
    shown.line(&format!(
        "   “{}” has {} at North now",
        title.title,
        count(title.comments, "comment", "comments")
    ))?;
    ensure!(received > 0, "South's answer did not arrive at North");
    Ok(received)
}

/// Looks for words of North in the files of everybody else, the hub included.
fn look(shown: &Narrator<'_>, world: &mut World) -> Result<(usize, usize)> {
    let filled = &world.sides[NORTH].filled;
    let elsewhere = [
        &world.hub_dir,
        &world.sides[SOUTH].dir,
        &world.sides[EAST].dir,
    ];
    let (mut public, mut private) = (0, 0);
    for dir in elsewhere {
        let files = &mut world.looked_into;
        public += files.files_with(dir, filled.must_leave)?;
        private += files.files_with(dir, filled.must_stay)?;
        private += files.files_with(dir, filled.unnamed_handle)?;
    }
    shown.line(&format!(
        "   public words  “{}”: in {public} files away from North",
        filled.must_leave
    ))?;
    shown.line(&format!(
        "   private words “{}”: in {private} files away from North",
        filled.must_stay
    ))?;
    ensure!(
        private == 0,
        "private words left North: this must never happen, please report it"
    );
    ensure!(public > 0, "public words did not arrive");
    Ok((public, private))
}

fn take_back(world: &mut World, request: &RecordRef) -> Result<bool> {
    let north = &world.sides[NORTH];
    let author = north.node.store().local(&request.id)?;
    let author = author.and_then(|record| record.author);
    let accounts = north.node.store().private().accounts()?;
    let handle = accounts
        .into_iter()
        .find(|account| Some(account.user) == author)
        .map(|account| account.handle);
    let actor = north.node.actor(handle.as_deref())?;
    record_unshare(&north.node, &actor, request)?;
    for side in [NORTH, SOUTH, EAST] {
        world.sync(side)?;
    }
    let words = world.sides[NORTH].filled.must_leave;
    let mut left = 0;
    for dir in [
        &world.hub_dir,
        &world.sides[SOUTH].dir,
        &world.sides[EAST].dir,
    ] {
        left += world.looked_into.files_with(dir, words)?;
    }
    let shown = [SOUTH, EAST]
        .iter()
        .any(|side| requests::request(&world.sides[*side].node, request).is_ok());
    Ok(left == 0 && !shown)
}
