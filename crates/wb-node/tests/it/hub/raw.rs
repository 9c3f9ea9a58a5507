//! A client that shares nothing with the product's own but the rules of signing: bytes on a socket.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use wb_core::bundle::Writer;
use wb_core::entry::Entry;
use wb_core::feed::{FeedView, Live, OpenLog, Opening, Seal, seal};
use wb_core::id::{Hash, InstanceId, LogId, RecordId};
use wb_core::identity::{IdentityLog, found};
use wb_core::line::{Compose, Line};
use wb_core::scope::{By, FeedScope};
use wb_core::signed::{IDENTITY, Signer};
use wb_core::sync::signature::{
    AnswerError, KeyId, OutgoingRequest, ReceivedAnswer, sign_request, verify_answer,
};
use wb_node::{Node, entropy};
use zeroize::Zeroizing;

use super::world::key;

/// Far beyond what an answer takes, so that a test that hangs ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// Seconds since 1970.
pub fn now() -> u64 {
    entropy::now().unix_ms_clamped() / 1_000
}

/// An instance that is only a key.
pub struct Someone {
    pub key: KeyId,
    pub signer: Arc<Signer>,
    pub log: IdentityLog,
}

fn signer(seed: u8) -> Arc<Signer> {
    Arc::new(Signer::from_seed(&Zeroizing::new([seed; 32])))
}

fn newest(log: &IdentityLog) -> KeyId {
    KeyId {
        instance: log.id(),
        entry: log.newest().hash,
    }
}

impl Someone {
    pub fn new(seed: u8) -> Self {
        let signer = signer(seed);
        let line = found(&signer, wb_core::hash::sha256(b"no words"), entropy::now());
        let log = IdentityLog::verify(None, &[line]).expect("a good founding");
        Self {
            key: newest(&log),
            signer,
            log,
        }
    }

    /// As the instance of a folder.
    pub fn of(node: &Node) -> Self {
        let (key, signer) = key(node);
        Self {
            key,
            signer,
            log: node.identity().clone(),
        }
    }

    /// The same instance after it gave itself another key.
    pub fn rotated(&self, seed: u8) -> Self {
        let after = signer(seed);
        let before = self.log.newest();
        let entry = serde_json::json!({
            "type": IDENTITY.0, "schema_version": 1, "op": "rotate", "n": before.position.n + 1,
            "era": before.position.era, "prev": before.hash, "signing_key": after.public_key(),
            "recovery": before.recovery, "heads": {"public": null, "trusted_peers": null},
            "at": entropy::now(),
        });
        let line = self.signer.sign(IDENTITY, entry.to_string().as_bytes());
        let mut lines: Vec<Vec<u8>> = self.log.entries().iter().map(|e| e.line.clone()).collect();
        lines.push(line);
        let log = IdentityLog::verify(Some(self.log.id()), &lines).expect("a good rotation");
        Self {
            key: newest(&log),
            signer: after,
            log,
        }
    }

    pub fn id(&self) -> InstanceId {
        self.log.id()
    }

    /// The body of a first registration.
    pub fn registration(&self, name: &str, listed: bool) -> Vec<u8> {
        self.registration_of(1, name, listed)
    }

    /// The body of a registration with its counter.
    pub fn registration_of(&self, counter: u64, name: &str, listed: bool) -> Vec<u8> {
        let lines = self.log.entries().iter();
        let lines: Vec<_> = lines
            .map(|entry| String::from_utf8_lossy(&entry.line))
            .collect();
        let body = serde_json::json!({
            "schema_version": 1, "counter": counter, "identity": lines, "listed": listed,
            "card": {
                "name": name, "addresses": [], "hubs": [], "sync": {"by_hand": true},
                "protocol": {"min": 1, "max": 1}, "kinds": {}, "software": "by hand/1",
            },
        });
        body.to_string().into_bytes()
    }
}

/// A feed before its first delta.
struct Nothing;

impl FeedView for Nothing {
    type Error = Infallible;

    fn live(&self, _id: &RecordId) -> Result<Option<Live>, Infallible> {
        Ok(None)
    }

    fn header_hash(&self, _seq: u64) -> Result<Option<Hash>, Infallible> {
        Ok(None)
    }

    fn opening(&self, _log: &LogId) -> Result<Option<Opening>, Infallible> {
        Ok(None)
    }

    fn has_rival(&self, _log: &LogId, _opening: &Opening) -> Result<bool, Infallible> {
        Ok(false)
    }
}

impl Someone {
    /// The section of a feed for named peers with one request in it.
    pub fn trusted_section(&self, title: &str) -> Vec<u8> {
        let at = entropy::now();
        let body = serde_json::json!({"title": title, "description": "", "created_at": at});
        let body = RawValue::from_string(body.to_string()).expect("an object");
        let scope = FeedScope::TrustedPeers;
        let line = Compose {
            origin: self.id(),
            kind: &"request".parse().expect("a kind"),
            schema_version: 1,
            id: entropy::record_id(at),
            rev: 1,
            drops: None,
            by: By::Instance,
            session: None,
            at,
            scope,
            salt: entropy::salt(),
            body: &body,
        };
        let line = line.to_bytes();
        let newest = self.log.newest();
        let header = seal(
            &Seal {
                signer: &self.signer,
                origin: self.id(),
                scope,
                identity: (newest.position, newest.hash),
                state: None,
                open: Some(OpenLog {
                    log: entropy::log_id(),
                    generation: 0,
                }),
                entries: &[Entry::of_line(&Line::read(&line).expect("a line"))],
                bytes: line.len() as u64 + 1,
                at,
                valid_until: None,
            },
            &Nothing,
        );
        let header = header.expect("nothing fails here").expect("it is sealed");
        let mut section = [Writer::deltas(self.id(), scope, 1, 1), header, line].join(&b'\n');
        section.push(b'\n');
        section
    }
}

/// A request as it goes over the socket.
#[derive(Debug, Clone)]
pub struct Raw {
    method: String,
    target: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Raw {
    pub fn unsigned(method: &str, target: &str, body: &[u8]) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            fields: Vec::new(),
            body: body.to_vec(),
        }
    }

    pub fn get(who: &Someone, to: InstanceId, target: &str) -> Self {
        Self::signed(who, to, ("GET", target, b""), now())
    }

    /// A request signed as of a time. The path is the one below the base.
    pub fn signed(
        who: &Someone,
        to: InstanceId,
        (method, target, body): (&str, &str, &[u8]),
        now: u64,
    ) -> Self {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let fields = sign_request(
            &OutgoingRequest {
                method,
                path,
                query,
                to,
                body: (!body.is_empty()).then_some(body),
                now,
            },
            who.key,
            &who.signer,
        );
        let mut raw = Self::unsigned(method, target, body)
            .with("wb-to", &fields.to)
            .with("signature-input", &fields.signature_input)
            .with("signature", &fields.signature);
        if let Some(digest) = &fields.content_digest {
            raw = raw.with("content-digest", digest);
        }
        raw
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    /// With a field of another value.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self
    }

    /// With a part of a field replaced.
    pub fn edited(self, name: &str, from: &str, to: &str) -> Self {
        let value = self.field(name).expect("it is there").to_owned();
        assert!(value.contains(from), "{value}");
        self.with(name, &value.replacen(from, to, 1))
    }

    pub fn with_body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// To another path, as it was signed.
    pub fn at(mut self, target: &str) -> Self {
        target.clone_into(&mut self.target);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n",
            self.method, self.target
        );
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }

    pub fn send(&self, to: SocketAddr) -> RawAnswer {
        RawAnswer::read(&exchange(to, &self.bytes()))
    }
}

/// Sends bytes and reads what comes until the other side closes.
pub fn exchange(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(to).expect("somebody listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket.write_all(bytes).expect("it is sent");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("an answer");
    answer
}

/// Where the head of a message ends.
pub fn head_len(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some(end + 4)
}

/// The fields of a head.
pub fn fields(head: &str) -> Vec<(String, String)> {
    let lines = head.lines().skip(1);
    lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect()
}

fn field<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.as_str())
}

/// What came back.
#[derive(Debug, Clone)]
pub struct RawAnswer {
    pub status: u16,
    fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl RawAnswer {
    pub fn read(bytes: &[u8]) -> Self {
        let end = head_len(bytes).expect("a head");
        let head = std::str::from_utf8(&bytes[..end]).expect("a head of text");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Self {
            status: status.expect("a status"),
            fields: fields(head),
            body: bytes[end..].to_vec(),
        }
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// Status and cause of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        let cause = self.json()["cause"].as_str().expect("a cause").to_owned();
        (self.status, cause)
    }

    /// Whether it is signed by an instance for this request.
    pub fn verify(&self, request: &Raw, by: &IdentityLog) -> Result<(), AnswerError> {
        let answer = ReceivedAnswer {
            status: self.status,
            body: &self.body,
            content_digest: self.field("content-digest"),
            signature_input: self.field("signature-input"),
            signature: self.field("signature"),
        };
        verify_answer(&answer, request.field("signature"), by)
    }
}

/// A key id with another entry.
pub fn other_entry(key: KeyId) -> String {
    let entry = Hash([9; 32]);
    KeyId { entry, ..key }.to_string()
}
