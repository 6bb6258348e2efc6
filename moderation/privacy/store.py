"""The data held on one person, by the author's key, on one site or all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from moderation.articles import store_openings as openings
from moderation.comments import store_authors as authors
from moderation.comments import store_notes as notes
from moderation.comments.model import Comment
from moderation.core.ids import EVERYWHERE
from moderation.core.times import LEEWAY
from moderation.db.database import Session
from moderation.db.records import reader
from moderation.db.tables import Table, listed
from moderation.intake import store as idempotency
from moderation.outbox import store as outbox
from moderation.outbox import store_subscriptions as subscriptions
from moderation.policy import store_blocks as blocks
from moderation.queue import store_filters as saved_filters
from moderation.queue.store_filters import SavedFilter
from moderation.sites import store as sites
from moderation.sites.model import DAY
from moderation.team import store as team
from moderation.team import store_failures as failures
from moderation.text.wordlist import AUTHOR

LINKS = Table(name="data_subject_links", columns=("site", "id", "author_key", "created_at", "exported_at"))
TABLES = (LINKS,)
PAGE = 500
"""Ids in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSubject:
    """`key` is the author's key; `site` is a key, or `*` for all sites."""

    key: str
    site: str = EVERYWHERE


async def sites_of(session: Session, subject: DataSubject) -> list[str]:
    return sorted(await sites.sites(session)) if subject.site == EVERYWHERE else [subject.site]


async def comments(session: Session, subject: DataSubject) -> list[Comment]:
    """The person's comments, oldest first."""
    found = [c for site in await sites_of(session, subject) for c in await authors.comments(session, site, subject.key)]
    return sorted(found, key=lambda c: c.id)


async def address(session: Session, subject: DataSubject) -> str | None:
    """The email address of the newest comment."""
    found = [await authors.address(session, site, subject.key) for site in await sites_of(session, subject)]
    return max((newest for newest in found if newest), default=("", None))[1]


async def judged_ids(session: Session, subject: DataSubject) -> AsyncIterator[tuple[str, list[str]]]:
    """(site, ids of the person's judged texts with and without a comment), PAGE ids at a time."""
    for site in await sites_of(session, subject):
        ids = await authors.judged_ids(session, site, subject.key)
        for at in range(0, len(ids), PAGE):
            yield site, ids[at : at + PAGE]


async def erase(tx: Session, subject: DataSubject) -> None:
    """Erases comments and judged texts, moderators' notes on them and on the person, the reasons of blocks, waiting messages, subscriptions, and stored first answers of
    the same articles."""
    for site, article in {(c.site, c.article) for c in await comments(tx, subject)}:
        await idempotency.forget(tx, site, article)
    async for site, ids in judged_ids(tx, subject):
        await outbox.forget_subjects(tx, site, ids)
        await openings.forget(tx, site, ids)
        await authors.erase(tx, site, subject.key, ids)
        await blocks.forget(tx, site, AUTHOR + subject.key, ids)
    for site in await sites_of(tx, subject):
        await subscriptions.forget(tx, site, subject.key)
        await notes.erase(tx, site, subject.key)
        await blocks.forget(tx, site, AUTHOR + subject.key, [])
    for saved in await filters_about(tx, subject):
        await saved_filters.remove(tx, saved)
    if subject.site == EVERYWHERE:
        await outbox.forget_subjects(tx, EVERYWHERE, [subject.key])
        await forget_links(tx, subject.key)
        await team.forget_attempts(tx, subject.key)
        await failures.erase(tx, subject.key)


async def filters_about(session: Session, subject: DataSubject) -> list[SavedFilter]:
    """Moderators' saved filters that name the person. One's own are of all sites: of one site are those that narrow to it."""
    found = await saved_filters.about(session, [EVERYWHERE, *await sites_of(session, subject)], subject.key)
    return [one for one in found if subject.site in (EVERYWHERE, one.site, one.filters.get("site"))]


# --- links mailed to an address ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSubjectLink:
    id: str
    author_key: str
    created_at: int
    exported_at: int | None


LINK = listed(LINKS.columns[1:])
link_of = reader(DataSubjectLink, LINKS.columns[1:])


async def asked_since(session: Session, key: str, since: int) -> bool:
    """Whether a link was requested in the day since then."""
    row = await session.fetch_one(
        "SELECT 1 FROM data_subject_links WHERE site = ? AND author_key = ? AND created_at > ? AND created_at < ? LIMIT 1",
        *(EVERYWHERE, key, since, since + DAY + LEEWAY),
    )
    return row is not None


async def add_link(tx: Session, id: str, key: str, now: int) -> None:
    await tx.execute(
        "INSERT INTO data_subject_links (site, id, author_key, created_at) VALUES (?, ?, ?, ?)",
        EVERYWHERE,
        id,
        key,
        now,
    )


async def link(session: Session, id: str, since: int) -> DataSubjectLink | None:
    row = await session.fetch_one(
        f"SELECT {LINK} FROM data_subject_links WHERE site = ? AND id = ? AND created_at > ?",
        *(EVERYWHERE, id, since),
    )
    return link_of(row) if row else None


async def use_link(tx: Session, id: str, now: int) -> bool:
    """Uses up the link's one export; False if it is used."""
    used = await tx.execute(
        "UPDATE data_subject_links SET exported_at = ? WHERE site = ? AND id = ? AND exported_at IS NULL",
        *(now, EVERYWHERE, id),
    )
    return used == 1


async def forget_links(tx: Session, key: str) -> None:
    await tx.execute("DELETE FROM data_subject_links WHERE site = ? AND author_key = ?", EVERYWHERE, key)


async def purge_links(tx: Session, before: int) -> None:
    await tx.execute("DELETE FROM data_subject_links WHERE site = ? AND created_at <= ?", EVERYWHERE, before)
