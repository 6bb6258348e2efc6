"""Every SQL statement of the service, once, in what SQLite and PostgreSQL share."""

from __future__ import annotations

from pathlib import Path

from moderation.db.database import Database


def connect(address: str) -> Database:
    """A database that is not open yet, from a path or a `postgresql://` URL."""
    if address.startswith(("postgresql://", "postgres://")):
        from moderation.db.postgres import Postgres

        return Postgres(address)
    from moderation.db.sqlite import Sqlite

    return Sqlite(Path(address))
