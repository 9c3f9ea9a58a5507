//! `wb review`

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_node::Node;
use wb_node::command::review::{Decision, review_account, review_origin};
use wb_node::query::review::review;

use crate::context::Context;
use crate::output::{self, clean};

/// People and communities that wait for a decision
#[derive(Debug, Subcommand)]
pub enum Review {
    /// List who waits
    List,
    /// Let a person in, or show what a community shares
    Accept {
        /// The handle of a person, or the name or id of a community
        who: String,
    },
    /// Turn a person away, or never show what a community shares
    Refuse {
        /// The handle of a person, or the name or id of a community
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
        Review::List => return list(context, &node),
        Review::Accept { who } => (who, Decision::Accept),
        Review::Refuse { who } => (who, Decision::Refuse),
    };
    let waiting = review(&node)?;
    let person = waiting
        .accounts
        .iter()
        .find(|account| account.handle.eq_ignore_ascii_case(&who));
    match person {
        Some(person) => drop(review_account(&node, &actor, &person.user, decision)?),
        None => {
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
    Ok(())
}

fn list(context: &Context, node: &Node) -> Result<()> {
    let waiting = review(node)?;
    let people = waiting.accounts.into_iter().map(|account| Row {
        schema_version: 1,
        what: "person",
        id: account.user.to_string(),
        name: account.handle,
        since: account.since.to_string(),
        records: 0,
        sample: Vec::new(),
    });
    let communities = waiting.origins.into_iter().map(|origin| Row {
        schema_version: 1,
        what: "community",
        id: origin.id.to_string(),
        name: origin.name,
        since: origin.since.to_string(),
        records: origin.records.values().sum(),
        sample: origin.sample,
    });
    let rows: Vec<Row> = people.chain(communities).collect();
    let columns = ["what", "name", "since", "records held", "id"];
    output::list(
        context,
        &rows,
        &columns,
        "Nobody waits for a decision.",
        |row| {
            vec![
                row.what.to_owned(),
                clean(&row.name),
                row.since.clone(),
                row.records.to_string(),
                row.id.clone(),
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
