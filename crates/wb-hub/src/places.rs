//! Places for what takes much memory: one for each member, and to be earned while somebody waits (ADR 0025).
//!
//! Whoever finds no place waits a little, and is then told to come again. A body that comes slowly keeps its
//! place as long as nobody else wants it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use wb_core::id::InstanceId;
use wb_net::{BodyLimit, read_body_telling};

use crate::problems::{self, Refusal};

/// How long a request waits for a place; a client that is told to come again loses less than one that
/// hangs.
const PLACE_WAIT_MAX: Duration = Duration::from_secs(2);
/// How often who waits looks for somebody who has become too slow.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How many large bodies are taken at once, and what keeps a place while somebody waits for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LargeBodies {
    /// At once, each with what it unpacks to; protects memory.
    pub at_once: usize,
    /// How long no rate is asked for.
    pub grace: Duration,
    /// Bytes for each second beyond the grace.
    pub bytes_per_second_min: u32,
}

/// A number of places.
#[derive(Debug)]
pub(crate) struct Places {
    terms: LargeBodies,
    free: Arc<Semaphore>,
    claims: Arc<Claims>,
}

/// Who has a place or waits for one.
#[derive(Debug, Default)]
struct Claims {
    all: Mutex<(u64, BTreeMap<u64, Claim>)>,
    ended: Notify,
}

#[derive(Debug)]
struct Claim {
    member: Option<InstanceId>,
    stage: Stage,
    /// Told once to give it up.
    told: Option<&'static str>,
    tell: Arc<Notify>,
}

#[derive(Debug, Clone)]
enum Stage {
    Waiting,
    Sending {
        since: Instant,
        bytes: Arc<AtomicU64>,
    },
    /// The body is here: what takes time now is ours.
    Whole,
}

impl Claims {
    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Claim>)> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    fn give_up(&mut self, why: &'static str) {
        if self.told.is_none() && !matches!(self.stage, Stage::Whole) {
            self.told = Some(why);
            self.tell.notify_one();
        }
    }
}

/// A claim of one request; it ends when this is dropped.
#[derive(Debug)]
struct Claimed {
    no: u64,
    tell: Arc<Notify>,
    claims: Arc<Claims>,
}

impl Claimed {
    fn set(&self, stage: Stage) {
        if let Some(claim) = self.claims.lock().1.get_mut(&self.no) {
            claim.stage = stage;
        }
    }

    /// Ends when it was told to give up, and says why.
    async fn told(&self) -> &'static str {
        self.tell.notified().await;
        let why = self
            .claims
            .lock()
            .1
            .get(&self.no)
            .and_then(|claim| claim.told);
        why.unwrap_or_default()
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        self.claims.lock().1.remove(&self.no);
        self.claims.ended.notify_waiters();
    }
}

/// A place, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    // In this order, so that whoever takes the place finds the claim ended.
    claimed: Claimed,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// So many places, all free.
    pub(crate) fn new(terms: LargeBodies) -> Self {
        Self {
            terms,
            free: Arc::new(Semaphore::new(terms.at_once)),
            claims: Arc::default(),
        }
    }

    /// A place. What the same member is still sending gives way to it; who is too slow may have to.
    pub(crate) async fn take(&self, member: Option<InstanceId>) -> Result<Place, Refusal> {
        let taken = timeout(PLACE_WAIT_MAX, async {
            let claimed = self.claim(member).await;
            tokio::select! {
                biased;
                why = claimed.told() => Err(problems::gave_up(why)),
                permit = self.permit() => {
                    let (since, bytes) = (Instant::now(), Arc::default());
                    claimed.set(Stage::Sending { since, bytes });
                    Ok(Place { claimed, _permit: permit })
                }
            }
        });
        taken.await.unwrap_or_else(|_| Err(problems::no_place()))
    }

    /// Claims a place once the member has no other claim.
    async fn claim(&self, member: Option<InstanceId>) -> Claimed {
        loop {
            let mut ended = std::pin::pin!(self.claims.ended.notified());
            ended.as_mut().enable();
            if let Some(claimed) = self.try_claim(member) {
                return claimed;
            }
            ended.await;
        }
    }

    fn try_claim(&self, member: Option<InstanceId>) -> Option<Claimed> {
        let mut claims = self.claims.lock();
        let same = |claim: &&mut Claim| member.is_some() && claim.member == member;
        if let Some(earlier) = claims.1.values_mut().find(same) {
            earlier.give_up("a later body of the same instance came");
            return None;
        }
        let no = claims.0;
        claims.0 += 1;
        let tell = Arc::new(Notify::new());
        let claim = Claim {
            member,
            stage: Stage::Waiting,
            told: None,
            tell: Arc::clone(&tell),
        };
        claims.1.insert(no, claim);
        Some(Claimed {
            no,
            tell,
            claims: Arc::clone(&self.claims),
        })
    }

    /// Waits for a place in the order of arrival.
    async fn permit(&self) -> OwnedSemaphorePermit {
        let mut free = std::pin::pin!(Arc::clone(&self.free).acquire_owned());
        loop {
            if self.free.available_permits() == 0 {
                self.end_slowest();
            }
            let look_again = Instant::now() + LOOK_EVERY;
            if let Ok(permit) = timeout_at(look_again, free.as_mut()).await {
                return permit.expect("the semaphore is never closed");
            }
        }
    }

    /// Tells the slowest of those that are too slow to give its place up.
    fn end_slowest(&self) {
        let now = Instant::now();
        let mut claims = self.claims.lock();
        let slow = claims.1.values_mut().filter_map(|claim| {
            let Stage::Sending { since, bytes } = &claim.stage else {
                return None;
            };
            let bytes = bytes.load(Ordering::Relaxed);
            let asked = now.saturating_duration_since(*since + self.terms.grace);
            let owed = asked.as_millis() * u128::from(self.terms.bytes_per_second_min) / 1_000;
            (claim.told.is_none() && u128::from(bytes) < owed).then_some((bytes, claim))
        });
        if let Some((_, slowest)) = slow.min_by_key(|(bytes, _)| *bytes) {
            slowest.give_up("it came slowly while others waited");
        }
    }
}

impl Place {
    /// Reads a body as it travels, until its end or until the place has to be given up. Afterwards the place
    /// is kept for as long as the body is in memory.
    pub(crate) async fn read(&self, body: Body, limit: BodyLimit) -> Result<Vec<u8>, Refusal> {
        let bytes = Arc::new(AtomicU64::new(0));
        let since = Instant::now();
        self.claimed.set(Stage::Sending {
            since,
            bytes: Arc::clone(&bytes),
        });
        let telling = |came: usize| {
            bytes.fetch_add(u64::try_from(came).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        let reading = read_body_telling(body, limit, telling);
        let read = tokio::select! {
            biased;
            read = reading => read.map_err(|error| problems::of_body(&error)),
            why = self.claimed.told() => Err(problems::gave_up(why)),
        };
        self.claimed.set(Stage::Whole);
        read
    }
}
