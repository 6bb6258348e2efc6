-- How many comments an article shows, kept in its own row: counting ten thousand at each opening of a thread would cost more
-- than the rest of its first screen. The database itself keeps the number, in the transaction that changes it, so that no
-- writer can forget to. It is in no backup: restoring the comments counts them again.

ALTER TABLE articles ADD COLUMN approved BIGINT NOT NULL DEFAULT 0;
UPDATE articles SET approved = (
    SELECT count(*) FROM comments c WHERE c.site = articles.site AND c.article = articles.article AND c.status = 'approved'
);

-- only sqlite
CREATE TRIGGER comments_counted_in AFTER INSERT ON comments WHEN NEW.status = 'approved'
BEGIN UPDATE articles SET approved = approved + 1 WHERE site = NEW.site AND article = NEW.article; END;
-- only sqlite
CREATE TRIGGER comments_counted_out AFTER DELETE ON comments WHEN OLD.status = 'approved'
BEGIN UPDATE articles SET approved = approved - 1 WHERE site = OLD.site AND article = OLD.article; END;
-- only sqlite
CREATE TRIGGER comments_counted_anew AFTER UPDATE OF site, article, status ON comments
WHEN 'approved' IN (OLD.status, NEW.status)
BEGIN UPDATE articles SET approved = approved - 1
WHERE OLD.status = 'approved' AND site = OLD.site AND article = OLD.article; UPDATE articles SET approved = approved + 1
WHERE NEW.status = 'approved' AND site = NEW.site AND article = NEW.article; END;

-- only postgres
CREATE FUNCTION count_approved() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN UPDATE articles SET approved = approved - 1
WHERE OLD.status = 'approved' AND site = OLD.site AND article = OLD.article; UPDATE articles SET approved = approved + 1
WHERE NEW.status = 'approved' AND site = NEW.site AND article = NEW.article; RETURN NULL; END $$;
-- only postgres
CREATE TRIGGER comments_counted_in AFTER INSERT ON comments
FOR EACH ROW WHEN (NEW.status = 'approved') EXECUTE FUNCTION count_approved();
-- only postgres
CREATE TRIGGER comments_counted_out AFTER DELETE ON comments
FOR EACH ROW WHEN (OLD.status = 'approved') EXECUTE FUNCTION count_approved();
-- only postgres
CREATE TRIGGER comments_counted_anew AFTER UPDATE OF site, article, status ON comments
FOR EACH ROW WHEN ('approved' IN (OLD.status, NEW.status)) EXECUTE FUNCTION count_approved();
