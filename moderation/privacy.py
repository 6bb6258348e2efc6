"""All that is held on one address: export it, erase it."""

from __future__ import annotations

from typing import Any

from moderation.comment import iso
from moderation.seal import Seal
from moderation.storage import audit, persons, sites
from moderation.storage.database import Database
from moderation.submission import checked_email


async def export(database: Database, seal: Seal, email: str) -> dict[str, Any]:
    """Every comment of this address on every site, and what was judged of it."""
    address = checked_email(email) or email.strip()
    async with database.reading() as session:
        found = await persons.comments(session, seal.author_key(address, ""))
        judged = await persons.submissions(session, seal.author_key(address, ""))
    return {
        "email": address,
        "comments": [
            {
                "id": c.id,
                "site": c.site,
                "article": c.article,
                "status": c.status,
                "name": c.name,
                "email": c.email,
                "url": c.url,
                "body": c.body,
                "format": c.format,
                "created_at": iso(c.created_at),
                "edited_at": iso(c.edited_at),
            }
            for c in found
        ],
        "judged": judged,
    }


async def erase(database: Database, seal: Seal, email: str, actor: str, now: int) -> tuple[int, set[tuple[str, str]]]:
    """How many comments went, and which threads changed. Texts, names and addresses go; decisions keep their ids.

    The next retraining no longer has the texts; replies by others stay, and hang on what is left above them.
    """
    key = seal.author_key(checked_email(email) or email.strip(), "")
    async with database.transaction() as tx:
        found = await persons.comments(tx, key)
        await persons.erase(tx, key)
        touched = {(c.site, c.article) for c in found}
        for site in {site for site, _ in touched}:
            await sites.touch(tx, site, (article for s, article in touched if s == site))
            await audit.note(
                tx,
                site=site,
                at=now,
                actor=actor,
                action="person:erase",
                subject="person",
                comments=sum(c.site == site for c in found),
            )
    return len(found), touched
