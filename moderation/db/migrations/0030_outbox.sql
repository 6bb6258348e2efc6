-- What others must hear, written in the transaction that it tells about and kept until it is delivered. `lane` is `mail`,
-- or the id of a webhook's endpoint. `subject` is the comment, or the key of the person, that it is about: erasing looks
-- there. No row holds an address: who is written to is looked up when it is delivered.
CREATE TABLE outbox (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    lane TEXT NOT NULL,
    subject TEXT NOT NULL,
    content TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    tries BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    said TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE INDEX outbox_due ON outbox (site, state, due_at, lane);
CREATE INDEX outbox_in_lane ON outbox (site, lane, state, due_at);
CREATE INDEX outbox_about ON outbox (site, subject);

-- Who does what only one may do at a time, until when.
CREATE TABLE leases (
    site TEXT NOT NULL,
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (site, name)
);

-- An endpoint's secret is not here: it is made from the secret key and the endpoint's id.
CREATE TABLE webhooks (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    PRIMARY KEY (site, id)
);
