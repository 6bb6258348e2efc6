"""The document and the routes are one; and no request that the document allows, or nearly allows, makes a 500."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import one_of
from requests.adapters import HTTPAdapter
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from starlette.routing import BaseRoute, Route
from urllib3 import Retry

from moderation.app import routes as routes_of
from moderation.settings import Settings
from tests.budget import long
from tests.conftest import Server, Service

FIELDS = (
    "act",
    "csrf_token",
    "email",
    "password",
    "body",
    "site",
    "text",
    "comments",
    "action",
    "back",
    "place",
    "days",
)
"""Of the forms that people send from pages."""
ASKED = (
    "site",
    "status",
    "order",
    "cursor",
    "q",
    "label",
    "rule",
    "author",
    "article",
    "days",
    "done",
    "parent",
    "back",
)
"""Parameters of pages."""
load_all_checks()
TRUTHS = CHECKS.get_by_names(["status_code_conformance", "response_schema_conformance"])
"""Each answer is one that the document knows, in the shape that it says."""
EXAMPLES = 25
"""Of each operation. Every day a fifth of them, on SQLite."""

NASTY = ["\0", "a\0b", "%", "..", "\ud7ff\ue000", "\U0010ffff", "\u202e", "'\"--", "0" * 26, "z" * 26, "x" * 3000, "-1", "9" * 30,
         "1e999", "W10", "WzEsMl0", "WyJcdWQ4MDAiLCAiYSJd", "WyJcdTAwMDAiLCAiYSJd", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTksICJhIl0",
         "WzAuNSwgIlx1ZDgwMCJd", "WzAuNSwgIlx1MDAwMCJd", "W05hTiwgIjEiXQ", "WzFlOTk5LCAiMSJd"]  # fmt: skip
"""Where a text or a cursor belongs. The last ones are base64 of JSON lists: of lone surrogates, of NUL, of huge numbers."""

BODIES: list[Any] = [
    {"comments": ["\ud800"], "action": "approve"},
    {"comments": ["x", "x"], "action": ["approve"], "labels": [[]], "note": {}},
    {"comments": ["x"], "action": "approve", "note": "\ud800", "expected_revision": {"x": 10**30}},
    {"comments": ["x"], "action": "approve", "expected_revision": 10**30},
    {"email": "a\ud800@example.org"},
    {"email": "x" * 254},
    {"title": "\ud800"},
    {"title": "x", "published_at": "9999-12-31T23:59:59-23:59"},
    {"published_at": "0001-01-01T00:00:00+23:59"},
    {"published_at": 10**30},
    {"url": "http://[", "comments_open": 1},
    {"name": "\ud800", "body": "\ud800", "email": "\ud800", "parent": "\ud800"},
    {"\ud800": 1},
]


PAGES = ("/moderate", "/receipts/", "/subscriptions/", "/digests/", "/privacy", "/demo/")
"""Where people look, and send the forms that they find there."""


def routed(routes: list[BaseRoute]) -> Iterator[tuple[str, Route]]:
    for route in routes:
        if isinstance(route, Route):
            for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, route


@pytest.mark.anyio
async def test_whatever_is_no_page_is_in_the_document(service: Service) -> None:
    document = (await service.client.get("/openapi.json")).json()
    documented = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    every = {(method, route.path_format) for method, route in routed(service.app.routes)}
    pages = {
        (method, path)
        for method, path in every
        if path.startswith(PAGES) or path == "/" or path.endswith(("/form", "/report"))
    }
    assert documented <= every
    assert every - pages <= documented
    assert documented & pages == {("GET", "/receipts/{token}"), ("GET", "/receipts/{token}/data")}  # as JSON, too


@pytest.mark.anyio
async def test_each_operation_has_a_name_of_its_own_and_says_what_it_answers(service: Service) -> None:
    document = (await service.client.get("/openapi.json")).json()
    every = [(path, one) for path, methods in document["paths"].items() for one in methods.values()]
    names = [one["operationId"] for _, one in every]
    assert len(names) == len(set(names))
    for path, one in every:
        assert one["tags"], path
        well = [answer for status, answer in one["responses"].items() if status[0] == "2"]
        assert (well and all("content" in answer for answer in well)) or "204" in one["responses"], path
        if path.startswith("/api/"):
            assert {"bearer": []} in one["security"], path


def with_pages(document: dict[str, Any]) -> dict[str, Any]:
    """The document and the pages, each with a form of any fields, so that they are tried as well."""
    form = {"type": "object", "properties": {key: {"type": "string"} for key in FIELDS}}
    body = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
    for method, route in routed(routes_of(Settings(demo=True))):
        known = document["paths"].setdefault(route.path_format, {})
        if method.lower() not in known:
            known[method.lower()] = {
                "operationId": f"{method} {route.path_format}",
                "parameters": [
                    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                    for name in sorted(route.param_convertors)
                ]
                + [
                    {"name": name, "in": "query", "schema": {"type": "string"}}
                    for name in (ASKED if method == "GET" else ())
                ],
                "responses": {"default": {"description": "A page."}},
            } | ({"requestBody": body} if method == "POST" else {})
    return document


@pytest.mark.anyio
async def test_the_document_is_valid_and_tells_what_each_path_is_for(service: Service) -> None:
    document = (await service.client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            assert len(told["summary"].split()) > 1 and told["summary"][-1] in ".;,", f"{method} {path} has no words"
            named = sorted(p["name"] for p in told["parameters"] if p["in"] == "path")
            assert named == sorted(piece.split("}")[0] for piece in path.split("{")[1:])


AKISMET = ("/1.1/", "/1.2/")
"""Where errors are short texts, as Akismet's clients know them."""


def is_well(answer: Any, problems: list[str], what: str) -> None:
    """No 5xx, and an error is a problem, a page, or a text for Akismet's clients."""
    kind = answer.headers.get("content-type", "")
    kind = kind[0] if isinstance(kind, list) else kind
    is_akismets = what.partition(" ")[2].startswith(AKISMET)
    if answer.status_code >= 500:
        problems.append(f"{answer.status_code}: {what}")
    elif answer.status_code >= 400 and kind.startswith("application/problem+json"):
        told = json.loads(answer.content)
        if not {"type", "title", "status", "detail"} <= set(told) or told["status"] != answer.status_code:
            problems.append(f"no problem: {what}")
    elif answer.status_code >= 400 and not kind.startswith("text/plain" if is_akismets else "text/html"):
        problems.append(f"{answer.status_code} as {kind!r}: {what}")


def is_for_moderators(path: str) -> bool:
    return path.startswith(("/api/", "/moderate"))


def patient() -> requests.Session:
    """A session that asks again where a kept connection was closed meanwhile."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(3, status=0, allowed_methods=None)))
    return session


def operations(server: Server, audience: str) -> Iterator[Any]:
    """Of `readers`, `moderators`, or `all`."""
    document = requests.get(server.url + "/openapi.json", timeout=20).json()
    schema = schemathesis.openapi.from_dict(with_pages(document))
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result.err()
        operation = result.ok()
        if operation.path == "/api/v1/events":  # it never ends: tests/queue/test_live.py
            continue
        if audience in ("all", "moderators" if is_for_moderators(operation.path) else "readers"):
            yield operation


def real_places(server: Server) -> dict[tuple[str, str], str]:
    """What to put into a path that begins so, for a name in it: where there is a comment that waits."""
    sent = {"name": "Ann", "email": "ann@example.org", "body": "See https://blog.example/post"}
    told = requests.post(server.url + "/sites/default/articles/post/comments", json=sent, timeout=20).json()
    receipt = told["receipt"].rpartition("/")[2]
    return {
        ("sites", "site"): "default",
        ("coral", "site"): "default",
        ("sites", "article"): "post",
        ("sites", "id"): told["id"],
        ("api", "id"): told["id"],
        ("api", "site"): "default",
        ("api", "rule"): "disallowed",
        ("receipts", "token"): receipt,
        ("subscriptions", "token"): receipt,
        ("digests", "token"): receipt,
        ("privacy", "token"): receipt,
        ("avatars", "token"): "0" * 16,
        ("texts", "language"): "en",
        ("demo", "key"): "why-a-garden-needs-a-gate",
        ("moderate", "id"): told["id"],
        ("moderate", "token"): receipt,
    }


def fuzz(server: Server, audience: str, headers: dict[str, str], examples: int) -> Counter[int]:
    """Every operation, with what its schema allows and with what it does not."""
    seen, problems = Counter[int](), list[str]()

    known = real_places(server)

    def try_one(operation: Any, session: requests.Session) -> None:
        told = operation.definition.raw
        named = {p["name"] for p in told["parameters"] if p["in"] == "path"}
        is_bare = not told["parameters"] and "requestBody" not in told
        # invented keys seldom lead further than a 404: half of the cases go where there is something
        places = [{}] if is_bare else [{}, {name: known[operation.path.split("/")[1], name] for name in named}]
        modes = [GenerationMode.POSITIVE] if is_bare else [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
        strategy = one_of(
            [operation.as_strategy(mode, path_parameters=place or None) for place in places for mode in modes]
        )

        @settings(max_examples=1 if is_bare else examples, deadline=None, derandomize=True, database=None,
                  phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=strategy)
        def one(case: Any) -> None:
            answer = case.call(base_url=server.url, session=session, headers=headers, allow_redirects=False, timeout=20)
            seen[answer.status_code] += 1
            asked = f"{case.method} {case.formatted_path} {case.query!r} {case.body!r}"[:500]
            is_well(answer, problems, asked)
            try:
                case.validate_response(answer, checks=TRUTHS)
            except FailureGroup as failures:
                problems.extend(f"{asked}: {failure}"[:1500] for failure in failures.exceptions)

        one()

    with patient() as session:
        for operation in operations(server, audience):
            try_one(operation, session)
    assert not problems, "\n".join(sorted(set(problems))[:20])
    return seen


def nasty(server: Server, audience: str, headers: dict[str, str], every: int) -> Counter[int]:
    """Every parameter with values that have broken somebody's service before: all, or one in `every`. The others are harmless."""
    seen, problems, turn = Counter[int](), list[str](), itertools.count()

    def ask(method: str, path: str, **more: Any) -> None:
        with session.request(
            method, server.url + path, headers=headers, allow_redirects=False, timeout=20, **more
        ) as answer:
            seen[answer.status_code] += 1
            is_well(answer, problems, f"{method} {path[:300]} {more}"[:500])

    with patient() as session:
        for operation in operations(server, audience):
            method, told = operation.method.upper(), operation.definition.raw
            names = {p["name"]: p["in"] for p in told["parameters"]}
            harmless = {"site": "default", "article": "post", "id": "0" * 26, "token": "0" * 16}

            def path_with(told_path: str = operation.path, **given: str) -> str:
                for name, value in (harmless | given).items():  # noqa: B023
                    told_path = told_path.replace("{" + name + "}", quote(value, safe=""))
                return told_path

            for name, place in names.items():
                for value in NASTY[next(turn) % every :: every]:
                    if place == "path":
                        ask(method, path_with(**{name: value}))
                    else:
                        ask(method, f"{path_with()}?{quote(name)}={quote(value, safe='')}")
                        if name == "cursor" and "order" in [*names, *("order" for _ in "x")]:
                            ask(method, f"{path_with()}?order=uncertain&{quote(name)}={quote(value, safe='')}")
            if "application/json" in told.get("requestBody", {}).get("content", {}):
                for sent in BODIES[next(turn) % every :: every]:
                    ask(method, path_with(), data=json.dumps(sent))
        for origin in ("null", "http://[", "http://", "\xff", "x" * 3000):
            headers = headers | {"Origin": origin, "Content-Type": "application/json"}
            ask("POST", "/sites/default/articles/post/comments", data="{}")
            ask("OPTIONS", "/sites/default/articles/post/comments")
        for path in (
            "/static/%00",
            "/static/..%2f..%2fapp.py",
            "/static/..%2ftemplates/console.html",
            "/static/" + "x" * 300,
            "/%00",
            "/%ff",
        ):
            ask("GET", path)
    assert not problems, "\n".join(sorted(set(problems))[:40])
    return seen


@pytest.fixture
def running(start: Callable[..., Server], address: str) -> Server:
    """A real server, on each of the two databases."""
    return start(database=address, secret_key="a secret key that only the tests know", log_level="WARNING")


@pytest.fixture
def bearer(running: Server) -> dict[str, str]:
    token = running.run("add-token", "--scopes", "moderate,articles,privacy,score").stdout.strip()
    return {"Authorization": f"Bearer {token}"}


AUDIENCES = [
    "readers",
    "moderators",
]


def budgets(everyday: int, all_: int) -> pytest.MarkDecorator:
    """On which database, and how much: a little every day, all in the long job, on both."""
    cases = [("sqlite", everyday), pytest.param("sqlite", all_, marks=long), pytest.param("postgres", all_, marks=long)]
    return pytest.mark.parametrize(("address", "budget"), cases, indirect=["address"])


@pytest.mark.parametrize("audience", AUDIENCES)
@budgets(EXAMPLES // 5, EXAMPLES)
def test_what_the_document_allows_or_nearly_allows_makes_no_500(
    running: Server, bearer: dict[str, str], audience: str, budget: int
) -> None:
    seen = fuzz(running, audience, bearer, budget)
    assert sum(seen.values()) > 100 and seen[200] and seen[422] and seen[404], seen
    assert '"level": "error"' not in running.log


@budgets(2, 10)
def test_strangers_make_no_500_either(running: Server, budget: int) -> None:
    seen = fuzz(running, "all", {}, budget)
    assert sum(seen.values()) > 100 and seen[401], seen
    assert '"level": "error"' not in running.log


@pytest.mark.parametrize("audience", AUDIENCES)
@budgets(8, 1)
def test_values_that_have_broken_others_break_nothing(
    running: Server, bearer: dict[str, str], audience: str, budget: int
) -> None:
    seen = nasty(running, audience, bearer | {"Content-Type": "application/json"}, budget)
    assert seen[404] and seen[422], seen
    assert '"level": "error"' not in running.log
