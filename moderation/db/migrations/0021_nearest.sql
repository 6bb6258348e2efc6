-- What an article is about, as a vector that classifier/nearest.py made: worked out when the article changes. `changed` counts
-- up within a site, so that a process that keeps them in memory reads only what is new to it.

CREATE TABLE article_vectors (
    site TEXT NOT NULL,
    article TEXT NOT NULL,
    changed BIGINT NOT NULL,
    version BIGINT NOT NULL,
    vector TEXT NOT NULL,
    PRIMARY KEY (site, article)
);
CREATE INDEX article_vectors_by_change ON article_vectors (site, changed);
