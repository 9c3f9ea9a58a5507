//! How far a record goes: changed in place by its author, narrowed by a steward.

use askama::Template;
use wb_core::entry::Reason;
use wb_core::id::{RecordId, RecordRef};
use wb_core::scope::Scope;
use wb_node::command::record_retract::{can_be_erased, record_retract};
use wb_node::command::record_share::{record_share, record_unshare};
use wb_node::query::reach::{ReachView, reach_view};
use wb_node::query::who::{WhoView, who};

use crate::answer::Answer;
use crate::contact;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Keeps home what a preview said would leave.
pub fn keep(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let id = visit
        .form
        .text("id")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    let actor = visit.actor()?;
    let node = visit.node()?;
    let key = RecordRef {
        origin: node.own_id(),
        id,
    };
    record_unshare(node, &actor, &key)?;
    super::sync::preview(visit)
}

#[derive(Template)]
#[template(path = "scope.html")]
struct Page {
    shell: Shell,
    id: RecordId,
    record: ReachView,
    who: WhoView,
    /// The choice that is asked about; none where nothing was chosen yet.
    chosen: Option<Scope>,
    /// Said where the text holds a way to reach somebody and would leave with it.
    warning: Option<&'static str>,
    back: String,
}

/// How far a record goes, what would come of another choice, and who has it.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let chosen = visit.query.text("scope").parse().ok();
    write(visit, chosen)
}

fn write(visit: &mut Visit<'_>, chosen: Option<Scope>) -> Result<Answer, Trouble> {
    let (key, actor) = (own(visit)?, visit.actor()?);
    let node = visit.node()?;
    let (record, who) = (reach_view(node, &actor, &key)?, who(node, &key)?);
    let leaves = chosen.is_some_and(|scope| goes_further(&record, scope));
    let page = Page {
        warning: (leaves && contact::is_in(&[&record.text])).then_some(contact::WARNING),
        back: back(&record, &key),
        id: key.id,
        record,
        who,
        chosen,
        shell: visit.shell("How far it goes"),
    };
    Ok(Answer::page(page.render()?))
}

impl Page {
    /// What would come of the choice that is asked about.
    fn consequence(&self) -> Option<&str> {
        match self.chosen? {
            Scope::Private => Some(&self.record.if_private),
            Scope::TrustedPeers => self.record.if_trusted.as_deref(),
            Scope::Public => Some(&self.record.if_public),
        }
    }

    /// How far its author and stewards let it go now.
    fn now(&self) -> Scope {
        self.record.scope.min(self.record.ceiling)
    }

    /// The choice that is asked about, as the form has it.
    fn word(&self) -> &'static str {
        self.chosen.unwrap_or(Scope::Private).as_str()
    }

    fn is_for_trusted(&self) -> bool {
        self.chosen == Some(Scope::TrustedPeers)
    }

    fn takes_back(&self) -> bool {
        self.chosen == Some(Scope::Private)
    }

    /// Whether a reason is asked for: its author takes back what others may have.
    fn asks_why(&self) -> bool {
        self.takes_back() && self.record.is_author && can_be_erased(&self.record.kind)
    }
}

/// Whether a choice would let it leave for somebody who has not got it.
fn goes_further(record: &ReachView, scope: Scope) -> bool {
    match scope {
        Scope::Private => false,
        Scope::TrustedPeers => !record.is_published,
        Scope::Public => !record.is_public,
    }
}

fn own(visit: &mut Visit<'_>) -> Result<RecordRef, Trouble> {
    let (id, origin) = (visit.own_record()?, visit.node()?.own_id());
    Ok(RecordRef { origin, id })
}

/// The page on which the record is shown.
fn back(record: &ReachView, key: &RecordRef) -> String {
    match (record.kind.as_str(), record.request) {
        (_, Some(request)) => format!("/requests/{}/{}", request.origin, request.id),
        ("user", None) => format!("/members/{}/{}", key.origin, key.id),
        ("invite", None) => "/invites".to_owned(),
        _ => "/".to_owned(),
    }
}

/// Changes how far a record of this instance goes. Where it would leave with an address or number in its
/// text, that is asked about first.
pub fn scope(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (key, actor) = (own(visit)?, visit.actor()?);
    let scope: Scope = visit
        .form
        .text("scope")
        .parse()
        .map_err(|_| Trouble::Refused("Choose how far it goes".to_owned()))?;
    let sure = visit.form.has("sure");
    let reason = match visit.form.text("reason").as_str() {
        "" => None,
        "scope" => Some(Reason::Scope),
        "mistake" => Some(Reason::Mistake),
        "erase" => Some(Reason::Erase),
        _ => return Err(Trouble::Refused("Choose why it is taken back".to_owned())),
    };
    let node = visit.node()?;
    let record = reach_view(node, &actor, &key)?;
    if scope == Scope::Private {
        match reason {
            Some(reason) => drop(record_retract(node, &actor, &key, reason)?),
            None => drop(record_unshare(node, &actor, &key)?),
        }
        if reason == Some(Reason::Erase) {
            return Ok(Answer::see(format!("/records/{}/scope", key.id)));
        }
    } else if goes_further(&record, scope) && contact::is_in(&[&record.text]) && !sure {
        return write(visit, Some(scope));
    } else {
        record_share(node, &actor, &key, scope, None)?;
    }
    Ok(Answer::see(back(&record, &key)))
}
