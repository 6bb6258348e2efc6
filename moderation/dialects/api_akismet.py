"""Akismet's protocol over HTTP: existing clients work unmodified (docs/akismet.md)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from moderation.comments import store as comments
from moderation.comments.decision import STATUS_AFTER
from moderation.comments.model import Comment
from moderation.core.problem import Forbidden, MethodNotAllowed, NotFound, Unavailable
from moderation.dialects import akismet
from moderation.dialects import api_akismet_key as keys
from moderation.dialects.akismet import HAM, SPAM
from moderation.dialects.akismet_form import Parameters
from moderation.dialects.api_akismet_calls import Handler, Refused, admit, site_of_key, spoken, text
from moderation.dialects.schemas_akismet import (
    AkismetCommentIn,
    KeyIn,
    KeyQuery,
    KeySitesQuery,
    StatsIn,
    Subscription,
    UsageLimit,
)
from moderation.dialects.usage import Stats
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.team.store_key_usage import Counts
from moderation.web.operations import Declared, Media, Operation, answering

TIP = "X-akismet-pro-tip"
SURE = 30
"""Seconds after which a client may ask again for a verdict that nobody could make."""


# --- comments ----------------------------------------------------------------------------------------------------------


async def check_comment(request: Request) -> Response:
    """Whether a comment is spam: `true`, `false`, or `invalid` for a wrong key."""
    principal, given = await admit(request)
    if not given.get("blog").strip():
        raise Refused(akismet.EMPTY_BLOG, akismet.NO_BLOG)
    word, is_test = akismet.magic_word(given), given.is_true("is_test")
    is_counted = not (is_test or word == SPAM)
    if word is None:
        word = await judged(request, principal, given, is_test)
    if word is None:
        raise Unavailable("No verdict could be made; ask again later.", SURE, code="unscored")
    tip = {TIP: "discard"} if word == SPAM and is_test and given.is_true("test_discard") else {}
    counts = Counts(calls=1, spam=int(is_counted and word == SPAM), ham=int(is_counted and word == HAM))
    services_of(request).key_usage.count(principal, akismet.site_of(given), counts)
    return text(word, headers=tip)


async def judged(request: Request, principal: Principal, given: Parameters, is_test: bool) -> str | None:
    """The word of a person's decision on the same comment, or of a verdict. None: there is none yet.

    Stored is what a person can decide on later: a comment with words, once. Only judged are tests, a pingback before it is
    fetched, a comment of before that a client checks again, and approved words under another name or link."""
    services, site = services_of(request), await site_of_key(request, principal)
    check = akismet.check_of(given, request.headers.get("user-agent", ""), services.clock())
    has_words = bool(check.text.strip())
    comment = await services.checks.find(site, check) if has_words else None
    if comment and (word := akismet.word_of_decision(comment, check)):
        return word
    is_old = comment is None and given.get("recheck_reason").strip() not in ("", "retry")
    is_decided = comment is not None and comment.is_decided
    is_passing = is_test or is_old or is_decided or given.is_true("akismet_pre_check") or "origin" in request.headers
    if has_words and principal.may("teach") and not is_passing:
        verdict = (await services.checks.submit(site, check)).verdict
    else:
        verdict = (await services.checks.judge(site, [check]))[0].verdict
    return akismet.word_of_verdict(verdict)


async def submit_spam(request: Request) -> Response:
    """A moderator's decision: this comment is spam."""
    return await taught(request, "spam", HAM)


async def submit_ham(request: Request) -> Response:
    """A moderator's decision: this comment is not spam."""
    return await taught(request, "approve", SPAM)


async def taught(request: Request, action: str, mistake: str) -> Response:
    """Decides on a comment. `mistake`: the answer that was wrong if this is right."""
    if "origin" in request.headers:
        raise Refused(akismet.FROM_A_PAGE)
    principal, given = await admit(request, "teach")
    services, site = services_of(request), await site_of_key(request, principal)
    check = akismet.check_of(given, request.headers.get("user-agent", ""), services.clock())
    blog, counts = akismet.site_of(given), Counts()
    if check.text.strip() and not given.is_true("is_test") and akismet.magic_word(given) is None:
        told: str | None = given.get("comment_check_response").strip()
        comment = await services.checks.find(site, check)
        if comment is None:
            comment = (await services.checks.submit(site, check)).comment
        elif not comment.is_decided:
            told = await answered(request, comment)
        if comment and not (comment.is_decided and comment.status == STATUS_AFTER[action]):
            try:
                await services.checks.decide(principal, comment, action)
            except Forbidden:
                raise Refused(akismet.NO_TEACHING) from None
            if told == mistake and not comment.is_decided:
                counts = Counts(missed_spam=int(action == "spam"), false_positives=int(action == "approve"))
    services.key_usage.count(principal, blog, counts)
    return text(akismet.THANKS)


async def answered(request: Request, comment: Comment) -> str | None:
    """The word that the verdict on a stored comment is answered with."""
    async with services_of(request).database.reading() as session:
        verdict = (await comments.verdicts(session, comment.site, [comment.id])).get(comment.id)
    return akismet.word_of_verdict(verdict) if verdict else None


async def elsewhere_in_akismet(request: Request) -> Response:
    """404, or 405 for a path that has other methods."""
    methods = sorted({m for route in operations if route.path == request.url.path for m in route.methods or ()})
    if methods:
        raise MethodNotAllowed("Another method is wanted here.", headers={"Allow": ", ".join(methods)})
    raise NotFound("There is nothing at this address.")


# --- routes ------------------------------------------------------------------------------------------------------------

WORD = Media("text/plain")


def json(document: Any) -> tuple[Media, ...]:
    """A document, or a word for a wrong key."""
    return Media("application/json", document), WORD


SITES = (*json(dict[str, object]), Media("text/csv"))


def operation(
    method: str, path: str, handler: Handler, answer: Any = WORD, *, takes: Any = None, query: Any = None, id: str = ""
) -> Operation:
    """A route with its declaration. `takes`: the parameters of its body."""
    endpoint = spoken(handler)
    endpoint.__name__ = id or endpoint.__name__
    declared = Declared(
        body=takes, form=takes, query=query, answers={200: answer}, errors=WORD, tag="akismet"
    )  # fmt: skip
    return Operation(method, path, endpoint, declared)


class Rest(Route):
    """Every other path and method."""

    def __init__(self, path: str) -> None:
        endpoint = spoken(elsewhere_in_akismet)
        super().__init__(path, endpoint)
        self.methods, self.app = None, answering(endpoint)


operations = [
    operation("POST", "/1.1/comment-check", check_comment, takes=AkismetCommentIn),
    operation("POST", "/1.1/verify-key", keys.verify_key, takes=KeyIn),
    operation("POST", "/1.1/submit-spam", submit_spam, takes=AkismetCommentIn),
    operation("POST", "/1.1/submit-ham", submit_ham, takes=AkismetCommentIn),
    operation("GET", "/1.1/test", keys.test_connection, id="test_akismet_connection"),
    operation("POST", "/1.1/get-subscription", keys.get_subscription, json(Subscription), takes=KeyIn),
    operation("POST", "/1.1/get-stats", keys.get_stats, json(Stats), takes=StatsIn, id="get_akismet_stats"),
    operation("POST", "/1.1/deactivate", keys.deactivate, takes=KeyIn),
    operation("POST", "/1.1/token", keys.token, takes=KeyIn, id="create_akismet_token"),
    operation("POST", "/1.1/verify-wpcom-key", keys.verify_wpcom_key),
    operation("GET", "/1.2/usage-limit", keys.usage_limit, json(UsageLimit), query=KeyQuery, id="get_usage_limit"),
    operation("POST", "/1.2/usage-limit", keys.usage_limit, json(UsageLimit), takes=KeyIn, id="post_usage_limit"),
    operation("GET", "/1.2/key-sites", keys.key_sites, SITES, query=KeySitesQuery, id="get_key_sites"),
    operation("POST", "/1.2/key-sites", keys.key_sites, SITES, takes=KeySitesQuery, id="post_key_sites"),
    operation("GET", "/1.2/compatible-plugins", keys.compatible_plugins, json(list[str])),
]  # fmt: skip
routes: list[BaseRoute] = [*operations, Rest("/1.1/{path:path}"), Rest("/1.2/{path:path}")]
