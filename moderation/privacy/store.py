"""The data held on one person, by the author's key, on one site or all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from moderation.comments.model import Comment
from moderation.comments.store import COMMENT, comment_of
from moderation.core.ids import EVERYWHERE
from moderation.core.times import LEEWAY, iso
from moderation.db.database import Session
from moderation.db.records import reader
from moderation.db.tables import Table, listed
from moderation.learning import store_shadow as shadows
from moderation.sites.model import DAY

LINKS = Table(name="data_subject_links", columns=("site", "id", "author_key", "created_at", "exported_at"))
TABLES = (LINKS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSubject:
    """`key` is the author's key; `site` is a key, or `*` for all sites."""

    key: str
    site: str = EVERYWHERE

    @property
    def here(self) -> str:
        return "site IN (SELECT site FROM sites)" if self.site == EVERYWHERE else "site = ?"

    @property
    def args(self) -> tuple[str, ...]:
        """Arguments for `here` and the key."""
        return (self.key,) if self.site == EVERYWHERE else (self.site, self.key)


async def comments(session: Session, subject: DataSubject) -> list[Comment]:
    rows = await session.fetch(
        f"SELECT {COMMENT} FROM comments c WHERE c.{subject.here} AND c.author_key = ? ORDER BY c.id", *subject.args
    )
    return [comment_of(row) for row in rows]


async def address(session: Session, subject: DataSubject) -> str | None:
    """The email address of the newest comment."""
    row = await session.fetch_one(
        f"SELECT email FROM comments WHERE {subject.here} AND author_key = ? AND email <> '' ORDER BY id DESC LIMIT 1",
        *subject.args,
    )
    return row[0] if row else None


async def submissions(session: Session, subject: DataSubject) -> list[dict[str, Any]]:
    rows = await session.fetch(
        "SELECT site, id, revision, source, body, action, scores, model, created_at, format, author_name, author_url, "
        "email_domain, reasons FROM submissions "
        f"WHERE {subject.here} AND author_key = ? AND id IN ({theirs(subject)}) ORDER BY id, revision",
        *subject.args * 3,
    )
    return [
        {
            "site": r[0], "id": r[1], "revision": r[2], "source": r[3], "body": r[4], "action": r[5],
            "scores": json.loads(r[6]) if r[6] else None, "model": r[7], "created_at": iso(r[8]), "format": r[9],
            "name": r[10], "url": r[11], "email_domain": r[12], "reasons": json.loads(r[13]),
        }
        for r in rows
    ]  # fmt: skip


async def networks(session: Session, subject: DataSubject, days: int) -> list[dict[str, Any]]:
    """Comments with a stored key of their network address, and its expiry, `days` after the comment."""
    rows = await session.fetch(
        f"SELECT site, id, created_at FROM comments WHERE {subject.here} AND author_key = ? AND network_key <> '' ORDER BY id",
        *subject.args,
    )
    return [{"site": r[0], "id": r[1], "kept_until": iso(r[2] + days * DAY) if days else None} for r in rows]


async def shadow(session: Session, subject: DataSubject) -> list[dict[str, Any]]:
    """Candidate models' verdicts on the person's texts."""
    return [
        {"site": r[0], "id": r[1], "revision": r[2], "model": r[3], "action": r[4], "scores": json.loads(r[5]),
         "created_at": iso(r[6])}
        for r in await shadows.of_person(session, subject.here, subject.args)
    ]  # fmt: skip


async def versions(session: Session, site: str, id: str) -> list[dict[str, Any]]:
    """Every judged text of one comment, oldest first."""
    rows = await session.fetch(
        "SELECT body, format, created_at FROM submissions WHERE site = ? AND id = ? ORDER BY revision", site, id
    )
    return [{"body": row[0], "format": row[1], "created_at": iso(row[2])} for row in rows]


async def decisions(session: Session, subject: DataSubject) -> list[dict[str, Any]]:
    """Decisions on the person's texts; `stands`: not undone."""
    rows = await session.fetch(
        "SELECT site, submission, action, labels, note, created_at, undone_at, reason FROM decisions d "
        f"WHERE {subject.here} AND submission IN ({theirs(subject)}) ORDER BY id",
        *subject.args[:-1],
        *subject.args * 2,
    )
    return [
        {
            "site": r[0], "id": r[1], "action": r[2], "labels": json.loads(r[3]), "note": r[4],
            "reason": r[7] or None, "created_at": iso(r[5]), "stands": r[6] is None,
        }
        for r in rows
    ]  # fmt: skip


async def subscriptions(session: Session, subject: DataSubject) -> list[dict[str, Any]]:
    rows = await session.fetch(
        f"SELECT site, state, asked_at FROM subscriptions WHERE {subject.here} AND author_key = ? ORDER BY site",
        *subject.args,
    )
    return [{"site": r[0], "state": r[1], "asked_at": iso(r[2])} for r in rows]


async def appeals(session: Session, subject: DataSubject) -> list[dict[str, Any]]:
    rows = await session.fetch(
        f"SELECT site, id, body, created_at FROM appeals WHERE {subject.here} AND id IN ({theirs(subject)}) ORDER BY id",
        *subject.args[:-1],
        *subject.args * 2,
    )
    return [{"site": r[0], "id": r[1], "body": r[2], "created_at": iso(r[3])} for r in rows]


def theirs(subject: DataSubject) -> str:
    """A query for the ids of the person's judged texts, with and without a comment. Takes the person's arguments twice."""
    return (
        f"SELECT id FROM comments WHERE {subject.here} AND author_key = ? UNION "
        f"SELECT id FROM submissions WHERE {subject.here} AND author_key = ? AND source <> 'comment'"
    )


async def erase(tx: Session, subject: DataSubject) -> None:
    """Erases comments and judged texts, moderators' notes on them, waiting messages, subscriptions, and stored first answers of
    the same articles."""
    here, args, site = subject.here, subject.args, subject.args[:-1]
    await tx.execute(
        f"UPDATE decisions SET note = '' WHERE {here} AND submission IN ({theirs(subject)})", *site, *args, *args
    )
    await tx.execute(f"DELETE FROM outbox WHERE {here} AND subject IN ({theirs(subject)})", *site, *args, *args)
    rows = await tx.fetch(f"SELECT DISTINCT site, article FROM comments WHERE {here} AND author_key = ?", *args)
    for key, article in rows:
        await tx.execute("DELETE FROM idempotency_keys WHERE site = ? AND article = ?", key, article)
    await tx.execute(  # before the comments, which the query needs
        f"DELETE FROM submissions WHERE {here} AND author_key = ? AND id IN ({theirs(subject)})", *args * 3
    )
    await tx.execute(
        f"DELETE FROM article_openings WHERE {here} AND comment IN (SELECT id FROM comments WHERE {here} AND author_key = ?)",
        *(site + args),
    )
    await tx.execute(f"DELETE FROM comments WHERE {here} AND author_key = ?", *args)
    await tx.execute(f"DELETE FROM subscriptions WHERE {here} AND author_key = ?", *args)
    if subject.site == EVERYWHERE:
        await tx.execute("DELETE FROM outbox WHERE site = ? AND subject = ?", EVERYWHERE, subject.key)
        await tx.execute("DELETE FROM data_subject_links WHERE site = ? AND author_key = ?", EVERYWHERE, subject.key)
        await tx.execute(
            "DELETE FROM failed_attempts WHERE site = ? AND counter LIKE ?", EVERYWHERE, f"%{subject.key}%"
        )
        await tx.execute("DELETE FROM signin_failures WHERE site = ? AND account_key = ?", EVERYWHERE, subject.key)


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
