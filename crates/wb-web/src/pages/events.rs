//! What is new, for pages that go on by themselves.

use crate::answer::Answer;
use crate::live::Opened;
use crate::visit::{Trouble, Visit};

/// A stream of it; once for who asks for anything else than a stream.
pub fn events(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let session = visit.caller.session_name().ok_or(Trouble::NotFound)?;
    let live = &visit.site.live;
    if !visit.wants_events {
        let node = visit.node.as_deref().ok_or(Trouble::NotFound)?;
        let state = live.once(node, &session)?;
        return Ok(Answer::file(EVENTS, state.into_bytes()));
    }
    let waits = visit.caller.member().is_none();
    Ok(match live.open(session, visit.known_event.take(), waits) {
        Opened::Stream(lines) => Answer::events(lines),
        Opened::Full => Answer::nothing(),
    })
}

/// The type of a stream of events.
pub const EVENTS: &str = "text/event-stream";
