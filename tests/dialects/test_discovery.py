"""The discovery document: where it sends clients, and who may read it and the scores from a browser."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from classifier.serving import Classifier
from moderation.app import create_app
from moderation.settings import Settings
from tests.conftest import Service, changed
from tests.dialects.perspective import ANALYZE, DISCOVERY, asked, client_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("address", ["sqlite"], indirect=True)]


async def root_of(settings: Settings, classifier: Classifier, peer: str = "203.0.113.9", **headers: str) -> str:
    """The rootUrl that a service with these settings tells a peer that sends these headers."""
    app = create_app(settings, classifier=classifier, say=None)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=(peer, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client:
            answer = await client.get(DISCOVERY, params={"version": "v1alpha1"}, headers=headers)
    assert answer.status_code == 200
    document = answer.json()
    assert document["rootUrl"] == document["baseUrl"]
    return str(document["rootUrl"])


async def test_the_document_needs_no_key_and_is_not_cached(service: Service) -> None:
    for place in (
        "/$discovery/rest?version=v1alpha1",
        "/%24discovery/rest?version=v1alpha1&key=abc",
        "/$discovery/rest",
    ):
        answer = await service.client.get(place)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert (answer.headers["cache-control"], answer.headers["vary"]) == ("no-store", "Host")
    assert (await service.client.get("/$discovery/rest?version=v2")).status_code == 404
    assert (await service.client.post("/$discovery/rest")).status_code == 404


async def test_it_describes_both_methods_and_every_schema_that_it_names(service: Service) -> None:
    document = (await service.client.get(DISCOVERY)).json()
    methods = document["resources"]["comments"]["methods"]
    for name, prefix in (("analyze", "AnalyzeComment"), ("suggestscore", "SuggestCommentScore")):
        method = methods[name]
        assert (method["id"], method["httpMethod"]) == (f"commentanalyzer.comments.{name}", "POST")
        assert method["path"] == method["flatPath"] == f"v1alpha1/comments:{name}"
        assert method["request"] == {"$ref": f"{prefix}Request"} and method["response"] == {"$ref": f"{prefix}Response"}
    assert (document["kind"], document["id"]) == ("discovery#restDescription", "commentanalyzer:v1alpha1")
    assert document["servicePath"] == "" and document["parameters"]["key"]["location"] == "query"
    named = set(re.findall(r'"\$ref": "(\w+)"', json.dumps(document)))
    assert named == set(document["schemas"])
    assert all(schema["id"] == name and schema["properties"] for name, schema in document["schemas"].items())


@pytest.mark.parametrize(("public_url", "root"), [
    ("https://comments.example.org", "https://comments.example.org/"),
    ("https://comments.example.org/", "https://comments.example.org/"),
    ("https://example.org/comments", "https://example.org/comments/"),
    ("https://example.org:8443/a/b/", "https://example.org:8443/a/b/"),
])  # fmt: skip
async def test_the_public_address_decides_where_clients_go(
    settings: Settings, classifier: Classifier, public_url: str, root: str
) -> None:
    there = changed(settings, public_url=public_url, trusted_proxies="203.0.113.0/24")
    assert await root_of(there, classifier) == root
    hostile = {"Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    assert await root_of(there, classifier, **hostile) == root


@pytest.mark.parametrize(("host", "root"), [
    ("scores.example:8000", "http://scores.example:8000/"), ("10.0.0.7", "http://10.0.0.7/"), ("[::1]:8000", "http://[::1]:8000/"),
    ("a b", "http://127.0.0.1:8000/"), ("evil.example/path", "http://127.0.0.1:8000/"), ("user@evil.example", "http://127.0.0.1:8000/"),
    ("a?b", "http://127.0.0.1:8000/"), ("", "http://127.0.0.1:8000/"),
])  # fmt: skip
async def test_without_a_public_address_clients_stay_where_they_asked(
    settings: Settings, classifier: Classifier, host: str, root: str
) -> None:
    assert await root_of(changed(settings, public_url=""), classifier, Host=host) == root


@pytest.mark.parametrize(("peer", "forwarded", "scheme"), [
    ("10.1.2.3", "https", "https"), ("10.1.2.3", "HTTPS", "https"), ("10.1.2.3", "http, https", "https"), ("10.1.2.3", "https, http", "http"),
    ("10.1.2.3", "javascript", "http"), ("10.1.2.3", "", "http"), ("203.0.113.9", "https", "http"), ("127.0.0.1", "https", "http"),
])  # fmt: skip
async def test_only_a_trusted_proxy_says_that_the_outside_is_encrypted(
    settings: Settings, classifier: Classifier, peer: str, forwarded: str, scheme: str
) -> None:
    behind = changed(settings, public_url="", trusted_proxies="10.0.0.0/8")
    headers = {"Host": "scores.example", "X-Forwarded-Proto": forwarded, "X-Forwarded-Host": "evil.example"}
    assert await root_of(behind, classifier, peer, **headers) == f"{scheme}://scores.example/"


# --- browsers ----------------------------------------------------------------------------------------------------------

PAGE = {"Origin": "https://blog.example"}


async def test_no_page_reads_an_answer_unless_the_operator_names_it(service: Service) -> None:
    client = await client_of(service)
    async with service.services.database.transaction() as tx:
        from moderation.sites import store as sites
        from moderation.sites.model import Site

        await sites.put_site(tx, Site(key="default", name="Blog", origins=("https://blog.example",)), service.clock())
    for answer in (await client.ask(asked(), **PAGE), await service.client.get(DISCOVERY, headers=PAGE)):
        assert answer.status_code == 200 and not shared(answer)
    preflight = await service.client.options(ANALYZE, headers=PAGE | {"Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 404 and not shared(preflight)


@pytest.mark.parametrize("path", [ANALYZE, DISCOVERY])
async def test_pages_of_named_origins_read_every_answer_without_credentials(
    settings: Settings, classifier: Classifier, path: str
) -> None:
    named = changed(settings, score_origins="https://blog.example, https://Bücher.example:443")
    app = create_app(named, classifier=classifier, say=None)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=("203.0.113.9", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client:
            for origin in ("https://blog.example", "https://xn--bcher-kva.example"):
                preflight = await client.options(
                    path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
                )
                assert preflight.status_code == 204
                assert "POST" in preflight.headers["access-control-allow-methods"]
                assert preflight.headers["access-control-allow-headers"] == "*"
                for answer in (
                    preflight,
                    await client.post(path, headers={"Origin": origin}),
                    await client.get(path, headers={"Origin": origin}),
                ):
                    assert answer.headers["access-control-allow-origin"] == origin
                    assert "access-control-allow-credentials" not in answer.headers
                    assert (
                        "Origin" in answer.headers["vary"]
                        and "X-Model-Version" in answer.headers["access-control-expose-headers"]
                    )
            for origin in ("https://blog.example.evil", "http://blog.example", "null", "http://["):
                other = await client.post(path, headers={"Origin": origin})
                assert "access-control-allow-origin" not in other.headers and "Origin" in other.headers["vary"]


def shared(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.startswith("access-control-allow")]
