//! Limits of the pages, each with what it protects.

use wb_hub::Rate;

/// Bytes of a form; the longest text that a record takes, several times over for percent-encoding.
pub const FORM_BYTES_MAX: usize = 512 * 1_024;
/// Fields of a form: a page with a box for each of many records has the most.
pub const FORM_FIELDS_MAX: usize = 2_000;
/// Nodes kept open for the next request; more are opened when they are needed and closed again.
pub const NODES_KEPT_MAX: usize = 4;
/// Rows on one page of a list.
pub const ROWS_PER_PAGE: usize = 50;
/// Entries of a feed for readers: those ask often, and keep what they had.
pub const FEED_ENTRIES_MAX: usize = 50;
/// How long the link for founding works.
pub const SETUP_MINUTES: i64 = 30;
/// Rows on one page of a hub; each may be read by everybody.
pub const HUB_ROWS_PER_PAGE: usize = 30;
/// Comments on one page of a request at a hub.
pub const HUB_COMMENTS_PER_PAGE: usize = 100;
/// Feeds of which it is remembered since when they are as they are; protects memory.
pub const FEEDS_REMEMBERED_MAX: usize = 1_000;
/// Characters of what is searched for at a hub.
pub const SEARCH_CHARS_MAX: usize = 200;
/// Hours after which a moderator's browser that did nothing has to log in again.
pub const MODERATOR_IDLE_HOURS: i64 = 12;
/// Pages of a hub for one address: reading fast is well within it, and searching everything in a loop is not.
pub const HUB_PAGE_RATE: Rate = Rate {
    burst: 240,
    every_ms: 250,
};
/// Addresses of which it is remembered how often they asked; protects memory.
pub const HUB_PAGE_KEYS_MAX: usize = 65_536;
