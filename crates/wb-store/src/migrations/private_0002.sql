-- Browsers that use the pages. Of what a browser holds only the hash is kept here.
CREATE TABLE sessions (
    session    BLOB PRIMARY KEY,
    -- What was typed at log-in. It may name nobody: then nobody can approve it.
    handle     TEXT NOT NULL COLLATE NOCASE,
    -- Whose it is; none while it waits for approval.
    user_id    BLOB,
    -- The browser in words, for the list of sessions.
    label      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    -- Who let it in: the account's own other session, a reviewer, or none for a link.
    approved_by BLOB,
    -- Whether the browser has had a new secret since it was let in. Until then it may do nothing: who
    -- saw the secret of a browser that waits must not be let in with it.
    renewed    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_waiting ON sessions (handle) WHERE user_id IS NULL;

-- Drafts of a browser that waits for approval; they join the account only then.
CREATE TABLE waiting_drafts (
    id          BLOB PRIMARY KEY,
    session     BLOB NOT NULL REFERENCES sessions (session) ON DELETE CASCADE ON UPDATE CASCADE,
    title       TEXT NOT NULL,
    description TEXT NOT NULL,
    at          INTEGER NOT NULL
);
CREATE INDEX waiting_drafts_by_session ON waiting_drafts (session);

-- Links that let somebody in once. Of their secret only the hash is kept.
CREATE TABLE login_links (
    link       BLOB PRIMARY KEY,
    user_id    BLOB NOT NULL,
    made_at    INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL
) WITHOUT ROWID;

-- The address under which a member's feed reader asks; a new one makes the old one useless.
CREATE TABLE feed_links (
    user_id BLOB PRIMARY KEY,
    link    BLOB NOT NULL UNIQUE,
    made_at INTEGER NOT NULL,
    used_at INTEGER
) WITHOUT ROWID;

-- What is told to a member on the next page: a session that was let in, a share that was narrowed.
CREATE TABLE notices (
    notice_no INTEGER PRIMARY KEY,
    user_id   BLOB NOT NULL,
    at        INTEGER NOT NULL,
    what      TEXT NOT NULL,
    detail    TEXT NOT NULL,
    seen_at   INTEGER
);
CREATE INDEX notices_by_user ON notices (user_id);
