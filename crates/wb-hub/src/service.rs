//! The hub as a service: every request is checked in the order of the spec, and every answer signed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::State;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use wb_core::bundle::Speaks;
use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::limits::BODY_UNCHECKED_BYTES_MAX;
use wb_core::sync::signature::UnverifiedRequest;
use wb_core::sync::{Cause, Policy, Role, Standing, WhoIsThis};
use wb_core::time::Timestamp;
use wb_net::metrics::{MetricsToken, numbers, unreadable};
use wb_net::signed::{JSON, Reply, Request, Responder, below_base};
use wb_net::{BodyLimit, Client, Road, read_body};

use crate::bodies::Bodies;
use crate::calls::{Call, Route, SMALL_BYTES_MAX};
use crate::journal::{Course, Journal};
use crate::limits::{Charges, HubLimits};
use crate::observed::{OPEN_METRICS, Observed};
use crate::places::{Place, Places};
use crate::problems::{self, Refusal};
use crate::routes;
use crate::store::{HubStore, Kept, StoreProblem};
use crate::waits::Waits;

/// What another process or a moderator wrote is looked for this often, to wake those who wait.
const LOOK_ELSEWHERE: Duration = Duration::from_secs(1);
/// Characters of the id that a named proxy gave a request.
const REQUEST_ID_CHARS_MAX: usize = 64;
/// The header that carries it, as proxies write it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

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
    observed: Observed,
    /// Who may read what was counted, and who is told of each call; set once, before it serves.
    metrics: OnceLock<MetricsToken>,
    journal: OnceLock<Journal>,
    calls: AtomicU64,
    /// Whether caches on the way may keep pages of snapshots.
    cacheable: AtomicBool,
    charges: Charges,
    waits: Waits,
    pushes: Places,
    registrations: Places,
    bodies: Bodies,
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
            observed: Observed::new(),
            metrics: OnceLock::new(),
            journal: OnceLock::new(),
            calls: AtomicU64::new(0),
            cacheable: AtomicBool::new(false),
            charges: Charges::new(&limits),
            waits: Waits::default(),
            pushes: Places::new(limits.large_bodies),
            // They are of strangers, who must not take the members' places.
            registrations: Places::new(limits.large_bodies),
            bodies: Bodies::default(),
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

    pub(crate) fn responder(&self) -> Arc<Responder> {
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

    /// Pages of snapshots as they travel.
    pub(crate) fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    /// Answers `/metrics` to whoever shows a token.
    pub fn serve_metrics_to(&self, token: MetricsToken) {
        let _ = self.metrics.set(token);
    }

    /// Lets caches on the way keep pages of snapshots, as long as they ask each time whether these are still the same.
    pub fn let_caches_keep(&self) {
        self.cacheable.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cacheable(&self) -> bool {
        self.cacheable.load(Ordering::Relaxed)
    }

    /// Tells of each call that was answered.
    pub fn tell_calls(&self, journal: Journal) {
        let _ = self.journal.set(journal);
    }

    /// Wakes whoever waits for an instance of which something arrived, and lets go of pages that were made of it before.
    pub fn tell_arrival(&self, origin: &InstanceId) {
        self.bodies.forget(origin);
        self.waits.arrived(origin);
    }

    /// Wakes a member that waits, because it follows others than before.
    pub fn tell_follows(&self, member: &InstanceId) {
        self.waits.changed(member);
    }

    /// Wakes whoever waits, and lets go of all pages: something may have arrived, and it is not known of whom.
    pub fn tell_something(&self) {
        self.bodies.forget_all();
        self.waits.wake_all();
    }

    /// Wakes whoever waits, when another process or a moderator wrote something. Never ends.
    pub async fn follow_store(self: Arc<Self>) {
        let mut every = tokio::time::interval(LOOK_ELSEWHERE);
        let mut known = None;
        loop {
            every.tick().await;
            // A store that cannot be read now is told of by the calls that need it.
            let Ok(written) = self.store.written_elsewhere().await else {
                continue;
            };
            if known.replace(written).is_some_and(|known| known != written) {
                self.bodies.forget_all();
                self.waits.wake_all();
            }
        }
    }

    /// Counts an answer and tells of it.
    fn observe(&self, course: &Course, response: &Response<Body>, request_id: String) {
        let status = response.status().as_u16();
        self.observed
            .answered(course.call, status, course.cause, course.took());
        if let Some(after) = course.delivery() {
            self.observed.delivered(after);
        }
        if let Some(journal) = self.journal.get() {
            let bytes = response.body().size_hint().exact().unwrap_or(0);
            journal(&course.answered(status, bytes, request_id));
        }
    }

    /// What a request is called in the log: as a named proxy calls it, else by when and which it is here.
    fn request_id(&self, parts: &http::request::Parts) -> String {
        let client: Option<&Client> = parts.extensions.get();
        let is_of_proxy = client.is_some_and(|client| client.road == Road::Proxy);
        let given = parts.headers.get(REQUEST_ID).filter(|_| is_of_proxy);
        let given = given.and_then(|given| given.to_str().ok());
        let is_plain = |given: &&str| {
            let mut chars = given.chars();
            given.len() <= REQUEST_ID_CHARS_MAX
                && chars.all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        given.filter(is_plain).map_or_else(
            || {
                let n = self.calls.fetch_add(1, Ordering::Relaxed);
                format!("{:x}-{n:x}", self.now().unix_ms())
            },
            str::to_owned,
        )
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
            policy: None,
            invite: false,
        }
        .taking(self.info.policy)
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
        "/metrics" if parts.method == Method::GET => return metrics(&hub, &parts).await,
        _ => {}
    }
    let call = Call::of(&parts.method, &path);
    let mut course = Course::begin(call.name());
    let request_id = hub.request_id(&parts);
    let mut request = Request::new(parts, Vec::new());
    let answered = match call {
        Call::Of(route) => serve(&hub, route, &mut request, body, &mut course).await,
        Call::Recovery => recovery(&hub, &mut request, body).await,
        Call::WhoIsThis | Call::OtherProtocol(_) | Call::Unknown => hub.anybody(call, &request),
    };
    let reply = answered.unwrap_or_else(|problem| {
        course.cause = problem.cause();
        Reply::refusal(&problem)
    });
    let mut response = hub.responder().answer(&request, reply);
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    hub.observe(&course, &response, request_id);
    response
}

/// What was counted, for whoever shows the token.
async fn metrics<S: HubStore>(hub: &Arc<Hub<S>>, parts: &http::request::Parts) -> Response<Body> {
    let Some(token) = hub.metrics.get().cloned() else {
        return plain(StatusCode::NOT_FOUND, "metrics are not served here\n");
    };
    let headers = parts.headers.clone();
    let refused = tokio::task::spawn_blocking(move || token.refusal(&headers)).await;
    match refused {
        Ok(None) => {}
        Ok(Some(refused)) => return refused,
        Err(_) => return unreadable(),
    }
    match hub.store.watched(hub.now()).await {
        Ok(watched) => numbers(OPEN_METRICS, hub.observed.text(hub.waits.count(), &watched)),
        Err(problem) => {
            (hub.report)(&format!("metrics: {problem}"));
            unreadable()
        }
    }
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
    course: &mut Course,
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
    course.member = Some(sender);
    hub.charges.member(sender, hub.now())?;
    let is_for_all = matches!(
        route,
        Route::Member | Route::History | Route::Notices | Route::Reply
    );
    if !is_for_all {
        check_member(hub, sender).await?;
    }
    let (body, _place) = hub.body(route, request, waiting, &unverified).await?;
    match route {
        Route::Member => routes::member::member(hub, sender).await,
        Route::Directory => routes::directory::directory(hub, request).await,
        Route::Follows => routes::follows::put_follows(hub, sender, &body).await,
        Route::Heads => routes::heads::heads(hub, sender, request).await,
        Route::Changes => routes::changes::changes(hub, sender, request, course).await,
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
        Route::Notices => routes::notices::about(hub, sender).await,
        Route::Reply => routes::notices::reply(hub, sender, &body).await,
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

    /// Answers what anybody may ask, without a signature.
    fn anybody(&self, call: Call, request: &Request) -> Result<Reply, Refusal> {
        self.charges.address(request, self.now())?;
        match call {
            Call::OtherProtocol(asked) => Err(problems::version_skew(asked, &self.info.name)),
            Call::WhoIsThis => {
                let body = wb_core::signed::payload(&self.who_is_this());
                Ok(Reply::ok(JSON, body))
            }
            _ => Err(problems::not_found("such call")),
        }
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
            // What the store says of a failure is for the operator's log.
            let why = match problem {
                StoreProblem::Busy => {
                    "the database is written by another process that does not end\n"
                }
                StoreProblem::Full => "there is no room left for the database\n",
                StoreProblem::Away(_) | StoreProblem::Failed(_) => {
                    "the database cannot be used; the log of this process says why\n"
                }
            };
            plain(StatusCode::SERVICE_UNAVAILABLE, why)
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
