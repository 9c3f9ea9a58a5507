//! Limits of the pages, each with what it protects.

use wb_net::rates::Rate;

/// Bytes of a form; the longest text that a record takes, several times over for percent-encoding.
pub const FORM_BYTES_MAX: usize = 512 * 1_024;
/// Fields of a form: a page with a box for each of many records has the most.
pub const FORM_FIELDS_MAX: usize = 2_000;
/// Nodes kept open for the next request; more are opened when they are needed and closed again.
pub const NODES_KEPT_MAX: usize = 4;
/// Rows on one page of a list.
pub const ROWS_PER_PAGE: usize = 50;
/// Requests held, shown or not, up to which the list of them is read whole and counted; a list of more is walked along.
pub const LISTED_WHOLE_MAX: u64 = 500;
/// Communities beside such a list; of more the page of members leads to each.
pub const HOMES_SHOWN_MAX: usize = 30;
/// Entries of a feed for readers: those ask often, and keep what they had.
pub const FEED_ENTRIES_MAX: usize = 50;
/// How long the link for founding works.
pub const SETUP_MINUTES: i64 = 30;

/// Pages of one member. A browser that follows every link of a person fast stays far below; a script that
/// reads everything is slowed down.
pub const MEMBER_RATE: Rate = Rate {
    burst: 300,
    every_ms: 200,
};
/// Pages for browsers of one address that are not in. A whole hall may be behind one address, and each of its
/// people asks a few times before being in.
pub const ADDRESS_RATE: Rate = Rate {
    burst: 300,
    every_ms: 500,
};
/// What somebody could try out secrets or handles at: log-in, invitations, links for founding and for who is
/// locked out; from one address.
pub const DOOR_RATE: Rate = Rate {
    burst: 60,
    every_ms: 10_000,
};
/// Pictures that are fetched for one member: each makes this node ask another computer, and unpacks a file of
/// somebody else.
pub const PICTURE_RATE: Rate = Rate {
    burst: 20,
    every_ms: 15_000,
};
/// Pictures that are fetched at the same time; each may hold a thread for some seconds, and unpacking one takes up
/// to a hundred megabytes.
pub const PICTURES_AT_ONCE_MAX: usize = 2;
/// Seconds after which somebody who came while others were fetching tries again.
pub const PICTURE_WAIT_SECONDS: u64 = 10;
/// Members or addresses of which it is known how often they asked; protects memory (some 5 MB each).
pub const RATE_KEYS_MAX: usize = 65_536;

/// How long a browser that came over TLS comes by nothing else.
pub(crate) const TLS_ONLY_SECONDS: u64 = 180 * 24 * 60 * 60;

/// Streams of one browser, one for each tab that is looked at: a browser has six connections to a site, and
/// pages need some.
pub const STREAMS_PER_SESSION_MAX: usize = 3;
/// Streams of browsers that wait to be let in, one each: whoever asks to be let in must not take the streams of
/// members.
pub const STREAMS_WAITING_MAX: usize = 50;
/// Streams in all; each holds a connection, and there are a thousand.
pub const STREAMS_MAX: usize = 400;

/// Things behind one item of the inbox, or records of one exchange, that are listed; the command line lists all.
pub const THINGS_SHOWN_MAX: usize = 200;
/// Rows on one page of a hub; each may be read by everybody.
pub const HUB_ROWS_PER_PAGE: usize = 30;
/// Requests that one search at a hub looks at; whoever wants older ones asks for the next page.
pub const HUB_SEARCHED_ROWS_MAX: usize = 5_000;
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
