//! `wb offer`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde::Serialize;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::letter::Contact;
use wb_node::command::offer_answer::{Side, accepting, offer_accept, offer_decline};
use wb_node::command::offer_done::offer_done;
use wb_node::command::offer_make::{Ways, offer_make, offering};
use wb_node::query::letters::contact_text;
use wb_node::query::offers::{find_offer, known_ways, offers};
use wb_node::view::{OfferView, WaysView};
use wb_node::{Actor, ErrorKind, Node};

use crate::context::{self, Context};
use crate::output::{self, clean, clean_lines};

/// Offers of help: yours, and those made to you
#[derive(Debug, Subcommand)]
pub enum Offer {
    /// Offer help with a request, here or of another instance, to its author alone
    Make {
        /// The request: its id, enough of it, or ORIGIN/ID
        request: String,
        /// What to say along with it
        #[arg(long)]
        text: Option<String>,
        #[command(flatten)]
        ways: WaysArgs,
    },
    /// Accept an offer: each of you then sees how to reach the other
    Accept {
        /// The offer: its id in `wb offer list`, or enough of it
        offer: String,
        #[command(flatten)]
        ways: WaysArgs,
    },
    /// Kindly decline an offer, or end one that was accepted; your own is taken back
    Decline {
        /// The offer: its id in `wb offer list`, or enough of it
        offer: String,
        /// A kind word
        #[arg(long)]
        text: Option<String>,
    },
    /// Say that the help is done, with thanks; ways to reach each other are hidden again
    Done {
        /// The offer: its id in `wb offer list`, or enough of it
        offer: String,
        /// A word of thanks
        #[arg(long)]
        thanks: Option<String>,
    },
    /// List what you offered and were offered, and where each stands
    List,
}

/// How to be reached: exactly what is given, or, where nothing is, what your profile here keeps
#[derive(Debug, Clone, Args)]
pub struct WaysArgs {
    /// The name to give
    #[arg(long)]
    name: Option<String>,
    /// The e-mail address to give
    #[arg(long)]
    email: Option<String>,
    /// The phone number to give
    #[arg(long)]
    phone: Option<String>,
    /// Any other way to reach you
    #[arg(long)]
    contact: Option<String>,
}

impl WaysArgs {
    /// Exactly what was chosen; what a profile keeps only where nothing was.
    fn ways(&self, node: &Node, actor: &Actor) -> wb_node::Result<Ways> {
        let chosen = Ways {
            name: self.name.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
            more: self.contact.clone(),
        };
        if chosen == Ways::default() {
            return known_ways(node, actor);
        }
        Ok(chosen)
    }
}

#[derive(Serialize)]
struct Made {
    schema_version: u32,
    id: RecordId,
    origin: InstanceId,
    /// The one instance it goes to; null where the request is of this one.
    letter_to: Option<InstanceId>,
}

/// Runs a command of this noun.
pub fn run(context: &Context, command: Offer) -> Result<ExitCode> {
    match command {
        Offer::Make {
            request,
            text,
            ways,
        } => make(context, &request, text, &ways),
        Offer::Accept { offer, ways } => accept(context, &offer, &ways),
        Offer::Decline { offer, text } => decline(context, &offer, text),
        Offer::Done { offer, thanks } => done(context, &offer, thanks),
        Offer::List => list(context).map(|()| ExitCode::SUCCESS),
    }
}

fn make(
    context: &Context,
    request: &str,
    text: Option<String>,
    ways: &WaysArgs,
) -> Result<ExitCode> {
    let (node, actor) = context.acting()?;
    let key = context::record(&node, request)?;
    let shown = offering(&node, &actor, &key, text, ways.ways(&node, &actor)?)?;
    context.say(format!(
        "You offer help with \u{201c}{}\u{201d}.",
        clean(&shown.title)
    ));
    context.say(match &shown.offer.name {
        Some(name) => format!("They read now that it is from: {}", clean(name)),
        None => "They are not told your name now.".to_owned(),
    });
    if let Some(text) = &shown.offer.text {
        context.say(format!("You say: {}", clean_lines(text)));
    }
    say_ways(context, "Once it is accepted, they see:", &shown.contacts);
    context.say(clean_lines(&shown.words()));
    if !context.confirm("Offer exactly this?")? {
        context.say("Nothing was offered; --yes answers that with yes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    let id = offer_make(&node, &actor, &shown)?;
    let letter_to = shown.to.map(|(to, _)| to);
    if context.json() {
        output::json(&Made {
            schema_version: 1,
            id,
            origin: node.own_id(),
            letter_to,
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(id)?;
    context.say(match letter_to {
        Some(_) => "It goes with the next sync; `wb offer list` says where it stands.",
        None => "Whoever asked sees it now; `wb offer list` says where it stands.",
    });
    Ok(ExitCode::SUCCESS)
}

fn accept(context: &Context, offer: &str, ways: &WaysArgs) -> Result<ExitCode> {
    let (node, actor) = context.acting()?;
    let key = find_offer(&node, &actor, offer)?;
    let shown = accepting(&node, &actor, &key, ways.ways(&node, &actor)?)?;
    say_ways(context, "Whoever offered sees:", &shown.contacts);
    context.say(clean_lines(&shown.words()));
    if !context.confirm("Accept, and show exactly this?")? {
        context.say("Nothing was answered; --yes answers that with yes.");
        return Ok(ExitCode::from(ErrorKind::Pending.exit_code()));
    }
    offer_accept(&node, &actor, &shown)?;
    tell(context, &node, &actor, &key)
}

fn decline(context: &Context, offer: &str, text: Option<String>) -> Result<ExitCode> {
    let (node, actor) = context.acting()?;
    let key = find_offer(&node, &actor, offer)?;
    let side = offer_decline(&node, &actor, &key, text)?;
    if side == Side::Helper {
        context
            .say("Taken back; what you said with it is erased where it went, with the next sync.");
    }
    tell(context, &node, &actor, &key)
}

fn done(context: &Context, offer: &str, thanks: Option<String>) -> Result<ExitCode> {
    let (node, actor) = context.acting()?;
    let key = find_offer(&node, &actor, offer)?;
    offer_done(&node, &actor, &key, thanks)?;
    context.say(
        "Thank you. Ways to reach each other are hidden again; nobody can take back what was read.",
    );
    tell(context, &node, &actor, &key)
}

/// Says where an offer stands now.
fn tell(context: &Context, node: &Node, actor: &Actor, key: &RecordRef) -> Result<ExitCode> {
    let all = offers(node, actor)?;
    let found = all
        .iter()
        .find(|offer| (offer.origin, offer.id) == (key.origin, key.id));
    if let Some(offer) = found {
        if context.json() {
            output::json(offer)?;
        } else {
            output::line(clean(&offer.sentence))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn say_ways(context: &Context, before: &str, contact: &Contact) {
    context.say(format!("{before}\n{}", clean_lines(&contact_text(contact))));
}

fn list(context: &Context) -> Result<()> {
    let (node, actor) = context.acting()?;
    let all = offers(&node, &actor)?;
    if context.json() {
        return all.iter().try_for_each(output::json);
    }
    if all.is_empty() {
        context.say("No offers yet. `wb offer make REQUEST` offers help with a request.");
    }
    for (at, offer) in all.iter().enumerate() {
        if at > 0 {
            output::line("")?;
        }
        show(context, offer)?;
    }
    Ok(())
}

fn show(context: &Context, offer: &OfferView) -> Result<()> {
    let title = offer
        .title
        .as_deref()
        .unwrap_or("a request that is not shown here any more");
    output::line(output::heading(context, &clean(title)))?;
    let who = match offer.way {
        "made" => format!("you offered {} help", offer.who),
        _ => format!("{} offers help", offer.who),
    };
    output::line(format!("{} · {} · {}", offer.id, clean(&who), offer.at))?;
    output::line(format!("{}: {}", offer.state, clean(&offer.sentence)))?;
    if let Some(ends) = offer.ends_at {
        output::line(format!(
            "its request is over: unless one of you says so before, this is done at {ends}, and how to reach each other \
             is hidden"
        ))?;
    }
    let texts = [
        ("said", &offer.text),
        ("answer", &offer.answer),
        ("thanks", &offer.thanks),
        ("your thanks", &offer.own_thanks),
    ];
    for (what, text) in texts {
        if let Some(text) = text {
            output::line(format!("{what}: {}", clean_lines(text)))?;
        }
    }
    if let Some(ways) = &offer.contact {
        output::line(format!("how to reach them:\n{}", lines(ways)))?;
    }
    Ok(())
}

/// Ways to reach somebody, each on a line with what it is.
fn lines(ways: &WaysView) -> String {
    let fields = [
        ("name", &ways.name),
        ("e-mail", &ways.email),
        ("phone", &ways.phone),
        ("more", &ways.text),
    ];
    let lines = fields
        .into_iter()
        .filter_map(|(what, value)| Some(format!("  {what}: {}", clean_lines(value.as_ref()?))));
    lines.collect::<Vec<_>>().join("\n")
}
