//! `wb review`

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use wb_core::id::{InstanceId, RecordId};
use wb_node::command::review::{Decision, review_account, review_fallen, review_origin};
use wb_node::command::share_all::{answer, asked};
use wb_node::plan::headline;
use wb_node::query::invited::{InvitedView, invited_of};
use wb_node::query::review::{AccountWaits, review};
use wb_node::query::trust::vouches_for;
use wb_node::{Actor, Node, NodeError};
use wb_store::AgreementAnswer;

use crate::context::Context;
use crate::output::{self, clean};

/// People and communities that wait for a decision
#[derive(Debug, Subcommand)]
pub enum Review {
    /// List who waits, and which own records one is asked to let go further
    List,
    /// Let a person in, show what a community shares, or let an own record go as far as is asked
    Accept {
        /// The handle of a person, the name or id of a community, or the id of an own record
        who: String,
        /// Approve a community as a steward: whom it vouches for that far may be offered what is for trusted peers
        #[arg(long)]
        steward: bool,
    },
    /// Turn a person away, never show what a community shares, or leave an own record as it is
    Refuse {
        /// The handle of a person, the name or id of a community, or the id of an own record
        who: String,
    },
    /// Go on showing what was shown of a community that fell; what comes later waits
    Keep {
        /// The name or id of the community
        who: String,
    },
    /// Show nothing any more of a community that fell
    Hide {
        /// The name or id of the community
        who: String,
    },
}

#[derive(Serialize)]
struct Row {
    schema_version: u32,
    what: &'static str,
    id: String,
    name: String,
    since: String,
    records: u64,
    sample: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invited: Option<InvitedView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
struct Done<'a> {
    schema_version: u32,
    who: &'a str,
    done: &'static str,
    vouch_taken_back: bool,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: Review) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let (who, decision) = match command {
        Review::List => return list(context, &node, &actor),
        Review::Accept {
            who,
            steward: false,
        } => (who, Decision::Accept),
        Review::Accept { who, steward: true } => (who, Decision::Steward),
        Review::Refuse { who } => (who, Decision::Refuse),
        Review::Keep { who } => return fallen(context, &node, &actor, &who, true),
        Review::Hide { who } => return fallen(context, &node, &actor, &who, false),
    };
    let waiting = review(&node)?;
    let person = waiting
        .accounts
        .iter()
        .find(|account| account.handle.eq_ignore_ascii_case(&who));
    let own: Option<RecordId> = who.parse().ok();
    if decision == Decision::Steward && (own.is_some() || person.is_some()) {
        return Err(NodeError::Refused(
            "only a community is approved as a steward; nothing was changed".to_owned(),
        )
        .into());
    }
    let mut vouch_taken_back = false;
    match (own, person) {
        (Some(record), _) => {
            let said = match decision {
                Decision::Accept | Decision::Steward => AgreementAnswer::Agreed,
                Decision::Refuse => AgreementAnswer::Declined,
            };
            answer(&node, &actor, &record, said)?;
        }
        (None, Some(person)) => drop(review_account(&node, &actor, &person.user, decision)?),
        (None, None) => {
            let origin = community(&node, &who)?;
            vouch_taken_back = decision == Decision::Refuse && vouches_for(&node, &origin)?;
            review_origin(&mut node, &actor, origin, decision)?;
        }
    }
    let done = match decision {
        Decision::Accept => "accepted",
        Decision::Steward => "accepted as a steward",
        Decision::Refuse => "refused",
    };
    if context.json() {
        return output::json(&Done {
            schema_version: 1,
            who: &who,
            done,
            vouch_taken_back,
        });
    }
    context.say(format!("{}: {done}.", clean(&who)));
    if vouch_taken_back {
        context.say("What this instance vouched for it is taken back, with the next publish, sync or export.");
    }
    if let Some(person) = person {
        follows(context, &node, person, decision)?;
    }
    Ok(())
}

/// What was shown of a community that fell: it stays, or goes.
fn fallen(context: &Context, node: &Node, actor: &Actor, who: &str, keep: bool) -> Result<()> {
    let origin = community(node, who)?;
    review_fallen(node, actor, origin, keep)?;
    let done = if keep { "kept" } else { "hidden" };
    if context.json() {
        return output::json(&Done {
            schema_version: 1,
            who,
            done,
            vouch_taken_back: false,
        });
    }
    let says = if keep {
        "what was shown stays, and what came later waits"
    } else {
        "nothing of it is shown"
    };
    context.say(format!("{}: {says}.", clean(who)));
    Ok(())
}

/// Says what else comes of a decision about somebody who came by an invite of another community.
fn follows(
    context: &Context,
    node: &Node,
    person: &AccountWaits,
    decision: Decision,
) -> Result<()> {
    let invited = invited_of(node, &person.user)?;
    match (decision, invited) {
        (Decision::Accept, Some(invited)) if invited.state == "asked" => context.say(format!(
            "Nothing that they write leaves until {} counted the invitation they came by.",
            clean(&invited.home)
        )),
        (Decision::Refuse, _) if person.is_in => context.say(
            "They wait outside again, and what they wrote is still here. Refusing once more forgets the account.",
        ),
        _ => {}
    }
    Ok(())
}

fn list(context: &Context, node: &Node, actor: &Actor) -> Result<()> {
    let waiting = review(node)?;
    let people = waiting.accounts.into_iter().map(|account| Row {
        schema_version: 1,
        what: "person",
        id: account.user.to_string(),
        name: account.handle,
        since: account.since.to_string(),
        records: 0,
        sample: Vec::new(),
        level: None,
        invited: account.invited,
        why: None,
    });
    let communities = waiting.origins.into_iter().map(|origin| Row {
        schema_version: 1,
        what: "community",
        id: origin.id.to_string(),
        name: origin.name,
        since: origin.since.to_string(),
        records: origin.records.values().sum(),
        sample: origin.sample,
        level: Some(origin.level),
        invited: None,
        why: Some(origin.why),
    });
    let fallen = waiting.fallen.into_iter().map(|one| Row {
        schema_version: 1,
        what: "fallen",
        id: one.id.to_string(),
        name: one.name,
        since: one.since.to_string(),
        records: one.records,
        sample: Vec::new(),
        level: Some(one.level),
        invited: None,
        why: Some(one.why),
    });
    let mut rows: Vec<Row> = people.chain(communities).chain(fallen).collect();
    for asked in asked(node, &actor.user)? {
        let record = node.store().local(&asked.record)?;
        let text = record.map(|record| headline(record.kind.as_str(), &record.body));
        rows.push(Row {
            schema_version: 1,
            what: "record",
            id: asked.record.to_string(),
            name: text.unwrap_or_default(),
            since: asked.at.to_string(),
            records: 1,
            sample: vec![format!("to go as far as: {}", asked.scope)],
            level: None,
            invited: None,
            why: None,
        });
    }
    let columns = [
        "what",
        "name",
        "since",
        "records held",
        "level",
        "why",
        "id",
        "invited",
    ];
    output::list(
        context,
        &rows,
        &columns,
        "Nobody waits for a decision.",
        |row| {
            let invited = row.invited.as_ref();
            let invited = invited.map_or("", |invited| invited.sentence.as_str());
            vec![
                row.what.to_owned(),
                clean(&row.name),
                row.since.clone(),
                row.records.to_string(),
                row.level
                    .map_or_else(String::new, |level| level.to_string()),
                clean(row.why.as_deref().unwrap_or_default()),
                row.id.clone(),
                clean(invited.trim_start_matches("invited ")),
            ]
        },
    )
}

/// A community by its id, its name, or the start of its id.
fn community(node: &Node, who: &str) -> Result<InstanceId> {
    use wb_node::command::follow::{Target, read_target};
    let (_, target) = read_target(node, who)?;
    match target {
        Target::Instance(id) => Ok(id),
        Target::All => Err(NodeError::Refused(
            "one community is decided about at a time; name it".to_owned(),
        )
        .into()),
    }
}
