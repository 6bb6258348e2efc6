-- The keys under which a comment meets those alike to it (classifier/similar.py), of what waited or was filed, and of what has
-- links. A comment that goes takes its keys along.
CREATE TABLE alike (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    key BIGINT NOT NULL,
    PRIMARY KEY (site, id, key),
    FOREIGN KEY (site, id) REFERENCES comments (site, id) ON DELETE CASCADE
);
CREATE INDEX alike_by_key ON alike (site, key, id);

-- Until when newcomers are compared with what was decided as a wave of spam; read with the site.
ALTER TABLE sites ADD COLUMN waves_until BIGINT NOT NULL DEFAULT 0;
