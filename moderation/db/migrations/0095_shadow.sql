-- A candidate model beside the one that decides, on what a site receives. Of one that still runs `ended_at` is empty; `read_to`
-- is until when everything has been read, `problem` why it cannot be.
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
CREATE UNIQUE INDEX shadows_running ON shadows (site) WHERE ended_at IS NULL;

-- What the candidate would have said: numbers and names of rules, no word of the text. It goes with what was judged.
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
CREATE INDEX shadow_verdicts_in_order ON shadow_verdicts (site, shadow, id, revision, differs);
CREATE INDEX shadow_verdicts_that_differ ON shadow_verdicts (site, shadow, id, revision) WHERE differs = 1;
-- only sqlite
CREATE TRIGGER shadow_verdicts_forgotten AFTER DELETE ON submissions
BEGIN DELETE FROM shadow_verdicts WHERE site = OLD.site AND id = OLD.id AND revision = OLD.revision; END;
-- only postgres
CREATE FUNCTION forget_shadow_verdicts() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN DELETE FROM shadow_verdicts WHERE site = OLD.site AND id = OLD.id AND revision = OLD.revision; RETURN NULL; END $$;
-- only postgres
CREATE TRIGGER shadow_verdicts_forgotten AFTER DELETE ON submissions
FOR EACH ROW EXECUTE FUNCTION forget_shadow_verdicts();
