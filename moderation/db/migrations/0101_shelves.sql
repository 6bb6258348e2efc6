-- A word that is in thousands of comments, of which none has the status that is asked for, made the queue read every comment of
-- that status. So what is looked up is kept apart by site and status: the full text and the reasons.

-- SQLite: a comment's number in the index leads with its shelf, so that a status is a range of numbers, which FTS5 jumps to.
-- The index is made anew, in pieces (`queue/store_search.py`); until then what it does not have yet is read row by row.
-- only sqlite with fts5
CREATE TABLE comment_shelves (shelf INTEGER PRIMARY KEY, site TEXT NOT NULL, status TEXT NOT NULL, UNIQUE (site, status));
-- only sqlite with fts5
INSERT INTO comment_texts (comment_texts) VALUES ('delete-all');
-- only sqlite with fts5
DELETE FROM comment_numbers;
-- only sqlite with fts5
INSERT OR IGNORE INTO comment_texts_unread (site, id) SELECT site, id FROM comments;
-- A decision costs an entry on the list, not a text that is taken out of the index and put in again.
-- only sqlite with fts5
CREATE TRIGGER texts_moved AFTER UPDATE OF status ON comments WHEN OLD.status <> NEW.status
BEGIN INSERT OR IGNORE INTO comment_texts_unread (site, id) VALUES (NEW.site, NEW.id); END;

-- PostgreSQL: where it stands is one more thing that the index says of each text. The index is made anew here.
-- only postgres
CREATE FUNCTION shelf(site text, status text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT chr(10) || site || chr(10) || status $$;
-- only postgres
DROP INDEX comments_by_text;
-- only postgres
CREATE INDEX comments_by_text ON comments USING gin ((threes(name || chr(10) || email || chr(10) || body) || shelf(site, status)));
-- only postgres
ALTER TABLE comment_shorts ADD COLUMN shelf TEXT NOT NULL DEFAULT '';
-- only postgres
UPDATE comment_shorts SET shelf = shelf(c.site, c.status) FROM comments c
WHERE c.site = comment_shorts.site AND c.id = comment_shorts.id;
-- only postgres
DROP INDEX comment_shorts_by_word;
-- only postgres
CREATE INDEX comment_shorts_by_word ON comment_shorts USING gin ((words || shelf));
-- only postgres
CREATE FUNCTION move_shorts() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN UPDATE comment_shorts SET shelf = shelf(NEW.site, NEW.status) WHERE site = NEW.site AND id = NEW.id; RETURN NULL; END $$;
-- only postgres
CREATE TRIGGER shorts_moved AFTER UPDATE OF status ON comments FOR EACH ROW WHEN (OLD.status <> NEW.status)
EXECUTE FUNCTION move_shorts();

-- The reasons, with the status in the key.
CREATE TABLE reasons_by_status (
    site TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (site, reason, status, id)
);
INSERT INTO reasons_by_status (site, reason, status, id) SELECT r.site, r.reason, c.status, r.id FROM comment_reasons r
    JOIN comments c ON c.site = r.site AND c.id = r.id;
-- only sqlite
DROP TRIGGER reasons_noted;
-- only sqlite
DROP TRIGGER reasons_forgotten;
DROP TABLE comment_reasons;
ALTER TABLE reasons_by_status RENAME TO comment_reasons;
-- only sqlite
CREATE TRIGGER reasons_noted AFTER INSERT ON submissions WHEN NEW.reasons <> '[]'
BEGIN INSERT OR IGNORE INTO comment_reasons (site, reason, status, id) SELECT NEW.site, k.key || ':' || k.value, c.status, NEW.id
FROM comments c, json_each(NEW.reasons) r, json_each(r.value) k WHERE c.site = NEW.site AND c.id = NEW.id
AND k.key IN ('rule', 'label'); END;
-- only sqlite
CREATE TRIGGER reasons_forgotten AFTER DELETE ON submissions WHEN OLD.reasons <> '[]'
BEGIN DELETE FROM comment_reasons WHERE site = OLD.site AND id = OLD.id
AND status IN ('pending', 'approved', 'spam', 'rejected', 'deleted') AND reason IN
(SELECT k.key || ':' || k.value FROM json_each(OLD.reasons) r, json_each(r.value) k WHERE k.key IN ('rule', 'label')); END;
-- only sqlite
CREATE TRIGGER reasons_moved AFTER UPDATE OF status ON comments WHEN OLD.status <> NEW.status
BEGIN UPDATE OR REPLACE comment_reasons SET status = NEW.status WHERE site = NEW.site AND status = OLD.status AND id = NEW.id
AND reason IN (SELECT k.key || ':' || k.value FROM submissions s, json_each(s.reasons) r, json_each(r.value) k
WHERE s.site = NEW.site AND s.id = NEW.id AND s.reasons <> '[]' AND k.key IN ('rule', 'label')); END;
-- What is kept of a comment's verdicts after it went is found no more.
-- only sqlite
CREATE TRIGGER reasons_left AFTER DELETE ON comments
BEGIN DELETE FROM comment_reasons WHERE site = OLD.site AND status = OLD.status AND id = OLD.id AND reason IN
(SELECT k.key || ':' || k.value FROM submissions s, json_each(s.reasons) r, json_each(r.value) k
WHERE s.site = OLD.site AND s.id = OLD.id AND s.reasons <> '[]' AND k.key IN ('rule', 'label')); END;
-- only postgres
CREATE OR REPLACE FUNCTION note_reasons() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF TG_OP = 'DELETE' THEN DELETE FROM comment_reasons WHERE site = OLD.site AND id = OLD.id
AND status IN ('pending', 'approved', 'spam', 'rejected', 'deleted') AND reason IN
(SELECT k.key || ':' || k.value FROM json_array_elements(OLD.reasons::json) r, json_each_text(r.value) k
WHERE k.key IN ('rule', 'label')); ELSE INSERT INTO comment_reasons (site, reason, status, id)
SELECT NEW.site, k.key || ':' || k.value, c.status, NEW.id FROM comments c, json_array_elements(NEW.reasons::json) r,
json_each_text(r.value) k WHERE c.site = NEW.site AND c.id = NEW.id AND k.key IN ('rule', 'label')
ON CONFLICT DO NOTHING; END IF; RETURN NULL; END $$;
-- only postgres
CREATE FUNCTION move_reasons() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN WITH gone AS (DELETE FROM comment_reasons WHERE site = OLD.site AND status = OLD.status AND id = OLD.id AND reason IN
(SELECT k.key || ':' || k.value FROM submissions s, json_array_elements(s.reasons::json) r, json_each_text(r.value) k
WHERE s.site = OLD.site AND s.id = OLD.id AND s.reasons <> '[]' AND k.key IN ('rule', 'label')) RETURNING reason)
INSERT INTO comment_reasons (site, reason, status, id) SELECT NEW.site, gone.reason, NEW.status, NEW.id FROM gone
WHERE TG_OP = 'UPDATE' ON CONFLICT DO NOTHING; RETURN NULL; END $$;
-- only postgres
CREATE TRIGGER reasons_moved AFTER UPDATE OF status ON comments FOR EACH ROW WHEN (OLD.status <> NEW.status)
EXECUTE FUNCTION move_reasons();
-- only postgres
CREATE TRIGGER reasons_left AFTER DELETE ON comments FOR EACH ROW EXECUTE FUNCTION move_reasons();

-- Of some hundred comments that were looked up, the first twenty in any order: from the index alone, without a row of theirs.
DROP INDEX comments_in_queue;
CREATE INDEX comments_in_queue ON comments (site, status, id, worst, doubt, turn);
-- After it: of two that serve alike, SQLite takes the younger one.
DROP INDEX comments_second_look;
CREATE INDEX comments_second_look ON comments (site, status, id) WHERE decided = 0 AND substr(id, 26, 1) = '0';
