"""The service below a path of a site's host (`https://example.org/comments`), behind a real nginx that leaves the path on its
requests and behind one that strips it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect
from starlette.types import Message, Receive, Scope, Send

from moderation.intake.texts import Words
from moderation.settings import SettingsError, load
from moderation.web.prefix import PrefixMiddleware, below
from moderation.web.templating import templates_of
from tests import browser as browsers
from tests import nginx
from tests.budget import daily
from tests.conftest import ROOT, Server, free_port, missing, wait_until
from tests.contract.embedding import embedded, fill, send
from tests.html import Page, attribute
from tests.outbox.postbox import Postbox
from tests.web.sample_pages import SAMPLES

PASSWORD = "four unrelated garden words"
PREFIX = "/comments"
A_PATTERN = 4
"""Addresses that are visited of each path and set of query names: a list's filters make hundreds."""


@dataclass
class Site:
    """A host with a blog and, below the prefix, the service."""

    server: Server
    origin: str
    blog: Path

    @property
    def base(self) -> str:
        return self.origin + PREFIX


@pytest.fixture(params=daily(["prefix left on", "prefix stripped"], 1))
def site(request: pytest.FixtureRequest, start: Callable[..., Server], tmp_path: Path, box: Postbox) -> Iterator[Site]:
    if nginx.program() is None:
        missing("nginx is not installed")
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    server = start(
        public_url=f"{origin}{PREFIX}/",
        trusted_proxies="127.0.0.1",
        smtp_url=box.url,
        mail_from="comments@blog.example",
    )
    strips = request.param == "prefix stripped"
    with nginx.in_front(server.url, port, PREFIX, tmp_path / "nginx", strips=strips) as blog:
        yield Site(server, origin, blog)


def set_password_link(site: Site) -> str:
    return next(word for word in site.server.printed.split() if "/moderate/set-password/" in word)


def signed_in(site: Site) -> httpx.Client:
    """A client with the first moderator's session. Every cookie belongs to the prefix."""
    client = httpx.Client(follow_redirects=False, timeout=30)
    link = set_password_link(site)
    assert link.startswith(f"{site.base}/moderate/set-password/")
    page = Page(client.get(link).raise_for_status().text)
    chosen = client.post(
        link, data={"csrf_token": page.value("csrf_token")} | {"password": PASSWORD, "repeat": PASSWORD}
    )
    assert (chosen.status_code, chosen.headers["location"]) == (303, f"{PREFIX}/moderate/login")
    page = client.get(f"{site.base}/moderate/history")
    assert page.status_code == 303 and page.headers["location"].startswith(f"{PREFIX}/moderate/login?next=")
    form = Page(client.get(site.origin + page.headers["location"]).raise_for_status().text).form(
        f"{PREFIX}/moderate/login"
    )
    who = {"email": "moderator@example.org", "password": PASSWORD}
    begun = client.post(f"{site.base}/moderate/login", data=form.filled() | who)
    assert (begun.status_code, begun.headers["location"]) == (303, f"{PREFIX}/moderate/history")
    assert {cookie.path for cookie in client.cookies.jar} == {PREFIX, f"{PREFIX}/moderate"}
    return client


def post(site: Site, body: str, **more: Any) -> dict[str, Any]:
    name = f"Reader {abs(hash(body)) % 10_000}"
    fields = {"name": name, "email": f"{name[7:]}@reader.example", "body": body} | more
    answer = httpx.post(
        f"{site.base}/sites/default/articles/{more.pop('article', 'post')}/comments", json=fields, timeout=30
    )
    assert answer.status_code in (201, 202), answer.text
    found: dict[str, Any] = answer.json()
    return found


def addresses_in(page: Page) -> Iterator[tuple[str, str]]:
    """Element's name and address, of everything on a page that leads somewhere."""
    for name in ("href", "src", "action", "formaction"):
        for element in page.all(f"[{name}]"):
            yield element.name, attribute(element, name)


def walked(site: Site, client: httpx.Client, starts: list[str]) -> Counter[str]:
    """Follows every link, form and asset from these addresses on; the number of visits of each path. None leaves the prefix for
    another path of the host, and each is there."""
    waiting, seen, patterns, visits = list(starts), set(starts), Counter[str](), Counter[str]()
    while waiting:
        address = waiting.pop()
        answer = client.get(address)
        path = urlsplit(address).path
        visits[path] += 1
        # 301: nginx leads from the prefix to its slash; 405: a form's address
        assert answer.status_code in (200, 301, 303, 307, 405), f"{answer.status_code} at {address}"
        following = [answer.headers["location"]] if "location" in answer.headers else []
        kind = answer.headers.get("content-type", "")
        if "html" in kind:
            following += [found for _, found in addresses_in(Page(answer.text))]
        elif "atom" in kind:
            following += re.findall(r'(?:href|uri)="([^"]+)"', answer.text)
        elif "css" in kind:
            following += re.findall(r"url\(([^)]+)\)", answer.text)
        for found in following:
            place = urljoin(address, found).split("#")[0]
            parts = urlsplit(place)
            if f"{parts.scheme}://{parts.netloc}" != site.origin:
                continue
            assert parts.path == PREFIX or parts.path.startswith(PREFIX + "/"), f"{found} on {address}"
            assert not parts.path.startswith(PREFIX * 2), f"{found} on {address}"
            pattern = re.sub(r"[0-9A-Za-z_-]{16,}", "ID", parts.path) + re.sub(r"=[^&]*", "", parts.query)
            if place not in seen and patterns[pattern] < A_PATTERN:
                patterns[pattern] += 1
                seen.add(place)
                waiting.append(place)
    return visits


def test_everything_stands_below_the_prefix(site: Site, box: Postbox) -> None:
    client = signed_in(site)
    shown = post(site, "A kind word about the garden and its gate.", email="ann@mail.example", notify=True)
    held = post(site, "See https://bela.example/gate for a drawing of ours.")
    below_it = post(site, "Thank you for this kind word about the gate.", parent=shown["id"])
    article = f"{site.base}/sites/default/articles/post"
    assert shown["status"] == "approved" and held["receipt"].startswith(f"{site.base}/receipts/"), (shown, held)
    avatar = client.get(f"{article}/comments").json()["comments"][0]["author"]["avatar"]
    wait_until(lambda: bool(box.mails), "the mail that asks to confirm")
    links = re.findall(r"http://[^\s<>]+", box.mails[0].get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert any(link.startswith(f"{site.base}/subscriptions/") for link in links), links
    starts = [
        f"{site.base}/", f"{site.base}/moderate", f"{site.base}/docs", f"{site.base}/openapi.json", f"{site.base}/privacy",
        f"{site.base}/embed.js", f"{site.base}/moderate/comments/{held['id']}", f"{article}/form", f"{article}/fragment",
        f"{article}/feed", f"{article}/form?parent={shown['id']}", f"{site.base}/sites/default/feed", avatar, *links,
        *(one["receipt"] for one in (shown, held, below_it)),
    ]  # fmt: skip
    visits = walked(site, client, starts)
    expected = [
        "/static/console.css", "/static/page.css", "/static/deciding.js", "/static/gate.svg", "/moderate/policy",
        "/moderate/what-if", "/moderate/rules", "/moderate/stats", "/moderate/account", "/moderate/moderators",
        "/moderate/mail", "/moderate/history", "/moderate/logout", "/demo/the-night-train-north", "/moderate/decisions",
        f"/moderate/comments/{held['id']}/reply", f"/moderate/comments/{held['id']}/redact",
    ]  # fmt: skip
    assert [path for path in expected if not visits[PREFIX + path]] == []
    assert client.get(f"{site.base}/openapi.json").json()["servers"] == [{"url": site.base}]
    slash = client.get(f"{site.base}/moderate/")
    assert (slash.status_code, slash.headers["location"]) == (307, f"{PREFIX}/moderate")
    nothing = client.get(f"{site.base}/nothing", headers={"Accept": "text/html"})
    assert nothing.status_code == 404 and f'href="{PREFIX}/static/page.css"' in nothing.text
    assert "proxy: ok" in site.server.run("check", check=False).stdout


def test_people_post_and_moderate_below_the_prefix(site: Site, browser: Browser) -> None:
    page = browser.new_page()
    said = browsers.watched(page)
    page.goto(f"{site.base}/")
    browsers.write(page, "I drew our own gate: https://bela.example/gate")
    expect(page.get_by_role("heading", name="Your comment is awaiting moderation.")).to_be_visible()
    assert page.url.startswith(f"{site.base}/receipts/")
    browsers.choose_password(page, set_password_link(site), PASSWORD)
    with page.expect_response(lambda answer: "/api/v1/events" in answer.url) as stream:
        browsers.sign_in(page, "moderator@example.org", PASSWORD)
    assert stream.value.status == 200 and stream.value.url.startswith(f"{site.base}/api/v1/events")
    assert page.url == f"{site.base}/moderate"
    row = page.locator("[data-row]").filter(has_text="I drew our own gate")
    row.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("1 comment approved")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("undone")
    row.get_by_role("button", name="Approve").click()
    expect(page.locator("#main")).to_contain_text("Nothing waits")
    wait_until(lambda: "I drew our own gate" in httpx.get(f"{site.base}/").text, "the comment to be approved")
    assert said == []

    (site.blog / "index.html").write_text(
        f'<!doctype html><html lang="en"><title>A post</title><script src="{PREFIX}/embed.js" defer></script>'
        '<h1>A post</h1><leave-a-reply article="embedded"></leave-a-reply></html>'
    )
    embedded(page, f"{site.origin}/")
    fill(page, "The blog and its comments share one host here.")
    send(page)
    expect(page.locator("leave-a-reply .said")).to_contain_text("share one host here")
    shown = httpx.get(f"{site.base}/sites/default/articles/embedded/comments").json()
    assert shown["count"] == 1
    assert [text for text in said if "favicon" not in text and "404" not in text] == []


# --- the middleware by itself ------------------------------------------------------------------------------------------


async def seen_by_the_service(prefix: str, path: str) -> tuple[str, str]:
    """The path, and the raw path, that the service sees of a request."""
    seen: list[Scope] = []

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    segments = ["sites", "moderate", "static", "receipts", "privacy"]
    middleware = PrefixMiddleware(service, prefix, segments)
    scope = {"type": "http", "path": unquote(path), "raw_path": path.encode()}
    await middleware(scope, nothing, nothing)
    return seen[0]["path"], seen[0]["raw_path"].decode()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("prefix", "path", "service"),
    [
        ("/comments", "/comments/moderate", "/moderate"),
        ("/comments", "/moderate", "/moderate"),
        ("/comments", "//moderate", "/moderate"),
        ("/comments", "/comments", "/"),
        ("/comments", "/comments/", "/"),
        ("/comments", "/commentsmoderate", "/commentsmoderate"),
        ("/a/b", "/a/b/sites/x/counts", "/sites/x/counts"),
        ("/a/b", "/a/sites", "/a/sites"),
        ("/caf%C3%A9", "/caf%C3%A9/sites/%7Ex", "/sites/%7Ex"),
        ("/caf%C3%A9", "/caf%c3%a9/sites/x", "/sites/x"),
        # a prefix that is named like a path of the service
        ("/sites", "/sites/sites/default/counts", "/sites/default/counts"),
        ("/sites", "/sites/default/counts", "/sites/default/counts"),
        ("/sites", "/sites/moderate", "/moderate"),
        ("/moderate", "/moderate", "/moderate"),
        ("/moderate", "/moderate/moderate/login", "/moderate/login"),
        ("/moderate", "/moderate/login", "/moderate/login"),
    ],
)
async def test_a_request_s_path_without_the_prefix(prefix: str, path: str, service: str) -> None:
    assert await seen_by_the_service(prefix, path) == (unquote(service), service)


@pytest.mark.anyio
async def test_an_answer_s_headers_get_the_prefix() -> None:
    given = [
        (b"Location", b"/moderate?a=/b"),
        (b"location", b"https://blog.example/post"),
        (b"location", b"//blog.example/post"),
        (b"set-cookie", b"a=b; HttpOnly; Path=/; SameSite=lax"),
        (b"set-cookie", b"a=/b; Path=/moderate; Secure"),
        (b"link", b"/static"),
    ]

    async def service(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 303, "headers": given})

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    await PrefixMiddleware(service, "/comments", [])({"type": "http", "path": "/", "raw_path": b"/"}, receive, send)
    assert [value for _, value in sent[0]["headers"]] == [
        b"/comments/moderate?a=/b",
        b"https://blog.example/post",
        b"//blog.example/post",
        b"a=b; HttpOnly; Path=/comments; SameSite=lax",
        b"a=/b; Path=/comments/moderate; Secure",
        b"/static",
    ]


def test_templates_get_the_prefix_and_what_readers_wrote_does_not() -> None:
    environment = templates_of(ROOT / "moderation", "/comments")
    source = (
        '<a href="/moderate">/moderate</a><a href="//x.example/">x</a><form action="{{ action }}"><b formaction="{{ one ~ two }}/c">'
        '<a href="{{ url }}">{{ text }}</a><a href="#a"></a><img src="/static/a.svg"><i data-href="/left">{{ html|safe }}</i>'
    )
    values = {"action": "/sites/x", "one": "/on", "two": "e", "url": "https://blog.example/", "text": ' href="/x"',
              "html": '<a href="/x">'}  # fmt: skip
    assert environment.from_string(source).render(values) == (
        '<a href="/comments/moderate">/moderate</a><a href="//x.example/">x</a><form action="/comments/sites/x">'
        '<b formaction="/comments/one/c"><a href="https://blog.example/"> href=&#34;/x&#34;</a><a href="#a"></a>'
        '<img src="/comments/static/a.svg"><i data-href="/left"><a href="/x"></i>'
    )
    with pytest.raises(AssertionError, match="a whole address is written or computed"):
        environment.from_string('<a href="{% if x %}/a{% endif %}">')
    for name in environment.list_templates(extensions=["html"]):
        environment.get_template(name)  # each is written so


@pytest.mark.parametrize("name", SAMPLES)
def test_every_page_leads_below_the_prefix(name: str) -> None:
    room, template, context = SAMPLES[name]
    values = context | ({"t": Words()} if room == "public" else {})
    plain, prefixed = (
        [
            place
            for _, place in addresses_in(
                Page(templates_of(ROOT / "moderation", prefix).get_template(template).render(values))
            )
        ]
        for prefix in ("", "/comments")
    )
    assert prefixed == [below("/comments", place) for place in plain] and prefixed


def test_below() -> None:
    assert [below("/c", place) for place in ("/", "/a", "//a", "", "https://a/", "#a", "?a")] == [
        "/c/", "/c/a", "//a", "", "https://a/", "#a", "?a",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://example.org/comments/", "https://example.org/comments"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("https://example.org/café", "https://example.org/caf%C3%A9"),
        ("https://example.org/caf%C3%A9/", "https://example.org/caf%C3%A9"),
        ("https://example.org/", "https://example.org"),
    ],
)
def test_the_base_address(given: str, base: str) -> None:
    assert load(public_url=given).base == base


@pytest.mark.parametrize(
    "wrong",
    ["https://a.example/?x", "https://a.example/#x", "https://a.example//x", "https://a.example/x/../y",
     "https://a.example/x/%2e%2e/y", "https://ann@a.example/", "https://a.example/x\\y"],
)  # fmt: skip
def test_an_address_that_nothing_can_stand_below_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="MODERATION_PUBLIC_URL must be an address"):
        load(public_url=wrong)
