-- What this instance does with the notices of a hub; a hub without a row by the default.
CREATE TABLE heeds (
    hub   BLOB PRIMARY KEY,
    heeds TEXT NOT NULL CHECK (heeds IN ('follow', 'ask', 'ignore'))
) WITHOUT ROWID;
-- What somebody here said about one notice, named by the hash of its line.
CREATE TABLE notice_answers (
    hub       BLOB NOT NULL,
    line_hash BLOB NOT NULL,
    answer    TEXT NOT NULL CHECK (answer IN ('hide', 'keep')),
    at        INTEGER NOT NULL,
    PRIMARY KEY (hub, line_hash)
) WITHOUT ROWID;
-- Records of others that notices hide, each with the hub and the notice: worked out from the notices, what is set and
-- said above, the roads, and the time. Made again whenever one of these changes.
CREATE TABLE withheld_here (
    instance_no INTEGER NOT NULL REFERENCES instances,
    id          BLOB NOT NULL,
    hub         BLOB NOT NULL,
    notice      BLOB NOT NULL,
    PRIMARY KEY (instance_no, id)
) WITHOUT ROWID;
