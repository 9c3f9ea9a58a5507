-- Own feeds that go on in a new log with the next sealing: after a restore, a recovery, a theft.
CREATE TABLE own_log (
    scope TEXT PRIMARY KEY,
    -- `follow`: the log goes on from the head held; `afresh`: from nothing, and everything live is put again.
    opens TEXT NOT NULL CHECK (opens IN ('follow', 'afresh')),
    -- What brought it about, for people.
    why   TEXT NOT NULL,
    at    INTEGER NOT NULL
) WITHOUT ROWID;

-- What peers said of other copies of this instance: nothing is sealed while one is here.
CREATE TABLE own_copies (
    peer    BLOB PRIMARY KEY,
    outcome TEXT NOT NULL CHECK (outcome IN ('two_copies', 'settled_elsewhere')),
    -- The other copy: its machine, and when it was there.
    machine TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    told_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Heads of own feeds that another copy had sealed and given away: what was live there is settled, so whoever
-- stands there is behind, and not ahead.
CREATE TABLE own_passed (
    scope TEXT NOT NULL,
    log   BLOB NOT NULL,
    seq   INTEGER NOT NULL,
    hash  BLOB NOT NULL,
    PRIMARY KEY (scope, log, seq, hash)
) WITHOUT ROWID;
