//! A hub as its members call it: one method for each call of the protocol (spec: sync).

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use wb_core::id::{Hash, InstanceId, RecordId};
use wb_core::limits::{FEED_KINDS_MAX, SYNC_BODY_BYTES_MAX};
use wb_core::scope::{FeedScope, Kind};
use wb_core::sync::{
    Cursor, Directory, FollowList, Follows, Heads, Pushed, Registration, Standings, read_message,
};

use crate::body::BodyLimit;
use crate::client::Traffic;
use crate::signed::{Call, CallError, Caller, Identified};

/// How large one body may be.
const LIMIT: BodyLimit = BodyLimit::bytes(SYNC_BODY_BYTES_MAX);

/// A hub that is called.
#[derive(Debug)]
pub struct HubClient {
    caller: Caller,
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
        Self { caller }
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

    async fn json<T: for<'de> Deserialize<'de>>(&mut self, call: Call) -> Result<T, CallError> {
        let answer = self
            .caller
            .call(&Call {
                limit: LIMIT,
                ..call
            })
            .await?;
        read_message(&answer.body).map_err(CallError::Malformed)
    }

    /// Registers, or brings a longer identity log or another card.
    ///
    /// # Errors
    /// Why there is no answer that counts; so for every call.
    pub async fn register(&mut self, registration: &Registration) -> Result<Standings, CallError> {
        let body = wb_core::signed::payload(registration);
        self.json(Call::send(Method::POST, "/sync/v1/register", body))
            .await
    }

    /// Asks where the registration stands.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn member(&mut self) -> Result<Standings, CallError> {
        self.json(Call::get("/sync/v1/member", None)).await
    }

    /// Reads a page of the directory.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn directory(&mut self, after: Option<InstanceId>) -> Result<Directory, CallError> {
        let query = after.map(|after| format!("after={after}"));
        self.json(Call::get("/sync/v1/directory", query)).await
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
        self.json(Call::send(Method::PUT, "/sync/v1/follows", body))
            .await
    }

    /// Reads a page of heads.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn heads(&mut self, after: Option<InstanceId>) -> Result<Heads, CallError> {
        let query = after.map(|after| format!("after={after}"));
        self.json(Call::get("/sync/v1/heads", query)).await
    }

    /// Reads changes: lines, the first of them the `changes` section. With `wait` the hub holds the
    /// answer back until there is something, or until the time is over.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn changes(&mut self, since: &Cursor, wait: Duration) -> Result<Vec<u8>, CallError> {
        let seconds = wait.as_secs();
        let query = if seconds == 0 {
            format!("since={since}")
        } else {
            format!("since={since}&wait={seconds}")
        };
        let call = Call {
            limit: LIMIT,
            wait,
            ..Call::get("/sync/v1/changes", Some(query))
        };
        Ok(self.caller.call(&call).await?.body)
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
        let path = format!("/sync/v1/snapshot/{origin}/{scope}");
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
        self.feed(format!("/sync/v1/lines/{origin}/{scope}"), &query)
            .await
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
        self.feed(format!("/sync/v1/lines/{origin}/{scope}"), &query)
            .await
    }

    async fn feed(&mut self, path: String, query: &[String]) -> Result<Vec<u8>, CallError> {
        let query = Some(query.join("&")).filter(|query| !query.is_empty());
        let call = Call {
            limit: LIMIT,
            proves_itself: true,
            ..Call::get(path, query)
        };
        Ok(self.caller.call(&call).await?.body)
    }

    /// Pushes sections of own feeds.
    ///
    /// # Errors
    /// As [`HubClient::register`].
    pub async fn push(&mut self, sections: Vec<u8>) -> Result<Pushed, CallError> {
        self.json(Call::push("/sync/v1/push", sections)).await
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
