-- What this hub decided, folded from the notices in its own feed.

-- Whether a member is the hub itself: its feed goes to every member, and it is in no list of them.
ALTER TABLE members ADD COLUMN is_hub INTEGER NOT NULL DEFAULT 0 CHECK (is_hub IN (0, 1));
-- Whether a notice keeps it out of every list; and what it asks for itself while that is so.
ALTER TABLE members ADD COLUMN delisted INTEGER NOT NULL DEFAULT 0 CHECK (delisted IN (0, 1));
ALTER TABLE members ADD COLUMN asks_listed INTEGER;
-- Who follows everybody that is listed is given what arrived of it after this number: what came while it was in no list
-- comes with its feeds as they stand.
ALTER TABLE members ADD COLUMN listed_from INTEGER NOT NULL DEFAULT 0;
-- Whether it is left out for good.
ALTER TABLE members ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0 CHECK (revoked IN (0, 1));
-- The line of the notice that was applied to it last.
ALTER TABLE members ADD COLUMN notice BLOB;
CREATE UNIQUE INDEX members_hub ON members (is_hub) WHERE is_hub = 1;
CREATE INDEX members_notice ON members (instance_no) WHERE notice IS NOT NULL;

-- Records of which nothing is handed on: one line, or every revision.
CREATE TABLE withheld (
    id          BLOB NOT NULL,
    instance_no INTEGER NOT NULL REFERENCES instances,
    line_hash   BLOB,
    PRIMARY KEY (id, instance_no)
) WITHOUT ROWID;
-- Their lines, taken out of the feed: what reads feeds finds a stub there, whatever it reads them for.
CREATE TABLE withheld_lines (
    line_no INTEGER PRIMARY KEY,
    line    BLOB NOT NULL
);
-- A line that comes while it is withheld, by whatever way, goes the same way.
CREATE TRIGGER withheld_comes AFTER INSERT ON feed_lines
WHEN NEW.line IS NOT NULL AND EXISTS (
    SELECT 1 FROM withheld w WHERE w.id = NEW.id
      AND w.instance_no = (SELECT f.instance_no FROM feeds f WHERE f.feed_no = NEW.feed_no)
      AND (w.line_hash IS NULL OR w.line_hash = NEW.line_hash))
BEGIN
    INSERT OR REPLACE INTO withheld_lines (line_no, line) VALUES (NEW.line_no, NEW.line);
    UPDATE feed_lines SET line = NULL WHERE line_no = NEW.line_no;
END;
CREATE TRIGGER withheld_is_filled AFTER UPDATE OF line ON feed_lines
WHEN NEW.line IS NOT NULL AND EXISTS (
    SELECT 1 FROM withheld w WHERE w.id = NEW.id
      AND w.instance_no = (SELECT f.instance_no FROM feeds f WHERE f.feed_no = NEW.feed_no)
      AND (w.line_hash IS NULL OR w.line_hash = NEW.line_hash))
BEGIN
    INSERT OR REPLACE INTO withheld_lines (line_no, line) VALUES (NEW.line_no, NEW.line);
    UPDATE feed_lines SET line = NULL WHERE line_no = NEW.line_no;
END;
-- What was taken back or revised keeps no text here either.
CREATE TRIGGER withheld_ends AFTER UPDATE OF live ON feed_lines WHEN NEW.live = 0
BEGIN
    DELETE FROM withheld_lines WHERE line_no = NEW.line_no;
END;
CREATE TRIGGER withheld_goes AFTER DELETE ON feed_lines
BEGIN
    DELETE FROM withheld_lines WHERE line_no = OLD.line_no;
END;

-- What those wrote whom a notice is about, one for each notice.
CREATE TABLE replies (
    notice    BLOB NOT NULL PRIMARY KEY,
    origin    BLOB NOT NULL,
    line      BLOB NOT NULL,
    at        INTEGER NOT NULL
);
