
-- For whom a place keeps an envelope, and since when it was given there last. The envelope waits here all the same, until
-- its reader says by a want what it has.
CREATE TABLE envelopes_given (
    envelope_no INTEGER NOT NULL REFERENCES envelopes_out ON DELETE CASCADE,
    recipient   BLOB NOT NULL,
    place       BLOB NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (envelope_no, recipient, place)
) WITHOUT ROWID;
-- How often a member asked for what it was given already, and since when that is counted.
CREATE TABLE wants_again (
    member BLOB PRIMARY KEY,
    since  INTEGER NOT NULL,
    times  INTEGER NOT NULL
) WITHOUT ROWID;
-- Letters that were left are counted anew: by origin where that is proved, and those of others (no origin) together.
DELETE FROM mail_left;
DELETE FROM mail_passed;
DELETE FROM envelopes_left;
