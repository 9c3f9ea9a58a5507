//! `wb record who`

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use wb_core::id::{InstanceId, RecordId};
use wb_node::query::letters::letters_of_record;
use wb_node::query::who::{HolderState, HolderView, MoveView, who};
use wb_node::view::LetterState;

use crate::context::{self, Context};
use crate::output::{self, clean, count, short};

/// Characters of a name in a list.
const NAME_CHARS: usize = 40;

#[derive(Serialize)]
struct WhoJson {
    schema_version: u32,
    id: RecordId,
    feeds: Vec<FeedJson>,
    letters: Vec<LetterJson>,
}

/// To whom it went as a letter.
#[derive(Serialize)]
struct LetterJson {
    id: InstanceId,
    name: String,
    #[serde(flatten)]
    state: LetterState,
}

/// What a feed says of a record last, and who confirmed it.
#[derive(Serialize)]
pub struct FeedJson {
    scope: &'static str,
    seq: u64,
    at: String,
    action: &'static str,
    complete: bool,
    summary: String,
    holders: Vec<HolderJson>,
    nameless: Vec<NamelessJson>,
}

#[derive(Serialize)]
struct HolderJson {
    id: InstanceId,
    name: String,
    role: &'static str,
    state: &'static str,
    hidden: bool,
    at: Option<String>,
    by: Option<String>,
}

#[derive(Serialize)]
struct NamelessJson {
    hub: String,
    count: u64,
}

/// Names every known holder, with what it confirmed.
pub fn run(context: &Context, id: &str) -> Result<ExitCode> {
    let node = context.node()?;
    let key = context::record(&node, id)?;
    let moves = who(&node, &key)?.moves;
    let letters = letters_of_record(&node, &key.id)?;
    if context.json() {
        output::json(&WhoJson {
            schema_version: 1,
            id: key.id,
            feeds: moves.iter().map(json).collect(),
            letters: letters
                .into_iter()
                .map(|(id, name, state)| LetterJson { id, name, state })
                .collect(),
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    for (_, name, state) in &letters {
        let name = clean(&short(name, NAME_CHARS));
        output::line(format!("letter to {name}: {}", clean(&state.sentence)))?;
    }
    if moves.is_empty() && letters.is_empty() {
        output::line("Nobody but this community: it never left.")?;
    }
    for last in &moves {
        show(context, last)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One feed as JSON.
pub fn json(last: &MoveView) -> FeedJson {
    FeedJson {
        scope: last.scope.as_str(),
        seq: last.seq,
        at: last.at.to_string(),
        action: if last.is_put { "put" } else { "take back" },
        complete: last.is_complete(),
        summary: last.summary(),
        holders: last.holders.iter().map(holder).collect(),
        nameless: last
            .nameless
            .iter()
            .map(|(hub, count)| NamelessJson {
                hub: hub.clone(),
                count: *count,
            })
            .collect(),
    }
}

fn holder(view: &HolderView) -> HolderJson {
    HolderJson {
        id: view.id,
        name: view.name.clone(),
        role: view.role.as_str(),
        state: view.state.as_str(),
        hidden: view.state == HolderState::Hidden,
        at: view.at.map(|at| at.to_string()),
        by: view.by.clone(),
    }
}

/// One feed for people.
pub fn show(context: &Context, last: &MoveView) -> Result<()> {
    let done = if last.is_put {
        "sealed in"
    } else {
        "taken back from"
    };
    output::line(format!(
        "{done} the {} feed as number {}, {}",
        last.feed(),
        last.seq,
        last.at
    ))?;
    for view in &last.holders {
        output::line(format!("  {}", sentence(view)))?;
    }
    for (hub, more) in &last.nameless {
        let more = count(
            *more,
            "instance follows there and gave no receipt",
            "instances follow there and gave no receipt",
        );
        output::line(format!("  {}: {more}", clean(&short(hub, NAME_CHARS))))?;
    }
    context.say(last.summary());
    Ok(())
}

/// What is known of one holder.
pub fn sentence(view: &HolderView) -> String {
    let name = clean(&short(&view.name, NAME_CHARS));
    let at = match view.at {
        Some(at) => format!("; last heard of {at}"),
        None => "; never heard of".to_owned(),
    };
    let by = match &view.by {
        Some(by) => format!(" through {}", clean(&short(by, NAME_CHARS))),
        None => String::new(),
    };
    format!(
        "{:<11} {name} ({}) {}{at}{by}",
        view.state.as_str(),
        view.role.as_str(),
        view.words()
    )
}
