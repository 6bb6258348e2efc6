"""Subscriptions to replies, and the replies to send."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed

HERE = "site IN (SELECT site FROM sites)"
SUBSCRIPTIONS = Table(name="subscriptions", columns=("site", "author_key", "id", "state", "asked_at", "changed_at"))
TABLES = (SUBSCRIPTIONS,)
SUBSCRIPTION = listed(SUBSCRIPTIONS.columns[:5])
"""Of a Subscription: all but the time of its last change."""
ANSWER_DAYS = 7
"""Days in which a subscription can be confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """The subscription of one address on one site. `state` is `asked`, `confirmed`, `ended` or `refused`."""

    site: str
    author_key: str
    id: str
    state: str
    asked_at: int

    def may_confirm(self, now: int) -> bool:
        """Whether it can be confirmed: once, within ANSWER_DAYS. Later mails contain the same link, for unsubscribing."""
        return self.state == "asked" and now < self.asked_at + ANSWER_DAYS * 24 * 3_600_000


subscription_of = reader(Subscription, SUBSCRIPTIONS.columns[:5])


async def of_person(session: Session, author_key: str) -> dict[str, Subscription]:
    """Site → subscription of a person."""
    rows = await session.fetch(f"SELECT {SUBSCRIPTION} FROM subscriptions WHERE {HERE} AND author_key = ?", author_key)
    return {row[0]: subscription_of(row) for row in rows}


async def find(session: Session, id: str) -> Subscription | None:
    row = await session.fetch_one(f"SELECT {SUBSCRIPTION} FROM subscriptions WHERE {HERE} AND id = ?", id)
    return subscription_of(row) if row else None


async def put(tx: Session, subscription: Subscription, now: int) -> None:
    s = subscription
    await tx.execute(
        f"{SUBSCRIPTIONS.insert} ON CONFLICT (site, author_key) "
        "DO UPDATE SET state = excluded.state, asked_at = excluded.asked_at, changed_at = excluded.changed_at",
        *(s.site, s.author_key, s.id, s.state, s.asked_at, now),
    )


async def replies(session: Session, site: str, ids: Iterable[str]) -> list[tuple[str, str, str]]:
    """(reply, comment above it, subscription) of published replies to subscribed authors.

    Excluded are an author's own replies, and comments without the ticked box or unsubscribed by their receipt.
    """
    comment_ids = list(ids)
    rows = await session.fetch(
        "SELECT r.id, p.id, s.id FROM comments r JOIN comments p ON p.site = r.site AND p.id = r.parent "
        "JOIN subscriptions s ON s.site = p.site AND s.author_key = p.author_key AND s.state = 'confirmed' "
        f"WHERE r.site = ? AND r.id IN ({placeholders(len(comment_ids))}) AND r.status = 'approved' AND p.status = 'approved' "
        "AND p.notify = 1 AND p.email <> '' AND p.author_key <> r.author_key",
        *(site, *comment_ids),
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def forget(tx: Session, site: str, author_key: str) -> None:
    await tx.execute("DELETE FROM subscriptions WHERE site = ? AND author_key = ?", site, author_key)
