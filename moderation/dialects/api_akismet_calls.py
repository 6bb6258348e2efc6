"""What all calls of Akismet's protocol share: the key and the parameters of a request, and the form of every answer.

Every answer, errors included, is bare text or JSON with a fresh X-akismet-guid: WordPress publishes a comment whose answer has
none."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from moderation.core.ids import EVERYWHERE
from moderation.core.offload import REQUESTS
from moderation.core.problem import NotFound, Problem
from moderation.dialects import akismet, akismet_form
from moderation.dialects.akismet_form import BytePairs, Parameters
from moderation.services import services_of
from moderation.team.model import Principal
from moderation.web import bodies
from moderation.web.middleware import route_of
from moderation.web.operations import PRIVATE

log = logging.getLogger("moderation.dialects.akismet")
GUID, HELP = "X-akismet-guid", "X-akismet-debug-help"
BROKEN = "Something went wrong on our side; it is in the log."
Handler = Callable[[Request], Awaitable[Response]]


class Refused(Exception):
    """The protocol's own refusal: a word with status 200, and the reason in a header."""

    def __init__(self, reason: str, word: str = akismet.INVALID) -> None:
        super().__init__(reason)
        self.reason, self.word = reason, word


def spoken(handler: Handler) -> Handler:
    """The handler with all of its errors in the protocol's form."""

    async def endpoint(request: Request) -> Response:
        try:
            response = await handler(request)
        except Refused as refused:
            response = text(refused.word, help=refused.reason)
        except Problem as problem:
            response = text(problem.detail, problem.status, problem.headers, help=problem.detail)
        except ClientDisconnect:
            raise
        except Exception as error:
            log.error("a request failed", exc_info=error, extra={"path": route_of(request.scope)})
            response = text(BROKEN, 500, help=BROKEN)
        response.headers[GUID] = secrets.token_hex(16)
        return response

    endpoint.__name__, endpoint.__doc__ = handler.__name__, handler.__doc__
    return endpoint


def text(body: str, status: int = 200, headers: dict[str, str] | None = None, *, help: str = "") -> Response:
    """Bare text. `help`: the reason of an answer that is no success, which must have one."""
    given = PRIVATE | (headers or {})
    if help:
        given[HELP] = " ".join(help.encode("ascii", "replace").decode().split())
    return Response(body.encode(), status, given, "text/plain")


# --- the request -------------------------------------------------------------------------------------------------------


async def read(request: Request) -> Parameters:
    """The parameters of query and body. Raises TooLarge, Unsupported or Unavailable."""
    raw = await bodies.read(request, bodies.COMMENTS)
    kind, query = request.headers.get("content-type", ""), request.scope["query_string"]
    parts = await multipart(raw, kind) if bodies.kind_of(request) == "multipart/form-data" else None
    is_short = len(raw) + len(query) <= bodies.AT_ONCE
    return await REQUESTS.run(akismet_form.read, query, raw, kind, parts, here=is_short)


async def multipart(raw: bytes, kind: str) -> BytePairs:
    """The fields of a multipart body, as far as it can be read; files are ignored."""
    boundary = parse_options_header(kind)[1].get(b"boundary", b"")
    if not boundary or b'"' in boundary or b"\\" in boundary:
        return []

    async def stream() -> AsyncGenerator[bytes, None]:
        for at in range(0, len(raw), bodies.AT_ONCE):
            yield raw[at : at + bodies.AT_ONCE]

    # read as Latin-1, which keeps every byte: the charset is known once all fields are
    header = f'multipart/form-data; boundary="{boundary.decode("latin-1")}"; charset=latin-1'
    parser = MultiPartParser(
        Headers({"content-type": header}), stream(), max_fields=akismet_form.MOST, max_part_size=max(len(raw), 1)
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError, AssertionError):
        return []
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    await form.close()
    return [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in pairs]


async def admit(request: Request, scope: str = "score", *, key_first: bool = False) -> tuple[Principal, Parameters]:
    """The key's principal, and the parameters. Raises Refused, TooFast, and what `read` raises."""
    services, headers = services_of(request), request.headers
    given = await read(request)
    network_key = services.signer.network_key(services.authenticator.address(request))
    key = akismet.key_parameter(given, key_first=key_first)
    elsewhere = akismet.keys_elsewhere(headers.get("host", ""), headers.get("authorization", ""))
    for candidate in elsewhere if key is None else [key]:
        if principal := await services.keys.principal(candidate, network_key):
            if not principal.may(scope):
                raise Refused(akismet.NO_TEACHING if scope == "teach" else akismet.NO_CHECKS)
            return principal, given
    empty = akismet.EMPTY_KEY if key_first else akismet.EMPTY_API_KEY
    raise Refused(akismet.UNKNOWN_KEY if key else empty)


async def site_of_key(request: Request, principal: Principal) -> str:
    """The site whose rules judge: the key's, or `default` for a key of all sites. Raises Refused."""
    key = "default" if principal.site == EVERYWHERE else principal.site
    try:
        return (await services_of(request).directory.site(key)).key
    except NotFound:
        raise Refused(akismet.NO_SITE) from None
