-- The rest of the main file: what was written here, and what is shown.

-- What members of this instance wrote, in all scopes.
CREATE TABLE local_records (
    id            BLOB PRIMARY KEY,
    kind          TEXT NOT NULL,
    author        BLOB,
    scope         TEXT NOT NULL CHECK (scope IN ('private', 'trusted_peers', 'public')),
    ceiling       TEXT NOT NULL CHECK (ceiling IN ('private', 'trusted_peers', 'public')),
    life          TEXT NOT NULL CHECK (life IN ('active', 'pending', 'deleted')),
    -- The body in the form its kind has in a line.
    body          TEXT NOT NULL,
    -- For a profile: which fields its owner shares.
    shares        TEXT,
    parent_origin BLOB,
    parent_id     BLOB,
    created_at    INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    -- Counts changes here; what was sealed last is `sealed_edit`.
    edit          INTEGER NOT NULL DEFAULT 1,
    sealed_edit   INTEGER NOT NULL DEFAULT 0,
    -- Revisions sealed over the record's whole life, in all feeds.
    rev           INTEGER NOT NULL DEFAULT 0,
    left_by       TEXT
);
CREATE INDEX local_records_parent ON local_records (parent_id);
CREATE INDEX local_records_author ON local_records (author);

-- What is shown: a fold of feed_lines, local_records and standing, made again by `wb rebuild`.
CREATE TABLE records (
    record_no     INTEGER PRIMARY KEY,
    instance_no   INTEGER NOT NULL REFERENCES instances,
    id            BLOB NOT NULL,
    kind          TEXT NOT NULL,
    scope         TEXT NOT NULL,
    rev           INTEGER NOT NULL,
    author        TEXT NOT NULL,
    at            INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    parent_origin BLOB,
    parent_id     BLOB,
    body          TEXT,
    line_hash     BLOB,
    -- Why it is not shown, as far as the record itself decides; null when it may be.
    cause         TEXT,
    UNIQUE (instance_no, id)
);
CREATE INDEX records_kind ON records (kind, created_at);
CREATE INDEX records_parent ON records (parent_id);
