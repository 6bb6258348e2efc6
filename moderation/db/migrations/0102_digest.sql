-- Whether a moderator wants the digest of what waits.
ALTER TABLE moderators ADD COLUMN digest INTEGER NOT NULL DEFAULT 1;
