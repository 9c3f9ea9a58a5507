//! What proves that somebody does not give what an origin signed (spec: sync, comparing roads).
//!
//! Two signatures stand in it: that of whoever answered, over an answer bound to its question, and that of
//! the origin, over a header. Whoever holds it needs nothing else to check both. What follows from them
//! is for people to say: an origin may not have given its feed to that hub yet.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::messages::{Heads, PageSection, read_message};
use super::signature::{
    AnswerError, ReceivedAnswer, ReceivedRequest, answer_created, read_request, verify_answer,
};
use super::{Cause, FeedHead};
use crate::entry::{Entry, Op};
use crate::feed::Header;
use crate::hash;
use crate::id::RecordId;
use crate::identity::{IdentityError, IdentityLog};
use crate::json::object_only;
use crate::merkle;
use crate::ndjson;
use crate::rule::Rule;
use crate::want::Held;

/// A question as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The path below the base.
    pub path: String,
    /// The query without its `?`.
    pub query: Option<String>,
    /// `wb-to`.
    pub to: String,
    /// `signature-input`.
    pub signature_input: String,
    /// `signature`.
    pub signature: String,
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// `content-digest`.
    pub content_digest: String,
    /// `signature-input`.
    pub signature_input: String,
    /// `signature`.
    pub signature: String,
    /// The body in base64; it came without an encoding.
    pub body: String,
}

/// A question without a body, and the signed answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SignedExchange {
    /// The question.
    pub asked: Asked,
    /// The answer.
    pub answered: Answered,
}

/// A delta as it proves one of its entries: the root in its header is over all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PutProof {
    /// The signed header.
    pub header: String,
    /// Every entry, in order.
    pub entries: Vec<String>,
}

/// What proves that somebody does not give what an origin signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Proof {
    /// 1.
    pub schema_version: u32,
    /// What was asked, and the answer.
    pub exchange: SignedExchange,
    /// Identity log of whoever asked: signed lines.
    pub asker: Vec<String>,
    /// Identity log of whoever answered.
    pub answerer: Vec<String>,
    /// Identity log of the origin.
    pub origin: Vec<String>,
    /// The origin's signed header that was held by whoever asked.
    pub header: String,
    /// Of a line that is withheld: the delta that put it. Null where the feed came by snapshot.
    pub put: Option<PutProof>,
}

object_only!(Asked, Answered, SignedExchange, PutProof, Proof);

/// Why something proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// An identity log does not verify.
    #[error("an identity log: {0}")]
    Identity(#[from] IdentityError),
    /// The question is not signed by whoever asked.
    #[error("the question: {}", .0.as_str())]
    Asked(Cause),
    /// The answer is not signed, or answers another question.
    #[error(transparent)]
    Answered(#[from] AnswerError),
    /// The header is not signed by the origin.
    #[error("the header breaks {0}")]
    Header(Rule),
    /// The answer does not say what it should.
    #[error("the answer says something else: {0}")]
    Says(&'static str),
}

/// What a proof of an older head shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The head that the answer names.
    pub named: Held,
    /// When it was answered, in seconds since 1970, by the clock of whoever answered.
    pub answered_at: u64,
    /// The head that the origin signed.
    pub signed: Held,
    /// When it was sealed, in milliseconds since 1970, by the origin's clock.
    pub sealed_at: i64,
}

impl Answered {
    /// Keeps a signed answer as it came; none where it is not signed.
    #[must_use]
    pub fn new(answer: &ReceivedAnswer<'_>) -> Option<Self> {
        Some(Self {
            status: answer.status,
            content_digest: answer.content_digest?.to_owned(),
            signature_input: answer.signature_input?.to_owned(),
            signature: answer.signature?.to_owned(),
            body: BASE64.encode(answer.body),
        })
    }
}

impl SignedExchange {
    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> Option<Vec<u8>> {
        BASE64.decode(self.answered.body.as_bytes()).ok()
    }

    /// Checks both signatures, and that the answer is to this question. Gives the body, and when it was
    /// answered.
    ///
    /// # Errors
    /// What does not fit.
    pub fn verify(
        &self,
        asker: &IdentityLog,
        answerer: &IdentityLog,
    ) -> Result<(Vec<u8>, u64), ProofError> {
        let asked = &self.asked;
        let request = ReceivedRequest {
            method: &asked.method,
            path: &asked.path,
            query: asked.query.as_deref(),
            to: Some(&asked.to),
            content_digest: None,
            signature_input: Some(&asked.signature_input),
            signature: Some(&asked.signature),
            body: &[],
        };
        let request = read_request(&request, answerer.id()).map_err(ProofError::Asked)?;
        // Whether it came in time was for whoever answered to say.
        let then = request.created();
        request
            .verify(Some(asker), then)
            .map_err(ProofError::Asked)?;
        let body = self.body().ok_or(AnswerError::Invalid)?;
        let answer = ReceivedAnswer {
            status: self.answered.status,
            body: &body,
            content_digest: Some(&self.answered.content_digest),
            signature_input: Some(&self.answered.signature_input),
            signature: Some(&self.answered.signature),
        };
        verify_answer(&answer, Some(&asked.signature), answerer)?;
        let at = answer_created(&self.answered.signature_input).ok_or(AnswerError::NotSigned)?;
        Ok((body, at))
    }
}

impl Proof {
    fn logs(&self) -> Result<[IdentityLog; 3], ProofError> {
        Ok([
            IdentityLog::verify(None, &self.asker)?,
            IdentityLog::verify(None, &self.answerer)?,
            IdentityLog::verify(None, &self.origin)?,
        ])
    }

    /// Checks that whoever answered has the head that the origin signed, and gave no line for a record of it. That
    /// the line is live at that head is known to whoever holds the feed.
    ///
    /// # Errors
    /// What does not fit.
    pub fn withheld(&self) -> Result<Withheld, ProofError> {
        let [asker, answerer, origin] = self.logs()?;
        let (body, answered_at) = self.exchange.verify(&asker, &answerer)?;
        let (_, head) = signed_head(&self.header, &origin)?;
        let asked = &self.exchange.asked;
        let path = format!("/lines/{}/{}", head.origin, head.scope);
        let id = asked
            .query
            .as_deref()
            .and_then(|query| query.strip_prefix("id="));
        let id: Option<RecordId> = id.and_then(|id| id.parse().ok());
        let id = id.filter(|_| asked.path.ends_with(&path));
        let id = id.ok_or(ProofError::Says(
            "it is no answer to a question for one line",
        ))?;
        let mut lines = ndjson::lines(&body);
        let (page, more) = (lines.next().unwrap_or_default(), lines.next());
        let page = PageSection::read(page).ok().filter(|_| more.is_none());
        let page = page.ok_or(ProofError::Says("it gives the line"))?;
        if page.head != head.hash {
            return Err(ProofError::Says("it has another head"));
        }
        Ok(Withheld {
            put_is_proved: self.proves_put(&origin, &head, &id)?,
            head,
            id,
            answered_at,
        })
    }

    /// Whether the delta in it, where there is one, is the origin's and puts the record.
    fn proves_put(
        &self,
        origin: &IdentityLog,
        head: &Held,
        id: &RecordId,
    ) -> Result<bool, ProofError> {
        let Some(put) = &self.put else {
            return Ok(false);
        };
        let (header, held) = signed_head(&put.header, origin)?;
        let entries: Vec<Entry> = put
            .entries
            .iter()
            .map(|entry| Entry::read(entry.as_bytes()))
            .collect::<Result<_, _>>()
            .map_err(ProofError::Header)?;
        let is_of_feed = (held.scope, held.log) == (head.scope, head.log) && held.seq <= head.seq;
        let puts = |entry: &Entry| entry.id == *id && matches!(entry.op, Op::Put { .. });
        if !is_of_feed || merkle::root(&put.entries) != header.root || !entries.iter().any(puts) {
            return Err(ProofError::Says("the delta in it does not put the record"));
        }
        Ok(true)
    }

    /// Checks that whoever answered named a head below the one that the origin had signed.
    ///
    /// # Errors
    /// What does not fit.
    pub fn stale(&self) -> Result<Stale, ProofError> {
        let [asker, answerer, origin] = self.logs()?;
        let (body, answered_at) = self.exchange.verify(&asker, &answerer)?;
        let is_heads = self.exchange.asked.path.ends_with("/heads");
        let heads: Heads = read_message(&body)
            .ok()
            .filter(|_| is_heads)
            .ok_or(ProofError::Says("it is no answer to a question for heads"))?;
        let (header, signed) = signed_head(&self.header, &origin)?;
        let fits =
            |feed: &&FeedHead| (feed.head.origin, feed.head.scope) == (signed.origin, signed.scope);
        let named = heads.feeds.iter().find(fits);
        let named = named.ok_or(ProofError::Says("it names no head of that feed"))?;
        if !is_behind(&named.head, &signed) {
            return Err(ProofError::Says("the head that it names is not behind"));
        }
        Ok(Stale {
            named: named.head.clone(),
            answered_at,
            signed,
            sealed_at: header.at.unix_ms(),
        })
    }
}

/// What a proof of a line that is withheld shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The head that both have.
    pub head: Held,
    /// The record whose line was asked for and not given.
    pub id: RecordId,
    /// When it was answered, in seconds since 1970, by the clock of whoever answered.
    pub answered_at: u64,
    /// Whether the delta that put the line is in the proof and verifies; else that it is live is known only to
    /// whoever holds the feed.
    pub put_is_proved: bool,
}

/// Reads a header and verifies that its origin signed it with a key that stands in its log.
fn signed_head(line: &str, origin: &IdentityLog) -> Result<(Header, Held), ProofError> {
    let (header, unverified) = Header::read(line.as_bytes()).map_err(ProofError::Header)?;
    let entry = origin.entry(&header.identity);
    let entry = entry.filter(|_| header.origin == origin.id());
    let entry = entry.ok_or(ProofError::Header(Rule::BadSignature))?;
    unverified
        .verify(&entry.signing_key)
        .map_err(ProofError::Header)?;
    let body = Header::body_hash(unverified.payload());
    let hash = hash::header(header.prev.as_ref(), &body);
    let held = Held {
        origin: header.origin,
        scope: header.scope,
        log: header.log,
        generation: header.generation,
        seq: header.seq,
        hash,
    };
    Ok((header, held))
}

/// Whether a head of a feed stands before another that its origin signed: in the same log by its number,
/// else by the generation. Two logs of one generation contradict each other, and neither is behind.
#[must_use]
pub fn is_behind(theirs: &Held, ours: &Held) -> bool {
    if theirs.log == ours.log {
        theirs.seq < ours.seq
    } else {
        theirs.generation < ours.generation
    }
}
