-- Links that were mailed to an address about all that is held on it. Of each only the id is here: what opens it is made
-- from the id and the secret key. `person` is the author's key. Each of the two acts works once.
CREATE TABLE person_links (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    person TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    exported_at BIGINT,
    PRIMARY KEY (site, id)
);
CREATE INDEX person_links_of_person ON person_links (site, person, created_at);

-- When the correction that is live for a site read its examples; no row: the bare base is live.
CREATE TABLE learnt (
    site TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);
INSERT INTO learnt (site, at) SELECT site, max(at) FROM audit WHERE action = 'model:promote' GROUP BY site;

-- When somebody was erased from whom a site had learnt, and how many examples went.
CREATE TABLE unlearnt (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    examples BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
