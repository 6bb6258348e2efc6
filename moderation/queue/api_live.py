"""The queue as it changes: a stream of server-sent events, and who looks at which comment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from moderation.core.ids import is_id
from moderation.core.problem import FieldError, Invalid
from moderation.queue.live import Client
from moderation.services import services_of
from moderation.web import bodies


class Stream(StreamingResponse):
    """Leaves its place however it ends: one that is cut before its first line never starts what would do so at its end."""

    def __init__(self, lines: AsyncIterator[bytes], leave: Callable[[], None], headers: dict[str, str]) -> None:
        super().__init__(lines, media_type="text/event-stream", headers=headers)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


async def get_events(request: Request) -> Response:
    """The queue as it changes, as server-sent events."""
    services = services_of(request)
    principal = await services.authenticator.principal(request, "moderate")
    since = request.headers.get("last-event-id") or request.query_params.get("since", "")
    if since and not is_id(since):
        raise Invalid(FieldError("since", "invalid", "must be the id of an event"))
    client = Client(principal)
    services.live.join(client)

    async def stream() -> AsyncIterator[bytes]:
        try:
            yield b"retry: 3000\n\n"
            for one in await services.live.greeting(client, since):
                yield one
            while True:
                try:
                    following = await client.next()
                except TimeoutError:
                    following = b": \n\n"
                if following is None:
                    return
                yield following
        finally:
            services.live.leave(client)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(stream(), lambda: services.live.leave(client), headers)


async def post_presence(request: Request) -> Response:
    """Say which comment one is looking at, or none; it is forgotten after 30 seconds."""
    services = services_of(request)
    principal = await services.authenticator.principal(request, "moderate")
    asked = (await bodies.read_json(request)).get("comment")
    if asked is not None and not isinstance(asked, str):
        raise Invalid(FieldError("comment", "invalid", "must be a comment's id, or null"))
    await services.live.look_at(principal, asked)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


routes = [
    Route("/api/v1/events", get_events, methods=["GET"]),
    Route("/api/v1/presence", post_presence, methods=["POST"]),
]
