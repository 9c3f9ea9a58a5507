-- How often anything was written of a feed that pages of its snapshots may be made from: what was made before is not served
-- then. Every writer raises it, so programs that do not know it may write no more.
ALTER TABLE feeds ADD COLUMN served bigint NOT NULL DEFAULT 0;
