//! What a hub relays: members, what arrived in which order, and the feeds it serves on.
//!
//! A file of its own, `hub.db`, beside those of the hub's instance. Its feeds are stored and verified as
//! a node's are; what of them its pages list is folded as they come (`listing`), and read in `listed`, from
//! a place (`places`). Each reading is as of one moment; writing is one transaction at a time
//! ([`RelayWrite`]). HTTP, signatures and waiting are left to the caller, and so is asking whether the
//! sender may do what it asks.

mod arrival;
mod as_of;
mod changes;
pub mod contents;
mod counts;
mod doctor;
mod envelopes;
mod file;
mod follow;
mod forget;
mod heads;
mod history;
mod invites;
mod lines;
mod listed;
mod listing;
mod mail;
mod member;
mod notices;
mod own;
mod places;
mod push;
mod receipts;
pub(crate) mod room;
mod snapshot;
mod void;
mod vouches;
mod withheld;

pub use changes::{Changes, CursorRefused, PageLimits};
pub use counts::{MemberCounts, RelayCounts, RelayLag};
pub use envelopes::EnvelopeRefused;
pub use file::{Relay, RelayFile, RelayWrite};
pub use follow::Stale;
pub use history::BadPlace;
pub use invites::{InviteRefused, InviteRow, InviteState, NewInvite};
pub use lines::{LinesAsk, NotServed};
pub use listed::{
    COUNTED_MAX, CommentsAsk, Community, ListedComment, ListedRequest, RequestOrder, RequestsAsk,
    RequestsPage, Tally, Words,
};
pub use listing::ListingRow;
pub(crate) use listing::{Touched, list_record};
pub use mail::LetterRefused;
pub use member::{Applicant, Member, Registered, StaleRegistration};
pub use notices::{Effect, NoticeRow, RecordFace};
pub use places::{CommentPlace, CommunityPlace, RequestPlace};
pub use push::{PushError, RelaySink};
pub use room::{ENTRY_ROW_BYTES, Room};
pub use snapshot::{SnapshotAsk, SnapshotRefused};
