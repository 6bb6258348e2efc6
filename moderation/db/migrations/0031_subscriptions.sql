-- Whether an address wants to hear of replies on a site. `person` is the author's key: the address itself stands only with
-- the comments. Being asked, then `confirmed`; `ended` may be asked again, `refused` never is.
CREATE TABLE subscriptions (
    site TEXT NOT NULL,
    person TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'confirmed', 'ended', 'refused')),
    asked_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (site, person)
);
CREATE INDEX subscriptions_by_id ON subscriptions (site, id);
