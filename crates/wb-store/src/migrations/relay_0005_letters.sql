-- Letters that wait for their recipients.
CREATE TABLE mail (
    mail_no   INTEGER PRIMARY KEY AUTOINCREMENT,
    origin    BLOB NOT NULL,
    recipient BLOB NOT NULL,
    hash      BLOB NOT NULL,
    line      BLOB NOT NULL,
    body      BLOB NOT NULL,
    expires   INTEGER NOT NULL,
    -- Somebody else may give the same body in another name; that is another letter.
    UNIQUE (recipient, origin, hash)
);
