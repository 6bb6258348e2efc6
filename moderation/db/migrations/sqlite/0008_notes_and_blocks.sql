-- Moderators' notes, for the team alone: on a comment, with which they go, or on an author.
CREATE TABLE notes (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    comment TEXT,
    author_key TEXT,
    moderator TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    edited_at BIGINT,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, comment) REFERENCES comments (site, id) ON DELETE CASCADE
);
CREATE INDEX notes_on_comment ON notes (site, comment);
CREATE INDEX notes_on_author ON notes (site, author_key);

-- Who put an entry on the site's list `disallowed`, when and why. The list itself, and until when an entry counts, are settings:
-- they decide. `comment`: the one that it was blocked from. `ended_at`: the time of an entry that is over and off the list.
CREATE TABLE blocks (
    site TEXT NOT NULL,
    entry TEXT NOT NULL,
    moderator TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    comment TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (site, entry)
);
CREATE INDEX blocks_ended ON blocks (site, ended_at) WHERE ended_at IS NOT NULL;
