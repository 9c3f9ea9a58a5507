
-- Why a record is taken back, until that is sealed; where there is no row, because of its scope.
CREATE TABLE retract_reasons (
    id     BLOB PRIMARY KEY,
    reason TEXT NOT NULL CHECK (reason IN ('scope', 'erase', 'mistake'))
) WITHOUT ROWID;

-- What followers said last of the own feeds, one row a feed and follower.
CREATE TABLE receipts (
    scope    TEXT NOT NULL,
    follower BLOB NOT NULL,
    -- Where the key stands in its follower's log that signed it; what an earlier key counted comes before.
    era      INTEGER NOT NULL,
    entry    INTEGER NOT NULL,
    n        INTEGER NOT NULL,
    -- The signed line.
    line     BLOB NOT NULL,
    -- The follower's identity log as it came with it, one entry a line.
    identity BLOB NOT NULL,
    name     TEXT NOT NULL,
    -- The hub that handed it on, and when that was.
    hub      BLOB NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (scope, follower)
) WITHOUT ROWID;

-- Up to where receipts of a hub were read, how many follow this instance there, and when it was read from the beginning.
CREATE TABLE receipts_read (
    hub       BLOB PRIMARY KEY,
    after     INTEGER NOT NULL,
    followers INTEGER NOT NULL,
    whole_at  INTEGER NOT NULL
) WITHOUT ROWID;

-- What this instance said last of the feeds of others, and where.
CREATE TABLE receipts_given (
    peer   BLOB NOT NULL,
    origin BLOB NOT NULL,
    scope  TEXT NOT NULL,
    n      INTEGER NOT NULL,
    -- Hash over the place it is about.
    said   BLOB NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (peer, origin, scope)
) WITHOUT ROWID;

-- What was taken back of a feed of others within a day: since when, how many were live then, and how many it is.
CREATE TABLE retract_days (
    feed_no     INTEGER PRIMARY KEY,
    since       INTEGER NOT NULL,
    live_before INTEGER NOT NULL,
    retracted   INTEGER NOT NULL
) WITHOUT ROWID;

-- Lines that are hidden and erased later, because much was taken back at once: by which delta they were dropped.
CREATE TABLE kept_lines (
    feed_no   INTEGER NOT NULL,
    log_no    INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    line_hash BLOB NOT NULL,
    line      BLOB NOT NULL,
    until     INTEGER NOT NULL,
    PRIMARY KEY (feed_no, line_hash)
) WITHOUT ROWID;
CREATE INDEX kept_lines_until ON kept_lines (until);
