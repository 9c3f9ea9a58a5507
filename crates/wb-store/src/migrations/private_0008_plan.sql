-- Members and invites to which something happened that decides what leaves: the main file looks at what they wrote again, and
-- what was looked at goes. A number is never given again, so what happens meanwhile is not passed over.
CREATE TABLE plan_asked (
    n  INTEGER PRIMARY KEY AUTOINCREMENT,
    -- A user or an invite.
    id BLOB NOT NULL
);
CREATE TRIGGER plan_after_account AFTER INSERT ON accounts
BEGIN
    INSERT INTO plan_asked (id) VALUES (NEW.user_id);
END;
CREATE TRIGGER plan_after_account_changed AFTER UPDATE OF state ON accounts WHEN OLD.state != NEW.state
BEGIN
    INSERT INTO plan_asked (id) VALUES (NEW.user_id);
END;
CREATE TRIGGER plan_after_account_gone AFTER DELETE ON accounts
BEGIN
    INSERT INTO plan_asked (id) VALUES (OLD.user_id);
END;
CREATE TRIGGER plan_after_redemption AFTER INSERT ON redemptions
BEGIN
    INSERT INTO plan_asked (id) VALUES (NEW.user_id);
END;
CREATE TRIGGER plan_after_redemption_changed AFTER UPDATE OF state, settled_at ON redemptions
  WHEN OLD.state != NEW.state OR OLD.settled_at IS NOT NEW.settled_at
BEGIN
    INSERT INTO plan_asked (id) VALUES (NEW.user_id);
END;
CREATE TRIGGER plan_after_redemption_gone AFTER DELETE ON redemptions
BEGIN
    INSERT INTO plan_asked (id) VALUES (OLD.user_id);
END;
CREATE TRIGGER plan_after_invite AFTER INSERT ON invites
BEGIN
    INSERT INTO plan_asked (id) VALUES (NEW.record_id);
END;
CREATE TRIGGER plan_after_invite_changed AFTER UPDATE OF expires_at, max_uses, uses, disabled ON invites
BEGIN
    INSERT INTO plan_asked (id) VALUES (NEW.record_id);
END;
CREATE TRIGGER plan_after_invite_gone AFTER DELETE ON invites
BEGIN
    INSERT INTO plan_asked (id) VALUES (OLD.record_id);
END;
-- Which invites ended since is asked with each publish.
CREATE INDEX invites_expire ON invites (expires_at) WHERE expires_at IS NOT NULL;
