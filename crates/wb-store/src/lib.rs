//! What a node keeps on disk, in SQLite.
//!
//! Two files: the main one holds feeds, local records and what is shown of them; the private one holds
//! accounts, contacts, drafts, invites and secrets. A hub has a third, for what it relays ([`relay`]).
//! One named transaction appends, folds projections and moves heads together or not at all. What is
//! accepted or shown is decided by `wb-core`.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod agreements;
mod audience;
mod audit;
mod backups;
mod before_upgrade;
mod contests;
mod copies;
mod counters;
mod diff;
mod doctor;
mod doubts;
mod emptying;
mod envelopes;
mod erase;
mod erased;
mod error;
mod feed_links;
mod feeds;
mod gaps;
mod guard;
mod heeding;
mod hidden;
mod home;
mod in_use;
mod inbox;
mod instances;
mod intervals;
mod left;
pub mod legacy;
mod letters;
mod levels;
mod local;
mod mail_left;
mod notices;
mod offers;
mod open;
mod own_keys;
mod pairs;
mod peers;
mod pictures;
mod place;
mod planned;
mod private;
mod project;
mod query;
mod receipts;
mod redemptions;
mod refusals;
mod rehearse;
pub mod relay;
mod retracting;
mod roads;
mod runs;
mod scratch;
mod sealing_keys;
mod sent;
mod sessions;
mod shown_at;
mod sql;
mod store;
mod turns;
mod unlock;
mod unwritable;
mod upgrade;

pub use agreements::{Agreement, AgreementAnswer};
pub use audience::{AudienceRow, Belongs};
pub use audit::AuditLine;
pub use backups::{BACKUPS_MAX, BackupRecipient, BackupRow};
pub use before_upgrade::SNAPSHOT_DAYS;
pub use contests::Contest;
pub use copies::{Copies, Progress};
pub use diff::{Changed, Difference, sort_changed};
pub use doctor::{Finding, Findings};
pub use doubts::{DOUBTS_MAX, Doubt, DoubtKind};
pub use envelopes::{NewEnvelope, OutEnvelope};
pub use erase::{ErasedRecords, NO_WORDS, PrivateTraces};
pub use erased::ErasedList;
pub use error::{Result, StoreError, is_io_full, is_io_read_only};
pub use feed_links::FeedLink;
pub use feeds::Lone;
pub use feeds::{
    FeedRow, Ingest, LogDue, NewLog, SealDelta, SealItem, Served, SnapshotRows, StoredHeader, Taken,
};
pub use gaps::Gaps;
pub use guard::{Guard, Standing as GuardStanding};
pub use heeding::{RoadsOf, WithheldBy, WithheldHere};
pub use hidden::HiddenLine;
pub use home::{Home, exchange_private_file, remove_file, replace_file, write_private_file};
pub use in_use::InUse;
pub use inbox::{Contradiction, ForkedFeed, HeldDelta, HeldGroup, MissingLines};
pub use instances::{Instance, Standing};
pub use letters::{LetterIn, LetterOut, NewLetter, SealedLetter};
pub use levels::{Fallen, LevelRow, SHOWN_LEVEL};
pub use local::{LastRetract, LocalRecord, Sealed, SealedMove};
pub use notices::NoticeRow;
pub use offers::{OfferRow, OfferState};
pub use own_keys::{OwnDelta, Recovered, VoidDecision, VoidEntry, header_of};
pub use pairs::{LINKS_KEPT_MAX, Pair, PairLinkRow, PairState};
pub use peers::Peer;
pub use pictures::{KeptPicture, PICTURES_BYTES_MAX, PICTURES_MAX, Picture, PictureFormat};
pub use place::{Placing, Replaced, free_bytes};
pub use planned::{PlanGround, Planned};
pub use private::{
    AUDIT_ROWS_MAX, AUDIT_ROWS_PER_ACTOR_MAX, Account, AccountState, AuditRow, Draft, InviteRow,
    Private, Role,
};
pub use project::rebuild;
pub use query::{
    Filter, HEADS_NOT_COMPARED, HeldCount, ListPlace, Newest, RecordCount, RecordRow, StatusRow,
};
pub use receipts::{Given as ReceiptGiven, RECEIPTS_KEPT_MAX, ReceiptHeld, ReceiptsRead};
pub use redemptions::{InviteUse, Redemption, RedemptionState};
pub use refusals::Refusal;
pub use roads::{RoadSeen, Seen};
pub use runs::{RUNS_MAX, Road, Run, RunCounts, RunEnd, RunRecord, RunStart};
pub use sent::SentPlace;
pub use sessions::{SessionRow, WaitingDraft};
pub use store::{Founding, Store, Write};
pub use turns::OwnCopy;
pub use unlock::{AskPassphrase, Unlock};
pub use unwritable::Unwritable;
pub use upgrade::{FileUpgrade, Rehearsal, rehearse_upgrade, upgrade};
