//! One request: what it says, where it stands, and what was answered.

use askama::Template;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::To;
use wb_core::scope::{By, Scope};
use wb_core::time::Timestamp;
use wb_node::command::comment_add::comment_add;
use wb_node::command::comment_send::{comment_send, sending};
use wb_node::command::conflict_settle::conflict_settle;
use wb_node::command::helper::{helper_name, helper_withdraw, helpers};
use wb_node::command::offer_answer::Accepting;
use wb_node::command::offer_make::{Ways, may_offer};
use wb_node::command::status_say::{Saying, SpeaksAs, must_decide, say, saying};
use wb_node::query::letters::{contact_text, contacts, sent_about};
use wb_node::query::offers::{known_ways, offers_about};
use wb_node::query::sync_log::{also, road};
use wb_node::query::who::{WhoView, who};
use wb_node::query::{comments, requests};
use wb_node::view::{
    AlsoView, CommentView, LetterState, OfferView, RequestView, RoadView, SaidView, WaysView,
};
use wb_node::{Actor, Node};

use crate::answer::Answer;
use crate::contact;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Said where an answer would go as a letter and its author did not say yes to that.
const NOT_AGREED: &str = "Nothing was sent. The answer goes as a letter to the community that asked: say yes to that below.";

/// How a contest ends, each with what its button says.
pub(crate) const ENDS: [(&str, &str); 3] = [
    ("completed", "It is done"),
    ("open", "It is still open"),
    ("cancelled", "It is not needed any more"),
];

/// Said where a word would be a claim and its author did not say yes to that.
const NOT_CLAIMED: &str = "Nothing was said. The community that asked has not named this one as helping here, so it would be \
                           a claim: say yes to that beside the button.";

#[derive(Template)]
#[template(path = "request.html")]
struct Page {
    shell: Shell,
    request: RequestView,
    comments: Vec<CommentView>,
    road: Option<RoadView>,
    /// Others that were seen to have it.
    also: Vec<AlsoView>,
    /// Who has it, for a request of this instance.
    who: Option<WhoView>,
    /// Whether this browser's member wrote it.
    is_mine: bool,
    /// Whether this browser's member may say where it stands.
    decides: bool,
    /// What this browser's member may say of a request of another community, with what follows from it.
    says: Vec<Says>,
    /// The communities whose word counts for a request of this one.
    helpers: Vec<(InstanceId, String)>,
    is_steward: bool,
    user: RecordId,
    /// How far an answer goes unless another choice is made: never further than the request.
    answer_scope: Scope,
    comment: String,
    /// What is said before an answer that goes as a letter.
    letter: Option<String>,
    /// Whether this browser's member may publish answers that came by letter.
    publishes: bool,
    /// Ways to reach people, sent to whoever asked here.
    contacts: Vec<(String, String, Timestamp)>,
    /// Ways to reach this browser's member that were sent from here.
    sent: Vec<(RecordId, LetterState)>,
    /// Whether this browser's member can offer help now.
    can_offer: bool,
    /// Offers about it that this browser's member is at one side of.
    offers: Vec<OfferView>,
    /// Ways to reach this browser's member, to choose from.
    ways: Ways,
    own: InstanceId,
    wrong: Option<String>,
    warning: Option<&'static str>,
}

/// One thing that may be said of where a request stands.
struct Says {
    /// The last part of the address that it is sent to.
    act: &'static str,
    name: &'static str,
    saying: Saying,
}

impl Says {
    fn is_claim(&self) -> bool {
        self.saying.speaks_as == SpeaksAs::Claim
    }
}

/// What may be said from here of a request of another community.
fn says(node: &Node, actor: &Actor, request: &RequestView, key: &RecordRef) -> Vec<Says> {
    if request.base.local || request.erased {
        return Vec::new();
    }
    let acts = [
        ("complete", "Say that help was given", To::Completed),
        ("reopen", "Say that help is needed", To::Open),
    ];
    let says = acts.into_iter().filter_map(|(act, name, to)| {
        // What is so already, or may not be said, is no button.
        let saying = saying(node, actor, key, to).ok()?;
        Some(Says { act, name, saying })
    });
    says.collect()
}

/// The communities whose word counts, by name.
fn named(node: &Node, key: &RecordRef) -> Result<Vec<(InstanceId, String)>, Trouble> {
    let instances = node.store().instances().map_err(wb_node::NodeError::from)?;
    let named = helpers(node, key)?.into_iter().map(|id| {
        let known = instances.iter().find(|known| known.id == id);
        (
            id,
            known.map_or_else(|| id.short(), wb_store::Instance::label),
        )
    });
    Ok(named.collect())
}

/// The page.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, None, None)
}

fn write(
    visit: &mut Visit<'_>,
    wrong: Option<String>,
    warning: Option<&'static str>,
) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let (actor, is_steward) = (visit.actor()?, visit.is_steward());
    let default = visit.default_scope()?;
    let node = visit.node()?;
    let request = requests::request(node, &key).map_err(|_| Trouble::NotFound)?;
    if request.base.hidden.is_some() {
        return Err(Trouble::NotFound);
    }
    let mut answers = comments::comments(node, Some(key))?;
    answers.retain(|comment| comment.base.hidden.is_none());
    let (road, also) = (road(node, &key)?, also(node, &key)?);
    let author = node
        .store()
        .local(&key.id)?
        .and_then(|record| record.author);
    let is_mine = request.base.local && author == Some(actor.user);
    let has_words = request.base.local && !request.erased;
    let who = match has_words {
        true => Some(who(node, &key)?),
        false => None,
    };
    let contacts = contacts(node, &actor, &key)?;
    let contacts = contacts
        .into_iter()
        .map(|(who, contact, at)| (who, contact_text(&contact), at));
    let page = Page {
        can_offer: may_offer(node, &actor, &key).is_ok(),
        offers: offers_about(node, &actor, &key)?,
        ways: known_ways(node, &actor)?,
        own: node.own_id(),
        letter: letter_words(node, &actor, &key),
        publishes: has_words && (is_mine || is_steward),
        contacts: contacts.collect(),
        sent: sent_about(node, &actor, &key)?,
        answer_scope: default.min(request.base.scope),
        user: actor.user,
        is_steward,
        says: says(node, &actor, &request, &key),
        helpers: match has_words {
            true => named(node, &key)?,
            false => Vec::new(),
        },
        who,
        shell: visit.shell(request.title.clone()),
        decides: has_words && (is_mine || is_steward),
        request,
        comments: answers,
        road,
        also,
        is_mine,
        comment: visit.form.text("body"),
        wrong,
        warning,
    };
    Ok(Answer::page(page.render()?))
}

/// What is said where an answer goes as a letter; nothing where it does not, or may not.
fn letter_words(node: &Node, actor: &Actor, key: &RecordRef) -> Option<String> {
    // To whom it goes and under which name does not hang on the words.
    let shown = sending(node, actor, key, "words", None).ok().flatten();
    shown.map(|shown| shown.words())
}

pub(super) fn address(key: &RecordRef) -> String {
    format!("/requests/{}/{}", key.origin, key.id)
}

/// Answers.
pub fn comment(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let actor = visit.actor()?;
    let body = visit.form.text("body");
    let scope: Scope = visit.form.text("scope").parse().unwrap_or(Scope::Private);
    match sending(visit.node()?, &actor, &key, body.trim(), None) {
        Ok(None) => {}
        // Nothing goes that its author did not agree to, with the words before their eyes.
        Ok(Some(_)) if !visit.form.has("letter") => {
            return write(visit, Some(NOT_AGREED.to_owned()), None);
        }
        Ok(Some(shown)) => {
            return match comment_send(visit.node()?, &actor, &key, &shown) {
                Ok(id) => Ok(Answer::see(format!("{}#{id}", address(&key)))),
                Err(error) => write(visit, Some(crate::words::failure(&error)), None),
            };
        }
        Err(error) => return write(visit, Some(crate::words::failure(&error)), None),
    }
    if scope != Scope::Private && contact::is_in(&[&body]) && !visit.form.has("sure") {
        return write(visit, None, Some(contact::WARNING));
    }
    match comment_add(visit.node()?, &actor, &key, body.trim(), scope) {
        Ok(id) => Ok(Answer::see(format!("{}#{id}", address(&key)))),
        Err(error) => write(visit, Some(crate::words::failure(&error)), None),
    }
}

/// Says that help was given.
pub fn complete(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    say_it(visit, To::Completed)
}

/// Says that help is needed after all.
pub fn reopen(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    say_it(visit, To::Open)
}

/// Says that it is not needed any more.
pub fn cancel(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    say_it(visit, To::Cancelled)
}

fn say_it(visit: &mut Visit<'_>, to: To) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let (actor, note) = (visit.actor()?, visit.form.word("note"));
    let node = visit.node()?;
    let speaks_as = saying(node, &actor, &key, to)?.speaks_as;
    // What follows was read before under one of them: what was a word that counts must not become a claim unseen.
    if speaks_as == SpeaksAs::Claim && !visit.form.has("claim") {
        return write(visit, Some(NOT_CLAIMED.to_owned()), None);
    }
    say(visit.node()?, &actor, &key, to, note.as_deref())?;
    Ok(Answer::see(address(&key)))
}

/// Ends what home and helpers disagree about.
pub fn settle(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let (actor, note) = (visit.actor()?, visit.form.word("note"));
    must_decide(visit.node()?, &actor, &key, "settle this")?;
    let to = match visit.form.text("to").as_str() {
        "open" => To::Open,
        "completed" => To::Completed,
        "cancelled" => To::Cancelled,
        _ => return Err(Trouble::Refused("nobody said where it stands".to_owned())),
    };
    // What was read with the button: a word that came after it is not heard unseen.
    let seen = visit.form.text("seen");
    let seen = seen.split(' ').filter_map(|id| id.parse().ok()).collect();
    let node = visit.node()?;
    conflict_settle(node, &actor, &key, to, note.as_deref(), Some(&seen))?;
    let back = visit.form.has("list");
    Ok(Answer::see(match back {
        true => "/conflicts".to_owned(),
        false => address(&key),
    }))
}

/// Lets the word of another community count for a request of this one, or count no more.
pub fn helper(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let actor = visit.actor()?;
    must_decide(
        visit.node()?,
        &actor,
        &key,
        "say who helps with this request",
    )?;
    let instance = visit.form.text("instance");
    let instance = instance.parse().map_err(|_| Trouble::NotFound)?;
    let withdraws = visit.form.has("withdraw");
    let node = visit.node()?;
    if withdraws {
        helper_withdraw(node, &actor, &key, instance)?;
    } else {
        helper_name(node, &actor, &key, instance)?;
    }
    Ok(Answer::see(address(&key)))
}

impl Page {
    /// Whether this browser's member wrote an answer.
    fn is_own(&self, comment: &CommentView) -> bool {
        let by = By::User(self.user).to_string();
        comment.base.local && comment.base.by.as_deref() == Some(by.as_str())
    }

    /// Whether an answer came by letter and may be published by this browser's member.
    fn can_publish(&self, comment: &CommentView) -> bool {
        self.publishes && !comment.base.local && comment.letter.is_some()
    }

    /// Whether somebody else than its home says where it stands.
    fn is_spoken_of(&self) -> bool {
        self.request.said.iter().any(|said| said.voice != "home")
    }

    /// Whether this browser's member may let the word of whoever claims something count.
    fn can_name(&self, said: &SaidView) -> bool {
        self.decides && said.voice == "claim" && !said.local
    }

    fn ways_of(&self, ways: &WaysView) -> Vec<(&'static str, String)> {
        super::offers::ways_of(ways)
    }

    fn state_word(&self, offer: &OfferView) -> &'static str {
        super::offers::state_word(offer)
    }

    /// Fields of several offers on one page have names of their own.
    fn prefix(&self, offer: &OfferView) -> String {
        format!("{}-", offer.id)
    }

    fn accept_words(&self, offer: &OfferView) -> String {
        Accepting::words_for((offer.origin != self.own).then_some(offer.with.as_str()))
    }

    fn is_open(&self) -> bool {
        self.request.status == To::Open
    }
}
