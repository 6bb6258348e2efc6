"""The OpenAPI document, generated from the operations' declarations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NotRequired

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from typing_extensions import TypedDict

from moderation import __version__
from moderation.services import services_of
from moderation.web.cookies import COOKIE
from moderation.web.operations import Media, Operation, operation

REFERENCE = "#/components/schemas/{model}"
MEANS = {
    "Idempotency-Key": "A retry with the same key and body returns the first answer and stores nothing twice.",
    "Edit-Token": "The `edit_token` that posting answered with.",
    "Receipt": "The receipt of an earlier comment of the same author, as proof.",
    "If-None-Match": "The `ETag` of an earlier answer; 304 where it still stands.",
    "Last-Event-ID": "The id of the last event that was read; what came since is told first.",
    "X-Model-Version": "The version of the model that is to judge, of those in `/api/v1/models`; 400 for any other.",
    "X-Coral-Signature": "`sha256=` and the body's HMAC under each of the phase's signing secrets, with commas between them.",
    "X-CSRF-Token": "With a session, the token that stands in the console's pages; a bearer token needs none.",
}
"""The description of each request header."""
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class ProblemField(TypedDict):
    """One wrong field."""

    field: str
    code: str
    message: str


class Problem(TypedDict):
    """An error (RFC 9457): `detail` for people, `code` for programs."""

    type: str
    title: str
    status: int
    detail: str
    code: NotRequired[str]
    errors: NotRequired[list[ProblemField]]


@operation("GET", "/openapi.json", answers={200: dict[str, object]}, tag="operations")
async def get_openapi(request: Request) -> dict[str, Any]:
    """This OpenAPI document."""
    return services_of(request).openapi


@operation("GET", "/docs", answers={200: Media("text/html")}, tag="operations")
async def get_docs(request: Request) -> Response:
    """The OpenAPI document as a page."""
    services = services_of(request)
    operations = [
        {"method": method.upper(), "path": path, "summary": declared["summary"]}
        for path, methods in services.openapi["paths"].items()
        for method, declared in methods.items()
    ]
    return services.pages.answer("web/docs.html", operations=operations)


def document(routes: Iterable[BaseRoute], base: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the operations among these routes. HTML pages are not in it."""
    operations = [route for route in routes if isinstance(route, Operation)]
    schemas = Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path_format, {})[one.method] = described(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "leave-a-reply", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": base}],
        "tags": [{"name": name} for name in dict.fromkeys(one.declared.tag for one in operations)],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


class Schemas:
    """The JSON schemas of the declared types, with nested types under `components`."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        types: dict[tuple[str, str], tuple[JsonSchemaMode, Any]] = {
            ("Problem", "serialization"): ("serialization", Problem)
        }
        for one in operations:
            declared = one.declared
            for given in (declared.body, declared.form, declared.query):
                if given is not None:
                    types[key_of(given, "validation")] = ("validation", given)
            for answers in declared.answers.values():
                for answer in answers if isinstance(answers, tuple) else (answers,):
                    answer = answer.document if isinstance(answer, Media) else answer
                    if answer is not None:
                        types[key_of(answer, "serialization")] = ("serialization", answer)
        inputs = [(key, mode, TypeAdapter(kind)) for key, (mode, kind) in types.items()]
        found, definitions = TypeAdapter.json_schemas(inputs, ref_template=REFERENCE)
        self._of = {key: schema for (key, _), schema in found.items()}
        self.definitions: dict[str, Any] = dict(sorted(definitions.get("$defs", {}).items()))

    def of(self, kind: Any, mode: JsonSchemaMode = "serialization") -> dict[str, Any]:
        return self._of[key_of(kind, mode)]

    def resolved(self, kind: Any) -> dict[str, Any]:
        """A schema with its reference resolved."""
        schema = self.of(kind, "validation")
        reference = schema.get("$ref", "")
        found: dict[str, Any] = self.definitions[reference.rpartition("/")[2]] if reference else schema
        return found


def key_of(kind: Any, mode: str) -> tuple[str, str]:
    return repr(kind), mode


def described(one: Operation, schemas: Schemas) -> dict[str, Any]:
    """One operation of the document."""
    declared = one.declared
    summary, _, rest = (one.endpoint.__doc__ or one.name).strip().partition("\n")
    found: dict[str, Any] = {"operationId": one.name, "tags": [declared.tag], "summary": summary}
    if rest.strip():
        found["description"] = re.sub(r"\s+", " ", rest).strip()
    found["parameters"] = parameters(one, schemas)
    content: dict[str, Any] = {}
    if declared.body is not None:
        content["application/json"] = {"schema": schemas.of(declared.body, "validation")}
    if declared.form is not None:
        content |= {key: {"schema": schemas.of(declared.form, "validation")} for key in FORMS}
    if content:
        found["requestBody"] = {"required": True, "content": content}
    if declared.scope:
        found["security"] = [{"bearer": []}, *([{"session": []}] if declared.sessions else [])]
        found["description"] = " ".join(filter(None, (found.get("description"), f"Scope: `{declared.scope}`.")))
    found["responses"] = responses(one, schemas)
    return found


def parameters(one: Operation, schemas: Schemas) -> list[dict[str, Any]]:
    declared = one.declared
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in sorted(one.param_convertors)
    ]
    if declared.query is not None:
        schema = schemas.resolved(declared.query)
        needed = schema.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in needed, "schema": field}
            for name, field in schema["properties"].items()
        ]
    headers = list(declared.headers)
    if declared.scope and declared.sessions and one.method != "get":
        headers.append("X-CSRF-Token")
    found += [
        {"name": name, "in": "header", "required": False, "description": MEANS[name], "schema": {"type": "string"}}
        for name in headers
    ]
    return found


WORDS = {200: "Done.", 201: "Made.", 202: "Held: it waits for a moderator.", 204: "Done; there is nothing to say.",
         303: "Go there.", 304: "What you have still stands.", 503: "Not now."}  # fmt: skip


def responses(one: Operation, schemas: Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, answer in sorted(one.declared.answers.items()):
        found[str(status)] = {"description": WORDS[status]}
        if isinstance(answer, Media | tuple):
            several = answer if isinstance(answer, tuple) else (answer,)
            found[str(status)]["content"] = {one.type: {"schema": schema_of(one, schemas)} for one in several}
        elif answer is not None:
            found[str(status)]["content"] = {"application/json": {"schema": schemas.of(answer)}}
        if status == 200 and "If-None-Match" in one.declared.headers:
            found["200"]["headers"] = {"ETag": {"schema": {"type": "string"}}}
    problem: dict[str, Any] = {"application/problem+json": {"schema": {"$ref": REFERENCE.format(model="Problem")}}}
    if one.declared.errors:
        problem = {one.declared.errors.type: {"schema": schema_of(one.declared.errors, schemas)}}
    page = {"text/html": {"schema": {"type": "string"}}} if one.declared.form and not one.declared.errors else {}
    found["4XX"] = {"description": "A problem, in words.", "content": problem | page}
    if "503" not in found:
        found["503"] = {"description": "Nothing was stored.", "content": problem}
    return found


def schema_of(media: Media, schemas: Schemas) -> dict[str, Any]:
    return {"type": "string"} if media.document is None else schemas.of(media.document)


routes = [get_openapi, get_docs]
