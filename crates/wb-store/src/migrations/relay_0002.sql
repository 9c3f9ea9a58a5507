-- What the pages of this hub list: one row for each record that would be shown, folded from feed_lines as
-- they come. Its text is read from the line; whether its home is listed and served is asked with each
-- reading, so that nothing has to be folded when that changes.
CREATE TABLE listings (
    listing_no    INTEGER PRIMARY KEY,
    instance_no   INTEGER NOT NULL REFERENCES instances,
    id            BLOB NOT NULL,
    -- The row of feed_lines that is shown.
    line_no       INTEGER NOT NULL,
    kind          TEXT NOT NULL,
    -- The request it belongs to.
    parent_origin BLOB,
    parent_id     BLOB,
    -- When it says it was written, and its line; never later than it came.
    placed_at     INTEGER NOT NULL,
    line_at       INTEGER NOT NULL,
    -- The line's time, or that of the last word about where a request stands.
    changed_at    INTEGER NOT NULL,
    -- Of a request: what its home and helpers say it is, and what search looks at.
    status        TEXT,
    contested     INTEGER NOT NULL DEFAULT 0,
    open          INTEGER NOT NULL DEFAULT 0,
    words         TEXT,
    UNIQUE (instance_no, id)
);
CREATE INDEX listings_open ON listings (open, placed_at, id, instance_no) WHERE kind = 'request';
CREATE INDEX listings_home ON listings (instance_no, open, placed_at, id) WHERE kind = 'request';
CREATE INDEX listings_changed ON listings (changed_at, id, instance_no) WHERE kind = 'request';
CREATE INDEX listings_home_changed ON listings (instance_no, changed_at, id) WHERE kind = 'request';
CREATE INDEX listings_parent ON listings (parent_id, kind) WHERE parent_id IS NOT NULL;
CREATE INDEX listings_kinds ON listings (instance_no, kind);
-- Lists of communities go by name, and a name that two have is told apart.
CREATE INDEX members_name ON members (name, id);
