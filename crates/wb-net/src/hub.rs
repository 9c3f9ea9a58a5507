//! A hub as its members call it: one method for each call of the protocol (spec: sync).

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::limits::{FEED_KINDS_MAX, SYNC_BODY_BYTES_MAX};
use wb_core::protocol::{CALLS, PROTOCOL};
use wb_core::reply::{NoticesAbout, ReplyGiven};
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{
    Cause, Cursor, Directory, EnvelopeKept, EnvelopesPage, EnvelopesTaken, FollowList, Follows,
    GivenEnvelope, Heads, Noted, Problem, Pushed, Receipts, ReceiptsGiven, ReceiptsTaken,
    Registration, SignedExchange, Standings, TurnAnswer, TurnCall, VouchesAsk, VouchesPage,
    read_message,
};

use wb_core::want::Held;

use crate::body::BodyLimit;
use crate::client::Traffic;
use crate::signed::{Answer, Call, CallError, Caller, Identified};

/// How large one body may be.
pub(crate) const LIMIT: BodyLimit = BodyLimit::bytes(SYNC_BODY_BYTES_MAX);

/// A hub that is called.
#[derive(Debug)]
pub struct HubClient {
    caller: Caller,
    /// The protocol that calls are made in: the newest spoken here, until the hub says what it speaks.
    protocol: u32,
}

/// A page of a snapshot that is wanted.
#[derive(Debug, Clone, Default)]
pub struct SnapshotPage<'a> {
    /// The head of the first page; none asks for the first page.
    pub head: Option<Hash>,
    /// What the page before named as next.
    pub after: Option<&'a str>,
    /// The kinds whose lines are wanted; none wants all.
    pub kinds: Option<&'a BTreeSet<Kind>>,
}

impl HubClient {
    /// Calls a hub.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self {
            caller,
            protocol: PROTOCOL.max,
        }
    }

    /// The protocol that calls are made in.
    #[must_use]
    pub fn protocol(&self) -> u32 {
        self.protocol
    }

    /// Calls in the newest protocol that both speak; `call` has the path below the number.
    pub(crate) async fn call(&mut self, mut call: Call) -> Result<Answer, CallError> {
        let rest = std::mem::take(&mut call.path);
        call.path = format!("{CALLS}{}/{rest}", self.protocol);
        match self.caller.call(&call).await {
            Err(CallError::Refused(problem)) if self.agree(&problem) => {
                call.path = format!("{CALLS}{}/{rest}", self.protocol);
                self.caller.call(&call).await
            }
            other => other,
        }
    }

    /// Takes the newest common protocol from a refusal; false where that leaves nothing to try. Only the
    /// hub can bring it about: a refusal counts when it is signed and bound to its call.
    fn agree(&mut self, problem: &Problem) -> bool {
        let theirs = problem
            .protocol
            .filter(|_| problem.cause() == Some(Cause::VersionSkew));
        let common = theirs.and_then(|theirs| PROTOCOL.newest_common(theirs));
        match common {
            Some(common) if common != self.protocol => {
                self.protocol = common;
                true
            }
            _ => false,
        }
    }

    /// What is known of the connection and of the hub's key.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Bytes on the socket so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.caller.traffic()
    }

    /// Asks who answers, over the same connection.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn who_is_this(&mut self) -> Result<Identified, CallError> {
        self.caller.who_is_this().await
    }

    pub(crate) async fn json<T: for<'de> Deserialize<'de>>(
        &mut self,
        call: Call,
    ) -> Result<T, CallError> {
        let call = Call {
            limit: LIMIT,
            ..call
        };
        let answer = self.call(call).await?;
        read_message(&answer.body).map_err(CallError::Malformed)
    }

    /// Registers, or brings a longer identity log or another card.
    ///
    /// # Errors
    /// Why there is no answer that counts; so for every call.
    pub async fn register(&mut self, registration: &Registration) -> Result<Standings, CallError> {
        let body = wb_core::signed::payload(registration);
        self.json(Call::send(Method::POST, "register", body)).await
    }

    /// Asks where the registration stands.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn member(&mut self) -> Result<Standings, CallError> {
        self.json(Call::get("member", None)).await
    }

    /// Reads a page of the directory.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn directory(&mut self, after: Option<InstanceId>) -> Result<Directory, CallError> {
        let query = after.map(|after| format!("after={after}"));
        self.json(Call::get("directory", query)).await
    }

    /// Reads a page of vouches, one by one; nothing of them is verified.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn vouches(&mut self, ask: &VouchesAsk) -> Result<VouchesPage, CallError> {
        let parts = [
            ask.issuer.map(|id| format!("issuer={id}")),
            ask.subject.map(|id| format!("subject={id}")),
            ask.after.map(|place| format!("after={place}")),
        ];
        let query: Vec<String> = parts.into_iter().flatten().collect();
        self.json(Call::get("vouches", Some(query.join("&")))).await
    }

    /// Sends the follow list.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn put_follows(&mut self, list: &FollowList) -> Result<Follows, CallError> {
        #[derive(serde::Serialize)]
        struct Body<'a> {
            schema_version: u32,
            #[serde(flatten)]
            list: &'a FollowList,
        }
        let body = wb_core::signed::payload(&Body {
            schema_version: 1,
            list,
        });
        self.json(Call::send(Method::PUT, "follows", body)).await
    }

    /// Reads a page of heads.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn heads(&mut self, after: Option<InstanceId>) -> Result<Heads, CallError> {
        let query = after.map(|after| format!("after={after}"));
        self.json(Call::get("heads", query)).await
    }

    /// Reads a page of heads, and keeps question and answer as they were signed.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn heads_kept(
        &mut self,
        after: Option<InstanceId>,
    ) -> Result<(Heads, Option<Box<SignedExchange>>), CallError> {
        let query = after.map(|after| format!("after={after}"));
        let call = Call {
            limit: LIMIT,
            keeps: true,
            ..Call::get("heads", query)
        };
        let answer = self.call(call).await?;
        let heads = read_message(&answer.body).map_err(CallError::Malformed)?;
        Ok((heads, answer.kept))
    }

    /// Reads changes: lines, the first of them the `changes` section. With `wait` the hub holds the
    /// answer back until there is something, or until the time is over. With `kinds` the lines of other
    /// kinds come as their entries.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn changes(
        &mut self,
        since: &Cursor,
        wait: Duration,
        kinds: Option<&BTreeSet<Kind>>,
    ) -> Result<Vec<u8>, CallError> {
        let mut query = vec![format!("since={since}")];
        query.extend((wait.as_secs() > 0).then(|| format!("wait={}", wait.as_secs())));
        query.extend(kinds.and_then(some_kinds));
        let call = Call {
            limit: LIMIT,
            wait,
            ..Call::get("changes", Some(query.join("&")))
        };
        Ok(self.call(call).await?.body)
    }

    /// Reads a page of a snapshot: lines, the first of them the `page` section.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn snapshot(
        &mut self,
        origin: InstanceId,
        scope: FeedScope,
        page: &SnapshotPage<'_>,
    ) -> Result<Vec<u8>, CallError> {
        let mut query = Vec::new();
        query.extend(page.head.map(|head| format!("head={head}")));
        query.extend(page.after.map(|after| format!("after={after}")));
        query.extend(page.kinds.and_then(some_kinds));
        let path = format!("snapshot/{origin}/{scope}");
        self.feed(path, &query).await
    }

    /// Reads a page of the lines live in a feed; its last line is the `page` section.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn lines(
        &mut self,
        origin: InstanceId,
        scope: FeedScope,
        after: Option<RecordId>,
        kinds: Option<&BTreeSet<Kind>>,
    ) -> Result<Vec<u8>, CallError> {
        let mut query = Vec::new();
        query.extend(after.map(|after| format!("after={after}")));
        query.extend(kinds.and_then(some_kinds));
        self.feed(format!("lines/{origin}/{scope}"), &query).await
    }

    /// Asks for one line, and keeps question and answer as they were signed. The answer is the line, where it is
    /// there, and then the `page` section.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn line_kept(
        &mut self,
        origin: InstanceId,
        scope: FeedScope,
        id: RecordId,
    ) -> Result<(Vec<u8>, Option<Box<SignedExchange>>), CallError> {
        let call = Call {
            limit: LIMIT,
            keeps: true,
            ..Call::get(format!("lines/{origin}/{scope}"), Some(format!("id={id}")))
        };
        let answer = self.call(call).await?;
        Ok((answer.body, answer.kept))
    }

    /// Reads the newest lines of some kinds, for a preview.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn newest(
        &mut self,
        origin: InstanceId,
        scope: FeedScope,
        kinds: &BTreeSet<Kind>,
        count: usize,
    ) -> Result<Vec<u8>, CallError> {
        let query = [format!("kinds={}", join(kinds)), format!("newest={count}")];
        self.feed(format!("lines/{origin}/{scope}"), &query).await
    }

    async fn feed(&mut self, path: String, query: &[String]) -> Result<Vec<u8>, CallError> {
        let query = Some(query.join("&")).filter(|query| !query.is_empty());
        let call = Call {
            limit: LIMIT,
            proves_itself: true,
            ..Call::get(path, query)
        };
        Ok(self.call(call).await?.body)
    }

    /// Reads back the caller's own feed: its identity log and the deltas after a head, page by page; one without
    /// deltas is the last.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn own(
        &mut self,
        scope: FeedScope,
        after: Option<&Held>,
    ) -> Result<Vec<u8>, CallError> {
        let query: Vec<String> = after
            .map(|after| format!("after={}", after.to_query()))
            .into_iter()
            .collect();
        self.feed(format!("own/{scope}"), &query).await
    }

    /// Takes a turn at the beginning of a sync.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn turn(&mut self, call: &TurnCall) -> Result<TurnAnswer, CallError> {
        let body = wb_core::signed::payload(call);
        self.json(Call::send(Method::POST, "turn", body)).await
    }

    /// Reads what the hub says about this instance.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn notices(&mut self) -> Result<NoticesAbout, CallError> {
        self.json(Call::get("notices", None)).await
    }

    /// Gives a reply to what it says.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn reply(&mut self, reply: String) -> Result<Noted, CallError> {
        let body = wb_core::signed::payload(&ReplyGiven {
            schema_version: 1,
            reply,
        });
        self.json(Call::send(Method::POST, "reply", body)).await
    }

    /// Gives receipts: where this instance stands with the feeds of others.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn give_receipts(
        &mut self,
        receipts: Vec<String>,
    ) -> Result<ReceiptsTaken, CallError> {
        let body = wb_core::signed::payload(&ReceiptsGiven {
            schema_version: 1,
            receipts,
        });
        self.json(Call::send(Method::POST, "receipts", body)).await
    }

    /// Reads a page of receipts for own feeds.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn receipts(&mut self, after: u64) -> Result<Receipts, CallError> {
        self.json(Call::get("receipts", Some(format!("after={after}"))))
            .await
    }

    /// Gives a sealed envelope, to be kept for its recipients.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn give_envelope(
        &mut self,
        given: &GivenEnvelope,
    ) -> Result<EnvelopeKept, CallError> {
        let body = wb_core::signed::payload(given);
        self.json(Call::send(Method::POST, "envelopes", body)).await
    }

    /// Reads a page of the sealed envelopes that wait for this instance.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn envelopes(&mut self, after: Option<u64>) -> Result<EnvelopesPage, CallError> {
        let query = after.map(|after| format!("after={after}"));
        self.json(Call::get("envelopes", query)).await
    }

    /// Says which envelopes are here.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn envelopes_taken(&mut self, taken: &EnvelopesTaken) -> Result<Noted, CallError> {
        let body = wb_core::signed::payload(taken);
        self.json(Call::send(Method::POST, "envelopes/taken", body))
            .await
    }

    /// Gives a letter, to be kept for its recipient.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn give_letter(&mut self, given: &GivenEnvelope) -> Result<EnvelopeKept, CallError> {
        let body = wb_core::signed::payload(given);
        self.json(Call::send(Method::POST, "mail", body)).await
    }

    /// Reads a page of the letters that wait for this instance.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn mail(&mut self, after: Option<u64>) -> Result<EnvelopesPage, CallError> {
        let query = after.map(|after| format!("after={after}"));
        self.json(Call::get("mail", query)).await
    }

    /// Says which letters are here.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn mail_taken(&mut self, taken: &EnvelopesTaken) -> Result<Noted, CallError> {
        let body = wb_core::signed::payload(taken);
        self.json(Call::send(Method::POST, "mail/taken", body))
            .await
    }

    /// Reads a page of what the hub holds of this instance's own feed: lines, the first of them the
    /// `history` section.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn history(&mut self, after: Option<&str>) -> Result<Vec<u8>, CallError> {
        let query = after.map(|after| format!("after={after}"));
        let call = Call {
            limit: LIMIT,
            ..Call::get("history", query)
        };
        Ok(self.call(call).await?.body)
    }

    /// Pushes sections of own feeds.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn push(&mut self, sections: Vec<u8>) -> Result<Pushed, CallError> {
        self.json(Call::push("push", sections)).await
    }
}

/// The part of a query that names kinds. More than a hub takes in one are asked for as all: what was not
/// wanted is among the answer then, and proved like the rest.
fn some_kinds(kinds: &BTreeSet<Kind>) -> Option<String> {
    (kinds.len() <= FEED_KINDS_MAX).then(|| format!("kinds={}", join(kinds)))
}

fn join(kinds: &BTreeSet<Kind>) -> String {
    let kinds: Vec<&str> = kinds.iter().map(Kind::as_str).collect();
    kinds.join(",")
}
