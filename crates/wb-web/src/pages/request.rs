//! One request: what it says, where it stands, and what was answered.

use askama::Template;
use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::To;
use wb_core::scope::{By, Scope};
use wb_core::time::Timestamp;
use wb_node::command::comment_add::comment_add;
use wb_node::command::comment_send::{comment_send, sending};
use wb_node::command::offer_answer::Accepting;
use wb_node::command::offer_make::{Ways, may_offer};
use wb_node::command::request_complete::{request_complete, request_reopen};
use wb_node::query::letters::{contact_text, contacts, sent_about};
use wb_node::query::offers::{known_ways, offers_about};
use wb_node::query::sync_log::{also, road};
use wb_node::query::who::{WhoView, who};
use wb_node::query::{comments, requests};
use wb_node::view::{
    AlsoView, CommentView, LetterState, OfferView, RequestView, RoadView, WaysView,
};
use wb_node::{Actor, Node};

use crate::answer::Answer;
use crate::contact;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Said where an answer would go as a letter and its author did not say yes to that.
const NOT_AGREED: &str = "Nothing was sent. The answer goes as a letter to the community that asked: say yes to that below.";

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
    let key = visit.record()?;
    let (actor, note) = (visit.actor()?, visit.form.word("note"));
    request_complete(visit.node()?, &actor, &key, note.as_deref())?;
    Ok(Answer::see(address(&key)))
}

/// Says that help is needed after all.
pub fn reopen(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let actor = visit.actor()?;
    request_reopen(visit.node()?, &actor, &key, None)?;
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
