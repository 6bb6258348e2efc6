-- An article that only a list of comments has named is not listed: whether its page is public is not known yet.
ALTER TABLE articles ADD COLUMN is_listed INTEGER NOT NULL DEFAULT 1;
