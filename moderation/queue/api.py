"""The moderators' API: the queue, one comment, decisions, undo, the audit log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.requests import Request

from moderation.comments import decision
from moderation.comments import store as comments
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import FieldError, Invalid
from moderation.db import audit
from moderation.queue import block, matching
from moderation.queue import decide as queue
from moderation.queue.schemas import (
    AuditList,
    AuditQuery,
    CommentDetail,
    CommentList,
    CommentQuery,
    DecisionIn,
    DecisionOut,
    RevisionList,
)
from moderation.queue.store import View
from moderation.queue.store_assignments import ME
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web.guard import principal_of
from moderation.web.operations import operation


def view_of(asked: CommentQuery, principal: Principal) -> View:
    """The view of a query. Raises Invalid for a cursor of another order."""
    after = queue.after_cursor(asked.cursor) if asked.cursor else None
    if after and (asked.order in ("uncertain", "worst", "useful")) == isinstance(after[0], str):
        raise Invalid(FieldError("cursor", "invalid", "belongs to another order"))
    return View(
        status=asked.status,
        site=asked.site or EVERYWHERE,
        article=asked.article,
        label=asked.label or "",
        q=asked.q[:200],
        order=asked.order,
        limit=asked.limit,
        after=after,
        sample=asked.sample,
        rule=asked.rule or "",
        author=asked.author or "",
        assigned=principal.name if asked.assigned == ME else asked.assigned,
        snoozed=asked.snoozed,
    )


@operation("GET", "/api/v1/comments", query=CommentQuery, answers={200: CommentList}, scope="moderate", tag="queue")
async def list_comments(request: Request, asked: CommentQuery) -> dict[str, Any]:
    """A page of comments of one status or several, with all data for moderators."""
    services = services_of(request)
    principal, now = principal_of(request), services.clock()
    shown, following = await queue.waiting(services.database, principal, view_of(asked, principal), now)
    return {"comments": await queue.explained(services.scorer, shown), "next": following}


@operation(
    "GET", "/api/v1/comments/revisions", query=CommentQuery, answers={200: RevisionList}, scope="moderate", tag="queue"
)
async def list_revisions(request: Request, asked: CommentQuery) -> dict[str, Any]:
    """All comments that match the filters, at most 10,000, with their revisions: to be decided in batches."""
    services, principal = services_of(request), principal_of(request)
    view = replace(view_of(asked, principal), at=services.clock())
    found = await matching.matched(services.database, principal, view)
    return {"comments": [{"id": id, "revision": revision} for id, revision in found.items()]}


@operation("GET", "/api/v1/comments/{id}", answers={200: CommentDetail}, scope="moderate", tag="queue")
async def get_comment(request: Request) -> dict[str, Any]:
    """One comment with its decisions."""
    services = services_of(request)
    shown = await queue.one(services.database, services.scorer, principal_of(request), request.path_params["id"])
    async with services.database.reading() as session:
        found = await comments.find(session, [shown["id"]])
        blocks = await block.offered(session, list(found.values()))
    return shown | {"blocks": block.standing(blocks.get(shown["id"], {}))}


@operation("POST", "/api/v1/decisions", body=DecisionIn, answers={200: DecisionOut}, scope="moderate", tag="queue")
async def create_decision(request: Request, given: DecisionIn) -> dict[str, Any]:
    """Decide on 1 to 500 comments, all of them or none; or on all that match, if these are as many as expected."""
    services, principal = services_of(request), principal_of(request)
    reason = decision.checked_reason(given.reason, given.action)
    labels = decision.labels_said(given.labels, reason)
    action, named, note = decision.checked(given.action, labels, given.note)
    if (given.comments is None) == (given.match is None):
        raise Invalid(FieldError("comments", "invalid", "give either `comments` or `match`"))
    if given.match is not None:
        if given.expected_count is None:
            raise Invalid(FieldError("expected_count", "required", "say how many comments match"))
        asked = view_of(CommentQuery.model_validate(given.match.model_dump()), principal)
        id, moved = await matching.decide(
            services.database, principal, asked, given.expected_count, action, named, note, services.clock(), reason
        )
    else:
        assert given.comments is not None
        revisions = given.expected_revision or {}
        if isinstance(given.expected_revision, int):
            revisions = dict.fromkeys(given.comments, given.expected_revision)
        assert isinstance(revisions, dict)
        if given.joins and not given.leave_changed:
            raise Invalid(FieldError("joins", "invalid", "goes with `leave_changed`"))
        if given.leave_changed:
            if set(revisions) != set(given.comments):
                raise Invalid(FieldError("expected_revision", "required", "give the revision of each comment"))
            id, moved = await matching.batch(
                services.database,
                principal,
                revisions,
                given.joins or "",
                action,
                named,
                note,
                services.clock(),
                reason,
            )
        else:
            id, moved = await queue.decide(
                services.database, principal, given.comments, action, named, note, revisions, services.clock(), reason
            )
    services.decided[action] += len(moved)
    return {"id": id, "comments": [m.document() for m in moved]}


@operation("POST", "/api/v1/decisions/{id}/undo", answers={200: DecisionOut}, scope="moderate", tag="queue")
async def undo_decision(request: Request) -> dict[str, Any]:
    """Undo a decision, unless a later decision or edit exists."""
    services = services_of(request)
    id = request.path_params["id"]
    moved = await queue.undo(services.database, principal_of(request), id, services.clock())
    return {"id": id, "comments": [m.document() for m in moved]}


@operation("GET", "/api/v1/audit", query=AuditQuery, answers={200: AuditList}, scope="moderate", tag="queue")
async def list_audit(request: Request, asked: AuditQuery) -> dict[str, Any]:
    """The audit log, newest first: actor, action, subject and time."""
    limit: int = asked.limit
    async with services_of(request).database.reading() as session:
        found = await audit.read(session, principal_of(request).site, before=asked.cursor or "", limit=limit + 1)
    return {"entries": found[:limit], "next": found[limit - 1]["id"] if len(found) > limit else None}


routes = [list_comments, list_revisions, get_comment, create_decision, undo_decision, list_audit]
