-- Members and newcomers who came by the code of another instance's invite.
CREATE TABLE redemptions (
    user_id     BLOB PRIMARY KEY,
    -- The thread of the letter that asked its issuer; it stands in no record.
    thread      BLOB NOT NULL,
    issuer      BLOB NOT NULL,
    invite      BLOB NOT NULL,
    at          INTEGER NOT NULL,
    -- Whether who came is a member by the issuer's answer.
    at_once     INTEGER NOT NULL CHECK (at_once IN (0, 1)),
    state       TEXT NOT NULL CHECK (state IN ('asked', 'counted', 'refused')),
    -- Why it was refused, in one word.
    cause       TEXT,
    answered_at INTEGER,
    -- When somebody here decided, whatever the issuer said or did not say.
    settled_at  INTEGER,
    UNIQUE (issuer, thread)
) WITHOUT ROWID;
-- What was decided about newcomers elsewhere by own invites: once for each thread of each origin, and for good.
CREATE TABLE invite_uses (
    origin  BLOB NOT NULL,
    thread  BLOB NOT NULL,
    -- The own invite that was named; it may never have been one.
    invite  BLOB NOT NULL,
    at      INTEGER NOT NULL,
    -- Why it was not counted, in one word; null: it was.
    refused TEXT,
    PRIMARY KEY (origin, thread)
) WITHOUT ROWID;
CREATE INDEX invite_uses_by_invite ON invite_uses (invite);
-- Who joined by which home link: members from before profiles said so.
CREATE INDEX audit_of_invites ON audit (actor, target) WHERE act = 'invite take';
