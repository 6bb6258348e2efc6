"""The outbox: messages, stored until they are delivered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from moderation.core.times import LEEWAY
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed

MAIL = "mail"
DAY = 86_400_000
KEPT_DAYS = {"delivered": 90, "failed": 30}
"""Days for which finished messages are kept."""
ANYWHERE = "site IN (SELECT '*' UNION ALL SELECT site FROM sites)"
TABLES = (
    Table(
        name="outbox",
        columns=(
            *("site", "id", "destination", "subject", "content", "state", "attempts", "due_at", "last_response"),
            "created_at",
        ),
        holds_text=True,
    ),
)
MESSAGE_COLUMNS = ("site", "id", "destination", "subject", "content", "created_at", "attempts")
MESSAGE = listed(MESSAGE_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`id` stays the same over all attempts, so that a recipient can tell repetitions. `destination` is MAIL or a webhook's id."""

    site: str
    id: str
    destination: str
    subject: str
    content: dict[str, Any]
    created_at: int
    attempts: int = 0


message_of = reader(Message, MESSAGE_COLUMNS, content=json.loads)


async def add(tx: Session, messages: Iterable[Message]) -> None:
    """Adds messages, except those with an id that the outbox has or had."""
    await tx.execute_many(
        "INSERT INTO outbox (site, id, destination, subject, content, state, attempts, due_at, last_response, created_at) "
        "VALUES (?, ?, ?, ?, ?, 'waiting', 0, ?, '', ?) ON CONFLICT (site, id) DO NOTHING",
        [
            (m.site, m.id, m.destination, m.subject, orjson.dumps(m.content).decode(), m.created_at, m.created_at)
            for m in messages
        ],
    )


async def due_destinations(session: Session, now: int) -> set[str]:
    """The destinations with due messages."""
    rows = await session.fetch(
        f"SELECT DISTINCT destination FROM outbox WHERE {ANYWHERE} AND state = 'waiting' AND due_at <= ?", now
    )
    return {row[0] for row in rows}


async def due(session: Session, destination: str, now: int) -> Message | None:
    """The oldest due message of a destination."""
    row = await session.fetch_one(
        f"SELECT {MESSAGE} FROM outbox WHERE {ANYWHERE} AND destination = ? AND state = 'waiting' AND due_at <= ? "
        "ORDER BY created_at, id LIMIT 1",
        *(destination, now),
    )
    return message_of(row) if row else None


async def delivered(tx: Session, message: Message) -> None:
    """Deletes a delivered message. A mail's id stays, so that the same mail is not sent again later."""
    if message.destination == MAIL:
        await tx.execute(
            "UPDATE outbox SET state = 'delivered', content = '{}', last_response = '' WHERE site = ? AND id = ?",
            *(message.site, message.id),
        )
    else:
        await tx.execute("DELETE FROM outbox WHERE site = ? AND id = ?", message.site, message.id)


async def put_off(tx: Session, message: Message, until: int, response: str, *, destination: bool) -> None:
    """Delays a message until then; with `destination`, all messages of a failing destination."""
    await tx.execute(
        "UPDATE outbox SET attempts = attempts + 1, due_at = ?, last_response = ? WHERE site = ? AND id = ?",
        *(until, response, message.site, message.id),
    )
    if destination:
        await tx.execute(
            f"UPDATE outbox SET due_at = ? WHERE {ANYWHERE} AND destination = ? AND state = 'waiting' AND due_at < ?",
            *(until, message.destination, until),
        )


async def waits(session: Session) -> list[tuple[str, int, int, int]]:
    """Of each destination with waiting messages: the most attempts, the latest due time and the latest creation."""
    rows = await session.fetch(
        f"SELECT destination, max(attempts), max(due_at), max(created_at) FROM outbox WHERE {ANYWHERE} AND state = 'waiting' "
        "GROUP BY destination ORDER BY destination"
    )
    return [(row[0], int(row[1]), int(row[2]), int(row[3])) for row in rows]


async def redate(tx: Session, now: int) -> None:
    """Re-dates waiting messages of the future to now, keeping their delays."""
    await tx.execute(
        "UPDATE outbox SET due_at = due_at - created_at + ?, created_at = ? "
        f"WHERE {ANYWHERE} AND state = 'waiting' AND created_at > ?",
        *(now, now, now + LEEWAY),
    )


async def bring_forward(tx: Session, destination: str, until: int) -> None:
    """Lets no message of a destination wait for longer than until then."""
    await tx.execute(
        f"UPDATE outbox SET due_at = ? WHERE {ANYWHERE} AND destination = ? AND state = 'waiting' AND due_at > ?",
        *(until, destination, until),
    )


async def failed(tx: Session, message: Message, response: str) -> None:
    """Marks a message as failed; it is kept."""
    await tx.execute(
        "UPDATE outbox SET state = 'failed', attempts = attempts + 1, last_response = ? WHERE site = ? AND id = ?",
        *(response, message.site, message.id),
    )


async def fail_destination(tx: Session, destination: str, response: str) -> None:
    """Marks all messages of a destination as failed, because it is gone for good."""
    await tx.execute(
        f"UPDATE outbox SET state = 'failed', last_response = ? WHERE {ANYWHERE} AND destination = ? AND state = 'waiting'",
        response,
        destination,
    )


async def retry_failed(tx: Session, now: int) -> int:
    """Makes failed messages wait again, as new ones."""
    return await tx.execute(
        "UPDATE outbox SET state = 'waiting', attempts = 0, due_at = ?, created_at = ? "
        f"WHERE {ANYWHERE} AND state = 'failed' AND (destination = ? OR destination IN (SELECT id FROM webhooks WHERE disabled_at IS NULL))",
        *(now, now, MAIL),
    )


async def forget_destination(tx: Session, destination: str) -> int:
    return await tx.execute(
        f"DELETE FROM outbox WHERE {ANYWHERE} AND destination = ? AND state <> 'delivered'", destination
    )


async def counts(session: Session, destination: str | None = None) -> dict[str, int]:
    """The numbers of waiting and failed messages, of one destination or all."""
    one, args = ("AND destination = ?", (destination,)) if destination else ("", ())
    rows = await session.fetch(
        f"SELECT state, count(*) FROM outbox WHERE {ANYWHERE} AND state IN ('waiting', 'failed') {one} GROUP BY state",
        *args,
    )
    return {"waiting": 0, "failed": 0} | {row[0]: int(row[1]) for row in rows}


async def last_response(session: Session, destination: str) -> str:
    """The cause of a destination's last failed attempt."""
    row = await session.fetch_one(
        f"SELECT last_response FROM outbox WHERE {ANYWHERE} AND destination = ? AND last_response <> '' ORDER BY due_at DESC LIMIT 1",
        destination,
    )
    return str(row[0]) if row else ""


async def forget_subjects(tx: Session, site: str, subjects: Sequence[str]) -> None:
    """Deletes the messages about these comments, or authors."""
    await tx.execute(
        f"DELETE FROM outbox WHERE site = ? AND subject IN ({placeholders(len(subjects))})", site, *subjects
    )


async def purge(tx: Session, now: int) -> None:
    """Deletes what was delivered or given up long ago."""
    for state, days in KEPT_DAYS.items():
        await tx.execute(
            f"DELETE FROM outbox WHERE {ANYWHERE} AND state = ? AND created_at <= ?", state, now - days * DAY
        )
