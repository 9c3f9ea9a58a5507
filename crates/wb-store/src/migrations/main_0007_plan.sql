-- What a publish would do with each record is worked out when something happened that decides about it, and kept. Each of the
-- triggers below marks what has to be worked out again; `wb-node` says which answers last (ADR 0066).

-- Whether it has to be worked out.
ALTER TABLE local_records ADD COLUMN to_plan INTEGER NOT NULL DEFAULT 1 CHECK (to_plan IN (0, 1));
-- How far it went when it was worked out last, or the cause that kept it home; null before that.
ALTER TABLE local_records ADD COLUMN planned TEXT;
CREATE INDEX local_records_to_plan ON local_records (id) WHERE to_plan = 1;
-- How many records there are of each answer.
CREATE TABLE planned_counts (
    planned TEXT PRIMARY KEY,
    records INTEGER NOT NULL
) WITHOUT ROWID;

-- What belongs to the requests of one instance is marked when that instance is accepted or falls.
DROP INDEX local_records_parent;
CREATE INDEX local_records_parent ON local_records (parent_origin, parent_id);

CREATE TRIGGER plan_after_edit AFTER UPDATE OF kind, author, scope, ceiling, life, body, shares, parent_origin, parent_id, at,
  edit, sealed_edit, rev, left_by ON local_records WHEN NEW.to_plan = 0
BEGIN
    UPDATE local_records SET to_plan = 1 WHERE id = NEW.id;
END;

-- Requests of others: what belongs to them goes no further than they do.
CREATE TRIGGER plan_after_request AFTER INSERT ON records WHEN NEW.kind = 'request'
BEGIN
    UPDATE local_records SET to_plan = 1 WHERE to_plan = 0 AND parent_id = NEW.id
      AND parent_origin = (SELECT id FROM instances WHERE instance_no = NEW.instance_no AND standing != 'self');
END;
CREATE TRIGGER plan_after_request_changed AFTER UPDATE OF kind, scope, rev, cause ON records
  WHEN (OLD.kind = 'request' OR NEW.kind = 'request')
    AND (OLD.kind != NEW.kind OR OLD.scope != NEW.scope OR OLD.rev != NEW.rev OR OLD.cause IS NOT NEW.cause)
BEGIN
    UPDATE local_records SET to_plan = 1 WHERE to_plan = 0 AND parent_id = NEW.id
      AND parent_origin = (SELECT id FROM instances WHERE instance_no = NEW.instance_no AND standing != 'self');
END;
CREATE TRIGGER plan_after_request_gone AFTER DELETE ON records WHEN OLD.kind = 'request'
BEGIN
    UPDATE local_records SET to_plan = 1 WHERE to_plan = 0 AND parent_id = OLD.id
      AND parent_origin = (SELECT id FROM instances WHERE instance_no = OLD.instance_no AND standing != 'self');
END;
CREATE TRIGGER plan_after_standing AFTER UPDATE OF standing, level ON instances
  WHEN OLD.standing != NEW.standing OR OLD.level != NEW.level
BEGIN
    UPDATE local_records SET to_plan = 1 WHERE to_plan = 0 AND parent_origin = NEW.id;
END;
CREATE TRIGGER plan_after_fall AFTER INSERT ON fallen
BEGIN
    UPDATE local_records SET to_plan = 1
    WHERE to_plan = 0 AND parent_origin = (SELECT id FROM instances WHERE instance_no = NEW.instance_no);
END;
CREATE TRIGGER plan_after_fall_ended AFTER DELETE ON fallen
BEGIN
    UPDATE local_records SET to_plan = 1
    WHERE to_plan = 0 AND parent_origin = (SELECT id FROM instances WHERE instance_no = OLD.instance_no);
END;
