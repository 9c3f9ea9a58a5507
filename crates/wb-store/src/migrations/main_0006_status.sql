-- Own requests about which home and helpers disagree, since when this node sees it: home ends it after a while.
CREATE TABLE contests (
    request BLOB PRIMARY KEY,
    -- What home had said last then; after another word of home a contest is another one.
    home_n  INTEGER NOT NULL,
    since   INTEGER NOT NULL
) WITHOUT ROWID;
