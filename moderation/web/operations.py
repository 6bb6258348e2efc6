"""Operations of the HTTP API: a handler declares its body or parameters, its answers and its scope; `openapi` reads them.

    @operation("POST", "/api/v1/decisions", body=DecisionIn, answers={200: DecisionOut}, scope="moderate", tag="queue")
    async def create_decision(request: Request, given: DecisionIn) -> DecisionOut: ...

The name of the function is the operation's id, the first line of its docstring the summary.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from moderation.web import bodies, cors, guard
from moderation.web.params import checked, query_of

M = TypeVar("M", bound=BaseModel)
PRIVATE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is not JSON, by its media type."""

    type: str
    document: Any = None
    """The type of what it holds, where that is JSON under a name of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The declaration of an operation."""

    body: type[BaseModel] | None = None
    form: type[BaseModel] | None = None
    """The fields of a browser's form, accepted instead of JSON."""
    query: type[BaseModel] | None = None
    headers: Sequence[str] = ()
    """The request headers that the operation reads."""
    answers: Mapping[int, Any] = field(default_factory=dict)
    """Status → the type of the JSON document, a Media or several, or None for an empty answer."""
    errors: Media | None = None
    """The form of errors, where they are no problem documents."""
    scope: str = ""
    """The required scope; empty: public."""
    sessions: bool = True
    """A moderator's session is accepted as well as a token."""
    tag: str = ""

    @property
    def status(self) -> int:
        """The status of an answer that a handler returns as a plain value."""
        return min(self.answers)


class Operation(Route):
    """A route of the API with its declaration."""

    def __init__(self, method: str, path: str, endpoint: Any, declared: Declared) -> None:
        super().__init__(path, endpoint, methods=[method], name=endpoint.__name__)
        self.declared = declared
        self.method = method.lower()
        self.app = answering(endpoint)


def answering(endpoint: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    """The endpoint as Starlette's router calls it. Starlette's own wrapper would translate problems a second time, after the
    application's middleware, which costs 3 % of a comment's time."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def json_answer(document: object, status: int = 200) -> Response:
    """A JSON answer that no cache stores."""
    return Response(orjson.dumps(document), status, PRIVATE, "application/json")


@overload
def operation(
    method: str,
    path: str,
    *,
    body: type[M],
    most: int = bodies.ELSE,
    answers: Mapping[int, Any],
    scope: str = "",
    sessions: bool = True,
    headers: Sequence[str] = (),
    tag: str,
    shared: bool = False,
) -> Callable[[Callable[[Request, M], Awaitable[object]]], Operation]: ...


@overload
def operation(
    method: str,
    path: str,
    *,
    query: type[M],
    answers: Mapping[int, Any],
    scope: str = "",
    sessions: bool = True,
    headers: Sequence[str] = (),
    tag: str,
    shared: bool = False,
) -> Callable[[Callable[[Request, M], Awaitable[object]]], Operation]: ...


@overload
def operation(
    method: str,
    path: str,
    *,
    answers: Mapping[int, Any],
    scope: str = "",
    sessions: bool = True,
    headers: Sequence[str] = (),
    tag: str,
    shared: bool = False,
) -> Callable[[Callable[[Request], Awaitable[object]]], Operation]: ...


def operation(
    method: str,
    path: str,
    *,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    most: int = bodies.ELSE,
    answers: Mapping[int, Any],
    scope: str = "",
    sessions: bool = True,
    headers: Sequence[str] = (),
    tag: str,
    shared: bool = False,
) -> Callable[[Callable[..., Awaitable[object]]], Operation]:
    """Declares a handler. `most`: bytes of a body. `shared`: the site's own pages may read the answer (CORS)."""
    declared = Declared(
        body=body, query=query, headers=headers, answers=answers, scope=scope, sessions=sessions, tag=tag
    )

    needs_none = query is not None and not any(one.is_required() for one in query.model_fields.values())
    bare = query() if query is not None and needs_none else None

    def declare(handler: Callable[..., Awaitable[object]]) -> Operation:
        async def endpoint(request: Request) -> Response:
            if scope:
                await guard.admit(request, scope, sessions=sessions)
            if body is not None:
                found = await handler(request, checked(body, await bodies.read_json(request, most)))
            elif query is not None:
                asked = bare if bare is not None and not request.scope["query_string"] else None
                found = await handler(request, asked or query_of(query, request.query_params))
            else:
                found = await handler(request)
            if isinstance(found, Response):
                return found
            return (
                json_answer(found, declared.status) if found is not None else Response(status_code=204, headers=PRIVATE)
            )

        endpoint.__name__, endpoint.__doc__ = handler.__name__, handler.__doc__
        return Operation(method, path, cors.shared(endpoint) if shared else endpoint, declared)

    return declare
