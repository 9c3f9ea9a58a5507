-- Each sync asks for these, and for no other letter: a table of long lines is not read for them.
CREATE INDEX letters_in_owing ON letters_in (origin, thread) WHERE owes = 1;
CREATE INDEX letters_in_erasing ON letters_in (origin, thread) WHERE state = 'erasing';
CREATE INDEX letters_in_by_kind ON letters_in (kind, origin, thread);
