
-- Deltas of own feeds that were sealed in this folder, and on which computer: so that what somebody else
-- sealed with a stolen key is told from it.
CREATE TABLE sealed_here (
    -- Hash of the header.
    hash    BLOB PRIMARY KEY,
    -- Empty where that was not noted.
    machine TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO sealed_here (hash, machine)
    SELECT DISTINCT h.hash, '' FROM headers h JOIN logs l USING (log_no) JOIN instances i USING (instance_no)
    WHERE i.standing = 'self';

-- What a recovery of this instance made void, entry by entry: what its owner may keep or drop.
CREATE TABLE void_own (
    void_no INTEGER PRIMARY KEY,
    -- Header of the delta.
    hash    BLOB NOT NULL,
    log     BLOB NOT NULL,
    seq     INTEGER NOT NULL,
    scope   TEXT NOT NULL,
    -- When its header says that it was sealed.
    at      INTEGER NOT NULL,
    op      TEXT NOT NULL CHECK (op IN ('put', 'retract')),
    id      BLOB NOT NULL,
    rev     INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    -- The line of a put, where it came and nothing was decided yet.
    line    BLOB,
    decided TEXT CHECK (decided IN ('kept', 'dropped')),
    UNIQUE (hash, id)
);
CREATE INDEX void_own_id ON void_own (id);
-- Headers of own feeds elsewhere that are known to be void: also of deltas without entries.
CREATE TABLE void_heads (
    hash BLOB PRIMARY KEY
) WITHOUT ROWID;
