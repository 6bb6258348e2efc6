-- What a moderator wrote, under the name that readers know them by; who it was stands in the decision and in the log.
ALTER TABLE comments ADD COLUMN staff INTEGER NOT NULL DEFAULT 0;
ALTER TABLE moderators ADD COLUMN name TEXT NOT NULL DEFAULT '';
