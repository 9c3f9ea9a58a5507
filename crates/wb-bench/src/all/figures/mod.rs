//! Every figure of the table, with its target (step H).

mod bulk;
mod small;

pub use bulk::{
    EXPORT, IMPORT, IMPORT_MEMORY, IMPORT_POSTGRES, PUSH, PUSH_HUB_MEMORY, SEAL, SEAL_MEMORY, T1,
    T1_MEMORY, T1_POSTGRES, T1_RATE, T1_TABLES, T1_WIRE, VERIFY, VERIFY_MEMORY,
};
pub use small::{
    BINARY, CROWD, CROWD_NEWS, CROWD_NEWS_WIRE, FEED_PAGE, FEED_PAGE_MEDIAN, ONE, REQUEST_PAGE,
    REQUEST_PAGE_MEDIAN, SERVING, START, T2, T2_WIRE, T3, T3_ROUND_TRIPS, T3_SERVER, T3_WIRE, T4,
    TRUST,
};

use super::figure::{Figure, Target, Unit};

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

/// All of them, in the order of the table.
pub const ALL: [Figure; 35] = [
    T1,
    T1_TABLES,
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
