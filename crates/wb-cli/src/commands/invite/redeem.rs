//! `wb invite redeem`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_core::id::{InstanceId, RecordId};
use wb_core::scope::Scope;
use wb_node::ErrorKind;
use wb_node::command::invite_redeem::{InviteRedeem, invite_redeem, redeemable};

use crate::context::Context;
use crate::output::{self, clean, clean_lines};

/// Which invite, and who comes
#[derive(Debug, Args)]
pub struct Redeem {
    /// The share code; or the id of its community, a slash, and the code
    code: String,
    /// The handle of the newcomer here
    #[arg(long)]
    handle: String,
    /// The name shown
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// A text about the newcomer
    #[arg(long, value_name = "TEXT")]
    bio: Option<String>,
    /// An address that stays private
    #[arg(long)]
    email: Option<String>,
}

#[derive(Serialize)]
struct Done<'a> {
    schema_version: u32,
    id: RecordId,
    origin: InstanceId,
    handle: &'a str,
    thread: RecordId,
    letter_to: InstanceId,
}

/// Makes the account and asks the issuer, after exactly what it is told was shown.
pub fn run(context: &Context, args: &Redeem) -> Result<ExitCode> {
    let (mut node, _) = context.acting()?;
    let invite = redeemable(&node, &args.code)?;
    context.say(clean_lines(&format!(
        "An invitation of {}, by {}.\nWhat {} is told, exactly:\n\n{}\n",
        invite.home,
        invite.inviter,
        invite.home,
        invite.text()
    )));
    context.say(clean_lines(&invite.words(node.name())));
    let question = format!(
        "Does the newcomer agree that {} is asked?",
        clean(&invite.home)
    );
    if !context.confirm(&question)? {
        context
            .say("Nobody was told anything, and no account was made; --yes answers that with yes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    let input = InviteRedeem {
        code: &args.code,
        shown: invite.shown(),
        handle: &args.handle,
        display_name: args.display_name.as_deref(),
        bio: args.bio.as_deref(),
        email: args.email.as_deref(),
        default_scope: Scope::Private,
    };
    let (account, thread) = invite_redeem(&mut node, &input)?;
    if context.json() {
        output::json(&Done {
            schema_version: 1,
            id: account.user,
            origin: node.own_id(),
            handle: &account.handle,
            thread,
            letter_to: invite.key.origin,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(account.user)?;
    let handle = clean(&account.handle);
    context.say(format!(
        "{} is asked with the next sync; `wb user show {handle}` says what it answered. `wb review accept {handle}` lets them in.",
        clean(&invite.home)
    ));
    Ok(ExitCode::SUCCESS)
}
