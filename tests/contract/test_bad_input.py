"""Bad input gets the contract's clear answer, and stores nothing. Through HTTP, on both databases."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from moderation.sites import store as sites
from moderation.sites.model import Site
from tests.conftest import Server, Service
from tests.contract.refusals import GOOD, THREAD, before_the_database, is_page, is_problem, post_raw, stored

pytestmark = pytest.mark.anyio

# --- what cannot be read -----------------------------------------------------------------------------------------------

UNREADABLE = {
    "nothing": b"",
    "no JSON": b"nonsense",
    "an array": b"[]",
    "a string": b'"text"',
    "null": b"null",
    "not UTF-8": b'{"name":"\xff"}',
    "UTF-16": '{"name":"Ann"}'.encode("utf-16"),
    "a raw NUL": b'{"name":"A\x00"}',
    "an escaped NUL": b'{"name":"A\\u0000","email":"ann@example.org","body":"x"}',
    "an escaped NUL in an unknown field": b'{"name":"A","email":"ann@example.org","body":"x","z":["\\u0000"]}',
    "100,000 brackets": b"[" * 100_000,
    "100,000 closed brackets": b'{"body":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects": b'{"a":' * 100_000,
    "NaN": b'{"name":NaN}',
    "Infinity": b'{"name":-Infinity}',
    "two objects": b"{}{}",
    "a number of 5,000 digits": b'{"name":' + b"9" * 5000 + b"}",
}


@before_the_database
@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_is_no_json_object_is_a_bad_request(service: Service, raw: bytes) -> None:
    assert is_problem(await post_raw(service, raw), 400)
    assert await stored(service) == 0


@before_the_database
@pytest.mark.parametrize(
    ("more", "field"),
    [('"name":"\\ud800"', "name"), ('"body":"a\\udfffb"', "body"), ('"email":"\\ud83d@example.org"', "email"), ('"url":"http://\\ud800"', "url"), ('"parent":"\\ud800"', "parent")],
)  # fmt: skip
async def test_a_lone_surrogate_is_invalid(service: Service, more: str, field: str) -> None:
    others = {k: v for k, v in GOOD.items() if k != field}
    raw = (json.dumps(others)[:-1] + "," + more + "}").encode()
    assert is_problem(await post_raw(service, raw), 422, (field, "invalid"))
    assert await stored(service) == 0


async def test_a_whole_astral_character_is_none(service: Service) -> None:
    raw = json.dumps(GOOD | {"name": "Ann 🦊"}).encode()
    assert b"\\ud83e\\udd8a" in raw
    answer = await post_raw(service, raw)
    assert answer.status_code == 201 and answer.json()["author"]["name"] == "Ann 🦊"


@before_the_database
@pytest.mark.parametrize(
    ("raw", "field"),
    [(b'{"name":"a","name":"a"}', "name"), (b'{"name":"a","\\u006eame":"b"}', "name"), (b'{"z":{"y":1,"y":2}}', "y"), (b'{"\\ud800":1,"\\ud800":2}', "?")],
)  # fmt: skip
async def test_a_key_that_stands_twice_is_named(service: Service, raw: bytes, field: str) -> None:
    assert is_problem(await post_raw(service, raw), 422, (field, "invalid"))


@before_the_database
@pytest.mark.parametrize("value", [0, 10**400, 1e308, -1, True, [], ["Ann"], {}, {"a": "b"}])
@pytest.mark.parametrize("field", ["name", "email", "url", "body", "parent"])
async def test_a_wrong_type_is_invalid(service: Service, field: str, value: Any) -> None:
    assert is_problem(await service.post(**{field: value}), 422, (field, "invalid"))
    assert await stored(service) == 0


@before_the_database
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "", "application/xml", "application/json-patch+json", "text/html", "application/octet-stream"],
)
async def test_another_content_type_is_unsupported(service: Service, kind: str) -> None:
    assert is_problem(await post_raw(service, json.dumps(GOOD).encode(), kind), 415)
    assert await stored(service) == 0


@before_the_database
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
async def test_a_coded_body_is_unsupported(service: Service, coding: str) -> None:
    assert is_problem(await post_raw(service, b"\x1f\x8b", **{"Content-Encoding": coding}), 415)


ASKED = [
    ("POST", "/api/v1/decisions"),
    ("POST", "/api/v1/what-if"),
    ("POST", "/api/v1/presence"),
    ("POST", "/api/v1/privacy/export"),
    ("PUT", "/api/v1/sites/default/rules"),
    ("PUT", "/sites/default/articles/post"),
    ("POST", "/api/v1/score"),
    ("POST", "/api/v1/what-if/stop"),
    *(("POST", f"/api/v1/comments/{'0' * 26}/{act}") for act in ("redact", "replies", "block")),
]


@before_the_database
@pytest.mark.parametrize(("method", "path"), ASKED)
async def test_programs_send_json_or_name_no_type(service: Service, method: str, path: str) -> None:
    who = await service.token("moderate,privacy,articles,score")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "text/json"):
        answer = await service.client.request(method, path, content=b"{}", headers=who | {"Content-Type": kind})
        assert is_problem(answer, 415)
        assert answer.headers["accept"] == "application/json"
    for kind in ({}, {"Content-Type": "Application/JSON; charset=UTF-8"}):
        assert is_problem(await service.client.request(method, path, content=b"{", headers=who | kind), 400)


@before_the_database
async def test_a_decision_names_everything_that_is_wrong(service: Service) -> None:
    who = await service.token("moderate")
    typed = {
        "comments": [],
        "action": "praise",
        "labels": ["kind"],
        "note": 1,
        "reason": "whim",
        "expected_revision": "now",
    }
    names = ("comments", "action", "labels", "note", "reason", "expected_revision")
    answer = await service.client.post("/api/v1/decisions", json=typed, headers=who)
    assert is_problem(answer, 422, *((name, "invalid") for name in names))
    answer = await service.client.post("/api/v1/decisions", json={}, headers=who)
    assert is_problem(answer, 422, ("comments", "invalid"), ("action", "invalid"))


@before_the_database
async def test_a_lone_surrogate_breaks_no_other_answer(service: Service) -> None:
    who = await service.token("moderate,articles,score")
    raw = b'{"comments":["%s"],"action":"reject","note":"\\ud800"}' % (await service.held()).encode()
    assert is_problem(
        await service.client.post("/api/v1/decisions", content=raw, headers=who), 422, ("note", "invalid")
    )
    raw = b'{"url":"https://blog.example/\\ud800"}'
    answer = await service.client.put("/sites/default/articles/post", content=raw, headers=who)
    assert is_problem(answer, 422, ("url", "invalid"))
    for raw in (b'{"text":"\\ud800"}', b'{"texts":["see http://a.example/\\udfff \\ud800"]}'):
        answer = await service.client.post("/api/v1/score", content=raw, headers=who)  # any text can be scored
        assert answer.status_code == 200 and answer.json()["model"]


# --- too much ----------------------------------------------------------------------------------------------------------


@before_the_database
@pytest.mark.parametrize(
    "kind", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_a_gigabyte_is_refused_early(service: Service, kind: str) -> None:
    answer = await post_raw(service, b"{}", kind, **{"Content-Length": str(1024**3)})
    assert is_problem(answer, 413)
    assert is_problem(await post_raw(service, b" " * (1024 * 1024 + 1), kind), 413)
    assert await stored(service) == 0


async def test_a_body_of_a_mebibyte_is_read(service: Service) -> None:
    raw = json.dumps(GOOD).encode().ljust(1024 * 1024)
    assert (await post_raw(service, raw)).status_code == 201


@before_the_database
@pytest.mark.parametrize("path", ["/api/v1/decisions", "/api/v1/privacy/export"])
async def test_elsewhere_256_kibibytes_are_the_most(service: Service, path: str) -> None:
    token = await service.token("moderate,privacy")
    raw = b"{}".ljust(256 * 1024 + 1)
    answer = await service.client.post(path, content=raw, headers=token | {"Content-Type": "application/json"})
    assert is_problem(answer, 413)


def say(server: Server, head: str, *, chunks: int = 0, chunk: bytes = b"x" * 65_536) -> tuple[str, int]:
    """The answer to this head and an endless body in chunks, and how many bytes of that went out before it came."""
    at = urlsplit(server.url)
    sent = 0
    with socket.create_connection((at.hostname, at.port), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode())
        try:
            for _ in range(chunks):
                connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                sent += len(chunk)
        except OSError:
            pass  # it has hung up, as it should
        answer = b""
        try:
            while more := connection.recv(65_536):
                answer += more
        except ConnectionResetError:
            pass
    return answer.decode("latin-1"), sent


def test_a_stream_that_never_ends_is_refused_while_reading(server: Server) -> None:
    head = f"POST {THREAD} HTTP/1.1\nHost: x\nContent-Type: application/json\n"
    answer, _ = say(server, head + "Content-Length: 1073741824\n\n")
    assert answer.startswith("HTTP/1.1 413"), answer[:200]
    assert "application/problem+json" in answer and '"status":413' in answer
    answer, sent = say(server, head + "Transfer-Encoding: chunked\n\n", chunks=4096)
    assert sent < 64 * 1024 * 1024, "256 MiB would have gone through"
    assert not answer or answer.startswith("HTTP/1.1 413")
    # 17 chunks of 64 KiB are just above the limit: the answer comes though the stream goes on
    answer, _ = say(server, head + "Transfer-Encoding: chunked\n\n", chunks=17)
    assert answer.startswith("HTTP/1.1 413"), answer[:200]
    assert httpx.get(server.url + THREAD).json()["count"] == 0


# --- where to ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["unknown", "DEFAULT", "a%20b", "%00", "x" * 65, "*", "d%C3%A9fault", "default%2F.."])
async def test_an_unknown_site_is_not_found(service: Service, site: str) -> None:
    for method, path in (
        ("GET", "articles/post/comments"),
        ("POST", "articles/post/comments"),
        ("GET", "counts?article=a"),
    ):
        answer = await service.client.request(
            method, f"/sites/{site}/{path}", json=GOOD if method == "POST" else None, headers={"Accept": "*/*"}
        )
        assert is_problem(answer, 404)
    assert (await service.client.get(f"/sites/{site}/articles/post/form")).status_code == 404


@before_the_database
@pytest.mark.parametrize(
    "key",
    [
        "%2e",
        "%2e%2e",
        "x" * 201,
        "a%20b",
        "a%00b",
        "%C3%A9",
        "a%2Fb",
        "a:b",
        "a%0d%0ab",
        "%F0%9F%A6%8A",
        "<b>",
        "a%25b",
    ],
)
async def test_a_key_that_no_article_can_have_is_not_found(service: Service, key: str) -> None:
    for method in ("GET", "POST"):
        answer = await service.client.request(
            method, f"/sites/default/articles/{key}/comments", json=GOOD if method == "POST" else None
        )
        assert is_problem(answer, 404)
    assert await stored(service) == 0


@pytest.mark.parametrize("key", ["a", "A.b_c~d-9", "x" * 200, "...", "2024~05~my-post"])
async def test_a_key_that_an_article_can_have_is_found(service: Service, key: str) -> None:
    assert (await service.post(key)).status_code == 201
    assert (await service.thread(key))["count"] == 1


async def test_a_parent_from_elsewhere_or_forged_is_unknown(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="other", name="Other"), service.clock())
    service.services.directory.forget()
    other_article = (await service.post("another")).json()["id"]
    other_site = (await service.post("post", site="other")).json()["id"]
    waiting = await service.held()
    before = await stored(service)
    forged = [
        "nonsense",
        "0" * 26,
        "z" * 26,
        "'; DROP TABLE comments; --",
        "../" + other_article,
        other_article.upper(),
        "x" * 5000,
    ]
    for parent in [other_article, other_site, waiting, *forged]:
        service.clock.forward(minutes=1)  # one network gets thirty wrong submissions explained in a minute
        assert is_problem(await service.post(parent=parent), 422, ("parent", "unknown_parent"))
        both = await service.post(email="nobody", parent=parent)
        assert is_problem(both, 422, ("email", "invalid"), ("parent", "unknown_parent"))
        page = is_page(await service.client.post(THREAD, data=GOOD | {"email": "nobody", "parent": parent}), 422)
        assert "2 things need your attention" in page
    assert is_problem(await service.post("another", email="x", parent=other_article), 422, ("email", "invalid"))
    assert is_problem(await service.post(email="x", parent=" "), 422, ("email", "invalid"))
    assert await stored(service) == before


@pytest.mark.parametrize("id", ["nonsense", "0" * 26, "%00", "%FF", "x" * 3000, "..%2f.."])
async def test_a_forged_comment_receipt_or_avatar_is_not_found(service: Service, id: str) -> None:
    assert is_problem(await service.client.delete(f"{THREAD}/{id}", headers={"Edit-Token": "x"}), 404)
    assert is_problem(await service.client.get(f"/receipts/{id}"), 404)
    assert is_problem(await service.client.get(f"/avatars/{id}.svg"), 404)


@before_the_database
@pytest.mark.parametrize(
    ("path", "allowed"),
    [(THREAD, {"GET", "HEAD", "POST", "OPTIONS"}), (f"{THREAD}/{'0' * 26}", {"PATCH", "DELETE", "OPTIONS"}), ("/sites/default/counts", {"GET", "HEAD", "OPTIONS"}),
     ("/receipts/x", {"GET", "HEAD", "POST"}), ("/openapi.json", {"GET", "HEAD"}), ("/api/v1/decisions", {"POST"})],
)  # fmt: skip
async def test_another_method_is_told_which_are_allowed(service: Service, path: str, allowed: set[str]) -> None:
    answer = await service.client.request("TRACE", path)
    assert is_problem(answer, 405)
    assert {m.strip() for m in answer.headers["allow"].split(",")} == allowed


@before_the_database
@pytest.mark.parametrize("path", [THREAD, "/sites/default/feed", "/moderate", "/health/live"])
async def test_a_slash_too_many_leads_to_the_path_and_never_to_another_host(service: Service, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await service.client.request(method, f"{path}/?limit=5", headers={"Host": "evil.example"})
        assert (answer.status_code, answer.headers["location"]) == (307, f"{path}?limit=5")
    for odd in (f"//evil.example{path}/", f"/evil.example{path}/", "/"):
        assert (await service.client.get(f"http://comments.test{odd}")).status_code in (200, 404)
