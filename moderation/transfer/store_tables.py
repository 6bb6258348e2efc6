"""The tables of every slice, collected: for backups and secure deletes."""

from __future__ import annotations

from moderation.articles import store as articles
from moderation.articles import store_openings as openings
from moderation.comments import store as comments
from moderation.comments import store_appeals as appeals
from moderation.comments import store_decisions as decisions
from moderation.comments import store_hosts as hosts
from moderation.comments import store_notes as notes
from moderation.comments import store_reports as reports
from moderation.comments import store_submissions as submissions
from moderation.db import audit, leases, migrate, secure_delete
from moderation.db.tables import Table
from moderation.duplicates import store as duplicates
from moderation.intake import store as intake
from moderation.learning import store as learning
from moderation.outbox import store as outbox
from moderation.outbox import store_subscriptions as subscriptions
from moderation.outbox import store_webhooks as webhooks
from moderation.policy import store_blocks as blocks
from moderation.policy import store_read_along as read_along
from moderation.policy import store_rule_health as rule_health
from moderation.policy import store_settings_history as settings_history
from moderation.privacy import store as privacy
from moderation.queue import store_assignments as assignments
from moderation.queue import store_filters as saved_filters
from moderation.queue import store_search as search
from moderation.queue import store_snoozes as snoozes
from moderation.sites import store as sites
from moderation.team import store as team
from moderation.team import store_coral as coral_secrets
from moderation.team import store_failures as failures
from moderation.team import store_key_usage as key_usage
from moderation.team import store_scales as scales
from moderation.team import store_second_factors as second_factors
from moderation.transfer import store as imports

STORES = (
    *(migrate, leases, audit, secure_delete),
    sites,
    *(team, second_factors, failures, key_usage, scales, coral_secrets),
    *(comments, hosts, submissions, decisions, appeals, reports, notes),
    duplicates,
    *(rule_health, settings_history, blocks, read_along),
    *(articles, openings),
    *(webhooks, outbox, subscriptions),  # a restore knows which webhooks stay away before it comes to their messages
    intake,
    *(search, saved_filters, snoozes, assignments),
    learning,
    privacy,
    imports,
)
"""The modules that declare tables, in the order of the slices, which is one that foreign keys allow."""
DECLARED: tuple[Table, ...] = tuple(table for store in STORES for table in store.TABLES)
"""Every table of the schema."""
TABLES = {table.name: table.columns for table in DECLARED if table.columns}
"""Those of a backup, and their columns."""
KEYS = {table.name: table.key for table in DECLARED}
TEXTS = tuple(table.name for table in DECLARED if table.holds_text)
"""Those that a secure delete overwrites."""
