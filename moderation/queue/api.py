"""The moderators' API: the queue, one comment, decisions, undo, the audit log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from classifier.labels import LABELS
from moderation.comments import decision
from moderation.comments import store as comments
from moderation.comments.model import STATUSES
from moderation.core.ids import EVERYWHERE, is_id
from moderation.core.problem import FieldError, Forbidden, Invalid
from moderation.db import audit
from moderation.policy.rules import RULES
from moderation.privacy import data_requests as privacy
from moderation.privacy.store import Person
from moderation.queue import block
from moderation.queue import decide as queue
from moderation.queue.store import APPEAL, ORDERS, View
from moderation.services import services_of
from moderation.sites.model import is_site_key
from moderation.web import bodies

MOST = 200
RULE_NAMES = (*(name for name, _, _ in RULES), APPEAL)


def answer(found: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(found), status, {"Cache-Control": "no-store"}, "application/json")


def view_of(asked: dict[str, str], limit: int) -> View:
    """Raises Invalid, naming every wrong filter."""
    wrong: list[FieldError] = []

    def one_of(name: str, allowed: tuple[str, ...], otherwise: str) -> str:
        value = asked.get(name) or otherwise
        if value not in allowed:
            wrong.append(FieldError(name, "invalid", f"must be one of {', '.join(filter(None, allowed))}"))
        return value

    status, order = one_of("status", STATUSES, "pending"), one_of("order", tuple(ORDERS), "oldest")
    label = one_of("label", ("", *LABELS), "")
    rule = one_of("rule", ("", *RULE_NAMES), "")
    author = asked.get("author", "")
    if author and not is_id(author):
        wrong.append(FieldError("author", "invalid", "must be the id of one of the author's comments"))
    site = asked.get("site") or EVERYWHERE
    if site != EVERYWHERE and not is_site_key(site):
        wrong.append(FieldError("site", "invalid", "is no site's key"))
    given = asked.get("limit")
    if given is not None:
        limit = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
        if not 1 <= limit <= MOST:
            wrong.append(FieldError("limit", "invalid", f"must be a whole number from 1 to {MOST}"))
    if any("\0" in value for value in asked.values()):
        wrong.append(FieldError("q", "invalid", "must have no U+0000"))
    if wrong:
        raise Invalid(*wrong)
    after = queue.after_cursor(asked["cursor"]) if asked.get("cursor") else None
    if after and (order in ("uncertain", "worst", "useful")) == isinstance(after[0], str):
        raise Invalid(FieldError("cursor", "invalid", "belongs to another order"))
    sample = asked.get("sample") == "1"
    article, q = asked.get("article", "")[:200], asked.get("q", "")[:200]
    return View(status, site, article, label, q, order, limit, after, sample, rule, author)


async def get_queue(request: Request) -> Response:
    """A page of comments of one status, with everything that a moderator may see."""
    services = services_of(request)
    principal = await services.authenticator.principal(request, "moderate")
    view = view_of(dict(request.query_params), 50)
    shown, following = await queue.waiting(services.database, principal, view)
    return answer({"comments": await queue.explained(services.scorer, shown), "next": following})


async def get_comment(request: Request) -> Response:
    """One comment with its decisions."""
    services = services_of(request)
    principal = await services.authenticator.principal(request, "moderate")
    shown = await queue.one(services.database, services.scorer, principal, request.path_params["id"])
    async with services.database.reading() as session:
        found = await comments.find(session, [shown["id"]])
        bars = await block.offered(session, list(found.values()))
    return answer(shown | {"bars": bars.get(shown["id"], {})})


async def post_decision(request: Request) -> Response:
    """One decision on 1 to 500 comments: all or none."""
    services = services_of(request)
    principal = await services.authenticator.principal(request, "moderate")
    raw = await bodies.read_json(request)
    all_of(
        lambda: ids_of(raw.get("comments")),
        lambda: decision.checked(raw.get("action"), raw.get("labels"), raw.get("note")),
        lambda: decision.checked_reason(raw.get("reason"), raw.get("action")),
        lambda: seen_of(raw.get("expected_revision"), []),
    )
    ids = ids_of(raw["comments"])
    said = decision.labels_said(raw.get("labels"), raw.get("reason"))
    action, labels, note = decision.checked(raw["action"], said, raw.get("note"))
    reason, seen = decision.checked_reason(raw.get("reason"), action), seen_of(raw.get("expected_revision"), ids)
    id, moved = await queue.decide(
        services.database, principal, ids, action, labels, note, seen, services.clock(), reason
    )
    for m in moved:
        services.threads.drop(m.site, m.article)
    services.decided[action] += len(moved)
    return answer({"id": id, "comments": [m.document() for m in moved]})


def all_of(*checks: Callable[[], object]) -> None:
    """Raises Invalid, naming what any of them finds."""
    wrong: list[FieldError] = []
    for check in checks:
        try:
            check()
        except Invalid as invalid:
            wrong += invalid.errors
    if wrong:
        raise Invalid(*wrong)


def ids_of(raw: Any) -> list[str]:
    """Raises Invalid."""
    if not isinstance(raw, list) or not 1 <= len(raw) <= queue.MOST or not all(isinstance(id, str) for id in raw):
        raise Invalid(FieldError("comments", "invalid", f"must be a list of 1 to {queue.MOST} ids"))
    return raw


def seen_of(raw: Any, ids: list[str]) -> dict[str, int]:
    """A revision for all, or one per id. Raises Invalid."""
    if raw is None:
        return {}
    if isinstance(raw, int) and not isinstance(raw, bool):
        return dict.fromkeys(ids, raw)
    if isinstance(raw, dict) and all(isinstance(v, int) and not isinstance(v, bool) for v in raw.values()):
        return {str(k): v for k, v in raw.items()}
    raise Invalid(FieldError("expected_revision", "invalid", "must be a revision, or an object of id to revision"))


async def post_undo(request: Request) -> Response:
    """Take a decision back, if nobody came later."""
    services = services_of(request)
    principal = await services.authenticator.principal(request, "moderate")
    moved = await queue.undo(services.database, principal, request.path_params["id"], services.clock())
    for m in moved:
        services.threads.drop(m.site, m.article)
    return answer({"id": request.path_params["id"], "comments": [m.document() for m in moved]})


async def get_audit(request: Request) -> Response:
    """Who did what, when; newest first."""
    services = services_of(request)
    principal = await services.authenticator.principal(request, "moderate")
    cursor = request.query_params.get("cursor", "")
    if cursor and not is_id(cursor):
        raise Invalid(FieldError("cursor", "invalid", "must be the `next` of an earlier answer"))
    async with services.database.reading() as session:
        found = await audit.read(session, principal.site, before=cursor, limit=101)
    return answer({"entries": found[:100], "next": found[99]["id"] if len(found) > 100 else None})


async def post_export(request: Request) -> Response:
    """All that is held on one address, on one site or on all."""
    services = services_of(request)
    return answer(await privacy.export(services.database, await person_of(request), services.keep.addresses))


async def post_erase(request: Request) -> Response:
    """Erase all that is held on one address, on one site or on all."""
    services = services_of(request)
    erased = await privacy.erase(services.database, await person_of(request), "api", services.clock())
    for site, article in erased.threads:
        services.threads.drop(site, article)
    return answer({"erased": erased.comments})


async def person_of(request: Request) -> Person:
    services = services_of(request)
    principal = await services.authenticator.principal(request, "privacy")
    asked = await bodies.read_json(request)
    email, site = asked.get("email"), asked.get("site")
    if not isinstance(email, str) or not 3 <= len(email) <= 254 or any("\ud800" <= c <= "\udfff" for c in email):
        raise Invalid(FieldError("email", "invalid", "must be an email address"))
    if site is not None and not (isinstance(site, str) and is_site_key(site)):
        raise Invalid(FieldError("site", "invalid", "is no site's key"))
    if not principal.sees(site or EVERYWHERE):
        raise Forbidden("This is for another site than yours; name yours as `site`.", code="site")
    return privacy.person_of(services.signer, email, site or EVERYWHERE)


routes = [
    Route("/api/v1/comments", get_queue, methods=["GET"]),
    Route("/api/v1/comments/{id}", get_comment, methods=["GET"]),
    Route("/api/v1/decisions", post_decision, methods=["POST"]),
    Route("/api/v1/decisions/{id}/undo", post_undo, methods=["POST"]),
    Route("/api/v1/audit", get_audit, methods=["GET"]),
    Route("/api/v1/privacy/export", post_export, methods=["POST"]),
    Route("/api/v1/privacy/erase", post_erase, methods=["POST"]),
]
