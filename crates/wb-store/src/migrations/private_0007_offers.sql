-- Help that members here offer, or that is offered to them: where each offer stands, and its words. Of offers between
-- two instances letters carry these; between members of this one nothing does.
CREATE TABLE offers (
    -- The instance of who offers.
    helper_home    BLOB NOT NULL,
    -- The thread of its letters.
    offer          BLOB NOT NULL,
    request_origin BLOB NOT NULL,
    request        BLOB NOT NULL,
    -- The member here who offers; null: somebody elsewhere.
    helper         BLOB,
    name           TEXT,
    text           TEXT,
    -- Bodies of letters with ways to reach who offers and who asked; gone once it is over.
    helper_contact TEXT,
    asker_contact  TEXT,
    -- The hash of the ways that who offers said yes to, for the other instance, once they are accepted.
    act_shown      BLOB,
    state          TEXT NOT NULL CHECK (state IN ('offered', 'accepted', 'declined', 'closed', 'taken_back', 'done')),
    -- A kind word with a refusal, and thanks from either side.
    answer         TEXT,
    helper_thanks  TEXT,
    asker_thanks   TEXT,
    -- Whether the home of the request named the other instance as a helper for it.
    named          INTEGER NOT NULL DEFAULT 0 CHECK (named IN (0, 1)),
    -- Whether home has yet to say that the request is completed, because who helped said so by letter.
    completes      INTEGER NOT NULL DEFAULT 0 CHECK (completes IN (0, 1)),
    at             INTEGER NOT NULL,
    -- When it stood otherwise last.
    changed_at     INTEGER NOT NULL,
    PRIMARY KEY (helper_home, offer)
) WITHOUT ROWID;
CREATE INDEX offers_by_request ON offers (request);
CREATE INDEX offers_by_helper ON offers (helper);
