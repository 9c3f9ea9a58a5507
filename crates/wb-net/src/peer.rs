//! Another node as its pair calls it: one method for each call of the protocol (spec: peers).

use std::time::Duration;

use http::Method;
use wb_core::sync::{Next, PairStandings, Pairing, Pushed};

use crate::client::Traffic;
use crate::hub::{HubClient, LIMIT};
use crate::signed::{Call, CallError, Caller, Identified};

/// A node that is called. Connection, signatures and protocol are as with a hub.
#[derive(Debug)]
pub struct PeerClient(HubClient);

impl PeerClient {
    /// Calls a node.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self(HubClient::new(caller))
    }

    /// What is known of the connection and of the node's key.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        self.0.caller()
    }

    /// Bytes on the socket so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.0.traffic()
    }

    /// Asks who answers, over the same connection.
    ///
    /// # Errors
    /// Why there is no answer that counts; so for every call.
    pub async fn who_is_this(&mut self) -> Result<Identified, CallError> {
        self.0.who_is_this().await
    }

    /// The calls that a node answers as a hub does: turns.
    pub fn as_hub(&mut self) -> &mut HubClient {
        &mut self.0
    }

    /// Asks to be paired, or where that stands.
    ///
    /// # Errors
    /// As [`PeerClient::who_is_this`].
    pub async fn pair(&mut self, pairing: &Pairing) -> Result<PairStandings, CallError> {
        let body = wb_core::signed::payload(pairing);
        self.0.json(Call::send(Method::POST, "pair", body)).await
    }

    /// Says what is held here and is given the rest: lines, the first of them the `exchange` section. With
    /// `wait` the node holds the answer back until there is something, or until the time is over.
    ///
    /// # Errors
    /// As [`PeerClient::who_is_this`].
    pub async fn exchange(
        &mut self,
        want: Vec<u8>,
        after: Option<Next>,
        wait: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let mut query = Vec::new();
        query.extend((wait.as_secs() > 0).then(|| format!("wait={}", wait.as_secs())));
        query.extend(after.map(|after| format!("after={after}")));
        let call = Call {
            query: Some(query.join("&")).filter(|query| !query.is_empty()),
            limit: LIMIT,
            wait,
            ..Call::push("exchange", want)
        };
        Ok(self.0.call(call).await?.body)
    }

    /// Gives a bundle of the own public feed.
    ///
    /// # Errors
    /// As [`PeerClient::who_is_this`].
    pub async fn deliver(&mut self, bundle: Vec<u8>) -> Result<Pushed, CallError> {
        self.0.json(Call::push("deliver", bundle)).await
    }
}
