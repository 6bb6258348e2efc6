-- What a comment costs on its way in: on SQLite every index that sorts by chance (a score, a keyed hash) writes one more page,
-- and a trigger makes each row keep copies of all pages that it touches.

-- An article's comments of a status are found in its thread's index; the few that a view names are sorted afterwards.
DROP INDEX comments_of_article;

-- Whose texts these are, the comments know. By itself a text has to be found only where it never was a comment here.
DROP INDEX submissions_of_author;
CREATE INDEX submissions_of_author ON submissions (site, author_key) WHERE source <> 'comment';

-- New comments are counted, and listed for the full-text index, with one statement a batch by the one function that adds
-- them (`comments/store.py`, `add_comments`). What changes or goes is counted by the database itself, as before.
-- only sqlite
DROP TRIGGER comments_counted_in;
-- only sqlite
DROP TRIGGER statuses_counted_in;
-- only sqlite with fts5
DROP TRIGGER texts_listed;
-- only postgres
DROP TRIGGER comments_counted_in ON comments;
-- only postgres
DROP TRIGGER statuses_counted ON comments;
-- only postgres
CREATE TRIGGER statuses_counted AFTER DELETE OR UPDATE OF site, status ON comments
FOR EACH ROW EXECUTE FUNCTION count_statuses();
