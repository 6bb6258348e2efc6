-- What readers reported about published comments: one report of a reader on a comment. It goes with the comment. `reporter` is a
-- keyed hash of the network address, and names nobody after 90 days; `revision` is the comment's judged revision, so its text.
CREATE TABLE reports (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    reporter TEXT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    revision BIGINT NOT NULL,
    weight DOUBLE PRECISION NOT NULL,
    created_at BIGINT NOT NULL,
    outcome TEXT,
    decision TEXT,
    PRIMARY KEY (site, id, reporter),
    FOREIGN KEY (site, id) REFERENCES comments (site, id) ON DELETE CASCADE
);
CREATE INDEX reports_open ON reports (site, id) WHERE outcome IS NULL;
CREATE INDEX reports_by_reporter ON reports (site, reporter, created_at);
CREATE INDEX reports_by_decision ON reports (site, decision) WHERE decision IS NOT NULL;
