//! `wb session`

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use wb_node::command::session::{session_approve, session_deny};
use wb_node::query::sessions::sessions;

use crate::context::Context;
use crate::output::{self, clean};

/// Browsers that use the pages
#[derive(Debug, Subcommand)]
pub enum Session {
    /// List browsers that wait to be let in, and your own
    List,
    /// Let in the browser that shows a code
    Approve {
        /// The handle it waits under
        handle: String,
        /// The code it shows
        code: String,
    },
    /// Send away the browser that shows a code
    Deny {
        /// The handle it waits under
        handle: String,
        /// The code it shows
        code: String,
    },
}

#[derive(Serialize)]
struct Done<'a> {
    schema_version: u32,
    handle: &'a str,
    browser: String,
    done: &'static str,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: Session) -> Result<()> {
    let (node, actor) = context.acting()?;
    let (handle, row, done) = match command {
        Session::List => {
            let rows = sessions(&node, &actor)?;
            let columns = ["handle", "state", "browser", "since", "last used"];
            return output::list(
                context,
                &rows,
                &columns,
                "No browser is in, and none waits.",
                |row| {
                    vec![
                        clean(&row.handle),
                        row.state.to_owned(),
                        clean(&row.browser),
                        row.since.to_string(),
                        row.seen_at.to_string(),
                    ]
                },
            );
        }
        Session::Approve { handle, code } => {
            let row = session_approve(&node, &actor, &handle, &code)?;
            (handle, row, "let in")
        }
        Session::Deny { handle, code } => {
            let row = session_deny(&node, &actor, &handle, &code)?;
            (handle, row, "sent away")
        }
    };
    if context.json() {
        return output::json(&Done {
            schema_version: 1,
            handle: &handle,
            browser: row.label,
            done,
        });
    }
    context.say(format!(
        "{}: {done} as {}.",
        clean(&row.label),
        clean(&handle)
    ));
    Ok(())
}
