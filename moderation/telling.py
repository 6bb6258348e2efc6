"""Told: what others must hear of a comment, put into the outbox by the transaction that changes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moderation.comment import Comment, iso, new_id, public
from moderation.moderator import EVERYWHERE
from moderation.storage import outbox, webhooks
from moderation.storage.database import Session
from moderation.storage.outbox import Message

EVENTS = {
    "comment.created": "Somebody has replied; `status` says what became of it.",
    "comment.edited": "Its author has changed it.",
    "comment.decided": "A moderator has decided on it, or taken a decision back.",
    "comment.deleted": "Its author has withdrawn it, or it was erased: `id`, `site` and `article` only.",
}


def document(comment: Comment) -> dict[str, Any]:
    """The public comment and its status: no email, no address, nothing made from them."""
    shown = public(comment, "") | {"site": comment.site, "article": comment.article, "status": comment.status}
    del shown["replies"]
    return shown


def gone(comment: Comment) -> dict[str, Any]:
    return {"id": comment.id, "site": comment.site, "article": comment.article, "status": "deleted"}


async def tell(tx: Session, event: str, comments: Iterable[Comment], now: int, **more: Any) -> None:
    """Put one message per comment and endpoint into the outbox. Costs one question where nobody listens."""
    assert event in EVENTS
    about = list(comments)
    listeners = [e for e in await webhooks.listening(tx, {c.site for c in about}) if event in e.events]
    if not listeners:
        return
    is_gone = event == "comment.deleted"
    told = [
        (c, {"type": event, "timestamp": iso(now), "data": (gone(c) if is_gone else document(c)) | more}) for c in about
    ]
    await outbox.add(
        tx,
        [
            Message(c.site, new_id(now, order), e.id, "" if is_gone else c.id, content, now)
            for order, (c, content) in enumerate(told)
            for e in listeners
            if e.site in (EVERYWHERE, c.site)
        ],
    )
