-- Why a comment was rejected, as a word that can be counted and translated; its author reads it on the receipt.
ALTER TABLE decisions ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- What an author answered to that, once. It goes with the comment, whoever deletes it.
CREATE TABLE appeals (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
-- only sqlite
CREATE TRIGGER appeals_forgotten AFTER DELETE ON comments
BEGIN DELETE FROM appeals WHERE site = OLD.site AND id = OLD.id; END;
-- only postgres
CREATE FUNCTION forget_appeal() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN DELETE FROM appeals WHERE site = OLD.site AND id = OLD.id; RETURN NULL; END $$;
-- only postgres
CREATE TRIGGER appeals_forgotten AFTER DELETE ON comments FOR EACH ROW EXECUTE FUNCTION forget_appeal();
