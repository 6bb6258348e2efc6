CREATE TABLE migrations (number BIGINT NOT NULL, name TEXT NOT NULL);
CREATE TABLE sites (
    site TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    origins TEXT NOT NULL,
    rules TEXT NOT NULL,
    created_at BIGINT NOT NULL
, mutes TEXT NOT NULL DEFAULT '{}', revision BIGINT NOT NULL DEFAULT 0, waves_until BIGINT NOT NULL DEFAULT 0);
CREATE TABLE articles (
    site TEXT NOT NULL REFERENCES sites (site),
    article TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT,
    body TEXT NOT NULL,
    published_at BIGINT,
    comments_open INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL, approved BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (site, article)
);
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
    decided INTEGER NOT NULL, format TEXT NOT NULL DEFAULT 'markdown' CHECK (format IN ('markdown', 'html')), worst DOUBLE PRECISION NOT NULL DEFAULT 1, doubt DOUBLE PRECISION NOT NULL DEFAULT 0, turn BIGINT NOT NULL DEFAULT 0, staff INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, article) REFERENCES articles (site, article)
);
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
    created_at BIGINT NOT NULL, format TEXT NOT NULL DEFAULT 'markdown' CHECK (format IN ('markdown', 'html')),
    PRIMARY KEY (site, id, revision)
);
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
    undone_by TEXT, reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (site, id, submission)
);
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
CREATE TABLE moderators (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('administrator', 'moderator')),
    password_hash TEXT,
    created_at BIGINT NOT NULL, name TEXT NOT NULL DEFAULT '', digest INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (site, id)
);
CREATE TABLE tokens (
    site TEXT NOT NULL,
    hash TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('api', 'session', 'set-password')),
    id TEXT NOT NULL,
    moderator TEXT,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    ended_at BIGINT, used_at BIGINT, name TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (site, hash)
);
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
CREATE TABLE imports (
    site TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('article', 'comment')),
    foreign_id TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    PRIMARY KEY (site, source, kind, foreign_id)
);
CREATE TABLE article_vectors (
    site TEXT NOT NULL,
    article TEXT NOT NULL,
    changed BIGINT NOT NULL,
    version BIGINT NOT NULL,
    vector TEXT NOT NULL,
    PRIMARY KEY (site, article)
);
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
CREATE TABLE leases (
    site TEXT NOT NULL,
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (site, name)
);
CREATE TABLE webhooks (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    PRIMARY KEY (site, id)
);
CREATE TABLE subscriptions (
    site TEXT NOT NULL,
    person TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'confirmed', 'ended', 'refused')),
    asked_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (site, person)
);
CREATE TABLE person_links (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    person TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    exported_at BIGINT,
    PRIMARY KEY (site, id)
);
CREATE TABLE learnt (
    site TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);
CREATE TABLE unlearnt (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    examples BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE TABLE rule_counts (
    site TEXT NOT NULL,
    rule TEXT NOT NULL,
    day BIGINT NOT NULL,
    hits BIGINT NOT NULL,
    decided BIGINT NOT NULL,
    overturned BIGINT NOT NULL,
    PRIMARY KEY (site, rule, day)
);
CREATE TABLE alike (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    key BIGINT NOT NULL,
    PRIMARY KEY (site, id, key),
    FOREIGN KEY (site, id) REFERENCES comments (site, id) ON DELETE CASCADE
);
CREATE TABLE rule_versions (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    rules TEXT NOT NULL, bar INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, id)
);
CREATE TABLE second_factors (
    site TEXT NOT NULL,
    moderator TEXT NOT NULL,
    seed TEXT NOT NULL,
    confirmed_at BIGINT,
    step BIGINT NOT NULL,
    PRIMARY KEY (site, moderator)
);
CREATE TABLE recovery_codes (
    site TEXT NOT NULL,
    moderator TEXT NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (site, moderator, mark)
);
CREATE TABLE comment_counts (
    site TEXT NOT NULL,
    status TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (site, status)
);
CREATE TABLE comment_numbers (
    number INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    UNIQUE (site, id)
);
CREATE VIRTUAL TABLE comment_texts USING fts5 (name, email, body, content = '', columnsize = 0, tokenize = 'trigram');
CREATE TABLE comment_texts_unread (site TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (site, id)) WITHOUT ROWID;
CREATE TABLE appeals (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE TABLE scrubs (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE TABLE shadows (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    model TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    started_by TEXT NOT NULL,
    read_to BIGINT NOT NULL,
    problem TEXT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('', 'stopped', 'replaced', 'promoted')),
    PRIMARY KEY (site, id)
);
CREATE TABLE shadow_verdicts (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    shadow TEXT NOT NULL,
    action TEXT NOT NULL,
    differs INTEGER NOT NULL,
    scores TEXT NOT NULL,
    rules TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id, revision, shadow)
);
CREATE VIRTUAL TABLE comment_shorts USING fts5 (words, detail = none, columnsize = 0, tokenize = 'ascii');
CREATE TABLE comment_shorts_unread (site TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (site, id)) WITHOUT ROWID;
CREATE TABLE comment_shelves (shelf INTEGER PRIMARY KEY, site TEXT NOT NULL, status TEXT NOT NULL, UNIQUE (site, status));
CREATE TABLE "comment_reasons" (
    site TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (site, reason, status, id)
);
CREATE TABLE signin_failures (
    site TEXT NOT NULL,
    who TEXT NOT NULL,
    failed BIGINT NOT NULL,
    unmailed BIGINT NOT NULL,
    at BIGINT NOT NULL,
    mailed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (site, who)
);
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
CREATE INDEX articles_by_age ON articles (site, created_at);
CREATE INDEX comments_in_thread ON comments (site, article, status, path);
CREATE INDEX comments_of_author ON comments (site, author_key, id, article, body_key, status);
CREATE INDEX comments_from_address ON comments (site, address_key, id);
CREATE INDEX decisions_on_submission ON decisions (site, submission, id);
CREATE UNIQUE INDEX moderators_by_email ON moderators (site, email);
CREATE INDEX tokens_of_moderator ON tokens (site, moderator, kind);
CREATE INDEX imports_without_parent ON imports (site, source, parent) WHERE parent IS NOT NULL;
CREATE INDEX imports_by_id ON imports (site, id);
CREATE INDEX article_vectors_by_change ON article_vectors (site, changed);
CREATE INDEX outbox_due ON outbox (site, state, due_at, lane);
CREATE INDEX outbox_in_lane ON outbox (site, lane, state, due_at);
CREATE INDEX outbox_about ON outbox (site, subject);
CREATE INDEX subscriptions_by_id ON subscriptions (site, id);
CREATE INDEX person_links_of_person ON person_links (site, person, created_at);
CREATE INDEX alike_by_key ON alike (site, key, id);
CREATE INDEX comments_worst ON comments (site, status, worst, id);
CREATE INDEX comments_doubtful ON comments (site, status, doubt, id);
CREATE INDEX comments_in_turn ON comments (site, status, turn, id);
CREATE INDEX submissions_of_author ON submissions (site, author_key) WHERE source <> 'comment';
CREATE UNIQUE INDEX shadows_running ON shadows (site) WHERE ended_at IS NULL;
CREATE INDEX shadow_verdicts_in_order ON shadow_verdicts (site, shadow, id, revision, differs);
CREATE INDEX shadow_verdicts_that_differ ON shadow_verdicts (site, shadow, id, revision) WHERE differs = 1;
CREATE INDEX comments_second_look_worst ON comments (site, status, worst, id) WHERE decided = 0 AND substr(id, 26, 1) = '0';
CREATE INDEX comments_second_look_doubtful ON comments (site, status, doubt, id) WHERE decided = 0 AND substr(id, 26, 1) = '0';
CREATE INDEX comments_second_look_in_turn ON comments (site, status, turn, id) WHERE decided = 0 AND substr(id, 26, 1) = '0';
CREATE INDEX comments_in_queue ON comments (site, status, id, worst, doubt, turn);
CREATE INDEX comments_second_look ON comments (site, status, id) WHERE decided = 0 AND substr(id, 26, 1) = '0';
CREATE INDEX openings_by_time ON openings (site, at);
CREATE INDEX openings_from_address ON openings (site, address_key, at);
CREATE TRIGGER audit_keeps_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_keeps_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER comments_counted_out AFTER DELETE ON comments WHEN OLD.status = 'approved'
BEGIN UPDATE articles SET approved = approved - 1 WHERE site = OLD.site AND article = OLD.article; END;
CREATE TRIGGER comments_counted_anew AFTER UPDATE OF site, article, status ON comments
WHEN 'approved' IN (OLD.status, NEW.status)
BEGIN UPDATE articles SET approved = approved - 1
WHERE OLD.status = 'approved' AND site = OLD.site AND article = OLD.article; UPDATE articles SET approved = approved + 1
WHERE NEW.status = 'approved' AND site = NEW.site AND article = NEW.article; END;
CREATE TRIGGER statuses_counted_out AFTER DELETE ON comments
BEGIN UPDATE comment_counts SET count = count - 1 WHERE site = OLD.site AND status = OLD.status; END;
CREATE TRIGGER statuses_counted_anew AFTER UPDATE OF site, status ON comments
WHEN OLD.status <> NEW.status OR OLD.site <> NEW.site
BEGIN UPDATE comment_counts SET count = count - 1 WHERE site = OLD.site AND status = OLD.status; INSERT INTO comment_counts
(site, status, count) VALUES (NEW.site, NEW.status, 1) ON CONFLICT (site, status) DO UPDATE SET count = count + 1; END;
CREATE TRIGGER texts_forgotten AFTER DELETE ON comments
BEGIN INSERT INTO comment_texts (comment_texts, rowid, name, email, body) SELECT 'delete', number, OLD.name, OLD.email,
OLD.body FROM comment_numbers WHERE site = OLD.site AND id = OLD.id; DELETE FROM comment_numbers
WHERE site = OLD.site AND id = OLD.id; DELETE FROM comment_texts_unread WHERE site = OLD.site AND id = OLD.id; END;
CREATE TRIGGER texts_found_anew AFTER UPDATE OF name, email, body ON comments
WHEN OLD.name <> NEW.name OR OLD.email <> NEW.email OR OLD.body <> NEW.body
BEGIN INSERT INTO comment_texts (comment_texts, rowid, name, email, body) SELECT 'delete', number, OLD.name, OLD.email,
OLD.body FROM comment_numbers WHERE site = OLD.site AND id = OLD.id; INSERT INTO comment_texts (rowid, name, email, body)
SELECT number, NEW.name, NEW.email, NEW.body FROM comment_numbers WHERE site = NEW.site AND id = NEW.id; END;
CREATE TRIGGER appeals_forgotten AFTER DELETE ON comments
BEGIN DELETE FROM appeals WHERE site = OLD.site AND id = OLD.id; END;
CREATE TRIGGER shadow_verdicts_forgotten AFTER DELETE ON submissions
BEGIN DELETE FROM shadow_verdicts WHERE site = OLD.site AND id = OLD.id AND revision = OLD.revision; END;
CREATE TRIGGER shorts_forgotten AFTER DELETE ON comment_numbers
BEGIN DELETE FROM comment_shorts WHERE rowid = OLD.number; DELETE FROM comment_shorts_unread
WHERE site = OLD.site AND id = OLD.id; END;
CREATE TRIGGER shorts_found_anew AFTER UPDATE OF name, email, body ON comments
WHEN OLD.name <> NEW.name OR OLD.email <> NEW.email OR OLD.body <> NEW.body
BEGIN DELETE FROM comment_shorts WHERE rowid IN (SELECT number FROM comment_numbers WHERE site = OLD.site AND id = OLD.id)
; INSERT OR IGNORE INTO comment_shorts_unread (site, id) VALUES (NEW.site, NEW.id); END;
CREATE TRIGGER texts_moved AFTER UPDATE OF status ON comments WHEN OLD.status <> NEW.status
BEGIN INSERT OR IGNORE INTO comment_texts_unread (site, id) VALUES (NEW.site, NEW.id); END;
CREATE TRIGGER reasons_noted AFTER INSERT ON submissions WHEN NEW.reasons <> '[]'
BEGIN INSERT OR IGNORE INTO comment_reasons (site, reason, status, id) SELECT NEW.site, k.key || ':' || k.value, c.status, NEW.id
FROM comments c, json_each(NEW.reasons) r, json_each(r.value) k WHERE c.site = NEW.site AND c.id = NEW.id
AND k.key IN ('rule', 'label'); END;
CREATE TRIGGER reasons_forgotten AFTER DELETE ON submissions WHEN OLD.reasons <> '[]'
BEGIN DELETE FROM comment_reasons WHERE site = OLD.site AND id = OLD.id
AND status IN ('pending', 'approved', 'spam', 'rejected', 'deleted') AND reason IN
(SELECT k.key || ':' || k.value FROM json_each(OLD.reasons) r, json_each(r.value) k WHERE k.key IN ('rule', 'label')); END;
CREATE TRIGGER reasons_moved AFTER UPDATE OF status ON comments WHEN OLD.status <> NEW.status
BEGIN UPDATE OR REPLACE comment_reasons SET status = NEW.status WHERE site = NEW.site AND status = OLD.status AND id = NEW.id
AND reason IN (SELECT k.key || ':' || k.value FROM submissions s, json_each(s.reasons) r, json_each(r.value) k
WHERE s.site = NEW.site AND s.id = NEW.id AND s.reasons <> '[]' AND k.key IN ('rule', 'label')); END;
CREATE TRIGGER reasons_left AFTER DELETE ON comments
BEGIN DELETE FROM comment_reasons WHERE site = OLD.site AND status = OLD.status AND id = OLD.id AND reason IN
(SELECT k.key || ':' || k.value FROM submissions s, json_each(s.reasons) r, json_each(r.value) k
WHERE s.site = OLD.site AND s.id = OLD.id AND s.reasons <> '[]' AND k.key IN ('rule', 'label')); END;
INSERT INTO migrations (number, name) VALUES (1, '0001_first');
INSERT INTO migrations (number, name) VALUES (2, '0002_format');
INSERT INTO migrations (number, name) VALUES (10, '0010_imports');
INSERT INTO migrations (number, name) VALUES (20, '0020_counts');
INSERT INTO migrations (number, name) VALUES (21, '0021_nearest');
INSERT INTO migrations (number, name) VALUES (30, '0030_outbox');
INSERT INTO migrations (number, name) VALUES (31, '0031_subscriptions');
INSERT INTO migrations (number, name) VALUES (32, '0032_persons');
INSERT INTO migrations (number, name) VALUES (60, '0060_rules');
INSERT INTO migrations (number, name) VALUES (65, '0065_alike');
INSERT INTO migrations (number, name) VALUES (74, '0074_rule_versions');
INSERT INTO migrations (number, name) VALUES (75, '0075_roles');
INSERT INTO migrations (number, name) VALUES (80, '0080_queue');
INSERT INTO migrations (number, name) VALUES (81, '0081_appeals');
INSERT INTO migrations (number, name) VALUES (82, '0082_posting');
INSERT INTO migrations (number, name) VALUES (90, '0090_staff');
INSERT INTO migrations (number, name) VALUES (91, '0091_scrubs');
INSERT INTO migrations (number, name) VALUES (95, '0095_shadow');
INSERT INTO migrations (number, name) VALUES (96, '0096_short_words');
INSERT INTO migrations (number, name) VALUES (97, '0097_threes');
INSERT INTO migrations (number, name) VALUES (98, '0098_second_look');
INSERT INTO migrations (number, name) VALUES (100, '0100_bars');
INSERT INTO migrations (number, name) VALUES (101, '0101_shelves');
INSERT INTO migrations (number, name) VALUES (102, '0102_digest');
INSERT INTO migrations (number, name) VALUES (103, '0103_waiting_lists');
INSERT INTO migrations (number, name) VALUES (104, '0104_signin');
INSERT INTO migrations (number, name) VALUES (106, '0106_openings');
