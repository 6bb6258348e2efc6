"""Backups of format 1, of any migration up to `0106_openings`: the current names of their tables and columns.

Rows of that format have no column names. New columns were appended, so the row of an older backup has the first ones of
these columns.
"""

from __future__ import annotations

from moderation.transfer.store_backup import Content

LAST = 106
"""The last migration whose backups are of this format."""
GONE = "-"
"""In place of a dropped column, whose value another column has."""
TABLES = {
    "sites": "sites: site name origins settings created_at mutes revision duplicates_watched_until",
    "articles": "articles: site article title url text published_at comments_open revision created_at",
    "article_vectors": "article_vectors: site article sequence version vector",
    "comments": "comments: site id article parent path status revision name email url body html notify author_key "
    "network_key body_key created_at edited_at judged_revision is_decided format max_score margin rank is_staff",
    "openings": "article_openings: site article opened_at network_key comment title url",
    "alike": "duplicate_keys: site id key",
    "submissions": "submissions: site id revision source article body author_name author_url email_domain author_key "
    "action scores model reasons facts - - created_at format",
    "decisions": "decisions: site id submission judged_revision action labels note moderator before_status after_status "
    "after_revision created_at undone_at undone_by reason",
    "shadows": "read_along_runs: site id model started_at started_by read_until problem ended_at ended_by outcome",
    "shadow_verdicts": "read_along_verdicts: site id revision run action changed scores rules created_at",
    "appeals": "appeals: site id body created_at",
    "imports": "imported_ids: site source kind foreign_id id missing_parent",
    "audit": "audit: site id at actor action subject detail",
    "moderators": "moderators: site id email role password_hash created_at name wants_digest",
    "tokens": "tokens: site token_hash kind id moderator scopes created_at expires_at ended_at last_used_at name",
    "second_factors": "second_factors: site moderator seed confirmed_at last_step",
    "recovery_codes": "recovery_codes: site moderator code_hash",
    "signin_failures": "signin_failures: site account_key unseen unmailed failed_at mailed_at",
    "rule_counts": "rule_counts: site rule day hits decided overturned",
    "rule_versions": "settings_history: site id changed_at actor settings is_block",
    "retries": "idempotency_keys: site article key request_hash response created_at",
    "subscriptions": "subscriptions: site author_key id state asked_at changed_at",
    "person_links": "data_subject_links: site id author_key created_at exported_at",
    "learnt": "training_state: site examples_read_at",
    "unlearnt": "erased_examples: site id erased_at examples",
    "webhooks": "webhooks: site id url events created_at disabled_at",
    "outbox": "outbox: site id destination subject content state attempts due_at last_response created_at",
}
"""Name of the file → current table and columns."""


def contents(migration: int, names: set[str]) -> dict[str, Content]:
    """Current table → content of a backup of that migration with these files."""
    found = {}
    for file, told in TABLES.items():
        table, _, columns = told.partition(": ")
        if migration >= LAST or f"{file}.jsonl" in names:  # of an older backup a table may be missing: it came later
            found[table] = Content(file=file, columns=tuple(None if c == GONE else c for c in columns.split()))
    return found
