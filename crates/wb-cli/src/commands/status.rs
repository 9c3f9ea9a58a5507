//! `wb status`

use anyhow::Result;
use serde::Serialize;
use wb_node::query::backups::backup_state;
use wb_node::query::status::status;
use wb_node::view::{BackupState, InstanceView, StatusView};
use wb_node::{NodeError, entropy};
use wb_store::Home;
use wb_store::relay::{Relay, RelayCounts};

use super::registration::NAME_CHARS;
use crate::context::Context;
use crate::hub_store::noted_elsewhere;
use crate::output::{self, clean, count, heading};

/// The state of this node, and of the hub that it is.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    status: &'a StatusView,
    #[serde(skip_serializing_if = "Option::is_none")]
    hub: Option<HubShown>,
    /// Where the data of its hub are, where they are not in the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    hub_store: Option<String>,
    backup: BackupState,
}

/// How much the hub of this folder holds.
#[derive(Serialize)]
struct HubShown {
    /// Registrations, by standing.
    members: std::collections::BTreeMap<&'static str, u64>,
    /// Records that it relays.
    records: u64,
    /// The number of the newest arrival.
    newest_arrival: u64,
}

impl From<RelayCounts> for HubShown {
    fn from(counts: RelayCounts) -> Self {
        Self {
            records: counts.live.values().sum(),
            members: counts.members,
            newest_arrival: counts.arrivals,
        }
    }
}

/// The hub of this folder, where it is one.
fn hub(home: &Home) -> wb_node::Result<Option<HubShown>> {
    let path = home.hub();
    if !path.exists() {
        return Ok(None);
    }
    let relay = Relay::existing(&path).map_err(NodeError::from)?;
    let counts = relay.counts(entropy::now()).map_err(NodeError::from)?;
    Ok(Some(counts.into()))
}

fn show_hub(hub: &HubShown) -> Result<()> {
    let members = hub
        .members
        .iter()
        .map(|(standing, n)| format!("{n} {standing}"));
    output::line(format!(
        "hub here   {}; {} relayed; newest arrival {} (next: `wb hub list`)",
        join(members, "nobody registered"),
        count(hub.records, "record", "records"),
        hub.newest_arrival
    ))
}

/// Shows the state of this node.
pub fn run(context: &Context) -> Result<()> {
    let node = context.node()?.asking_for(context.settings()?.sync_kinds);
    let status = status(&node)?;
    if context.json() {
        return output::json(&Shown {
            status: &status,
            hub: hub(context.home())?,
            hub_store: noted_elsewhere(context.home()),
            backup: backup_state(&node)?,
        });
    }
    output::line(format!(
        "{}  {}",
        heading(context, &clean(&status.name)),
        status.id
    ))?;
    output::line(format!("folder     {}", status.home_dir))?;
    let kinds = status.records.iter().map(|(kind, n)| format!("{n} {kind}"));
    output::line(format!("records    {}", join(kinds, "none yet")))?;
    if status.drafts > 0 {
        output::line(format!(
            "drafts     {} (each member's own: `wb --as HANDLE request list --drafts`)",
            status.drafts
        ))?;
    }
    show_leaving(&status)?;
    if status.suspect {
        output::line(
            "publishing is off: this database is older than what this instance published last (next: `wb restore`)",
        )?;
    }
    if let Some(at) = status.closes_at {
        output::line(format!(
            "closing    with the first publish or sync from {at} on (back: `wb retire --undo`)"
        ))?;
    }
    if let Some(at) = status.closed_at {
        output::line(format!(
            "closed     {at}: nothing leaves any more; sync until every hub and peer has taken it back"
        ))?;
    }
    let backup = backup_state(&node)?;
    let next = if backup.needs_somebody() {
        " (next: `wb backup FILE`, or the setting backup.dir)"
    } else {
        ""
    };
    output::line(format!("backup     {}{next}", clean(&backup.sentence())))?;
    if let Some(store) = noted_elsewhere(context.home()) {
        output::line(format!(
            "hub here   its data are in {store} (next: `wb hub list`)"
        ))?;
    } else if let Some(hub) = hub(context.home())? {
        show_hub(&hub)?;
    }
    for peer in &status.peers {
        output::line(format!(
            "{:10} {}: {} (next: {}); {}",
            "hub",
            clean(&output::short(&peer.name, NAME_CHARS)),
            clean(&peer.sentence),
            peer.action,
            peer.by_itself
        ))?;
    }
    if status.instances.is_empty() {
        output::line(if status.peers.is_empty() {
            "others     none known. Nothing leaves this node until you publish, export or sync."
        } else {
            "others     none known. `wb join` with a hub's link shows who is there, also once more; `wb follow HUB/*` \
             takes everybody whom it lists."
        })?;
    }
    for instance in &status.instances {
        show_instance(context, instance)?;
    }
    if status.needs_newer_version > 0 {
        let records = count(status.needs_newer_version, "record needs", "records need");
        output::line(format!(
            "{records} a newer version of this program; they are kept and shown after an upgrade"
        ))?;
    }
    if status.not_asked_for > 0 {
        let records = count(status.not_asked_for, "record was", "records were");
        output::line(format!(
            "{records} not asked for (setting sync.kinds); `wb sync` fetches them once it names their kinds"
        ))?;
    }
    if status.lines_missing > 0 {
        let records = count(status.lines_missing, "record has", "records have");
        output::line(format!(
            "{records} not come with its words: whoever handed the feed on did not have them"
        ))?;
    }
    for held in &status.held {
        let why = held
            .rule
            .as_deref()
            .map(|rule| format!(", {rule}"))
            .unwrap_or_default();
        output::line(format!(
            "set aside: {} of {} ({}{why})",
            count(held.count, "delta", "deltas"),
            held.origin.short(),
            held.outcome
        ))?;
    }
    if status.contested > 0 {
        let requests = count(status.contested, "request", "requests");
        output::line(format!(
            "contested  {requests}: a home and those who help disagree (`wb conflict list` names each)"
        ))?;
    }
    if status.inbox > 0 {
        let things = count(status.inbox, "thing", "things");
        output::line(format!("inbox      {things} (`wb inbox` names each)"))?;
    }
    Ok(())
}

fn show_leaving(status: &StatusView) -> Result<()> {
    output::line(format!(
        "published  {}",
        count(status.published, "record", "records")
    ))?;
    let next = format!(
        "{} to seal, {} to take back",
        status.to_publish, status.to_retract
    );
    let how = if status.to_publish + status.to_retract > 0 {
        " (`wb publish --dry-run` lists them)"
    } else {
        ""
    };
    output::line(format!("next       {next}{how}"))?;
    let stays = status.stays.iter().map(|(cause, n)| format!("{n} {cause}"));
    output::line(format!(
        "stay home  {} (`wb record list --staying`)",
        join(stays, "none")
    ))
}

fn show_instance(context: &Context, instance: &InstanceView) -> Result<()> {
    let name = instance
        .name
        .as_deref()
        .map_or_else(|| instance.id.short(), clean);
    output::line(format!(
        "\n{}  {}  {}",
        heading(context, &name),
        instance.id,
        instance.standing
    ))?;
    let shown = instance.shown.iter().map(|(kind, n)| format!("{n} {kind}"));
    output::line(format!("  held     {}", join(shown, "nothing")))?;
    for (cause, n) in &instance.hidden {
        output::line(format!("  hidden   {n} {cause}"))?;
    }
    if let [hub] = instance.seen_through.as_slice() {
        output::line(format!(
            "  seen     through one hub only ({}): a second one would show what it leaves out",
            clean(&output::short(hub, NAME_CHARS))
        ))?;
    }
    for feed in &instance.feeds {
        let forked = if feed.forked {
            ", FORKED: held until its owner opens a new log"
        } else {
            ""
        };
        output::line(format!(
            "  feed     {} at {}, {} live{forked}",
            feed.scope, feed.seq, feed.live
        ))?;
    }
    Ok(())
}

fn join(parts: impl Iterator<Item = String>, none: &str) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        none.to_owned()
    } else {
        parts.join(", ")
    }
}
