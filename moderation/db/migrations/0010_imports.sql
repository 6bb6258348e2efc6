-- What came from another system keeps the id that it had there: a second run doubles nothing, a reply finds its parent, and
-- WordPress's form may go on naming comments and posts by number. A row outlives its comment: what was erased here does not
-- come back with the next run.

CREATE TABLE imports (
    site TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('article', 'comment')),
    foreign_id TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    PRIMARY KEY (site, source, kind, foreign_id)
);
CREATE INDEX imports_without_parent ON imports (site, source, parent) WHERE parent IS NOT NULL;
CREATE INDEX imports_by_id ON imports (site, id);
