//! Figures of what is short, however much is held.

use super::figure;
use crate::all::figure::{Figure, Target, Unit};

const FILE_SERVER: &str = "one request to a plain file server";
const SAME_PAGE: &str = "the same page as a file from a plain server";

/// 100 changes among N.
pub const T2: Figure = figure(
    "t2",
    "T2: 100 changes among N",
    Unit::Milliseconds,
    "plain SQLite, the same 100 rows in one commit",
    Target::AtMost(25.0),
);
/// Their bytes.
pub const T2_WIRE: Figure = figure(
    "t2_wire",
    "… bytes both ways",
    Unit::Bytes,
    "zstd -3 of the 100 lines",
    Target::OverLimitAtMost(1_536.0),
);
/// Nothing new: how long.
pub const T3: Figure = figure(
    "t3",
    "T3: nothing new",
    Unit::Milliseconds,
    FILE_SERVER,
    Target::Nothing,
);
/// Nothing new: CPU time of the hub.
pub const T3_SERVER: Figure = figure(
    "t3_server",
    "… CPU time of the server",
    Unit::Milliseconds,
    "",
    Target::AtMost(2.0),
);
/// Nothing new: requests.
pub const T3_ROUND_TRIPS: Figure = figure(
    "t3_round_trips",
    "… round trips",
    Unit::RoundTrips,
    "",
    Target::AtMost(1.0),
);
/// Nothing new: bytes both ways.
pub const T3_WIRE: Figure = figure(
    "t3_wire",
    "… bytes both ways",
    Unit::Bytes,
    "",
    Target::AtMost(1_500.0),
);
/// Ten followers at once.
pub const T4: Figure = figure(
    "t4",
    "T4: ten followers at once, N records each",
    Unit::RecordsPerSecond,
    "one follower, times the cores that can be used",
    Target::OfLimitAtLeast(0.8),
);
/// An empty node takes the records of N instances.
pub const CROWD: Figure = figure(
    "crowd",
    "N instances of 10 records each, from a hub",
    Unit::RecordsPerSecond,
    "",
    Target::Nothing,
);
/// Nothing new from N instances.
pub const CROWD_NEWS: Figure = figure(
    "crowd_news",
    "… nothing new of N instances",
    Unit::Milliseconds,
    FILE_SERVER,
    Target::Nothing,
);
/// Its bytes.
pub const CROWD_NEWS_WIRE: Figure = figure(
    "crowd_news_wire",
    "… bytes both ways",
    Unit::Bytes,
    "",
    Target::AtMost(1_500.0),
);
/// Publish and push of one changed record.
pub const ONE: Figure = figure(
    "publish_push_one",
    "publish and push one changed record among N",
    Unit::Milliseconds,
    "one fsync",
    Target::OverLimitAtMost(5.0),
);
/// A hub giving stored bodies.
pub const SERVING: Figure = figure(
    "hub_serving",
    "hub: a page of a snapshot, again and again",
    Unit::MebibytesPerSecond,
    "the same body as a file, plain server over the same HTTP library",
    Target::OfLimitAtLeast(0.5),
);
/// The list of requests, 99 of 100.
pub const FEED_PAGE: Figure = figure(
    "page_feed_p99",
    "page of requests at 100/s: 99 of 100 within",
    Unit::Milliseconds,
    SAME_PAGE,
    Target::AtMost(20.0),
);
/// The list of requests, half.
pub const FEED_PAGE_MEDIAN: Figure = figure(
    "page_feed_p50",
    "… half within",
    Unit::Milliseconds,
    SAME_PAGE,
    Target::Nothing,
);
/// One request's page, 99 of 100.
pub const REQUEST_PAGE: Figure = figure(
    "page_request_p99",
    "page of one request at 100/s: 99 of 100 within",
    Unit::Milliseconds,
    SAME_PAGE,
    Target::AtMost(20.0),
);
/// One request's page, half.
pub const REQUEST_PAGE_MEDIAN: Figure = figure(
    "page_request_p50",
    "… half within",
    Unit::Milliseconds,
    SAME_PAGE,
    Target::Nothing,
);
/// `wb up` until it answers.
pub const START: Figure = figure(
    "start",
    "`wb up` until `/readyz` is well, N records",
    Unit::Milliseconds,
    "`wb --version`",
    Target::AtMost(150.0),
);
/// The program.
pub const BINARY: Figure = figure(
    "binary",
    "the program `wb`",
    Unit::Mebibytes,
    "",
    Target::AtMost(30.0),
);
/// Levels of all instances.
pub const TRUST: Figure = figure(
    "trust",
    "levels of N instances, 20 vouches each",
    Unit::Milliseconds,
    "the distances alone, over the same vouches",
    Target::AtMost(100.0),
);
