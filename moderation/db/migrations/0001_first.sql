-- Every key and index leads with the site ('*' where all sites are meant). Times are Unix milliseconds, states are words,
-- lists and maps are JSON. Statements end in a semicolon at the end of a line; one that only one database understands
-- stands under `-- only sqlite` or `-- only postgres`.

CREATE TABLE sites (
    site TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    origins TEXT NOT NULL,
    rules TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE articles (
    site TEXT NOT NULL REFERENCES sites (site),
    article TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT,
    body TEXT NOT NULL,
    published_at BIGINT,
    comments_open INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, article)
);
CREATE INDEX articles_by_age ON articles (site, created_at);

CREATE TABLE comments (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    article TEXT NOT NULL,
    parent TEXT,
    path TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('approved', 'pending', 'spam', 'rejected', 'deleted')),
    revision BIGINT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    url TEXT,
    body TEXT NOT NULL,
    html TEXT NOT NULL,
    notify INTEGER NOT NULL,
    author_key TEXT NOT NULL,
    address_key TEXT NOT NULL,
    body_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    edited_at BIGINT,
    judged BIGINT NOT NULL,
    decided INTEGER NOT NULL,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, article) REFERENCES articles (site, article)
);
CREATE INDEX comments_in_thread ON comments (site, article, status, path);
CREATE INDEX comments_in_queue ON comments (site, status, id);
CREATE INDEX comments_of_author ON comments (site, author_key, id, article, body_key, status);
CREATE INDEX comments_from_address ON comments (site, address_key, id);

-- What was judged, as it was judged: the text that a decision teaches, whatever its author edited later. It need not be a
-- stored comment (a program's request for a score, an import).
CREATE TABLE submissions (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    source TEXT NOT NULL,
    article TEXT,
    body TEXT NOT NULL,
    author_name TEXT NOT NULL,
    author_url TEXT,
    email_domain TEXT NOT NULL,
    author_key TEXT NOT NULL,
    action TEXT NOT NULL,
    scores TEXT,
    model TEXT,
    reasons TEXT NOT NULL,
    facts TEXT NOT NULL,
    spam DOUBLE PRECISION,
    worst DOUBLE PRECISION,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id, revision)
);
CREATE INDEX submissions_of_author ON submissions (site, author_key);

CREATE TABLE decisions (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    submission TEXT NOT NULL,
    judged BIGINT NOT NULL,
    action TEXT,
    labels TEXT NOT NULL,
    note TEXT NOT NULL,
    moderator TEXT NOT NULL,
    before_status TEXT,
    after_status TEXT,
    after_revision BIGINT,
    created_at BIGINT NOT NULL,
    undone_at BIGINT,
    undone_by TEXT,
    PRIMARY KEY (site, id, submission)
);
CREATE INDEX decisions_on_submission ON decisions (site, submission, id);

CREATE TABLE audit (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (site, id)
);

-- only sqlite
CREATE TRIGGER audit_keeps_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- only sqlite
CREATE TRIGGER audit_keeps_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- only postgres
CREATE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
-- only postgres
CREATE TRIGGER audit_keeps_all BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps();

CREATE TABLE moderators (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('administrator', 'moderator')),
    password_hash TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE UNIQUE INDEX moderators_by_email ON moderators (site, email);

CREATE TABLE tokens (
    site TEXT NOT NULL,
    hash TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('api', 'session', 'set-password')),
    id TEXT NOT NULL,
    moderator TEXT,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    ended_at BIGINT,
    PRIMARY KEY (site, hash)
);
CREATE INDEX tokens_of_moderator ON tokens (site, moderator, kind);

CREATE TABLE attempts (
    site TEXT NOT NULL,
    who TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (site, who, id)
);

CREATE TABLE retries (
    site TEXT NOT NULL,
    article TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, article, key)
);
