-- For a key that another service's thresholds were carried over to: per attribute the points of a rising line, from our probability to
-- the old service's score, as JSON; the version of the model that they were read off, and how many pairs they rest on.
CREATE TABLE key_thresholds (
    site TEXT NOT NULL,
    token TEXT NOT NULL,
    attribute TEXT NOT NULL,
    points TEXT NOT NULL,
    model TEXT NOT NULL,
    pairs BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, token, attribute)
);
-- Signing secrets of Coral's external moderation phases, encrypted under the secret key. Several while Coral rotates them.
CREATE TABLE coral_secrets (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    encrypted TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
