//! People and communities that wait for a decision.

use askama::Template;
use wb_core::id::{InstanceId, RecordId};
use wb_node::command::review::{Decision, review_account, review_fallen, review_origin};
use wb_node::query::review::{ReviewView, review};

use crate::answer::Answer;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

#[derive(Template)]
#[template(path = "review.html")]
struct Page {
    shell: Shell,
    waits: ReviewView,
    is_admin: bool,
}

/// The queue.
pub fn queue(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let waits = review(visit.node()?)?;
    let page = Page {
        shell: visit.shell("Waiting for you"),
        waits,
        is_admin: visit.is_admin(),
    };
    Ok(Answer::page(page.render()?))
}

fn decision(visit: &Visit<'_>) -> Result<Decision, Trouble> {
    match visit.form.text("decision").as_str() {
        "accept" => Ok(Decision::Accept),
        "refuse" => Ok(Decision::Refuse),
        _ => Err(Trouble::Refused("Choose whether to accept".to_owned())),
    }
}

/// Decides about a person.
pub fn account(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, decision) = (visit.actor()?, decision(visit)?);
    let user: RecordId = visit
        .form
        .text("user")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    review_account(visit.node()?, &actor, &user, decision)?;
    Ok(Answer::see("/review"))
}

/// Decides about a community.
pub fn origin(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let decision = match visit.form.text("decision").as_str() {
        "steward" => Decision::Steward,
        _ => decision(visit)?,
    };
    let actor = visit.actor()?;
    let origin: InstanceId = visit
        .form
        .text("origin")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    review_origin(visit.node()?, &actor, origin, decision)?;
    // Back to where it was decided.
    Ok(match visit.form.text("from").as_str() {
        "trust" => Answer::see(format!("/trust/{origin}")),
        _ => Answer::see("/review"),
    })
}

/// Decides about what was shown of a community that fell.
pub fn fallen(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let keep = match visit.form.text("decision").as_str() {
        "keep" => true,
        "hide" => false,
        _ => return Err(Trouble::Refused("Choose whether it stays".to_owned())),
    };
    let origin: InstanceId = visit
        .form
        .text("origin")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    review_fallen(visit.node()?, &actor, origin, keep)?;
    Ok(Answer::see("/review"))
}
