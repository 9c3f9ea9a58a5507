//! What state a peer is in: one state, one cause, one sentence, one next action (spec: sync, peers).
//!
//! Pure: what happened and when comes in, when to try again comes out. By hand a person may always
//! try; `next_try` binds only what the program does by itself.

use serde::{Deserialize, Serialize};

use super::cause::Cause;
use crate::json::{object_only, text_only};
use crate::time::Timestamp;

/// The first wait after a failure.
const RETRY_MS_MIN: u64 = 15_000;
/// The longest wait: an outage that is over is noticed within this time.
pub const RETRY_MS_MAX: u64 = 3_600_000;
/// Failures after which the wait grows no longer; keeps the shift within its type.
const DOUBLINGS_MAX: u32 = 16;
/// Parts of a wait that chance takes away, in thousandths: so that peers do not come all at once.
const JITTER_MAX: u64 = 500;

/// The states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing to do that is known here.
    Idle,
    /// A sync runs.
    Syncing,
    /// Somebody else has to do something first.
    Waiting,
    /// Something contradicts: a person here has to look.
    Held,
    /// One of both sides does not want it.
    Blocked,
    /// It did not work; it is tried again.
    Failing,
}

impl Phase {
    /// The word for programs and people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Syncing => "syncing",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Blocked => "blocked",
            Self::Failing => "failing",
        }
    }
}

macro_rules! peer_causes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $phase:ident, $sentence:literal, $action:literal;)*) => {
        /// Why a peer is in its state.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case", remote = "Self")]
        pub enum PeerCause {
            $($(#[$doc])* $variant,)*
        }

        impl PeerCause {
            /// One sentence on it, with the peer's name.
            #[must_use]
            pub fn about(self, name: &str) -> String {
                self.sentence().replacen("{}", name, 1)
            }

            /// Every cause.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word for programs.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The state that goes with it.
            #[must_use]
            pub fn phase(self) -> Phase {
                match self {
                    $(Self::$variant => Phase::$phase,)*
                }
            }

            fn sentence(self) -> &'static str {
                match self {
                    $(Self::$variant => $sentence,)*
                }
            }

            /// The next thing to do, and who has to.
            #[must_use]
            pub fn action(self) -> &'static str {
                match self {
                    $(Self::$variant => $action,)*
                }
            }
        }
    };
}

peer_causes! {
    /// Registered, never synced.
    NeverSynced = "never_synced", Idle,
        "{} was never synced with", "run `wb sync`";
    /// Synced.
    Synced = "synced", Idle,
        "synced with {}", "nothing to do";
    /// Its operator here paused it.
    Paused = "paused", Idle,
        "syncing with {} is paused here", "run `wb peer resume` when it should go on";
    /// A sync runs.
    Running = "running", Syncing,
        "syncing with {}", "wait until it ends";
    /// The hub's operator has to approve.
    Approval = "approval", Waiting,
        "{} has not approved this instance yet", "ask the operator of that hub, then run `wb sync`";
    /// The hub takes only whom it invited, and was given no code that lets in.
    Invite = "invite", Waiting,
        "{} takes only whom it invited", "ask the operator of that hub for the code of an invitation, then run `wb join` with --code";
    /// The hub was asked too often.
    TooMany = "too_many", Waiting,
        "{} was asked too often from here", "nothing: it is tried again by itself, or run `wb sync` later";
    /// The hub keeps no more of ours.
    OverQuota = "over_quota", Waiting,
        "{} keeps no more of what this instance publishes",
        "ask its operator for more room, or take records back; what was published, or taken back, since then waits here";
    /// A person here has to confirm a pair.
    PairAsked = "pair_asked", Waiting,
        "{} asks to be paired with this instance", "compare the eight words with its operator, then run `wb peer accept` with its name";
    /// A person there has to confirm a pair.
    PairWaits = "pair_waits", Waiting,
        "{} has not confirmed the pair yet", "ask its operator to compare the eight words and confirm";
    /// A pair that was agreed to here and is not known there yet: nobody there could be reached.
    WayBack = "way_back", Waiting,
        "{} does not know yet that this instance wants to be paired", "give its operator the link for the way back, or run `wb sync` when it can be reached";
    /// A peer without an address.
    CallsHere = "calls_here", Waiting,
        "{} has no address that is known here: it calls this instance", "nothing, as long as it does; `wb sync` there moves records both ways";
    /// The hub holds more of our own feed than we do.
    OwnIsAhead = "own_is_ahead", Held,
        "{} holds more of this instance's feed than this database: it is an older copy, or another copy publishes",
        "run `wb restore` in this folder, which takes back what was published, or use its newest copy; if a computer or the key was stolen, run `wb key recover` instead; nothing is published until then";
    /// This database is known to be an older copy of itself.
    OlderCopy = "older_copy", Held,
        "nothing was given to {}: this database is older than what this instance published last",
        "run `wb restore` in this folder, or use its newest copy; `wb sync --pull` only takes";
    /// Another copy of this instance syncs too, or was settled in place of this one.
    TwoCopies = "two_copies", Held,
        "{} knows another running copy of this instance; neither may publish",
        "stop the copy that is not to go on, then run `wb restore` in the folder of the other; if the other is not yours (a computer or the key was stolen), run `wb key recover` instead";
    /// Another key speaks for us there.
    KeyRetired = "key_retired", Held,
        "another key speaks for this instance at {}: its key was changed elsewhere",
        "if that was you, use the newest copy of this folder; if it was not, take the key back with `wb key recover`";
    /// The hub refuses our feed as contradicting.
    OwnIsRefused = "own_is_refused", Held,
        "{} did not take this instance's feed", "run `wb doctor`, and see `wb sync log`";
    /// Another identity answers under the address.
    WrongIdentity = "wrong_identity", Held,
        "another instance answers under the address of {}", "ask its operator; register it anew when it really moved";
    /// Refused here, for good.
    Refused = "refused", Blocked,
        "this instance refuses {}: nothing is asked of it, answered to it, or shown of it",
        "nothing to do; `wb peer forget --refusal` lifts it";
    /// We were suspended.
    Suspended = "suspended", Blocked,
        "{} has suspended this instance", "ask the operator of that hub; the reason is in `wb peer show`";
    /// The hub forgot us.
    NotRegistered = "not_registered", Blocked,
        "{} does not know this instance", "run `wb hub register` again";
    /// No pair there, or a block.
    NotPaired = "not_paired", Blocked,
        "{} is not paired with this instance", "ask its operator; `wb peer invite` there and `wb peer accept` here pair both anew";
    /// No version in common.
    VersionSkew = "version_skew", Blocked,
        "{} and this program have no protocol version in common", "upgrade the older of both; nothing is lost, and everything waits";
    /// Nobody answers.
    Unreachable = "unreachable", Failing,
        "{} cannot be reached", "check the network and the address, and try again";
    /// It answers too slowly.
    TimedOut = "timeout", Failing,
        "{} did not answer in time", "nothing is lost; try again";
    /// The shared folder is not there.
    FolderMissing = "folder_missing", Failing,
        "the folder shared with {} is not there", "plug the stick in, or look at the path; nothing is lost";
    /// The TLS connection fails.
    Tls = "tls", Failing,
        "the encrypted connection to {} fails", "check the certificate there and the clock here";
    /// What came is not what the protocol says.
    BadAnswer = "bad_answer", Failing,
        "{} answered something this program does not understand", "nothing was taken; ask its operator to look at its log";
    /// An answer is not signed as it should be.
    NotProved = "answer_not_proved", Failing,
        "an answer from the address of {} is not signed by it", "nothing was taken; something between may change answers";
    /// The clocks differ, and the other side does not say by how much.
    Clock = "clock", Failing,
        "the clock here and that of {} differ too much", "set the clock of this computer";
    /// The other side failed.
    PeerFailed = "peer_failed", Failing,
        "something failed at {}", "nothing is lost; try again, or ask its operator to look at its log";
    /// The other side has no room.
    PeerFull = "peer_full", Failing,
        "{} has no room left", "ask its operator; what was published waits here";
    /// A limit of the other side.
    TooLarge = "too_large", Failing,
        "{} refuses something as too large", "see `wb sync log`";
    /// Something failed here.
    LocalFailure = "local_failure", Failing,
        "something failed here while syncing with {}", "see `wb sync log`; nothing is lost, and the next sync goes on from here";
}

text_only!(PeerCause);

impl PeerCause {
    /// What a refusal means for the peer's state.
    #[must_use]
    pub fn of_refusal(cause: Option<Cause>, status: u16) -> Self {
        match cause {
            Some(Cause::Waiting) => Self::Approval,
            Some(
                Cause::InviteNeeded | Cause::InviteUnknown | Cause::InviteUsed | Cause::InviteOver,
            ) => Self::Invite,
            Some(Cause::Suspended) => Self::Suspended,
            Some(Cause::NotRegistered | Cause::KeyUnknown) => Self::NotRegistered,
            Some(Cause::NotPaired | Cause::LinkOver) => Self::NotPaired,
            Some(Cause::PairWaits) => Self::PairWaits,
            Some(Cause::KeyRetired) => Self::KeyRetired,
            Some(Cause::RotatedBehind) => Self::OwnIsAhead,
            Some(Cause::WrongRecipient) => Self::WrongIdentity,
            Some(Cause::VersionSkew) => Self::VersionSkew,
            Some(Cause::Clock) => Self::Clock,
            Some(Cause::TooLarge) => Self::TooLarge,
            Some(Cause::Full) => Self::PeerFull,
            Some(Cause::TooMany) => Self::TooMany,
            Some(Cause::OverQuota) => Self::OverQuota,
            Some(Cause::Busy | Cause::TooSlow | Cause::Failed) => Self::PeerFailed,
            _ if status >= 500 => Self::PeerFailed,
            _ => Self::BadAnswer,
        }
    }
}

/// What happened to a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// A sync starts.
    Started,
    /// A sync ended well.
    Synced,
    /// A sync ended otherwise, with the details for people.
    Ended(PeerCause, String),
    /// The peer came to us: it is there.
    Contacted,
}

/// The state of one peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct PeerState {
    /// Why it is in its state.
    pub cause: PeerCause,
    /// Details of the last end that was not good.
    pub detail: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// The last sync that ended well.
    pub last_synced: Option<Timestamp>,
    /// Failures since then.
    pub failures: u32,
    /// Before this the program does not try by itself.
    pub next_try: Option<Timestamp>,
}

object_only!(PeerState);

impl PeerState {
    /// A peer that was never synced with.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            cause: PeerCause::NeverSynced,
            detail: None,
            since: now,
            last_synced: None,
            failures: 0,
            next_try: None,
        }
    }

    /// Takes what happened. `chance` is any number; it spreads the tries of many peers.
    pub fn on(&mut self, now: Timestamp, event: PeerEvent, chance: u64) {
        match event {
            PeerEvent::Started => self.become_of(PeerCause::Running, now),
            PeerEvent::Synced => {
                self.become_of(PeerCause::Synced, now);
                self.detail = None;
                self.last_synced = Some(now);
                self.failures = 0;
                self.next_try = None;
            }
            PeerEvent::Ended(cause, detail) => {
                self.become_of(cause, now);
                self.detail = Some(detail);
                self.failures = self.failures.saturating_add(1);
                let wait_ms = retry_ms(self.failures, chance);
                self.next_try = now
                    .unix_ms()
                    .checked_add_unsigned(wait_ms)
                    .and_then(Timestamp::from_unix_ms);
            }
            PeerEvent::Contacted => {
                self.next_try = None;
                self.failures = 0;
            }
        }
    }

    /// Comes again no sooner than the peer asked for, or after the longest wait.
    pub fn wait_for(&mut self, now: Timestamp, seconds: u64) {
        let wait_ms = seconds.saturating_mul(1_000).min(RETRY_MS_MAX);
        let asked = now.unix_ms().checked_add_unsigned(wait_ms);
        let asked = asked.and_then(Timestamp::from_unix_ms);
        self.next_try = self.next_try.max(asked);
    }

    fn become_of(&mut self, cause: PeerCause, now: Timestamp) {
        if self.cause != cause {
            self.cause = cause;
            self.since = now;
        }
    }

    /// Whether the program may try by itself. A sync that was cut off (`syncing` for good) counts as
    /// over: whoever runs one holds the node's lock.
    #[must_use]
    pub fn may_try(&self, now: Timestamp) -> bool {
        // A time further ahead than any wait was noted while this computer's clock was wrong.
        let waits = self.next_try.is_some_and(|next| {
            let left_ms = next.unix_ms().saturating_sub(now.unix_ms());
            left_ms > 0 && left_ms.unsigned_abs() <= RETRY_MS_MAX
        });
        !waits
    }

    /// The state.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.cause.phase()
    }

    /// One sentence on it. Of two programs without a common version it names the one to upgrade.
    #[must_use]
    pub fn sentence(&self, name: &str) -> String {
        match &self.detail {
            Some(detail) if self.cause == PeerCause::VersionSkew && !detail.is_empty() => {
                detail.clone()
            }
            _ => self.cause.about(name),
        }
    }
}

/// How long to wait after so many failures in a row.
fn retry_ms(failures: u32, chance: u64) -> u64 {
    let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
    let whole = (RETRY_MS_MIN << doublings).min(RETRY_MS_MAX);
    let thousandths = 1_000 - chance % (JITTER_MAX + 1);
    whole * thousandths / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_760_000_000_000 + seconds * 1_000).unwrap()
    }

    #[test]
    fn waits_grow_to_an_hour_and_any_contact_ends_them() {
        let mut state = PeerState::new(at(0));
        let failed = || PeerEvent::Ended(PeerCause::Unreachable, "refused".to_owned());
        let mut waits = Vec::new();
        for _ in 0..40 {
            state.on(at(0), failed(), 0);
            waits.push(state.next_try.unwrap().unix_ms() - at(0).unix_ms());
        }
        assert_eq!(waits[..3], [15_000, 30_000, 60_000]);
        assert!(waits.is_sorted());
        assert_eq!(waits[39], i64::try_from(RETRY_MS_MAX).unwrap());
        assert!(!state.may_try(at(10)));
        state.on(at(11), PeerEvent::Contacted, 0);
        assert!(state.may_try(at(11)));
    }

    #[test]
    fn chance_only_shortens_a_wait_and_by_half_at_most() {
        for failures in 1..50 {
            for chance in [0, 1, 499, 500, 501, u64::MAX] {
                let wait = retry_ms(failures, chance);
                assert!(wait <= RETRY_MS_MAX && wait >= retry_ms(failures, 0) / 2);
            }
        }
    }

    #[test]
    fn each_cause_has_one_sentence_with_the_peer_s_name_and_one_action() {
        let mut words = std::collections::BTreeSet::new();
        for cause in PeerCause::ALL {
            assert!(words.insert(cause.as_str()), "{cause:?} is there twice");
            assert_eq!(cause.sentence().matches("{}").count(), 1, "{cause:?}");
            assert!(!cause.action().is_empty());
            let json = serde_json::to_string(cause).unwrap();
            assert_eq!(serde_json::from_str::<PeerCause>(&json).unwrap(), *cause);
        }
    }

    #[test]
    fn a_peer_that_asks_to_wait_is_left_alone_for_so_long_and_at_most_an_hour() {
        let mut state = PeerState::new(at(0));
        let ended = PeerEvent::Ended(PeerCause::TooMany, "too many".to_owned());
        state.on(at(0), ended, 0);
        state.wait_for(at(0), 1);
        assert_eq!(state.next_try, Some(at(15)));
        state.wait_for(at(0), 40);
        assert!(!state.may_try(at(39)) && state.may_try(at(40)));
        state.wait_for(at(0), u64::MAX);
        assert_eq!(state.next_try, Some(at(3_600)));
        assert_eq!(state.phase(), Phase::Waiting);
    }

    #[test]
    fn a_state_says_since_when() {
        let mut state = PeerState::new(at(0));
        state.on(at(5), PeerEvent::Ended(PeerCause::Tls, "a".to_owned()), 0);
        state.on(at(9), PeerEvent::Ended(PeerCause::Tls, "b".to_owned()), 0);
        assert_eq!((state.since, state.phase()), (at(5), Phase::Failing));
        assert_eq!(
            state.sentence("Harbour"),
            "the encrypted connection to Harbour fails"
        );
        state.on(at(10), PeerEvent::Synced, 0);
        assert_eq!((state.since, state.failures), (at(10), 0));
    }
}
