
-- What members said last of the feeds of others, one row a feed and follower. `arrival` counts what came: a
-- row that is written over has another.
CREATE TABLE receipts (
    origin   BLOB NOT NULL,
    scope    TEXT NOT NULL,
    follower BLOB NOT NULL,
    -- Where the key stands in its follower's log that signed it; what an earlier key counted comes before.
    era      INTEGER NOT NULL,
    entry    INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    line     BLOB NOT NULL,
    arrival  INTEGER NOT NULL,
    PRIMARY KEY (origin, scope, follower)
) WITHOUT ROWID;
CREATE INDEX receipts_arrival ON receipts (origin, arrival);
