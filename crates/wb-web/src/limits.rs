//! Limits of the pages, each with what it protects.

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
