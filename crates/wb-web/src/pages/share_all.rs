//! Sharing many records at one time: what would come of it, the act, and who was asked and has not answered.

use askama::Template;
use wb_core::leave::Stays;
use wb_core::scope::{Kind, Scope};
use wb_node::command::share_all::{
    SharedAll, Unanswered, WouldShare, share_all, unanswered, would_share,
};

use crate::answer::Answer;
use crate::limits::THINGS_SHOWN_MAX;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Kinds that can be chosen, each with what people call it.
const KINDS: [(&str, &str); 4] = [
    ("request", "Requests"),
    ("comment", "Answers"),
    ("invite", "Words of invitations"),
    ("user", "Profiles"),
];

#[derive(Template)]
#[template(path = "share_all.html")]
struct Page {
    shell: Shell,
    kind: String,
    scope: Scope,
    /// What would come of it; none where nothing was chosen yet.
    would: Option<WouldShare>,
    /// What came of it.
    done: Option<SharedAll>,
    asked: Vec<Unanswered>,
    /// Those beyond the ones that are listed.
    more: usize,
}

impl Page {
    fn kinds(&self) -> &'static [(&'static str, &'static str)] {
        &KINDS
    }

    /// How far, as a part of a sentence.
    fn far(&self) -> &'static str {
        match self.scope {
            Scope::Private => "stay here",
            Scope::TrustedPeers => "go to trusted communities only",
            Scope::Public => "go to everybody",
        }
    }

    /// How many keep home although they are let go.
    fn kept(would: &WouldShare) -> Vec<(Stays, u64)> {
        let mut kept: Vec<(Stays, u64)> = would.stays.iter().map(|(why, n)| (*why, *n)).collect();
        kept.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        kept
    }
}

/// One of the kinds that can be chosen.
fn kind(word: &str) -> Result<Kind, Trouble> {
    let known = KINDS.iter().any(|(name, _)| *name == word);
    let kind = word.parse().ok().filter(|_| known);
    kind.ok_or_else(|| Trouble::Refused("Choose what is shared".to_owned()))
}

/// How far; nothing is taken back here, because that has a page for each.
fn scope(word: &str) -> Result<Scope, Trouble> {
    let scope = word.parse().ok();
    let scope = scope.filter(|scope| *scope != Scope::Private);
    scope.ok_or_else(|| Trouble::Refused("Choose how far it goes".to_owned()))
}

/// What is asked and not answered; with a choice, what would come of it.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let Some(word) = visit.query.word("kind") else {
        return write(visit, "request", Scope::Public, None, None);
    };
    let (kind, scope) = (kind(&word)?, scope(&visit.query.text("scope"))?);
    let actor = visit.actor()?;
    let would = would_share(visit.node()?, &actor, &kind, scope)?;
    write(visit, kind.as_str(), scope, Some(would), None)
}

/// Does it.
pub fn share(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let kind = kind(&visit.form.text("kind"))?;
    let scope = scope(&visit.form.text("scope"))?;
    let actor = visit.actor()?;
    let done = share_all(visit.node()?, &actor, &kind, scope)?;
    write(visit, kind.as_str(), scope, None, Some(done))
}

fn write(
    visit: &mut Visit<'_>,
    kind: &str,
    scope: Scope,
    would: Option<WouldShare>,
    done: Option<SharedAll>,
) -> Result<Answer, Trouble> {
    let mut asked = unanswered(visit.node()?)?;
    let more = asked.len().saturating_sub(THINGS_SHOWN_MAX);
    asked.truncate(THINGS_SHOWN_MAX);
    let page = Page {
        shell: visit.shell("Share many at one time"),
        kind: kind.to_owned(),
        scope,
        would,
        done,
        asked,
        more,
    };
    Ok(Answer::page(page.render()?))
}
