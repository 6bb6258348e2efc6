-- How often each rule fired on a day, how many of those a moderator has decided since, and how many of them were
-- approved all the same. The day is the comment's (days since 1970), so that an undo takes back from where it was added.
CREATE TABLE rule_counts (
    site TEXT NOT NULL,
    rule TEXT NOT NULL,
    day BIGINT NOT NULL,
    hits BIGINT NOT NULL,
    decided BIGINT NOT NULL,
    overturned BIGINT NOT NULL,
    PRIMARY KEY (site, rule, day)
);

-- Which rules are muted, and since when; read with the site. The revision moves with every change of the site.
ALTER TABLE sites ADD COLUMN mutes TEXT NOT NULL DEFAULT '{}';
ALTER TABLE sites ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
