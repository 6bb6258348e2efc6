"""Coral's external moderation phase: a comment of Coral's, judged and kept as a check.

Coral publishes the comment after any answer but 200 and 204, after a timeout, and after a field that it does not know. So whatever
goes wrong here is answered with 200 and SYSTEM_WITHHELD: the comment waits in Coral's queue.
"""

from __future__ import annotations

import asyncio
import logging

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from moderation.core.problem import NotFound, Problem
from moderation.dialects import coral, coral_secrets
from moderation.dialects.coral import CoralOut
from moderation.dialects.model import Check, CheckResult
from moderation.services import Services, services_of
from moderation.web import bodies
from moderation.web.cors import Endpoint
from moderation.web.operations import json_answer, operation

log = logging.getLogger("moderation.dialects.coral")
WITHIN = 1.5
"""Seconds until a comment that is still being judged is withheld: below the timeout of 2,000 ms that docs/coral.md sets."""
QUIET = 60_000
"""Milliseconds between two log lines about the same trouble: anybody can send an unsigned request."""
_logged: dict[str, int] = {}
_late: set[asyncio.Task[CheckResult]] = set()
"""Checks that took too long: they are stored all the same."""


@operation("POST", "/coral/{site}", answers={200: CoralOut, 204: None}, headers=("X-Coral-Signature",), tag="checks")  # fmt: skip
async def moderate_for_coral(request: Request) -> CoralOut | Response | None:
    """Judge a comment for Coral's external moderation phase, signed with the phase's secret.

    204: no objection. `status` SYSTEM_WITHHELD: held, REJECTED: spam. Whatever cannot be verified or judged is withheld, with the
    cause in the header `X-Problem`. `?publish=NONE`: a comment without objection is answered with the status NONE, so that it
    appears where Coral moderates before publication. `?format=plain`: the phase sends plain text."""
    services = services_of(request)
    try:
        check = await signed_check(request, services)
    except ClientDisconnect:
        raise
    except Exception as error:
        return withheld(services, code_of(error))
    if check is None:
        return withheld(services, "empty")
    task = asyncio.ensure_future(services.checks.submit(request.path_params["site"], check))
    done, _ = await asyncio.wait({task}, timeout=WITHIN)
    if not done:
        _late.add(task)
        task.add_done_callback(forget)
        return withheld(services, "late")
    if failure := task.exception():
        return withheld(services, code_of(failure))
    return coral.answer(task.result(), decides=request.query_params.get("publish") == "NONE")


async def signed_check(request: Request, services: Services) -> Check | None:
    """The check of a request whose signature is right; None without a text. Raises Problem."""
    body = await bodies.read(request, bodies.COMMENTS)
    site = await services.directory.site(request.path_params["site"])
    async with services.database.reading() as session:
        secrets = await coral_secrets.of_site(session, coral_secrets.cipher_of(services.signer), site.key)
    if not coral.is_signed(secrets, body, request.headers.get("x-coral-signature", "")):
        raise NotFound("The signature is none of a secret of this site.", code="signature" if secrets else "no_secret")
    return coral.check_of(await bodies.parsed(body), plain=request.query_params.get("format") == "plain")


def code_of(error: BaseException) -> str:
    return error.code if isinstance(error, Problem) else type(error).__name__


def withheld(services: Services, why: str) -> Response:
    """The answer that publishes nothing."""
    now = services.clock()
    if not now - QUIET < _logged.get(why, 0) <= now:
        _logged[why] = now
        log.warning("withheld in Coral", extra={"why": why})
    answer = json_answer(coral.WITHHELD)
    answer.headers["X-Problem"] = why
    return answer


def forget(task: asyncio.Task[CheckResult]) -> None:
    """Ends a late check; its error, if it has one, was answered already."""
    _late.discard(task)
    if not task.cancelled():
        task.exception()


class Elsewhere:
    """Every other path below /coral, of any method: Coral publishes after a 404 and a redirect."""

    def __init__(self, to: Endpoint | None = None) -> None:
        self.to = to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        is_phase = self.to is not None and request.method == "POST"
        response = await self.to(request) if self.to and is_phase else withheld(services_of(request), "path")
        await response(scope, receive, send)


routes = [
    moderate_for_coral,
    Route("/coral/{site}/", Elsewhere(moderate_for_coral.endpoint)),
    Route("/coral", Elsewhere()),
    Route("/coral/{rest:path}", Elsewhere()),
]
