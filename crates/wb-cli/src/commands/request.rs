//! `wb request`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;
use wb_core::kinds::To;
use wb_core::leave::Stays;
use wb_core::scope::Scope;
use wb_node::ErrorKind;
use wb_node::command::follow::{Target, read_target};
use wb_node::command::helper::{helper_name, helper_withdraw};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::request_edit::request_edit;
use wb_node::command::status_say::{self, SpeaksAs, saying};
use wb_node::plan::reach;
use wb_node::query::requests::UNCONFIRMED_DAYS_LISTED;
use wb_node::query::{comments, drafts, requests};
use wb_node::view::{Base, RequestView};

use crate::context::{self, Context};
use crate::failure::Failure;
use crate::output::{self, clean, clean_lines, short};

/// Requests for help
#[derive(Debug, Subcommand)]
pub enum Request {
    /// Ask for help
    Add {
        /// In a few words
        #[arg(long)]
        title: String,
        /// In full
        #[arg(long)]
        description: String,
        /// How far it may go
        #[arg(long)]
        scope: Option<Scope>,
    },
    /// Change the words of an own request
    Edit {
        /// The request
        id: String,
        /// In a few words
        #[arg(long)]
        title: Option<String>,
        /// In full
        #[arg(long)]
        description: Option<String>,
    },
    /// List requests of this instance and of others
    List {
        /// Own drafts instead
        #[arg(long)]
        drafts: bool,
        /// Also those that their home has not confirmed for a month
        #[arg(long, conflicts_with = "drafts")]
        all: bool,
    },
    /// Show one request with its comments
    Show {
        /// The request: its id, enough of it, or ORIGIN/ID
        id: String,
    },
    /// Say that help was given
    Complete(Saying),
    /// Say that help is needed after all
    Reopen(Saying),
    /// Say that an own request is not needed any more
    Cancel(Saying),
    /// Let the word of another community count for where an own request stands
    Helper {
        /// The own request
        id: String,
        /// The community: its name or id
        instance: String,
        /// Let it count no more
        #[arg(long)]
        withdraw: bool,
    },
}

/// What is said of where a request stands.
#[derive(Debug, Args)]
pub struct Saying {
    /// The request: its id, enough of it, or ORIGIN/ID
    id: String,
    /// A word along with it
    #[arg(long)]
    note: Option<String>,
}

#[derive(Serialize)]
struct Done {
    schema_version: u32,
    id: String,
    origin: String,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    request: &'a RequestView,
    comment_list: &'a [wb_node::view::CommentView],
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: Request) -> Result<ExitCode> {
    let done = match command {
        Request::Add {
            title,
            description,
            scope,
        } => add(context, &title, &description, scope),
        Request::Edit {
            id,
            title,
            description,
        } => edit(context, &id, title.as_deref(), description.as_deref()),
        Request::List { drafts: true, .. } => list_drafts(context),
        Request::List { drafts: false, all } => list(context, all),
        Request::Show { id } => show(context, &id),
        Request::Complete(what) => return say(context, &what, To::Completed),
        Request::Reopen(what) => return say(context, &what, To::Open),
        Request::Cancel(what) => return say(context, &what, To::Cancelled),
        Request::Helper {
            id,
            instance,
            withdraw,
        } => helper(context, &id, &instance, withdraw),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn add(context: &Context, title: &str, description: &str, scope: Option<Scope>) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let scope = context.scope(scope, &node, &actor)?;
    let id = request_add(
        &mut node,
        &actor,
        &RequestAdd {
            title,
            description,
            scope,
        },
    )?;
    if context.json() {
        return output::json(&Done {
            schema_version: 1,
            id: id.to_string(),
            origin: node.own_id().to_string(),
        });
    }
    output::line(id)?;
    let record = node.store().local(&id)?;
    let is_provisional = match record {
        Some(record) => reach(&node, &record, node.now())? == Err(Stays::AuthorProvisional),
        None => false,
    };
    context.say(match scope {
        _ if is_provisional => {
            "Added; it stays on this node until the community whose invitation its author came by counted it."
        }
        Scope::Private => "Added; it stays on this node.",
        Scope::TrustedPeers => {
            "Added for trusted peers; it leaves sealed with the next publish, sync or export, to those that `wb peer trust` lists."
        }
        Scope::Public => "Added; it leaves with the next publish, sync or export.",
    });
    Ok(())
}

fn edit(context: &Context, id: &str, title: Option<&str>, description: Option<&str>) -> Result<()> {
    if title.is_none() && description.is_none() {
        return Err(
            Failure::usage("nothing to change", "give --title, --description or both").into(),
        );
    }
    let (node, actor) = context.acting()?;
    let key = context::record(&node, id)?;
    request_edit(&node, &actor, &key, title, description)?;
    finish(
        context,
        &node,
        &key,
        "Changed; what was shared before changes with the next publish, sync or export.",
    )
}

/// Says where a request stands; what follows from it before, where that is not plain. A claim is asked about.
fn say(context: &Context, what: &Saying, to: To) -> Result<ExitCode> {
    let (node, actor) = context.acting()?;
    let key = context::record(&node, &what.id)?;
    let saying = saying(&node, &actor, &key, to)?;
    context.say(clean_lines(&saying.words));
    let is_claim = saying.speaks_as == SpeaksAs::Claim;
    if is_claim && !context.confirm("Say it as a claim?")? {
        context.say("Nothing was said; --yes answers that with yes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    status_say::say(&node, &actor, &key, to, what.note.as_deref())?;
    let sentence = match (is_claim, to) {
        (true, _) => "Said, as a claim.",
        (false, To::Completed) => "Completed. Thank you for helping.",
        (false, To::Open) => "Open again.",
        (false, To::Cancelled) => "Cancelled.",
    };
    finish(context, &node, &key, sentence)?;
    Ok(ExitCode::SUCCESS)
}

fn helper(context: &Context, id: &str, who: &str, withdraw: bool) -> Result<()> {
    let (node, actor) = context.acting()?;
    let key = context::record(&node, id)?;
    let Target::Instance(instance) = read_target(&node, who)?.1 else {
        return Err(Failure::usage(
            "one community is named at a time",
            "give its name or its id",
        )
        .into());
    };
    let sentence = if !withdraw {
        helper_name(&node, &actor, &key, instance)?;
        "What it says of this request from now on counts, once this is published; what it said before changes nothing."
    } else if helper_withdraw(&node, &actor, &key, instance)? {
        "What it says of this request from now on is a claim, once this is published. What is shown stays as it is."
    } else {
        "It was not named as helping with this request; nothing was changed."
    };
    finish(context, &node, &key, sentence)
}

fn finish(
    context: &Context,
    node: &wb_node::Node,
    key: &wb_core::id::RecordRef,
    sentence: &str,
) -> Result<()> {
    if context.json() {
        return output::json(&requests::request(node, key)?);
    }
    output::line(sentence)
}

fn list(context: &Context, all: bool) -> Result<()> {
    let node = context.node()?;
    let mut requests = requests::requests(&node)?;
    let known = requests.len();
    requests.retain(|request| all || !request.unlisted);
    if requests.len() < known {
        let left_out = output::count((known - requests.len()) as u64, "request", "requests");
        context.say(format!(
            "{left_out} left out, because their homes have not confirmed them for {UNCONFIRMED_DAYS_LISTED} days; --all \
             lists them too."
        ));
    }
    let columns = ["id", "status", "home", "scope", "title", "comments"];
    let empty = "No requests yet. `wb request add --title … --description …` asks for help.";
    output::list(context, &requests, &columns, empty, |request| {
        let contested = if request.contested {
            " (contested)"
        } else {
            ""
        };
        vec![
            request.base.id.to_string(),
            format!("{}{contested}", request.status.as_str()),
            request.base.home.clone(),
            request.base.scope.to_string(),
            short(&request.title, 50),
            request.comments.to_string(),
        ]
    })
}

fn list_drafts(context: &Context) -> Result<()> {
    let (node, actor) = context.acting()?;
    let drafts = drafts::drafts(&node, &actor)?;
    output::list(
        context,
        &drafts,
        &["id", "title", "written"],
        "No drafts.",
        |draft| {
            vec![
                draft.id.to_string(),
                short(&draft.title, 50),
                draft.at.to_string(),
            ]
        },
    )
}

fn show(context: &Context, id: &str) -> Result<()> {
    let node = context.node()?;
    let key = context::record(&node, id)?;
    let request = requests::request(&node, &key)?;
    let comments = comments::comments(&node, Some(key))?;
    if context.json() {
        return output::json(&Shown {
            request: &request,
            comment_list: &comments,
        });
    }
    output::line(output::heading(context, &clean(&request.title)))?;
    let base = &request.base;
    output::line(format!(
        "{} · {} · by {}",
        request.status.as_str(),
        base.scope,
        who(base)
    ))?;
    output::line(format!("asked {} · {}", base.created_at, base.id))?;
    tell_standing(&request)?;
    if request.erased {
        output::line("Who asked here has left, and their words were erased. The answers stay.")?;
    } else {
        output::line(format!("\n{}", clean_lines(&request.description)))?;
    }
    for comment in &comments {
        let base = &comment.base;
        output::line(format!(
            "\n{}, {} ({})\n{}",
            who(base),
            base.created_at,
            base.scope,
            if comment.erased {
                "(an answer that was erased with its author's account)".to_owned()
            } else {
                clean_lines(&comment.body)
            }
        ))?;
        if let Some(letter) = &comment.letter {
            output::line(format!("  letter: {}", clean(&letter.sentence)))?;
        }
    }
    Ok(())
}

/// Who says what of where a request stands, where that is more than its home's word.
pub(super) fn tell_standing(request: &RequestView) -> Result<()> {
    if let Some(since) = request.unconfirmed_since {
        output::line(format!("not confirmed by its home since {since}"))?;
    }
    if let Some(contest) = &request.contest {
        output::line(clean(contest))?;
    }
    if request.said.iter().all(|said| said.voice == "home") {
        return Ok(());
    }
    for said in &request.said {
        output::line(format!(
            "- {} Said by {}, {}.",
            clean(&said.sentence),
            clean(&said.author),
            said.at
        ))?;
        if let Some(note) = &said.note {
            output::line(format!("  {}", clean(note)))?;
        }
    }
    Ok(())
}

/// An author with the home instance, which the words for somebody unnamed hold already.
fn who(base: &Base) -> String {
    if base.author.contains(&base.home) {
        clean(&base.author)
    } else {
        clean(&format!("{} of {}", base.author, base.home))
    }
}
