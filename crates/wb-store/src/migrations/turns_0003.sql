-- Whose turn it is: copies of one instance, as they came to sync here. Two that run at one time are told.
CREATE TABLE turns (
    instance BLOB NOT NULL,
    turn     BLOB NOT NULL,
    n        INTEGER NOT NULL,
    -- Which machine that is, in its own words.
    machine  TEXT NOT NULL,
    at       INTEGER NOT NULL,
    standing TEXT NOT NULL CHECK (standing IN ('latest', 'beside', 'ended')),
    -- Turns it took before, 16 bytes each.
    passed   BLOB NOT NULL,
    -- The newest first.
    place    INTEGER NOT NULL,
    PRIMARY KEY (instance, turn)
) WITHOUT ROWID;
