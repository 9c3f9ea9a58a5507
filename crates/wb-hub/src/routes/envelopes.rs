//! `POST /sync/v1/envelopes`, `GET /sync/v1/envelopes` and `POST /sync/v1/envelopes/taken`
//!
//! A hub carries what it cannot read: it looks at who signed the outside and who is named there, and hands an
//! envelope to nobody else.

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_core::limits::{ENVELOPES_BYTES_MAX, ENVELOPES_PER_PAIR_MAX};
use wb_core::sealed::Envelope;
use wb_core::sync::{
    Cause, EnvelopeKept, EnvelopesTaken, GivenEnvelope, Noted, Problem, read_message,
};
use wb_net::signed::{JSON, Reply, Request};

use super::parsed;
use crate::problems::{Refusal, bad_request, not_found};
use crate::service::Hub;
use crate::store::{EnvelopeRefused, HubStore, Keeping};

/// Keeps an envelope of a member for those of its recipients that are members.
pub async fn keep<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let given: GivenEnvelope = read_message(body).map_err(bad_request)?;
    let (line, body) = (given.envelope.into_bytes(), given.body.0);
    let broken = |rule| bad_request(format!("the envelope breaks {rule}; nothing was kept"));
    let (envelope, _) = Envelope::read(&line).map_err(broken)?;
    if envelope.origin != sender {
        return Err(Box::new(Problem::new(
            Cause::NotYours,
            format!(
                "the envelope is of {}, which is not the sender; nothing was kept",
                envelope.origin
            ),
            "give own envelopes only",
        )));
    }
    let identity = hub.kept(hub.store().identity(sender).await)?;
    let identity = identity.ok_or_else(|| not_found("such instance"))?;
    let envelope = Envelope::verify(&line, &body, &identity, hub.now()).map_err(broken)?;
    let keeping = Keeping {
        envelope,
        line,
        body,
    };
    let kept = hub.kept(hub.store().keep_envelope(keeping).await)?;
    let kept_for = kept.map_err(over_quota)?;
    let answer = EnvelopeKept {
        schema_version: 1,
        kept_for,
    };
    Ok(Reply::ok(JSON, wb_core::signed::payload(&answer)))
}

fn over_quota(refused: EnvelopeRefused) -> Refusal {
    let words = match refused {
        EnvelopeRefused::Pair => {
            format!("{ENVELOPES_PER_PAIR_MAX} envelopes of this instance wait for one recipient")
        }
        EnvelopeRefused::Bytes => {
            format!("envelopes of this instance above {ENVELOPES_BYTES_MAX} bytes would wait here")
        }
    };
    not_kept(&words)
}

/// That so much waits already of whoever gives something more.
pub(super) fn not_kept(words: &str) -> Refusal {
    Box::new(Problem::new(
        Cause::OverQuota,
        format!("{words}; this one was not kept"),
        "wait until they are taken, or are over",
    ))
}

/// The number after which a page begins.
pub(super) fn after(request: &Request) -> Result<u64, Refusal> {
    let after: u64 = parsed(request, "after")?.unwrap_or(0);
    // A number that nothing which waits can have.
    if i64::try_from(after).is_err() {
        return Err(bad_request("`after` in the query is not what a page named"));
    }
    Ok(after)
}

/// Gives a page of what waits for the caller.
pub async fn page<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    request: &Request,
) -> Result<Reply, Refusal> {
    let after = after(request)?;
    let page = hub.kept(hub.store().envelopes(sender, after, hub.now()).await)?;
    Ok(Reply::ok(JSON, wb_core::signed::payload(&page)))
}

/// Notes what the caller has.
pub async fn taken<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let taken = EnvelopesTaken::read(body).map_err(bad_request)?;
    hub.kept(hub.store().envelopes_taken(sender, taken.hashes).await)?;
    let noted = Noted { schema_version: 1 };
    Ok(Reply::ok(JSON, wb_core::signed::payload(&noted)))
}
