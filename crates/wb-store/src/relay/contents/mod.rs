//! What a hub keeps, as rows that do not depend on where it keeps them: so a hub can be moved from one store to
//! another, and both be held against each other (decision 0079).
//!
//! Numbers that somebody outside was told of are as they are: of arrivals, envelopes, letters and receipts. Those that
//! only lead from one row to another are counted anew: logs, lines, and what was set aside, by their order within a
//! member. What follows from something else, or is of one process only, is in no row: [`NOT_CARRIED`].
//!
//! [`ContentsOfFile`] reads a hub's file, [`FileFromContents`] makes one.

mod read;
mod write;

pub use read::ContentsOfFile;
pub use write::FileFromContents;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// None.
    Null,
    /// A number; of a flag 0 or 1.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes; of ids one after the other.
    Bytes(Vec<u8>),
}

/// The values of a row, one for each column of its table.
pub type Row = Vec<Value>;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Flag,
    /// A number of 16 bits.
    Small,
    /// A number of 32 bits.
    Middle,
    /// A number of 64 bits.
    Number,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
    /// Ids of 32 bytes each.
    Ids,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it has to be the same in two stores. What is not is an estimate.
    pub compared: bool,
}

macro_rules! tables {
    ($($(#[$about:meta])* $table:ident $name:literal $key:literal at $rows:literal:
        [$($column:ident $kind:ident $($estimate:ident)?),* $(,)?];)*) => {
        /// The tables, in the order in which they are written: what is referred to comes first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Table { $($(#[$about])* $table),* }

        impl Table {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$table),*];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$table => $name),* }
            }

            /// Its columns.
            #[must_use]
            pub fn columns(self) -> &'static [Column] {
                match self { $(Self::$table => const { &[$(Column {
                    name: stringify!($column),
                    kind: Kind::$kind,
                    compared: true $(&& is_compared(stringify!($estimate)))?,
                }),*] }),* }
            }

            /// How many of its columns, from the first on, name a row. Rows come in their order.
            #[must_use]
            pub fn key(self) -> usize {
                match self { $(Self::$table => $key),* }
            }

            /// Rows that are read and written at once; bounds what is in memory.
            #[must_use]
            pub fn rows_at_once(self) -> usize {
                match self { $(Self::$table => $rows),* }
            }
        }
    };
}

const fn is_compared(word: &str) -> bool {
    assert!(word.len() == "estimate".len(), "the one word there is");
    false
}

tables! {
    /// One row: the relay log, how far it goes, and the numbers given last.
    Relay "relay" 1 at 1: [
        log Bytes, n Number, running Bytes, floor_n Number, floor_running Bytes, let_go Number,
        last_envelope Number, last_letter Number,
    ];
    /// Who registered.
    Members "members" 1 at 200: [
        instance_no Number, id Bytes, name Text, card Text, listed Flag, counter Number, standing Text, reason Text,
        until Number, since Number, told Bytes, follows_counter Number, follows_all Flag, follows_ids Ids,
        follows_except Ids, seen_n Number, seen_at Number, is_hub Flag, delisted Flag, asks_listed Flag,
        listed_from Number, revoked Flag, notice Bytes, invite Number, for_members Number,
    ];
    /// Invitations of the hub.
    Invites "invites" 1 at 500: [
        n Number, code Bytes, note Text, made_at Number, uses_max Number, used Number, until Number, off_at Number,
    ];
    /// The identity logs of members.
    IdentityEntries "identity_entries" 2 at 500: [
        instance_no Number, hash Bytes, n Number, line Bytes, branch Small,
    ];
    /// Their feeds at the head.
    Feeds "feeds" 1 at 200: [
        instance_no Number, log_no Number, seq Number, hash Bytes, era Number, key Number, live Bytes, live_n Number,
        forked Flag,
    ];
    /// The logs of these.
    Logs "logs" 2 at 500: [
        instance_no Number, log_no Number, log Bytes, generation Number, first Bytes, replaced Flag,
    ];
    /// The headers of those.
    Headers "headers" 3 at 500: [
        instance_no Number, log_no Number, seq Number, hash Bytes, body_hash Bytes, line Bytes, void Flag,
    ];
    /// Headers of deltas that were set aside.
    Asides "asides" 2 at 500: [
        instance_no Number, aside_no Number, log_no Number, hash Bytes, line Bytes,
    ];
    /// Every entry of the feeds, with its line or as a mark.
    Lines "lines" 2 at 1_000: [
        instance_no Number, line_no Number, log_no Number, seq Number, aside_no Number, idx Middle, put Flag, id Bytes,
        rev Number, kind Text, line_hash Bytes, drops Bytes, reason Text, line Bytes, withheld Bytes, live Small,
        void Flag, ended Flag,
    ];
    /// Deltas that wait or were refused.
    Held "held" 2 at 8: [
        instance_no Number, held_no Number, outcome Text, rule Text, hash Bytes, log Bytes, seq Number, header Bytes,
        items Bytes, at Number, digest Bytes,
    ];
    /// Their lines.
    HeldLines "held_lines" 4 at 1_000: [instance_no Number, held_no Number, id Bytes, rev Number];
    /// What arrived.
    Arrivals "arrivals" 1 at 1_000: [
        n Number, kind Small, instance_no Number, log_no Number, seq Number, hash Bytes, running Bytes,
        bytes Number estimate, at Number,
    ];
    /// Records of which nothing is handed on.
    Withheld "withheld" 2 at 500: [instance_no Number, id Bytes, line_hash Bytes];
    /// What those wrote whom a notice is about.
    Replies "replies" 1 at 200: [notice Bytes, origin Bytes, line Bytes, at Number];
    /// The number of the newest receipt of each origin.
    ReceiptCounts "receipt_counts" 1 at 1_000: [origin Bytes, last Number];
    /// What members said last of the feeds of others.
    Receipts "receipts" 3 at 500: [
        origin Bytes, scope Text, follower Bytes, era Number, entry Number, n Number, line Bytes, arrival Number,
    ];
    /// Sealed envelopes that wait.
    Envelopes "envelopes" 1 at 4: [
        envelope_no Number, origin Bytes, hash Bytes, line Bytes, body Bytes, bytes Number, expires Number,
    ];
    /// For whom.
    EnvelopesFor "envelopes_for" 2 at 1_000: [recipient Bytes, envelope_no Number, origin Bytes];
    /// Letters that wait.
    Mail "mail" 1 at 16: [
        mail_no Number, origin Bytes, recipient Bytes, hash Bytes, line Bytes, body Bytes, bytes Number, expires Number,
    ];
    /// Whose turn it is.
    Turns "turns" 2 at 500: [
        instance Bytes, turn Bytes, n Number, machine Text, at Number, standing Text, passed Bytes, place Number,
    ];
    /// What pages list. The line is named by its hash, and is the live one of its record.
    Listings "listings" 2 at 500: [
        instance_no Number, id Bytes, line_hash Bytes, kind Text, parent_origin Bytes, parent_id Bytes,
        placed_at Number, line_at Number, changed_at Number, status Text, contested Flag, open Flag, words Text,
    ];
}

/// What a hub's file has and no row carries, and why: `table` or `table.column`. A test holds this list and the tables
/// above against the file.
pub const NOT_CARRIED: &[(&str, &str)] = &[
    ("instances", "carried with members: everybody known is one"),
    (
        "meta",
        "the log and the floor are in relay; `listed_by` is of the program, `ended_before` is set anew",
    ),
    (
        "served_changes",
        "stamps pages that are kept; begins where no store was",
    ),
    ("sqlite_sequence", "the two numbers that count are in relay"),
    ("withheld_lines", "carried with lines"),
    ("feeds.feed_no", "is the number of the member"),
    ("feeds.scope", "is public, or nothing is moved"),
    (
        "feeds.valid_until",
        "a hub promises nothing about the feeds of others",
    ),
    ("feed_lines.feed_no", "is the number of the member"),
    ("feed_lines.op", "carried as put"),
    ("feed_lines.run_no", "runs are a node's"),
    ("logs.scope", "is public, or nothing is moved"),
    ("held.origin", "carried as the number of the member"),
    ("held.scope", "is public, or nothing is moved"),
    ("arrivals.scope", "is public, or nothing is moved"),
    ("listings.listing_no", "counts rows of this file"),
    ("listings.line_no", "the live line of the record"),
];
