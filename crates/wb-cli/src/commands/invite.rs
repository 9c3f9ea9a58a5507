//! `wb invite`

pub mod redeem;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use wb_core::kinds::Personalisation;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_node::command::invite_create::{InviteCreate, invite_create};
use wb_node::command::invite_off::invite_off;
use wb_node::query::address::address;
use wb_node::query::invites;
use wb_node::view::InviteView;

use crate::context::{self, Context};
use crate::output;

/// Invites
#[derive(Debug, Subcommand)]
pub enum Invite {
    /// Make an invite
    Create(Create),
    /// List own invites, and shared ones of other instances
    List,
    /// Switch an own invite off: nobody comes by it any more, here or elsewhere
    Off {
        /// The invite: its id, or enough of it
        invite: String,
    },
    /// Make an account for who has the share code of another community's invite, and ask that community
    Redeem(redeem::Redeem),
}

/// Make an invite
#[derive(Debug, clap::Args)]
pub struct Create {
    /// How many people it admits
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), default_value = "1")]
    uses: u64,
    /// No limit on how many people it admits
    #[arg(long, conflicts_with = "uses")]
    unlimited: bool,
    /// Days until it ends
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: Option<u32>,
    /// Who uses it is a member at once
    #[arg(long)]
    auto_approve: bool,
    /// A handle offered to the newcomer
    #[arg(long, value_name = "HANDLE")]
    suggest_handle: Option<String>,
    /// A text offered for the newcomer's profile; it stays home
    #[arg(long, value_name = "TEXT")]
    suggest_bio: Option<String>,
    /// Full address of a photo
    #[arg(long, value_name = "URL")]
    photo: Option<String>,
    /// Thanks
    #[arg(long, value_name = "TEXT")]
    gratitude: Option<String>,
    /// What you can help with
    #[arg(long, value_name = "TEXT")]
    support: Option<String>,
    /// An example of help; may be given several times
    #[arg(long = "example", value_name = "TEXT")]
    examples: Vec<String>,
    /// Something nice
    #[arg(long, value_name = "TEXT")]
    fun: Option<String>,
}

#[derive(Serialize)]
struct Done {
    schema_version: u32,
    id: String,
    origin: String,
    token: String,
    expires_at: Option<Timestamp>,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Runs a command of this noun.
pub fn run(context: &Context, command: Invite) -> Result<ExitCode> {
    let done = match command {
        Invite::Create(args) => create(context, args),
        Invite::List => list(context),
        Invite::Off { invite } => off(context, &invite),
        Invite::Redeem(args) => return redeem::run(context, &args),
    };
    done.map(|()| ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Off {
    schema_version: u32,
    id: String,
    origin: String,
    done: bool,
}

fn off(context: &Context, invite: &str) -> Result<()> {
    let (node, actor) = context.acting()?;
    let key = context::record(&node, invite)?;
    let was_on = invite_off(&node, &actor, &key)?;
    if context.json() {
        return output::json(&Off {
            schema_version: 1,
            id: key.id.to_string(),
            origin: key.origin.to_string(),
            done: was_on,
        });
    }
    context.say(if was_on {
        "Switched off: its link and its code let nobody in any more. Where it was shared, the next publish takes it back."
    } else {
        "It was switched off before; nothing changed."
    });
    Ok(())
}

fn create(context: &Context, args: Create) -> Result<()> {
    let (mut node, actor) = context.acting()?;
    let personal = Personalisation {
        photo: args.photo,
        gratitude: args.gratitude,
        support: args.support,
        examples: (!args.examples.is_empty()).then_some(args.examples),
        fun: args.fun,
    };
    let expires_at = args
        .days
        .map(|days| wb_node::entropy::now().plus_ms(i64::from(days) * DAY_MS));
    let input = InviteCreate {
        max_uses: (!args.unlimited).then_some(args.uses),
        expires_at,
        auto_approve: args.auto_approve,
        suggested_handle: args.suggest_handle,
        suggested_bio: args.suggest_bio,
        personalisation: (personal != Personalisation::default()).then_some(personal),
    };
    let (id, token) = invite_create(&mut node, &actor, &input)?;
    if context.json() {
        let (id, origin) = (id.to_string(), node.own_id().to_string());
        return output::json(&Done {
            schema_version: 1,
            id,
            origin,
            token,
            expires_at,
        });
    }
    output::line(format!("{id}  {token}"))?;
    let base = address(&node)?.unwrap_or_else(|| "the address of this node".to_owned());
    context.say(format!(
        "Made. The link is {}/invite/{token}; its secret never leaves this node by itself.",
        output::clean(&base)
    ));
    Ok(())
}

fn list(context: &Context) -> Result<()> {
    let (node, actor) = context.acting()?;
    let invites = invites::invites(&node, &actor)?;
    let columns = [
        "id",
        "home",
        "scope",
        "uses",
        "elsewhere",
        "ends",
        "open",
        "for",
        "code",
    ];
    output::list(context, &invites, &columns, "No invites yet.", |invite| {
        let used = invite.uses.map(|uses| uses.to_string()).unwrap_or_default();
        let max = invite
            .max_uses
            .map_or_else(|| "∞".to_owned(), |max| max.to_string());
        vec![
            invite.base.id.to_string(),
            invite.base.home.clone(),
            invite.base.scope.to_string(),
            format!("{used}/{max}"),
            elsewhere(invite),
            invite
                .expires_at
                .map_or_else(|| "never".to_owned(), |at| at.to_string()),
            invite
                .open
                .map(|open| if open { "yes" } else { "no" }.to_owned())
                .unwrap_or_default(),
            invite.suggested_handle.clone().unwrap_or_default(),
            code(invite),
        ]
    })
}

/// The code that admits elsewhere, of an invite that is shared.
fn code(invite: &InviteView) -> String {
    match invite.base.scope {
        Scope::Private => String::new(),
        Scope::TrustedPeers | Scope::Public => invite.share_code.to_string(),
    }
}

/// Where an own invite was used, and how often it was refused.
fn elsewhere(invite: &InviteView) -> String {
    let mut places: BTreeMap<&str, u64> = BTreeMap::new();
    let mut refused = 0_u64;
    for used in &invite.elsewhere {
        match used.cause {
            None => *places.entry(&used.name).or_default() += 1,
            Some(_) => refused += 1,
        }
    }
    let places = places.into_iter();
    let mut words: Vec<String> = places
        .map(|(name, count)| format!("{count} at {}", output::clean(name)))
        .collect();
    if refused > 0 {
        words.push(format!("{refused} refused"));
    }
    words.join(", ")
}
