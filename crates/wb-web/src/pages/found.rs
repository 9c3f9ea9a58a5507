//! Founding: one form, the recovery words, two of them asked back, the default share, and on to the first
//! invite.

use askama::Template;
use wb_core::words::WORDS;
use wb_node::Node;
use wb_node::command::address::{address_set, read_address};
use wb_node::command::init::{Init, init};
use wb_node::command::session::session_begin;
use wb_node::entropy;
use zeroize::Zeroizing;

use crate::answer::{Answer, Cookie};
use crate::browser::SESSION;
use crate::shell::Shell;
use crate::site::{Site, Words};
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "found.html")]
struct FormPage<'p> {
    shell: Shell,
    action: &'p str,
    name: String,
    handle: String,
    address: String,
    wrong: Option<String>,
}

/// The form. A browser that only looks changes nothing.
pub fn form(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    open(visit)?;
    write_form(visit, None)
}

fn write_form(visit: &Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let page = FormPage {
        shell: visit.shell("Found your community"),
        action: visit.path,
        name: visit.form.text("name"),
        handle: visit.form.text("handle"),
        address: visit.form.text("address"),
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Founds, and shows the words.
pub fn found(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    open(visit)?;
    let (name, handle) = (visit.form.text("name"), visit.form.text("handle"));
    let address = visit.form.word("address");
    // Before anything is founded: what is wrong with it can still be changed.
    if let Some(Err(error)) = address.as_deref().map(read_address) {
        return write_form(visit, Some(crate::words::failure(&error)));
    }
    let input = Init {
        name: name.trim(),
        admin: handle.trim(),
        words_file: None,
    };
    let founded = match init(&visit.site.config.home, &input) {
        Ok(founded) => founded,
        Err(error) => return write_form(visit, Some(crate::words::failure(&error))),
    };
    if address.is_some() {
        let founder = founded.node.actor(None)?;
        address_set(&founded.node, &founder, address.as_deref())?;
    }
    let words = Words::of(founded.words);
    let token = visit.param("token").to_owned();
    let shown = visit.site.founding(&token, |founding| {
        founding.words = Some(words);
    });
    shown.ok_or(Trouble::NotFound)?;
    let secret = begin(&founded.node, &visit.label)?;
    let own = founded.node.own_id();
    visit.site.keep(founded.node);
    // The page after this one has a node to open.
    Ok(Answer::see(format!("/founded/{token}")).cookie(Cookie {
        name: Site::cookie(SESSION, Some(own)),
        value: Some(secret),
        days: wb_node::command::session::SESSION_DAYS,
    }))
}

fn begin(node: &Node, label: &str) -> Result<String, Trouble> {
    let actor = node.actor(None)?;
    let account = node
        .store()
        .private()
        .account(&actor.handle)?
        .ok_or(Trouble::NotFound)?;
    Ok(session_begin(node, &account, label)?.to_string())
}

#[derive(Template)]
#[template(path = "words.html")]
struct WordsPage<'p> {
    shell: Shell,
    token: &'p str,
    instance: String,
    words: Vec<&'p str>,
    asked: [usize; 2],
    wrong: bool,
}

/// The words, for as long as they were not confirmed.
pub fn words(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write_words(visit, false)
}

fn write_words(visit: &mut Visit<'_>, wrong: bool) -> Result<Answer, Trouble> {
    let instance = visit.node()?.own_id().to_string();
    let shell = visit.shell("Your recovery words");
    let token = visit.param("token");
    let html = visit.site.founding(token, |founding| {
        let words = founding.words.as_ref()?;
        let page = WordsPage {
            shell,
            token,
            instance,
            words: words.text.split_whitespace().collect(),
            asked: words.asked,
            wrong,
        };
        Some(page.render())
    });
    match html.flatten() {
        Some(html) => Ok(Answer::page(html?)),
        // They were confirmed, or the half hour is over.
        None => Ok(Answer::see("/")),
    }
}

/// Compares the two words that were asked back.
pub fn confirm(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let token = visit.param("token");
    let given = [visit.form.text("first"), visit.form.text("second")];
    let right = visit.site.founding(token, |founding| {
        let words = founding.words.as_ref()?;
        Some(words.fits(&given))
    });
    match right.flatten() {
        Some(true) => {
            visit.site.close_founding();
            Ok(Answer::see("/settings/sharing?next=invites"))
        }
        Some(false) => write_words(visit, true),
        None => Ok(Answer::see("/")),
    }
}

/// Whether the link works.
fn open(visit: &Visit<'_>) -> Result<(), Trouble> {
    visit
        .site
        .founding(visit.param("token"), |_| ())
        .ok_or(Trouble::Refused(OVER.to_owned()))
}

const OVER: &str =
    "This link is over: it works for half an hour. Start `wb up` again for a new one";

impl Words {
    pub(crate) fn of(text: Zeroizing<String>) -> Self {
        let count = WORDS as u64;
        let first = entropy::chance() % count;
        // Another one, whichever it is.
        let second = (first + 1 + entropy::chance() % (count - 1)) % count;
        let mut asked = [first, second].map(|at| usize::try_from(at + 1).unwrap_or(1));
        asked.sort_unstable();
        Self { text, asked }
    }

    /// Whether these are the two that were asked back.
    pub(crate) fn fits(&self, given: &[String; 2]) -> bool {
        let all: Vec<&str> = self.text.split_whitespace().collect();
        let same = |at: usize| {
            all.get(self.asked[at] - 1)
                .is_some_and(|word| word.eq_ignore_ascii_case(given[at].trim()))
        };
        same(0) && same(1)
    }
}
