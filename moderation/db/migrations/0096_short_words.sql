-- Words of one or two letters, characters of scripts that are written without spaces, and the hosts of addresses, which the
-- index of every three letters cannot find: worked out of the texts when the index reads them (`queue/store_short_words.py`).
-- What waits to be read stands on a list; what came before this migration is on it too.
-- only sqlite with fts5
CREATE VIRTUAL TABLE comment_shorts USING fts5 (words, detail = none, columnsize = 0, tokenize = 'ascii');
-- only sqlite with fts5
CREATE TABLE comment_shorts_unread (site TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (site, id)) WITHOUT ROWID;
-- only sqlite with fts5
INSERT INTO comment_shorts_unread (site, id) SELECT site, id FROM comments;
-- only sqlite with fts5
CREATE TRIGGER shorts_forgotten AFTER DELETE ON comment_numbers
BEGIN DELETE FROM comment_shorts WHERE rowid = OLD.number; DELETE FROM comment_shorts_unread
WHERE site = OLD.site AND id = OLD.id; END;
-- only sqlite with fts5
CREATE TRIGGER shorts_found_anew AFTER UPDATE OF name, email, body ON comments
WHEN OLD.name <> NEW.name OR OLD.email <> NEW.email OR OLD.body <> NEW.body
BEGIN DELETE FROM comment_shorts WHERE rowid IN (SELECT number FROM comment_numbers WHERE site = OLD.site AND id = OLD.id)
; INSERT OR IGNORE INTO comment_shorts_unread (site, id) VALUES (NEW.site, NEW.id); END;
-- only postgres
CREATE TABLE comment_shorts (site TEXT NOT NULL, id TEXT NOT NULL, words TEXT[] NOT NULL, PRIMARY KEY (site, id));
-- only postgres
CREATE INDEX comment_shorts_by_word ON comment_shorts USING gin (words);
-- only postgres
CREATE TABLE comment_shorts_unread (site TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (site, id));
-- only postgres
INSERT INTO comment_shorts_unread (site, id) SELECT site, id FROM comments;
-- only postgres
CREATE FUNCTION list_shorts() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF TG_OP <> 'INSERT' THEN DELETE FROM comment_shorts WHERE site = OLD.site AND id = OLD.id; END IF; IF TG_OP = 'DELETE' THEN
DELETE FROM comment_shorts_unread WHERE site = OLD.site AND id = OLD.id; ELSE INSERT INTO comment_shorts_unread (site, id) VALUES (NEW.site, NEW.id) ON CONFLICT DO NOTHING; END IF; RETURN NULL; END $$;
-- only postgres
CREATE TRIGGER shorts_listed AFTER INSERT OR DELETE OR UPDATE OF name, email, body ON comments
FOR EACH ROW EXECUTE FUNCTION list_shorts();
