
-- What a hub keeps beside the feeds it relays.

CREATE TABLE members (
    instance_no     INTEGER PRIMARY KEY REFERENCES instances,
    -- Its id again, so that lists are read in their order without a join.
    id              BLOB NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    -- The body of the card it registered with.
    card            TEXT NOT NULL,
    listed          INTEGER NOT NULL,
    -- Counts what it said when it registered; the highest.
    counter         INTEGER NOT NULL,
    standing        TEXT NOT NULL CHECK (standing IN ('waiting', 'member', 'suspended')),
    reason          TEXT,
    until           INTEGER,
    since           INTEGER NOT NULL,
    -- The newest entry of its identity log that arrived for others.
    told            BLOB,
    -- Its follow list; ids of 32 bytes each, one after the other.
    follows_counter INTEGER NOT NULL DEFAULT 0,
    follows_all     INTEGER NOT NULL DEFAULT 0,
    follows_ids     BLOB NOT NULL DEFAULT x'',
    follows_except  BLOB NOT NULL DEFAULT x'',
    -- The number it last came with, and when.
    seen_n          INTEGER NOT NULL DEFAULT 0,
    seen_at         INTEGER
);
CREATE INDEX members_standing ON members (standing, id);

-- What arrived, in the order in which it counts: 1, 2, 3 … without a gap.
CREATE TABLE arrivals (
    n           INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('identity', 'delta', 'again')),
    instance_no INTEGER NOT NULL REFERENCES instances,
    scope       TEXT,
    log_no      INTEGER REFERENCES logs,
    seq         INTEGER,
    hash        BLOB NOT NULL,
    running     BLOB NOT NULL,
    at          INTEGER NOT NULL
);

-- Records of each kind are counted without reading their lines.
CREATE INDEX feed_lines_kinds ON feed_lines (feed_no, kind) WHERE live = 1;
-- What ended since a head that is still being paged.
CREATE INDEX feed_lines_ended ON feed_lines (feed_no, ended) WHERE ended IS NOT NULL;
-- The head that pages of a snapshot are of is named by its hash.
CREATE INDEX headers_hash ON headers (log_no, hash);
