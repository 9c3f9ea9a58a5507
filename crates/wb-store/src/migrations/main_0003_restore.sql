-- Own feeds that go on in a new log with the next sealing: after a restore, a recovery, a theft.
CREATE TABLE own_log (
    scope TEXT PRIMARY KEY,
    -- `follow`: the log goes on from the head held; `afresh`: from nothing, and everything live is put again.
    opens TEXT NOT NULL CHECK (opens IN ('follow', 'afresh')),
    -- What brought it about, for people.
    why   TEXT NOT NULL,
    at    INTEGER NOT NULL
) WITHOUT ROWID;
