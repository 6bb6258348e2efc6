-- What each API key of the Akismet dialect was used for, by the client's site (`blog`) and day (days since 1970). `token_hash` is
-- the key's in `tokens`. `is_unlinked`: the client has taken its site off the key; any later use puts it back.
CREATE TABLE key_usage (
    site TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    blog TEXT NOT NULL,
    day BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    spam BIGINT NOT NULL,
    ham BIGINT NOT NULL,
    missed_spam BIGINT NOT NULL,
    false_positives BIGINT NOT NULL,
    is_unlinked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, token_hash, blog, day)
);
CREATE INDEX key_usage_by_day ON key_usage (site, token_hash, day);
