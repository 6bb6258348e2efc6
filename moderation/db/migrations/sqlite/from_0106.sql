-- From 0106_openings, the last of the earlier migrations, to `0001_schema.sql`: tables and columns are renamed, and rows stay
-- where they are. Triggers, and indexes with another name, are dropped here; `0001_schema.sql`, run after this, adds what is
-- missing. A statement below `-- only with fts5` is left out where the database has no full-text index.

DROP TRIGGER audit_keeps_update;
DROP TRIGGER audit_keeps_delete;
DROP TRIGGER comments_counted_out;
DROP TRIGGER comments_counted_anew;
DROP TRIGGER statuses_counted_out;
DROP TRIGGER statuses_counted_anew;
DROP TRIGGER appeals_forgotten;
DROP TRIGGER shadow_verdicts_forgotten;
DROP TRIGGER reasons_noted;
DROP TRIGGER reasons_forgotten;
DROP TRIGGER reasons_moved;
DROP TRIGGER reasons_left;
-- only with fts5
DROP TRIGGER texts_forgotten;
-- only with fts5
DROP TRIGGER texts_found_anew;
-- only with fts5
DROP TRIGGER texts_moved;
-- only with fts5
DROP TRIGGER shorts_forgotten;
-- only with fts5
DROP TRIGGER shorts_found_anew;

DROP INDEX articles_by_age;
DROP INDEX comments_from_address;
DROP INDEX comments_in_queue;  -- made again, so that the indexes of the audit sample are younger here too
DROP INDEX comments_worst;
DROP INDEX comments_doubtful;
DROP INDEX comments_in_turn;
DROP INDEX comments_second_look;
DROP INDEX comments_second_look_worst;
DROP INDEX comments_second_look_doubtful;
DROP INDEX comments_second_look_in_turn;
DROP INDEX alike_by_key;
DROP INDEX article_vectors_by_change;
DROP INDEX openings_by_time;
DROP INDEX openings_from_address;
DROP INDEX outbox_in_lane;
DROP INDEX outbox_about;
DROP INDEX shadows_running;
DROP INDEX shadow_verdicts_in_order;
DROP INDEX shadow_verdicts_that_differ;
DROP INDEX person_links_of_person;
DROP INDEX imports_without_parent;
DROP INDEX imports_by_id;

ALTER TABLE leases RENAME COLUMN until TO expires_at;
ALTER TABLE scrubs RENAME TO secure_deletes;

ALTER TABLE sites RENAME COLUMN rules TO settings;
ALTER TABLE sites RENAME COLUMN waves_until TO duplicates_watched_until;
ALTER TABLE articles RENAME COLUMN body TO text;
ALTER TABLE articles RENAME COLUMN approved TO approved_count;

ALTER TABLE moderators RENAME COLUMN digest TO wants_digest;
ALTER TABLE tokens RENAME COLUMN hash TO token_hash;
ALTER TABLE tokens RENAME COLUMN used_at TO last_used_at;
ALTER TABLE second_factors RENAME COLUMN step TO last_step;
ALTER TABLE recovery_codes RENAME COLUMN mark TO code_hash;
ALTER TABLE attempts RENAME TO failed_attempts;
ALTER TABLE failed_attempts RENAME COLUMN who TO counter;
ALTER TABLE failed_attempts RENAME COLUMN at TO failed_at;
ALTER TABLE signin_failures RENAME COLUMN who TO account_key;
ALTER TABLE signin_failures RENAME COLUMN failed TO unseen;
ALTER TABLE signin_failures RENAME COLUMN at TO failed_at;

ALTER TABLE comments RENAME COLUMN address_key TO network_key;
ALTER TABLE comments RENAME COLUMN judged TO judged_revision;
ALTER TABLE comments RENAME COLUMN decided TO is_decided;
ALTER TABLE comments RENAME COLUMN worst TO max_score;
ALTER TABLE comments RENAME COLUMN doubt TO margin;
ALTER TABLE comments RENAME COLUMN turn TO rank;
ALTER TABLE comments RENAME COLUMN staff TO is_staff;
ALTER TABLE comments ADD COLUMN is_known INTEGER NOT NULL DEFAULT 0;
-- Both stand in `scores`.
ALTER TABLE submissions DROP COLUMN spam;
ALTER TABLE submissions DROP COLUMN worst;
ALTER TABLE decisions RENAME COLUMN judged TO judged_revision;

ALTER TABLE alike RENAME TO duplicate_keys;

ALTER TABLE rule_versions RENAME TO settings_history;
ALTER TABLE settings_history RENAME COLUMN at TO changed_at;
ALTER TABLE settings_history RENAME COLUMN rules TO settings;
ALTER TABLE settings_history RENAME COLUMN bar TO is_block;
-- `hold_first` is one of three answers to a wider question.
UPDATE sites SET settings = json_remove(
    CASE json_extract(settings, '$.hold_first') WHEN 1 THEN json_set(settings, '$.hold', 'newcomers') ELSE settings END,
    '$.hold_first') WHERE json_extract(settings, '$.hold_first') IS NOT NULL;
UPDATE settings_history SET settings = json_remove(
    CASE json_extract(settings, '$.hold_first') WHEN 1 THEN json_set(settings, '$.hold', 'newcomers') ELSE settings END,
    '$.hold_first') WHERE json_extract(settings, '$.hold_first') IS NOT NULL;

ALTER TABLE article_vectors RENAME COLUMN changed TO sequence;
ALTER TABLE openings RENAME TO article_openings;
ALTER TABLE article_openings RENAME COLUMN at TO opened_at;
ALTER TABLE article_openings RENAME COLUMN address_key TO network_key;

ALTER TABLE outbox RENAME COLUMN lane TO destination;
ALTER TABLE outbox RENAME COLUMN tries TO attempts;
ALTER TABLE outbox RENAME COLUMN said TO last_response;
ALTER TABLE subscriptions RENAME COLUMN person TO author_key;

ALTER TABLE retries RENAME TO idempotency_keys;
ALTER TABLE idempotency_keys RENAME COLUMN request TO request_hash;
ALTER TABLE idempotency_keys RENAME COLUMN answer TO response;

-- only with fts5
ALTER TABLE comment_shelves RENAME TO search_partitions;
-- only with fts5
ALTER TABLE search_partitions RENAME COLUMN shelf TO partition;
-- only with fts5
ALTER TABLE comment_texts_unread RENAME TO comment_texts_unindexed;
-- only with fts5
ALTER TABLE comment_shorts RENAME TO comment_short_words;
-- only with fts5
ALTER TABLE comment_shorts_unread RENAME TO comment_short_words_unindexed;

ALTER TABLE learnt RENAME TO training_state;
ALTER TABLE training_state RENAME COLUMN at TO examples_read_at;
ALTER TABLE unlearnt RENAME TO erased_examples;
ALTER TABLE erased_examples RENAME COLUMN at TO erased_at;
ALTER TABLE shadows RENAME TO read_along_runs;
ALTER TABLE read_along_runs RENAME COLUMN read_to TO read_until;
ALTER TABLE shadow_verdicts RENAME TO read_along_verdicts;
ALTER TABLE read_along_verdicts RENAME COLUMN shadow TO run;
ALTER TABLE read_along_verdicts RENAME COLUMN differs TO changed;

ALTER TABLE person_links RENAME TO data_subject_links;
ALTER TABLE data_subject_links RENAME COLUMN person TO author_key;

ALTER TABLE imports RENAME TO imported_ids;
ALTER TABLE imported_ids RENAME COLUMN parent TO missing_parent;
