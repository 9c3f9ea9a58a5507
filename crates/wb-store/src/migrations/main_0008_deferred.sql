PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'REFERENCES instances,', 'REFERENCES instances DEFERRABLE INITIALLY DEFERRED,')
  WHERE type = 'table' AND name = 'records';
PRAGMA writable_schema = RESET;

-- Few queries ask for what belongs to nothing. Making an index also tells other connections that the schema is another.
DROP INDEX records_parent;
CREATE INDEX records_parent ON records (parent_id) WHERE parent_id IS NOT NULL;
