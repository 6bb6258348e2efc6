"""A site removed for good: its rows, their bytes on disk, its models. Never beside an import into it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from moderation.core.ids import EVERYWHERE, new_id
from moderation.core.problem import Conflict
from moderation.db import audit, leases, secure_delete
from moderation.db.database import Database, Session
from moderation.transfer import store_removing as rows

AT_ONCE = 200
"""Comments in one transaction: a new comment of another site waits at most for these."""
LIFE = 5 * 60_000
"""Milliseconds until an import, or a removal, that was killed no longer stands in the way."""


@asynccontextmanager
async def importing(database: Database, site: str, clock: Callable[[], int]) -> AsyncIterator[None]:
    """Around an import. Several may run; the removal of their site may not. Raises Conflict while it is removed."""

    async def check(tx: Session) -> None:
        if await leases.is_held(tx, f"remove:{site}:", clock()):
            raise Conflict(f"The site {site!r} is being removed; nothing was imported.")

    async with leases.kept(database, f"import:{site}:{new_id(clock())}", clock, LIFE, check):
        yield


async def remove(
    database: Database,
    models: Path,
    site: str,
    clock: Callable[[], int],
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Removes a site; an interrupted removal continues with the next call. `progress` receives the comments that are gone.
    Returns their number. Raises Conflict during an import."""
    from classifier import registry  # which needs numpy

    async def check(tx: Session) -> None:
        if await leases.is_held(tx, f"import:{site}:", clock()):
            raise Conflict(
                f"An import into {site!r} is running, or was killed in the last {LIFE // 60_000} minutes; nothing was removed."
            )

    gone = 0
    async with leases.kept(database, f"remove:{site}:", clock, LIFE, check):
        while True:
            async with database.transaction() as tx:
                ids = await rows.next_comments(tx, site, AT_ONCE)
                if ids:
                    await rows.remove_comments(tx, site, ids)
                await secure_delete.request(tx, clock())
                gone += len(ids)
                if len(ids) < AT_ONCE:
                    await rows.remove_rest(tx, site)
                    await audit.note(
                        tx, site=EVERYWHERE, at=clock(), actor="operator", action="site:remove", subject=site, comments=gone
                    )  # fmt: skip
                    break
            progress(gone)
        folder = registry.site_folder(models, site)
        if folder.exists():
            shutil.rmtree(folder)
    return gone
