-- Keys that a comment opened, not the site itself: when, from which network (a keyed hash, for a day), by which comment, and
-- what its page said of itself. That is a proposal: it is public once a person has approved a comment there.
CREATE TABLE openings (
    site TEXT NOT NULL,
    article TEXT NOT NULL,
    at BIGINT NOT NULL,
    address_key TEXT NOT NULL,
    comment TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT,
    PRIMARY KEY (site, article)
);
CREATE INDEX openings_by_time ON openings (site, at);
CREATE INDEX openings_from_address ON openings (site, address_key, at);
