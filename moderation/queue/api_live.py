"""Live changes of the queue as server-sent events, and moderators' presence.

The response and the framing are our own, 30 lines. `sse-starlette` (3.7.0) does the same, and costs more than it saves here:

- importing any part of it, `sse_starlette.event` too, replaces `uvicorn.Server.handle_exit`;
- its `AppStatus.should_exit` stays set once a server of the process has stopped, and each later stream of that process ends
  after its first event;
- a client that is cut before its first line keeps its place: neither the generator's `finally` nor the response's background
  task runs then. `Stream` would be needed around it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from moderation.core.ids import is_id
from moderation.core.problem import FieldError, Invalid
from moderation.queue.live import Client
from moderation.queue.schemas import EventQuery, PresenceIn
from moderation.services import services_of
from moderation.web.guard import principal_of
from moderation.web.operations import Media, operation


class Stream(StreamingResponse):
    """A response that frees its place however it ends: a stream cut before its first line never runs its generator."""

    def __init__(self, lines: AsyncIterator[bytes], leave: Callable[[], None], headers: dict[str, str]) -> None:
        super().__init__(lines, media_type="text/event-stream", headers=headers)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


@operation(
    "GET", "/api/v1/events", query=EventQuery, headers=("Last-Event-ID",), answers={200: Media("text/event-stream")},
    scope="moderate", tag="queue",
)  # fmt: skip
async def stream_events(request: Request, asked: EventQuery) -> Response:
    """Live changes of the queue as server-sent events."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if request.method == "HEAD":  # a stream would hold the connection and its place without sending a byte
        return Response(headers=headers, media_type="text/event-stream")
    services = services_of(request)
    since = request.headers.get("last-event-id") or asked.since
    if since and not is_id(since):
        raise Invalid(FieldError("since", "invalid", "must be the id of an event"))
    client = Client(principal_of(request))
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

    return Stream(stream(), lambda: services.live.leave(client), headers)


@operation("POST", "/api/v1/presence", body=PresenceIn, answers={204: None}, scope="moderate", tag="queue")
async def set_presence(request: Request, given: PresenceIn) -> None:
    """Show other moderators the comment being viewed, or none; it expires after 30 seconds."""
    await services_of(request).live.look_at(principal_of(request), given.comment)


routes = [stream_events, set_presence]
