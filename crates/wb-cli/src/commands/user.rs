//! `wb user`

pub mod contact;
pub mod rights;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde::Serialize;
use wb_node::command::login_link::{LINK_MINUTES, login_link};
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::query::{invited, users};
use wb_node::settings::Settings;
use wb_node::view::UserView;
use wb_store::Role;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::output::{self, clean, clean_lines};

/// Members
#[derive(Debug, Subcommand)]
pub enum User {
    /// Add a member without an invite
    Add {
        /// The handle
        handle: String,
        /// The name shown
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
        /// A text about the member
        #[arg(long)]
        bio: Option<String>,
        /// What the account may do
        #[arg(long, value_enum, default_value = "member")]
        role: RoleArg,
        /// An address that stays private
        #[arg(long)]
        email: Option<String>,
    },
    /// Write everything held about a member into files: as JSON for programs, and as a page to read
    Export {
        /// The handle
        handle: String,
        /// A folder for both, or one file that ends in .json or .html
        #[arg(long, value_name = "FOLDER|FILE")]
        to: PathBuf,
    },
    /// Erase an account: what it wrote and what is kept about it goes, and what was shared is taken back
    Erase {
        /// The handle
        handle: String,
    },
    /// Send ways to reach you to the author of a request elsewhere, in a letter
    Contact(contact::Contact),
    /// List own members, and those of other instances who share a profile
    List {
        /// Only own members whom nobody invited and who are joined to nobody, with what would connect them
        #[arg(long)]
        isolated: bool,
    },
    /// Make a link that lets a member in once, on a browser of their choice
    LoginLink {
        /// The handle
        handle: String,
    },
    /// Show one member
    Show {
        /// The handle of an own member, or the id of a profile
        name: String,
    },
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    /// Its own records
    Member,
    /// Also narrow what others wrote
    Steward,
    /// Everything
    Admin,
}

#[derive(Serialize)]
struct Done {
    schema_version: u32,
    id: String,
    origin: String,
    handle: String,
}

#[derive(Serialize)]
struct Link<'a> {
    schema_version: u32,
    handle: &'a str,
    link: &'a str,
    minutes: i64,
}

/// The address under which browsers reach the node, as far as the settings tell.
fn base(settings: &Settings) -> String {
    let scheme = if settings.node_front.is_tls() {
        "https"
    } else {
        "http"
    };
    match settings.node_hosts.first() {
        Some(host) => format!("{scheme}://{host}"),
        None => format!("{scheme}://{}", settings.node_listen),
    }
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: User) -> Result<ExitCode> {
    if let User::Contact(args) = &command {
        return contact::run(context, args);
    }
    others(context, command).map(|()| ExitCode::SUCCESS)
}

fn others(context: &Context, command: User) -> Result<()> {
    match command {
        User::Contact(args) => contact::run(context, &args).map(drop),
        User::Add {
            handle,
            display_name,
            bio,
            role,
            email,
        } => {
            let (mut node, actor) = context.acting()?;
            let role = match role {
                RoleArg::Member => Role::Member,
                RoleArg::Steward => Role::Steward,
                RoleArg::Admin => Role::Admin,
            };
            let input = UserAdd {
                handle: &handle,
                display_name: display_name.as_deref(),
                bio: bio.as_deref(),
                role,
                email: email.as_deref(),
            };
            let id = user_add(&mut node, &actor, &input)?;
            if context.json() {
                let origin = node.own_id().to_string();
                return output::json(&Done {
                    schema_version: 1,
                    id: id.to_string(),
                    origin,
                    handle,
                });
            }
            output::line(id)?;
            context.say("Added. The profile is private until its owner shares it.");
            Ok(())
        }
        User::Export { handle, to } => rights::export(context, &handle, &to),
        User::Erase { handle } => rights::erase(context, &handle),
        User::List { isolated: true } => isolated(context),
        User::List { isolated: false } => {
            let (node, actor) = context.acting()?;
            let users = users::users(&node, &actor)?;
            let columns = ["id", "name", "home", "scope", "role", "state", "invited"];
            output::list(context, &users, &columns, "No members yet.", |user| {
                vec![
                    user.base.id.to_string(),
                    name(user),
                    user.base.home.clone(),
                    user.base.scope.to_string(),
                    user.role.unwrap_or_default().to_owned(),
                    user.state.unwrap_or_default().to_owned(),
                    invited(user),
                ]
            })
        }
        User::LoginLink { handle } => {
            let (node, actor) = context.acting()?;
            let secret = login_link(&node, &actor, &handle)?;
            let base = base(&context.settings()?);
            let link = Zeroizing::new(format!("{base}/login/link/{}", secret.as_str()));
            if context.json() {
                return output::json(&Link {
                    schema_version: 1,
                    handle: &handle,
                    link: &link,
                    minutes: LINK_MINUTES,
                });
            }
            output::line(link.as_str())?;
            context.say(format!(
                "It lets {} in once, within {LINK_MINUTES} minutes, while `wb up` runs. Give it to nobody else.",
                clean(&handle)
            ));
            Ok(())
        }
        User::Show { name: wanted } => {
            let (node, actor) = context.acting()?;
            let user = users::user(&node, &actor, &wanted)?;
            if context.json() {
                return output::json(&user);
            }
            show(&user)
        }
    }
}

fn name(user: &UserView) -> String {
    match (&user.handle, &user.display_name) {
        (Some(handle), Some(name)) => format!("{handle} ({name})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "(shares no name)".to_owned(),
    }
}

/// By whom a member was invited.
fn invited(user: &UserView) -> String {
    let sentence = user
        .invited
        .as_ref()
        .map(|invited| invited.sentence.as_str());
    clean(sentence.unwrap_or_default().trim_start_matches("invited "))
}

fn isolated(context: &Context) -> Result<()> {
    let (node, actor) = context.acting()?;
    let roots = invited::isolated(&node, &actor)?;
    let columns = ["id", "handle", "came by them", "what would connect them"];
    let none = "Everybody here is joined to who founded this community, or to another one.";
    output::list(context, &roots, &columns, none, |root| {
        vec![
            root.id.to_string(),
            clean(&root.handle),
            root.invited.to_string(),
            clean(&root.connects),
        ]
    })
}

fn show(user: &UserView) -> Result<()> {
    output::line(clean(&name(user)))?;
    output::line(format!("home     {}", clean(&user.base.home)))?;
    output::line(format!("scope    {}", user.base.scope))?;
    if let (Some(role), Some(state)) = (user.role, user.state) {
        output::line(format!("account  {role}, {state}"))?;
    }
    if user.invited.is_some() {
        output::line(format!("invited  {}", invited(user)))?;
    }
    if let Some(shares) = user.shares {
        let fields = [
            (shares.handle, "handle"),
            (shares.display_name, "display-name"),
            (shares.bio, "bio"),
            (shares.avatar, "avatar"),
            (shares.home, "home"),
            (shares.inviter, "inviter"),
            (shares.attributes, "attributes"),
        ];
        let shared: Vec<&str> = fields
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, field)| *field)
            .collect();
        output::line(format!(
            "shares   {} (once the profile is shared)",
            shared.join(", ")
        ))?;
    }
    for contact in &user.contacts {
        output::line(format!(
            "contact  {} {} (never leaves)",
            contact.kind,
            clean(&contact.value)
        ))?;
    }
    match &user.bio {
        Some(bio) => output::line(format!("\n{}", clean_lines(bio))),
        None => Ok(()),
    }
}
