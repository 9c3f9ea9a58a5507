//! A hub: registration, directory, and the relay of public feeds (spec: sync).
//!
//! [`Hub`] answers requests; where things are kept is behind [`HubStore`]. What is accepted of a feed is
//! decided by the rules of `wb-core`, as any follower would decide; a hub adds nothing and changes nothing.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod bodies;
pub mod bundle;
mod calls;
mod effects;
mod entering;
mod invites;
mod journal;
mod limits;
mod listings;
mod moderation;
pub mod moving;
mod notices;
mod observed;
mod places;
mod problems;
mod quota;
mod routes;
mod service;
mod sqlite;
mod store;
mod subset;
mod traces;
mod waits;

pub use entering::Entering;
pub use invites::{
    HubInvites, INVITES_MAX, InviteRow, Inviting, NOTE_CHARS_MAX, NewInvite, USES_MAX, code_hash,
    invite, invite_off,
};
pub use journal::{Answered, Journal};
pub use limits::{
    ADDRESS_RATE, CODE_RATE, HubLimits, LARGE_BODIES, MEMBER_RATE, NEW_PER_ADDRESS_RATE, NEW_RATE,
};
pub use listings::{
    CommentPlace, CommentsAsk, Community, CommunityPlace, HubListings, ListedComment,
    ListedRequest, RequestOrder, RequestPlace, RequestsAsk, RequestsPage, Tally, Words,
};
pub use moderation::{ModerateError, REASON_CHARS_MAX, WouldDecide, approve, would_decide};
pub use notices::{CarryRefused, Effect, HubNotices, NoticeRow, RecordFace};
pub use places::LargeBodies;
pub use quota::{Counted, MEMBER_BYTES_MAX, MEMBER_RECORDS_MAX, Quota};
pub use service::{Hub, HubInfo, Report, Times};
pub use sqlite::{SqliteHub, StoreLimits, WAITING_MAX};
pub use store::{
    ChangesPage, Decision, EnvelopeRefused, HubStore, InviteRefused, Keeping, KeepingLetter, Kept,
    LetterRefused, LinesPage, MemberRow, PageRefused, PushRefused, RegisterRefused, Registering,
    RoomRow, SnapshotAsk, SnapshotStamp, StoreProblem, Watched,
};
pub use waits::WAITS_PER_MEMBER_MAX;
pub use wb_net::rates::{Buckets, Rate, RetryAfter};
pub use wb_store::relay::{COUNTED_MAX, ENTRY_ROW_BYTES, Room};
