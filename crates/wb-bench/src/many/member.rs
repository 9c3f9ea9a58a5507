//! A community that is only as much as a hub sees of it: a key, a feed that grows, and a connection.

use std::convert::Infallible;
use std::sync::Arc;

use serde_json::value::RawValue;
use wb_core::bundle::Writer;
use wb_core::entry::Entry;
use wb_core::feed::{
    Delta, FeedState, FeedView, Live, OpenLog, Opening, Outcome, Seal, accept, seal,
};
use wb_core::hash::{recovery_commitment, sha256};
use wb_core::id::{Hash, InstanceId, LogId, RecordId, Salt};
use wb_core::identity::{IdentityLog, found};
use wb_core::line::{Compose, Line};
use wb_core::ndjson::put_line;
use wb_core::scope::{By, FeedScope, Kind};
use wb_core::signed::Signer;
use wb_core::sync::Registration;
use wb_core::sync::signature::KeyId;
use wb_net::signed::{Caller, Clock};
use wb_net::{Base, Connection, HubClient, Reach};
use wb_node::entropy;
use zeroize::Zeroizing;

use crate::error::{BenchError, Result};
use crate::words::{Dice, Writer as Author};

/// Bytes of the text of a request, so that a record has about 400 of its own.
const TEXT_BYTES: usize = 330;

/// One community.
pub struct Member {
    signer: Arc<Signer>,
    pub identity: IdentityLog,
    nth: u64,
    state: Option<FeedState>,
    records: u64,
}

/// A hub as everybody here knows it.
pub struct Place {
    pub base: Base,
    pub identity: IdentityLog,
}

/// A delta on the wire, and what it is called.
pub struct Sealed {
    pub body: Vec<u8>,
    pub header: Hash,
}

/// The time in seconds, for signatures of requests.
fn clock() -> Clock {
    Arc::new(|| entropy::now().unix_ms().unsigned_abs() / 1_000)
}

fn wrong(what: impl std::fmt::Display) -> BenchError {
    BenchError::Wrong(what.to_string())
}

impl Member {
    /// The one of a number; the same in every run.
    pub fn new(nth: u64) -> Result<Self> {
        let seed = Zeroizing::new(sha256(format!("member {nth}").as_bytes()).0);
        let signer = Signer::from_seed(&seed);
        let words = recovery_commitment(&signer.public_key());
        let line = found(&signer, words, entropy::now());
        let identity = IdentityLog::verify(None, &[line]).map_err(wrong)?;
        Ok(Self {
            signer: Arc::new(signer),
            identity,
            nth,
            state: None,
            records: 0,
        })
    }

    pub fn id(&self) -> InstanceId {
        self.identity.id()
    }

    /// A connection of its own to the hub.
    pub fn client(&self, hub: &Place) -> HubClient {
        let key = KeyId {
            instance: self.id(),
            entry: self.identity.newest().hash,
        };
        let connection = Connection::new(hub.base.clone(), Reach::Lan);
        let signer = Arc::clone(&self.signer);
        HubClient::new(Caller::new(
            connection,
            key,
            signer,
            hub.identity.clone(),
            clock(),
        ))
    }

    pub fn registration(&self) -> Registration {
        let lines = self.identity.entries().iter();
        let card = format!(
            r#"{{"name":"Village {}","addresses":[],"hubs":[],"sync":{{"by_hand":true}},"kinds":{{}},"protocol":{{"min":1,"max":1}},"software":"wb-bench"}}"#,
            self.nth
        );
        Registration {
            schema_version: 1,
            identity: lines
                .map(|entry| String::from_utf8_lossy(&entry.line).into_owned())
                .collect(),
            card: RawValue::from_string(card).expect("an object"),
            listed: true,
            visibility: None,
            code: None,
            counter: 1,
        }
    }

    /// Seals so many new requests, as a body to push.
    pub fn seal(&mut self, count: u64, author: &Author) -> Result<Sealed> {
        let items: Vec<Vec<u8>> = (0..count).map(|_| self.request(author)).collect();
        let lines: std::result::Result<Vec<Line<'_>>, _> =
            items.iter().map(|item| Line::read(item)).collect();
        let entries: Vec<Entry> = lines.map_err(wrong)?.iter().map(Entry::of_line).collect();
        let newest = self.identity.newest();
        let new = OpenLog {
            log: LogId(entropy::log_id().0),
            generation: 0,
        };
        let request = Seal {
            signer: &self.signer,
            origin: self.id(),
            scope: FeedScope::Public,
            identity: (newest.position, newest.hash),
            state: self.state.as_ref(),
            open: self.state.is_none().then_some(new),
            entries: &entries,
            bytes: items.iter().map(|item| item.len() as u64 + 1).sum(),
            at: entropy::now(),
            valid_until: None,
        };
        let Ok(header) = seal(&request, &OnlyNew);
        let header = header.map_err(wrong)?;
        let delta = Delta::read(&header, &items).map_err(wrong)?;
        let Ok(outcome) = accept(&delta, Some(&self.identity), self.state.as_ref(), &OnlyNew);
        let Outcome::Append(applied) = outcome else {
            return Err(wrong("a delta of this run does not follow the one before"));
        };
        let mut body = Vec::new();
        let section = Writer::deltas(self.id(), FeedScope::Public, 1, items.len() as u64);
        put_line(&mut body, &section);
        put_line(&mut body, &header);
        for item in &items {
            put_line(&mut body, item);
        }
        let sealed = Sealed {
            body,
            header: delta.hash,
        };
        self.state = Some(applied.state);
        Ok(sealed)
    }

    fn request(&mut self, author: &Author) -> Vec<u8> {
        self.records += 1;
        let mut dice = Dice::new(self.nth, self.records, 1);
        let (title, text) = (
            author.text(&mut dice, 30),
            author.text(&mut dice, TEXT_BYTES),
        );
        let at = entropy::now();
        let body = format!(r#"{{"title":"{title}","description":"{text}","created_at":"{at}"}}"#);
        let kind: Kind = "request".parse().expect("a kind");
        let mut chance = [0; 10];
        chance[2..].copy_from_slice(&self.records.to_be_bytes());
        Compose {
            origin: self.id(),
            kind: &kind,
            schema_version: 1,
            id: RecordId::new(at, chance),
            rev: 1,
            drops: None,
            by: By::Instance,
            session: None,
            at,
            scope: FeedScope::Public,
            salt: Salt([7; 16]),
            body: &RawValue::from_string(body).expect("an object"),
        }
        .to_bytes()
    }
}

/// A feed in which every record is new.
struct OnlyNew;

impl FeedView for OnlyNew {
    type Error = Infallible;

    fn live(&self, _: &RecordId) -> std::result::Result<Option<Live>, Infallible> {
        Ok(None)
    }

    fn header_hash(&self, _: u64) -> std::result::Result<Option<Hash>, Infallible> {
        Ok(None)
    }

    fn opening(&self, _: &LogId) -> std::result::Result<Option<Opening>, Infallible> {
        Ok(None)
    }

    fn has_rival(&self, _: &LogId, _: &Opening) -> std::result::Result<bool, Infallible> {
        Ok(false)
    }
}
