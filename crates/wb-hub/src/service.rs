//! The hub as a service: every request is checked in the order of the spec, and every answer signed.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::{Method, Response, StatusCode};
use tokio::sync::watch;
use wb_core::bundle::Speaks;
use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::limits::{
    BODY_UNCHECKED_BYTES_MAX, ENVELOPE_CALL_BYTES_MAX, LETTER_CALL_BYTES_MAX, SYNC_BODY_BYTES_MAX,
};
use wb_core::protocol::{PROTOCOL, of_path};
use wb_core::sync::signature::UnverifiedRequest;
use wb_core::sync::{Cause, Policy, Role, Standing, WhoIsThis};
use wb_core::time::Timestamp;
use wb_net::signed::{JSON, Reply, Request, Responder, below_base};
use wb_net::{BodyLimit, read_body};

use crate::limits::{Charges, HubLimits};
use crate::places::{Place, Places};
use crate::problems::{self, Refusal};
use crate::routes;
use crate::store::{HubStore, Kept};
use crate::waits::Waits;

/// Bytes of a registration: an identity log of its full length as this program writes it, and a card. It
/// has to be read before its sender is known, so nothing more is taken.
const REGISTRATION_BYTES_MAX: usize = 1_024 * 1_024;
/// Bytes of a turn, or of who asks for a recovery.
const SMALL_BYTES_MAX: usize = 4_096;
/// Bytes of a list of envelopes or letters that were taken, of its full length.
const TAKEN_BYTES_MAX: usize = 128 * 1_024;
/// Bytes of a follow list of its full length.
const FOLLOWS_BYTES_MAX: usize = 1_024 * 1_024;
/// Bytes of receipts: a page of them, with as many kinds as may be named in each.
const RECEIPTS_BYTES_MAX: usize = 1_024 * 1_024;
/// Long-polls look for what another process wrote (an approval by hand) this often.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What a hub says of itself.
#[derive(Debug, Clone)]
pub struct HubInfo {
    /// Its name.
    pub name: String,
    /// Its identity log.
    pub identity: IdentityLog,
    /// Who may become a member.
    pub policy: Policy,
}

/// Gives the time with milliseconds; made by whoever may read the clock.
pub type Times = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Tells the operator what went wrong; made by whoever may print.
pub type Report = Arc<dyn Fn(&str) + Send + Sync>;

/// A hub.
pub struct Hub<S> {
    store: S,
    /// Signs with the newest key; another is put in its place while the hub runs.
    responder: RwLock<Arc<Responder>>,
    identity: RwLock<IdentityLog>,
    info: HubInfo,
    times: Times,
    report: Report,
    arrived: watch::Sender<u64>,
    charges: Charges,
    waits: Waits,
    pushes: Places,
    registrations: Places,
}

impl<S> std::fmt::Debug for Hub<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hub({})", self.info.name)
    }
}

impl<S: HubStore> Hub<S> {
    /// Puts a hub together.
    #[must_use]
    pub fn new(
        store: S,
        responder: Responder,
        info: HubInfo,
        times: Times,
        report: Report,
    ) -> Arc<Self> {
        Self::with_limits(store, responder, info, times, report, HubLimits::default())
    }

    /// As [`Hub::new`], with other limits.
    #[must_use]
    pub fn with_limits(
        store: S,
        responder: Responder,
        info: HubInfo,
        times: Times,
        report: Report,
        limits: HubLimits,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            responder: RwLock::new(Arc::new(responder)),
            identity: RwLock::new(info.identity.clone()),
            info,
            times,
            report,
            arrived: watch::Sender::new(0),
            charges: Charges::new(&limits),
            waits: Waits::default(),
            pushes: Places::new(limits.large_bodies),
            // They are of strangers, who must not take the members' places.
            registrations: Places::new(limits.large_bodies),
        })
    }

    /// Its routes.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .fallback(dispatch::<S>)
            .with_state(Arc::clone(self))
    }

    /// Speaks with another key from here on: the instance that the hub is has changed it.
    pub fn speak_with(&self, responder: Responder, identity: IdentityLog) {
        // A panic elsewhere leaves either whole.
        *self
            .responder
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(responder);
        *self
            .identity
            .write()
            .unwrap_or_else(PoisonError::into_inner) = identity;
    }

    fn responder(&self) -> Arc<Responder> {
        Arc::clone(
            &self
                .responder
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(crate) fn store(&self) -> &S {
        &self.store
    }

    pub(crate) fn info(&self) -> &HubInfo {
        &self.info
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.times)()
    }

    pub(crate) fn charges(&self) -> &Charges {
        &self.charges
    }

    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }

    /// Wakes whoever waits for changes: something arrived, here or through another process.
    pub fn tell_arrival(&self) {
        self.arrived.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Waits until something may have arrived.
    pub(crate) async fn wait_for_arrival(&self, arrivals: &mut watch::Receiver<u64>) {
        tokio::select! {
            _ = arrivals.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }

    pub(crate) fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrived.subscribe()
    }

    /// Takes what the store gave; its problems are told to the operator, and in other words to the sender.
    pub(crate) fn kept<T>(&self, kept: Kept<T>) -> Result<T, Refusal> {
        kept.map_err(|problem| {
            (self.report)(&format!("store: {problem}"));
            problems::of_store(&problem)
        })
    }

    fn who_is_this(&self) -> WhoIsThis {
        let speaks = Speaks::this();
        let identity = self.identity.read().unwrap_or_else(PoisonError::into_inner);
        let lines = identity.entries().iter();
        WhoIsThis {
            schema_version: 1,
            role: Role::Hub,
            id: self.responder().own(),
            name: self.info.name.clone(),
            identity: lines
                .map(|entry| String::from_utf8_lossy(&entry.line).into_owned())
                .collect(),
            protocol: speaks.protocol,
            kinds: speaks.kinds,
            software: speaks.software,
            policy: Some(self.info.policy),
        }
    }
}

/// One of the calls of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Register,
    Member,
    Directory,
    Follows,
    Heads,
    Changes,
    Snapshot,
    Lines,
    History,
    Push,
    Own,
    Turn,
    Vouches,
    GiveReceipts,
    Receipts,
    KeepEnvelope,
    Envelopes,
    EnvelopesTaken,
    KeepLetter,
    Mail,
    MailTaken,
}

impl Route {
    fn of(method: &Method, path: &str) -> Option<Self> {
        let (_, path) = of_path(path)?;
        let first = path.split('/').next().unwrap_or_default();
        let route = match (method.as_str(), first) {
            ("POST", "register") => Self::Register,
            ("GET", "member") => Self::Member,
            ("GET", "directory") => Self::Directory,
            ("PUT", "follows") => Self::Follows,
            ("GET", "heads") => Self::Heads,
            ("GET", "changes") => Self::Changes,
            ("GET", "snapshot") => Self::Snapshot,
            ("GET", "lines") => Self::Lines,
            ("GET", "history") => Self::History,
            ("POST", "push") => Self::Push,
            ("GET", "own") => Self::Own,
            ("POST", "turn") => Self::Turn,
            ("GET", "vouches") => Self::Vouches,
            ("POST", "receipts") => Self::GiveReceipts,
            ("GET", "receipts") => Self::Receipts,
            ("POST", "envelopes") if path == "envelopes/taken" => Self::EnvelopesTaken,
            ("POST", "envelopes") => Self::KeepEnvelope,
            ("GET", "envelopes") => Self::Envelopes,
            ("POST", "mail") if path == "mail/taken" => Self::MailTaken,
            ("POST", "mail") => Self::KeepLetter,
            ("GET", "mail") => Self::Mail,
            _ => return None,
        };
        let segments = path.split('/').count();
        let wanted = match route {
            Self::Snapshot | Self::Lines => 3,
            Self::Own | Self::EnvelopesTaken | Self::MailTaken => 2,
            _ => 1,
        };
        (segments == wanted).then_some(route)
    }

    fn limit(self) -> BodyLimit {
        BodyLimit::bytes(match self {
            Self::Register => REGISTRATION_BYTES_MAX,
            Self::Follows => FOLLOWS_BYTES_MAX,
            Self::Push => SYNC_BODY_BYTES_MAX,
            Self::KeepEnvelope => ENVELOPE_CALL_BYTES_MAX,
            Self::EnvelopesTaken | Self::MailTaken => TAKEN_BYTES_MAX,
            Self::KeepLetter => LETTER_CALL_BYTES_MAX,
            Self::Turn => SMALL_BYTES_MAX,
            Self::GiveReceipts => RECEIPTS_BYTES_MAX,
            _ => 0,
        })
    }
}

async fn dispatch<S: HubStore>(
    State(hub): State<Arc<Hub<S>>>,
    request: http::Request<Body>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = below_base(parts.uri.path()).to_owned();
    match path.as_str() {
        "/livez" => return plain(StatusCode::OK, "alive\n"),
        "/readyz" => return ready(&hub).await,
        _ => {}
    }
    let is_who = path == "/.well-known/wb/node" && parts.method == Method::GET;
    // Before anything else is looked at: the form of everything else is of that protocol.
    let spoken = PROTOCOL.min..=PROTOCOL.max;
    let other = of_path(&path).filter(|(asked, _)| !spoken.contains(asked));
    let route = Route::of(&parts.method, &path).filter(|_| other.is_none());
    let is_recovery = other.is_none()
        && parts.method == Method::POST
        && of_path(&path).is_some_and(|(_, call)| call == "recovery");
    if is_recovery {
        let mut request = Request::new(parts, Vec::new());
        let answered = recovery(&hub, &mut request, body).await;
        let reply = answered.unwrap_or_else(|problem| Reply::refusal(&problem));
        return hub.responder().answer(&request, reply);
    }
    let mut request = Request::new(parts, Vec::new());
    let answered = match route {
        Some(route) => serve(&hub, route, &mut request, body).await,
        None => hub.charges.address(&request, hub.now()).and_then(|()| {
            if let Some((asked, _)) = other {
                Err(problems::version_skew(asked, &hub.info.name))
            } else if is_who {
                let body = wb_core::signed::payload(&hub.who_is_this());
                Ok(Reply::ok(JSON, body))
            } else {
                Err(problems::not_found("such call"))
            }
        }),
    };
    let reply = answered.unwrap_or_else(|problem| Reply::refusal(&problem));
    hub.responder().answer(&request, reply)
}

/// Answers whoever can name a recovery key: nobody could sign, because the keys are lost. Each costs its address.
async fn recovery<S: HubStore>(
    hub: &Arc<Hub<S>>,
    request: &mut Request,
    body: Body,
) -> Result<Reply, Refusal> {
    hub.charges.address(request, hub.now())?;
    let limit = BodyLimit::bytes(SMALL_BYTES_MAX);
    let body = read_body(body, limit).await;
    let body = body.map_err(|error| problems::of_body(&error))?;
    routes::recovery::recovery(hub, &body).await
}

/// Checks the sender, takes its body and answers.
async fn serve<S: HubStore>(
    hub: &Arc<Hub<S>>,
    route: Route,
    request: &mut Request,
    body: Body,
) -> Result<Reply, Refusal> {
    let received = hub.receive(route, request, body).await;
    let (unverified, waiting) = received.map_err(|refusal| hub.of_unknown(request, refusal))?;
    let held = hub.kept(hub.store.identity(unverified.key().instance).await)?;
    let now = hub.responder().now();
    let verified = match route {
        // Whoever does not know yet that its key was followed by another has to be able to find out.
        Route::History => unverified.verify_under_any_key(held.as_ref(), now),
        _ => unverified.verify(held.as_ref(), now),
    };
    if route == Route::Register {
        // One that brings a newer key verifies under the log it brings, and so counts as unknown here.
        match verified {
            Ok(verified) => hub.charges.member(verified.sender, hub.now())?,
            Err(_) => hub.charges.address(request, hub.now())?,
        }
        let (body, _place) = hub.body(route, request, waiting, &unverified).await?;
        return routes::register::register(hub, request, &unverified, held, &body).await;
    }
    let sender = verified
        .map_err(|cause| hub.of_unknown(request, hub.refuse(cause)))?
        .sender;
    hub.charges.member(sender, hub.now())?;
    if !matches!(route, Route::Member | Route::History) {
        check_member(hub, sender).await?;
    }
    let (body, _place) = hub.body(route, request, waiting, &unverified).await?;
    match route {
        Route::Member => routes::member::member(hub, sender).await,
        Route::Directory => routes::directory::directory(hub, request).await,
        Route::Follows => routes::follows::put_follows(hub, sender, &body).await,
        Route::Heads => routes::heads::heads(hub, sender, request).await,
        Route::Changes => routes::changes::changes(hub, sender, request).await,
        Route::Snapshot => routes::snapshot::snapshot(hub, request).await,
        Route::Lines => routes::lines::lines(hub, request).await,
        Route::History => routes::history::history(hub, sender, request).await,
        Route::Push => routes::push::push(hub, sender, body).await,
        Route::Own => routes::own::own(hub, sender, request).await,
        Route::Turn => routes::turn::turn(hub, sender, &body).await,
        Route::Vouches => routes::vouches::vouches(hub, request).await,
        Route::GiveReceipts => routes::receipts::give(hub, sender, &body).await,
        Route::Receipts => routes::receipts::page(hub, sender, request).await,
        Route::KeepEnvelope => routes::envelopes::keep(hub, sender, &body).await,
        Route::Envelopes => routes::envelopes::page(hub, sender, request).await,
        Route::EnvelopesTaken => routes::envelopes::taken(hub, sender, &body).await,
        Route::KeepLetter => routes::mail::keep(hub, sender, &body).await,
        Route::Mail => routes::mail::page(hub, sender, request).await,
        Route::MailTaken => routes::mail::taken(hub, sender, &body).await,
        Route::Register => Err(problems::not_found("such call")),
    }
}

impl<S: HubStore> Hub<S> {
    /// A refusal of a request that nobody is known to have sent; charged to its address, so that it is
    /// another once that has nothing left. Verifying comes first, and who verifies is not charged here: it
    /// costs no more than signing a refusal, and nobody is locked out by who shares an address.
    fn of_unknown(&self, request: &Request, refusal: Refusal) -> Refusal {
        let charged = self.charges.address(request, self.now());
        charged.err().unwrap_or(refusal)
    }

    fn refuse(&self, cause: Cause) -> Refusal {
        problems::of_request(cause, &self.info.name, self.responder().now())
    }

    /// Takes a request with a small body whole; of any other only the head, so that nobody unknown makes
    /// us read much. What was not read is given back.
    async fn receive(
        &self,
        route: Route,
        request: &mut Request,
        body: Body,
    ) -> Result<(UnverifiedRequest, Option<Body>), Refusal> {
        let own = self.responder().own();
        let is_large = request.announces_above(BODY_UNCHECKED_BYTES_MAX);
        let (read, waiting) = if is_large && route.limit().encoded > 0 {
            (request.read_head(own), Some(body))
        } else {
            let read = read_body(body, route.limit()).await;
            request.put_body(read.map_err(|error| problems::of_body(&error))?);
            (request.read(own), None)
        };
        Ok((read.map_err(|cause| self.refuse(cause))?, waiting))
    }

    /// The body, decoded. One that was not read yet takes a place among the large ones, and keeps it as
    /// long as it is in memory.
    async fn body(
        &self,
        route: Route,
        request: &mut Request,
        waiting: Option<Body>,
        unverified: &UnverifiedRequest,
    ) -> Result<(Vec<u8>, Option<Place>), Refusal> {
        let mut place = None;
        if let Some(body) = waiting {
            let taken = match route {
                // Nobody is known to be who it says, so nobody's body gives way to it.
                Route::Register => self.registrations.take(None).await?,
                _ => self.pushes.take(Some(unverified.key().instance)).await?,
            };
            request.put_body(taken.read(body, route.limit()).await?);
            place = Some(taken);
            let checked = unverified.check_body(request.encoded());
            checked.map_err(|cause| self.refuse(cause))?;
        }
        let body = request.take_body(route.limit());
        Ok((body.map_err(|error| problems::of_body(&error))?, place))
    }
}

/// Refuses whoever is no member now.
pub(crate) async fn check_member<S: HubStore>(
    hub: &Arc<Hub<S>>,
    sender: InstanceId,
) -> Result<(), Refusal> {
    let standings = hub.kept(hub.store.standing(sender, hub.now()).await)?;
    match &standings {
        Some(held) if held.standing == Standing::Member => Ok(()),
        other => {
            if other
                .as_ref()
                .is_some_and(|held| held.standing == Standing::Waiting)
            {
                // As well as it goes: the refusal is the same.
                let _ = hub.kept(hub.store.asked(sender, hub.now()).await);
            }
            Err(problems::of_standing(other.as_ref(), &hub.info.name))
        }
    }
}

impl<S: HubStore> Hub<S> {
    /// Checks the signature of somebody whose log came with the request.
    pub(crate) fn verify(
        &self,
        unverified: &UnverifiedRequest,
        identity: &IdentityLog,
    ) -> Result<(), Refusal> {
        let verified = unverified.verify(Some(identity), self.responder().now());
        verified.map(|_| ()).map_err(|cause| self.refuse(cause))
    }
}

async fn ready<S: HubStore>(hub: &Arc<Hub<S>>) -> Response<Body> {
    match hub.store.check().await {
        Ok(()) => plain(StatusCode::OK, "ready\n"),
        Err(problem) => {
            (hub.report)(&format!("not ready: {problem}"));
            plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database cannot be used\n",
            )
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
