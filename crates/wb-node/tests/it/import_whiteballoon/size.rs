//! A large database moves in one go; run it with `--release -- --ignored --nocapture` to see how long.

use super::build::Legacy;
use super::{Alice, FOR_REAL};

/// 1,000 members, 10,000 requests with 3 comments each.
fn large() -> Legacy {
    let legacy = Legacy::new();
    legacy.run(
        "BEGIN;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO users SELECT i, 'member' || i, 0, 'm' || i || '@example.org',
           '2026-01-01 10:00:00', iif(i % 3, 'public', 'private') FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO help_requests SELECT i, 'Request ' || i, printf('%.*c', 300, 'x') || i,
           iif(i % 5, 'open', 'completed'), NULL, 1 + i % 1000, '2026-02-01 10:00:00',
           '2026-02-02 10:00:00', NULL, iif(i % 2, 'public', 'private') FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
         INSERT INTO request_comments SELECT i, 1 + i % 10000, 1 + i % 1000, 'Comment ' || i,
           '2026-02-03 10:00:00', NULL, 'public' FROM n;
         COMMIT;",
    );
    legacy
}

#[test]
#[ignore = "takes a while without --release"]
fn ten_thousand_requests_move_in_one_go() {
    let legacy = large();
    let mut alice = Alice::found("alice");
    let started = wb_node::entropy::now();
    let report = alice.import(&legacy.path(), FOR_REAL);
    let done = wb_node::entropy::now();
    assert_eq!(report.changes(), 41_000);
    let again = alice.import(&legacy.path(), FOR_REAL);
    assert_eq!(again.changes(), 0);
    let end = wb_node::entropy::now();
    let [first, second] = [(done, started), (end, done)].map(|(b, a)| b.unix_ms() - a.unix_ms());
    eprintln!("first import {first} ms, second {second} ms");
}
