PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'REFERENCES instances,', 'REFERENCES instances DEFERRABLE INITIALLY DEFERRED,')
  WHERE type = 'table' AND name = 'listings';
PRAGMA writable_schema = RESET;

-- Making an index tells other connections that the schema is another.
DROP INDEX headers_hash;
CREATE INDEX headers_hash ON headers (log_no, hash);
