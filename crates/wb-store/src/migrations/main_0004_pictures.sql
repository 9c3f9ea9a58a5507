-- Pictures that members asked to see: what was fetched from the address in a profile, written again by this node. A
-- row goes in the transaction in which its record is taken back, hidden, or names another address.
CREATE TABLE pictures (
    picture_no  INTEGER PRIMARY KEY,
    instance_no INTEGER NOT NULL REFERENCES instances,
    id          BLOB NOT NULL,
    -- As the record says it.
    address     TEXT NOT NULL,
    format      TEXT NOT NULL CHECK (format IN ('jpeg', 'png')),
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    bytes       BLOB NOT NULL,
    -- When it was fetched.
    at          INTEGER NOT NULL,
    UNIQUE (instance_no, id)
);
