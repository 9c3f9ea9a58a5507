//! Letters about a request: publishing an answer that came by one, and sending ways to reach somebody.

use askama::Template;
use wb_core::id::{RecordId, RecordRef};
use wb_core::letter::LetterBody;
use wb_node::command::comment_publish::comment_publish;
use wb_node::command::contact_send::{Chosen, contact_send, contact_sending, contact_take_back};
use wb_node::query::letters::contact_text;

use super::request::address;
use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "contact.html")]
struct Page {
    shell: Shell,
    key: RecordRef,
    /// Exactly what goes.
    chosen: Chosen,
    shown: Option<String>,
    words: String,
    wrong: Option<String>,
}

/// Publishes an answer that came by letter.
pub fn publish(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let actor = visit.actor()?;
    let origin = visit.form.text("from").parse();
    let id = visit.form.text("letter").parse();
    let (Ok(origin), Ok(id)) = (origin, id) else {
        return Err(Trouble::NotFound);
    };
    comment_publish(visit.node()?, &actor, &RecordRef { origin, id })?;
    Ok(Answer::see(address(&key)))
}

/// Shows what would be sent, and sends exactly that once its owner said yes.
pub fn contact(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let actor = visit.actor()?;
    let chosen = Chosen {
        name: visit.form.word("name"),
        email: visit.form.word("email"),
        phone: visit.form.word("phone"),
        text: visit.form.word("text"),
    };
    let is_agreed = visit.form.has("sure");
    let sending = contact_sending(visit.node()?, &actor, &key, chosen.clone());
    let (shown, words, wrong) = match sending {
        Ok(shown) if is_agreed => {
            contact_send(visit.node()?, &actor, &key, &shown)?;
            return Ok(Answer::see(address(&key)));
        }
        Ok(shown) => (Some(ways(&shown.body)), shown.words(), None),
        Err(error) => (None, String::new(), Some(crate::words::failure(&error))),
    };
    let page = Page {
        shell: visit.shell("Ways to reach you"),
        key,
        chosen,
        shown,
        words,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Asks to erase ways to reach this browser's member.
pub fn back(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let key = visit.record()?;
    let actor = visit.actor()?;
    let thread: RecordId = visit
        .form
        .text("thread")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    contact_take_back(visit.node()?, &actor, &thread)?;
    Ok(Answer::see(address(&key)))
}

fn ways(body: &LetterBody) -> String {
    match body {
        LetterBody::Contact(contact) => contact_text(contact),
        _ => String::new(),
    }
}
