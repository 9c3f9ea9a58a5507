//! A hub in PostgreSQL as one that is moved from, and one that is moved into (decision 0079).
//!
//! A database that is filled, or that a hub has left, is fenced: `needs` is a number that no program knows, so nobody
//! writes to it, whichever version it runs (`fence`). Rows go out and in by `read` and `write`.

pub(crate) mod fence;
mod read;
mod write;

pub use fence::{PgSource, Place, look};
pub use read::PgRows;
pub use write::PgFilling;

/// Every table of a hub, but for the two that say what the tables are.
pub const TABLES: [&str; 26] = [
    "relay",
    "waiting",
    "members",
    "seen",
    "invites",
    "identity_entries",
    "feeds",
    "logs",
    "headers",
    "asides",
    "lines",
    "held",
    "held_lines",
    "arriving",
    "arrivals",
    "withheld",
    "replies",
    "decided",
    "receipt_counts",
    "receipts",
    "envelopes",
    "envelopes_for",
    "mail",
    "turns",
    "listings",
    "untold",
];

/// What these tables have and no row carries, and why: `table` or `table.column`. A test holds this list against the
/// database.
pub const NOT_CARRIED: &[(&str, &str)] = &[
    ("hub_schema", "says what the tables are"),
    ("hub_move", "says that they are moved"),
    ("waiting", "its count is in relay"),
    ("seen", "carried with members"),
    ("arriving", "numbered before anything is moved"),
    ("untold", "told before anything is moved"),
    ("decided", "counts for the processes of this database"),
    ("relay.one", "there is one"),
    (
        "relay.owner",
        "the instance of the folder, which is asked for",
    ),
    ("feeds.last_line", "the highest there is"),
    ("feeds.last_log", "the highest there is"),
    ("feeds.last_aside", "the highest there is"),
    ("feeds.last_held", "the highest there is"),
    ("feeds.ended_before", "set anew: after the last line"),
    ("feeds.bound", "counted anew"),
    ("feeds.served", "begins where no store was"),
    ("listings.line_no", "the live line of the record"),
];
