//! `wb conflict settle`: one word of home, which has heard every helper, ends a contest. After a while home says by
//! itself what is shown, so that no contest stays for ever.

use std::collections::BTreeSet;

use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::To;
use wb_core::leave::Life;
use wb_core::time::Timestamp;
use wb_store::{AuditRow, Contest, GuardStanding};

use super::retire::{Retirement, retirement};
use super::status_say::{home_event, must_decide, put, say_if};
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::query::{RequestStatus, request_status};

/// After how many hours of a contest home says by itself what is shown.
pub const SETTLE_AFTER_HOURS: i64 = 72;

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Settles what home and helpers disagree about; the author of the request or a steward can. Returns the id of the
/// status event. With `seen`, the words that whoever decides was shown, it hears nothing that came after them.
///
/// # Errors
/// That it is another instance's, that nothing is contested, that somebody said something since, or that the actor may
/// not.
pub fn conflict_settle(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    to: To,
    note: Option<&str>,
    seen: Option<&BTreeSet<RecordId>>,
) -> Result<RecordId> {
    must_decide(node, actor, request, "settle this")?;
    if !request_status(node, request)?.contested {
        return Err(NodeError::Refused(
            "nobody disagrees about this request; nothing was changed. `wb request complete`, `reopen` and `cancel` say \
             where it stands"
                .to_owned(),
        ));
    }
    say_if(node, actor, request, to, note, &|status| {
        let words: BTreeSet<RecordId> = status.words.iter().map(|spoken| spoken.id).collect();
        match seen {
            Some(seen) if *seen != words => Err(NodeError::Refused(
                "somebody said something about this request since it was shown to you; nothing was changed. Look at it \
                 again, then settle it"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    })
}

/// When home says by itself what is shown of a contested own request; none where it was not noticed yet.
///
/// # Errors
/// What the store reports.
pub fn settles_at(
    node: &Node,
    request: &RecordRef,
    status: &RequestStatus,
) -> Result<Option<Timestamp>> {
    if request.origin != node.own_id() {
        return Ok(None);
    }
    let contests = node.store.contests()?;
    let seen = contests
        .into_iter()
        .find(|contest| contest.request == request.id && contest.home_n == status.home_n);
    Ok(seen.map(|contest| contest.since.plus_ms(SETTLE_AFTER_HOURS * HOUR_MS)))
}

/// What is to be done about one own request.
enum Due {
    /// It is contested, and that was not noted.
    Note(Contest),
    /// It was contested for long enough.
    Settle(Box<RequestStatus>),
    /// It is not contested any more.
    Forget,
}

/// Notes what is contested, and says what is shown of each own request that was for long enough. Gives those. Nothing
/// is sealed by it: that is for whoever publishes.
///
/// # Errors
/// What the store reports.
pub fn settle_due(node: &Node, now: Timestamp) -> Result<Vec<RecordId>> {
    let is_older = node.store.guard() == GuardStanding::Suspect;
    if is_older || node.store.unwritable().is_some() || due(node, now)?.is_empty() {
        return Ok(Vec::new());
    }
    let write = node.store.write_in_sight()?;
    let mut settled = Vec::new();
    for (id, due) in due(node, now)? {
        match due {
            Due::Note(contest) => write.put_contest(&contest)?,
            Due::Forget => write.drop_contest(&id)?,
            Due::Settle(status) => {
                let request = own(node, id);
                let event = home_event(&request, &status, status.value, status.heard.clone())?;
                put(node, &write, event, None, now)?;
                write.drop_contest(&id)?;
                settled.push((id, status.value));
            }
        }
    }
    write.commit()?;
    for (id, value) in &settled {
        let row = AuditRow {
            at: now,
            actor: None,
            act: "conflict settle".to_owned(),
            target: id.to_string(),
            detail: format!(
                "{} by itself, {SETTLE_AFTER_HOURS} hours after it was contested",
                value.as_str()
            ),
        };
        node.store.private().audit(&row)?;
    }
    Ok(settled.into_iter().map(|(id, _)| id).collect())
}

fn due(node: &Node, now: Timestamp) -> Result<Vec<(RecordId, Due)>> {
    let noted = node.store.contests()?;
    let mut due = Vec::new();
    let mut contested = Vec::new();
    if !matches!(retirement(node)?, Retirement::Retired(_)) {
        contested = contests(node)?;
    }
    for contest in &noted {
        if !contested.iter().any(|(id, _)| *id == contest.request) {
            due.push((contest.request, Due::Forget));
        }
    }
    for (id, status) in contested {
        let since = noted.iter().find(|contest| {
            // A clock that was put back is not waited for.
            contest.request == id && contest.home_n == status.home_n && contest.since <= now
        });
        match since {
            None => {
                let contest = Contest {
                    request: id,
                    home_n: status.home_n,
                    since: now,
                };
                due.push((id, Due::Note(contest)));
            }
            Some(contest) if now >= contest.since.plus_ms(SETTLE_AFTER_HOURS * HOUR_MS) => {
                due.push((id, Due::Settle(Box::new(status))));
            }
            Some(_) => {}
        }
    }
    Ok(due)
}

/// Own requests that are contested.
fn contests(node: &Node) -> Result<Vec<(RecordId, RequestStatus)>> {
    let mut contests = Vec::new();
    for key in node.store.helped_requests()? {
        if key.origin != node.own_id() {
            continue;
        }
        let request = node.store.local(&key.id)?;
        if request.is_some_and(|request| request.life == Life::Active) {
            let status = request_status(node, &key)?;
            if status.contested {
                contests.push((key.id, status));
            }
        }
    }
    Ok(contests)
}

fn own(node: &Node, id: RecordId) -> RecordRef {
    RecordRef {
        origin: node.own_id(),
        id,
    }
}
