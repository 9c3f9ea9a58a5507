
-- Hubs and other nodes this one talks to.
CREATE TABLE peers (
    peer_no    INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    role       TEXT NOT NULL CHECK (role IN ('hub', 'node')),
    address    TEXT NOT NULL,
    -- Whether its address may be one of the own network.
    lan        INTEGER NOT NULL,
    name       TEXT NOT NULL,
    -- The follow list there, as JSON.
    follows    TEXT NOT NULL,
    cursor     TEXT,
    -- Heads of own feeds that it confirmed, as JSON.
    acked      TEXT NOT NULL,
    paused     INTEGER NOT NULL,
    -- What it said of the registration; null before it said anything.
    standing   TEXT CHECK (standing IN ('waiting', 'member', 'suspended')),
    reason     TEXT,
    until      INTEGER,
    -- Counts registrations there.
    counter    INTEGER NOT NULL,
    -- Where syncing with it stands, as JSON that only the state machine reads.
    state      TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_ok    INTEGER
);

-- Exchanges that moved something or failed. Numbers are never given again: lines name them.
CREATE TABLE runs (
    run_no           INTEGER PRIMARY KEY AUTOINCREMENT,
    peer             BLOB,
    road             TEXT NOT NULL CHECK (road IN ('hub', 'bundle')),
    -- The file's name or the address.
    detail           TEXT NOT NULL,
    started_at       INTEGER NOT NULL,
    -- Null while it runs, or when it was cut off.
    ended_at         INTEGER,
    outcome          TEXT,
    cause            TEXT,
    pushed_records   INTEGER NOT NULL DEFAULT 0,
    pushed_retracts  INTEGER NOT NULL DEFAULT 0,
    pulled_new       INTEGER NOT NULL DEFAULT 0,
    pulled_changed   INTEGER NOT NULL DEFAULT 0,
    pulled_gone      INTEGER NOT NULL DEFAULT 0,
    deltas_out       INTEGER NOT NULL DEFAULT 0,
    deltas_in        INTEGER NOT NULL DEFAULT 0,
    bytes_sent       INTEGER NOT NULL DEFAULT 0,
    bytes_received   INTEGER NOT NULL DEFAULT 0,
    round_trips      INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_peer ON runs (peer, run_no);
