
-- The lines of deltas that wait, so that one that is taken back is found without reading them all. Each delta that was
-- looked through has a row of 32 zeros besides; one from before this table has none.
CREATE TABLE held_lines (
    id      BLOB NOT NULL,
    rev     INTEGER NOT NULL,
    held_no INTEGER NOT NULL,
    PRIMARY KEY (id, rev, held_no)
) WITHOUT ROWID;
CREATE INDEX held_lines_of ON held_lines (held_no);
CREATE TRIGGER held_lines_go AFTER DELETE ON held BEGIN
    DELETE FROM held_lines WHERE held_no = old.held_no;
END;
