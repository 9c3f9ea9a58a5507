-- How often a line of a feed went or came without another head: what was made of the feed before is not served then.
CREATE TABLE served_changes (
    feed_no INTEGER PRIMARY KEY,
    n       INTEGER NOT NULL
);
CREATE TRIGGER served_line_changed AFTER UPDATE OF line ON feed_lines WHEN OLD.line IS NOT NEW.line
BEGIN
    INSERT INTO served_changes (feed_no, n) VALUES (NEW.feed_no, 1) ON CONFLICT (feed_no) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER served_line_gone AFTER DELETE ON feed_lines
BEGIN
    INSERT INTO served_changes (feed_no, n) VALUES (OLD.feed_no, 1) ON CONFLICT (feed_no) DO UPDATE SET n = n + 1;
END;
