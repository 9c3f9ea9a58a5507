
-- How often a peer is synced with by itself, where that was chosen for it; 0: by hand only.
CREATE TABLE peer_intervals (
    peer    BLOB PRIMARY KEY,
    minutes INTEGER NOT NULL
) WITHOUT ROWID;

-- Deltas of own feeds that went out by a run: from number to number of a log.
CREATE TABLE run_sent (
    run_no INTEGER NOT NULL,
    log_no INTEGER NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (run_no, log_no, first)
) WITHOUT ROWID;

-- Up to where whom carries a feed was seen to have it: the head it gave or named last.
CREATE TABLE roads (
    instance_no INTEGER NOT NULL REFERENCES instances,
    scope       TEXT NOT NULL,
    -- With a peer: which; of files there is one row, of the last that had the feed, and this is empty.
    peer        BLOB NOT NULL,
    road        TEXT NOT NULL,
    -- The file's name or the address.
    detail      TEXT NOT NULL,
    log         BLOB NOT NULL,
    generation  INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (instance_no, scope, road, peer)
) WITHOUT ROWID;

-- What a peer does not give although its origin signed it, with what proves it.
CREATE TABLE doubts (
    peer   BLOB NOT NULL,
    origin BLOB NOT NULL,
    scope  TEXT NOT NULL,
    kind   TEXT NOT NULL CHECK (kind IN ('stale', 'withheld')),
    -- The place that was here, and not there, when it was first noticed.
    log    BLOB NOT NULL,
    seq    INTEGER NOT NULL,
    since  INTEGER NOT NULL,
    -- When it was looked at last.
    at     INTEGER NOT NULL,
    -- The signed answer and the signed header, as JSON; null where there is nothing to show.
    proof  TEXT,
    PRIMARY KEY (peer, origin, scope, kind)
) WITHOUT ROWID;

-- Numbers that only rise, for whoever watches this node.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    n    INTEGER NOT NULL
) WITHOUT ROWID;

-- Whom this instance refuses since when, and under which name it was known: nothing else of it stays.
CREATE TABLE refusals (
    id   BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    at   INTEGER NOT NULL
) WITHOUT ROWID;

-- When the heads a hub has were last compared with those held here.
ALTER TABLE peers ADD COLUMN heads_at INTEGER;
