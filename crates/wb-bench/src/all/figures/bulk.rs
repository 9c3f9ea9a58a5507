//! Figures of moving N records.

use super::figure;
use crate::all::figure::{Figure, Target, Unit};

/// Rows a second that plain SQLite takes are the limit of everything that ends in a database.
const SQLITE: &str = "plain SQLite, same rows and indexes";
const SQLITE_SHARE: f64 = 0.6;
const TABLES: &str = "plain SQLite, a node's two rows with all their indexes";
const POSTGRES: &str = "PostgreSQL logical replication, same rows and indexes";
const MEMORY_MIB_MAX: f64 = 128.0;
const ZSTD: &str = "zstd -3 of the lines";

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
/// The same beside the rows and indexes that a node keeps of each record.
pub const T1_TABLES: Figure = figure(
    "t1_tables",
    "… beside the node's own tables",
    Unit::RecordsPerSecond,
    TABLES,
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
