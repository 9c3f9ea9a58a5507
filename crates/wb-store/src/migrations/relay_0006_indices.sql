
-- Letting go of an envelope asks who else it is for.
CREATE INDEX envelopes_for_envelope ON envelopes_for (envelope_no);
-- Whoever has an envelope or a letter names it by its hash alone.
CREATE INDEX envelopes_hash ON envelopes (hash);
CREATE INDEX mail_hash ON mail (recipient, hash);
-- What is over is found without reading what is kept.
CREATE INDEX envelopes_expires ON envelopes (expires);
CREATE INDEX mail_expires ON mail (expires);
-- What waits of one sender is counted without reading what others sent.
CREATE INDEX mail_origin ON mail (origin);
