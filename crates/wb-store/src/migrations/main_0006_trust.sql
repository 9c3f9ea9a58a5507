-- How far each instance is trusted here by what others vouch, 0 to 3, and the way by which; 0 where somebody here decided about it.
-- Worked out from the vouches that are stored, what was decided by hand, and the time. Made again whenever one of these
-- changes, and by `wb rebuild`.
ALTER TABLE instances ADD COLUMN level INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN way TEXT NOT NULL DEFAULT '';
-- Whether it was approved by hand as a steward.
ALTER TABLE instances ADD COLUMN steward INTEGER NOT NULL DEFAULT 0 CHECK (steward IN (0, 1));

-- Instances that were shown by what others vouched, and are not trusted that far any more.
CREATE TABLE fallen (
    instance_no INTEGER PRIMARY KEY REFERENCES instances,
    why         TEXT NOT NULL,
    at          INTEGER NOT NULL,
    -- Whether somebody here said that what was shown stays.
    kept        INTEGER NOT NULL CHECK (kept IN (0, 1))
);
-- Their records that were shown then, each up to its revision: they stay, and what came later waits.
CREATE TABLE still_shown (
    instance_no INTEGER NOT NULL REFERENCES instances,
    id          BLOB NOT NULL,
    rev         INTEGER NOT NULL,
    PRIMARY KEY (instance_no, id)
) WITHOUT ROWID;
