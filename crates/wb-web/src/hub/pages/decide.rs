//! What a moderator says in public about a member or a record: the words, a page with what would come of them, and
//! then the act. Nothing is done before that page was shown, and nothing here needs a script.

use askama::Template;
use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::{NoticeAct, Subject};
use wb_core::notice::Deciding;
use wb_core::time::Timestamp;
use wb_hub::{HubListings, HubStore, REASON_CHARS_MAX, RecordFace, would_decide};
use wb_node::plan::headline;

use super::members;
use crate::answer::Answer;
use crate::hub::shell::Shell;
use crate::hub::visit::{Trouble, Visit};

pub(super) const NOT_A_DAY: &str =
    "The day has to be written like 2026-12-31. Nothing was changed.";

/// Leaves a member out.
pub(crate) fn suspend<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    of_member(visit, NoticeAct::Suspend)
}

/// Leaves a member out for good.
pub(crate) fn revoke<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    of_member(visit, NoticeAct::Revoke)
}

/// Keeps a member out of every list.
pub(crate) fn delist<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    of_member(visit, NoticeAct::Delist)
}

/// Undoes what was decided about a member.
pub(crate) fn reinstate<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    of_member(visit, NoticeAct::Reinstate)
}

/// Hands a record on to nobody.
pub(crate) fn withhold<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    let key = visit.request()?;
    said(visit, NoticeAct::Withhold, Subject::Record(key))
}

/// Hands a record on again.
pub(crate) fn reinstate_record<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    let key = visit.request()?;
    said(visit, NoticeAct::Reinstate, Subject::Record(key))
}

fn of_member<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
    act: NoticeAct,
) -> Result<Answer, Trouble> {
    let id = visit.home()?;
    said(visit, act, Subject::Instance(id))
}

/// The page of what something is about.
fn page_of(subject: &Subject) -> String {
    match subject {
        Subject::Instance(id) => format!("/moderate/members/{id}"),
        Subject::Record(key) => format!("/moderate/records/{}/{}", key.origin, key.id),
    }
}

#[derive(Template)]
#[template(path = "hub/decide.html")]
struct Step {
    shell: Shell,
    asks: &'static str,
    name: String,
    sentences: Vec<String>,
    reason: String,
    until: String,
    note: String,
    this_revision: String,
    action: String,
    back: String,
    does: &'static str,
}

fn said<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
    act: NoticeAct,
    subject: Subject,
) -> Result<Answer, Trouble> {
    let until = match visit.form.word("until").filter(|_| act.may_end()) {
        Some(day) => match beginning_of(&day) {
            Some(until) => Some(until),
            None => return wrong(visit, &subject, NOT_A_DAY.to_owned()),
        },
        None => None,
    };
    let mut deciding = Deciding {
        act,
        subject,
        line: None,
        reason: visit.form.word("reason").unwrap_or_default(),
        until,
        note: visit.form.word("note"),
    };
    let role = visit.moderator().ok_or(Trouble::LogIn)?.role;
    let looked = would_decide(&visit.site.store, role, &deciding, visit.now);
    let would = match visit.wait(looked) {
        Ok(would) => would,
        Err(error) if error.is_about_the_words() => {
            return wrong(visit, &subject, format!("{error}. Nothing was changed."));
        }
        Err(error) => return Err(error.into()),
    };
    if act == NoticeAct::Withhold && visit.form.word("this_revision").is_some() {
        deciding.line = would.effect.record.as_ref().map(|face| face.line_hash);
    }
    if visit.form.word("sure").is_some() {
        visit.decide(&deciding)?;
        return Ok(Answer::see(page_of(&subject)));
    }
    let (asks, does) = words(act);
    let page = Step {
        shell: visit.shell(asks),
        asks,
        name: would.member.name.clone(),
        sentences: would.sentences(&deciding),
        reason: deciding.reason,
        until: visit.form.text("until"),
        note: visit.form.text("note"),
        this_revision: visit.form.text("this_revision"),
        action: format!("{}/{}", page_of(&subject), act.as_str()),
        back: page_of(&subject),
        does,
    };
    Ok(Answer::page(page.render()?))
}

/// What is asked, and what the button does.
fn words(act: NoticeAct) -> (&'static str, &'static str) {
    match act {
        NoticeAct::Delist => ("Take out of every list?", "Delist it"),
        NoticeAct::Suspend => ("Suspend?", "Suspend it"),
        NoticeAct::Revoke => ("Revoke?", "Revoke it"),
        NoticeAct::Withhold => ("Withhold this record?", "Withhold it"),
        NoticeAct::Reinstate => ("Undo what was decided?", "Undo it"),
    }
}

/// The beginning of a day, at which something ends.
pub(super) fn beginning_of(day: &str) -> Option<Timestamp> {
    format!("{day}T00:00:00.000Z").parse().ok()
}

/// The page again, with what has to be mended.
fn wrong<S: HubStore + HubListings>(
    visit: &Visit<'_, S>,
    subject: &Subject,
    wrong: String,
) -> Result<Answer, Trouble> {
    match subject {
        Subject::Instance(_) => members::write(visit, Some(wrong)),
        Subject::Record(key) => show(visit, *key, Some(wrong)),
    }
}

#[derive(Template)]
#[template(path = "hub/record.html")]
struct RecordPage {
    shell: Shell,
    key: RecordRef,
    home: String,
    face: RecordFace,
    headline: String,
    body: String,
    followers: u64,
    reason: String,
    until: String,
    note: String,
    reason_chars_max: usize,
    wrong: Option<String>,
}

/// One record, as a moderator looks at it: also one that is withheld.
pub(crate) fn record<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    let key = visit.request()?;
    show(visit, key, None)
}

fn show<S: HubStore + HubListings>(
    visit: &Visit<'_, S>,
    key: RecordRef,
    wrong: Option<String>,
) -> Result<Answer, Trouble> {
    let store = &visit.site.store;
    let member = visit.wait(store.member(key.origin, visit.now))?;
    let member = member.ok_or(Trouble::NotFound)?;
    let effect = visit.wait(store.effect(Subject::Record(key), visit.now))?;
    let effect = effect.ok_or(Trouble::NotFound)?;
    let face = effect.record.clone().ok_or(Trouble::NotFound)?;
    let body = face.body.clone().unwrap_or_default();
    let page = RecordPage {
        shell: visit.shell("A record"),
        key,
        home: member.name,
        headline: headline(face.kind.as_str(), &body),
        body,
        face,
        followers: effect.followers,
        reason: visit.form.text("reason"),
        until: visit.form.text("until"),
        note: visit.form.text("note"),
        reason_chars_max: REASON_CHARS_MAX,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Finds the record that somebody names by its id, or by the address of its page here.
pub(crate) fn find<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let home = visit.query.word("home").unwrap_or_default();
    let home: wb_core::id::InstanceId = home.parse().map_err(|_| Trouble::NotFound)?;
    let text = visit.query.word("record").unwrap_or_default();
    let last = text.trim_end_matches('/').rsplit(['/', '#']).next();
    let id: RecordId = last
        .and_then(|last| last.parse().ok())
        .ok_or(Trouble::NotFound)?;
    Ok(Answer::see(format!("/moderate/records/{home}/{id}")))
}
