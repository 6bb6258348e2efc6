"""What every command stands on: the clock, what is printed where, the database."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from moderation.core.ids import EVERYWHERE
from moderation.core.problem import NotFound
from moderation.db import connect
from moderation.db.database import Database, Session
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import Site


def now() -> int:
    return time.time_ns() // 1_000_000


def out(text: str) -> None:
    sys.stdout.write(text + "\n")


def err(text: str) -> None:
    sys.stderr.write(text + "\n")


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database, migrated, with a site `default`: commands may come before the first `serve`."""
    database = connect(settings.database)
    await database.open()
    try:
        async with database.transaction() as tx:
            if not await sites.sites(tx, ["default"]):
                await sites.put_site(tx, Site("default", "My site"), now())
        yield database
    finally:
        await database.close()


async def known_site(session: Session, key: str) -> None:
    if key != EVERYWHERE and not await sites.sites(session, [key]):
        raise NotFound(f"There is no site {key!r}; add it with: python -m moderation add-site {key}")
