//! `POST /sync/v1/mail`, `GET /sync/v1/mail` and `POST /sync/v1/mail/taken`
//!
//! Letters are counted for each pair of sender and recipient, so that nobody is flooded; what stands in them nobody
//! here can read.

use std::sync::Arc;

use wb_core::id::InstanceId;
use wb_core::letter::Mail;
use wb_core::limits::{LETTERS_BYTES_MAX, LETTERS_PER_PAIR_MAX};
use wb_core::sync::{
    Cause, EnvelopeKept, EnvelopesTaken, GivenEnvelope, Noted, Problem, read_message,
};
use wb_net::signed::{JSON, Reply, Request};

use super::envelopes::{after, not_kept};
use crate::problems::{Refusal, bad_request, not_found};
use crate::service::Hub;
use crate::store::{HubStore, KeepingLetter, LetterRefused};

/// Keeps a letter of a member for its recipient, where that is a member.
pub async fn keep<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let given: GivenEnvelope = read_message(body).map_err(bad_request)?;
    let (line, body) = (given.envelope.into_bytes(), given.body.0);
    let broken = |rule| bad_request(format!("the letter breaks {rule}; nothing was kept"));
    let (mail, _) = Mail::read(&line).map_err(broken)?;
    if mail.outside().origin != sender {
        return Err(Box::new(Problem::new(
            Cause::NotYours,
            format!(
                "the letter is of {}, which is not the sender; nothing was kept",
                mail.outside().origin
            ),
            "give own letters only",
        )));
    }
    let identity = hub.kept(hub.store().identity(sender).await)?;
    let identity = identity.ok_or_else(|| not_found("such instance"))?;
    let mail = Mail::verify(&line, &body, &identity, hub.now()).map_err(broken)?;
    let recipient = mail.recipient();
    let keeping = KeepingLetter { mail, line, body };
    let kept = hub.kept(hub.store().keep_letter(keeping).await)?;
    let is_kept = kept.map_err(over_quota)?;
    let answer = EnvelopeKept {
        schema_version: 1,
        kept_for: is_kept.then_some(recipient).into_iter().collect(),
    };
    Ok(Reply::ok(JSON, wb_core::signed::payload(&answer)))
}

fn over_quota(refused: LetterRefused) -> Refusal {
    let words = match refused {
        LetterRefused::Pair => {
            format!(
                "{LETTERS_PER_PAIR_MAX} letters of this instance wait for one recipient that has not taken them"
            )
        }
        LetterRefused::Bytes => {
            format!("letters of this instance above {LETTERS_BYTES_MAX} bytes would wait here")
        }
    };
    not_kept(&words)
}

/// Gives a page of the letters that wait for the caller.
pub async fn page<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    request: &Request,
) -> Result<Reply, Refusal> {
    let after = after(request)?;
    let page = hub.kept(hub.store().mail(sender, after, hub.now()).await)?;
    Ok(Reply::ok(JSON, wb_core::signed::payload(&page)))
}

/// Notes which letters the caller has.
pub async fn taken<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
    body: &[u8],
) -> Result<Reply, Refusal> {
    let taken = EnvelopesTaken::read(body).map_err(bad_request)?;
    hub.kept(hub.store().mail_taken(sender, taken.hashes).await)?;
    let noted = Noted { schema_version: 1 };
    Ok(Reply::ok(JSON, wb_core::signed::payload(&noted)))
}
