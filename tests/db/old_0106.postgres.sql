CREATE FUNCTION audit_keeps() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;

CREATE FUNCTION count_approved() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN UPDATE articles SET approved = approved - 1
WHERE OLD.status = 'approved' AND site = OLD.site AND article = OLD.article; UPDATE articles SET approved = approved + 1
WHERE NEW.status = 'approved' AND site = NEW.site AND article = NEW.article; RETURN NULL; END $$;

CREATE FUNCTION count_statuses() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF TG_OP <> 'INSERT' THEN UPDATE comment_counts SET count = count - 1
WHERE site = OLD.site AND status = OLD.status; END IF; IF TG_OP <> 'DELETE' THEN
INSERT INTO comment_counts AS k (site, status, count) VALUES (NEW.site, NEW.status, 1)
ON CONFLICT (site, status) DO UPDATE SET count = k.count + 1; END IF; RETURN NULL; END $$;

CREATE FUNCTION forget_appeal() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN DELETE FROM appeals WHERE site = OLD.site AND id = OLD.id; RETURN NULL; END $$;

CREATE FUNCTION forget_shadow_verdicts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN DELETE FROM shadow_verdicts WHERE site = OLD.site AND id = OLD.id AND revision = OLD.revision; RETURN NULL; END $$;

CREATE FUNCTION list_shorts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF TG_OP <> 'INSERT' THEN DELETE FROM comment_shorts WHERE site = OLD.site AND id = OLD.id; END IF; IF TG_OP = 'DELETE' THEN
DELETE FROM comment_shorts_unread WHERE site = OLD.site AND id = OLD.id; ELSE INSERT INTO comment_shorts_unread (site, id) VALUES (NEW.site, NEW.id) ON CONFLICT DO NOTHING; END IF; RETURN NULL; END $$;

CREATE FUNCTION move_reasons() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN WITH gone AS (DELETE FROM comment_reasons WHERE site = OLD.site AND status = OLD.status AND id = OLD.id AND reason IN
(SELECT k.key || ':' || k.value FROM submissions s, json_array_elements(s.reasons::json) r, json_each_text(r.value) k
WHERE s.site = OLD.site AND s.id = OLD.id AND s.reasons <> '[]' AND k.key IN ('rule', 'label')) RETURNING reason)
INSERT INTO comment_reasons (site, reason, status, id) SELECT NEW.site, gone.reason, NEW.status, NEW.id FROM gone
WHERE TG_OP = 'UPDATE' ON CONFLICT DO NOTHING; RETURN NULL; END $$;

CREATE FUNCTION move_shorts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN UPDATE comment_shorts SET shelf = shelf(NEW.site, NEW.status) WHERE site = NEW.site AND id = NEW.id; RETURN NULL; END $$;

CREATE FUNCTION note_reasons() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN IF TG_OP = 'DELETE' THEN DELETE FROM comment_reasons WHERE site = OLD.site AND id = OLD.id
AND status IN ('pending', 'approved', 'spam', 'rejected', 'deleted') AND reason IN
(SELECT k.key || ':' || k.value FROM json_array_elements(OLD.reasons::json) r, json_each_text(r.value) k
WHERE k.key IN ('rule', 'label')); ELSE INSERT INTO comment_reasons (site, reason, status, id)
SELECT NEW.site, k.key || ':' || k.value, c.status, NEW.id FROM comments c, json_array_elements(NEW.reasons::json) r,
json_each_text(r.value) k WHERE c.site = NEW.site AND c.id = NEW.id AND k.key IN ('rule', 'label')
ON CONFLICT DO NOTHING; END IF; RETURN NULL; END $$;

CREATE FUNCTION shelf(site text, status text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT chr(10) || site || chr(10) || status $$;

CREATE FUNCTION threes(said text) RETURNS text[]
    LANGUAGE sql IMMUTABLE COST 10000 PARALLEL SAFE
    AS $$ SELECT array_agg(DISTINCT a || b || c) FROM ROWS FROM (unnest(string_to_array(lower(said), NULL)),
unnest(string_to_array(substr(lower(said), 2), NULL)), unnest(string_to_array(substr(lower(said), 3), NULL))) AS s(a, b, c)
WHERE c IS NOT NULL $$;

CREATE TABLE alike (
    site text NOT NULL,
    id text NOT NULL,
    key bigint NOT NULL
);

CREATE TABLE appeals (
    site text NOT NULL,
    id text NOT NULL,
    body text NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE article_vectors (
    site text NOT NULL,
    article text NOT NULL,
    changed bigint NOT NULL,
    version bigint NOT NULL,
    vector text NOT NULL
);

CREATE TABLE articles (
    site text NOT NULL,
    article text NOT NULL,
    title text NOT NULL,
    url text,
    body text NOT NULL,
    published_at bigint,
    comments_open integer NOT NULL,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    approved bigint DEFAULT 0 NOT NULL
);

CREATE TABLE attempts (
    site text NOT NULL,
    who text NOT NULL,
    id text NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE audit (
    site text NOT NULL,
    id text NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL
);

CREATE TABLE comment_counts (
    site text NOT NULL,
    status text NOT NULL,
    count bigint NOT NULL
);

CREATE TABLE comment_reasons (
    site text NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    id text NOT NULL
);

CREATE TABLE comment_shorts (
    site text NOT NULL,
    id text NOT NULL,
    words text[] NOT NULL,
    shelf text DEFAULT ''::text NOT NULL
);

CREATE TABLE comment_shorts_unread (
    site text NOT NULL,
    id text NOT NULL
);

CREATE TABLE comments (
    site text NOT NULL,
    id text NOT NULL,
    article text NOT NULL,
    parent text,
    path text NOT NULL,
    status text NOT NULL,
    revision bigint NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    url text,
    body text NOT NULL,
    html text NOT NULL,
    notify integer NOT NULL,
    author_key text NOT NULL,
    address_key text NOT NULL,
    body_key text NOT NULL,
    created_at bigint NOT NULL,
    edited_at bigint,
    judged bigint NOT NULL,
    decided integer NOT NULL,
    format text DEFAULT 'markdown'::text NOT NULL,
    worst double precision DEFAULT 1 NOT NULL,
    doubt double precision DEFAULT 0 NOT NULL,
    turn bigint DEFAULT 0 NOT NULL,
    staff integer DEFAULT 0 NOT NULL,
    CONSTRAINT comments_format_check CHECK ((format = ANY (ARRAY['markdown'::text, 'html'::text]))),
    CONSTRAINT comments_status_check CHECK ((status = ANY (ARRAY['approved'::text, 'pending'::text, 'spam'::text, 'rejected'::text, 'deleted'::text])))
);

CREATE TABLE decisions (
    site text NOT NULL,
    id text NOT NULL,
    submission text NOT NULL,
    judged bigint NOT NULL,
    action text,
    labels text NOT NULL,
    note text NOT NULL,
    moderator text NOT NULL,
    before_status text,
    after_status text,
    after_revision bigint,
    created_at bigint NOT NULL,
    undone_at bigint,
    undone_by text,
    reason text DEFAULT ''::text NOT NULL
);

CREATE TABLE imports (
    site text NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    foreign_id text NOT NULL,
    id text NOT NULL,
    parent text,
    CONSTRAINT imports_kind_check CHECK ((kind = ANY (ARRAY['article'::text, 'comment'::text])))
);

CREATE TABLE learnt (
    site text NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE leases (
    site text NOT NULL,
    name text NOT NULL,
    holder text NOT NULL,
    until bigint NOT NULL
);

CREATE TABLE migrations (
    number bigint NOT NULL,
    name text NOT NULL
);

CREATE TABLE moderators (
    site text NOT NULL,
    id text NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    password_hash text,
    created_at bigint NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    digest integer DEFAULT 1 NOT NULL,
    CONSTRAINT moderators_role_check CHECK ((role = ANY (ARRAY['administrator'::text, 'moderator'::text])))
);

CREATE TABLE openings (
    site text NOT NULL,
    article text NOT NULL,
    at bigint NOT NULL,
    address_key text NOT NULL,
    comment text NOT NULL,
    title text NOT NULL,
    url text
);

CREATE TABLE outbox (
    site text NOT NULL,
    id text NOT NULL,
    lane text NOT NULL,
    subject text NOT NULL,
    content text NOT NULL,
    state text NOT NULL,
    tries bigint NOT NULL,
    due_at bigint NOT NULL,
    said text NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT outbox_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'failed'::text])))
);

CREATE TABLE person_links (
    site text NOT NULL,
    id text NOT NULL,
    person text NOT NULL,
    created_at bigint NOT NULL,
    exported_at bigint
);

CREATE TABLE recovery_codes (
    site text NOT NULL,
    moderator text NOT NULL,
    mark text NOT NULL
);

CREATE TABLE retries (
    site text NOT NULL,
    article text NOT NULL,
    key text NOT NULL,
    request text NOT NULL,
    answer text NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE rule_counts (
    site text NOT NULL,
    rule text NOT NULL,
    day bigint NOT NULL,
    hits bigint NOT NULL,
    decided bigint NOT NULL,
    overturned bigint NOT NULL
);

CREATE TABLE rule_versions (
    site text NOT NULL,
    id text NOT NULL,
    at bigint NOT NULL,
    actor text NOT NULL,
    rules text NOT NULL,
    bar integer DEFAULT 0 NOT NULL
);

CREATE TABLE scrubs (
    site text NOT NULL,
    id text NOT NULL
);

CREATE TABLE second_factors (
    site text NOT NULL,
    moderator text NOT NULL,
    seed text NOT NULL,
    confirmed_at bigint,
    step bigint NOT NULL
);

CREATE TABLE shadow_verdicts (
    site text NOT NULL,
    id text NOT NULL,
    revision bigint NOT NULL,
    shadow text NOT NULL,
    action text NOT NULL,
    differs integer NOT NULL,
    scores text NOT NULL,
    rules text NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE shadows (
    site text NOT NULL,
    id text NOT NULL,
    model text NOT NULL,
    started_at bigint NOT NULL,
    started_by text NOT NULL,
    read_to bigint NOT NULL,
    problem text NOT NULL,
    ended_at bigint,
    ended_by text,
    outcome text NOT NULL,
    CONSTRAINT shadows_outcome_check CHECK ((outcome = ANY (ARRAY[''::text, 'stopped'::text, 'replaced'::text, 'promoted'::text])))
);

CREATE TABLE signin_failures (
    site text NOT NULL,
    who text NOT NULL,
    failed bigint NOT NULL,
    unmailed bigint NOT NULL,
    at bigint NOT NULL,
    mailed_at bigint DEFAULT 0 NOT NULL
);

CREATE TABLE sites (
    site text NOT NULL,
    name text NOT NULL,
    origins text NOT NULL,
    rules text NOT NULL,
    created_at bigint NOT NULL,
    mutes text DEFAULT '{}'::text NOT NULL,
    revision bigint DEFAULT 0 NOT NULL,
    waves_until bigint DEFAULT 0 NOT NULL
);

CREATE TABLE submissions (
    site text NOT NULL,
    id text NOT NULL,
    revision bigint NOT NULL,
    source text NOT NULL,
    article text,
    body text NOT NULL,
    author_name text NOT NULL,
    author_url text,
    email_domain text NOT NULL,
    author_key text NOT NULL,
    action text NOT NULL,
    scores text,
    model text,
    reasons text NOT NULL,
    facts text NOT NULL,
    spam double precision,
    worst double precision,
    created_at bigint NOT NULL,
    format text DEFAULT 'markdown'::text NOT NULL,
    CONSTRAINT submissions_format_check CHECK ((format = ANY (ARRAY['markdown'::text, 'html'::text])))
);

CREATE TABLE subscriptions (
    site text NOT NULL,
    person text NOT NULL,
    id text NOT NULL,
    state text NOT NULL,
    asked_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    CONSTRAINT subscriptions_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'confirmed'::text, 'ended'::text, 'refused'::text])))
);

CREATE TABLE tokens (
    site text NOT NULL,
    hash text NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    moderator text,
    scopes text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    ended_at bigint,
    used_at bigint,
    name text DEFAULT ''::text NOT NULL,
    CONSTRAINT tokens_kind_check CHECK ((kind = ANY (ARRAY['api'::text, 'session'::text, 'set-password'::text])))
);

CREATE TABLE unlearnt (
    site text NOT NULL,
    id text NOT NULL,
    at bigint NOT NULL,
    examples bigint NOT NULL
);

CREATE TABLE webhooks (
    site text NOT NULL,
    id text NOT NULL,
    url text NOT NULL,
    events text NOT NULL,
    created_at bigint NOT NULL,
    disabled_at bigint
);
ALTER TABLE alike ADD CONSTRAINT alike_pkey PRIMARY KEY (site, id, key);
ALTER TABLE appeals ADD CONSTRAINT appeals_pkey PRIMARY KEY (site, id);
ALTER TABLE article_vectors ADD CONSTRAINT article_vectors_pkey PRIMARY KEY (site, article);
ALTER TABLE articles ADD CONSTRAINT articles_pkey PRIMARY KEY (site, article);
ALTER TABLE attempts ADD CONSTRAINT attempts_pkey PRIMARY KEY (site, who, id);
ALTER TABLE audit ADD CONSTRAINT audit_pkey PRIMARY KEY (site, id);
ALTER TABLE comment_counts ADD CONSTRAINT comment_counts_pkey PRIMARY KEY (site, status);
ALTER TABLE comment_shorts ADD CONSTRAINT comment_shorts_pkey PRIMARY KEY (site, id);
ALTER TABLE comment_shorts_unread ADD CONSTRAINT comment_shorts_unread_pkey PRIMARY KEY (site, id);
ALTER TABLE comments ADD CONSTRAINT comments_pkey PRIMARY KEY (site, id);
ALTER TABLE decisions ADD CONSTRAINT decisions_pkey PRIMARY KEY (site, id, submission);
ALTER TABLE imports ADD CONSTRAINT imports_pkey PRIMARY KEY (site, source, kind, foreign_id);
ALTER TABLE learnt ADD CONSTRAINT learnt_pkey PRIMARY KEY (site);
ALTER TABLE leases ADD CONSTRAINT leases_pkey PRIMARY KEY (site, name);
ALTER TABLE moderators ADD CONSTRAINT moderators_pkey PRIMARY KEY (site, id);
ALTER TABLE openings ADD CONSTRAINT openings_pkey PRIMARY KEY (site, article);
ALTER TABLE outbox ADD CONSTRAINT outbox_pkey PRIMARY KEY (site, id);
ALTER TABLE person_links ADD CONSTRAINT person_links_pkey PRIMARY KEY (site, id);
ALTER TABLE comment_reasons ADD CONSTRAINT reasons_by_status_pkey PRIMARY KEY (site, reason, status, id);
ALTER TABLE recovery_codes ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (site, moderator, mark);
ALTER TABLE retries ADD CONSTRAINT retries_pkey PRIMARY KEY (site, article, key);
ALTER TABLE rule_counts ADD CONSTRAINT rule_counts_pkey PRIMARY KEY (site, rule, day);
ALTER TABLE rule_versions ADD CONSTRAINT rule_versions_pkey PRIMARY KEY (site, id);
ALTER TABLE scrubs ADD CONSTRAINT scrubs_pkey PRIMARY KEY (site, id);
ALTER TABLE second_factors ADD CONSTRAINT second_factors_pkey PRIMARY KEY (site, moderator);
ALTER TABLE shadow_verdicts ADD CONSTRAINT shadow_verdicts_pkey PRIMARY KEY (site, id, revision, shadow);
ALTER TABLE shadows ADD CONSTRAINT shadows_pkey PRIMARY KEY (site, id);
ALTER TABLE signin_failures ADD CONSTRAINT signin_failures_pkey PRIMARY KEY (site, who);
ALTER TABLE sites ADD CONSTRAINT sites_pkey PRIMARY KEY (site);
ALTER TABLE submissions ADD CONSTRAINT submissions_pkey PRIMARY KEY (site, id, revision);
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (site, person);
ALTER TABLE tokens ADD CONSTRAINT tokens_pkey PRIMARY KEY (site, hash);
ALTER TABLE unlearnt ADD CONSTRAINT unlearnt_pkey PRIMARY KEY (site, id);
ALTER TABLE webhooks ADD CONSTRAINT webhooks_pkey PRIMARY KEY (site, id);
CREATE INDEX alike_by_key ON alike USING btree (site, key, id);
CREATE INDEX article_vectors_by_change ON article_vectors USING btree (site, changed);
CREATE INDEX articles_by_age ON articles USING btree (site, created_at);
CREATE INDEX comment_shorts_by_word ON comment_shorts USING gin (((words || shelf))) WITH (gin_pending_list_limit='128');
CREATE INDEX comments_by_text ON comments USING gin (((threes(((((name || chr(10)) || email) || chr(10)) || body)) || shelf(site, status)))) WITH (gin_pending_list_limit='128');
CREATE INDEX comments_doubtful ON comments USING btree (site, status, doubt, id);
CREATE INDEX comments_from_address ON comments USING btree (site, address_key, id);
CREATE INDEX comments_in_queue ON comments USING btree (site, status, id, worst, doubt, turn);
CREATE INDEX comments_in_thread ON comments USING btree (site, article, status, path);
CREATE INDEX comments_in_turn ON comments USING btree (site, status, turn, id);
CREATE INDEX comments_of_author ON comments USING btree (site, author_key, id, article, body_key, status);
CREATE INDEX comments_second_look ON comments USING btree (site, status, id) WHERE ((decided = 0) AND (substr(id, 26, 1) = '0'::text));
CREATE INDEX comments_second_look_doubtful ON comments USING btree (site, status, doubt, id) WHERE ((decided = 0) AND (substr(id, 26, 1) = '0'::text));
CREATE INDEX comments_second_look_in_turn ON comments USING btree (site, status, turn, id) WHERE ((decided = 0) AND (substr(id, 26, 1) = '0'::text));
CREATE INDEX comments_second_look_worst ON comments USING btree (site, status, worst, id) WHERE ((decided = 0) AND (substr(id, 26, 1) = '0'::text));
CREATE INDEX comments_worst ON comments USING btree (site, status, worst, id);
CREATE INDEX decisions_on_submission ON decisions USING btree (site, submission, id);
CREATE INDEX imports_by_id ON imports USING btree (site, id);
CREATE INDEX imports_without_parent ON imports USING btree (site, source, parent) WHERE (parent IS NOT NULL);
CREATE UNIQUE INDEX moderators_by_email ON moderators USING btree (site, email);
CREATE INDEX openings_by_time ON openings USING btree (site, at);
CREATE INDEX openings_from_address ON openings USING btree (site, address_key, at);
CREATE INDEX outbox_about ON outbox USING btree (site, subject);
CREATE INDEX outbox_due ON outbox USING btree (site, state, due_at, lane);
CREATE INDEX outbox_in_lane ON outbox USING btree (site, lane, state, due_at);
CREATE INDEX person_links_of_person ON person_links USING btree (site, person, created_at);
CREATE INDEX shadow_verdicts_in_order ON shadow_verdicts USING btree (site, shadow, id, revision, differs);
CREATE INDEX shadow_verdicts_that_differ ON shadow_verdicts USING btree (site, shadow, id, revision) WHERE (differs = 1);
CREATE UNIQUE INDEX shadows_running ON shadows USING btree (site) WHERE (ended_at IS NULL);
CREATE INDEX submissions_of_author ON submissions USING btree (site, author_key) WHERE (source <> 'comment'::text);
CREATE INDEX subscriptions_by_id ON subscriptions USING btree (site, id);
CREATE INDEX tokens_of_moderator ON tokens USING btree (site, moderator, kind);
CREATE TRIGGER appeals_forgotten AFTER DELETE ON comments FOR EACH ROW EXECUTE FUNCTION forget_appeal();
CREATE TRIGGER audit_keeps_all BEFORE DELETE OR UPDATE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps();
CREATE TRIGGER comments_counted_anew AFTER UPDATE OF site, article, status ON comments FOR EACH ROW WHEN ((('approved'::text = old.status) OR ('approved'::text = new.status))) EXECUTE FUNCTION count_approved();
CREATE TRIGGER comments_counted_out AFTER DELETE ON comments FOR EACH ROW WHEN ((old.status = 'approved'::text)) EXECUTE FUNCTION count_approved();
CREATE TRIGGER reasons_forgotten AFTER DELETE ON submissions FOR EACH ROW WHEN ((old.reasons <> '[]'::text)) EXECUTE FUNCTION note_reasons();
CREATE TRIGGER reasons_left AFTER DELETE ON comments FOR EACH ROW EXECUTE FUNCTION move_reasons();
CREATE TRIGGER reasons_moved AFTER UPDATE OF status ON comments FOR EACH ROW WHEN ((old.status <> new.status)) EXECUTE FUNCTION move_reasons();
CREATE TRIGGER reasons_noted AFTER INSERT ON submissions FOR EACH ROW WHEN ((new.reasons <> '[]'::text)) EXECUTE FUNCTION note_reasons();
CREATE TRIGGER shadow_verdicts_forgotten AFTER DELETE ON submissions FOR EACH ROW EXECUTE FUNCTION forget_shadow_verdicts();
CREATE TRIGGER shorts_listed AFTER INSERT OR DELETE OR UPDATE OF name, email, body ON comments FOR EACH ROW EXECUTE FUNCTION list_shorts();
CREATE TRIGGER shorts_moved AFTER UPDATE OF status ON comments FOR EACH ROW WHEN ((old.status <> new.status)) EXECUTE FUNCTION move_shorts();
CREATE TRIGGER statuses_counted AFTER DELETE OR UPDATE OF site, status ON comments FOR EACH ROW EXECUTE FUNCTION count_statuses();
ALTER TABLE alike ADD CONSTRAINT alike_site_id_fkey FOREIGN KEY (site, id) REFERENCES comments(site, id) ON DELETE CASCADE;
ALTER TABLE articles ADD CONSTRAINT articles_site_fkey FOREIGN KEY (site) REFERENCES sites(site);
ALTER TABLE comments ADD CONSTRAINT comments_site_article_fkey FOREIGN KEY (site, article) REFERENCES articles(site, article);

INSERT INTO migrations VALUES (1, '0001_first');
INSERT INTO migrations VALUES (2, '0002_format');
INSERT INTO migrations VALUES (10, '0010_imports');
INSERT INTO migrations VALUES (20, '0020_counts');
INSERT INTO migrations VALUES (21, '0021_nearest');
INSERT INTO migrations VALUES (30, '0030_outbox');
INSERT INTO migrations VALUES (31, '0031_subscriptions');
INSERT INTO migrations VALUES (32, '0032_persons');
INSERT INTO migrations VALUES (60, '0060_rules');
INSERT INTO migrations VALUES (65, '0065_alike');
INSERT INTO migrations VALUES (74, '0074_rule_versions');
INSERT INTO migrations VALUES (75, '0075_roles');
INSERT INTO migrations VALUES (80, '0080_queue');
INSERT INTO migrations VALUES (81, '0081_appeals');
INSERT INTO migrations VALUES (82, '0082_posting');
INSERT INTO migrations VALUES (90, '0090_staff');
INSERT INTO migrations VALUES (91, '0091_scrubs');
INSERT INTO migrations VALUES (95, '0095_shadow');
INSERT INTO migrations VALUES (96, '0096_short_words');
INSERT INTO migrations VALUES (97, '0097_threes');
INSERT INTO migrations VALUES (98, '0098_second_look');
INSERT INTO migrations VALUES (100, '0100_bars');
INSERT INTO migrations VALUES (101, '0101_shelves');
INSERT INTO migrations VALUES (102, '0102_digest');
INSERT INTO migrations VALUES (103, '0103_waiting_lists');
INSERT INTO migrations VALUES (104, '0104_signin');
INSERT INTO migrations VALUES (106, '0106_openings');
