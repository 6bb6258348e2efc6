-- Moderators' saved filters: of one of them (`owner`, under `*`), or of a site's team (no owner). `about` is the key of the author
-- that a filter names, so that it goes with that person's data.
CREATE TABLE saved_filters (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    owner TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL,
    filters TEXT NOT NULL,
    about TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE INDEX saved_filters_by_owner ON saved_filters (site, owner, id);
CREATE INDEX saved_filters_about ON saved_filters (site, about) WHERE about <> '';

-- Comments set aside until a time. `revision` is the comment's of then: whatever changes the comment ends the snooze. `earlier` is
-- the time that stood there before, and `act` names what can be undone.
CREATE TABLE snoozes (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    until BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    moderator TEXT NOT NULL,
    act TEXT NOT NULL,
    earlier BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, id) REFERENCES comments (site, id) ON DELETE CASCADE
);
CREATE INDEX snoozes_by_time ON snoozes (site, until);
CREATE INDEX snoozes_by_act ON snoozes (site, act);

-- Whose comment it is to decide; nobody's without a moderator.
CREATE TABLE assignments (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    moderator TEXT NOT NULL DEFAULT '',
    assigned_by TEXT NOT NULL,
    act TEXT NOT NULL,
    earlier TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, id) REFERENCES comments (site, id) ON DELETE CASCADE
);
CREATE INDEX assignments_by_moderator ON assignments (site, moderator, id);
CREATE INDEX assignments_by_act ON assignments (site, act);
