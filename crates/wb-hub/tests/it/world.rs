//! A hub that answers on a free port, and instances that write their requests byte by byte.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use wb_core::id::{InstanceId, LogId};
use wb_core::identity::{IdentityLog, found};
use wb_core::signed::Signer;
use wb_core::sync::Policy;
use wb_core::sync::signature::{KeyId, OutgoingRequest, RequestFields, sign_request};
use wb_core::time::Timestamp;
use wb_hub::{Hub, HubInfo, HubLimits, SqliteHub};
use wb_net::Front;
use wb_net::signed::Responder;
use wb_store::relay::Relay;
use zeroize::Zeroizing;

/// When everything in these tests happens.
pub fn now() -> Timestamp {
    "2026-11-22T10:23:59.123Z".parse().expect("a time")
}

fn now_seconds() -> u64 {
    now().unix_ms().unsigned_abs() / 1_000
}

/// An instance with its key.
pub struct Instance {
    pub identity: IdentityLog,
    signer: Signer,
}

impl Instance {
    pub fn new(seed: u8) -> Self {
        let signer = Signer::from_seed(&Zeroizing::new([seed; 32]));
        let line = found(&signer, wb_core::hash::sha256(b"no words"), now());
        let identity = IdentityLog::verify(None, &[line]).expect("a good founding");
        Self { identity, signer }
    }

    pub fn id(&self) -> InstanceId {
        self.identity.id()
    }

    /// Somebody who says to be this instance, and has another key.
    pub fn forged_by(&self, seed: u8) -> Self {
        Self {
            identity: self.identity.clone(),
            signer: Signer::from_seed(&Zeroizing::new([seed; 32])),
        }
    }

    fn key(&self) -> KeyId {
        KeyId {
            instance: self.id(),
            entry: self.identity.newest().hash,
        }
    }

    /// What it says when it registers.
    pub fn registration(&self, name: &str) -> Value {
        let lines = self.identity.entries().iter();
        let lines: Vec<_> = lines
            .map(|entry| String::from_utf8_lossy(&entry.line).into_owned())
            .collect();
        let card = json!({
            "name": name, "addresses": [], "hubs": [], "sync": { "by_hand": true }, "kinds": {},
            "protocol": { "min": 1, "max": 1 }, "software": "tests",
        });
        json!({ "schema_version": 1, "identity": lines, "card": card, "listed": true, "counter": 1 })
    }
}

/// A hub that answers until it is dropped.
pub struct HubUp {
    id: InstanceId,
    store: SqliteHub,
    address: SocketAddr,
    _dir: TempDir,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for HubUp {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl HubUp {
    pub async fn start(policy: Policy) -> Self {
        Self::with_limits(policy, HubLimits::default()).await
    }

    pub async fn with_limits(policy: Policy, limits: HubLimits) -> Self {
        Self::behind(policy, limits, "").await
    }

    /// Behind proxies that are believed.
    pub async fn behind(policy: Policy, limits: HubLimits, proxies: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let relay = Relay::open(&dir.path().join("hub.db"), LogId([5; 16])).expect("a new file");
        let store = SqliteHub::new(relay);
        let kept = store.clone();
        let own = Instance::new(99);
        let info = HubInfo {
            name: "Harbour".to_owned(),
            identity: own.identity.clone(),
            policy,
        };
        let responder = Responder::new(own.key(), Arc::new(own.signer), Arc::new(now_seconds));
        let report: wb_hub::Report = Arc::new(|text| panic!("the hub reports: {text}"));
        let hub = Hub::with_limits(store, responder, info, Arc::new(now), report, limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let front = Front {
            proxies: Arc::new(proxies.parse().expect("addresses")),
            ..Front::default()
        };
        let serving = wb_net::serve_with(listener, hub.router(), front, std::future::pending());
        Self {
            id: own.identity.id(),
            store: kept,
            address,
            _dir: dir,
            serving: tokio::spawn(serving),
        }
    }

    /// What it keeps, as its operator's commands reach it.
    pub fn store(&self) -> &SqliteHub {
        &self.store
    }

    /// A call that an instance signs for a body, with nothing of it sent.
    pub async fn begin(
        &self,
        from: &Instance,
        method: &str,
        target: &str,
        body: Option<&[u8]>,
    ) -> Asked {
        self.begin_with(from, method, target, body, &[]).await
    }

    /// As [`HubUp::begin`], with more fields in the head.
    pub async fn begin_with(
        &self,
        from: &Instance,
        method: &str,
        target: &str,
        body: Option<&[u8]>,
        fields_beside: &[&str],
    ) -> Asked {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let outgoing = OutgoingRequest {
            method,
            path,
            query,
            to: self.id,
            body,
            now: now_seconds(),
        };
        let fields = sign_request(&outgoing, from.key(), &from.signer);
        let mut head = head(method, target, &fields, body.map(<[u8]>::len));
        for field in fields_beside {
            head = head.replacen("\r\n", &format!("\r\n{field}\r\n"), 1);
        }
        let mut socket = TcpStream::connect(self.address).await.expect("a socket");
        socket.write_all(head.as_bytes()).await.expect("it is sent");
        Asked(socket)
    }

    /// A call with a body that is packed, and what is answered.
    pub async fn call_packed(
        &self,
        from: &Instance,
        method: &str,
        target: &str,
        packed: &[u8],
    ) -> Answer {
        let mut asked = self
            .begin_with(
                from,
                method,
                target,
                Some(packed),
                &["content-encoding: zstd"],
            )
            .await;
        asked.send(packed).await;
        asked.answer().await
    }

    /// A call without a signature, and what is answered.
    pub async fn ask(&self, target: &str) -> Answer {
        let head = format!("GET {target} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n");
        let mut socket = TcpStream::connect(self.address).await.expect("a socket");
        socket.write_all(head.as_bytes()).await.expect("it is sent");
        Asked(socket).answer().await
    }

    /// A call with its body, and what is answered.
    pub async fn call(
        &self,
        from: &Instance,
        method: &str,
        target: &str,
        body: Option<&[u8]>,
    ) -> Answer {
        let mut asked = self.begin(from, method, target, body).await;
        asked.send(body.unwrap_or_default()).await;
        asked.answer().await
    }

    pub async fn register(&self, from: &Instance) -> Answer {
        let body = from.registration("somebody").to_string();
        let path = "/sync/v1/register";
        self.call(from, "POST", path, Some(body.as_bytes())).await
    }
}

fn head(method: &str, target: &str, fields: &RequestFields, length: Option<usize>) -> String {
    let mut lines = vec![
        format!("{method} {target} HTTP/1.1"),
        "host: hub".to_owned(),
        "connection: close".to_owned(),
        format!("wb-to: {}", fields.to),
        format!("signature-input: {}", fields.signature_input),
        format!("signature: {}", fields.signature),
    ];
    lines.extend(length.map(|length| format!("content-length: {length}")));
    // A server that wants to read the body says so before it is sent.
    lines.extend(length.map(|_| "expect: 100-continue".to_owned()));
    let digest = fields.content_digest.as_deref();
    lines.extend(digest.map(|digest| format!("content-digest: {digest}")));
    lines.join("\r\n") + "\r\n\r\n"
}

/// A call on its way.
pub struct Asked(TcpStream);

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<u64>,
    pub body: Value,
}

impl Answer {
    pub fn cause(&self) -> &str {
        self.body["cause"].as_str().unwrap_or_default()
    }
}

impl Asked {
    /// Waits until the hub reads the body.
    pub async fn is_read(&mut self) {
        assert!(self.head().await.starts_with("HTTP/1.1 100 "));
    }

    pub async fn send(&mut self, body: &[u8]) {
        // A hub that answers before it has read everything may hang up meanwhile.
        let _ = self.0.write_all(body).await;
    }

    async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("a head"));
        }
        String::from_utf8(head).expect("text")
    }

    pub async fn answer(mut self) -> Answer {
        let mut head = self.head().await;
        if head.starts_with("HTTP/1.1 100 ") {
            head = self.head().await;
        }
        let number = |wanted: &str| {
            head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_wanted = name.eq_ignore_ascii_case(wanted);
                is_wanted.then(|| value.trim().parse::<u64>().expect("a number"))
            })
        };
        let length = number("content-length").unwrap_or_default();
        let mut body = vec![0; usize::try_from(length).expect("a small body")];
        self.0.read_exact(&mut body).await.expect("a body");
        Answer {
            status: head[9..12].parse().expect("a status"),
            retry_after: number("retry-after"),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }
}
