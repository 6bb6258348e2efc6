"""The rehearsal of a restore: a backup is restored into a temporary copy, and the service started on it, without a socket."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from moderation.app import create_app
from moderation.core.problem import Unavailable
from moderation.db import connect
from moderation.settings import Settings
from moderation.transfer import backup
from moderation.transfer import store_backup as dump

ARTICLES = 50
"""Threads that are read, those with the most comments."""
HERE = "http://127.0.0.1"


async def rehearse(settings: Settings, file: Path) -> dict[str, Any]:
    """Restores and serves a copy, and compares all counts. Nothing is delivered, and the service's own data is not opened.
    Returns the figures. Raises Unavailable with each difference, or BadRequest for a file that is no whole backup."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="leave-a-reply-rehearsal-") as name:
        folder = Path(name)
        database = connect(str(folder / "moderation.sqlite3"))
        await database.open()
        try:
            restored = await backup.restore(
                database, folder / "models", folder / "secret-key", file, keep_integrations=True
            )
            async with database.reading() as session:
                stored = await dump.counts(session)
                articles = await dump.largest_articles(session, ARTICLES)
        finally:
            await database.close()
        differences = [
            f"{table}: {restored[table]:,} rows in the backup, {stored[table]:,} in the copy"
            for table in stored
            if stored[table] != restored[table]
        ]
        differences += await served(copy_of(settings, folder), articles)
    if differences:
        raise Unavailable("The backup does not restore as it was made: " + "; ".join(differences) + ".")
    return {"well": True, "rows": sum(stored.values()), "comments": stored["comments"], "threads": len(articles),
            "seconds": round(time.monotonic() - began, 1)}  # fmt: skip


def copy_of(settings: Settings, folder: Path) -> Settings:
    """The settings of the copy: its own data and key, and no mail."""
    own = {
        "database": str(folder / "moderation.sqlite3"),
        "models": str(folder / "models"),
        "secret_key": "",
        "public_url": HERE,
        "smtp_url": "",
        "mail_from": "",
        "demo": False,
    }
    return Settings(**dict(settings) | own)


async def served(settings: Settings, articles: list[tuple[str, str, int]]) -> list[str]:
    """What a service on the copy does not answer as it should. Requests reach it within this process."""
    import httpx

    differences = []
    app = create_app(settings, say=None, rehearsal=True)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            ready = (await client.get("/health/ready")).json()
            if ready["status"] != "ready":
                wrong = [
                    f"{name}: {said}" for name, said in ready["checks"].items() if said != "ok" and name != "proxy"
                ]
                differences.append(f"the service is {ready['status']} ({', '.join(wrong)})")
            sign_in = await client.get("/moderate/login")
            if sign_in.status_code != 200:
                differences.append(f"the sign-in page answers {sign_in.status_code}")
            for site, article, count in articles:
                answer = await client.get(f"/sites/{site}/articles/{article}/comments")
                shown = answer.json().get("count") if answer.status_code == 200 else f"status {answer.status_code}"
                if shown != count:
                    differences.append(f"the thread {site}/{article}: {count:,} comments, the service shows {shown}")
    return differences
