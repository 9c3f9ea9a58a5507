//! The calls of other nodes (spec: peers): checked in the order of the spec, worked on threads that may block,
//! and answered with a signature.
//!
//! A node is opened for each call, so that a key that was changed meanwhile, or a pair that another process
//! confirmed, counts at once.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::Method;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::limits::{
    BODY_UNCHECKED_BYTES_MAX, ENVELOPE_CALL_BYTES_MAX, LETTER_CALL_BYTES_MAX, SYNC_BODY_BYTES_MAX,
    WAIT_SECONDS_MAX,
};
use wb_core::ndjson::lines;
use wb_core::protocol::of_path;
use wb_core::sync::signature::UnverifiedRequest;
use wb_core::sync::{Cause, EnvelopesTaken, Next, Noted, Pairing, TurnCall, read_message};
use wb_net::rates::{Buckets, Rate, RetryAfter};
use wb_net::signed::{JSON, NDJSON, Reply, Request, Responder};
use wb_net::{BodyLimit, client_of, read_body};
use wb_store::Home;

use super::clock;
use crate::direct::deliver::{self, Came};
use crate::direct::exchange::{self, Asked, check_log, check_peer, note_contact};
use crate::direct::make::lacks_something;
use crate::direct::pairing;
use crate::direct::refusal::{self, Refusal};
use crate::entropy;
use crate::letters;
use crate::node::Node;
use crate::sealed::serve;

/// Requests of one peer: an exchange and a few deliveries a second, for whoever catches up.
const PEER_RATE: Rate = Rate {
    burst: 600,
    every_ms: 200,
};
/// Requests from one address of which nobody is known to have sent them; keeps a stranger from trying tokens
/// and from making this computer verify without end.
const ADDRESS_RATE: Rate = Rate {
    burst: 60,
    every_ms: 1_000,
};
/// Peers or addresses of which it is known how often they asked; protects memory.
const KEYS_MAX: usize = 16_384;
/// Bytes of a want or a pairing: an identity log of its full length as this program writes it.
const SMALL_BODY_BYTES_MAX: usize = 1_024 * 1_024;
/// Bytes of a turn.
const TURN_BYTES_MAX: usize = 8 * 1_024;
/// Bodies of more than [`BODY_UNCHECKED_BYTES_MAX`] in memory at once.
const LARGE_BODIES_MAX: usize = 2;
/// How long a large body waits for its place.
const PLACE_WAIT: Duration = Duration::from_secs(20);
/// Exchanges of one peer, and of all, that wait for something new; protects memory and this computer.
const WAITS_PER_PEER_MAX: usize = 2;
const WAITS_MAX: usize = 64;
/// A waiting exchange looks for what another process sealed this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What nodes that call share.
pub(super) struct Peers {
    home: Home,
    work: Work,
    peers: Buckets<InstanceId>,
    addresses: Buckets<IpAddr>,
    large: Semaphore,
    /// Of who is not known to be who it says: it must not take the places of peers.
    strangers: Semaphore,
    waits: Mutex<BTreeMap<InstanceId, usize>>,
}

/// A call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Pair,
    Exchange,
    Deliver,
    Turn,
    Envelopes,
    KeepEnvelope,
    EnvelopesTaken,
    Mail,
    KeepLetter,
    MailTaken,
}

impl Route {
    fn of(method: &Method, path: &str) -> Option<Self> {
        let (_, path) = of_path(path)?;
        match (method, path) {
            (&Method::POST, "pair") => Some(Self::Pair),
            (&Method::POST, "exchange") => Some(Self::Exchange),
            (&Method::POST, "deliver") => Some(Self::Deliver),
            (&Method::POST, "turn") => Some(Self::Turn),
            (&Method::GET, "envelopes") => Some(Self::Envelopes),
            (&Method::POST, "envelopes") => Some(Self::KeepEnvelope),
            (&Method::POST, "envelopes/taken") => Some(Self::EnvelopesTaken),
            (&Method::GET, "mail") => Some(Self::Mail),
            (&Method::POST, "mail") => Some(Self::KeepLetter),
            (&Method::POST, "mail/taken") => Some(Self::MailTaken),
            _ => None,
        }
    }

    fn limit(self) -> BodyLimit {
        BodyLimit::bytes(match self {
            Self::Pair | Self::Exchange => SMALL_BODY_BYTES_MAX,
            Self::Deliver => SYNC_BODY_BYTES_MAX,
            // More than it ever is; it fits into what is read of anybody.
            Self::Turn => TURN_BYTES_MAX,
            Self::Envelopes | Self::Mail => 0,
            Self::KeepLetter => LETTER_CALL_BYTES_MAX,
            Self::KeepEnvelope => ENVELOPE_CALL_BYTES_MAX,
            Self::EnvelopesTaken | Self::MailTaken => SMALL_BODY_BYTES_MAX,
        })
    }
}

/// Where the database is worked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// On threads that may block.
    OnThreads,
    /// Where the caller is: for a simulator, which owns the one thread there is.
    InPlace,
}

impl Work {
    /// Opens the node.
    pub(super) async fn open(self, home: &Home) -> Option<(Node, Responder)> {
        let home = home.clone();
        let open = move || -> crate::error::Result<_> {
            let node = Node::open(&home)?;
            let responder = super::responder(&node)?;
            Ok((node, responder))
        };
        let opened = match self {
            Self::InPlace => open(),
            Self::OnThreads => tokio::task::spawn_blocking(open).await.ok()?,
        };
        opened.ok()
    }
}

/// Does something with an open node.
async fn blocking<T: Send + 'static>(
    at: Work,
    node: Node,
    work: impl FnOnce(&mut Node) -> Result<T, Refusal> + Send + 'static,
) -> (Option<Node>, Result<T, Refusal>) {
    if at == Work::InPlace {
        let mut node = node;
        let done = work(&mut node);
        return (Some(node), done);
    }
    let done = tokio::task::spawn_blocking(move || {
        let mut node = node;
        let done = work(&mut node);
        (node, done)
    });
    match done.await {
        Ok((node, done)) => (Some(node), done),
        Err(_) => (None, Err(refusal::failed())),
    }
}

/// Does something on a thread for work that blocks, and goes on with the node.
macro_rules! with {
    ($self:ident, $node:ident, $work:expr) => {{
        let (back, done) = blocking($self.work, $node, $work).await;
        let done = done?;
        $node = back.ok_or_else(refusal::failed)?;
        done
    }};
}

impl Peers {
    pub(super) fn new(home: Home, work: Work) -> Self {
        Self {
            home,
            work,
            peers: Buckets::new(PEER_RATE, KEYS_MAX),
            addresses: Buckets::new(ADDRESS_RATE, KEYS_MAX),
            large: Semaphore::new(LARGE_BODIES_MAX),
            strangers: Semaphore::new(LARGE_BODIES_MAX),
            waits: Mutex::default(),
        }
    }

    /// Answers a call of the protocol, but for who this is.
    pub(super) async fn answer(
        self: &Arc<Self>,
        node: Node,
        request: &mut Request,
        body: Body,
    ) -> Result<Reply, Refusal> {
        let spoken = wb_core::protocol::PROTOCOL;
        let asked = of_path(request.path()).map(|(asked, _)| asked);
        if let Some(asked) = asked.filter(|asked| !(spoken.min..=spoken.max).contains(asked)) {
            self.charge_address(request)?;
            return Err(refusal::version_skew(asked, node.name()));
        }
        let method = request.method().parse().unwrap_or(Method::GET);
        let Some(route) = Route::of(&method, request.path()) else {
            self.charge_address(request)?;
            return Err(refusal::not_found());
        };
        match route {
            Route::Pair => self.pair(node, request, body).await,
            Route::Exchange => self.exchange(node, request, body).await,
            Route::Deliver => self.deliver(node, request, body).await,
            Route::Turn => self.turn(node, request, body).await,
            Route::Envelopes
            | Route::KeepEnvelope
            | Route::EnvelopesTaken
            | Route::Mail
            | Route::KeepLetter
            | Route::MailTaken => self.envelopes(route, node, request, body).await,
        }
    }

    pub(super) fn charge_address(&self, request: &Request) -> Result<(), Refusal> {
        let client = request.client();
        let address = client.map_or(IpAddr::from([0; 4]), |client| client_of(client.address));
        let taken = self.addresses.take(address, entropy::now());
        taken.map_err(|RetryAfter(seconds)| {
            refusal::asks_too_often("somebody at this address", seconds)
        })
    }

    fn charge_peer(&self, sender: InstanceId) -> Result<(), Refusal> {
        let taken = self.peers.take(sender, entropy::now());
        taken.map_err(|RetryAfter(seconds)| refusal::asks_too_often("this instance", seconds))
    }

    /// Charges a call whose signature was verified: to its sender where that is a peer. Anybody makes ids as
    /// fast as calls, so others are charged by their address.
    fn charge(
        &self,
        received: &Received,
        sender: InstanceId,
        request: &Request,
    ) -> Result<(), Refusal> {
        if received.is_peer {
            return self.charge_peer(sender);
        }
        self.charge_address(request)
    }

    /// A refusal of a request that nobody is known to have sent, charged to its address.
    fn of_unknown(&self, request: &Request, refusal: Refusal) -> Refusal {
        self.charge_address(request).err().unwrap_or(refusal)
    }

    /// Reads and checks the head, and the body where it is small or its sender is known to be a peer.
    async fn receive(
        &self,
        node: &Received,
        route: Route,
        request: &mut Request,
        body: Body,
    ) -> Result<(UnverifiedRequest, Vec<u8>), Refusal> {
        let refuse = |cause| refusal::of_request(cause, &node.name, clock()());
        let is_large = request.announces_above(BODY_UNCHECKED_BYTES_MAX);
        if !is_large {
            let limit = BodyLimit::bytes(usize::try_from(BODY_UNCHECKED_BYTES_MAX).unwrap_or(0));
            let read = read_body(body, limit).await;
            request.put_body(read.map_err(|error| refusal::of_body(&error))?);
            let unverified = request.read(node.own).map_err(refuse)?;
            let body = request.take_body(route.limit());
            return Ok((unverified, body.map_err(|error| refusal::of_body(&error))?));
        }
        let unverified = request.read_head(node.own).map_err(refuse)?;
        if route != Route::Pair && !node.is_peer {
            return Err(refuse(Cause::KeyUnknown));
        }
        // Of a want the newest key may come in it; a delivery is signed with a key that is known.
        let verified = unverified.verify(node.held.as_ref(), clock()());
        let is_proved = verified.is_ok();
        if matches!(
            route,
            Route::Deliver | Route::KeepEnvelope | Route::KeepLetter
        ) {
            verified.map_err(refuse)?;
        }
        // Who only says that it is a peer must not take the places of peers.
        let places = if node.is_peer && is_proved && route != Route::Pair {
            &self.large
        } else {
            &self.strangers
        };
        let place = timeout(PLACE_WAIT, places.acquire()).await;
        let Ok(Ok(_place)) = place else {
            return Err(refusal::no_place());
        };
        let read = read_body(body, route.limit()).await;
        request.put_body(read.map_err(|error| refusal::of_body(&error))?);
        unverified.check_body(request.encoded()).map_err(refuse)?;
        let body = request.take_body(route.limit());
        Ok((unverified, body.map_err(|error| refusal::of_body(&error))?))
    }

    /// Checks who sent a request, by the log held joined with the one that came.
    fn verify(
        &self,
        received: &Received,
        unverified: &UnverifiedRequest,
        log: Option<&IdentityLog>,
    ) -> Result<InstanceId, Refusal> {
        let refuse = |cause| refusal::of_request(cause, &received.name, clock()());
        let sender = unverified.key().instance;
        let joined = match (&received.held, log) {
            (Some(held), Some(log)) if log.id() == sender => Some(held.offer(log).1),
            (None, Some(log)) if log.id() == sender => Some(log.clone()),
            (held, None) => held.clone(),
            // A log of somebody else says nothing of the sender.
            (_, Some(_)) => None,
        };
        let verified = unverified.verify(joined.as_ref(), clock()());
        Ok(verified.map_err(refuse)?.sender)
    }

    async fn pair(&self, node: Node, request: &mut Request, body: Body) -> Result<Reply, Refusal> {
        // Whoever asks is a stranger still: each try costs its address.
        self.charge_address(request)?;
        let mut node = node;
        let received = with!(self, node, received(request));
        let (unverified, body) = self.receive(&received, Route::Pair, request, body).await?;
        let pairing: Pairing = read_message(&body).map_err(refusal::bad_request)?;
        let log = pairing
            .identity()
            .map_err(|error| refusal::bad_request(error.to_string()))?;
        self.verify(&received, &unverified, Some(&log))?;
        let answered = with!(self, node, move |node: &mut Node| pairing::asked(
            node, &pairing, &log
        ));
        drop(node);
        Ok(Reply::ok(JSON, wb_core::signed::payload(&answered)))
    }

    async fn exchange(
        self: &Arc<Self>,
        node: Node,
        request: &mut Request,
        body: Body,
    ) -> Result<Reply, Refusal> {
        let mut node = node;
        let received = with!(self, node, received(request));
        let taken = self
            .receive(&received, Route::Exchange, request, body)
            .await;
        let (unverified, body) = taken.map_err(|refusal| self.of_unknown(request, refusal))?;
        let asked = Asked::read(&body).map_err(|refusal| self.of_unknown(request, refusal))?;
        let verified = self.verify(&received, &unverified, Some(&asked.log));
        let sender = verified.map_err(|refusal| self.of_unknown(request, refusal))?;
        self.charge(&received, sender, request)?;
        let (wait, after) = read_query(request.query())?;
        let asked = with!(self, node, move |node: &mut Node| {
            check_peer(node, sender)?;
            check_log(node, &asked)?;
            let noted = note_contact(node, &asked, node.now());
            noted.map_err(|error| refusal::of_node(&error))?;
            Ok(asked)
        });
        let asked = Arc::new(asked);
        if after.is_none() && !wait.is_zero() {
            node = self.wait_for_news(node, &asked, wait).await?;
        }
        let body = with!(self, node, move |node: &mut Node| {
            // It may have been blocked while it waited.
            check_peer(node, sender)?;
            exchange::answer(node, &asked, after)
        });
        drop(node);
        Ok(Reply::ok(NDJSON, body))
    }

    /// Holds an answer back until there is something that the want lacks.
    async fn wait_for_news(
        self: &Arc<Self>,
        node: Node,
        asked: &Arc<Asked>,
        wait: Duration,
    ) -> Result<Node, Refusal> {
        let mut node = node;
        let Some(_waiting) = Waiting::begin(self, asked.want.instance) else {
            return Ok(node);
        };
        let until = Instant::now() + wait;
        loop {
            let looked = Arc::clone(asked);
            let has_news = with!(self, node, move |node: &mut Node| lacks_something(
                node,
                &looked.want
            )
            .map_err(|error| refusal::of_node(&error)));
            if has_news || Instant::now() >= until {
                return Ok(node);
            }
            sleep(LOOK_EVERY.min(until.saturating_duration_since(Instant::now()))).await;
        }
    }

    async fn deliver(
        &self,
        node: Node,
        request: &mut Request,
        body: Body,
    ) -> Result<Reply, Refusal> {
        let mut node = node;
        let received = with!(self, node, received(request));
        let taken = self.receive(&received, Route::Deliver, request, body).await;
        let (unverified, body) = taken.map_err(|refusal| self.of_unknown(request, refusal))?;
        let verified = self.verify(&received, &unverified, None);
        let sender = verified.map_err(|refusal| self.of_unknown(request, refusal))?;
        self.charge(&received, sender, request)?;
        let pushed = with!(self, node, move |node: &mut Node| {
            check_peer(node, sender)?;
            let bytes = body.len() as u64;
            deliver::take(node, sender, lines(&body), Came { bytes })
        });
        drop(node);
        Ok(Reply::ok(JSON, wb_core::signed::payload(&pushed)))
    }

    async fn turn(&self, node: Node, request: &mut Request, body: Body) -> Result<Reply, Refusal> {
        let mut node = node;
        let received = with!(self, node, received(request));
        let taken = self.receive(&received, Route::Turn, request, body).await;
        let (unverified, body) = taken.map_err(|refusal| self.of_unknown(request, refusal))?;
        let verified = self.verify(&received, &unverified, None);
        let sender = verified.map_err(|refusal| self.of_unknown(request, refusal))?;
        self.charge(&received, sender, request)?;
        let call: TurnCall = read_message(&body).map_err(refusal::bad_request)?;
        let answer = with!(self, node, move |node: &mut Node| {
            check_peer(node, sender)?;
            exchange::turn(node, sender, &call)
        });
        drop(node);
        Ok(Reply::ok(JSON, wb_core::signed::payload(&answer)))
    }

    /// What peers say about sealed envelopes and letters.
    async fn envelopes(
        &self,
        route: Route,
        node: Node,
        request: &mut Request,
        body: Body,
    ) -> Result<Reply, Refusal> {
        let mut node = node;
        let received = with!(self, node, received(request));
        let taken = self.receive(&received, route, request, body).await;
        let (unverified, body) = taken.map_err(|refusal| self.of_unknown(request, refusal))?;
        let verified = self.verify(&received, &unverified, None);
        let sender = verified.map_err(|refusal| self.of_unknown(request, refusal))?;
        self.charge(&received, sender, request)?;
        let query = request.query().unwrap_or_default().to_owned();
        let answer = with!(self, node, move |node: &mut Node| {
            check_peer(node, sender)?;
            let local = |error: crate::NodeError| refusal::of_node(&error);
            Ok(match route {
                Route::KeepEnvelope => {
                    let given = read_message(&body).map_err(refusal::bad_request)?;
                    let kept = serve::keep(node, sender, &given).map_err(local)?;
                    wb_core::signed::payload(&kept)
                }
                Route::EnvelopesTaken => {
                    let taken = EnvelopesTaken::read(&body).map_err(refusal::bad_request)?;
                    serve::taken(node, sender, &taken).map_err(local)?;
                    wb_core::signed::payload(&Noted { schema_version: 1 })
                }
                Route::KeepLetter => {
                    let given = read_message(&body).map_err(refusal::bad_request)?;
                    let kept = letters::serve::keep(node, &given).map_err(local)?;
                    wb_core::signed::payload(&kept)
                }
                Route::MailTaken => {
                    let taken = EnvelopesTaken::read(&body).map_err(refusal::bad_request)?;
                    letters::serve::taken(node, sender, &taken).map_err(local)?;
                    wb_core::signed::payload(&Noted { schema_version: 1 })
                }
                _ => {
                    let after = query.strip_prefix("after=").map(str::parse).transpose();
                    let after: Option<u64> = after
                        .map_err(|_| refusal::bad_request("`after` is not what a page named"))?;
                    let after = after.unwrap_or(0);
                    let page = match route {
                        Route::Mail => letters::serve::page(node, sender, after),
                        _ => serve::page(node, sender, after),
                    };
                    let page = page.map_err(local)?;
                    wb_core::signed::payload(&page)
                }
            })
        });
        drop(node);
        Ok(Reply::ok(JSON, answer))
    }

    /// Opens the node, to answer one call.
    pub(super) async fn open(&self) -> Option<(Node, Responder)> {
        self.work.open(&self.home).await
    }

    /// The folder.
    pub(super) fn home(&self) -> &Home {
        &self.home
    }
}

/// What is known of a sender before its request is read.
struct Received {
    own: InstanceId,
    name: String,
    /// Its log, as it is held here.
    held: Option<IdentityLog>,
    /// Whether it is a peer, or waits to be one.
    is_peer: bool,
}

/// Looks up who a request says it is of.
fn received(
    request: &Request,
) -> impl FnOnce(&mut Node) -> Result<Received, Refusal> + Send + 'static {
    let sender = request.claimed_sender();
    move |node| {
        let local = |error: wb_store::StoreError| refusal::of_node(&error.into());
        let (mut held, mut is_peer) = (None, false);
        if let Some(sender) = sender {
            held = node.store.identity_log(&sender).map_err(local)?;
            let pair = node.store.pair(&sender).map_err(local)?;
            is_peer = pair.is_some();
        }
        Ok(Received {
            own: node.own_id(),
            name: node.name().to_owned(),
            held,
            is_peer,
        })
    }
}

/// Reads `wait` and `after`.
fn read_query(query: Option<&str>) -> Result<(Duration, Option<Next>), Refusal> {
    let (mut wait, mut after) = (0, None);
    let query = query.unwrap_or_default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("wait", seconds)) => {
                let seconds: u64 = seconds
                    .parse()
                    .map_err(|_| refusal::bad_request("`wait` is no number of seconds"))?;
                wait = seconds.min(WAIT_SECONDS_MAX);
            }
            Some(("after", place)) => {
                let place = place.parse();
                after = Some(place.map_err(|()| {
                    refusal::bad_request("`after` is not what an answer named as next")
                })?);
            }
            _ => {}
        }
    }
    Ok((Duration::from_secs(wait), after))
}

/// A place among those that wait, given back when it is dropped.
struct Waiting {
    peers: Arc<Peers>,
    of: InstanceId,
}

impl Waiting {
    fn begin(peers: &Arc<Peers>, of: InstanceId) -> Option<Self> {
        let mut waits = peers.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let own = waits.get(&of).copied().unwrap_or(0);
        if own >= WAITS_PER_PEER_MAX || waits.values().sum::<usize>() >= WAITS_MAX {
            return None;
        }
        waits.insert(of, own + 1);
        drop(waits);
        Some(Self {
            peers: Arc::clone(peers),
            of,
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waits = self
            .peers
            .waits
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match waits.get(&self.of).copied() {
            Some(more @ 2..) => {
                waits.insert(self.of, more - 1);
            }
            _ => {
                waits.remove(&self.of);
            }
        }
    }
}
