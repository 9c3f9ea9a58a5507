//! Refusals of a hub, each with what happened and who has to do what.

use wb_core::kinds::ProtocolRange;
use wb_core::protocol::{PROTOCOL, Upgrade, Versions};
use wb_core::sync::{Cause, Problem, Standing, Standings};
use wb_net::BodyError;

use crate::quota::Counted;
use crate::store::{InviteRefused, PageRefused, PushRefused, StoreProblem};

/// Seconds after which a full queue is worth asking again: an operator looks at it by day.
const QUEUE_RETRY_AFTER: u64 = 3_600;
/// Seconds after which a place for a large body is worth asking for again.
const PLACE_RETRY_AFTER: u64 = 5;
/// Seconds after which a call comes again while the database is away: it starts anew, or another takes its place.
const AWAY_RETRY_AFTER: u64 = 2;

/// A refusal on its way up; boxed, because it is far larger than what succeeds.
pub(crate) type Refusal = Box<Problem>;

/// A refusal for a cause that the check of a request found.
pub(crate) fn of_request(cause: Cause, hub: &str, now: u64) -> Refusal {
    let (detail, action) = match cause {
        Cause::SignatureMissing => (
            "the request is not signed".to_owned(),
            "sign it as the specification of requests says".to_owned(),
        ),
        Cause::SignatureMalformed => (
            "the signature is not of the form this protocol uses".to_owned(),
            "sign it as the specification of requests says".to_owned(),
        ),
        Cause::WrongRecipient => (
            format!("the request is for another instance than {hub}"),
            "compare the instance id of this hub with the one expected, and register anew if it moved"
                .to_owned(),
        ),
        Cause::DigestMismatch => (
            "the body is not the one that was signed".to_owned(),
            "send it again; something between changes bodies if this goes on".to_owned(),
        ),
        Cause::KeyUnknown => (
            format!("the sender or its key is not known to {hub}"),
            "register, which brings the newest identity log".to_owned(),
        ),
        Cause::KeyRetired => (
            "the key was followed by a newer one".to_owned(),
            "use the newest copy of the instance's folder".to_owned(),
        ),
        Cause::Clock => (
            "the times of the request do not fit the clock here".to_owned(),
            "set the clock of the sender's computer; the request can be signed again by the time given"
                .to_owned(),
        ),
        _ => (
            "the signature does not verify".to_owned(),
            "use the key of the instance that the request names".to_owned(),
        ),
    };
    let mut problem = refusal(cause, detail, action);
    if cause == Cause::Clock {
        problem.now = Some(now);
    }
    problem
}

/// A refusal for a call in a protocol that is not spoken here.
pub(crate) fn version_skew(asked: u32, hub: &str) -> Refusal {
    let only = ProtocolRange {
        min: asked,
        max: asked,
    };
    let action = match PROTOCOL.upgrade(only) {
        Some(Upgrade::Us(to)) => format!(
            "the operator of {hub} has to upgrade it to a program that speaks protocol {to}"
        ),
        Some(Upgrade::Them(to)) => format!("upgrade your program to one that speaks protocol {to}"),
        None => "call again".to_owned(),
    };
    let detail = format!(
        "the call is made in protocol {asked}, and {hub} speaks {}",
        Versions(PROTOCOL)
    );
    let mut problem = refusal(Cause::VersionSkew, detail, action);
    problem.protocol = Some(PROTOCOL);
    problem
}

/// A refusal for who is not a member.
pub(crate) fn of_standing(standings: Option<&Standings>, hub: &str) -> Refusal {
    match standings {
        None => refusal(
            Cause::NotRegistered,
            format!("this instance is not registered at {hub}"),
            "run `wb hub register` with the address of the hub",
        ),
        Some(held) if held.standing == Standing::Suspended => {
            let reason = held.reason.as_deref().unwrap_or("no reason was given");
            let until = held
                .until
                .map(|until| format!(" until {until}"))
                .unwrap_or_default();
            refusal(
                Cause::Suspended,
                format!("this instance is suspended at {hub}{until}: {reason}"),
                format!("ask the operator of {hub}"),
            )
        }
        Some(_) => refusal(
            Cause::Waiting,
            format!("the registration at {hub} waits for approval"),
            format!("ask the operator of {hub} to approve it"),
        ),
    }
}

/// A refusal for a body that could not be read.
pub(crate) fn of_body(error: &BodyError) -> Refusal {
    let (cause, action) = match error {
        BodyError::TooLarge { .. } => (Cause::TooLarge, "send it in smaller pages"),
        BodyError::TooSlow { .. } => (Cause::TooSlow, "try again over a better connection"),
        BodyError::Broken(_)
        | BodyError::Ratio
        | BodyError::Encoding(_)
        | BodyError::Damaged(_)
        | BodyError::Trailing => (
            Cause::BadRequest,
            "send the body plain, or as one zstd frame",
        ),
    };
    let mut problem = refusal(cause, error.to_string(), action);
    if let BodyError::TooLarge { limit } = error {
        problem.limit = u64::try_from(*limit).ok();
    }
    problem
}

/// A refusal for who asks too often.
pub(crate) fn asks_too_often(who: &str, retry_after: u64) -> Refusal {
    let mut problem = refusal(
        Cause::TooMany,
        format!("{who} asks too often; nothing was changed"),
        format!("ask again after {}", time(retry_after)),
    );
    problem.retry_after = Some(retry_after);
    problem
}

/// A refusal for a first registration where there were too many.
pub(crate) fn too_many_register(how_many: &str, retry_after: u64) -> Refusal {
    let mut problem = refusal(
        Cause::TooMany,
        format!("{how_many} have registered within the last hour; nothing was changed"),
        format!("register after {}", time(retry_after)),
    );
    problem.retry_after = Some(retry_after);
    problem
}

/// Seconds as people say them.
fn time(seconds: u64) -> String {
    match seconds {
        0 | 1 => "a second".to_owned(),
        2..120 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// A refusal for a large body while as many as the hub takes at once are being taken.
pub(crate) fn no_place() -> Refusal {
    let mut problem = refusal(
        Cause::Busy,
        "the hub is taking as many large bodies as it can at once; nothing was changed",
        "try again",
    );
    problem.retry_after = Some(PLACE_RETRY_AFTER);
    problem
}

/// A refusal for a large body whose place went to somebody else.
pub(crate) fn gave_up(why: &str) -> Refusal {
    let mut problem = refusal(
        Cause::TooSlow,
        format!("the body was given up: {why}; nothing was changed"),
        "try again",
    );
    problem.retry_after = Some(PLACE_RETRY_AFTER);
    problem
}

/// A refusal for something that is not well formed.
pub(crate) fn bad_request(detail: impl Into<String>) -> Refusal {
    refusal(
        Cause::BadRequest,
        detail,
        "upgrade the older of both programs; if both are new, report this",
    )
}

/// A registration that is older than the one held, or another of the same counter.
pub(crate) fn registration_stale(counter: u64) -> Refusal {
    let mut problem = refusal(
        Cause::RegistrationStale,
        format!("a later registration of this instance is held here (counter {counter})"),
        "register again with a counter above that",
    );
    problem.counter = Some(counter);
    problem
}

/// A longer identity log of an older copy: another copy published above the head that its rotation names.
pub(crate) fn rotated_behind(hub: &str) -> Refusal {
    refusal(
        Cause::RotatedBehind,
        format!(
            "{hub} holds more of this instance's feed than the copy had that changed the key; nothing was changed"
        ),
        "use the newest copy of the instance's folder; if there is none, take the key back with `wb key recover`",
    )
}

/// A registration while as many wait as may.
pub(crate) fn queue_full(waiting: u64, hub: &str) -> Refusal {
    let mut problem = refusal(
        Cause::TooMany,
        format!(
            "{waiting} registrations wait for approval at {hub}, and none of them makes room; nothing was changed"
        ),
        format!("ask the operator of {hub} to look through them, and register after that"),
    );
    problem.retry_after = Some(QUEUE_RETRY_AFTER);
    problem
}

/// A first registration without a code, where one is needed.
pub(crate) fn invite_needed(hub: &str) -> Refusal {
    refusal(
        Cause::InviteNeeded,
        "no code of an invitation came; nothing was changed".to_owned(),
        format!("ask the operator of {hub} for the code of an invitation, and register with it"),
    )
}

/// A code that lets nobody in.
pub(crate) fn of_invite(refused: InviteRefused, hub: &str) -> Refusal {
    let (cause, what) = match refused {
        InviteRefused::Unknown => (
            Cause::InviteUnknown,
            format!("the code is of no invitation of {hub}"),
        ),
        InviteRefused::UsedUp { uses_max: 1 } => (
            Cause::InviteUsed,
            "somebody came by this code already, and it lets in one".to_owned(),
        ),
        InviteRefused::UsedUp { uses_max } => (
            Cause::InviteUsed,
            format!("this code lets in {uses_max}, and as many have come"),
        ),
        InviteRefused::Ended { until } => (
            Cause::InviteOver,
            format!("the invitation of this code ended at {until}"),
        ),
        InviteRefused::SwitchedOff => (
            Cause::InviteOver,
            "the invitation of this code was switched off".to_owned(),
        ),
    };
    let action = if refused == InviteRefused::Unknown {
        format!("compare it with the one that the operator of {hub} gave")
    } else {
        format!("ask the operator of {hub} for another one")
    };
    refusal(cause, format!("{what}; nothing was changed"), action)
}

/// A push after which there would be too much of one member.
fn over_quota(counted: Counted, limit: u64, used: u64) -> Refusal {
    let what = counted.as_str();
    let mut problem = refusal(
        Cause::OverQuota,
        format!(
            "the hub keeps {limit} {what} of one member, and there would be {used}; nothing of the push counts"
        ),
        format!(
            "ask the operator of the hub for more room (`hub.member_{what}_max`), or take records back"
        ),
    );
    problem.quota = Some(what.to_owned());
    problem.limit = Some(limit);
    problem.used = Some(used);
    problem
}

/// There is nothing of that name.
pub(crate) fn not_found(what: &str) -> Refusal {
    refusal(
        Cause::NotFound,
        format!("there is no {what} here"),
        "compare the address and the protocol version with `/.well-known/wb/node`",
    )
}

/// A page that is not given.
pub(crate) fn of_page(refused: PageRefused) -> Refusal {
    match refused {
        PageRefused::CursorUnknown => refusal(
            Cause::CursorUnknown,
            "the cursor is not of the arrivals of this hub",
            "compare heads and take snapshots",
        ),
        PageRefused::CursorTooOld => refusal(
            Cause::CursorTooOld,
            "the deltas after the cursor are not kept any more",
            "compare heads and take snapshots",
        ),
        PageRefused::HeadGone => refusal(
            Cause::HeadGone,
            "the pages of that head are gone",
            "start the snapshot anew",
        ),
        PageRefused::NotFound => not_found("such feed"),
        PageRefused::BadToken => bad_request("`after` is not what a page named as next"),
    }
}

/// A push that counts for nothing.
pub(crate) fn of_push(refused: &PushRefused) -> Refusal {
    match refused {
        PushRefused::NotYours(origin) => refusal(
            Cause::NotYours,
            format!(
                "the push holds a section of {origin}, which is not the sender; nothing of it counts"
            ),
            "push own feeds only",
        ),
        PushRefused::NotPublic => bad_request(
            "the push holds a feed for named peers, which a hub must not see; nothing of it counts",
        ),
        PushRefused::OverQuota {
            counted,
            limit,
            used,
        } => over_quota(*counted, *limit, *used),
        PushRefused::Body(error) => bad_request(format!("{error}; nothing of the push counts")),
    }
}

/// A store that could not answer. What happened is for the operator, not for the sender.
pub(crate) fn of_store(problem: &StoreProblem) -> Refusal {
    match problem {
        StoreProblem::Busy => refusal(
            Cause::Busy,
            "another process is writing at the hub; nothing was changed",
            "try again",
        ),
        StoreProblem::Away(_) => {
            let mut problem = refusal(
                Cause::Busy,
                "the hub cannot reach its database just now; whether this was done is not known, and it may come again",
                "try again",
            );
            problem.retry_after = Some(AWAY_RETRY_AFTER);
            problem
        }
        StoreProblem::Full => refusal(
            Cause::Full,
            "the hub has no room left; nothing was changed",
            "its operator has to make room on the disk",
        ),
        StoreProblem::Failed(_) => refusal(
            Cause::Failed,
            "something failed at the hub; nothing was changed",
            "try again; its operator finds the reason in the hub's log",
        ),
    }
}

fn refusal(cause: Cause, detail: impl Into<String>, action: impl Into<String>) -> Refusal {
    Box::new(Problem::new(cause, detail, action))
}
