//! Feeds: chains of signed deltas, and the rules by which a reader accepts them (spec: feeds).
//!
//! [`Delta::read`] looks at the bytes, [`accept()`] at the feed's state and the identity log; both are
//! pure, and the origin runs them on its own deltas before it stores them ([`seal()`]). What the
//! outcome leads to (store, hold, fetch, show in the inbox) is decided by the caller.

mod accept;
mod delta;
mod header;
mod place;
mod seal;
mod snapshot;
mod state;

pub use accept::{Applied, Change, Early, Outcome, Refusal, accept, check_fill};
pub use delta::{Delta, Item};
pub use header::{Follows, Header};
pub use place::{Placement, order};
pub use seal::{OpenLog, Seal, seal};
pub use snapshot::{Progress, SnapshotOutcome, SnapshotReader, SnapshotWriter, Totals};
pub use state::{FeedState, FeedView, Live, LiveSum, Opening};
