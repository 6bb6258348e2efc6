-- From 0106_openings, the last of the earlier migrations, to `0001_schema.sql`: tables and columns are renamed, and rows stay
-- where they are. Triggers, functions and the index that is built with them are dropped here; `0001_schema.sql`, run after this,
-- adds what is missing.

DROP TRIGGER audit_keeps_all ON audit;
DROP TRIGGER comments_counted_out ON comments;
DROP TRIGGER comments_counted_anew ON comments;
DROP TRIGGER statuses_counted ON comments;
DROP TRIGGER appeals_forgotten ON comments;
DROP TRIGGER shorts_listed ON comments;
DROP TRIGGER shorts_moved ON comments;
DROP TRIGGER reasons_moved ON comments;
DROP TRIGGER reasons_left ON comments;
DROP TRIGGER reasons_noted ON submissions;
DROP TRIGGER reasons_forgotten ON submissions;
DROP TRIGGER shadow_verdicts_forgotten ON submissions;
DROP INDEX comments_by_text;
DROP FUNCTION audit_keeps, count_approved, count_statuses, forget_appeal, list_shorts, move_shorts, note_reasons, move_reasons,
    forget_shadow_verdicts, threes, shelf;

DROP INDEX articles_by_age;
ALTER INDEX comments_from_address RENAME TO comments_from_network;
ALTER INDEX comments_worst RENAME TO comments_by_max_score;
ALTER INDEX comments_doubtful RENAME TO comments_by_margin;
ALTER INDEX comments_in_turn RENAME TO comments_by_rank;
ALTER INDEX comments_second_look RENAME TO audit_sample_by_id;
ALTER INDEX comments_second_look_worst RENAME TO audit_sample_by_max_score;
ALTER INDEX comments_second_look_doubtful RENAME TO audit_sample_by_margin;
ALTER INDEX comments_second_look_in_turn RENAME TO audit_sample_by_rank;
ALTER INDEX alike_by_key RENAME TO duplicate_keys_by_key;
ALTER INDEX article_vectors_by_change RENAME TO article_vectors_by_sequence;
ALTER INDEX openings_by_time RENAME TO article_openings_by_time;
ALTER INDEX openings_from_address RENAME TO article_openings_from_network;
ALTER INDEX outbox_in_lane RENAME TO outbox_by_destination;
ALTER INDEX outbox_about RENAME TO outbox_by_subject;
ALTER INDEX comment_shorts_by_word RENAME TO comment_short_words_by_word;
ALTER INDEX shadows_running RENAME TO read_along_runs_running;
ALTER INDEX shadow_verdicts_in_order RENAME TO read_along_verdicts_of_run;
ALTER INDEX shadow_verdicts_that_differ RENAME TO read_along_verdicts_changed;
ALTER INDEX person_links_of_person RENAME TO data_subject_links_of_author;
ALTER INDEX imports_without_parent RENAME TO imported_ids_without_parent;
ALTER INDEX imports_by_id RENAME TO imported_ids_by_id;

ALTER TABLE leases RENAME COLUMN until TO expires_at;
ALTER TABLE scrubs RENAME TO secure_deletes;
ALTER TABLE secure_deletes RENAME CONSTRAINT scrubs_pkey TO secure_deletes_pkey;

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
ALTER TABLE failed_attempts RENAME CONSTRAINT attempts_pkey TO failed_attempts_pkey;
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
ALTER TABLE duplicate_keys RENAME CONSTRAINT alike_pkey TO duplicate_keys_pkey;
ALTER TABLE duplicate_keys RENAME CONSTRAINT alike_site_id_fkey TO duplicate_keys_site_id_fkey;

ALTER TABLE rule_versions RENAME TO settings_history;
ALTER TABLE settings_history RENAME CONSTRAINT rule_versions_pkey TO settings_history_pkey;
ALTER TABLE settings_history RENAME COLUMN at TO changed_at;
ALTER TABLE settings_history RENAME COLUMN rules TO settings;
ALTER TABLE settings_history RENAME COLUMN bar TO is_block;
-- `hold_first` is one of three answers to a wider question.
UPDATE sites SET settings = ((settings::jsonb - 'hold_first') ||
    CASE WHEN (settings::jsonb ->> 'hold_first')::boolean THEN '{"hold": "newcomers"}'::jsonb ELSE '{}'::jsonb END)::text
    WHERE jsonb_exists(settings::jsonb, 'hold_first');
UPDATE settings_history SET settings = ((settings::jsonb - 'hold_first') ||
    CASE WHEN (settings::jsonb ->> 'hold_first')::boolean THEN '{"hold": "newcomers"}'::jsonb ELSE '{}'::jsonb END)::text
    WHERE jsonb_exists(settings::jsonb, 'hold_first');

ALTER TABLE article_vectors RENAME COLUMN changed TO sequence;
ALTER TABLE openings RENAME TO article_openings;
ALTER TABLE article_openings RENAME CONSTRAINT openings_pkey TO article_openings_pkey;
ALTER TABLE article_openings RENAME COLUMN at TO opened_at;
ALTER TABLE article_openings RENAME COLUMN address_key TO network_key;

ALTER TABLE outbox RENAME COLUMN lane TO destination;
ALTER TABLE outbox RENAME COLUMN tries TO attempts;
ALTER TABLE outbox RENAME COLUMN said TO last_response;
ALTER TABLE subscriptions RENAME COLUMN person TO author_key;

ALTER TABLE retries RENAME TO idempotency_keys;
ALTER TABLE idempotency_keys RENAME CONSTRAINT retries_pkey TO idempotency_keys_pkey;
ALTER TABLE idempotency_keys RENAME COLUMN request TO request_hash;
ALTER TABLE idempotency_keys RENAME COLUMN answer TO response;

ALTER TABLE comment_reasons RENAME CONSTRAINT reasons_by_status_pkey TO comment_reasons_pkey;
ALTER TABLE comment_shorts RENAME TO comment_short_words;
ALTER TABLE comment_short_words RENAME CONSTRAINT comment_shorts_pkey TO comment_short_words_pkey;
ALTER TABLE comment_short_words RENAME COLUMN shelf TO partition;
ALTER TABLE comment_shorts_unread RENAME TO comment_short_words_unindexed;
ALTER TABLE comment_short_words_unindexed RENAME CONSTRAINT comment_shorts_unread_pkey TO comment_short_words_unindexed_pkey;

ALTER TABLE learnt RENAME TO training_state;
ALTER TABLE training_state RENAME CONSTRAINT learnt_pkey TO training_state_pkey;
ALTER TABLE training_state RENAME COLUMN at TO examples_read_at;
ALTER TABLE unlearnt RENAME TO erased_examples;
ALTER TABLE erased_examples RENAME CONSTRAINT unlearnt_pkey TO erased_examples_pkey;
ALTER TABLE erased_examples RENAME COLUMN at TO erased_at;
ALTER TABLE shadows RENAME TO read_along_runs;
ALTER TABLE read_along_runs RENAME CONSTRAINT shadows_pkey TO read_along_runs_pkey;
ALTER TABLE read_along_runs RENAME CONSTRAINT shadows_outcome_check TO read_along_runs_outcome_check;
ALTER TABLE read_along_runs RENAME COLUMN read_to TO read_until;
ALTER TABLE shadow_verdicts RENAME TO read_along_verdicts;
ALTER TABLE read_along_verdicts RENAME CONSTRAINT shadow_verdicts_pkey TO read_along_verdicts_pkey;
ALTER TABLE read_along_verdicts RENAME COLUMN shadow TO run;
ALTER TABLE read_along_verdicts RENAME COLUMN differs TO changed;

ALTER TABLE person_links RENAME TO data_subject_links;
ALTER TABLE data_subject_links RENAME CONSTRAINT person_links_pkey TO data_subject_links_pkey;
ALTER TABLE data_subject_links RENAME COLUMN person TO author_key;

ALTER TABLE imports RENAME TO imported_ids;
ALTER TABLE imported_ids RENAME CONSTRAINT imports_pkey TO imported_ids_pkey;
ALTER TABLE imported_ids RENAME CONSTRAINT imports_kind_check TO imported_ids_kind_check;
ALTER TABLE imported_ids RENAME COLUMN parent TO missing_parent;
