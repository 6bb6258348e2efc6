-- The schema for PostgreSQL, table by table in the order of the slices (docs/architecture.md); `sqlite/0001_schema.sql` has
-- the same tables. Every key and index leads with the site ('*' stands for all sites). Times are Unix milliseconds, states
-- are words, lists and maps are JSON, booleans are 0 and 1.

-- === db ===

-- Who holds what only one worker may do at a time.
CREATE TABLE leases (
    site TEXT NOT NULL,
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (site, name)
);

-- Who did what: ids only, never a text or an address. Append-only.
CREATE TABLE audit (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_before_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- Deletions whose text is still in the files: in dead rows and in the entries that indexes keep of them. A row goes once the
-- files are overwritten (`db/secure_delete.py`). No backup holds these rows, since no backup holds the deleted texts.
CREATE TABLE secure_deletes (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (site, id)
);

-- === sites ===

-- `settings` is a SiteSettings. `mutes`: which rules are muted, and since when. `revision` moves with every change of the
-- row. `duplicates_watched_until`: until when new comments are compared with duplicates that were filed as spam.
CREATE TABLE sites (
    site TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    origins TEXT NOT NULL,
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    mutes TEXT NOT NULL DEFAULT '{}',
    revision BIGINT NOT NULL DEFAULT 0,
    duplicates_watched_until BIGINT NOT NULL DEFAULT 0
);

-- `approved_count`: how many comments the article shows. Counting ten thousand at each opening of a thread would cost more
-- than the rest of its first page. The function that adds comments counts them, one statement a batch (`comments/store.py`);
-- changes and deletions are counted by triggers. The number is in no backup: restoring counts again.
CREATE TABLE articles (
    site TEXT NOT NULL REFERENCES sites (site),
    article TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT,
    text TEXT NOT NULL,
    published_at BIGINT,
    comments_open INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    approved_count BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (site, article)
);

-- === team ===

-- `name` is what readers know a moderator by. `wants_digest`: the mail about what waits.
CREATE TABLE moderators (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('administrator', 'moderator')),
    password_hash TEXT,
    created_at BIGINT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    wants_digest INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (site, id)
);
CREATE UNIQUE INDEX moderators_by_email ON moderators (site, email);

-- Keyed hashes of tokens, never a token. `last_used_at` is to the hour; `name` says what a program's token is for.
CREATE TABLE tokens (
    site TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('api', 'session', 'set-password')),
    id TEXT NOT NULL,
    moderator TEXT,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    ended_at BIGINT,
    last_used_at BIGINT,
    name TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (site, token_hash)
);
CREATE INDEX tokens_of_moderator ON tokens (site, moderator, kind);

-- A moderator's second factor. Its secret is made from the secret key and `seed`. `last_step` is the last period of 30
-- seconds whose code was used, so that no code is taken twice. An unconfirmed one is shown, and never asked for.
CREATE TABLE second_factors (
    site TEXT NOT NULL,
    moderator TEXT NOT NULL,
    seed TEXT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL,
    PRIMARY KEY (site, moderator)
);

-- Keyed hashes of recovery codes. A row goes when its code is used.
CREATE TABLE recovery_codes (
    site TEXT NOT NULL,
    moderator TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    PRIMARY KEY (site, moderator, code_hash)
);

-- Failed attempts to sign in, of the last day. `counter` is what they count against: an account, a network, a browser.
CREATE TABLE failed_attempts (
    site TEXT NOT NULL,
    counter TEXT NOT NULL,
    id TEXT NOT NULL,
    failed_at BIGINT NOT NULL,
    PRIMARY KEY (site, counter, id)
);

-- Failed sign-ins to an account since its moderator last looked, for a notice and a mail. `account_key` is a keyed hash of
-- the address that was typed, whether a moderator has it or not.
CREATE TABLE signin_failures (
    site TEXT NOT NULL,
    account_key TEXT NOT NULL,
    unseen BIGINT NOT NULL,
    unmailed BIGINT NOT NULL,
    failed_at BIGINT NOT NULL,
    mailed_at BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (site, account_key)
);

-- === comments ===

-- `format`: a body is Markdown, or the HTML that WordPress's form sends and importers bring. `judged_revision`: the revision
-- at which the policy last saw the text. `is_decided`: a person has decided. `is_staff`: a moderator wrote it; who, stands in
-- the decision and in the audit log. `is_known`: its author proved an earlier approved comment. The queue's orders: `max_score` is the highest probability of any label, `margin` its
-- distance from one half, `rank` the time of arrival less the boost that the verdict earned (`comments/verdict.py`). An
-- unscored comment has the highest score and no margin.
CREATE TABLE comments (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    article TEXT NOT NULL,
    parent TEXT,
    path TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('approved', 'pending', 'spam', 'rejected', 'deleted')),
    revision BIGINT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    url TEXT,
    body TEXT NOT NULL,
    html TEXT NOT NULL,
    notify INTEGER NOT NULL,
    author_key TEXT NOT NULL,
    network_key TEXT NOT NULL,
    body_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    edited_at BIGINT,
    judged_revision BIGINT NOT NULL,
    is_decided INTEGER NOT NULL,
    format TEXT NOT NULL DEFAULT 'markdown' CHECK (format IN ('markdown', 'html')),
    max_score DOUBLE PRECISION NOT NULL DEFAULT 1,
    margin DOUBLE PRECISION NOT NULL DEFAULT 0,
    rank BIGINT NOT NULL DEFAULT 0,
    is_staff INTEGER NOT NULL DEFAULT 0,
    is_known INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, id),
    FOREIGN KEY (site, article) REFERENCES articles (site, article)
);
CREATE INDEX comments_in_thread ON comments (site, article, status, path);
CREATE INDEX comments_of_author ON comments (site, author_key, id, article, body_key, status);
CREATE INDEX comments_from_network ON comments (site, network_key, id);
-- Every order of the queue is an index read from one end. Of some hundred comments that were looked up, the first twenty in
-- any order come from this one alone.
CREATE INDEX comments_in_queue ON comments (site, status, id, max_score, margin, rank);
CREATE INDEX comments_by_max_score ON comments (site, status, max_score, id);
CREATE INDEX comments_by_margin ON comments (site, status, margin, id);
CREATE INDEX comments_by_rank ON comments (site, status, rank, id);
-- The audit sample in each order: one comment in 32, until somebody decides on it.
CREATE INDEX audit_sample_by_max_score ON comments (site, status, max_score, id)
    WHERE is_decided = 0 AND substr(id, 26, 1) = '0';
CREATE INDEX audit_sample_by_margin ON comments (site, status, margin, id) WHERE is_decided = 0 AND substr(id, 26, 1) = '0';
CREATE INDEX audit_sample_by_rank ON comments (site, status, rank, id) WHERE is_decided = 0 AND substr(id, 26, 1) = '0';
CREATE INDEX audit_sample_by_id ON comments (site, status, id) WHERE is_decided = 0 AND substr(id, 26, 1) = '0';

CREATE FUNCTION update_approved_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE articles SET approved_count = approved_count - 1
        WHERE OLD.status = 'approved' AND site = OLD.site AND article = OLD.article;
    UPDATE articles SET approved_count = approved_count + 1
        WHERE NEW.status = 'approved' AND site = NEW.site AND article = NEW.article;
    RETURN NULL;
END $$;
CREATE TRIGGER approved_count_after_delete AFTER DELETE ON comments
    FOR EACH ROW WHEN (OLD.status = 'approved') EXECUTE FUNCTION update_approved_count();
CREATE TRIGGER approved_count_after_update AFTER UPDATE OF site, article, status ON comments
    FOR EACH ROW WHEN ('approved' IN (OLD.status, NEW.status)) EXECUTE FUNCTION update_approved_count();

-- The hosts that comments link to. `decided`: the status that a person gave the comment, empty before. They go
-- with the comment.
CREATE TABLE comment_hosts (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    host TEXT NOT NULL,
    author_key TEXT NOT NULL,
    decided TEXT NOT NULL,
    PRIMARY KEY (site, id, host)
);
CREATE INDEX comment_hosts_by_host ON comment_hosts (site, host, decided, author_key);
CREATE FUNCTION update_comment_hosts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE comment_hosts SET decided = CASE WHEN NEW.is_decided <> 0 THEN NEW.status ELSE '' END
            WHERE site = NEW.site AND id = NEW.id;
    ELSE
        DELETE FROM comment_hosts WHERE site = OLD.site AND id = OLD.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_hosts_after_change AFTER DELETE OR UPDATE OF status, is_decided ON comments
    FOR EACH ROW EXECUTE FUNCTION update_comment_hosts();

-- How many comments each status holds, kept as `approved_count` is. In no backup.
CREATE TABLE comment_counts (
    site TEXT NOT NULL,
    status TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (site, status)
);
CREATE FUNCTION update_comment_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE comment_counts SET count = count - 1 WHERE site = OLD.site AND status = OLD.status;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO comment_counts AS k (site, status, count) VALUES (NEW.site, NEW.status, 1)
            ON CONFLICT (site, status) DO UPDATE SET count = k.count + 1;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_counts_after_change AFTER DELETE OR UPDATE OF site, status ON comments
    FOR EACH ROW EXECUTE FUNCTION update_comment_counts();

-- What was judged, as it was judged: the text that a decision teaches, whatever its author edits later. A submission may come
-- without a comment: a program's request for a score, an import.
CREATE TABLE submissions (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    source TEXT NOT NULL,
    article TEXT,
    body TEXT NOT NULL,
    author_name TEXT NOT NULL,
    author_url TEXT,
    email_domain TEXT NOT NULL,
    author_key TEXT NOT NULL,
    action TEXT NOT NULL,
    scores TEXT,
    model TEXT,
    reasons TEXT NOT NULL,
    facts TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    format TEXT NOT NULL DEFAULT 'markdown' CHECK (format IN ('markdown', 'html')),
    PRIMARY KEY (site, id, revision)
);
-- The author of a comment's submissions stands with the comment. A search by author is needed for all other sources alone.
CREATE INDEX submissions_of_author ON submissions (site, author_key) WHERE source <> 'comment';

-- What moderators did. `reason` is why a comment was rejected, as a word that is counted and translated; its author reads it
-- on the receipt.
CREATE TABLE decisions (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    submission TEXT NOT NULL,
    judged_revision BIGINT NOT NULL,
    action TEXT,
    labels TEXT NOT NULL,
    note TEXT NOT NULL,
    moderator TEXT NOT NULL,
    before_status TEXT,
    after_status TEXT,
    after_revision BIGINT,
    created_at BIGINT NOT NULL,
    undone_at BIGINT,
    undone_by TEXT,
    reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (site, id, submission)
);
CREATE INDEX decisions_on_submission ON decisions (site, submission, id);

-- What an author answered to a rejection, once. It goes with the comment, whoever deletes it.
CREATE TABLE appeals (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE FUNCTION delete_appeal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM appeals WHERE site = OLD.site AND id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER appeals_after_comment_delete AFTER DELETE ON comments FOR EACH ROW EXECUTE FUNCTION delete_appeal();

-- === duplicates ===

-- The keys under which a comment meets its near-duplicates (classifier/similar.py): of comments that waited or were filed,
-- and of those with links. They go with the comment.
CREATE TABLE duplicate_keys (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    key BIGINT NOT NULL,
    PRIMARY KEY (site, id, key),
    FOREIGN KEY (site, id) REFERENCES comments (site, id) ON DELETE CASCADE
);
CREATE INDEX duplicate_keys_by_key ON duplicate_keys (site, key, id);

-- === policy ===

-- How often each rule fired on a day, how many of those comments a moderator has decided since, and how many of them were
-- approved all the same. The day is the comment's (days since 1970), so that an undo subtracts where the decision was added.
CREATE TABLE rule_counts (
    site TEXT NOT NULL,
    rule TEXT NOT NULL,
    day BIGINT NOT NULL,
    hits BIGINT NOT NULL,
    decided BIGINT NOT NULL,
    overturned BIGINT NOT NULL,
    PRIMARY KEY (site, rule, day)
);

-- A site's settings before each change, so that one click restores them. Only the latest are kept: lists may name people, and
-- the audit log, which keeps every change for ever, holds none of their entries. `is_block`: the change was blocks from
-- comments; a day of those is one row, and none of them pushes a change of the policy out.
CREATE TABLE settings_history (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    settings TEXT NOT NULL,
    is_block INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (site, id)
);

-- A model that reads along: it judges a site's new comments beside the serving one, without effect. While it does, `ended_at`
-- is empty. Everything before `read_until` is judged; `problem` says why the rest cannot be.
CREATE TABLE read_along_runs (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    model TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    started_by TEXT NOT NULL,
    read_until BIGINT NOT NULL,
    problem TEXT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('', 'stopped', 'replaced', 'promoted')),
    PRIMARY KEY (site, id)
);
CREATE UNIQUE INDEX read_along_runs_running ON read_along_runs (site) WHERE ended_at IS NULL;

-- Its verdicts: numbers and names of rules, no word of the text. They go with the submission.
CREATE TABLE read_along_verdicts (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    run TEXT NOT NULL,
    action TEXT NOT NULL,
    changed INTEGER NOT NULL,
    scores TEXT NOT NULL,
    rules TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id, revision, run)
);
CREATE INDEX read_along_verdicts_of_run ON read_along_verdicts (site, run, id, revision, changed);
CREATE INDEX read_along_verdicts_changed ON read_along_verdicts (site, run, id, revision) WHERE changed = 1;
CREATE FUNCTION delete_read_along_verdicts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM read_along_verdicts WHERE site = OLD.site AND id = OLD.id AND revision = OLD.revision;
    RETURN NULL;
END $$;
CREATE TRIGGER read_along_verdicts_after_submission_delete AFTER DELETE ON submissions
    FOR EACH ROW EXECUTE FUNCTION delete_read_along_verdicts();

-- === articles ===

-- What an article is about, as a vector (classifier/nearest.py), computed when the article changes. `sequence` counts up
-- within a site, so that a process with vectors in memory reads only newer ones.
CREATE TABLE article_vectors (
    site TEXT NOT NULL,
    article TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    version BIGINT NOT NULL,
    vector TEXT NOT NULL,
    PRIMARY KEY (site, article)
);
CREATE INDEX article_vectors_by_sequence ON article_vectors (site, sequence);

-- Articles that a comment opened, rather than the site itself: when, from which network (a keyed hash, for a day), by which
-- comment, and what its page says of itself. That is a proposal, public once a person has approved a comment there.
CREATE TABLE article_openings (
    site TEXT NOT NULL,
    article TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    network_key TEXT NOT NULL,
    comment TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT,
    PRIMARY KEY (site, article)
);
CREATE INDEX article_openings_by_time ON article_openings (site, opened_at);
CREATE INDEX article_openings_from_network ON article_openings (site, network_key, opened_at);

-- === outbox ===

-- Outgoing events, stored in the transaction of the change and kept until delivered. `destination` is `mail`, or the id of a
-- webhook. `subject` is the comment, or the key of the author, that the event is about: erasure looks there. No row holds an
-- address: the recipient is looked up at delivery.
CREATE TABLE outbox (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    destination TEXT NOT NULL,
    subject TEXT NOT NULL,
    content TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    last_response TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE INDEX outbox_due ON outbox (site, state, due_at, destination);
CREATE INDEX outbox_by_destination ON outbox (site, destination, state, due_at);
CREATE INDEX outbox_by_subject ON outbox (site, subject);

-- A webhook's signing secret is made from the secret key and the webhook's id.
CREATE TABLE webhooks (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    PRIMARY KEY (site, id)
);

-- Whether an address wants to hear of replies on a site. The address itself stands with its comments alone. After `asked`
-- comes `confirmed`; `ended` may be asked again, `refused` never is.
CREATE TABLE subscriptions (
    site TEXT NOT NULL,
    author_key TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'confirmed', 'ended', 'refused')),
    asked_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (site, author_key)
);
CREATE INDEX subscriptions_by_id ON subscriptions (site, id);

-- === intake ===

-- The first response to each Idempotency-Key, for a day.
CREATE TABLE idempotency_keys (
    site TEXT NOT NULL,
    article TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    response TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (site, article, key)
);

-- === queue ===

-- Which comments each rule and each label fired on, at any revision: where to look; the latest verdict says whether it still
-- holds. The status stands in the key, so that a reason that thousands of published comments have is found at once among
-- those that wait. The row goes when the comment goes, whatever is kept of its verdicts.
CREATE TABLE comment_reasons (
    site TEXT NOT NULL,
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (site, reason, status, id)
);
CREATE FUNCTION update_comment_reasons() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM comment_reasons WHERE site = OLD.site AND id = OLD.id
            AND status IN ('pending', 'approved', 'spam', 'rejected', 'deleted') AND reason IN (
                SELECT k.key || ':' || k.value
                FROM json_array_elements(OLD.reasons::json) r, json_each_text(r.value) k
                WHERE k.key IN ('rule', 'label'));
    ELSE
        INSERT INTO comment_reasons (site, reason, status, id)
            SELECT NEW.site, k.key || ':' || k.value, c.status, NEW.id
            FROM comments c, json_array_elements(NEW.reasons::json) r, json_each_text(r.value) k
            WHERE c.site = NEW.site AND c.id = NEW.id AND k.key IN ('rule', 'label')
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_reasons_after_submission_insert AFTER INSERT ON submissions
    FOR EACH ROW WHEN (NEW.reasons <> '[]') EXECUTE FUNCTION update_comment_reasons();
CREATE TRIGGER comment_reasons_after_submission_delete AFTER DELETE ON submissions
    FOR EACH ROW WHEN (OLD.reasons <> '[]') EXECUTE FUNCTION update_comment_reasons();
CREATE FUNCTION move_comment_reasons() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH moved AS (
        DELETE FROM comment_reasons WHERE site = OLD.site AND status = OLD.status AND id = OLD.id AND reason IN (
            SELECT k.key || ':' || k.value
            FROM submissions s, json_array_elements(s.reasons::json) r, json_each_text(r.value) k
            WHERE s.site = OLD.site AND s.id = OLD.id AND s.reasons <> '[]' AND k.key IN ('rule', 'label'))
        RETURNING reason
    )
    INSERT INTO comment_reasons (site, reason, status, id)
        SELECT NEW.site, moved.reason, NEW.status, NEW.id FROM moved WHERE TG_OP = 'UPDATE'
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_reasons_after_comment_update AFTER UPDATE OF status ON comments
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION move_comment_reasons();
CREATE TRIGGER comment_reasons_after_comment_delete AFTER DELETE ON comments
    FOR EACH ROW EXECUTE FUNCTION move_comment_reasons();

-- The full-text index (`queue/store_search.py`): trigrams, so that words without spaces between them (Chinese, Japanese,
-- Thai) and pieces of words and addresses are found too.

-- Site and status, as one more thing that the index holds of each text: a word that thousands of published comments hold
-- costs nothing where only the queue is searched.
CREATE FUNCTION search_partition(site text, status text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT chr(10) || site || chr(10) || status
$$;
-- Read once from the front: by subscripts each letter would be looked for from the beginning of the text, and 10,000 letters
-- would take 8 to 17 seconds. The cost keeps the planner from computing it row by row.
CREATE FUNCTION trigrams(body text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000 AS $$
    SELECT array_agg(DISTINCT a || b || c) FROM ROWS FROM (
        unnest(string_to_array(lower(body), NULL)),
        unnest(string_to_array(substr(lower(body), 2), NULL)),
        unnest(string_to_array(substr(lower(body), 3), NULL))
    ) AS s(a, b, c) WHERE c IS NOT NULL
$$;
-- PostgreSQL keeps new entries of an inverted index on a pending list, which every search reads through: 4 MB take half a
-- second, 128 kB some milliseconds. The writer that fills the list moves it into the index.
CREATE INDEX comments_by_text ON comments
    USING gin ((trigrams(name || chr(10) || email || chr(10) || body) || search_partition(site, status)))
    WITH (gin_pending_list_limit = 128);

-- What trigrams cannot find: words of one or two letters, characters of scripts that are written without spaces, and the
-- hosts of addresses (`queue/store_short_words.py`), extracted from the texts by a search or a periodic job.
CREATE TABLE comment_short_words (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    words TEXT[] NOT NULL,
    partition TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (site, id)
);
CREATE INDEX comment_short_words_by_word ON comment_short_words USING gin ((words || partition))
    WITH (gin_pending_list_limit = 128);
-- The texts that wait for that.
CREATE TABLE comment_short_words_unindexed (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (site, id)
);
CREATE FUNCTION update_comment_short_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM comment_short_words WHERE site = OLD.site AND id = OLD.id;
    END IF;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM comment_short_words_unindexed WHERE site = OLD.site AND id = OLD.id;
    ELSE
        INSERT INTO comment_short_words_unindexed (site, id) VALUES (NEW.site, NEW.id) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_short_words_after_change AFTER INSERT OR DELETE OR UPDATE OF name, email, body ON comments
    FOR EACH ROW EXECUTE FUNCTION update_comment_short_words();
CREATE FUNCTION move_comment_short_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE comment_short_words SET partition = search_partition(NEW.site, NEW.status) WHERE site = NEW.site AND id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER comment_short_words_after_status_update AFTER UPDATE OF status ON comments
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION move_comment_short_words();

-- === learning ===

-- When the model that is live for a site read its examples. A site without a row has the base model alone.
CREATE TABLE training_state (
    site TEXT NOT NULL PRIMARY KEY,
    examples_read_at BIGINT NOT NULL
);

-- Erasures of people from whom a site had learnt, and how many examples went. A live model that read its examples before one
-- of these still holds what was erased.
CREATE TABLE erased_examples (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    erased_at BIGINT NOT NULL,
    examples BIGINT NOT NULL,
    PRIMARY KEY (site, id)
);

-- === privacy ===

-- Links mailed to an address about all that is held on it. The link is made from the id and the secret key. Each of its two
-- acts works once.
CREATE TABLE data_subject_links (
    site TEXT NOT NULL,
    id TEXT NOT NULL,
    author_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    exported_at BIGINT,
    PRIMARY KEY (site, id)
);
CREATE INDEX data_subject_links_of_author ON data_subject_links (site, author_key, created_at);

-- === transfer ===

-- The ids that articles and comments had in the system that they came from: a second import doubles nothing, a reply finds
-- its parent, and WordPress's form may go on naming comments and posts by number. A row outlives its comment, so that an
-- erased one stays away. `missing_parent` is set while a reply waits for its parent's import.
CREATE TABLE imported_ids (
    site TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('article', 'comment')),
    foreign_id TEXT NOT NULL,
    id TEXT NOT NULL,
    missing_parent TEXT,
    PRIMARY KEY (site, source, kind, foreign_id)
);
CREATE INDEX imported_ids_without_parent ON imported_ids (site, source, missing_parent) WHERE missing_parent IS NOT NULL;
CREATE INDEX imported_ids_by_id ON imported_ids (site, id);
