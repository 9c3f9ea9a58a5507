-- Whether what a row refers to is there is looked at when a transaction ends, and not with each row: a statement of which
-- a row may still be refused keeps every page as it was before it, in a journal of its own. A rule is text in the schema, so that
-- no row is written anew.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(replace(sql,
    'REFERENCES feeds,', 'REFERENCES feeds DEFERRABLE INITIALLY DEFERRED,'),
    'REFERENCES logs,', 'REFERENCES logs DEFERRABLE INITIALLY DEFERRED,'),
    'REFERENCES asides,', 'REFERENCES asides DEFERRABLE INITIALLY DEFERRED,')
  WHERE type = 'table' AND name IN ('feed_lines', 'headers');
PRAGMA writable_schema = RESET;
