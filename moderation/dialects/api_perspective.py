"""The paths of the Perspective API. Every answer below /v1alpha1/ has Google's form, also for an unknown path and a failure.

`comments:analyze` stores nothing and logs nothing of a text. The discovery document describes these paths in place of
`/openapi.json`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from classifier.examples import Asked
from moderation.core.networks import is_in
from moderation.core.offload import SCORES
from moderation.core.problem import Problem, Unavailable
from moderation.core.signing import parsed_address
from moderation.core.urls import origin_if_any
from moderation.dialects import discovery, perspective, scale
from moderation.dialects import perspective_errors as errors
from moderation.dialects.languages import Detection, Detector
from moderation.dialects.model import Check
from moderation.dialects.perspective_errors import PerspectiveError
from moderation.dialects.sentences import Span, sentences
from moderation.policy.api import site_of
from moderation.policy.scorer import MODEL_VERSION
from moderation.services import Services, services_of
from moderation.team.model import Principal
from moderation.team.store_key_usage import Counts
from moderation.web import bodies

log = logging.getLogger("moderation.dialects.perspective")

KEY_HEADER = "X-Goog-Api-Key"
JSON = "application/json; charset=UTF-8"
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "*",  # without credentials, so this includes every header that a client may send
    "Access-Control-Max-Age": "600",
}
UNREAD = {"X-Second-Reader": "unread"}
"""The header of scores that the model's table gave alone, because its second reader did not answer in time."""
EXPOSED = f"{MODEL_VERSION}, Retry-After, X-Score-Scale, {', '.join(UNREAD)}"
SHORT = 2000
"""Characters whose sentences are found at once, on the event loop."""
PATIENCE = 0.6
"""Seconds that a request waits for the detector's model: Coral gives up after 0.8 s."""
DETECTOR = Detector()
"""One for the process: its model never changes."""
Method = Callable[[Request], Awaitable[Response]]


async def analyze(request: Request) -> Response:
    """Scores a text for the requested attributes."""
    services, principal = services_of(request), await principal_of(request, "score")
    analysis = perspective.analysis_of(await body_of(request))
    detection = await detected(analysis.text)
    perspective.check_languages(analysis, detection)
    spans = await spans_of(analysis)
    site = site_of(principal)
    texts = [analysis.text]
    if len(spans) > 1:
        texts += [analysis.text[start:end] for start, end in spans]
    asked = [Asked(text, site=site) for text in texts]
    version = request.headers.get(MODEL_VERSION, "")
    scored = await services.scorer.score_by(asked, site, version)
    answers = [one for one in scored if one is not None]
    if len(answers) < len(asked):
        raise Unavailable("No model answered; see /health/ready.", code="unscored")
    services.key_usage.count(principal, "perspective", Counts(calls=1))
    # whoever names a model asks for that model's own scores
    scales = {} if version else await scales_of(services, principal)
    whole, *parts = [scale.carried_over(one.scores, scales, perspective.ATTRIBUTES) for one in answers]
    document = perspective.analyzed(analysis, detection, spans, whole, parts or [whole])
    is_carried_over = any(one.name in scales for one in analysis.attributes)
    headers = {MODEL_VERSION: answers[0].model} | (scale.CARRIED_OVER if is_carried_over else {})
    return answer(document, headers | ({} if all(one.is_read for one in answers) else UNREAD))


async def scales_of(services: Services, principal: Principal) -> dict[str, scale.Scale]:
    """Attribute → the old scale of a key for which thresholds were carried over."""
    async with services.database.reading() as session:
        return await scale.scales_of(session, scale.token_id_of(principal.name))


async def suggestscore(request: Request) -> Response:
    """Takes feedback on a comment's scores: a decision of the key's site."""
    services, principal = services_of(request), await principal_of(request, "teach")
    suggestion = perspective.suggestion_of(await body_of(request))
    services.checks.check_teaching(principal)
    detection = await detected(suggestion.text)
    check = Check(text=suggestion.text, id=suggestion_id(suggestion))
    stored = (await services.checks.submit(site_of(principal), check)).comment
    assert stored
    await services.checks.decide(principal, stored, *suggestion.decision)
    return answer(perspective.suggestion_taken(suggestion, detection))


def suggestion_id(suggestion: perspective.Suggestion) -> str:
    """The same for every suggestion on one comment: by its token within its community, without a token by its text."""
    named = [suggestion.community, suggestion.client_token or "", "" if suggestion.client_token else suggestion.text]
    return f"suggest:{blake2b(orjson.dumps(named), digest_size=16).hexdigest()}"


async def get_discovery(request: Request) -> Response:
    """The discovery document, without a key."""
    if request.query_params.get("version", discovery.VERSION) != discovery.VERSION:
        raise errors.not_found()
    document = discovery.document(root_of(request))
    return Response(orjson.dumps(document), 200, PRIVATE | {"Vary": "Host"}, "application/json")


async def not_found(request: Request) -> Response:
    """Every other path."""
    raise errors.not_found()


class Endpoint:
    """A path of the dialect, for requests of any method: another one than its own is not found, as at Google."""

    def __init__(self, method: Method, methods: tuple[str, ...]) -> None:
        self.method, self.methods = method, methods
        self.__name__, self.__doc__ = method.__name__, method.__doc__

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.response(Request(scope, receive, send))
        await response(scope, receive, send)

    async def response(self, request: Request) -> Response:
        origins = services_of(request).settings.scoring_origins
        if request.method == "OPTIONS" and origins:
            response = Response(status_code=204, headers=PREFLIGHT)
        else:
            response = await self.answered(request)
        if origins:
            share(request, response, origins)
        return response

    async def answered(self, request: Request) -> Response:
        """The answer, or the error in Google's form."""
        try:
            if request.method not in self.methods:
                raise errors.not_found()
            return await self.method(request)
        except PerspectiveError as error:
            return error_answer(error)
        except Problem as problem:
            return error_answer(errors.of_problem(problem))
        except ClientDisconnect:
            raise
        except Exception as error:
            log.error(
                "a request failed", exc_info=error, extra={"path": self.method.__name__, "method": request.method}
            )
            return error_answer(errors.failed())


def answer(document: dict[str, Any], headers: dict[str, str] | None = None, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, PRIVATE | (headers or {}) | {"Content-Type": JSON})


def error_answer(error: PerspectiveError) -> Response:
    return answer(error.document(), error.headers, error.code)


def share(request: Request, response: Response, origins: frozenset[str]) -> None:
    """Lets the pages of the operator's origins read the answer (CORS), without credentials."""
    response.headers.add_vary_header("Origin")
    origin = request.headers.get("origin", "")
    if origin and origin_if_any(origin) in origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED


async def principal_of(request: Request, scope: str) -> Principal:
    """The program that a key belongs to. Raises PerspectiveError, or TooFast after too many unknown keys from one network."""
    key = (request.query_params.get("key", "") or request.headers.get(KEY_HEADER, "")).strip()
    if not key:
        raise errors.no_key()
    services = services_of(request)
    network_key = services.signer.network_key(services.authenticator.address(request))
    principal = await services.keys.principal(key, network_key)
    if principal is None:
        raise errors.unknown_key()
    if not principal.may(scope):
        raise errors.blocked(f"the key has no scope {scope}")
    if scope == "teach" and "origin" in request.headers:
        raise errors.blocked("no page may teach")
    return principal


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request; an empty one without a body. The content type does not matter."""
    raw = await bodies.read(request)
    return await bodies.parsed(raw) if raw.strip() else {}


async def detected(text: str) -> Detection:
    """The language of a text. The first requests of a process wait for the detector's model, but not for long."""
    DETECTOR.start()
    end = time.monotonic() + PATIENCE
    while DETECTOR.is_loading and time.monotonic() < end:  # noqa: ASYNC110  (in a process's first second only)
        await asyncio.sleep(0.02)
    return DETECTOR.detect(text)


async def spans_of(analysis: perspective.Analysis) -> list[Span]:
    """One for each sentence if they were asked for, else one over the whole text."""
    if not analysis.with_sentences:
        return [(0, len(analysis.text))]
    return await SCORES.run(sentences, analysis.text, perspective.SPANS, here=len(analysis.text) <= SHORT)


def root_of(request: Request) -> str:
    """Where this service is found from outside, with a final slash."""
    settings = services_of(request).settings
    if settings.public_url:
        return f"{settings.base}/"
    peer = parsed_address(request.client.host) if request.client else None
    trusted = peer is not None and is_in(peer, settings.proxies)
    forwarded = ", ".join(request.headers.getlist("x-forwarded-proto")) if trusted else ""
    scheme = discovery.scheme_of(request.url.scheme, forwarded)
    return discovery.root_url(request.headers.get("host", ""), scheme, settings.base)


PATH = f"/{discovery.VERSION}"
routes = [
    Route(f"{PATH}/comments:analyze", Endpoint(analyze, ("POST",))),
    Route(f"{PATH}/comments:suggestscore", Endpoint(suggestscore, ("POST",))),
    Route("/$discovery/rest", Endpoint(get_discovery, ("GET", "HEAD"))),
    Route("/batch", Endpoint(not_found, ())),
    Route(PATH, Endpoint(not_found, ())),
    Route(PATH + "/{rest:path}", Endpoint(not_found, ())),
]
