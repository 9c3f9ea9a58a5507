-- Backups that were made, and those that failed: when, where, and what stood in the way.
CREATE TABLE backups (
    backup_no INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    path      TEXT NOT NULL,
    -- 1 for one that the node made by itself.
    scheduled INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    -- The hash of the file; null where there is none.
    sha256    BLOB,
    -- Null for a good one.
    problem   TEXT
);

-- The public key that backups are encrypted to, which is no secret; one row at most.
CREATE TABLE backup_recipient (
    row_no INTEGER PRIMARY KEY CHECK (row_no = 1),
    -- As age writes it.
    key    TEXT NOT NULL,
    -- Commitment of the recovery words that it was made from, as the identity log has it.
    of     BLOB NOT NULL
);
