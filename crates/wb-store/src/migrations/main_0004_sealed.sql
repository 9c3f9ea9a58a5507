
-- Who may read what is shared with trusted peers only, as the operator of this instance chose.
CREATE TABLE audience (
    member      BLOB PRIMARY KEY,
    -- `in`; `leaving`: removed, and what takes it all back from there is not sealed yet; `parted`: that was sealed, and
    -- it did not say yet that it has it; `unsure`: this copy was restored, and may be from before it was removed.
    standing    TEXT NOT NULL CHECK (standing IN ('in', 'leaving', 'parted', 'unsure')),
    -- Of records before it this member gets no lines.
    since       INTEGER,
    added_at    INTEGER NOT NULL,
    -- The key it is sealed to, and the recoveries of its owner when that key was taken.
    sealing_key TEXT NOT NULL,
    era         INTEGER NOT NULL,
    -- Since when that key is one that nobody here confirmed: of records before it there are no lines either.
    rekeyed_at  INTEGER,
    -- Whether it is given all of the feed once more, whatever it has: lines that it was not given before fill what it has.
    whole       INTEGER NOT NULL,
    -- The head of the trusted feed that its last want named, and the one that was sealed to it last.
    held        TEXT,
    held_at     INTEGER,
    given       TEXT,
    given_at    INTEGER,
    -- Whether anything was ever sealed to it; never unset.
    had         INTEGER NOT NULL,
    -- What takes it all back from there, kept until it said that it has it.
    parting     BLOB
) WITHOUT ROWID;

-- A generation that somebody holds of an own feed and that is not known here: the new log has to be above it.
ALTER TABLE own_log ADD COLUMN above INTEGER;

-- Envelopes that were sealed and wait until somebody took or keeps them.
CREATE TABLE envelopes_out (
    envelope_no INTEGER PRIMARY KEY AUTOINCREMENT,
    hash        BLOB NOT NULL UNIQUE,
    line        BLOB NOT NULL,
    body        BLOB NOT NULL,
    -- `feed`; `part`: what takes it all back; or `want`: a later one takes the place of an earlier one.
    purpose     TEXT NOT NULL,
    made_at     INTEGER NOT NULL,
    expires     INTEGER NOT NULL
);
CREATE TABLE envelopes_out_for (
    recipient   BLOB NOT NULL,
    envelope_no INTEGER NOT NULL REFERENCES envelopes_out ON DELETE CASCADE,
    PRIMARY KEY (recipient, envelope_no)
) WITHOUT ROWID;

-- Envelopes that came: what comes again by another road is passed over.
CREATE TABLE envelopes_in (
    origin  BLOB NOT NULL,
    hash    BLOB NOT NULL,
    at      INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- The rule it broke; null where it was taken.
    rule    TEXT,
    PRIMARY KEY (origin, hash)
) WITHOUT ROWID;
-- To whom a want is owed, because an envelope of it came.
CREATE TABLE wants_owed (
    origin BLOB PRIMARY KEY
) WITHOUT ROWID;

-- Envelopes that a hub was offered and has nobody for. Somebody may have joined since, so it is offered them again later.
CREATE TABLE envelopes_asked (
    envelope_no INTEGER NOT NULL REFERENCES envelopes_out ON DELETE CASCADE,
    hub         BLOB NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (envelope_no, hub)
) WITHOUT ROWID;

-- Up to which number envelopes at a hub were left there because nobody here accepted their origins.
CREATE TABLE envelopes_left (
    hub   BLOB PRIMARY KEY,
    n     INTEGER NOT NULL,
    -- What was known and decided here then; where that changed they are asked for again.
    stamp TEXT NOT NULL,
    at    INTEGER NOT NULL
) WITHOUT ROWID;
