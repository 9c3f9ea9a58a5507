
-- Pairs of this node with others, each beside its row in `peers`.
CREATE TABLE pairs (
    id    BLOB PRIMARY KEY REFERENCES peers (id) ON DELETE CASCADE,
    -- `asked`: a person here has to confirm. `offered`: agreed to here, and not known to be there. `paired`: both.
    state TEXT NOT NULL CHECK (state IN ('asked', 'offered', 'paired')),
    -- The words that both sides compare.
    words TEXT NOT NULL,
    -- The token of the link that was accepted, until both agreed.
    token BLOB,
    since INTEGER NOT NULL,
    -- The address on its card that was tried last.
    tried TEXT
) WITHOUT ROWID;

-- Links that pair. Of their tokens only the hash is kept.
CREATE TABLE pair_links (
    link    BLOB PRIMARY KEY,
    made_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    -- Who used it.
    used_by BLOB
) WITHOUT ROWID;

-- Exchanges go by two more roads. A check of a column cannot be changed, so the table is made anew.
CREATE TABLE runs_anew (
    run_no           INTEGER PRIMARY KEY AUTOINCREMENT,
    peer             BLOB,
    road             TEXT NOT NULL CHECK (road IN ('hub', 'bundle', 'direct', 'folder')),
    -- The file's name, the folder or the address.
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
INSERT INTO runs_anew (run_no, peer, road, detail, started_at, ended_at, outcome, cause, pushed_records,
    pushed_retracts, pulled_new, pulled_changed, pulled_gone, deltas_out, deltas_in, bytes_sent, bytes_received,
    round_trips)
SELECT run_no, peer, road, detail, started_at, ended_at, outcome, cause, pushed_records, pushed_retracts,
    pulled_new, pulled_changed, pulled_gone, deltas_out, deltas_in, bytes_sent, bytes_received, round_trips
FROM runs;
-- Numbers are never given again, also those of runs that are gone.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'runs_anew', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'runs_anew');
UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'runs'), 0))
WHERE name = 'runs_anew';
DROP TABLE runs;
ALTER TABLE runs_anew RENAME TO runs;
CREATE INDEX runs_peer ON runs (peer, run_no);
