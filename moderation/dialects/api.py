"""Checks: comments that are kept elsewhere, judged here; and their decisions, edits and erasures by the keeper's id."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, cast

from starlette.requests import Request

from classifier.examples import Asked, Author
from moderation.comments import decision
from moderation.comments import store as comments
from moderation.comments.model import Comment
from moderation.comments.verdict import PUBLISH
from moderation.core.problem import FieldError, Forbidden, Invalid, NotFound
from moderation.core.times import moment
from moderation.dialects.checks import external_id, submission_of
from moderation.dialects.model import Check, CheckResult
from moderation.dialects.schemas import (
    ChangeIn,
    CheckDecisionIn,
    CheckDecisionOut,
    CheckDecisionResult,
    CheckDecisionsIn,
    CheckDecisionsOut,
    CheckFields,
    CheckIn,
    CheckOut,
    ChecksOut,
)
from moderation.policy.scorer import Scorer
from moderation.queue import decide as queue
from moderation.services import services_of
from moderation.team.store_key_usage import Counts
from moderation.text import body as formats
from moderation.web import bodies
from moderation.web.guard import principal_of
from moderation.web.operations import operation

CHECKS = "/api/v1/sites/{site}/checks"
ONE = CHECKS + "/{id:path}"


async def site_of(request: Request, *, teaches: bool = False) -> str:
    """The site of the path. Raises NotFound for one that the token does not see; where the request teaches, Forbidden without
    the scope, or from a page."""
    services, principal = services_of(request), principal_of(request)
    site = await services.directory.site(request.path_params["site"])
    if not principal.sees(site.key):
        raise NotFound("There is no such site.")
    if teaches:
        if "origin" in request.headers:
            raise Forbidden("A request from a page may judge, and not teach: send it from a server.", code="origin")
        services.checks.check_teaching(principal)
    return site.key


@operation("POST", CHECKS, body=CheckIn, most=bodies.COMMENTS, answers={200: ChecksOut}, scope="score", sessions=False, tag="checks")  # fmt: skip
async def create_check(request: Request, given: CheckIn) -> ChecksOut:
    """Judge a comment that is kept elsewhere, and keep it for decisions and learning.

    Nothing becomes public. Storing needs the scope `teach` too; with `"store": false` nothing is kept. The same check again
    (by `id`, else by author, text and article) is the same comment: it is judged anew."""
    site = await site_of(request, teaches=given.store)
    services = services_of(request)
    checks = checks_of(given)
    if given.store:
        judged = [await services.checks.submit(site, check) for check in checks]
    else:
        judged = await services.checks.judge(site, checks)
    filed = sum(result.verdict.action != PUBLISH for result in judged)
    counts = Counts(calls=len(judged), spam=filed, ham=len(judged) - filed)
    services.key_usage.count(principal_of(request), "checks", counts)
    results = [document(check, result) for check, result in zip(checks, judged, strict=True)]
    if given.checks is not None:
        return {"results": results}
    if results[0]["action"] != PUBLISH:
        results[0]["reasons"] += await words(services.scorer, site, checks[0], judged[0])
    first = results[0]
    return cast(ChecksOut, first)


@operation("POST", CHECKS + "/decisions", body=CheckDecisionsIn, answers={200: CheckDecisionsOut}, scope="teach", sessions=False, tag="checks")  # fmt: skip
async def decide_checks(request: Request, given: CheckDecisionsIn) -> CheckDecisionsOut:
    """Decide up to 500 stored checks, each by its own action. An unknown id changes nothing, and its result says so."""
    site = await site_of(request, teaches=True)
    services, principal = services_of(request), principal_of(request)
    checked = [(one, *decision.checked(one.action, one.labels, one.note)) for one in given.decisions]
    ids = [external_id(one.id) for one in given.decisions]
    async with services.database.reading() as session:
        stored = await comments.by_external_id(session, site, ids)
    results: list[CheckDecisionResult] = []
    for (one, action, labels, note), id in zip(checked, ids, strict=True):
        if id in stored:
            made = await services.checks.decide(principal, stored[id], action, labels, note)
            results.append({"id": one.id, "code": "decided", "decision": made, "status": decision.STATUS_AFTER[action]})
        else:
            results.append({"id": one.id, "code": "not_found"})
    return {"results": results}


@operation("POST", ONE + "/decisions", body=CheckDecisionIn, answers={200: CheckDecisionOut}, scope="teach", sessions=False, tag="checks")  # fmt: skip
async def decide_check(request: Request, given: CheckDecisionIn) -> CheckDecisionOut:
    """Decide a stored check; a later decision replaces an earlier one."""
    site = await site_of(request, teaches=True)
    services = services_of(request)
    action, labels, note = decision.checked(given.action, given.labels, given.note)
    comment = await services.checks.of_id(site, request.path_params["id"])
    made = await services.checks.decide(principal_of(request), comment, action, labels, note)
    return {"id": comment.external_id or "", "decision": made, "status": decision.STATUS_AFTER[action]}


@operation("GET", ONE, answers={200: CheckOut}, scope="score", sessions=False, tag="checks")
async def get_check(request: Request) -> CheckOut:
    """A stored check: its latest verdict, and its status, which a decision may have changed."""
    site = await site_of(request)
    services = services_of(request)
    comment = await services.checks.of_id(site, request.path_params["id"])
    async with services.database.reading() as session:
        verdict = (await comments.verdicts(session, site, [comment.id]))[comment.id]
    return document(stored(comment), CheckResult(verdict=verdict, comment=comment))


@operation("PATCH", ONE, body=ChangeIn, most=bodies.COMMENTS, answers={200: CheckOut}, scope="teach", sessions=False, tag="checks")  # fmt: skip
async def edit_check(request: Request, given: ChangeIn) -> CheckOut:
    """Tell that a stored check's text, name or website has changed: it is judged anew. It never lifts what a person has decided."""
    site = await site_of(request, teaches=True)
    services = services_of(request)
    comment = await services.checks.of_id(site, request.path_params["id"])
    async with services.database.reading() as session:
        before = (await comments.verdicts(session, site, [comment.id]))[comment.id]
    old = stored(comment)
    changed = Check(
        text=old.text if given.text is None else given.text,
        format=old.format if given.text is None else given.format,
        name=old.name if given.name is None else given.name,
        url=old.url if given.url is None else given.url,
        email=old.email,
        kind=before.facts.get("kind", "comment"),
        id=comment.external_id or "",
        trusted=given.trusted or bool(before.facts.get("trusted")),
    )
    return document(changed, await services.checks.submit(site, changed))


@operation("DELETE", ONE, answers={204: None}, scope="teach", sessions=False, tag="checks")
async def erase_check(request: Request) -> None:
    """Erase a stored check, its judged texts, and what its decisions taught, from the next retraining on."""
    site = await site_of(request, teaches=True)
    services = services_of(request)
    comment = await services.checks.of_id(site, request.path_params["id"])
    await services.checks.erase(comment, principal_of(request).name)


def checks_of(given: CheckIn) -> list[Check]:
    """The checks of either form. Raises Invalid."""
    if given.checks is not None and given.text is None:
        return [check_of(one) for one in given.checks]
    if given.text is not None and given.checks is None:
        return [check_of(given)]
    raise Invalid(FieldError("text", "required", "give either text or checks"))


def check_of(given: CheckFields) -> Check:
    return Check(
        text=given.text,
        format=given.format,
        name=given.name,
        url=given.url,
        email=given.email,
        ip=given.ip,
        kind=given.kind,
        id=given.id,
        parent=given.parent,
        article=given.article,
        trusted=given.trusted,
        date=moment(given.date) if given.date else None,
    )


def stored(comment: Comment) -> Check:
    """A stored check as its keeper could send it."""
    return Check(
        text=comment.body,
        format="html" if comment.format == formats.HTML else "markdown",
        name=comment.name,
        url=comment.url or "",
        email=comment.email,
        id=comment.external_id or "",
    )


def document(check: Check, result: CheckResult) -> CheckOut:
    verdict = result.verdict
    reasons = [reason.document() for reason in verdict.reasons]
    for reason in reasons if check.format == "plain" else ():
        reason["spans"] = in_text(check, reason["spans"])
    made: CheckOut = {
        "id": result.id or check.id,
        "action": verdict.action,
        "reasons": reasons,  # type: ignore[typeddict-item]
        "scores": verdict.scores,
        "model": verdict.model,
    }
    return made | {"status": result.comment.status} if result.comment else made


def in_text(check: Check, spans: Sequence[Sequence[int]]) -> list[list[int]]:
    """Spans of the stored HTML of a plain text as spans of the text."""
    body = submission_of(check).body
    return [[len(html.unescape(body[:place])) for place in span] for span in spans]


async def words(scorer: Scorer, site: str, check: Check, result: CheckResult) -> list[Any]:
    """The words that raised or lowered each score; nothing of the text is kept."""
    if result.verdict.model is None:
        return []
    sent = submission_of(check)
    author = Author(sent.name, sent.url or "", sent.email_domain)
    return await queue.attributions_of(scorer, Asked(sent.text, author, site), result.verdict.model)


routes = [create_check, decide_checks, decide_check, get_check, edit_check, erase_check]
