-- Failed sign-ins to an account since its moderator last looked, for a notice and a mail. `who` is a keyed hash of the address
-- that was typed, whether anybody has it or not.
CREATE TABLE signin_failures (
    site TEXT NOT NULL,
    who TEXT NOT NULL,
    failed BIGINT NOT NULL,
    unmailed BIGINT NOT NULL,
    at BIGINT NOT NULL,
    mailed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (site, who)
);
