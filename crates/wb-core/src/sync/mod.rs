//! Sync between a node and a hub, as far as it needs no network (spec: requests, sync).
//!
//! Messages, the cursor, signatures of requests and answers, what a session does next, and what state a
//! peer is in. Sending and storing is done elsewhere.

mod cause;
mod cursor;
mod direct;
mod envelopes;
mod follows;
mod messages;
mod page;
mod peer;
mod proof;
mod receipts;
mod registration;
mod schedule;
mod session;
pub mod signature;
pub mod turn;
mod vouches;

pub use cause::{Cause, Problem};
pub use cursor::{Arrival, Cursor, ParseCursorError};
pub use direct::{ExchangeSection, Next, PairStanding, PairStandings, Pairing};
pub use envelopes::{
    Body as EnvelopeBody, EnvelopeKept, EnvelopesPage, EnvelopesTaken, GivenEnvelope, Noted,
    WaitingEnvelope,
};
pub use follows::{FollowList, FollowsError};
pub use messages::{
    AgainSection, ChangesSection, Directory, DirectoryRow, FeedHead, Follows, Heads,
    HistorySection, PageSection, Pushed, PushedFeed, RecoveryAnswer, RecoveryAsk, Role, WhoIsThis,
    read_message,
};
pub use page::{BadSnapshotPlace, Page, SnapshotPlace, put_section};
pub use peer::{PeerCause, PeerEvent, PeerState, Phase, RETRY_MS_MAX};
pub use proof::{Answered, Asked, Proof, ProofError, PutProof, SignedExchange, Stale, is_behind};
pub use receipts::{ReceiptRow, Receipts, ReceiptsGiven, ReceiptsTaken, StaleReceipt};
pub use registration::{Policy, Registration, Standing, Standings, Visibility};
pub use schedule::{EVERY_MINUTES_MAX, HEADS_EVERY_MS, heads_are_due, next_sync};
pub use session::{Notice, Session, SessionError, Step, lost_what_it_confirmed};
pub use turn::{OtherCopy, Turn, TurnAnswer, TurnCall, TurnOutcome};
pub use vouches::{BadVouchPlace, VouchPlace, VouchesAsk, VouchesPage};
