"""Staff replies: published at once with the mark *staff*, neither judged nor learnt from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moderation.comments import store as comments
from moderation.comments import store_decisions as decisions
from moderation.comments import submission
from moderation.comments.model import Comment, place
from moderation.comments.store import JudgedComment, Keys
from moderation.comments.store_decisions import Decision
from moderation.comments.submission import Submission
from moderation.comments.verdict import PUBLISH, Verdict
from moderation.core.ids import new_id
from moderation.core.offload import REQUESTS
from moderation.core.problem import Conflict, FieldError, Invalid
from moderation.core.signing import Signer
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.outbox import events
from moderation.queue import decide as queue
from moderation.queue.decide import Moved
from moderation.sites import store as sites
from moderation.sites.site_settings import SiteSettings
from moderation.team import store as moderators
from moderation.team.model import Principal

REPLY = "reply"
"""The action of a reply's decision; its undo deletes the reply."""
RULES = SiteSettings(require_email=False)


@dataclass(frozen=True, slots=True)
class Answered:
    decision: str
    reply: Comment
    moved: list[Moved]
    """The comment that was approved with the reply, if any, then the reply."""


async def checked(principal: Principal, raw: Mapping[str, Any]) -> Submission:
    """The text and the name, by default the moderator's public name. Raises Invalid, naming every wrong field."""
    known = principal.moderator.name if principal.moderator else ""
    said = {"name": raw.get("name") or known, "body": raw.get("body")}
    return await REQUESTS.run(submission.check, said, RULES, here=submission.is_light(said))


async def reply(
    database: Database,
    signer: Signer,
    principal: Principal,
    id: str,
    said: Submission,
    *,
    approve: bool,
    seen: int | None,
    now: int,
) -> Answered:
    """Replies in one transaction, as one decision; its undo reverts reply and approval.

    Raises NotFound, Conflict, or Invalid if the comment is not published and `approve` is false; nothing changes then.
    """
    decision = new_id(now)
    async with database.transaction() as tx:
        found = await queue.seen_by(tx, principal, [id], {} if seen is None else {id: seen})
        above = found[id]
        moved = []
        if above.status != "approved":
            if not approve:
                raise Invalid(FieldError("approve", "required", "must be true: the comment is not published yet"))
            moved = await queue.act(tx, principal, [above], decision, "approve", (), "", now)
        made = await _write(tx, signer, principal, above, said, now)
        await decisions.add(tx, [
            Decision(site=made.site, id=decision, submission=made.id, judged_revision=1, action=REPLY, labels=(), note="", moderator=principal.name, before_status="deleted", after_status="approved", after_revision=1, created_at=now)
        ])  # fmt: skip
        await events.emit(tx, "comment.created", [made], now)
        await events.emit_replies(tx, [made], now)
        await sites.touch(tx, made.site, [made.article])
        await audit.note(tx, site=made.site, at=now, actor=principal.name, action="comment:reply", subject=made.id,
                         decision=decision, to=id)  # fmt: skip
        if principal.moderator and said.name != principal.moderator.name:
            await moderators.call(tx, principal.moderator, said.name)
    return Answered(
        decision,
        made,
        [*moved, Moved(id=made.id, site=made.site, article=made.article, status=made.status, revision=1)],
    )


async def _write(
    tx: Session, signer: Signer, principal: Principal, above: Comment, said: Submission, now: int
) -> Comment:
    keys = Keys(author=signer.staff_key(principal.name), network="", body=said.body_key)
    id = new_id(now, 1)
    parent, path = place(id, above)
    for one in await comments.postings(tx, above.site, [keys.author], [keys.body]):
        if (one.article, one.parent) == (above.article, above.id):
            raise Conflict("You have said exactly this here already.", code="duplicate")
    made = Comment(
        id=id,
        site=above.site,
        article=above.article,
        parent=parent,
        path=path,
        status="approved",
        revision=1,
        name=said.name,
        email="",
        url=None,
        body=said.body,
        html=said.html,
        created_at=now,
        is_decided=True,
        is_staff=True,
    )
    await comments.add(
        tx,
        [
            JudgedComment(
                comment=made,
                verdict=Verdict(action=PUBLISH),
                keys=keys,
                notify=False,
                email_domain="",
                link_hosts=said.link_hosts,
                source="staff",
            )
        ],
    )
    return made
