//! Every figure of the table, with its target (step H).

use super::figure::{Figure, Target, Unit};

/// Rows a second that plain SQLite takes are the limit of everything that ends in a database.
const SQLITE: &str = "plain SQLite, same rows and indexes";
const SQLITE_SHARE: f64 = 0.6;
const POSTGRES: &str = "PostgreSQL logical replication, same rows and indexes";
const MEMORY_MIB_MAX: f64 = 128.0;
const ZSTD: &str = "zstd -3 of the lines";

/// A figure in one line.
const fn figure(
    id: &'static str,
    what: &'static str,
    unit: Unit,
    limit: &'static str,
    target: Target,
) -> Figure {
    Figure {
        id,
        what,
        unit,
        limit,
        target,
    }
}

/// Sealing N records for the first time.
pub const SEAL: Figure = figure(
    "seal",
    "seal N records the first time",
    Unit::RecordsPerSecond,
    SQLITE,
    Target::Nothing,
);
/// Its peak memory.
pub const SEAL_MEMORY: Figure = figure(
    "seal_memory",
    "… peak memory",
    Unit::Mebibytes,
    "",
    Target::Nothing,
);
/// Bringing all to a hub.
pub const PUSH: Figure = figure(
    "push",
    "push N records to an empty hub",
    Unit::RecordsPerSecond,
    SQLITE,
    Target::Nothing,
);
/// The peak memory of the hub meanwhile.
pub const PUSH_HUB_MEMORY: Figure = figure(
    "push_hub_memory",
    "… peak memory of the hub",
    Unit::Mebibytes,
    "",
    Target::Nothing,
);
/// An empty node takes N records from a hub.
pub const T1: Figure = figure(
    "t1",
    "T1: N records from a hub",
    Unit::RecordsPerSecond,
    SQLITE,
    Target::OfLimitAtLeast(SQLITE_SHARE),
);
/// The same beside PostgreSQL.
pub const T1_POSTGRES: Figure = figure(
    "t1_postgres",
    "… beside PostgreSQL",
    Unit::RecordsPerSecond,
    POSTGRES,
    Target::OfLimitAtLeast(1.0),
);
/// The same alone.
pub const T1_RATE: Figure = figure(
    "t1_rate",
    "… by itself, where the limit allows",
    Unit::RecordsPerSecond,
    SQLITE,
    Target::AtLeastWhereLimitAllows(100_000.0),
);
/// The node's peak memory.
pub const T1_MEMORY: Figure = figure(
    "t1_memory",
    "… peak memory of the node",
    Unit::Mebibytes,
    "",
    Target::AtMost(MEMORY_MIB_MAX),
);
/// Bytes on the node's socket, both ways.
pub const T1_WIRE: Figure = figure(
    "t1_wire",
    "… bytes both ways",
    Unit::Bytes,
    ZSTD,
    Target::OfLimitAtMost(1.25),
);
/// Writing a bundle of N records.
pub const EXPORT: Figure = figure(
    "bundle_export",
    "bundle export, zstd",
    Unit::RecordsPerSecond,
    "plain SQLite read by id into zstd -3",
    Target::AtLeast(300_000.0),
);
/// Verifying it.
pub const VERIFY: Figure = figure(
    "bundle_verify",
    "bundle verify",
    Unit::RecordsPerSecond,
    "unzstd and SHA-256 of each line",
    Target::AtLeast(300_000.0),
);
/// Taking it into an empty node.
pub const IMPORT: Figure = figure(
    "bundle_import",
    "bundle import into an empty node",
    Unit::RecordsPerSecond,
    SQLITE,
    Target::OfLimitAtLeast(SQLITE_SHARE),
);
/// The same beside PostgreSQL.
pub const IMPORT_POSTGRES: Figure = figure(
    "bundle_import_postgres",
    "… beside PostgreSQL",
    Unit::RecordsPerSecond,
    POSTGRES,
    Target::OfLimitAtLeast(1.0),
);
/// Its peak memory.
pub const IMPORT_MEMORY: Figure = figure(
    "bundle_import_memory",
    "… peak memory",
    Unit::Mebibytes,
    "",
    Target::AtMost(MEMORY_MIB_MAX),
);
/// The peak memory of verifying.
pub const VERIFY_MEMORY: Figure = figure(
    "bundle_verify_memory",
    "bundle verify: peak memory",
    Unit::Mebibytes,
    "",
    Target::Nothing,
);
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
    "one request to a plain file server",
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
    "one request to a plain file server",
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
    "the same page as a file from a plain server",
    Target::AtMost(20.0),
);
/// The list of requests, half.
pub const FEED_PAGE_MEDIAN: Figure = figure(
    "page_feed_p50",
    "… half within",
    Unit::Milliseconds,
    "the same page as a file from a plain server",
    Target::Nothing,
);
/// One request's page, 99 of 100.
pub const REQUEST_PAGE: Figure = figure(
    "page_request_p99",
    "page of one request at 100/s: 99 of 100 within",
    Unit::Milliseconds,
    "the same page as a file from a plain server",
    Target::AtMost(20.0),
);
/// One request's page, half.
pub const REQUEST_PAGE_MEDIAN: Figure = figure(
    "page_request_p50",
    "… half within",
    Unit::Milliseconds,
    "the same page as a file from a plain server",
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

/// All of them, in the order of the table.
pub const ALL: [Figure; 34] = [
    T1,
    T1_POSTGRES,
    T1_RATE,
    T1_MEMORY,
    T1_WIRE,
    IMPORT,
    IMPORT_POSTGRES,
    IMPORT_MEMORY,
    EXPORT,
    VERIFY,
    VERIFY_MEMORY,
    SEAL,
    SEAL_MEMORY,
    PUSH,
    PUSH_HUB_MEMORY,
    T2,
    T2_WIRE,
    T3,
    T3_SERVER,
    T3_ROUND_TRIPS,
    T3_WIRE,
    T4,
    CROWD,
    CROWD_NEWS,
    CROWD_NEWS_WIRE,
    ONE,
    SERVING,
    FEED_PAGE,
    FEED_PAGE_MEDIAN,
    REQUEST_PAGE,
    REQUEST_PAGE_MEDIAN,
    START,
    BINARY,
    TRUST,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ALL;

    #[test]
    fn each_figure_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = ALL.iter().map(|figure| figure.id).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
