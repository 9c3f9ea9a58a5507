//! `wb comment`

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use wb_core::scope::Scope;
use wb_node::command::comment_add::comment_add;
use wb_node::query::comments;

use crate::context::{self, Context};
use crate::output::{self, short};

/// Comments on requests
#[derive(Debug, Subcommand)]
pub enum Comment {
    /// Answer a request, here or of another instance
    Add {
        /// The request: its id, enough of it, or ORIGIN/ID
        request: String,
        /// What to say
        #[arg(long)]
        body: String,
        /// How far it may go
        #[arg(long)]
        scope: Option<Scope>,
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

/// Runs a command of this noun.
pub fn run(context: &Context, command: Comment) -> Result<()> {
    match command {
        Comment::Add {
            request,
            body,
            scope,
        } => {
            let (mut node, actor) = context.acting()?;
            let scope = context.scope(scope, &node, &actor)?;
            let key = context::record(&node, &request)?;
            let id = comment_add(&mut node, &actor, &key, &body, scope)?;
            if context.json() {
                let origin = node.own_id().to_string();
                return output::json(&Done {
                    schema_version: 1,
                    id: id.to_string(),
                    origin,
                });
            }
            output::line(id)
        }
        Comment::List { request } => {
            let node = context.node()?;
            let key = request
                .map(|request| context::record(&node, &request))
                .transpose()?;
            let comments = comments::comments(&node, key)?;
            let columns = ["id", "author", "home", "scope", "text"];
            output::list(
                context,
                &comments,
                &columns,
                "No comments yet.",
                |comment| {
                    let base = &comment.base;
                    vec![
                        base.id.to_string(),
                        base.author.clone(),
                        base.home.clone(),
                        base.scope.to_string(),
                        short(&comment.body, 60),
                    ]
                },
            )
        }
    }
}
