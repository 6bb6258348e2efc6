"""Acts on one comment: reply, redact, block. The pages use the same functions."""

from __future__ import annotations

import logging
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from moderation.comments.model import public
from moderation.comments.submission import Submission
from moderation.db import secure_delete
from moderation.policy.blocks import Lasts
from moderation.queue import block, redact
from moderation.queue import reply as staff_reply
from moderation.queue.redact import Redacted
from moderation.queue.reply import Answered
from moderation.queue.schemas import BlockIn, BlocksOut, RedactIn, RedactOut, ReplyIn, ReplyOut, UnblockIn
from moderation.services import Services, services_of
from moderation.team.model import Principal
from moderation.transfer.store_tables import TEXTS
from moderation.web.guard import principal_of
from moderation.web.operations import json_answer, operation

log = logging.getLogger("moderation.queue.api_acts")
COMMENT = "/api/v1/comments/{id}"


@operation("POST", COMMENT + "/replies", body=ReplyIn, answers={201: ReplyOut}, scope="moderate", tag="queue")
async def create_reply(request: Request, given: ReplyIn) -> dict[str, Any]:
    """Reply to a comment as staff; with `approve`, publish it first, in the same transaction."""
    services, principal = services_of(request), principal_of(request)
    submission = await staff_reply.checked(principal, {"name": given.name, "body": given.body})
    done = await replied(
        services, principal, request.path_params["id"], submission, given.approve, given.expected_revision
    )
    shown = public(done.reply, services.links.avatar(done.reply.name), "after-approval") | {"status": done.reply.status}
    return {"id": done.decision, "reply": shown, "comments": [m.document() for m in done.moved]}


async def replied(
    services: Services, principal: Principal, id: str, submission: Submission, approve: bool, expected: int | None
) -> Answered:
    done = await staff_reply.reply(
        services.database, services.signer, principal, id, submission,
        approve=approve, seen=expected, now=services.clock(),
    )  # fmt: skip
    services.decided["approve"] += len(done.moved) - 1
    return done


@operation("POST", COMMENT + "/redact", body=RedactIn, answers={200: RedactOut}, scope="moderate", tag="queue")
async def redact_comment(request: Request, given: RedactIn) -> Response:
    """Redact a piece of a comment, wherever it is stored. There is no undo."""
    services = services_of(request)
    done = await redacted(
        services, principal_of(request), request.path_params["id"], given.text, given.expected_revision
    )
    answer = json_answer(done.moved.document() | {"places": done.places})
    answer.background = BackgroundTask(overwrite, services)
    return answer


async def redacted(services: Services, principal: Principal, id: str, piece: object, expected: int | None) -> Redacted:
    return await redact.redact(services.database, principal, id, redact.pattern(piece), expected, services.clock())


async def overwrite(services: Services) -> None:
    """Overwrites deleted data in the background. If that fails, the periodic task repeats it."""
    try:
        await secure_delete.overwrite_deleted(services.database, TEXTS)
    except Exception as error:
        log.warning("secure deletion is put off", extra={"why": type(error).__name__})


@operation("POST", COMMENT + "/block", body=BlockIn, answers={200: BlocksOut}, scope="moderate", tag="queue")
async def block_from_comment(request: Request, given: BlockIn) -> dict[str, Any]:
    """Close the comment's article, or block its author, network or a domain of it."""
    return await changed(request, given.target, lift=False, lasts=given.lasts, reason=given.reason)


@operation("POST", COMMENT + "/unblock", body=UnblockIn, answers={200: BlocksOut}, scope="moderate", tag="queue")
async def unblock_from_comment(request: Request, given: UnblockIn) -> dict[str, Any]:
    """Take a block back."""
    return await changed(request, given.target, lift=True)


async def changed(request: Request, target: str, **how: Any) -> dict[str, Any]:
    id = request.path_params["id"]
    return {"id": id, "blocks": await blocked(services_of(request), principal_of(request), id, target, **how)}


async def blocked(
    services: Services,
    principal: Principal,
    id: str,
    target: str,
    *,
    lift: bool,
    lasts: Lasts = "good",
    reason: str = "",
) -> dict[str, bool]:
    """The comment's blocks after the change."""
    database, now = services.database, services.clock()
    comment = await block.change(
        database, services.signer, principal, id, target, now, lift=lift, lasts=lasts, reason=reason
    )
    services.directory.forget()
    async with database.reading() as session:
        return block.standing((await block.offered(session, [comment]))[id])


routes = [create_reply, redact_comment, block_from_comment, unblock_from_comment]
