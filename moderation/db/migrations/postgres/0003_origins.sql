-- What a way back needs and this service does not: a post's name, type, local date and author, a comment's local date and
-- user, as JSON. WordPress's importer knows its own posts and comments again by them.
ALTER TABLE imported_ids ADD COLUMN origin TEXT NOT NULL DEFAULT '';
