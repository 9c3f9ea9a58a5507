//! `wb join`: becomes a member of a hub, shows what it offers, and takes what a person accepts.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use wb_core::id::InstanceId;
use wb_core::sync::Role;
use wb_node::command::follow::accept_all;
use wb_node::command::join::{Offer, Offers, offers};
use wb_node::command::sync::{self, SyncInput, Synced};
use wb_node::plan::plan;
use wb_node::query::peers::peer_view;
use wb_node::{Node, NodeError, entropy};
use wb_store::{Peer, Standing};

use super::registration::{self, NAME_CHARS, Where};
use super::sync::{exit_code, one, tell};
use crate::context::{Context, is_yes};
use crate::output::{self, clean, count, heading, short};
use crate::runtime::wait_for;

/// Characters shown of what an instance says about itself.
const ABOUT_CHARS: usize = 200;
/// How often a question is asked again when its answer is not understood.
const ASKED_MAX: usize = 3;

/// Become a member of a hub, look at what it offers, and take what you accept
#[derive(Debug, Args)]
pub struct Join {
    #[command(flatten)]
    at: Where,
}

#[derive(Serialize)]
struct OfferView<'a> {
    schema_version: u32,
    hub: InstanceId,
    id: InstanceId,
    name: &'a str,
    about: Option<&'a str>,
    standing: Option<&'static str>,
    for_members: bool,
    counts: &'a std::collections::BTreeMap<String, u64>,
    sample: &'a [String],
}

/// Joins a hub.
pub fn run(context: &Context, args: &Join) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    let Some(peer) = registration::register(context, &mut node, &actor, &args.at)? else {
        return Ok(registration::not_agreed());
    };
    let is_member = registration::is_member(&peer);
    if !is_member || !context.json() {
        registration::tell(context, &node, &peer)?;
    }
    if !is_member {
        context.say("Once it has, the same `wb join` shows who is there, and asks whom to follow.");
        return Ok(registration::exit_code(&peer));
    }
    let Offers { list, is_cut_off } = wait_for(offers(&node, &peer))??;
    let offers = list;
    show_all(context, &peer, &offers)?;
    if is_cut_off {
        context.say(format!(
            "It lists more than the {} above, and no more are read. Whoever is not above can be followed by id: `wb \
             follow ID`.",
            offers.len()
        ));
    }
    let Some(accepted) = choose(context, &offers)? else {
        context.say(
            "Nothing was taken, and nobody is followed. `wb join` asks again; `--yes` accepts all.",
        );
        return Ok(registration::not_agreed());
    };
    let _lock = sync::lock(&node)?;
    let mut peers = accept_all(&mut node, &actor, peer, &accepted)?;
    let peer = peers.remove(0);
    let input = SyncInput {
        pull: true,
        push: false,
        dry_run: false,
        wait: Duration::ZERO,
    };
    let done = one(context, &mut node, &actor, peer, input)?;
    tell(context, &node, &done, input)?;
    if !context.json() {
        tell_roads(context, &node, &done)?;
        tell_waiting(context, &node, &done.peer)?;
    }
    Ok(exit_code([&done]))
}

/// Says at first contact by how many hubs it was seen: one alone can leave things out unnoticed.
fn tell_roads(context: &Context, node: &Node, done: &Synced) -> Result<()> {
    let mut hubs = node.store().peers().map_err(NodeError::from)?;
    hubs.retain(|hub| hub.role == Role::Hub);
    if let ([hub], true) = (hubs.as_slice(), done.tally.new > 0) {
        let name = clean(&short(&hub.name, NAME_CHARS));
        context.say(format!(
            "This was seen through one hub only: {name} cannot change it, and a second hub or a bundle would show \
             what it leaves out."
        ));
    }
    Ok(())
}

/// Says what of this instance would go to the hub with the next sync.
fn tell_waiting(context: &Context, node: &Node, peer: &Peer) -> Result<()> {
    let marked = plan(node, entropy::now())?.puts.len() as u64;
    let lacks = peer_view(node, peer)?.confirmed.lacks_records;
    if marked + lacks == 0 {
        context.say("Nothing of yours went there, and nothing is marked to be shared.");
        return Ok(());
    }
    context.say(format!(
        "Nothing of yours went there. {} marked and {lacks} sealed would go with the next `wb sync`; `wb sync \
         --dry-run` lists them.",
        count(marked, "record", "records")
    ));
    Ok(())
}

fn show_all(context: &Context, peer: &Peer, offers: &[Offer]) -> Result<()> {
    if context.json() {
        return offers.iter().try_for_each(|offer| {
            output::json(&OfferView {
                schema_version: 1,
                hub: peer.id,
                id: offer.id,
                name: &offer.name,
                about: offer.about.as_deref(),
                standing: offer.standing.map(Standing::as_str),
                for_members: offer.for_members,
                counts: &offer.counts,
                sample: &offer.sample,
            })
        });
    }
    if offers.is_empty() {
        return output::line("Nobody else is listed there yet.");
    }
    for (index, offer) in offers.iter().enumerate() {
        show(context, index + 1, offer)?;
    }
    context.say("This is as the hub shows it; everything is verified when it is taken.");
    Ok(())
}

fn show(context: &Context, number: usize, offer: &Offer) -> Result<()> {
    let name = clean(&short(&offer.name, NAME_CHARS));
    let note = match offer.standing {
        Some(Standing::Approved) => "  accepted here already",
        Some(Standing::Vouched) => "  shown here already, because others vouch for it",
        Some(Standing::Blocked) => "  blocked here",
        Some(Standing::Waiting | Standing::Own) | None => "",
    };
    output::line(format!(
        "\n{number:>3}  {}  {}{note}",
        heading(context, &name),
        offer.id
    ))?;
    if offer.for_members {
        output::line("     for members of this hub alone")?;
    }
    if let Some(about) = &offer.about {
        output::line(format!("     {}", clean(&short(about, ABOUT_CHARS))))?;
    }
    let counts = offer.counts.iter();
    let counts: Vec<String> = counts
        .map(|(kind, n)| format!("{n} {}", clean(kind)))
        .collect();
    let counts = if counts.is_empty() {
        "nothing published yet".to_owned()
    } else {
        counts.join(", ")
    };
    output::line(format!("     {counts}"))?;
    offer
        .sample
        .iter()
        .filter(|text| !text.is_empty())
        .try_for_each(|text| output::line(format!("     “{}”", clean(text))))
}

/// Whom to accept, beside those accepted before. `None` when nobody agreed to anything.
fn choose(context: &Context, offers: &[Offer]) -> Result<Option<BTreeSet<InstanceId>>> {
    let mut accepted: BTreeSet<InstanceId> = offers
        .iter()
        .filter(|offer| offer.standing == Some(Standing::Approved))
        .map(|offer| offer.id)
        .collect();
    let is_open = |offer: &&Offer| is_open(offer);
    if offers.iter().find(is_open).is_none() {
        return Ok(Some(accepted));
    }
    if context.yes() {
        accepted.extend(offers.iter().filter(is_open).map(|offer| offer.id));
        return Ok(Some(accepted));
    }
    if context.json() {
        return Ok(None);
    }
    for _ in 0..ASKED_MAX {
        let question =
            "Accept them? y: all, n: none, or numbers or names with commas between [y/N/…] ";
        let Some(answer) = context.ask(question)? else {
            return Ok(None);
        };
        match read_choice(&answer, offers) {
            Ok(None) => return Ok(None),
            Ok(Some(chosen)) => {
                let rest = offers.iter().filter(is_open).count() - chosen.len();
                if rest > 0 {
                    context.say(format!(
                        "{} held and counted, and not shown until you follow them by name.",
                        count(rest as u64, "other is", "others are")
                    ));
                }
                accepted.extend(chosen);
                return Ok(Some(accepted));
            }
            Err(what) => context.say(what),
        }
    }
    Ok(None)
}

/// Whether it can be accepted: what was decided by hand before stands.
fn is_open(offer: &Offer) -> bool {
    matches!(
        offer.standing,
        None | Some(Standing::Waiting | Standing::Vouched)
    )
}

/// Reads whom a person picked; `None` for nobody. A number counts before a name, so that nobody is
/// picked in another's place by being called like a number.
fn read_choice(
    answer: &str,
    offers: &[Offer],
) -> std::result::Result<Option<BTreeSet<InstanceId>>, String> {
    if matches!(answer.to_lowercase().as_str(), "" | "n" | "no") {
        return Ok(None);
    }
    if is_yes(answer) {
        let open = offers.iter().filter(|offer| is_open(offer));
        return Ok(Some(open.map(|offer| offer.id).collect()));
    }
    let mut chosen = BTreeSet::new();
    for word in answer.split(',').map(str::trim) {
        let offer = find(word, offers)?;
        match offer.standing {
            Some(Standing::Blocked) => {
                return Err(format!("{} is blocked here.", clean(&offer.name)));
            }
            Some(Standing::Approved | Standing::Own) => {}
            Some(Standing::Waiting | Standing::Vouched) | None => {
                chosen.insert(offer.id);
            }
        }
    }
    Ok(Some(chosen))
}

fn find<'o>(word: &str, offers: &'o [Offer]) -> std::result::Result<&'o Offer, String> {
    if let Ok(number) = word.parse::<usize>() {
        let offer = number.checked_sub(1).and_then(|index| offers.get(index));
        return offer.ok_or_else(|| format!("There is no number {number}."));
    }
    let named: Vec<&Offer> = offers
        .iter()
        .filter(|offer| offer.name == word || offer.id.to_string() == word)
        .collect();
    match named.as_slice() {
        [one] => Ok(one),
        [] => Err(format!("Nobody above is called “{}”.", clean(word))),
        _ => Err(format!(
            "More than one is called “{}”: give the number.",
            clean(word)
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn offer(byte: u8, name: &str, standing: Option<Standing>) -> Offer {
        Offer {
            id: InstanceId([byte; 32]),
            name: name.to_owned(),
            about: None,
            standing,
            for_members: false,
            counts: BTreeMap::new(),
            sample: Vec::new(),
        }
    }

    fn offers() -> Vec<Offer> {
        vec![
            offer(1, "North", None),
            offer(2, "South", Some(Standing::Waiting)),
            offer(3, "1", None),
            offer(4, "North", None),
            offer(5, "Old friends", Some(Standing::Approved)),
            offer(6, "Noise", Some(Standing::Blocked)),
        ]
    }

    fn chosen(answer: &str) -> Option<Vec<u8>> {
        let chosen = read_choice(answer, &offers()).unwrap();
        chosen.map(|ids| ids.into_iter().map(|id| id.0[0]).collect())
    }

    #[test]
    fn all_none_or_some_are_picked() {
        assert_eq!(chosen(""), None);
        assert_eq!(chosen("n"), None);
        assert_eq!(chosen("Y"), Some(vec![1, 2, 3, 4]));
        assert_eq!(chosen("South, 4"), Some(vec![2, 4]));
        assert_eq!(chosen("Old friends"), Some(vec![]));
    }

    #[test]
    fn nobody_is_picked_in_another_s_place() {
        // The third is called "1"; the number means the first.
        assert_eq!(chosen("1"), Some(vec![1]));
        for wrong in ["North", "0", "7", "East", "South,", "6", "Noise"] {
            assert!(read_choice(wrong, &offers()).is_err(), "{wrong}");
        }
    }
}
