-- The browser that a notice is about: it keeps its name when it gets a new secret, and has none once it is gone.
ALTER TABLE notices ADD COLUMN session BLOB REFERENCES sessions (session) ON DELETE SET NULL ON UPDATE CASCADE;

-- Each actor's lines are bounded, so that nobody washes away what others did.
CREATE INDEX audit_actor ON audit (actor, audit_no);

-- What a member chose for what they write next. Each record still has a scope of its own.
CREATE TABLE preferences (
    user_id       BLOB PRIMARY KEY,
    default_scope TEXT NOT NULL
) WITHOUT ROWID;
