//! The hub's own notices, as its moderators and pages ask for them (spec: notices).
//!
//! What a moderator decides is sealed by the hub's own instance, and carried from there into what the hub relays: as
//! a push, with what follows from it in the same transaction. Carrying again changes nothing.

use wb_core::id::InstanceId;
use wb_core::kinds::Subject;
use wb_core::sync::{Policy, Visibility};
use wb_core::time::Timestamp;
use wb_core::want::Held;
use wb_store::relay::{Applicant, PushError, RelayWrite};
pub use wb_store::relay::{Effect, NoticeRow, RecordFace};

use crate::sqlite::{SqliteHub, take};
use crate::store::{Kept, PushRefused, Registering};

/// Why what the hub's own instance sealed is not carried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the hub's own feed was not taken: {0}")]
pub struct CarryRefused(pub String);

/// Where a hub keeps what it said, and what follows from it.
pub trait HubNotices: Clone + Send + Sync + 'static {
    /// The heads held of the hub's own feeds.
    fn own_heads(&self, id: InstanceId) -> impl Future<Output = Kept<Vec<Held>>> + Send;

    /// Takes sections of the feed of the hub's own instance, and makes everything as its notices say. From then on
    /// its feed goes to every member.
    fn carry(
        &self,
        hub: Registering,
        pages: Vec<Vec<u8>>,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Result<(), CarryRefused>>> + Send;

    /// The notices, the newest first.
    fn notices(&self, now: Timestamp) -> impl Future<Output = Kept<Vec<NoticeRow>>> + Send;

    /// Whom a decision about an instance or record would touch; none where nothing of it is here.
    fn effect(
        &self,
        subject: Subject,
        now: Timestamp,
    ) -> impl Future<Output = Kept<Option<Effect>>> + Send;
}

impl HubNotices for SqliteHub {
    async fn own_heads(&self, id: InstanceId) -> Kept<Vec<Held>> {
        self.read(move |relay| relay.own_heads(&id)).await
    }

    async fn carry(
        &self,
        hub: Registering,
        pages: Vec<Vec<u8>>,
        now: Timestamp,
    ) -> Kept<Result<(), CarryRefused>> {
        self.write_or_drop(move |write| carry(write, &hub, &pages, now))
            .await
    }

    async fn notices(&self, now: Timestamp) -> Kept<Vec<NoticeRow>> {
        self.read(move |relay| relay.notices(now)).await
    }

    async fn effect(&self, subject: Subject, now: Timestamp) -> Kept<Option<Effect>> {
        self.read(move |relay| relay.effect(&subject, now)).await
    }
}

fn carry(
    write: &RelayWrite<'_>,
    hub: &Registering,
    pages: &[Vec<u8>],
    now: Timestamp,
) -> wb_store::Result<Result<(), CarryRefused>> {
    let id = hub.identity.id();
    let held = write.member(&id, now)?;
    let counter = held.as_ref().map_or(1, |held| held.counter + 1);
    let applicant = Applicant {
        identity: &hub.identity,
        card: &hub.card,
        name: &hub.name,
        visibility: Visibility::Unlisted,
        counter,
    };
    if let Err(stale) = write.register(&applicant, Policy::Open, now)? {
        return Ok(Err(CarryRefused(stale.to_string())));
    }
    write.put_hub(&id)?;
    for page in pages {
        let pushed = match take(write, id, page, now) {
            Ok(Ok(pushed)) => pushed,
            Ok(Err(PushRefused::Body(error))) => return Ok(Err(CarryRefused(error.to_string()))),
            Ok(Err(_)) => return Ok(Err(CarryRefused("it is of another instance".to_owned()))),
            Err(PushError::Store(error)) => return Err(error),
            Err(error) => return Ok(Err(CarryRefused(error.to_string()))),
        };
        let good = ["append", "duplicate", "take"];
        let bad = pushed
            .feeds
            .iter()
            .find(|feed| !good.contains(&feed.outcome.as_str()));
        if let Some(feed) = bad {
            return Ok(Err(CarryRefused(feed.outcome.clone())));
        }
    }
    write.heed(now)?;
    Ok(Ok(()))
}
