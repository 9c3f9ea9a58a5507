//! What this community vouches for another: an admin says it, renews it and takes it back. Each act has a step before it
//! that says what comes of it here, and is done only as that step showed it.

use askama::Template;
use wb_core::id::{Hash, InstanceId};
use wb_core::kinds::{Level, Vouch};
use wb_core::trust::{VOUCH_MONTHS_MAX, VOUCHES_MAX};
use wb_node::NodeError;
use wb_node::command::vouch::{
    VOUCH_MONTHS, VouchAdd, WouldFall, WouldVouch, vouch_add, vouch_revoke, would_fall, would_vouch,
};
use wb_node::query::trust::{MovedView, VouchView, word};
use wb_node::query::trust_graph::why_page;

use crate::answer::Answer;
use crate::contact;
use crate::form::Form;
use crate::limits::THINGS_SHOWN_MAX;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};
use crate::words;

/// How far, with what each does.
const LEVELS: [(Level, &str, &str); 3] = [
    (
        Level::Known,
        "Known",
        "It is there, and is what it says it is. Who trusts this community reads that while it waits for a decision there.",
    ),
    (
        Level::Trusted,
        "Trusted",
        "What it shares may be shown, and whom it invites may come, where this community is trusted.",
    ),
    (
        Level::Steward,
        "Trusted, as a steward",
        "It may also be offered what is for trusted communities, where this community was accepted as a steward. Nobody gets \
         that by itself.",
    ),
];

/// What a level does here, in a few words.
fn does(level: u8) -> &'static str {
    match level {
        0 => "nothing of it is shown",
        1 => "it waits in the review",
        2 => "it is shown",
        _ => "it is shown, and may be offered what is for trusted communities",
    }
}

/// Below this level nothing more of a community is shown.
const SHOWN: u8 = 2;

/// Levels that move, as far as a page lists them.
struct Moves {
    listed: Vec<MovedView>,
    more: usize,
    /// Whether one that is shown is not any more.
    hides: bool,
}

impl Moves {
    fn of(mut moved: Vec<MovedView>) -> Self {
        let hides = moved
            .iter()
            .any(|one| one.before >= SHOWN && one.after < SHOWN);
        let more = moved.len().saturating_sub(THINGS_SHOWN_MAX);
        moved.truncate(THINGS_SHOWN_MAX);
        Self {
            listed: moved,
            more,
            hides,
        }
    }
}

/// What was typed.
struct Typed {
    level: String,
    basis: String,
    months: String,
}

impl Typed {
    fn sent(form: &Form) -> Self {
        Self {
            level: form.text("level"),
            basis: form.word("basis").unwrap_or_default(),
            months: form.word("months").unwrap_or_default(),
        }
    }

    /// What stands in the form before anybody typed: what is vouched now, else the least.
    fn begun(own: Option<&VouchView>) -> Self {
        Self {
            level: word(own.map_or(Level::Known, |own| own.level)).to_owned(),
            basis: own.map_or_else(String::new, |own| own.basis.clone()),
            months: VOUCH_MONTHS.to_string(),
        }
    }

    /// The same as the node takes it, or what is wrong with it.
    fn input(&self, subject: InstanceId) -> Result<VouchAdd<'_>, String> {
        let mut levels = LEVELS.iter().map(|(level, _, _)| *level);
        let level = levels.find(|level| word(*level) == self.level);
        let level = level.ok_or("Choose how far you vouch for it")?;
        if self.basis.is_empty() {
            return Err("Say why, in words that everybody may read".to_owned());
        }
        let months = self.months.parse();
        Ok(VouchAdd {
            subject,
            level,
            basis: &self.basis,
            months: months.map_err(|_| {
                format!("Write the months as a number from 1 to {VOUCH_MONTHS_MAX}")
            })?,
        })
    }
}

fn id(visit: &Visit<'_>) -> Result<InstanceId, Trouble> {
    visit.param("home").parse().map_err(|_| Trouble::NotFound)
}

/// Whether somebody who filled in a form can do something about it.
fn is_of_form(error: &NodeError) -> bool {
    matches!(error, NodeError::Refused(_) | NodeError::Text { .. })
}

#[derive(Template)]
#[template(path = "vouch.html")]
struct FormPage {
    shell: Shell,
    id: InstanceId,
    name: String,
    own: Option<VouchView>,
    typed: Typed,
    wrong: Option<String>,
}

impl FormPage {
    const MONTHS_MAX: i64 = VOUCH_MONTHS_MAX;
}

/// The form.
pub fn form(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write_form(visit, None, None)
}

fn write_form(
    visit: &mut Visit<'_>,
    typed: Option<Typed>,
    wrong: Option<String>,
) -> Result<Answer, Trouble> {
    let id = id(visit)?;
    let why = why_page(visit.node()?, id)?;
    let own = why.own.map(|own| own.vouch);
    let page = FormPage {
        shell: visit.shell("Vouch for a community"),
        id,
        name: why.trust.name,
        typed: typed.unwrap_or_else(|| Typed::begun(own.as_ref())),
        own,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "vouch_step.html")]
struct Step {
    shell: Shell,
    id: InstanceId,
    typed: Typed,
    level: Level,
    would: WouldVouch,
    moves: Moves,
    warning: Option<&'static str>,
    wrong: Option<String>,
}

impl Step {
    const VOUCHES_MAX: usize = VOUCHES_MAX;
}

/// What would come of it, once something was typed; and does it, once that was shown and is as it was shown.
pub fn vouch(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, id) = (visit.actor()?, id(visit)?);
    let typed = Typed::sent(&visit.form);
    if visit.form.has("change") {
        return write_form(visit, Some(typed), None);
    }
    let input = match typed.input(id) {
        Ok(input) => input,
        Err(wrong) => return write_form(visit, Some(typed), Some(wrong)),
    };
    let would = match would_vouch(visit.node()?, &input) {
        Ok(would) => would,
        Err(error) if is_of_form(&error) => {
            return write_form(visit, Some(typed), Some(words::failure(&error)));
        }
        Err(error) => return Err(error.into()),
    };
    let before = would
        .earlier
        .as_ref()
        .map_or("", |vouch: &Vouch| &vouch.basis);
    let warning = contact::is_new_in(&[input.basis], &[before]).then_some(contact::WARNING);
    let may_leave = warning.is_none() || visit.form.has("sure");
    let mut wrong = None;
    if let Ok(seen) = visit.form.text("shown").parse::<Hash>()
        && may_leave
    {
        match vouch_add(visit.node()?, &actor, &input, Some(&seen)) {
            Ok(_) => return Ok(Answer::see(format!("/trust/{id}"))),
            Err(error) if is_of_form(&error) => wrong = Some(words::failure(&error)),
            Err(error) => return Err(error.into()),
        }
    }
    let level = input.level;
    let page = Step {
        shell: visit.shell("Vouch for a community"),
        id,
        moves: Moves::of(would.moved.clone()),
        level,
        typed,
        would,
        warning,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "vouch_revoke.html")]
struct Revoke {
    shell: Shell,
    id: InstanceId,
    falls: WouldFall,
    moves: Moves,
    wrong: Option<String>,
}

/// The step before taking it back: who falls by it here.
pub fn ask_revoke(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write_revoke(visit, None)
}

fn write_revoke(visit: &mut Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let id = id(visit)?;
    let falls = would_fall(visit.node()?, id)?;
    let page = Revoke {
        shell: visit.shell("Take a vouch back"),
        id,
        moves: Moves::of(falls.moved.clone()),
        falls,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// Takes it back, as the step before showed it.
pub fn revoke(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, id) = (visit.actor()?, id(visit)?);
    let Ok(seen) = visit.form.text("shown").parse::<Hash>() else {
        return write_revoke(visit, None);
    };
    match vouch_revoke(visit.node()?, &actor, id, Some(&seen)) {
        Ok(_) => Ok(Answer::see(format!("/trust/{id}"))),
        // Where nothing is vouched any more there is no step to look at again, and that says so.
        Err(error) if is_of_form(&error) => write_revoke(visit, Some(words::failure(&error))),
        Err(error) => Err(error.into()),
    }
}
