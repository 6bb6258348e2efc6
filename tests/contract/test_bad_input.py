"""Bad input gets the contract's clear answer, and stores nothing. Through HTTP, on both databases."""

from __future__ import annotations

import html
import json
import socket
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from moderation.site import Site
from moderation.storage import sites
from tests.conftest import Server, Service

pytestmark = pytest.mark.anyio

THREAD = "/sites/default/articles/post/comments"
GOOD = {"name": "Ann", "email": "ann@example.org", "body": "A kind word."}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


before_the_database = pytest.mark.parametrize("address", ["sqlite"], indirect=True)
"""What is refused before any database is asked need not be tried on both."""


async def stored(service: Service) -> int:
    """Comments of any status."""
    async with service.app.state.database.reading() as session:
        row = await session.fetch_one("SELECT count(*) FROM comments")
    return int(row[0])


def is_problem(answer: httpx.Response, status: int, *errors: tuple[str, str], code: str = "") -> bool:
    """Exactly this one, as RFC 9457 has it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert {"type", "title", "status", "detail"} <= set(told)
    assert told["status"] == status and told["type"] and told["title"] and told["detail"]
    found = [(e["field"], e["code"]) for e in told.get("errors", [])]
    assert all(e["message"] for e in told.get("errors", []))
    assert found == list(errors), told
    assert not code or told["code"] == code
    return True


async def post_raw(service: Service, raw: bytes, kind: str = "application/json", **headers: str) -> httpx.Response:
    return await service.client.post(THREAD, content=raw, headers={"Content-Type": kind} | headers)


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
    ("POST", "/api/decisions"),
    ("POST", "/api/what-if"),
    ("POST", "/api/presence"),
    ("POST", "/api/privacy/export"),
    ("PUT", "/api/sites/default/rules"),
    ("PUT", "/sites/default/articles/post"),
    ("POST", "/score"),
    ("POST", "/api/sites/default/shadow"),
    *(("POST", f"/api/comments/{'0' * 26}/{act}") for act in ("redact", "replies", "bar")),
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
    typed = {"comments": [], "action": "praise", "labels": ["kind"], "note": 1, "reason": "whim", "seen": "now"}
    names = ("comments", "action", "labels", "note", "reason", "seen")
    answer = await service.client.post("/api/decisions", json=typed, headers=who)
    assert is_problem(answer, 422, *((name, "invalid") for name in names))
    answer = await service.client.post("/api/decisions", json={}, headers=who)
    assert is_problem(answer, 422, ("comments", "invalid"), ("action", "invalid"))


@before_the_database
async def test_a_lone_surrogate_breaks_no_other_answer(service: Service) -> None:
    who = await service.token("moderate,articles,score")
    raw = b'{"comments":["%s"],"action":"reject","note":"\\ud800"}' % (await service.held()).encode()
    assert is_problem(await service.client.post("/api/decisions", content=raw, headers=who), 422, ("note", "invalid"))
    raw = b'{"url":"https://blog.example/\\ud800"}'
    answer = await service.client.put("/sites/default/articles/post", content=raw, headers=who)
    assert is_problem(answer, 422, ("url", "invalid"))
    for raw in (b'{"text":"\\ud800"}', b'{"texts":["see http://a.example/\\udfff \\ud800"]}'):
        answer = await service.client.post("/score", content=raw, headers=who)  # any text can be scored
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
@pytest.mark.parametrize("path", ["/api/decisions", "/api/privacy/export"])
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
    async with service.app.state.database.transaction() as tx:
        await sites.put_site(tx, Site("other", "Other"), service.clock())
    service.app.state.directory.forget()
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
     ("/receipts/x", {"GET", "HEAD", "POST"}), ("/openapi.json", {"GET", "HEAD"}), ("/api/decisions", {"POST"})],
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


# --- fields ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["x", "é", "𝒳", "🦊"])
async def test_names_have_245_code_points_at_the_most(service: Service, letter: str) -> None:
    answer = await service.post(name=letter * 245)
    assert answer.status_code in (201, 202), answer.text
    assert is_problem(await service.post(name=letter * 246), 422, ("name", "too_long"))
    assert await stored(service) == 1


async def test_bodies_and_addresses_have_exactly_their_limits(service: Service) -> None:
    words = "kind words " * 1000
    assert (await service.post(body=words[:9_999] + "!")).status_code in (201, 202)
    assert is_problem(await service.post(body=words[:10_000].replace(" ", "-") + "!"), 422, ("body", "too_long"))
    host = "@" + ".".join(["b" * 60] * 3) + "."
    long = "a" * 60 + host + "c" * (254 - 60 - len(host))
    assert len(long) == 254
    assert (await service.post(email=long)).status_code == 201
    assert is_problem(await service.post(email="a" + long), 422, ("email", "too_long"))
    assert await stored(service) == 2


@before_the_database
@pytest.mark.parametrize(
    "name",
    [
        "Ann\u202egnp.exe",
        "\u2066Ann",
        "Ann\u200f",
        "\u200b\u200b",
        "\u3164",
        "\u2800",
        "Ann\r\nSet-Cookie: a=b",
        "Ann\x1b[2J",
        "a\u2028b",
    ],
)
async def test_names_turn_nothing_around_and_can_be_seen(service: Service, name: str) -> None:
    assert is_problem(await service.post(name=name), 422, ("name", "invalid"))
    assert await stored(service) == 0


@before_the_database
@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\nscript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd",
     "http://google.com@evil.example/", "http://user:secret@a.example", "//evil.example", "http://a.example/\r\nX: y", "http://a.example\\@b.example"],
)  # fmt: skip
async def test_urls_lead_where_they_seem_to(service: Service, url: str) -> None:
    assert is_problem(await service.post(url=url), 422, ("url", "invalid"))
    assert await stored(service) == 0


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("http://аррӏе.com/", "http://xn--80ak6aa92e.com/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("HTTP://A.EXAMPLE/Ä", "http://a.example/Ä"),
    ],
)
async def test_a_look_alike_host_shows_what_it_is(service: Service, typed: str, shown: str) -> None:
    told = await service.post(url=typed)
    assert told.status_code == 201, told.text
    assert told.json()["author"]["url"] == shown
    assert (await service.thread())["comments"][0]["author"]["url"] == shown


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("jörg@bücher.example", "jörg@bücher.example"), ("jo\u0308rg@xn--bcher-kva.example", "jörg@bücher.example"), ("用户@例え.jp", "用户@例え.jp"), ("Ann@EXAMPLE.Org", "Ann@example.org")],
)  # fmt: skip
async def test_international_addresses_are_stored_normalised_and_only_moderators_see_them(
    service: Service, typed: str, kept: str
) -> None:
    told = await service.post(email=typed)
    assert told.status_code == 201, told.text
    for public in (told.text, json.dumps(await service.thread(), ensure_ascii=False)):
        assert kept not in public and typed not in public
    answer = await service.client.get(f"/api/comments/{told.json()['id']}", headers=await service.token())
    assert answer.json()["author"]["email"] == kept


@before_the_database
@pytest.mark.parametrize(
    "email",
    [
        "ann@example.org\r\nBcc: all@example.org",
        "ann@example.org\nX",
        "a\x00",
        "<ann@example.org>",
        "ann@[127.0.0.1]",
        "ann",
    ],
)
async def test_an_address_holds_no_header(service: Service, email: str) -> None:
    answer = await service.post(email=email)
    assert is_problem(answer, 400) if "\0" in email else is_problem(answer, 422, ("email", "invalid"))


SCRIPTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt&colon;alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](https://evil.example/pixel.png)",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    '[x](https://a.example/"onmouseover="alert(1))',
    "<javascript:alert(1)>",
    "```html\n<script>alert(1)</script>\n```",
    "`<script>`",
    "[a]: javascript:alert(1)\n\n[a]",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>*{display:none}</style>",
    "</textarea><script>alert(1)</script>",
    '<!--<img src="--><img src=x onerror=alert(1)//">',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
]


@before_the_database
@pytest.mark.parametrize("body", SCRIPTS)
async def test_markdown_and_html_run_nothing(service: Service, body: str) -> None:
    """Whatever its verdict: a moderator publishes it, and it is harmless on every page."""
    from html.parser import HTMLParser

    class Look(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in {"p", "br", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a", "del"}, tag
            for name, value in attrs:
                assert name in ("href", "rel", "class"), name
                assert name != "href" or str(value).startswith(("http://", "https://")), value

    told = await service.post("why-a-garden-needs-a-gate", body=body)
    assert told.status_code in (201, 202), told.text
    token = await service.token()
    await service.client.post(
        "/api/decisions", json={"comments": [told.json()["id"]], "action": "approve"}, headers=token
    )
    (comment,) = (await service.thread("why-a-garden-needs-a-gate"))["comments"]
    assert comment["text"] == body
    Look().feed(comment["html"])
    page = (await service.client.get("/")).text
    assert comment["html"] in page and body not in page.replace(comment["html"], "")
    assert "script-src 'self'" in (await service.client.get("/")).headers["content-security-policy"]


async def test_names_are_text_on_every_page(service: Service) -> None:
    name = '"><script>alert(1)</script>&'
    told = await service.post("why-a-garden-needs-a-gate", name=name)
    token = await service.token()
    await service.client.post(
        "/api/decisions", json={"comments": [told.json()["id"]], "action": "approve"}, headers=token
    )
    for page in (
        "/",
        f"/sites/default/articles/why-a-garden-needs-a-gate/form?parent={told.json()['id']}",
        told.json()["receipt"],
    ):
        text = (await service.client.get(page)).text
        assert "<script>alert" not in text and html.escape(name) in text.replace("&#34;", "&quot;"), page


# --- headers -----------------------------------------------------------------------------------------------------------

INJECTED = "x\r\nSet-Cookie: a=b\r\n\r\n<script>"


async def test_nothing_typed_becomes_a_header(service: Service) -> None:
    for place in ("redirect_to", "form_token", "receipt"):
        answer = await service.client.post(
            THREAD, data=GOOD | {"body": f"Words for {place}.", place: f"http://comments.test/{INJECTED}"}
        )
        assert answer.status_code == 303
        assert "set-cookie" not in answer.headers
        assert answer.headers["location"].startswith("http://comments.test/receipts/"), "held: no form token"
        assert not any(c in answer.headers["location"] for c in "\r\n<")


@pytest.mark.parametrize(
    "name", ["Referer", "X-Forwarded-For", "Receipt", "Edit-Token", "Accept", "Host", "If-None-Match"]
)
async def test_an_odd_header_changes_nothing(service: Service, name: str) -> None:
    """A server refuses most of these before us; here they come through as they are."""
    for value in (
        INJECTED.encode(),
        b"\xff\xfe",
        b"x" * 9000,
        b", ,, ",
        "::1%eth0, 999.1.1.1, é".encode(),
        b"http://[",
    ):
        answer = await service.post(headers={name: value})
        assert answer.status_code == 201, answer.text
        assert "set-cookie" not in answer.headers


@before_the_database
@pytest.mark.parametrize("key", [b"", b"x\r\nSet-Cookie: a=b", b"\x00", b"x" * 256, b"\x7f"])
async def test_an_idempotency_key_is_printable_and_short(service: Service, key: bytes) -> None:
    answer = await service.post(headers={"Idempotency-Key": key})
    assert is_problem(answer, 422, ("Idempotency-Key", "invalid"))
    assert await stored(service) == 0


async def test_a_published_form_post_leads_only_to_pages_that_are_allowed(service: Service) -> None:
    async with service.app.state.database.transaction() as tx:
        await sites.put_site(tx, Site("default", "Mine", ("https://blog.example",)), service.clock())
    service.app.state.directory.forget()

    async def leads(redirect_to: str, referer: str = "") -> str:
        token = service.app.state.links.seal.form_token("default", "post", service.clock())
        service.clock.forward(seconds=5)
        fields = GOOD | {"body": f"Words at {service.clock.now}.", "form_token": token, "redirect_to": redirect_to}
        fields["email"] = f"ann{service.clock.now}@example.org"
        answer = await service.client.post(THREAD, data=fields, headers={"Referer": referer} if referer else None)
        assert answer.status_code == 303, answer.text
        place, _, anchor = answer.headers["location"].partition("#")
        assert anchor.startswith("comment-")
        return place

    ours = "http://comments.test/sites/default/articles/post/form"
    assert await leads("https://blog.example/post") == "https://blog.example/post"
    assert await leads("", "https://blog.example/post?x=1") == "https://blog.example/post?x=1"
    for bad in ("https://evil.example/", "javascript:alert(1)", "//evil.example", "https://blog.example@evil.example/", "https://blog.example.evil.example/",
                "https://blog.example\\.evil.example", "/\\evil.example", "http://blog.example/", "https://blog.example:444/", "http://[",
                "https://blog.example/\r\nSet-Cookie: a=b"):  # fmt: skip
        assert await leads(bad) == ours, bad
        if "\r" not in bad:
            assert await leads("", bad) == ours, bad


# --- CORS --------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def blog(service: Service) -> Service:
    """The service, whose site allows the pages of https://blog.example."""
    async with service.app.state.database.transaction() as tx:
        await sites.put_site(tx, Site("default", "Mine", ("https://blog.example",)), service.clock())
    service.app.state.directory.forget()
    return service


def varies(answer: httpx.Response) -> bool:
    return "origin" in answer.headers["vary"].lower() and "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://blog.example", "http://comments.test"])
async def test_an_allowed_origin_may_post_and_read(blog: Service, origin: str) -> None:
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    before = await blog.client.options(THREAD, headers=asks)
    assert before.status_code in (200, 204) and varies(before)
    assert before.headers["access-control-allow-origin"] == origin
    assert {"GET", "POST"} <= {m.strip() for m in before.headers["access-control-allow-methods"].split(",")}
    named = {h.strip().lower() for h in before.headers["access-control-allow-headers"].split(",")}
    assert named == {"content-type", "edit-token", "idempotency-key", "receipt"}
    posted = await blog.post(headers={"Origin": origin})
    wrong = await blog.post(headers={"Origin": origin}, name="")
    read = await blog.client.get(THREAD, headers={"Origin": origin})
    same = await blog.client.get(THREAD, headers={"Origin": origin, "If-None-Match": read.headers["etag"]})
    counts = await blog.client.get("/sites/default/counts?article=post", headers={"Origin": origin})
    assert [a.status_code for a in (posted, wrong, read, same, counts)] == [201, 422, 200, 304, 200]
    for answer in (posted, wrong, read, same, counts):
        assert varies(answer)
        assert answer.headers["access-control-allow-origin"] == origin
        assert {h.strip() for h in answer.headers["access-control-expose-headers"].split(",")} == {
            "ETag",
            "Retry-After",
        }


@before_the_database
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://blog.example.evil.example",
        "http://blog.example",
        "https://blog.example:8443",
        "http://[",
        "",
        "https://BLOG.example/",
    ],
)
async def test_any_other_origin_is_forbidden_and_stores_nothing(blog: Service, origin: str) -> None:
    posted = await blog.post(headers={"Origin": origin})
    assert is_problem(posted, 403) and varies(posted)
    form = await blog.client.post(THREAD, data=GOOD, headers={"Origin": origin})
    assert is_problem(form, 403) and varies(form)
    before = await blog.client.options(THREAD, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert before.status_code == 403 and varies(before)
    read = await blog.client.get(THREAD, headers={"Origin": origin})
    for answer in (posted, form, before, read):
        assert "access-control-allow-origin" not in answer.headers
    assert await stored(blog) == 0


@before_the_database
@pytest.mark.parametrize(
    "path",
    ["counts", "feed", "articles/x/feed.json", "articles/x/related", "articles/x/fragment", "articles/x/form-token"],
)
async def test_a_script_that_adds_a_header_to_its_get_may_ask_for_leave(blog: Service, path: str) -> None:
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "content-type"}
    answer = await blog.client.options(f"/sites/default/{path}", headers=asks | {"Origin": "https://blog.example"})
    assert answer.status_code == 204 and varies(answer)
    assert answer.headers["access-control-allow-origin"] == "https://blog.example"
    assert answer.headers["access-control-allow-methods"] == "GET"
    refused = await blog.client.options(f"/sites/default/{path}", headers=asks | {"Origin": "https://evil.example"})
    assert refused.status_code == 403 and "access-control-allow-origin" not in refused.headers


async def test_a_request_without_origin_passes_and_varies_all_the_same(blog: Service) -> None:
    for answer in (
        await blog.post(),
        await blog.client.get(THREAD),
        await blog.client.get("/sites/default/counts?article=a"),
    ):
        assert answer.status_code in (200, 201) and varies(answer)
        assert "access-control-allow-origin" not in answer.headers


# --- forms -------------------------------------------------------------------------------------------------------------


def is_page(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


async def test_a_wrong_form_comes_back_with_all_that_was_typed_and_each_message_at_its_field(service: Service) -> None:
    typed = {
        "name": '<b>"Ann"</b>\u202e',
        "email": "ann@'nowhere\">",
        "url": 'javascript:"<script>alert(1)</script>',
        "body": "</textarea><script>alert(1)</script>\n" + "x" * 10_000,
        "parent": '"><img src=x>',
        "redirect_to": 'https://a.example/"><script>',
    }
    page = is_page(await service.client.post(THREAD, data=typed), 422)
    assert "<script>alert" not in page and "<img src=x" not in page and '"><script' not in page
    plain = html.unescape(page)
    for value in typed.values():
        assert value in plain, value
    for field in ("name", "email", "url", "body"):
        assert f'id="reply-{field}-error"' in page and f'aria-describedby="reply-{field}-error"' in page
    assert await stored(service) == 0


@before_the_database
async def test_what_is_wrong_before_the_form_is_read_is_a_page_too_where_a_person_looks(service: Service) -> None:
    browser = {"Accept": "text/html,*/*", "Content-Type": "application/x-www-form-urlencoded"}
    large, other = {"Content-Length": str(1024**3)}, {"Origin": "https://evil.example"}
    elsewhere = THREAD.replace("default", "elsewhere")
    for path, more, status in ((THREAD, large, 413), (THREAD, other, 403), (elsewhere, {}, 404)):
        assert str(status) in is_page(await service.client.post(path, content=b"", headers=browser | more), status)
        program = browser | {"Accept": "*/*"}
        assert is_problem(await service.client.post(path, content=b"", headers=program | more), status)


@before_the_database
@pytest.mark.parametrize(("field", "value"), [("name", ""), ("email", "nobody"), ("url", "ftp://x"), ("body", " ")])
async def test_one_wrong_field_has_the_only_message(service: Service, field: str, value: str) -> None:
    page = is_page(await service.client.post(THREAD, data=GOOD | {field: value}), 422)
    assert page.count('aria-invalid="true"') == 1
    assert [f for f in ("name", "email", "url", "body") if f'id="reply-{f}-error"' in page] == [field]


async def test_a_form_posted_twice_is_told_so_and_keeps_what_was_typed(service: Service) -> None:
    typed = GOOD | {"body": "Only once, <please>.", "url": "https://ann.example"}
    assert (await service.client.post(THREAD, data=typed)).status_code == 303
    page = is_page(await service.client.post(THREAD, data=typed), 409)
    plain = html.unescape(page)
    assert all(value in plain for value in typed.values()) and "<please>" not in page
    assert "already" in plain
    assert is_problem(await service.client.post(THREAD, json=typed), 409, code="duplicate")
    assert await stored(service) == 1


async def test_a_field_that_comes_twice_is_named(service: Service) -> None:
    raw = urlencode([*GOOD.items(), ("name", "Bob")]).encode()
    page = is_page(await post_raw(service, raw, FORM["Content-Type"]), 422)
    assert "is given twice" in page.lower() and 'id="reply-name-error"' in page and GOOD["body"] in page
    assert await stored(service) == 0


@before_the_database
@pytest.mark.parametrize(
    "raw", [b"&".join(b"f%d=1" % i for i in range(101)), b"name=%ff", b"name=\xff", b"name=%00", b"name=\x00"]
)
async def test_a_form_that_cannot_be_read_is_a_bad_request(service: Service, raw: bytes) -> None:
    is_page(await post_raw(service, raw, FORM["Content-Type"]), 400)
    assert await stored(service) == 0


async def test_a_multipart_form_is_as_good_as_any(service: Service) -> None:
    files = {name: (None, value) for name, value in (GOOD | {"name": "Jörg"}).items()}
    assert (await service.client.post(THREAD, files=files)).status_code == 303
    assert await stored(service) == 1


async def test_a_file_in_a_form_is_refused_and_what_was_typed_is_kept(service: Service) -> None:
    files = {name: (None, value) for name, value in GOOD.items()} | {
        "body": ("a.txt", b"x", "text/plain"),
        "picture": ("a.png", b"\x89"),
    }
    page = is_page(await service.client.post(THREAD, files={k: v for k, v in files.items() if k != "picture"}), 422)
    assert 'id="reply-body-error"' in page and "not a file" in page
    assert GOOD["name"] in page and GOOD["email"] in page
    assert await stored(service) == 0


@before_the_database
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense",
        b"--x",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn\r\n',
    ],
)
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "multipart/form-data"])
async def test_a_broken_multipart_form_is_a_bad_request(service: Service, raw: bytes, kind: str) -> None:
    is_page(await post_raw(service, raw, kind), 400)
    assert await stored(service) == 0
