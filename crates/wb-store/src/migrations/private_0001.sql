-- The private file: nothing in it ever leaves, except in a letter that its owner sends.

CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE accounts (
    user_id    BLOB PRIMARY KEY,
    handle     TEXT NOT NULL UNIQUE COLLATE NOCASE,
    state      TEXT NOT NULL CHECK (state IN ('approved', 'pending', 'gone')),
    role       TEXT NOT NULL CHECK (role IN ('member', 'steward', 'admin')),
    created_at INTEGER NOT NULL
);

CREATE TABLE contacts (
    -- A user or a request.
    owner BLOB NOT NULL,
    kind  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (owner, kind, value)
) WITHOUT ROWID;

CREATE TABLE attributes (
    user_id BLOB NOT NULL,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (user_id, key)
) WITHOUT ROWID;

-- A draft becomes a record of the same id.
CREATE TABLE drafts (
    id          BLOB PRIMARY KEY,
    author      BLOB,
    scope       TEXT NOT NULL,
    title       TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    at          INTEGER NOT NULL
);

-- An invite as it works at home; its record is only its public face.
CREATE TABLE invites (
    record_id     BLOB PRIMARY KEY,
    token         TEXT NOT NULL UNIQUE,
    created_by    BLOB,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    max_uses      INTEGER,
    uses          INTEGER NOT NULL DEFAULT 0,
    disabled      INTEGER NOT NULL DEFAULT 0,
    suggested_bio TEXT,
    -- A picture kept on this node; it has no address elsewhere.
    photo_path    TEXT
);

CREATE TABLE audit (
    audit_no INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor    BLOB,
    act      TEXT NOT NULL,
    target   TEXT NOT NULL,
    detail   TEXT NOT NULL
);

-- Which row of an imported database became which record.
CREATE TABLE legacy_map (
    source     BLOB NOT NULL,
    table_name TEXT NOT NULL,
    row_id     TEXT NOT NULL,
    id         BLOB NOT NULL,
    PRIMARY KEY (source, table_name, row_id)
) WITHOUT ROWID;
