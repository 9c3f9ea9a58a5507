//! `GET /sync/v1/notices` and `POST /sync/v1/reply`: what this hub says about whoever asks, and what that replies.
//!
//! Whoever registered may ask and reply, also while it is suspended: being told why, and one answer to it, is what is left
//! then.

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_core::limits::NOTICES_ABOUT_MAX;
use wb_core::reply::{NoticeAbout, NoticesAbout, Reply as Replied, ReplyGiven};
use wb_core::rule::Rule;
use wb_core::sync::{Cause, Noted, Problem, read_message};
use wb_net::signed::{JSON, Reply};

use crate::notices::NoticeRow;
use crate::problems::{Refusal, bad_request, not_found, of_standing};
use crate::service::Hub;
use crate::store::HubStore;

/// Tells whoever asks what is said about it.
pub async fn about<S: HubStore>(hub: &Arc<Hub<S>>, sender: InstanceId) -> Result<Reply, Refusal> {
    let notices = known(hub, sender).await?;
    let notices = notices.into_iter().take(NOTICES_ABOUT_MAX);
    let answer = NoticesAbout {
        schema_version: 1,
        notices: notices
            .map(|row| NoticeAbout {
                id: row.said.id,
                line: row.said.line_hash,
                in_force: row.in_force,
                notice: row.said.notice,
                reply: row
                    .reply
                    .map(|line| String::from_utf8_lossy(&line).into_owned()),
            })
            .collect(),
    };
    Ok(Reply::ok(JSON, wb_core::signed::payload(&answer)))
}

/// Takes a reply to one of them.
pub async fn reply<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let given: ReplyGiven = read_message(body).map_err(bad_request)?;
    let log = hub.kept(hub.store().identity(sender).await)?;
    let log = log.ok_or_else(|| not_found("identity log of the sender"))?;
    let reply = Replied::verify(given.reply.as_bytes(), &log).map_err(|rule| match rule {
        Rule::WrongId => problem(
            Cause::NotYours,
            "a reply of another instance; it was not taken",
            "reply in your own name only",
        ),
        rule => bad_request(format!("the reply breaks {rule}")),
    })?;
    let notices = known(hub, sender).await?;
    let is_about = |row: &NoticeRow| {
        (row.said.id, row.said.line_hash) == (reply.notice, reply.line)
            && reply.hub == hub.responder().own()
    };
    if !notices.iter().any(is_about) {
        return Err(not_found("notice about the sender with that line"));
    }
    let line = given.reply.into_bytes();
    let kept = hub.store().put_reply(reply.notice, sender, line, hub.now());
    if !hub.kept(kept.await)? {
        return Err(problem(
            Cause::Replied,
            "another reply to that notice is kept; it was not taken",
            "nothing: there is one reply to a notice",
        ));
    }
    let answer = Noted { schema_version: 1 };
    Ok(Reply::ok(JSON, wb_core::signed::payload(&answer)))
}

/// The notices about somebody who registered.
async fn known<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
) -> Result<Vec<NoticeRow>, Refusal> {
    let standing = hub.kept(hub.store().standing(sender, hub.now()).await)?;
    if standing.is_none() {
        return Err(of_standing(None, &hub.info().name));
    }
    hub.kept(hub.store().notices_about(sender, hub.now()).await)
}

fn problem(cause: Cause, what: &str, next: &str) -> Refusal {
    Box::new(Problem::new(cause, what, next))
}
