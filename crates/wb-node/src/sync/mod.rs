//! Syncing with hubs: pulling what others published, pushing what this instance sealed.
//!
//! What to ask next is decided by [`wb_core::sync::Session`], what is accepted by the rules of feeds; here
//! both meet the store and the network. A preview is the sync itself, in a transaction that is dropped.

mod apply;
mod carry;
mod coming;
mod compare;
mod connect;
mod fetch;
mod fill;
pub(crate) mod own;
mod pull;
pub(crate) mod push;
pub(crate) mod receipts;
mod source;
pub(crate) mod spool;
pub(crate) mod turn;
mod whole;

pub use apply::{SetAside, Tally};
pub use carry::to_carry;
pub use connect::{Connected, ask_recovery_at, connect, connect_new, key_of};
pub use own::{Branch, OwnBack, take_back, take_own_back};
pub use pull::{PullInput, Pulled, Rehearsed, fetch_for_rehearsal, pull, rehearse, watch};
pub use push::{Lacking, PushedAll, check_own, push, sealed_and_lacking};
pub use receipts::exchange_receipts;
pub use source::Fetched;
pub use turn::{check_turn, next_call, note_answer, take_turn};

use wb_core::sync::{PeerCause, Problem, SessionError};
use wb_net::NetError;
use wb_net::signed::CallError;

use crate::error::NodeError;

/// Tells how far a sync is: items taken, and items announced.
pub type OnProgress<'p> = &'p mut dyn FnMut(u64, u64);

/// Why a sync with one peer ended early.
#[derive(Debug)]
pub enum SyncEnd {
    /// The peer or the way to it: its state says so.
    Peer(PeerCause, String),
    /// Something here.
    Local(NodeError),
    /// A rehearsal lacks an answer, which has to be fetched first; seen only inside of it.
    NotFetched,
}

impl From<NodeError> for SyncEnd {
    fn from(error: NodeError) -> Self {
        Self::Local(error)
    }
}

impl From<wb_store::StoreError> for SyncEnd {
    fn from(error: wb_store::StoreError) -> Self {
        Self::Local(error.into())
    }
}

impl From<CallError> for SyncEnd {
    fn from(error: CallError) -> Self {
        let detail = error.to_string();
        let cause = match &error {
            CallError::Net(net) => of_net(net),
            CallError::Refused(problem) => return of_problem(problem),
            CallError::NotProved(_) => PeerCause::NotProved,
            CallError::NotOurs(status) if *status >= 500 => PeerCause::PeerFailed,
            CallError::NotOurs(_) | CallError::Body(_) | CallError::Malformed(_) => {
                PeerCause::BadAnswer
            }
            CallError::OtherInstance(_) | CallError::Identity(_) => PeerCause::WrongIdentity,
        };
        Self::Peer(cause, detail)
    }
}

impl From<SessionError> for SyncEnd {
    fn from(error: SessionError) -> Self {
        let cause = match &error {
            SessionError::Restless => PeerCause::BadAnswer,
            SessionError::TooManyFeeds => PeerCause::TooLarge,
            SessionError::Refused(cause) => PeerCause::of_refusal(Some(*cause), cause.status()),
        };
        Self::Peer(cause, error.to_string())
    }
}

fn of_net(error: &NetError) -> PeerCause {
    match error.cause() {
        "timeout" => PeerCause::TimedOut,
        "tls" => PeerCause::Tls,
        "too_large" | "bad_answer" => PeerCause::BadAnswer,
        "bad_request" => PeerCause::LocalFailure,
        _ => PeerCause::Unreachable,
    }
}

/// Characters kept of what a peer says about a refusal.
const DETAIL_CHARS_MAX: usize = 500;

fn of_problem(problem: &Problem) -> SyncEnd {
    let cause = PeerCause::of_refusal(problem.cause(), problem.status);
    let detail = format!("{} ({})", problem.detail, problem.cause);
    SyncEnd::Peer(cause, detail.chars().take(DETAIL_CHARS_MAX).collect())
}

/// An answer that is not what the protocol says.
pub(crate) fn bad_answer(detail: impl Into<String>) -> SyncEnd {
    SyncEnd::Peer(PeerCause::BadAnswer, detail.into())
}
