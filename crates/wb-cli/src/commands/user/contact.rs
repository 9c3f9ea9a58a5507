//! `wb user contact`

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_core::id::{InstanceId, RecordId};
use wb_core::letter::LetterBody;
use wb_node::ErrorKind;
use wb_node::command::contact_send::{Chosen, contact_send, contact_sending, contact_take_back};
use wb_node::query::letters::contact_text;

use crate::context::{self, Context};
use crate::output::{self, clean, clean_lines};

/// What to send, and about which request
#[derive(Debug, Args)]
pub struct Contact {
    /// The request: its id, enough of it, or ORIGIN/ID; with --take-back the thread in `wb inbox letters`
    request: String,
    /// The name to send with it
    #[arg(long)]
    name: Option<String>,
    /// The e-mail address to send
    #[arg(long)]
    email: Option<String>,
    /// The phone number to send
    #[arg(long)]
    phone: Option<String>,
    /// Anything else to send
    #[arg(long)]
    text: Option<String>,
    /// Ask to erase what was sent
    #[arg(long, conflicts_with_all = ["name", "email", "phone", "text"])]
    take_back: bool,
}

#[derive(Serialize)]
struct Sent {
    schema_version: u32,
    thread: RecordId,
    letter_to: InstanceId,
}

/// Sends exactly what was shown, or takes it back.
pub fn run(context: &Context, args: &Contact) -> Result<ExitCode> {
    let (node, actor) = context.acting()?;
    if args.take_back {
        let thread = args.request.parse()?;
        contact_take_back(&node, &actor, &thread)?;
        context.say("With the next sync the other community is asked to erase it.");
        return Ok(ExitCode::SUCCESS);
    }
    let key = context::record(&node, &args.request)?;
    let chosen = Chosen {
        name: args.name.clone(),
        email: args.email.clone(),
        phone: args.phone.clone(),
        text: args.text.clone(),
    };
    let shown = contact_sending(&node, &actor, &key, chosen)?;
    if let LetterBody::Contact(contact) = &shown.body {
        context.say(clean_lines(&contact_text(contact)));
    }
    context.say(clean_lines(&shown.words()));
    let question = format!("Send exactly this to {}?", clean(&shown.name));
    if !context.confirm(&question)? {
        context.say("Nothing was sent; --yes answers that with yes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    let thread = contact_send(&node, &actor, &key, &shown)?;
    if context.json() {
        output::json(&Sent {
            schema_version: 1,
            thread,
            letter_to: shown.to,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(thread)?;
    context.say("It goes with the next sync; `wb inbox letters` says where it is.");
    Ok(ExitCode::SUCCESS)
}
