
-- Keys that others seal to. The newest stands on the card; older ones open what is still on its way.
CREATE TABLE sealing_keys (
    key_no     INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The public key, as age writes it.
    recipient  TEXT NOT NULL UNIQUE,
    -- The secret key, as age writes it.
    secret     TEXT NOT NULL,
    made_at    INTEGER NOT NULL,
    -- Recoveries of this instance when it was made: a later one makes another key due.
    era        INTEGER NOT NULL,
    -- When another took its place.
    retired_at INTEGER
);
