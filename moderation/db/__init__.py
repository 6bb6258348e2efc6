"""Database access for SQLite and PostgreSQL. Statements use the SQL that both share."""

from __future__ import annotations

from pathlib import Path

from moderation.db.database import Database


def connect(address: str) -> Database:
    """A closed database for a path or a `postgresql://` URL."""
    if address.startswith(("postgresql://", "postgres://")):
        from moderation.db.postgres import Postgres

        return Postgres(address)
    from moderation.db.sqlite import Sqlite

    return Sqlite(Path(address))
