//! Calls to one hub or peer: each request signed, each answer checked, one wrong clock mended.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use wb_core::id::InstanceId;
use wb_core::identity::{IdentityError, IdentityLog, Merge, merge};
use wb_core::limits::{RETRIES_MAX, RETRY_AFTER_WAITED_MAX};
use wb_core::protocol::{CALLS, PROTOCOL};
use wb_core::signed::Signer;
use wb_core::sync::signature::{
    AnswerError, KeyId, OutgoingRequest, ReceivedAnswer, RequestFields, content_digest,
    is_under_older_key, sign_request, verify_answer,
};
use wb_core::sync::{
    Answered, Asked, Cause, Problem, RecoveryAnswer, RecoveryAsk, SignedExchange, WhoIsThis,
    read_message,
};

use super::{
    COMPRESS_BYTES_MIN, CONTENT_DIGEST, Clock, NDJSON, SIGNATURE, SIGNATURE_INPUT, WB_TO,
    ZSTD_LEVEL, text,
};
use crate::body::{BodyError, BodyLimit, ZSTD, decode, encode_for_readers, encoding};
use crate::client::{Connection, Incoming, NetError, Outgoing, Traffic};

/// From so many bytes on a body is unpacked on another thread: a millisecond or more.
const UNPACKED_APART_BYTES: usize = 131_072;

/// Bytes of a refusal, or of saying who one is; an identity log of its full length fits.
const SMALL_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// How often a call is made again that was answered under an older key, and the rest before: behind a name there may be
/// several processes, and the key of each is put in place apart.
const OLDER_KEY_REPEATS_MAX: u32 = 4;
const OLDER_KEY_REST: Duration = Duration::from_millis(500);

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path below the base.
    pub path: String,
    /// The query without its `?`.
    pub query: Option<String>,
    /// The body, before it is compressed, with its type.
    pub body: Option<(Vec<u8>, &'static str)>,
    /// How large the answer may be.
    pub limit: BodyLimit,
    /// How much longer than usual the answer may take to begin.
    pub wait: Duration,
    /// Whether the answer is bytes that prove themselves, so that it need not be signed.
    pub proves_itself: bool,
    /// Whether question and answer are kept as they were signed, to show them to somebody else. Such an
    /// answer comes without an encoding.
    pub keeps: bool,
}

impl Call {
    /// A question.
    #[must_use]
    pub fn get(path: impl Into<String>, query: Option<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query,
            body: None,
            limit: BodyLimit::default(),
            wait: Duration::ZERO,
            proves_itself: false,
            keeps: false,
        }
    }

    /// Something that is sent as JSON.
    #[must_use]
    pub fn send(method: Method, path: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            method,
            body: Some((body, super::JSON)),
            ..Self::get(path, None)
        }
    }

    /// Feed sections that are sent.
    #[must_use]
    pub fn push(path: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            method: Method::POST,
            body: Some((body, NDJSON)),
            ..Self::get(path, None)
        }
    }
}

/// An answer that counts.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its body, decoded.
    pub body: Vec<u8>,
    /// Question and answer as they were signed, where that was asked for.
    pub kept: Option<Box<SignedExchange>>,
}

/// Why a call has no answer that counts.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The network.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The body of the answer.
    #[error("the answer's body: {0}")]
    Body(BodyError),
    /// A refusal that the other side signed for this request.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// An answer that does not prove where it comes from.
    #[error(transparent)]
    NotProved(#[from] AnswerError),
    /// An answer that is none of this protocol: of a proxy, or of another program.
    #[error("status {0}, and not in this protocol; something else answers under the address")]
    NotOurs(u16),
    /// Another instance answers, or its log does not continue the one known.
    #[error("another instance answers: {0}")]
    OtherInstance(InstanceId),
    /// What it says about itself is wrong.
    #[error("what it says about itself does not verify: {0}")]
    Identity(IdentityError),
    /// A message that is not well formed.
    #[error("the answer is not well formed: {0}")]
    Malformed(String),
}

impl CallError {
    /// The cause of a refusal that counts.
    #[must_use]
    pub fn refusal(&self) -> Option<Cause> {
        match self {
            Self::Refused(problem) => problem.cause(),
            _ => None,
        }
    }
}

/// Who answers under an address, verified by its own log.
#[derive(Debug, Clone)]
pub struct Identified {
    /// What it says.
    pub says: WhoIsThis,
    /// Its log.
    pub identity: IdentityLog,
}

/// Asks who answers under an address.
///
/// # Errors
/// Why there is no answer that counts.
pub async fn who_is_this(connection: &mut Connection) -> Result<Identified, CallError> {
    let limit = BodyLimit::bytes(SMALL_BYTES_MAX);
    let incoming = connection
        .insist(Outgoing::get("/.well-known/wb/node"), limit)
        .await?;
    if incoming.status != 200 {
        return Err(CallError::NotOurs(incoming.status));
    }
    let received = Received::of(&incoming);
    let body = encoding(&incoming.headers)
        .and_then(|encoding| decode(encoding, incoming.body.clone(), limit))
        .map_err(CallError::Body)?;
    let says: WhoIsThis = read_message(&body).map_err(|_| CallError::NotOurs(200))?;
    let identity = says.identity().map_err(CallError::Identity)?;
    verify_answer(&received.answer(&incoming), None, &identity)?;
    Ok(Identified { says, identity })
}

/// Asks a hub for what it holds of an instance whose recovery key is named (spec: sync, recovery). The answer
/// proves itself.
///
/// # Errors
/// Why there is no answer that counts.
pub async fn ask_recovery(
    connection: &mut Connection,
    ask: &RecoveryAsk,
) -> Result<RecoveryAnswer, CallError> {
    let limit = BodyLimit::bytes(SMALL_BYTES_MAX);
    let path = format!("{CALLS}{}/recovery", PROTOCOL.max);
    let outgoing = Outgoing::post(path, wb_core::signed::payload(ask));
    let incoming = connection.insist(outgoing, limit).await?;
    let body = encoding(&incoming.headers)
        .and_then(|encoding| decode(encoding, incoming.body.clone(), limit))
        .map_err(CallError::Body)?;
    if incoming.status != 200 {
        // Nobody signed a refusal for whoever did not sign; it decides nothing.
        let problem: Problem =
            read_message(&body).map_err(|_| CallError::NotOurs(incoming.status))?;
        return Err(CallError::Refused(Box::new(problem)));
    }
    read_message(&body).map_err(CallError::Malformed)
}

/// The body of an answer, unpacked; a large one on another thread, so that its caller can do other things meanwhile.
async fn unpacked(incoming: Incoming, limit: BodyLimit) -> Result<Vec<u8>, BodyError> {
    let encoding = encoding(&incoming.headers)?.map(str::to_owned);
    let is_large = incoming.body.len() >= UNPACKED_APART_BYTES;
    let unpack = move || decode(encoding.as_deref(), incoming.body, limit);
    if !is_large {
        return unpack();
    }
    let unpacked = tokio::task::spawn_blocking(unpack).await;
    unpacked.map_err(|ended| BodyError::Broken(ended.into()))?
}

/// The fields of an answer that sign it.
struct Received {
    digest: Option<String>,
    input: Option<String>,
    signature: Option<String>,
}

impl Received {
    fn of(incoming: &Incoming) -> Self {
        let field = |name| text(&incoming.headers, name).map(str::to_owned);
        Self {
            digest: field(CONTENT_DIGEST),
            input: field(SIGNATURE_INPUT),
            signature: field(SIGNATURE),
        }
    }

    fn answer<'a>(&'a self, incoming: &'a Incoming) -> ReceivedAnswer<'a> {
        ReceivedAnswer {
            status: incoming.status,
            body: &incoming.body,
            content_digest: self.digest.as_deref(),
            signature_input: self.input.as_deref(),
            signature: self.signature.as_deref(),
        }
    }
}

/// Calls one instance.
pub struct Caller {
    connection: Connection,
    key: KeyId,
    signer: Arc<Signer>,
    identity: IdentityLog,
    clock: Clock,
    /// Seconds that the other clock is ahead of the one here, once it said so.
    offset: i64,
    round_trips: u64,
    /// Seconds that the other side asked to stay away, when the last call ended with that.
    asked_to_wait: Option<u64>,
    /// Whether the last answer was signed under a key that another has followed.
    is_under_older_key: bool,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({} to {})", self.key, self.identity.id())
    }
}

impl Caller {
    /// Calls the instance of an identity log, as the holder of a key.
    #[must_use]
    pub fn new(
        connection: Connection,
        key: KeyId,
        signer: Arc<Signer>,
        identity: IdentityLog,
        clock: Clock,
    ) -> Self {
        Self {
            connection,
            key,
            signer,
            identity,
            clock,
            offset: 0,
            round_trips: 0,
            asked_to_wait: None,
            is_under_older_key: false,
        }
    }

    /// The log of the instance called: a longer one than at the start when it has rotated its key.
    #[must_use]
    pub fn identity(&self) -> &IdentityLog {
        &self.identity
    }

    /// Seconds that the other clock is ahead, where a request was refused for its time.
    #[must_use]
    pub fn clock_offset(&self) -> i64 {
        self.offset
    }

    /// Requests sent so far.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.round_trips
    }

    /// Bytes on the socket so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.connection.traffic()
    }

    /// Seconds that the other side asked to stay away, when the last call ended with that.
    #[must_use]
    pub fn asked_to_wait(&self) -> Option<u64> {
        self.asked_to_wait
    }

    /// Calls. A refusal for the time is believed once, when it is signed and bound, and the call is
    /// made again by the other clock. One that asks to wait a little is waited out: every call may come
    /// twice.
    ///
    /// # Errors
    /// Why there is no answer that counts.
    pub async fn call(&mut self, call: &Call) -> Result<Answer, CallError> {
        let mut retries = 0;
        loop {
            let answered = self.call_by_their_clock(call).await;
            self.asked_to_wait = answered.as_ref().err().and_then(retry_after);
            let wait = self
                .asked_to_wait
                .filter(|seconds| *seconds <= RETRY_AFTER_WAITED_MAX);
            let Some(wait) = wait.filter(|_| retries < RETRIES_MAX) else {
                return answered;
            };
            retries += 1;
            tokio::time::sleep(Duration::from_secs(wait.max(1))).await;
        }
    }

    async fn call_by_their_clock(&mut self, call: &Call) -> Result<Answer, CallError> {
        match self.under_newest_key(call).await {
            Err(CallError::Refused(problem))
                if problem.cause() == Some(Cause::Clock) && self.offset == 0 =>
            {
                let Some(offset) = problem.now.and_then(|now| self.offset_to(now)) else {
                    return Err(CallError::Refused(problem));
                };
                self.offset = offset;
                self.under_newest_key(call).await
            }
            other => other,
        }
    }

    /// Calls, and again on another connection where the answer is under an older key.
    async fn under_newest_key(&mut self, call: &Call) -> Result<Answer, CallError> {
        let mut repeats = 0;
        loop {
            self.is_under_older_key = false;
            let answered = self.once(call).await;
            if !self.is_under_older_key || repeats >= OLDER_KEY_REPEATS_MAX {
                return answered;
            }
            repeats += 1;
            self.connection.let_go();
            tokio::time::sleep(OLDER_KEY_REST).await;
        }
    }

    fn offset_to(&self, their_now: u64) -> Option<i64> {
        let theirs = i64::try_from(their_now).ok()?;
        let ours = i64::try_from((self.clock)()).ok()?;
        Some(theirs - ours).filter(|offset| *offset != 0)
    }

    fn now(&self) -> u64 {
        (self.clock)().saturating_add_signed(self.offset)
    }

    async fn once(&mut self, call: &Call) -> Result<Answer, CallError> {
        let (outgoing, signed) = self.outgoing(call)?;
        self.round_trips += 1;
        // Every call may come twice, and old after new.
        let incoming = self.connection.insist(outgoing, call.limit).await?;
        let received = Received::of(&incoming);
        if is_success(incoming.status) && call.proves_itself {
            // Damage on the way is told from what an origin sealed wrongly.
            let digest = received.digest.as_deref();
            if digest.is_some_and(|digest| digest != content_digest(&incoming.body)) {
                return Err(CallError::NotProved(AnswerError::Invalid));
            }
        } else if let Err(error) = self.check(&incoming, &received, &signed.signature).await {
            let answer = received.answer(&incoming);
            self.is_under_older_key = is_under_older_key(&answer, &self.identity);
            return Err(error);
        }
        let status = incoming.status;
        let kept = (call.keeps && is_success(status))
            .then(|| self.kept(call, &signed, &received, &incoming))
            .flatten();
        let limit = if is_success(status) {
            call.limit
        } else {
            BodyLimit::bytes(SMALL_BYTES_MAX)
        };
        let body = unpacked(incoming, limit).await.map_err(CallError::Body)?;
        if is_success(status) {
            return Ok(Answer { body, kept });
        }
        let problem: Problem = read_message(&body).map_err(|_| CallError::NotOurs(status))?;
        Err(CallError::Refused(Box::new(problem)))
    }

    /// Question and answer as they were signed; none where the answer came encoded all the same, or the
    /// question had a body.
    fn kept(
        &self,
        call: &Call,
        signed: &RequestFields,
        received: &Received,
        incoming: &Incoming,
    ) -> Option<Box<SignedExchange>> {
        let is_plain = !incoming.headers.contains_key(CONTENT_ENCODING) && call.body.is_none();
        let answered = Answered::new(&received.answer(incoming))?;
        is_plain.then(|| {
            Box::new(SignedExchange {
                asked: Asked {
                    method: call.method.as_str().to_owned(),
                    path: call.path.clone(),
                    query: call.query.clone(),
                    to: signed.to.clone(),
                    signature_input: signed.signature_input.clone(),
                    signature: signed.signature.clone(),
                },
                answered,
            })
        })
    }

    /// Checks that an answer is signed for the request; asks for a longer log where it is signed with a
    /// key that is not known.
    async fn check(
        &mut self,
        incoming: &Incoming,
        received: &Received,
        request: &str,
    ) -> Result<(), CallError> {
        let answer = received.answer(incoming);
        match verify_answer(&answer, Some(request), &self.identity) {
            Ok(()) => Ok(()),
            Err(AnswerError::KeyUnknown) => {
                self.renew_identity().await?;
                Ok(verify_answer(&answer, Some(request), &self.identity)?)
            }
            // A hub that moved away, or one that was made anew, says so itself; a signature that only
            // names somebody else proves nothing.
            Err(AnswerError::OtherInstance) => Err(match self.who_is_this().await {
                Ok(found) if found.says.id != self.identity.id() => {
                    CallError::OtherInstance(found.says.id)
                }
                _ => AnswerError::OtherInstance.into(),
            }),
            // A proxy, or another program.
            Err(AnswerError::NotSigned) if !is_success(incoming.status) => {
                Err(CallError::NotOurs(incoming.status))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks who answers, over the same connection.
    ///
    /// # Errors
    /// Why there is no answer that counts.
    pub async fn who_is_this(&mut self) -> Result<Identified, CallError> {
        self.round_trips += 1;
        who_is_this(&mut self.connection).await
    }

    async fn renew_identity(&mut self) -> Result<(), CallError> {
        let found = self.who_is_this().await?;
        if found.says.id != self.identity.id() {
            return Err(CallError::OtherInstance(found.says.id));
        }
        match merge(&self.identity, &found.identity) {
            Merge::Extend | Merge::Replace => {
                self.identity = found.identity;
                Ok(())
            }
            Merge::Known | Merge::Stale | Merge::TwoRecovers | Merge::TwoRotates => {
                Err(AnswerError::KeyUnknown.into())
            }
        }
    }

    /// The request as it travels, and the fields that sign it.
    fn outgoing(&self, call: &Call) -> Result<(Outgoing, RequestFields), CallError> {
        let mut headers = Vec::new();
        if !call.keeps {
            headers.push((ACCEPT_ENCODING, HeaderValue::from_static(ZSTD)));
        }
        let body = call.body.as_ref().map(|(body, kind)| {
            headers.push((CONTENT_TYPE, HeaderValue::from_static(kind)));
            let encoded = Some(body)
                .filter(|body| body.len() >= COMPRESS_BYTES_MIN)
                .and_then(|body| encode_for_readers(ZSTD_LEVEL, body));
            let Some(encoded) = encoded else {
                return body.clone();
            };
            headers.push((CONTENT_ENCODING, HeaderValue::from_static(ZSTD)));
            encoded
        });
        let request = OutgoingRequest {
            method: call.method.as_str(),
            path: &call.path,
            query: call.query.as_deref(),
            to: self.identity.id(),
            body: body.as_deref(),
            now: self.now(),
        };
        let fields = sign_request(&request, self.key, &self.signer);
        let mut put = |name: &'static str, value: &str| -> Result<(), CallError> {
            let value = HeaderValue::from_str(value)
                .map_err(|error| NetError::Request(error.to_string()))?;
            headers.push((HeaderName::from_static(name), value));
            Ok(())
        };
        put(WB_TO, &fields.to)?;
        if let Some(digest) = &fields.content_digest {
            put(CONTENT_DIGEST, digest)?;
        }
        put(SIGNATURE_INPUT, &fields.signature_input)?;
        put(SIGNATURE, &fields.signature)?;
        let path_and_query = match &call.query {
            Some(query) => format!("{}?{query}", call.path),
            None => call.path.clone(),
        };
        let outgoing = Outgoing {
            method: call.method.clone(),
            path_and_query,
            headers,
            body: body.unwrap_or_default(),
            wait: call.wait,
        };
        Ok((outgoing, fields))
    }
}

/// How long to wait before the same is asked again, where that was said.
fn retry_after(error: &CallError) -> Option<u64> {
    match error {
        CallError::Refused(problem) => problem.retry_after,
        _ => None,
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}
