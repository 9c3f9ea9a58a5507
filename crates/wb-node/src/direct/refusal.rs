//! Refusals to a peer, each with what happened and who has to do what.

use wb_core::kinds::ProtocolRange;
use wb_core::protocol::{PROTOCOL, Upgrade, Versions};
use wb_core::sync::{Cause, Problem};
use wb_net::BodyError;

use super::take::NotTaken;
use crate::error::NodeError;

/// A refusal on its way up; boxed, because it is far larger than what succeeds.
pub(crate) type Refusal = Box<Problem>;

/// Seconds after which a list that is full is worth asking again: an operator looks at it by day.
const QUEUE_RETRY_AFTER: u64 = 3_600;
/// Seconds after which a place for a large body is worth asking for again.
const PLACE_RETRY_AFTER: u64 = 5;

fn refusal(cause: Cause, detail: impl Into<String>, action: impl Into<String>) -> Refusal {
    Box::new(Problem::new(cause, detail, action))
}

/// For a cause that the check of a request found.
pub(crate) fn of_request(cause: Cause, name: &str, now: u64) -> Refusal {
    let (detail, action) = match cause {
        Cause::SignatureMissing | Cause::SignatureMalformed => (
            "the request is not signed as this protocol does".to_owned(),
            "sign it as the specification of requests says",
        ),
        Cause::WrongRecipient => (
            format!("the request is for another instance than {name}"),
            "compare the instance id of this node with the one expected",
        ),
        Cause::DigestMismatch => (
            "the body is not the one that was signed".to_owned(),
            "send it again; something between changes bodies if this goes on",
        ),
        Cause::KeyUnknown => (
            format!("the sender or its key is not known to {name}"),
            "exchange first, which brings the newest identity log; who is not paired asks for a link",
        ),
        Cause::KeyRetired => (
            "the key was followed by a newer one".to_owned(),
            "use the newest copy of the instance's folder",
        ),
        Cause::Clock => (
            "the times of the request do not fit the clock here".to_owned(),
            "set the clock of the sender's computer; the request can be signed again by the time given",
        ),
        _ => (
            "the signature does not verify".to_owned(),
            "use the key of the instance that the request names",
        ),
    };
    let mut problem = refusal(cause, detail, action);
    if cause == Cause::Clock {
        problem.now = Some(now);
    }
    problem
}

/// For a call in a protocol that is not spoken here.
pub(crate) fn version_skew(asked: u32, name: &str) -> Refusal {
    let only = ProtocolRange {
        min: asked,
        max: asked,
    };
    let action = match PROTOCOL.upgrade(only) {
        Some(Upgrade::Us(to)) => format!(
            "the operator of {name} has to upgrade it to a program that speaks protocol {to}"
        ),
        Some(Upgrade::Them(to)) => format!("upgrade your program to one that speaks protocol {to}"),
        None => "call again".to_owned(),
    };
    let detail = format!(
        "the call is made in protocol {asked}, and {name} speaks {}",
        Versions(PROTOCOL)
    );
    let mut problem = refusal(Cause::VersionSkew, detail, action);
    problem.protocol = Some(PROTOCOL);
    problem
}

/// For a longer identity log of an older copy: another copy published above the head that its rotation names.
pub(crate) fn rotated_behind(name: &str) -> Refusal {
    refusal(
        Cause::RotatedBehind,
        format!(
            "{name} holds more of this instance's feed than the copy had that changed the key; nothing was changed"
        ),
        "use the newest copy of the instance's folder; if there is none, take the key back with `wb key recover`",
    )
}

/// For a body that could not be read.
pub(crate) fn of_body(error: &BodyError) -> Refusal {
    let (cause, action) = match error {
        BodyError::TooLarge { .. } => (Cause::TooLarge, "send it in smaller pages"),
        BodyError::TooSlow { .. } => (Cause::TooSlow, "try again over a better connection"),
        _ => (
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

/// For who asks too often.
pub(crate) fn asks_too_often(who: &str, retry_after: u64) -> Refusal {
    let mut problem = refusal(
        Cause::TooMany,
        format!("{who} asks too often; nothing was changed"),
        format!("ask again after {retry_after} seconds"),
    );
    problem.retry_after = Some(retry_after);
    problem
}

/// For a large body while as many are taken as may be at once.
pub(crate) fn no_place() -> Refusal {
    let mut problem = refusal(
        Cause::Busy,
        "as many large bodies are being taken as can be at once; nothing was changed",
        "try again",
    );
    problem.retry_after = Some(PLACE_RETRY_AFTER);
    problem
}

/// For something that is not well formed.
pub(crate) fn bad_request(detail: impl Into<String>) -> Refusal {
    refusal(
        Cause::BadRequest,
        detail,
        "upgrade the older of both programs; if both are new, report this",
    )
}

/// For a call of no such name.
pub(crate) fn not_found() -> Refusal {
    refusal(
        Cause::NotFound,
        "there is no such call here: this is a community's node, which gives its feed to hubs and to its peers",
        "compare the address and the protocol version with `/.well-known/wb/node`",
    )
}

/// For who is no peer. Whether it was never paired or is blocked is nobody's business.
pub(crate) fn not_paired(name: &str) -> Refusal {
    refusal(
        Cause::NotPaired,
        format!("{name} is not paired with this instance"),
        format!("ask the operator of {name} for a link, and give it to `wb peer accept`"),
    )
}

/// For a pair that nobody here confirmed yet.
pub(crate) fn pair_waits(name: &str) -> Refusal {
    refusal(
        Cause::PairWaits,
        format!("nobody at {name} has confirmed the pair yet"),
        format!("ask the operator of {name} to compare the eight words and confirm"),
    )
}

/// For a link that admits nobody any more.
pub(crate) fn link_over(name: &str, why: &str) -> Refusal {
    refusal(
        Cause::LinkOver,
        format!("the link {why}; nothing was changed"),
        format!("ask the operator of {name} for a new one (`wb peer invite`)"),
    )
}

/// For a wish to be paired while as many wait as may.
pub(crate) fn queue_full(name: &str) -> Refusal {
    let mut problem = refusal(
        Cause::TooMany,
        format!("as many wait to be paired with {name} as may; nothing was changed"),
        format!("ask the operator of {name} for a link"),
    );
    problem.retry_after = Some(QUEUE_RETRY_AFTER);
    problem
}

/// For a bundle of which nothing counts.
pub(crate) fn of_delivery(not_taken: &NotTaken) -> Refusal {
    match not_taken {
        NotTaken::NotYours(_) => refusal(
            Cause::NotYours,
            format!("{not_taken}; nothing of it counts"),
            "deliver the own feed only",
        ),
        NotTaken::Store(error) if error.is_busy() => refusal(
            Cause::Busy,
            "another process is writing at the node; nothing was changed",
            "try again",
        ),
        NotTaken::Store(error) if error.is_full() => refusal(
            Cause::Full,
            "the node has no room left; nothing was changed",
            "its operator has to make room on the disk",
        ),
        NotTaken::Store(_) => failed(),
        NotTaken::Bundle(_) | NotTaken::Exporter(_) | NotTaken::NotPublic => {
            bad_request(format!("{not_taken}; nothing of it counts"))
        }
    }
}

/// For a delivery after which there would be too much of one peer.
pub(crate) fn over_quota(counted: &'static str, limit: u64, used: u64) -> Refusal {
    let mut problem = refusal(
        Cause::OverQuota,
        format!(
            "the node keeps {limit} {counted} of one peer, and there would be {used}; nothing of the delivery counts"
        ),
        "take records back",
    );
    problem.quota = Some(counted.to_owned());
    problem.limit = Some(limit);
    problem.used = Some(used);
    problem
}

/// For a bundle whose feed moved on between its parts.
pub(crate) fn head_gone() -> Refusal {
    refusal(
        Cause::HeadGone,
        "the feed moved on since the part before",
        "begin the exchange anew",
    )
}

/// For what failed here. What happened is for the operator, not for the sender.
pub(crate) fn failed() -> Refusal {
    refusal(
        Cause::Failed,
        "something failed at the node; nothing was changed",
        "try again; its operator finds the reason with `wb doctor`",
    )
}

/// For something that went wrong here, as far as the sender has to know.
pub(crate) fn of_node(error: &NodeError) -> Refusal {
    match error {
        NodeError::Store(error) if error.is_busy() => refusal(
            Cause::Busy,
            "another process is writing at the node; nothing was changed",
            "try again",
        ),
        error if error.is_full() => refusal(
            Cause::Full,
            "the node has no room left; nothing was changed",
            "its operator has to make room on the disk",
        ),
        _ => failed(),
    }
}
