//! Places for what takes much memory: whoever finds none waits a little, and is then told to come again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a request waits for a place; a client that is told to come again loses less than one that
/// hangs.
const PLACE_WAIT_MAX: Duration = Duration::from_secs(2);

/// A number of places.
#[derive(Debug)]
pub(crate) struct Places(Arc<Semaphore>);

/// A place, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Places {
    /// So many places, all free.
    pub(crate) fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// A place, or none when all stay taken.
    pub(crate) async fn take(&self) -> Option<Place> {
        let free = Arc::clone(&self.0).acquire_owned();
        let taken = tokio::time::timeout(PLACE_WAIT_MAX, free).await.ok()?;
        taken.ok().map(Place)
    }
}
