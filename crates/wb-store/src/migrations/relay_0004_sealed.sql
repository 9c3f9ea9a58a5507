
-- Sealed envelopes that wait for their recipients.
CREATE TABLE envelopes (
    envelope_no INTEGER PRIMARY KEY AUTOINCREMENT,
    origin      BLOB NOT NULL,
    hash        BLOB NOT NULL,
    line        BLOB NOT NULL,
    body        BLOB NOT NULL,
    expires     INTEGER NOT NULL,
    -- Somebody else may give the same body in another name; that is another envelope.
    UNIQUE (origin, hash)
);
CREATE TABLE envelopes_for (
    recipient   BLOB NOT NULL,
    envelope_no INTEGER NOT NULL REFERENCES envelopes ON DELETE CASCADE,
    origin      BLOB NOT NULL,
    PRIMARY KEY (recipient, envelope_no)
) WITHOUT ROWID;
