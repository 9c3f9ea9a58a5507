-- Letters that were left where they wait, because nobody here accepted who they are from: only their number is told.
CREATE TABLE mail_left (
    place   BLOB NOT NULL,
    origin  BLOB NOT NULL,
    letters INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (place, origin)
) WITHOUT ROWID;
-- Up to which number they were left at a hub.
CREATE TABLE mail_passed (
    place BLOB PRIMARY KEY,
    n     INTEGER NOT NULL,
    -- What was known and decided here then; where that changed they are asked for again.
    stamp TEXT NOT NULL,
    at    INTEGER NOT NULL
) WITHOUT ROWID;
