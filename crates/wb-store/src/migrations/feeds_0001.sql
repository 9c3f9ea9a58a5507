-- Feeds, and who they are of: what the main file and a hub's have in common.
-- Numbers that end in _no are of this file only and never leave it.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- Instances known here, and what was decided about them by hand.
CREATE TABLE instances (
    instance_no INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    standing    TEXT NOT NULL CHECK (standing IN ('self', 'approved', 'waiting', 'blocked')),
    name        TEXT,
    first_seen  INTEGER NOT NULL
);

-- Identity logs, with the branches that left them: headers signed there have to be known for what
-- they are.
CREATE TABLE identity_entries (
    instance_no INTEGER NOT NULL REFERENCES instances,
    hash        BLOB NOT NULL,
    n           INTEGER NOT NULL,
    line        BLOB NOT NULL,
    -- 0 in the log; 1 on a branch that a recovery made void; 2 on a branch that contradicts the log.
    branch      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (instance_no, hash)
) WITHOUT ROWID;

-- Feeds at their heads. The head is null while nothing of the feed was taken and only marks are held.
CREATE TABLE feeds (
    feed_no     INTEGER PRIMARY KEY,
    instance_no INTEGER NOT NULL REFERENCES instances,
    scope       TEXT NOT NULL,
    log_no      INTEGER,
    seq         INTEGER,
    hash        BLOB,
    era         INTEGER,
    key         INTEGER,
    live        BLOB,
    live_n      INTEGER,
    forked      INTEGER NOT NULL DEFAULT 0,
    valid_until INTEGER,
    UNIQUE (instance_no, scope)
);

CREATE TABLE logs (
    log_no      INTEGER PRIMARY KEY,
    instance_no INTEGER NOT NULL REFERENCES instances,
    scope       TEXT NOT NULL,
    log         BLOB NOT NULL,
    generation  INTEGER NOT NULL,
    -- The signed first header; null while only a later header of the log was seen.
    first       BLOB,
    UNIQUE (instance_no, scope, log)
);

CREATE TABLE headers (
    log_no    INTEGER NOT NULL REFERENCES logs,
    seq       INTEGER NOT NULL,
    hash      BLOB NOT NULL,
    body_hash BLOB NOT NULL,
    -- The signed line; null where only the chain of a snapshot named it.
    line      BLOB,
    PRIMARY KEY (log_no, seq)
) WITHOUT ROWID;

-- Headers of deltas that were set aside (a fork, held, of a closed log) and whose retracts count.
CREATE TABLE asides (
    aside_no INTEGER PRIMARY KEY,
    log_no   INTEGER NOT NULL REFERENCES logs,
    hash     BLOB NOT NULL,
    line     BLOB NOT NULL,
    UNIQUE (log_no, hash)
);

-- Every entry seen: live ones with their line, others as the mark they leave.
CREATE TABLE feed_lines (
    line_no   INTEGER PRIMARY KEY,
    feed_no   INTEGER NOT NULL REFERENCES feeds,
    log_no    INTEGER NOT NULL REFERENCES logs,
    seq       INTEGER NOT NULL,
    -- The delta set aside that this mark is of; null for what was applied.
    aside_no  INTEGER REFERENCES asides,
    -- Place in the delta; null for what a snapshot brought and for what was set aside.
    idx       INTEGER,
    op        TEXT NOT NULL CHECK (op IN ('put', 'retract')),
    id        BLOB NOT NULL,
    rev       INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    line_hash BLOB,
    drops     BLOB,
    reason    TEXT,
    line      BLOB,
    -- 1 live in its feed; 2 while a snapshot is being taken; 0 a mark.
    live      INTEGER NOT NULL,
    -- Put or retracted by a delta that a recovery made void.
    void      INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX feed_lines_live ON feed_lines (feed_no, id) WHERE live = 1;
CREATE INDEX feed_lines_id ON feed_lines (id);
CREATE INDEX feed_lines_delta ON feed_lines (log_no, seq);

-- Deltas that wait, contradict or were refused, with their bytes. The same header with other lines is
-- another row: who carries a delta must not be able to keep the true one out.
CREATE TABLE held (
    held_no INTEGER PRIMARY KEY,
    origin  BLOB NOT NULL,
    scope   TEXT NOT NULL,
    outcome TEXT NOT NULL,
    rule    TEXT,
    hash    BLOB NOT NULL,
    log     BLOB NOT NULL,
    seq     INTEGER NOT NULL,
    header  BLOB NOT NULL,
    items   BLOB NOT NULL,
    at      INTEGER NOT NULL,
    -- SHA-256 of header and items.
    digest  BLOB NOT NULL UNIQUE
);
CREATE INDEX held_origin ON held (origin, outcome);

