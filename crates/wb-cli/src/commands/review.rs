//! `wb review`

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use wb_core::id::{InstanceId, RecordId};
use wb_node::command::review::{Decision, review_account, review_origin};
use wb_node::command::share_all::{answer, asked};
use wb_node::plan::headline;
use wb_node::query::invited::{InvitedView, invited_of};
use wb_node::query::review::{AccountWaits, review};
use wb_node::{Actor, Node};
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
    },
    /// Turn a person away, never show what a community shares, or leave an own record as it is
    Refuse {
        /// The handle of a person, the name or id of a community, or the id of an own record
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
}

#[derive(Serialize)]
struct Done<'a> {
    schema_version: u32,
    who: &'a str,
    done: &'static str,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: Review) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let (who, decision) = match command {
        Review::List => return list(context, &node, &actor),
        Review::Accept { who } => (who, Decision::Accept),
        Review::Refuse { who } => (who, Decision::Refuse),
    };
    let waiting = review(&node)?;
    let person = waiting
        .accounts
        .iter()
        .find(|account| account.handle.eq_ignore_ascii_case(&who));
    let own: Option<RecordId> = who.parse().ok();
    match (own, person) {
        (Some(record), _) => {
            let said = match decision {
                Decision::Accept => AgreementAnswer::Agreed,
                Decision::Refuse => AgreementAnswer::Declined,
            };
            answer(&node, &actor, &record, said)?;
        }
        (None, Some(person)) => drop(review_account(&node, &actor, &person.user, decision)?),
        (None, None) => {
            let origin = community(&node, &who)?;
            review_origin(&mut node, &actor, origin, decision)?;
        }
    }
    let done = match decision {
        Decision::Accept => "accepted",
        Decision::Refuse => "refused",
    };
    if context.json() {
        return output::json(&Done {
            schema_version: 1,
            who: &who,
            done,
        });
    }
    context.say(format!("{}: {done}.", clean(&who)));
    if let Some(person) = person {
        follows(context, &node, person, decision)?;
    }
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
    });
    let mut rows: Vec<Row> = people.chain(communities).collect();
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
        });
    }
    let columns = [
        "what",
        "name",
        "since",
        "records held",
        "level",
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
        Target::All => Err(wb_node::NodeError::Refused(
            "one community is decided about at a time; name it".to_owned(),
        )
        .into()),
    }
}
