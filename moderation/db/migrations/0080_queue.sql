-- The queue among 200,000 comments: every order is an index read from one end, the numbers on the tabs are rows, and a text
-- or a reason is looked up before anything is read.

-- worst: the highest probability of any label. doubt: how far it is from a half. turn: when it is its turn, in milliseconds: when it came, less
-- the head start that its verdict earned it (`moderation/comments/verdict.py`). What was not scored is the worst and the least certain.
ALTER TABLE comments ADD COLUMN worst DOUBLE PRECISION NOT NULL DEFAULT 1;
ALTER TABLE comments ADD COLUMN doubt DOUBLE PRECISION NOT NULL DEFAULT 0;
ALTER TABLE comments ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
UPDATE comments SET turn = created_at, worst = coalesce((SELECT s.worst FROM submissions s WHERE s.site = comments.site
    AND s.id = comments.id AND s.revision = comments.judged), 1);
UPDATE comments SET doubt = abs(worst - 0.5), turn = created_at - CAST((1 - 2 * abs(worst - 0.5)) * 86400000 AS BIGINT)
    WHERE EXISTS (SELECT 1 FROM submissions s WHERE s.site = comments.site AND s.id = comments.id
    AND s.revision = comments.judged AND s.worst IS NOT NULL);
CREATE INDEX comments_worst ON comments (site, status, worst, id);
CREATE INDEX comments_doubtful ON comments (site, status, doubt, id);
CREATE INDEX comments_in_turn ON comments (site, status, turn, id);
CREATE INDEX comments_of_article ON comments (site, article, status, id);

-- How many comments each status holds, kept as the articles' numbers are (0020_counts.sql). It is in no backup.
CREATE TABLE comment_counts (
    site TEXT NOT NULL,
    status TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (site, status)
);
INSERT INTO comment_counts (site, status, count) SELECT site, status, count(*) FROM comments GROUP BY site, status;
-- only sqlite
CREATE TRIGGER statuses_counted_in AFTER INSERT ON comments
BEGIN INSERT INTO comment_counts (site, status, count) VALUES (NEW.site, NEW.status, 1)
ON CONFLICT (site, status) DO UPDATE SET count = count + 1; END;
-- only sqlite
CREATE TRIGGER statuses_counted_out AFTER DELETE ON comments
BEGIN UPDATE comment_counts SET count = count - 1 WHERE site = OLD.site AND status = OLD.status; END;
-- only sqlite
CREATE TRIGGER statuses_counted_anew AFTER UPDATE OF site, status ON comments
WHEN OLD.status <> NEW.status OR OLD.site <> NEW.site
BEGIN UPDATE comment_counts SET count = count - 1 WHERE site = OLD.site AND status = OLD.status; INSERT INTO comment_counts
(site, status, count) VALUES (NEW.site, NEW.status, 1) ON CONFLICT (site, status) DO UPDATE SET count = count + 1; END;
-- only postgres
CREATE FUNCTION count_statuses() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF TG_OP <> 'INSERT' THEN UPDATE comment_counts SET count = count - 1
WHERE site = OLD.site AND status = OLD.status; END IF; IF TG_OP <> 'DELETE' THEN
INSERT INTO comment_counts AS k (site, status, count) VALUES (NEW.site, NEW.status, 1)
ON CONFLICT (site, status) DO UPDATE SET count = k.count + 1; END IF; RETURN NULL; END $$;
-- only postgres
CREATE TRIGGER statuses_counted AFTER INSERT OR DELETE OR UPDATE OF site, status ON comments
FOR EACH ROW EXECUTE FUNCTION count_statuses();

-- Which comments each rule and each label spoke about, of whichever revision: where to look, not what is so.
CREATE TABLE comment_reasons (
    site TEXT NOT NULL,
    reason TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (site, reason, id)
);
-- only sqlite
INSERT OR IGNORE INTO comment_reasons (site, reason, id) SELECT s.site, k.key || ':' || k.value, s.id FROM submissions s,
    json_each(s.reasons) r, json_each(r.value) k WHERE k.key IN ('rule', 'label');
-- only sqlite
CREATE TRIGGER reasons_noted AFTER INSERT ON submissions WHEN NEW.reasons <> '[]'
BEGIN INSERT OR IGNORE INTO comment_reasons (site, reason, id) SELECT NEW.site, k.key || ':' || k.value, NEW.id
FROM json_each(NEW.reasons) r, json_each(r.value) k WHERE k.key IN ('rule', 'label'); END;
-- only sqlite
CREATE TRIGGER reasons_forgotten AFTER DELETE ON submissions WHEN OLD.reasons <> '[]'
BEGIN DELETE FROM comment_reasons WHERE site = OLD.site AND id = OLD.id AND reason IN
(SELECT k.key || ':' || k.value FROM json_each(OLD.reasons) r, json_each(r.value) k WHERE k.key IN ('rule', 'label')); END;
-- only postgres
INSERT INTO comment_reasons (site, reason, id) SELECT DISTINCT s.site, k.key || ':' || k.value, s.id FROM submissions s,
    json_array_elements(s.reasons::json) r, json_each_text(r.value) k WHERE k.key IN ('rule', 'label');
-- only postgres
CREATE FUNCTION note_reasons() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF TG_OP = 'DELETE' THEN DELETE FROM comment_reasons WHERE site = OLD.site AND id = OLD.id AND reason IN
(SELECT k.key || ':' || k.value FROM json_array_elements(OLD.reasons::json) r, json_each_text(r.value) k
WHERE k.key IN ('rule', 'label')); ELSE INSERT INTO comment_reasons (site, reason, id)
SELECT NEW.site, k.key || ':' || k.value, NEW.id FROM json_array_elements(NEW.reasons::json) r, json_each_text(r.value) k
WHERE k.key IN ('rule', 'label') ON CONFLICT DO NOTHING; END IF; RETURN NULL; END $$;
-- only postgres
CREATE TRIGGER reasons_noted AFTER INSERT ON submissions FOR EACH ROW WHEN (NEW.reasons <> '[]')
EXECUTE FUNCTION note_reasons();
-- only postgres
CREATE TRIGGER reasons_forgotten AFTER DELETE ON submissions FOR EACH ROW WHEN (OLD.reasons <> '[]')
EXECUTE FUNCTION note_reasons();

-- Full text: every three letters in a row, so that words without spaces between them (Chinese, Japanese, Thai) and pieces of
-- words and addresses are found too. The index keeps no text of its own. SQLite may move a row's own number (VACUUM), so
-- each comment has one that stays. Where SQLite was built without FTS5, there is no index and searching reads the rows.
-- only sqlite with fts5
CREATE TABLE comment_numbers (
    number INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    UNIQUE (site, id)
);
-- only sqlite with fts5
CREATE VIRTUAL TABLE comment_texts USING fts5 (name, email, body, content = '', columnsize = 0, tokenize = 'trigram');
-- only sqlite with fts5
INSERT INTO comment_numbers (site, id) SELECT site, id FROM comments;
-- only sqlite with fts5
INSERT INTO comment_texts (rowid, name, email, body) SELECT n.number, c.name, c.email, c.body FROM comment_numbers n
    JOIN comments c ON c.site = n.site AND c.id = n.id;
-- A text costs its index as much time as the rest of its way in, so a new one is only put on this list; whoever searches,
-- and a round every minute, reads what is on it (`queue/store_search.py`).
-- only sqlite with fts5
CREATE TABLE comment_texts_unread (site TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (site, id)) WITHOUT ROWID;
-- only sqlite with fts5
CREATE TRIGGER texts_listed AFTER INSERT ON comments
BEGIN INSERT OR IGNORE INTO comment_texts_unread (site, id) VALUES (NEW.site, NEW.id); END;
-- only sqlite with fts5
CREATE TRIGGER texts_forgotten AFTER DELETE ON comments
BEGIN INSERT INTO comment_texts (comment_texts, rowid, name, email, body) SELECT 'delete', number, OLD.name, OLD.email,
OLD.body FROM comment_numbers WHERE site = OLD.site AND id = OLD.id; DELETE FROM comment_numbers
WHERE site = OLD.site AND id = OLD.id; DELETE FROM comment_texts_unread WHERE site = OLD.site AND id = OLD.id; END;
-- only sqlite with fts5
CREATE TRIGGER texts_found_anew AFTER UPDATE OF name, email, body ON comments
WHEN OLD.name <> NEW.name OR OLD.email <> NEW.email OR OLD.body <> NEW.body
BEGIN INSERT INTO comment_texts (comment_texts, rowid, name, email, body) SELECT 'delete', number, OLD.name, OLD.email,
OLD.body FROM comment_numbers WHERE site = OLD.site AND id = OLD.id; INSERT INTO comment_texts (rowid, name, email, body)
SELECT number, NEW.name, NEW.email, NEW.body FROM comment_numbers WHERE site = NEW.site AND id = NEW.id; END;
-- only postgres
CREATE FUNCTION threes(said text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000 AS
$$ SELECT array_agg(DISTINCT c[i] || c[i + 1] || c[i + 2]) FROM (SELECT string_to_array(lower(said), NULL) AS c) s,
generate_series(1, cardinality(c) - 2) AS i $$;
-- only postgres
CREATE INDEX comments_by_text ON comments USING gin (threes(name || chr(10) || email || chr(10) || body));
