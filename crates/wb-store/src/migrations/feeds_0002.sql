
-- The run by which a line or a mark came; null for what was sealed here, and for what came before runs
-- were counted.
ALTER TABLE feed_lines ADD COLUMN run_no INTEGER;
-- For a put that is not live any more: the line_no that came next when it ended, so that a feed can be
-- read as it was at an earlier head; null where it ended before this was noted.
ALTER TABLE feed_lines ADD COLUMN ended INTEGER;

CREATE INDEX feed_lines_run ON feed_lines (run_no) WHERE run_no IS NOT NULL;
CREATE INDEX feed_lines_aside ON feed_lines (aside_no) WHERE aside_no IS NOT NULL;
CREATE INDEX feed_lines_stub ON feed_lines (line_hash) WHERE live = 1 AND line IS NULL;
-- The highest revisions put and retracted are each one look-up, however many revisions there are.
DROP INDEX feed_lines_id;
CREATE INDEX feed_lines_record ON feed_lines (feed_no, id, op, void, rev);
CREATE INDEX feed_lines_retracted ON feed_lines (feed_no, id, rev)
    WHERE op = 'retract' AND void = 0 AND aside_no IS NULL;
CREATE INDEX held_waiting ON held (origin, scope, log, seq) WHERE outcome = 'early' AND rule = 'gap';

-- An origin that opens a log a second time with another first header gets another row, so that the
-- headers of the two do not mix; of the rows of one log the last opened has `replaced` 0.
CREATE TABLE logs_2 (
    log_no      INTEGER PRIMARY KEY,
    instance_no INTEGER NOT NULL REFERENCES instances,
    scope       TEXT NOT NULL,
    log         BLOB NOT NULL,
    generation  INTEGER NOT NULL,
    -- The signed first header; null while only a later header of the log was seen.
    first       BLOB,
    replaced    INTEGER NOT NULL DEFAULT 0
);
INSERT INTO logs_2 (log_no, instance_no, scope, log, generation, first)
    SELECT log_no, instance_no, scope, log, generation, first FROM logs;
DROP TABLE logs;
ALTER TABLE logs_2 RENAME TO logs;
CREATE UNIQUE INDEX logs_log ON logs (instance_no, scope, log) WHERE replaced = 0;
