//! Invitations to this hub: made here, with the code shown once, listed with who came by each, and switched off.

use askama::Template;
use wb_core::sync::Policy;
use wb_core::time::Timestamp;
use wb_hub::{
    HubListings, HubStore, InviteRow, Inviting, NOTE_CHARS_MAX, USES_MAX, invite, invite_off,
};
use wb_node::entropy;

use super::decide::{NOT_A_DAY, beginning_of};
use super::start::join;
use crate::answer::Answer;
use crate::hub::shell::Shell;
use crate::hub::visit::{Trouble, Visit};
use crate::limits::HUB_ROWS_PER_PAGE;

/// Communities that are named with each invitation; how many came stands beside them.
const CAME_MAX: usize = 20;

#[derive(Template)]
#[template(path = "hub/invites.html")]
struct Page {
    shell: Shell,
    rows: Vec<InviteRow>,
    next: Option<u64>,
    is_first: bool,
    now: Timestamp,
    uses: String,
    until: String,
    note: String,
    uses_max: u64,
    note_chars_max: usize,
    wrong: Option<String>,
}

impl Page {
    fn is_open(&self, row: &InviteRow) -> bool {
        row.state().check(self.now).is_ok()
    }

    /// Whether more came than are named.
    fn has_others(&self, row: &InviteRow) -> bool {
        row.used > row.came.len() as u64
    }
}

/// The list, newest first, and the form for another.
pub(crate) fn page<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    write(visit, None)
}

fn write<S: HubStore + HubListings>(
    visit: &Visit<'_, S>,
    wrong: Option<String>,
) -> Result<Answer, Trouble> {
    let below = visit.query.word("below").map(|below| below.parse());
    let below: Option<u64> = below.transpose().map_err(|_| Trouble::NotFound)?;
    let asked = visit
        .site
        .store
        .invites(below, HUB_ROWS_PER_PAGE + 1, CAME_MAX);
    let mut rows = visit.wait(asked)?;
    let has_more = rows.len() > HUB_ROWS_PER_PAGE;
    rows.truncate(HUB_ROWS_PER_PAGE);
    let page = Page {
        shell: visit.shell("Invitations"),
        next: rows.last().filter(|_| has_more).map(|last| last.n),
        rows,
        is_first: below.is_none(),
        now: visit.now,
        uses: visit.form.word("uses").unwrap_or_else(|| "1".to_owned()),
        until: visit.form.text("until"),
        note: visit.form.text("note"),
        uses_max: USES_MAX,
        note_chars_max: NOTE_CHARS_MAX,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "hub/invited.html")]
struct Made {
    shell: Shell,
    n: u64,
    code: String,
    join: String,
    uses_max: Option<u64>,
    until: Option<Timestamp>,
    is_needed: bool,
}

/// Makes one, and shows its code this once.
pub(crate) fn make<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let account = visit.moderator().ok_or(Trouble::LogIn)?;
    let moderator = (account.user, account.role);
    let inviting = match asked(visit) {
        Ok(inviting) => inviting,
        Err(wrong) => return write(visit, Some(wrong)),
    };
    let (uses_max, until) = (inviting.uses_max, inviting.until);
    let code = entropy::token();
    let log = visit.node()?.store().private();
    let made = invite(
        &visit.site.store,
        log,
        moderator,
        inviting,
        &code,
        visit.now,
    );
    let n = match visit.wait(made) {
        Ok(n) => n,
        Err(error) if error.is_about_the_words() => {
            return write(visit, Some(format!("{error}. Nothing was made.")));
        }
        Err(error) => return Err(error.into()),
    };
    let code = code.to_string();
    let page = Made {
        shell: visit.shell("An invitation"),
        n,
        join: join(visit, Some(&code)),
        code,
        uses_max,
        until,
        is_needed: visit.site.config.policy == Policy::Invite,
    };
    Ok(Answer::page(page.render()?))
}

/// What the form asks for, or what has to be mended.
fn asked<S>(visit: &Visit<'_, S>) -> Result<Inviting, String> {
    let uses_max = if visit.form.has("unlimited") {
        None
    } else {
        let uses = visit.form.word("uses").unwrap_or_default();
        let wrong = |_| format!("Write a number from 1 to {USES_MAX}. Nothing was made.");
        Some(uses.parse().map_err(wrong)?)
    };
    let until = match visit.form.word("until") {
        Some(day) => Some(beginning_of(&day).ok_or(NOT_A_DAY)?),
        None => None,
    };
    Ok(Inviting {
        uses_max,
        until,
        note: visit.form.word("note").unwrap_or_default(),
    })
}

/// Switches one off.
pub(crate) fn off<S: HubStore + HubListings>(visit: &mut Visit<'_, S>) -> Result<Answer, Trouble> {
    let account = visit.moderator().ok_or(Trouble::LogIn)?;
    let moderator = (account.user, account.role);
    let n: u64 = visit.param("n").parse().map_err(|_| Trouble::NotFound)?;
    let log = visit.node()?.store().private();
    let done = invite_off(&visit.site.store, log, moderator, n, visit.now);
    visit.wait(done)?;
    Ok(Answer::see("/moderate/invites"))
}
