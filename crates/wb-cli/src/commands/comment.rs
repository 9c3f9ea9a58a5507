//! `wb comment`

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::scope::Scope;
use wb_node::ErrorKind;
use wb_node::Node;
use wb_node::command::comment_add::comment_add;
use wb_node::command::comment_publish::comment_publish;
use wb_node::command::comment_send::{Sending, comment_send, sending};
use wb_node::node::Actor;
use wb_node::query::comments;
use wb_node::query::letters::find_reply;

use crate::context::{self, Context};
use crate::output::{self, clean, clean_lines, short};

/// Comments on requests
#[derive(Debug, Subcommand)]
pub enum Comment {
    /// Answer a request, here or of another instance; what was shared with trusted peers only is answered by letter
    Add {
        /// The request: its id, enough of it, or ORIGIN/ID
        request: String,
        /// What to say
        #[arg(long)]
        body: String,
        /// How far it may go; `private` keeps an answer here that would go by letter
        #[arg(long)]
        scope: Option<Scope>,
        /// The name in a letter, where the profile is not shared or says another
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Show an answer that came by letter to those whom this community trusts
    Publish {
        /// The answer: its id in `wb comment list`, or enough of it
        answer: String,
    },
    /// List comments
    List {
        /// Only of this request
        request: Option<String>,
    },
}

#[derive(Serialize)]
struct Done {
    schema_version: u32,
    id: String,
    origin: String,
}

#[derive(Serialize)]
struct Sent {
    schema_version: u32,
    id: RecordId,
    origin: InstanceId,
    /// The one instance it goes to.
    letter_to: InstanceId,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: Comment) -> Result<ExitCode> {
    match command {
        Comment::Add {
            request,
            body,
            scope,
            name,
        } => {
            let (mut node, actor) = context.acting()?;
            let key = context::record(&node, &request)?;
            let by_letter = match scope {
                Some(Scope::Private) => None,
                _ => sending(&node, &actor, &key, &body, name.as_deref())?,
            };
            if let Some(shown) = by_letter {
                return send(context, &mut node, &actor, &key, &shown);
            }
            let scope = context.scope(scope, &node, &actor)?;
            let id = comment_add(&mut node, &actor, &key, &body, scope)?;
            tell_id(context, &node, &id)?;
            Ok(ExitCode::SUCCESS)
        }
        Comment::Publish { answer } => {
            let (mut node, actor) = context.acting()?;
            let letter = find_reply(&node, &answer)?;
            let id = comment_publish(&mut node, &actor, &letter)?;
            tell_id(context, &node, &id)?;
            context.say(
                "With the next publish or sync it goes to those whom this community trusts, with the name of who wrote it.",
            );
            Ok(ExitCode::SUCCESS)
        }
        Comment::List { request } => list(context, request).map(|()| ExitCode::SUCCESS),
    }
}

fn tell_id(context: &Context, node: &Node, id: &RecordId) -> Result<()> {
    if context.json() {
        return output::json(&Done {
            schema_version: 1,
            id: id.to_string(),
            origin: node.own_id().to_string(),
        });
    }
    output::line(id)
}

/// Sends an answer as a letter, once it was shown and agreed to.
fn send(
    context: &Context,
    node: &mut Node,
    actor: &Actor,
    request: &RecordRef,
    shown: &Sending,
) -> Result<ExitCode> {
    context.say(clean_lines(&shown.words()));
    if !context.confirm(&format!("Send it to {}?", clean(&shown.name)))? {
        context.say("Nothing was sent; --yes answers that with yes, and `--scope private` keeps the answer here.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    let id = comment_send(node, actor, request, shown)?;
    if context.json() {
        output::json(&Sent {
            schema_version: 1,
            id,
            origin: node.own_id(),
            letter_to: shown.to,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(id)?;
    context.say("It goes with the next sync; `wb inbox letters` says where it is.");
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context, request: Option<String>) -> Result<()> {
    let node = context.node()?;
    let key = request
        .map(|request| context::record(&node, &request))
        .transpose()?;
    let comments = comments::comments(&node, key)?;
    let columns = ["id", "author", "home", "scope", "letter", "text"];
    output::list(
        context,
        &comments,
        &columns,
        "No comments yet.",
        |comment| {
            let base = &comment.base;
            let letter = comment.letter.as_ref();
            vec![
                base.id.to_string(),
                base.author.clone(),
                base.home.clone(),
                base.scope.to_string(),
                letter.map_or_else(String::new, |letter| letter.state.to_owned()),
                short(&comment.body, 60),
            ]
        },
    )
}
