-- Invitations of this hub, and members that only members may see. It only adds: processes that do not know it go on, and
-- show such a member to nobody more than who knows its id.

CREATE TABLE invites (
    -- What people call it by.
    n        bigint PRIMARY KEY,
    -- The hash of its code; the code itself is nowhere.
    code     bytea  NOT NULL UNIQUE,
    note     text   NOT NULL,
    made_at  bigint NOT NULL,
    -- How many may come by it; null for no limit.
    uses_max bigint CHECK (uses_max > 0),
    used     bigint NOT NULL DEFAULT 0,
    -- From then on nobody comes by it any more; null for never.
    until    bigint,
    off_at   bigint
);
-- The invitation by which a member came.
ALTER TABLE members ADD COLUMN invite bigint;
CREATE INDEX members_invite ON members (invite) WHERE invite IS NOT NULL;
-- The counter of the registration that asked to be shown to members alone. It says nothing of any other registration, so
-- that one which an earlier program took shows it to nobody more. `listed` is false then: whatever asks for that alone
-- shows it to nobody.
ALTER TABLE members ADD COLUMN for_members bigint;
