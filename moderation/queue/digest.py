"""The digest: a mail to each moderator about pending comments."""

from __future__ import annotations

from moderation.core.times import iso
from moderation.core.urls import Links
from moderation.db.database import Database, Session
from moderation.outbox import store as outbox
from moderation.outbox.smtp import Letter, Link, Quote
from moderation.outbox.store import MAIL, Message
from moderation.queue import store as queue
from moderation.sites import store as sites
from moderation.team import store as moderators
from moderation.text import locales

NAMED = 5
"""The oldest pending comments that a digest links to, on each site."""


async def digest(database: Database, now: int) -> None:
    """Queues a digest for each moderator; its contents are looked up when it is sent."""
    async with database.transaction() as tx:
        await outbox.add(
            tx,
            [
                Message(
                    site=m.site,
                    id=f"digest.{m.id}.{now}",
                    destination=MAIL,
                    subject=m.id,
                    content={"kind": "digest"},
                    created_at=now,
                )
                for m in await moderators.ready(tx)
                if m.wants_digest
            ],
        )


async def anything_waits(database: Database) -> bool:
    async with database.reading() as session:
        return bool(await queue.pending(session))


async def letter(links: Links, session: Session, message: Message) -> Letter | None:
    """The digest's letter; None without pending comments or subscription."""
    moderator = await moderators.by_id(session, message.site, message.subject)
    if moderator is None or not moderator.wants_digest or not (waiting := await queue.pending(session, moderator.site)):
        return None
    known = await sites.sites(session, waiting)
    parts: list[str | Link | Quote] = []
    for site, count in waiting.items():
        oldest = await queue.longest_waiting(session, site, NAMED)
        articles = await sites.articles(session, site, {c.article for c in oldest})
        parts.append(f"{known[site].name}: {counted(count)}. The oldest:")
        parts += [
            Link(f"{articles[c.article].title or c.article}, since {since(c.created_at)}", links.console(c.id))
            for c in oldest
        ]
    total, end = sum(waiting.values()), links.digest(moderator.id)
    where = known[next(iter(waiting))].name if len(waiting) == 1 else f"{len(waiting)} sites"
    return Letter(
        moderator.email,
        f"{counted(total)} on {where}",
        (
            *parts,
            Link("The whole queue", links.console()),
            "How often this mail may come is the setting MODERATION_DIGEST_HOURS; it never comes when nothing waits.",
            Link("Stop this mail", end),
        ),
        unsubscribe=end,
    )


def counted(count: int) -> str:
    return "1 comment waits" if count == 1 else f"{count:,} comments wait"


def since(at: int) -> str:
    return locales.written(iso(at) or "")
