"""Edits: a comment's new text, by its author or by the system that keeps it."""

from __future__ import annotations

from dataclasses import replace

from moderation.comments import store as comments
from moderation.comments.model import EDIT_WINDOW, Comment
from moderation.comments.store import JudgedComment
from moderation.comments.verdict import PUBLISH, Verdict
from moderation.core.problem import Conflict, Forbidden, NotFound
from moderation.db import audit
from moderation.db.database import Session
from moderation.duplicates import duplicates
from moderation.intake.admission import Arrival
from moderation.intake.unread import is_unread
from moderation.outbox import events
from moderation.policy import rule_health
from moderation.sites import store as sites

REFUSED = ("spam", "rejected", "deleted")


async def edit(tx: Session, arrival: Arrival, old: Comment, verdict: Verdict, now: int) -> Comment:
    """Stores the new text of a comment as a new revision. Raises Conflict."""
    sent = arrival.submission
    status, is_fit = verdict.status, verdict.action == PUBLISH or is_unread(verdict.reasons)
    if old.is_decided and arrival.elsewhere:
        # its keeper's people edit what they have approved; what they have refused stays so, whatever it says now
        status = old.status if is_fit or old.status in REFUSED else status
    elif old.is_decided and is_fit:  # of its author's new text a person has not approved yet
        status = old.status if old.status != "approved" else "pending"
    new = replace(
        old,
        name=sent.name,
        url=sent.url,
        body=sent.body,
        html=sent.html,
        status=status,
        revision=old.revision + 1,
        judged_revision=old.revision + 1,
        edited_at=now,
        format=sent.format,
    )
    judged = JudgedComment(
        comment=new,
        verdict=verdict,
        keys=arrival.keys,
        notify=sent.notify,
        email_domain=sent.email_domain,
        link_hosts=sent.link_hosts,
    )
    if not await comments.edit(tx, judged, old.revision):
        raise Conflict("The comment changed meanwhile.", code="changed")
    await duplicates.keep_anew(tx, judged)
    await rule_health.count(tx, [judged])
    if "approved" in (old.status, new.status):
        await sites.touch(tx, arrival.site, [old.article])
    await events.emit(tx, "comment.edited", [new], now)
    await events.emit_replies(tx, [new], now)
    actor = "keeper" if arrival.elsewhere else "author"
    await audit.note(tx, site=old.site, at=now, actor=actor, action="comment:edit", subject=old.id)
    return new


async def own_comment(tx: Session, site: str, article: str, id: str, now: int) -> Comment:
    """The author's comment. Raises NotFound, or Forbidden after the window."""
    found = (await comments.of_site(tx, site, [id])).get(id)
    if found is None or found.article != article or found.status == "deleted":
        raise NotFound("There is no such comment.")
    if now - found.created_at > EDIT_WINDOW:
        raise Forbidden("A comment can be changed for 15 minutes after it was posted.", code="edit_closed")
    return found
