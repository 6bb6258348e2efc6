-- A comment that is kept elsewhere and judged here has its keeper's id. Its article's key begins with `checks:`, which no public
-- path can name.
ALTER TABLE comments ADD COLUMN external_id TEXT;
CREATE UNIQUE INDEX comments_by_external_id ON comments (site, external_id) WHERE external_id IS NOT NULL;
