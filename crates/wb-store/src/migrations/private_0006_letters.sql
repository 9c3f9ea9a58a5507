-- The latest that this instance told another in a thread; receipts count for themselves.
CREATE TABLE letters_out (
    letter_no   INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient   BLOB NOT NULL,
    thread      BLOB NOT NULL,
    is_receipt  INTEGER NOT NULL CHECK (is_receipt IN (0, 1)),
    n           INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    -- The exact words. Empty once they are of no use here any more.
    body        TEXT NOT NULL,
    -- Of whom it is; null: of the instance.
    owner       BLOB,
    -- The record here that it is the copy of, and the request it is about.
    request_origin BLOB,
    request     BLOB,
    -- What its owner said yes to: who, for whom, and the hash of the words shown.
    act_by      BLOB,
    act_to      BLOB,
    act_shown   BLOB,
    at          INTEGER NOT NULL,
    expires     INTEGER NOT NULL,
    -- As it is sealed now, and under which identity entry and to which key that was done.
    line        BLOB,
    sealed      BLOB,
    hash        BLOB,
    sealed_by   BLOB,
    sealed_to   TEXT,
    -- Why it is not sealed, in one word.
    blocked     TEXT,
    -- What the receiver said last: the number of its receipt, its state, and when that came.
    receipt_n   INTEGER NOT NULL DEFAULT 0,
    receipt     TEXT,
    receipt_at  INTEGER,
    -- When its owner was told that it did not arrive.
    lost_at     INTEGER,
    UNIQUE (recipient, thread, is_receipt)
);
CREATE INDEX letters_out_by_owner ON letters_out (owner);
CREATE INDEX letters_out_by_hash ON letters_out (hash);
-- To whom a letter was given, and whether it is kept there.
CREATE TABLE letters_given (
    letter_no INTEGER NOT NULL REFERENCES letters_out ON DELETE CASCADE,
    place     BLOB NOT NULL,
    kept      INTEGER NOT NULL CHECK (kept IN (0, 1)),
    at        INTEGER NOT NULL,
    PRIMARY KEY (letter_no, place)
) WITHOUT ROWID;

-- The latest that another instance told this one in a thread.
CREATE TABLE letters_in (
    origin     BLOB NOT NULL,
    thread     BLOB NOT NULL,
    n          INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    -- The signed line of the letter. Of a kind that is not known here it is kept all the same.
    line       BLOB NOT NULL,
    -- The own request it is about.
    request    BLOB,
    at         INTEGER NOT NULL,
    -- The own record that it was published as.
    published  BLOB,
    -- `arrived`, `published`, `erasing` until what was made of it is gone, or `erased`.
    state      TEXT NOT NULL CHECK (state IN ('arrived', 'published', 'erasing', 'erased')),
    -- Receipts given in this thread, and whether another is owed.
    receipt_n  INTEGER NOT NULL DEFAULT 0,
    owes       INTEGER NOT NULL CHECK (owes IN (0, 1)),
    PRIMARY KEY (origin, thread)
) WITHOUT ROWID;
CREATE INDEX letters_in_by_request ON letters_in (request);
