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
}

/// The queue.
pub fn queue(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let waits = review(visit.node()?)?;
    let shell = visit.shell("Waiting for you");
    Ok(Answer::page(Page { shell, waits }.render()?))
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
    let (actor, decision) = (visit.actor()?, decision(visit)?);
    let origin: InstanceId = visit
        .form
        .text("origin")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    review_origin(visit.node()?, &actor, origin, decision)?;
    Ok(Answer::see("/review"))
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
