-- When a session or a token was last used, to the hour, and what a token is for.
ALTER TABLE tokens ADD COLUMN used_at BIGINT;
ALTER TABLE tokens ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- A moderator's second factor. Its secret is not here: it is made from the secret key and `seed`. `step` is the last
-- 30 seconds whose code was used, so that no code is taken twice. Not confirmed: shown, but never asked for.
CREATE TABLE second_factors (
    site TEXT NOT NULL,
    moderator TEXT NOT NULL,
    seed TEXT NOT NULL,
    confirmed_at BIGINT,
    step BIGINT NOT NULL,
    PRIMARY KEY (site, moderator)
);

-- Only keyed marks of the codes; a code goes when it is used.
CREATE TABLE recovery_codes (
    site TEXT NOT NULL,
    moderator TEXT NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (site, moderator, mark)
);
