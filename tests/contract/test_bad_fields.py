"""Each field and header of a submission, at and beyond its limits: what is wrong is named, what is odd does no harm."""

from __future__ import annotations

import json

import pytest

from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.text.markdown import TAGS
from tests.conftest import Service
from tests.contract.refusals import GOOD, THREAD, before_the_database, is_problem, stored
from tests.html import Page

pytestmark = pytest.mark.anyio

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
        "An\u2066n",
        "An\u200fn",
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
    await service.decide(told.json()["id"])
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
    answer = await service.client.get(f"/api/v1/comments/{told.json()['id']}", headers=await service.token())
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
            assert tag in TAGS, tag
            for name, value in attrs:
                assert name in ("href", "rel", "class"), name
                assert name != "href" or str(value).startswith(("http://", "https://")), value

    told = await service.post("why-a-garden-needs-a-gate", body=body)
    assert told.status_code in (201, 202), told.text
    token = await service.token()
    await service.client.post(
        "/api/v1/decisions", json={"comments": [told.json()["id"]], "action": "approve"}, headers=token
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
        "/api/v1/decisions", json={"comments": [told.json()["id"]], "action": "approve"}, headers=token
    )
    for page in (
        "/",
        f"/sites/default/articles/why-a-garden-needs-a-gate/form?parent={told.json()['id']}",
        told.json()["receipt"],
    ):
        text = (await service.client.get(page)).text
        assert "<script>alert" not in text and name in Page(text).text(), page


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
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="Mine", origins=("https://blog.example",)), service.clock())
    service.services.directory.forget()

    async def leads(redirect_to: str, referer: str = "") -> str:
        token = service.services.signer.form_token("default", "post", service.clock())
        service.clock.forward(seconds=5)
        fields = GOOD | {
            "body": f"Words about the garden at {service.clock.now}.",
            "form_token": token,
            "redirect_to": redirect_to,
        }
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
