-- Invitations of this hub, and members that only members may see.

CREATE TABLE invites (
    -- What people call it by.
    n        INTEGER PRIMARY KEY,
    -- The hash of its code; the code itself is nowhere.
    code     BLOB NOT NULL UNIQUE,
    note     TEXT NOT NULL,
    made_at  INTEGER NOT NULL,
    -- How many may come by it; null for no limit.
    uses_max INTEGER CHECK (uses_max > 0),
    used     INTEGER NOT NULL DEFAULT 0,
    -- From then on nobody comes by it any more; null for never.
    until    INTEGER,
    off_at   INTEGER
);
-- The invitation by which a member came.
ALTER TABLE members ADD COLUMN invite INTEGER;
CREATE INDEX members_invite ON members (invite) WHERE invite IS NOT NULL;
-- The counter of the registration that asked to be shown to members alone. It says nothing of any other registration, so
-- that one which a program took that does not know this column shows it to nobody more. `listed` is 0 then: whatever
-- asks for that alone shows it to nobody.
ALTER TABLE members ADD COLUMN for_members INTEGER;
