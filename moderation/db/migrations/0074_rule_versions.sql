-- A site's rules as they were before each change, so that one click puts them back. Only the latest are kept: lists may
-- name people, and the audit log, which keeps for ever that there was a change, holds none of their entries.
CREATE TABLE rule_versions (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    rules TEXT NOT NULL,
    PRIMARY KEY (site, id)
);
