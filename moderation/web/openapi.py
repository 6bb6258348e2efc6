"""The OpenAPI document, which a test holds equal to the routes."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from moderation import __version__
from moderation.comments.decision import REASONS, STATUS_AFTER
from moderation.services import services_of
from moderation.sites import site_settings as rules


async def openapi(request: Request) -> Response:
    """This document."""
    return Response(orjson.dumps(services_of(request).openapi), media_type="application/json")


async def docs(request: Request) -> Response:
    """The document, to read."""
    rows = "".join(
        f"<tr><td><code>{method.upper()}</code></td><td><code>{path}</code></td><td>{told['summary']}</td></tr>"
        for path, methods in services_of(request).openapi["paths"].items()
        for method, told in methods.items()
    )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/static/page.css"><main><h1>API</h1><p>The whole document: '
        f'<a href="/openapi.json">openapi.json</a></p><table>{rows}</table></main></html>'
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'; style-src 'self'"})


TEXT = {"type": "string"}
COMMENT_FIELDS = {
    "type": "object",
    "required": ["name", "email", "body"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 245},
        "email": {"type": "string", "format": "email", "maxLength": 254},
        "url": {"type": ["string", "null"], "maxLength": 200},
        "body": {"type": "string", "minLength": 1, "maxLength": 10000},
        "parent": {"type": ["string", "null"]},
        "notify": {"type": ["boolean", "null"]},
        "page": {
            "type": ["object", "null"],
            "properties": {"title": TEXT, "url": TEXT},
        },
        "page_title": TEXT,
        "page_url": TEXT,
        "receipt": TEXT,
    },
}
EDIT_FIELDS = {"type": "object", "properties": {k: COMMENT_FIELDS["properties"][k] for k in ("name", "url", "body")}}  # type: ignore[index]
BODIES: dict[tuple[str, str], tuple[list[str], dict[str, Any]]] = {
    ("post", "/sites/{site}/articles/{article}/comments"): (
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
        COMMENT_FIELDS,
    ),
    ("post", "/sites/{site}/wp-comments-post.php"): (
        ["application/x-www-form-urlencoded", "multipart/form-data"],
        {
            "type": "object",
            "required": ["comment_post_ID", "comment", "author", "email"],
            "properties": dict.fromkeys(
                ("comment_post_ID", "comment_parent", "comment", "author", "email", "url", "redirect_to", "receipt"),
                TEXT,
            )
            | {"wp-comment-cookies-consent": TEXT},
        },
    ),
    ("patch", "/sites/{site}/articles/{article}/comments/{id}"): (["application/json"], EDIT_FIELDS),
    ("put", "/sites/{site}/articles/{article}"): (
        ["application/json"],
        {
            "type": "object",
            "properties": {
                **dict.fromkeys(("title", "url", "text"), TEXT),
                "published_at": {"type": "string", "format": "date-time"},
                "comments_open": {"type": "boolean"},
            },
        },
    ),
    ("post", "/api/v1/decisions"): (
        ["application/json"],
        {
            "type": "object",
            "required": ["comments", "action"],
            "properties": {
                "comments": {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 500},
                "action": {"enum": list(STATUS_AFTER)},
                "labels": {"type": "array", "items": TEXT},
                "reason": {"enum": ["", *REASONS]},
                "note": TEXT,
                "expected_revision": {"oneOf": [{"type": "integer"}, {"type": "object"}]},
            },
        },
    ),
    ("post", "/api/v1/comments/{id}/replies"): (
        ["application/json"],
        {
            "type": "object",
            "required": ["body"],
            "properties": {
                "body": TEXT,
                "name": TEXT,
                "approve": {"type": "boolean"},
                "expected_revision": {"type": "integer"},
            },
        },
    ),
    ("post", "/api/v1/comments/{id}/redact"): (
        ["application/json"],
        {
            "type": "object",
            "required": ["text"],
            "properties": {"text": TEXT, "expected_revision": {"type": "integer"}},
        },
    ),
    **{
        ("post", f"/api/v1/comments/{{id}}/{act}"): (
            ["application/json"],
            {"type": "object", "required": ["what"], "properties": {"what": TEXT}},
        )
        for act in ("bar", "unbar")
    },
    ("post", "/api/v1/presence"): (
        ["application/json"],
        {"type": "object", "properties": {"comment": {"type": ["string", "null"]}}},
    ),
    ("post", "/api/v1/score"): (
        ["application/json"],
        {
            "type": "object",
            "properties": {"text": TEXT, "texts": {"type": "array", "items": TEXT}, "author": {"type": "object"}},
        },
    ),
    ("put", "/api/v1/sites/{site}/rules"): (["application/json"], rules.schema()),
    ("post", "/api/v1/what-if"): (
        ["application/json"],
        {
            "type": "object",
            "required": ["site"],
            "properties": {
                "site": TEXT,
                "days": {"type": "integer", "minimum": 1, "maximum": 365},
                "rules": {"anyOf": [rules.schema(), {"type": "null"}]},
                "model": {"type": ["string", "null"]},
            },
        },
    ),
    ("post", "/api/v1/sites/{site}/shadow"): (
        ["application/json"],
        {"type": "object", "required": ["model"], "properties": {"model": TEXT}},
    ),
    **dict.fromkeys(
        (("post", "/api/v1/privacy/export"), ("post", "/api/v1/privacy/erase")),
        (["application/json"], {"type": "object", "properties": {"email": TEXT, "site": TEXT}}),
    ),
    ("post", "/privacy"): (["application/x-www-form-urlencoded"], {"type": "object", "properties": {"email": TEXT}}),
    ("post", "/privacy/{token}"): (
        ["application/x-www-form-urlencoded"],
        {"type": "object", "properties": {"act": {"enum": ["export", "erase"]}}},
    ),
    ("post", "/subscriptions/{token}"): (
        ["application/x-www-form-urlencoded", "multipart/form-data"],
        {"type": "object", "properties": {"act": {"enum": ["confirm", "end", "refuse"]}, "List-Unsubscribe": TEXT}},
    ),
    ("post", "/receipts/{token}"): (
        ["application/x-www-form-urlencoded"],
        {
            "type": "object",
            "properties": {
                "act": {"enum": ["edit", "withdraw", "appeal", "unsubscribe"]},
                "body": TEXT,
                "appeal": TEXT,
            },
        },
    ),
}
QUERIES: dict[tuple[str, str], dict[str, Any]] = {
    ("get", "/sites/{site}/articles/{article}/comments"): {
        "order": {"enum": ["oldest", "newest"]},
        "limit": {"type": "integer", "minimum": 1, "maximum": 200},
        "cursor": TEXT,
        "view": {"enum": ["tree", "flat"]},
    },
    ("get", "/sites/{site}/articles/{article}/fragment"): {
        "order": {"enum": ["oldest", "newest"]},
        "limit": {"type": "integer", "minimum": 1, "maximum": 200},
        "cursor": TEXT,
    },
    ("get", "/sites/{site}/articles/{article}/related"): {"limit": {"type": "integer", "minimum": 1, "maximum": 10}},
    ("get", "/sites/{site}/counts"): {"article": {"type": "array", "items": TEXT}},
    ("get", "/sites/{site}/articles/{article}/form"): {"parent": TEXT},
    ("get", "/api/v1/comments"): {
        **dict.fromkeys(
            ("status", "site", "article", "label", "rule", "author", "q", "order", "cursor", "sample"), TEXT
        ),
        "limit": {"type": "integer", "minimum": 1, "maximum": 200},
    },
    ("get", "/api/v1/audit"): {"cursor": TEXT},
    ("get", "/api/v1/sites/{site}/shadow/comments"): {
        "cursor": TEXT,
        "limit": {"type": "integer", "minimum": 1, "maximum": 200},
    },
    ("get", "/api/v1/events"): {"since": TEXT},
}


def document(routes: list[BaseRoute], base: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these routes: their docstrings are its summaries."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if not isinstance(route, Route):
            continue
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(route.path, {})[method.lower()] = operation(method.lower(), route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "leave-a-reply", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": base}],
        "paths": paths,
        "components": {
            "schemas": {
                "Problem": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail"],
                    "properties": {
                        "type": TEXT,
                        "title": TEXT,
                        "status": {"type": "integer"},
                        "detail": TEXT,
                        "code": TEXT,
                        "errors": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["field", "code", "message"],
                                "properties": {"field": TEXT, "code": TEXT, "message": TEXT},
                            },
                        },
                    },
                }
            },
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def operation(method: str, route: Route) -> dict[str, Any]:
    told: dict[str, Any] = {"summary": (route.endpoint.__doc__ or route.name).strip().split("\n")[0]}
    told["parameters"] = [
        {"name": name, "in": "path", "required": True, "schema": TEXT} for name in sorted(route.param_convertors)
    ] + [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in QUERIES.get((method, route.path), {}).items()
    ]
    if (method, route.path) in BODIES:
        kinds, schema = BODIES[(method, route.path)]
        told["requestBody"] = {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}
    if route.path.startswith("/api/") or method == "put":
        told["security"] = [{"bearer": []}]
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told["responses"] = {
        "2XX": {"description": "Done."},
        "3XX": {"description": "Go there."},
        "4XX": {"description": "A problem, in words.", "content": problem},
        "503": {"description": "Nothing was stored.", "content": problem},
    }
    return told


routes = [
    Route("/openapi.json", openapi, methods=["GET"]),
    Route("/docs", docs, methods=["GET"]),
]
