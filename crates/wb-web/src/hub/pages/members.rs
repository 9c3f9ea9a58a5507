//! Registrations by where they stand, one of them, and letting it in; what is said about it in public is in `decide`.

use askama::Template;
use wb_core::kinds::{Body, Card};
use wb_core::sync::{Standing, Visibility};
use wb_hub::{HubListings, HubStore, MemberRow, REASON_CHARS_MAX, RoomRow, approve as let_in};

use super::communities::day;
use super::log::{LogRow, of_member};
use crate::answer::Answer;
use crate::hub::shell::Shell;
use crate::hub::visit::{Trouble, Visit};
use crate::limits::HUB_ROWS_PER_PAGE;

/// Members of one standing.
struct Tab {
    address: String,
    name: String,
    is_here: bool,
}

const STANDINGS: [(Standing, &str); 3] = [
    (Standing::Waiting, "Waiting"),
    (Standing::Member, "Members"),
    (Standing::Suspended, "Suspended"),
];

#[derive(Template)]
#[template(path = "hub/members.html")]
struct List {
    shell: Shell,
    tabs: Vec<Tab>,
    rows: Vec<MemberRow>,
    next: Option<String>,
    is_first: bool,
    let_go: u64,
}

/// The list: who waits, unless something else is asked for.
pub(crate) fn list<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let wanted = visit.query.word("standing").unwrap_or_default();
    let found = STANDINGS
        .into_iter()
        .find(|(standing, _)| standing.as_str() == wanted);
    let (standing, _) = found.unwrap_or(STANDINGS[0]);
    let after = visit.query.word("after").map(|after| after.parse());
    let after = after.transpose().map_err(|_| Trouble::NotFound)?;
    let (store, now) = (&visit.site.store, visit.now);
    let asked = store.members(Some(standing), after, HUB_ROWS_PER_PAGE + 1, now);
    let mut rows = visit.wait(asked)?;
    let has_more = rows.len() > HUB_ROWS_PER_PAGE;
    rows.truncate(HUB_ROWS_PER_PAGE);
    let counts = visit.wait(store.standings(now))?;
    let tab = |(other, name): (Standing, &str)| Tab {
        address: format!("/moderate?standing={}", other.as_str()),
        name: format!(
            "{name} ({})",
            counts.get(other.as_str()).copied().unwrap_or(0)
        ),
        is_here: other == standing,
    };
    let last = rows.last().filter(|_| has_more);
    let page = List {
        shell: visit.shell("Members"),
        tabs: STANDINGS.into_iter().map(tab).collect(),
        next: last
            .map(|last| format!("/moderate?standing={}&after={}", standing.as_str(), last.id)),
        is_first: after.is_none(),
        rows,
        let_go: visit.wait(store.let_go())?,
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "hub/member.html")]
struct Page {
    shell: Shell,
    member: MemberRow,
    card: Option<Card>,
    room: RoomRow,
    history: Vec<LogRow>,
    reason: String,
    until: String,
    note: String,
    reason_chars_max: usize,
    wrong: Option<String>,
}

impl Page {
    fn waits(&self) -> bool {
        self.member.standings.standing == Standing::Waiting
    }

    fn is_suspended(&self) -> bool {
        self.member.standings.standing == Standing::Suspended
    }

    /// Whether something was decided about it that can be undone.
    fn is_decided(&self) -> bool {
        self.is_suspended() || self.member.delisted
    }

    fn mebibytes(bytes: &u64) -> u64 {
        bytes.div_ceil(1_024 * 1_024)
    }
}

/// The card it registered with.
fn card(member: &MemberRow) -> Option<Card> {
    let kind = "card".parse().expect("a kind");
    match Body::read(&kind, 1, member.id, &member.card) {
        Ok(Body::Card(card)) => Some(card),
        _ => None,
    }
}

/// Where somebody stands, in words.
fn standing_words(member: &MemberRow) -> &'static str {
    match member.standings.standing {
        Standing::Waiting => "waits",
        Standing::Member => "member",
        Standing::Suspended if member.revoked => "revoked",
        Standing::Suspended => "suspended",
    }
}

/// One member with its card and history.
pub(crate) fn page<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    write(visit, None)
}

pub(super) fn write<S: HubStore + HubListings>(
    visit: &Visit<'_, S>,
    wrong: Option<String>,
) -> Result<Answer, Trouble> {
    let id = visit.home()?;
    let store = &visit.site.store;
    let member = visit.wait(store.member(id, visit.now))?;
    let member = member.ok_or(Trouble::NotFound)?;
    let page = Page {
        shell: visit.shell(member.name.clone()),
        card: card(&member),
        room: visit.wait(store.room(id))?,
        history: of_member(visit, &id)?,
        reason: visit.form.text("reason"),
        until: visit.form.text("until"),
        note: visit.form.text("note"),
        reason_chars_max: REASON_CHARS_MAX,
        member,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Lets a registration in.
pub(crate) fn approve<S: HubStore + HubListings>(
    visit: &mut Visit<'_, S>,
) -> Result<Answer, Trouble> {
    let id = visit.home()?;
    let account = visit.moderator().ok_or(Trouble::LogIn)?;
    let moderator = (account.user, account.role);
    let log = visit.node()?.store().private();
    visit.wait(let_in(&visit.site.store, log, moderator, id, visit.now))?;
    Ok(Answer::see(format!("/moderate/members/{id}")))
}
