//! Hubs and peers: all of them, one of them with everything that is known, and what an admin decides about
//! it. What takes something away has a page that says what, before it is done.

use askama::Template;
use wb_core::id::InstanceId;
use wb_core::sync::{Role, Visibility};
use wb_node::NodeError;
use wb_node::command::hub_register::hub_show_to;
use wb_node::command::peer_block::{is_blocked, peer_block};
use wb_node::command::peer_forget::{Forgotten, peer_forget, refusal_forget, what_stays};
use wb_node::command::peer_pause::{Every, peer_pause, peer_resume};
use wb_node::command::peer_retry::peer_retry;
use wb_node::command::sync;
use wb_node::query::outbox::{OutboxView, outbox};
use wb_node::query::peers::{peer_view, peers};
use wb_node::query::refused::{RefusedView, refused};
use wb_node::query::suggested::{SuggestedView, suggested};
use wb_node::query::sync_log::{RunsPage, runs_page};
use wb_node::view::PeerView;
use wb_store::{Belongs, Peer};

use super::pair::wait_for;
use crate::answer::Answer;
use crate::jobs::What;
use crate::limits::THINGS_SHOWN_MAX;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Exchanges with one peer that are listed on its page.
const RUNS_SHOWN: usize = 10;

#[derive(Template)]
#[template(path = "peers.html")]
struct List {
    shell: Shell,
    peers: Vec<PeerView>,
    refused: Vec<RefusedView>,
    suggested: Vec<SuggestedView>,
    is_admin: bool,
}

/// The list.
pub fn list(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let node = visit.node()?;
    let (peers, refused, suggested) = (peers(node)?, refused(node)?, suggested(node)?);
    let page = List {
        shell: visit.shell("Hubs and peers"),
        is_admin: visit.is_admin(),
        peers,
        refused,
        suggested,
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "peer.html")]
struct Page {
    shell: Shell,
    peer: PeerView,
    waits: Vec<OutboxView>,
    /// Records beyond those that are listed.
    more: usize,
    runs: RunsPage,
    is_admin: bool,
    /// This instance, for links to its records.
    home: InstanceId,
    /// How it stands with the trusted audience; none where it never was in it.
    belongs: Option<Belongs>,
    /// Why nothing was changed.
    wrong: Option<String>,
}

impl Page {
    /// To whom a hub was asked to show this instance.
    fn asked(&self) -> Option<Visibility> {
        let registration = self.peer.registration.as_ref()?;
        Some(registration.asked.unwrap_or(Visibility::Public))
    }

    /// To whom a hub shows this instance, in words.
    fn shown(&self) -> &'static str {
        let shown = self.peer.registration.as_ref().and_then(|told| told.shown);
        match (self.asked(), shown) {
            (_, Some(Visibility::Public)) => "Everybody.",
            (_, Some(Visibility::Members)) => "Members of the hub, and on no page.",
            (Some(Visibility::Unlisted), Some(Visibility::Unlisted)) => "Who knows its id.",
            (_, Some(Visibility::Unlisted)) => {
                "Who knows its id, although more was asked for: a notice of the hub says why."
            }
            (Some(Visibility::Public), None) => "Everybody, as was asked for.",
            (Some(Visibility::Members), None) => {
                "Who knows its id: the hub is of a version that does not know members alone."
            }
            (Some(Visibility::Unlisted) | None, None) => "Who knows its id, as was asked for.",
        }
    }

    /// What was chosen for it, as the form has it.
    fn chosen(&self) -> String {
        let chosen = self.peer.auto.chosen_minutes.filter(|minutes| *minutes > 0);
        chosen.map_or_else(String::new, |minutes| minutes.to_string())
    }

    /// Whether it reads what is for trusted communities only, in words.
    fn trust(&self) -> &'static str {
        match self.belongs {
            Some(Belongs::In) => "It reads that, too.",
            Some(Belongs::Leaving | Belongs::Parted) => {
                "It was removed, and did not say yet that it erased what it had."
            }
            Some(Belongs::Unsure) => "It did when this copy was made; nothing is sealed to it.",
            None => "It does not get that.",
        }
    }

    /// What an admin may do about that: true to remove it, false to add it.
    fn asks_trust(&self) -> Option<bool> {
        match self.belongs {
            Some(Belongs::In | Belongs::Unsure) => Some(true),
            Some(Belongs::Leaving) => None,
            Some(Belongs::Parted) => Some(false),
            None => (self.peer.role == Role::Node).then_some(false),
        }
    }

    fn is_by_hand(&self) -> bool {
        self.peer.auto.chosen_minutes == Some(0)
    }
}

fn id(visit: &Visit<'_>) -> Result<InstanceId, Trouble> {
    visit.param("home").parse().map_err(|_| Trouble::NotFound)
}

fn peer(visit: &mut Visit<'_>) -> Result<Peer, Trouble> {
    let id = id(visit)?;
    visit.node()?.store().peer(&id)?.ok_or(Trouble::NotFound)
}

fn path(id: InstanceId) -> String {
    format!("/sync/with/{id}")
}

/// One of them.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, None)
}

fn write(visit: &mut Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let peer = peer(visit)?;
    let node = visit.node()?;
    let mut waits = outbox(node, &peer)?;
    let more = waits.len().saturating_sub(THINGS_SHOWN_MAX);
    waits.truncate(THINGS_SHOWN_MAX);
    let runs = runs_page(node, None, RUNS_SHOWN, Some(&peer.id))?;
    let (view, home) = (peer_view(node, &peer)?, node.own_id());
    let belongs = node.store().in_audience(&peer.id)?.map(|row| row.belongs);
    let page = Page {
        shell: visit.shell(view.name.clone()),
        is_admin: visit.is_admin(),
        peer: view,
        waits,
        more,
        runs,
        home,
        belongs,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Asks a hub to show this instance to others than before.
pub fn show_to(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, peer) = (visit.actor()?, peer(visit)?);
    let visibility = visit.form.text("visibility").parse();
    let visibility: Visibility = visibility.map_err(|()| Trouble::NotFound)?;
    if peer.role != Role::Hub {
        return Err(Trouble::NotFound);
    }
    let id = peer.id;
    let node = visit.node()?;
    let asked =
        sync::lock(node).and_then(|_lock| wait_for(hub_show_to(node, &actor, peer, visibility)));
    match asked {
        Ok(_) => Ok(Answer::see(path(id))),
        Err(error @ (NodeError::Peer { .. } | NodeError::SyncRuns)) => {
            write(visit, Some(crate::words::failure(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Pauses.
pub fn pause(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, peer) = (visit.actor()?, peer(visit)?);
    peer_pause(visit.node()?, &actor, &peer)?;
    Ok(Answer::see(path(peer.id)))
}

/// Goes on, and chooses how often where that was typed.
pub fn resume(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, peer) = (visit.actor()?, peer(visit)?);
    let minutes = visit.form.word("minutes");
    let every = match (visit.form.text("how").as_str(), minutes) {
        ("hand", _) => Some(Every::ByHand),
        ("started", _) => Some(Every::AsStarted),
        ("every", Some(minutes)) => {
            let wrong = || Trouble::Refused("Write the minutes as a number".to_owned());
            Some(Every::Minutes(minutes.parse().map_err(|_| wrong())?))
        }
        ("every", None) => {
            let wrong = "Write after how many minutes it should sync again";
            return Err(Trouble::Refused(wrong.to_owned()));
        }
        _ => None,
    };
    peer_resume(visit.node()?, &actor, &peer, every)?;
    Ok(Answer::see(path(peer.id)))
}

/// Tries at once, whatever it waited for.
pub fn retry(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, peer) = (visit.actor()?, peer(visit)?);
    peer_retry(visit.node()?, &actor, &peer)?;
    let home = visit.site.config.home.clone();
    visit
        .site
        .jobs
        .start(What::Sync, home, actor, Some(peer.id));
    Ok(Answer::see("/sync"))
}

#[derive(Template)]
#[template(path = "peer_block.html")]
struct Block {
    shell: Shell,
    id: InstanceId,
    name: String,
    is_peer: bool,
}

/// What refusing somebody means, before it is done.
pub fn ask_block(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let id = id(visit)?;
    let node = visit.node()?;
    if id == node.own_id() {
        return Err(Trouble::NotFound);
    }
    let peer = node.store().peer(&id)?;
    let known = node.store().instances()?;
    let known = known.into_iter().find(|instance| instance.id == id);
    let name = match (&peer, known) {
        (Some(peer), _) if !peer.name.trim().is_empty() => peer.name.clone(),
        (_, Some(instance)) => instance.label(),
        (Some(_), None) => id.short(),
        (None, None) => return Err(Trouble::NotFound),
    };
    let page = Block {
        shell: visit.shell("Refuse for good"),
        id,
        name,
        is_peer: peer.is_some(),
    };
    Ok(Answer::page(page.render()?))
}

/// Refuses.
pub fn block(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, id) = (visit.actor()?, id(visit)?);
    peer_block(visit.node()?, &actor, id)?;
    Ok(Answer::see("/sync/peers"))
}

/// Lifts a refusal.
pub fn unblock(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, id) = (visit.actor()?, id(visit)?);
    let node = visit.node()?;
    if !is_blocked(node, &id)? {
        return Err(Trouble::NotFound);
    }
    refusal_forget(node, &actor, &id)?;
    Ok(Answer::see("/sync/peers"))
}

#[derive(Template)]
#[template(path = "peer_forget.html")]
struct Forget {
    shell: Shell,
    stays: Forgotten,
    name: String,
}

/// What forgetting a peer means, before it is done.
pub fn ask_forget(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let peer = peer(visit)?;
    let node = visit.node()?;
    let (stays, name) = (what_stays(node, &peer)?, peer_view(node, &peer)?.name);
    let page = Forget {
        shell: visit.shell("Forget a peer"),
        stays,
        name,
    };
    Ok(Answer::page(page.render()?))
}

/// Forgets it.
pub fn forget(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, peer) = (visit.actor()?, peer(visit)?);
    peer_forget(visit.node()?, &actor, &peer)?;
    Ok(Answer::see("/sync/peers"))
}
