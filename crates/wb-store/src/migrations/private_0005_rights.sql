-- What members were asked to share more widely, and what they answered. Only an author widens a record.
CREATE TABLE agreements (
    record      BLOB PRIMARY KEY,
    user_id     BLOB NOT NULL,
    scope       TEXT NOT NULL,
    -- Who asked; none once that account is erased.
    asked_by    BLOB,
    asked_at    INTEGER NOT NULL,
    answer      TEXT CHECK (answer IN ('agreed', 'declined')),
    answered_at INTEGER
) WITHOUT ROWID;
CREATE INDEX agreements_by_user ON agreements (user_id);
