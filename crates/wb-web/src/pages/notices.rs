//! What is told on every page: putting it away, and sending a browser away that asks to be let in.

use wb_core::id::Hash;
use wb_node::command::session::{notice_see, session_refuse};

use crate::answer::Answer;
use crate::visit::{Trouble, Visit};

/// Puts a notice away.
pub fn see(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let browser = visit.caller.session_name().ok_or(Trouble::NotFound)?;
    let number = visit.form.text("notice").parse();
    let number = number.map_err(|_| Trouble::NotFound)?;
    notice_see(visit.node()?, &actor, &browser, number)?;
    Ok(Answer::see("/settings"))
}

/// Sends a browser away that waits under the own handle.
pub fn refuse(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let session: Hash = visit
        .form
        .text("session")
        .parse()
        .map_err(|_| Trouble::NotFound)?;
    session_refuse(visit.node()?, &actor, &session)?;
    Ok(Answer::see("/settings"))
}
