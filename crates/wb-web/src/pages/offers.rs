//! Offers of help: making one, and *My things*: what waits for a member, what was agreed on, and what they asked for.

use askama::Template;
use wb_core::id::RecordRef;
use wb_node::command::offer_answer::{Accepting, accepting, offer_accept, offer_decline};
use wb_node::command::offer_done::offer_done;
use wb_node::command::offer_make::{Ways, may_offer, offer_make, offering, offering_words};
use wb_node::query::offers::{known_ways, offers};
use wb_node::query::requests;
use wb_node::view::{OfferView, RequestView, WaysView};
use wb_node::{Actor, Node, NodeError};

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Requests and offers that are over are listed up to this number; protects the page of who was here for years.
const OVER_MAX: usize = 50;

#[derive(Template)]
#[template(path = "offer_new.html")]
struct New {
    shell: Shell,
    key: RecordRef,
    title: String,
    text: String,
    ways: Ways,
    /// What comes of it; none where nothing can be offered.
    words: Option<String>,
    wrong: Option<String>,
}

/// The form for an offer: all that goes, to whom and when stands in it before it is sent.
pub fn form(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let ways = known_ways(visit.node()?, &actor)?;
    write(visit, ways, None)
}

fn write(visit: &mut Visit<'_>, ways: Ways, wrong: Option<String>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let actor = visit.actor()?;
    let text = visit.form.text("text");
    let node = visit.node()?;
    let request = requests::request(node, &key).map_err(|_| Trouble::NotFound)?;
    if request.base.hidden.is_some() {
        return Err(Trouble::NotFound);
    }
    let (words, wrong) = match may_offer(node, &actor, &key) {
        Ok(_) => (Some(offering_words(node, &key)?), wrong),
        Err(error) => (None, Some(crate::words::failure(&error))),
    };
    let page = New {
        shell: visit.shell("Offer help"),
        title: request.title,
        key,
        text,
        ways,
        words,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Offers exactly what stood in the form.
pub fn make(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let actor = visit.actor()?;
    let (ways, text) = (typed(visit), visit.form.word("text"));
    let node = visit.node()?;
    let made = offering(node, &actor, &key, text, ways.clone())
        .and_then(|shown| offer_make(node, &actor, &shown));
    match made {
        Ok(id) => Ok(Answer::see(format!("/things#{id}"))),
        Err(error) => write(visit, ways, Some(crate::words::failure(&error))),
    }
}

/// What was typed as ways to be reached.
fn typed(visit: &Visit<'_>) -> Ways {
    Ways {
        name: visit.form.word("name"),
        email: visit.form.word("email"),
        phone: visit.form.word("phone"),
        more: visit.form.word("more"),
    }
}

#[derive(Template)]
#[template(path = "things.html")]
struct Things {
    shell: Shell,
    waiting: Vec<OfferView>,
    agreed: Vec<OfferView>,
    made: Vec<OfferView>,
    over: Vec<OfferView>,
    requests: Vec<RequestView>,
    ways: Ways,
    own: wb_core::id::InstanceId,
    wrong: Option<String>,
}

/// My things.
pub fn things(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let ways = known_ways(visit.node()?, &actor)?;
    list(visit, ways, None)
}

fn list(visit: &mut Visit<'_>, ways: Ways, wrong: Option<String>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let node = visit.node()?;
    let (mut waiting, mut agreed, mut made, mut over) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for offer in offers(node, &actor)? {
        match offer.state {
            _ if offer.waits => waiting.push(offer),
            "accepted" => agreed.push(offer),
            "offered" => made.push(offer),
            _ => over.push(offer),
        }
    }
    over.truncate(OVER_MAX);
    let requests = own_requests(node, &actor)?;
    let page = Things {
        own: node.own_id(),
        shell: visit.shell("My things"),
        waiting,
        agreed,
        made,
        over,
        requests,
        ways,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

fn own_requests(node: &Node, actor: &Actor) -> Result<Vec<RequestView>, Trouble> {
    let mut own = requests::requests(node)?;
    own.reverse();
    own.retain(|request| {
        request.base.local && !request.erased && request.base.author == actor.handle
    });
    own.truncate(OVER_MAX);
    Ok(own)
}

/// Accepts, with exactly what stood in the form.
pub fn accept(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (key, actor, ways) = (visit.record()?, visit.actor()?, typed(visit));
    let node = visit.node()?;
    let done = accepting(node, &actor, &key, ways.clone())
        .and_then(|shown| offer_accept(node, &actor, &shown));
    match done {
        Ok(()) => Ok(Answer::see(format!("/things#{}", key.id))),
        Err(error @ NodeError::Unknown { .. }) => Err(error.into()),
        Err(error) => list(visit, ways, Some(crate::words::failure(&error))),
    }
}

/// Kindly declines; who offered takes it back.
pub fn decline(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (key, actor) = (visit.record()?, visit.actor()?);
    let text = visit.form.word("text");
    offer_decline(visit.node()?, &actor, &key, text)?;
    Ok(Answer::see(format!("/things#{}", key.id)))
}

/// Says that the help is done.
pub fn done(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (key, actor) = (visit.record()?, visit.actor()?);
    let thanks = visit.form.word("thanks");
    offer_done(visit.node()?, &actor, &key, thanks)?;
    Ok(Answer::see(format!("/things#{}", key.id)))
}

/// Ways to reach somebody, each with what it is.
pub(super) fn ways_of(ways: &WaysView) -> Vec<(&'static str, String)> {
    let fields = [
        ("Name", &ways.name),
        ("E-mail", &ways.email),
        ("Phone", &ways.phone),
        ("Another way", &ways.text),
    ];
    let fields = fields.into_iter();
    fields
        .filter_map(|(what, value)| Some((what, value.clone()?)))
        .collect()
}

/// Where an offer stands, in a word for people.
pub(super) fn state_word(offer: &OfferView) -> &'static str {
    match offer.state {
        "offered" => "offered",
        "over" => "not answered",
        "lost" => "did not arrive",
        "accepted" => "accepted",
        "declined" => "kindly declined",
        "taken_back" => "taken back",
        "done" => "done",
        _ => "over",
    }
}

impl Things {
    fn ways_of(&self, ways: &WaysView) -> Vec<(&'static str, String)> {
        ways_of(ways)
    }

    fn state_word(&self, offer: &OfferView) -> &'static str {
        state_word(offer)
    }

    /// Fields of several offers on one page have names of their own.
    fn prefix(&self, offer: &OfferView) -> String {
        format!("{}-", offer.id)
    }

    fn accept_words(&self, offer: &OfferView) -> String {
        Accepting::words_for((offer.origin != self.own).then_some(offer.with.as_str()))
    }
}
