"""Every way in, with what nobody types: at each field's own maximum it costs at most six times what a quarter of it does,
and whatever takes long is read beside the event loop."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from classifier import similar
from moderation.comments import submission
from moderation.core.problem import Invalid
from moderation.outbox import webhooks
from moderation.policy import rules as policy
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from moderation.team.access import DEVICE_COOKIE
from moderation.team.pages_sign_in import FORM_COOKIE
from moderation.text import bare_addresses, html, markdown, wordlist
from moderation.web.cookies import COOKIE
from tests import growth
from tests.budget import long
from tests.conftest import Service
from tests.team.test_roles import Person, signed_in

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("address", ["sqlite"], indirect=True)]

UNITS = [
    "\u0323\u0301", "\u0344", "\ufdfa", "[a](", "[a][", "*_", "a**", "`", "> ", "- ", "<", "&", "<a href=", "<b><p>",
    "http://a ", "http://x.é/", "://", "a@", "a.", "-", "1 ", "\u200d", "\u202e", "a\n", "賭", "\r\n", '"', "\\",
]  # fmt: skip
RAW = ["\0", "\ud800", *UNITS]
"""What JSON can escape, and no form or header can hold."""
LATIN = [unit for unit in UNITS if unit.isascii() and unit.isprintable()]
"""Fit for a header."""

KB = 1024
number = itertools.count()


def sent(fields: dict[str, Any]) -> dict[str, Any]:
    """As JSON, where half of a pair can only be escaped."""
    text = json.dumps(fields, ensure_ascii=False).replace("\ud800", "\\ud800")
    return {"content": text.encode(), "headers": {"Content-Type": "application/json"}}


THREAD = "/sites/default/articles/post/comments"
COOKIES = (COOKIE, FORM_COOKIE, DEVICE_COOKIE)
QUERIES = (
    THREAD, "/sites/default/counts", "/sites/default/articles/post/related", "/sites/default/feed",
    "/sites/default/articles/post/feed", "/api/v1/comments", "/openapi.json",
)  # fmt: skip


class Ways:
    """Each way in, as a request with a text in one of its fields; all that is sent beside it is new each time."""

    def __init__(self, service: Service, who: Person, program: dict[str, str], waits: str) -> None:
        self.service, self.who, self.program, self.waits = service, who, program, waits

    @property
    def door(self) -> str:
        """What the page to sign in at carries."""
        services = self.service.services
        return str(services.signer.form_token("moderate", "login", services.clock()))

    async def get(self, place: str | httpx.URL, **more: Any) -> httpx.Response:
        return await self.service.client.get(place, **more)

    async def post(self, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        fields = {
            "name": "Ann",
            "email": f"ann{next(number)}@example.org",
            "body": f"A kind word about the garden, {next(number)}.",
        } | more
        told = sent(fields)
        return await self.service.client.post(
            THREAD, content=told["content"], headers=told["headers"] | (headers or {})
        )

    async def form(self, **more: str) -> httpx.Response:
        fields = {
            "name": "Ann",
            "email": f"ann{next(number)}@example.org",
            "body": f"A kind word about the garden, {next(number)}.",
        } | more
        return await self.service.client.post(THREAD, data=fields)

    async def multipart(self, **more: str) -> httpx.Response:
        fields = {
            "name": "Ann",
            "email": f"ann{next(number)}@example.org",
            "body": f"A kind word about the garden, {next(number)}.",
        } | more
        parts = {name: (None, value) for name, value in fields.items()}
        return await self.service.client.post(THREAD, files=parts)

    async def wordpress(self, **more: str) -> httpx.Response:
        self.service.clock.forward(seconds=20)
        fields = {
            "author": "Ann",
            "email": f"ann{next(number)}@example.org",
            "comment": f"A kind word about the garden, {next(number)}.",
        }
        data = fields | {"comment_post_ID": "post"} | more
        return await self.service.client.post("/sites/default/wp-comments-post.php", data=data)

    async def change(self, body: str) -> httpx.Response:
        told = (await self.post()).json()
        place, token = f"{THREAD}/{told['id']}", told["edit_token"]
        return await self.service.client.patch(place, json={"body": body}, headers={"Edit-Token": token})

    async def receipt(self, **fields: str) -> httpx.Response:
        place = (await self.post()).json()["receipt"]
        return await self.service.client.post(place, data=fields)

    async def api(self, method: str, path: str, fields: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        told = sent(fields) if fields else {"headers": {}}
        told["headers"] |= self.program | headers
        return await self.service.client.request(method, path, **told)

    async def analyze(self, text: str, **more: Any) -> httpx.Response:
        fields = {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}, "spanAnnotations": True} | more
        key = self.program["Authorization"].removeprefix("Bearer ")
        return await self.api("POST", "/v1alpha1/comments:analyze", fields, **{"X-Goog-Api-Key": key})

    async def akismet(self, **fields: str) -> httpx.Response:
        """As WordPress' plugin sends it, whose texts are read for slashes."""
        key = self.program["Authorization"].partition(" ")[2]
        known = {
            "api_key": key,
            "blog": "https://blog.example",
            "comment_author": "Ann",
            "comment_content": f"Kind words, {next(number)}.",
        }
        agent = {"User-Agent": "WordPress/7.1 | Akismet/5.7.2"}
        return await self.service.client.post("/1.1/comment-check", data=known | fields, headers=agent)

    async def report(self, **fields: str) -> httpx.Response:
        return await self.service.client.post(f"{THREAD}/{self.waits}/reports", **sent(fields))

    async def report_page(self, **fields: str) -> httpx.Response:
        return await self.service.client.post(f"{THREAD}/{self.waits}/report", data=fields)

    async def cookies(self, text: str) -> httpx.Response:
        """All cookies that are read, bare and in quotes, whose escapes Python's own reader takes in quadratic time."""
        jar = "; ".join(f"{name}={text}" for name in COOKIES)
        quoted = "; ".join(f'{name}="{text}"' for name in COOKIES)
        await self.service.client.get("/moderate", headers={"Cookie": jar})
        return await self.service.client.post(
            "/moderate/login", data={"email": "a@b.example"}, headers={"Cookie": quoted}
        )

    async def query(self, text: str) -> httpx.Response:
        """In every place of readers that has parameters, as a value and as a name."""
        for place in QUERIES:
            await self.service.client.get(place, params={"article": text, "limit": text, "order": text, text: text})
        return await self.service.client.get(f"{THREAD}?{quote(text, safe='&=+;%')}")

    async def match(self, **fields: Any) -> httpx.Response:
        return await self.api("POST", "/api/v1/decisions", {"match": fields, "expected_count": 1, "action": "hold"})

    async def webhook(self, url: str) -> httpx.Response:
        """Commands alone add one."""
        services = self.service.services
        with suppress(Invalid):
            async with services.database.transaction() as tx:
                await webhooks.add(tx, services.signer, url, "*", url, to_private=True, now=self.service.clock())
        return httpx.Response(200)

    async def visit(self, path: str, **query: str) -> httpx.Response:
        return await self.who.ask("GET", path, params=query)


WAYS: dict[str, tuple[Callable[[Ways, str], Awaitable[httpx.Response]], int, list[str]]] = {
    "name": (lambda at, t: at.post(name=t), 240 * KB, RAW),
    "name that fits": (lambda at, t: at.post(name=f"A{t}"), 240, UNITS),
    "email": (lambda at, t: at.post(email=f"{t}@example.org"), 240 * KB, UNITS),
    "email that fits": (lambda at, t: at.post(email=f"a@{t}.example"), 230, UNITS),
    "url": (lambda at, t: at.post(url=f"http://{t}"), 240 * KB, UNITS),
    "body": (lambda at, t: at.post(body=f"x{next(number)}{t}"), 9_900, RAW),
    "body, far too long": (lambda at, t: at.post(body=t), 160 * KB, UNITS),
    "parent": (lambda at, t: at.post(parent=t), 160 * KB, UNITS),
    "another field": (lambda at, t: at.post(**{f"{t}x": 1}), 100 * KB, UNITS),
    "page": (lambda at, t: at.post(page={"title": t, "url": f"http://{t}", "text": t}), 80 * KB, UNITS),
    "form_token": (lambda at, t: at.post(form_token=t), 160 * KB, UNITS),
    "receipt": (lambda at, t: at.post(receipt=t), 160 * KB, UNITS),
    "headers": (lambda at, t: at.post(headers={"Idempotency-Key": t, "Receipt": t, "Referer": t}), 8 * KB, LATIN),
    "form": (lambda at, t: at.form(body=f"x{next(number)}{t}", website=t), 9_900, UNITS),
    "multipart": (lambda at, t: at.multipart(name=t, body=f"x{next(number)}{t}"), 100 * KB, UNITS),
    "WordPress's form": (lambda at, t: at.wordpress(comment=f"x{next(number)}{t}"), 9_900, UNITS),
    "WordPress's author": (lambda at, t: at.wordpress(author=f"<i {t}>Ann"), 160 * KB, UNITS),
    "WordPress's redirect": (lambda at, t: at.wordpress(redirect_to=f"http://a{t}.example/"), 80 * KB, UNITS),
    "an edit": (Ways.change, 9_900, UNITS),
    "an edit on the receipt": (lambda at, t: at.receipt(act="edit", body=f"x{t}"), 9_900, UNITS),
    "an appeal": (lambda at, t: at.receipt(act="appeal", appeal=t), 80 * KB, UNITS),
    "the form page": (lambda at, t: at.get("/sites/default/articles/post/form", params={"parent": t}), 5 * KB, UNITS),
    "a reader's language": (lambda at, t: at.get("/sites/default/articles/post/form", headers={"Accept-Language": t}), 8 * KB, LATIN),
    "a cursor": (lambda at, t: at.get(THREAD, params={"cursor": t}), 5 * KB, UNITS),
    "an ETag": (lambda at, t: at.get(THREAD, headers={"If-None-Match": t}), 8 * KB, LATIN),
    "a receipt's address": (lambda at, t: at.get(f"/receipts/{quote(t, safe='')}"), 5 * KB, UNITS),
    "score": (lambda at, t: at.api("POST", "/api/v1/score", {"text": t}), 24_000, RAW),
    "score, its author": (lambda at, t: at.api("POST", "/api/v1/score", {"text": "a", "author": {"name": t, "url": t, "email_domain": t}}), 80 * KB, RAW),
    "score, many": (lambda at, t: at.api("POST", "/api/v1/score", {"texts": [t[at_: at_ + 4_000] for at_ in range(0, len(t), 4_000)]}), 32_000, UNITS),
    "a text to analyze": (Ways.analyze, 6_800, RAW),
    "a request to analyze": (lambda at, t: at.analyze("a", **{t: {t: [t]}}, clientToken=t, languages=[t], requestedAttributes={t: {}}), 20 * KB, RAW),
    "Akismet's text": (lambda at, t: at.akismet(comment_content=f"x{next(number)}{t}"), 24_000, UNITS),
    "Akismet's author": (lambda at, t: at.akismet(comment_author=t, comment_author_email=t, comment_author_url=f"http://{t}"), 80 * KB, UNITS),
    "Akismet's places": (lambda at, t: at.akismet(blog=t, permalink=t, comment_date_gmt=t, user_ip=t, blog_charset=t, user_role=t), 40 * KB, UNITS),
    "Akismet's form": (lambda at, t: at.service.client.post("/1.1/verify-key", content=t.encode()), 240 * KB, [*UNITS, "&", "%e9", "%", "=", "+"]),
    "Akismet's JSON": (lambda at, t: at.service.client.post("/1.1/submit-ham", **sent({t: [t, {"a": t}]})), 60 * KB, RAW),
    "an article": (lambda at, t: at.api("PUT", f"/sites/default/articles/a{next(number)}", {"title": t[:400], "text": t, "url": f"http://{t[:1_900]}"}), 60_000, RAW),
    "the rules": (lambda at, t: at.api("PUT", "/api/v1/sites/default/rules", {"blocked": [t[n : n + 150] or "a" for n in range(0, len(t), 150)]}), 30_000, RAW),
    "a search": (lambda at, t: at.visit("/moderate", q=t), 5 * KB, UNITS),
    "a filter": (lambda at, t: at.visit("/moderate", article=t, author=t, cursor=t, site=t), KB, UNITS),
    "events": (lambda at, t: at.api("GET", "/api/v1/events", **{"Last-Event-ID": f"{t}x"}), 8 * KB, LATIN),
    "a note": (lambda at, t: at.api("POST", "/api/v1/decisions", {"comments": [t], "action": "hold", "note": t}), 80 * KB, RAW),
    "a reply as staff": (lambda at, t: at.api("POST", f"/api/v1/comments/{at.waits}/replies", {"body": f"x{next(number)}{t}", "name": "Staff", "approve": True}), 9_900, UNITS),
    "a piece to redact": (lambda at, t: at.api("POST", f"/api/v1/comments/{at.waits}/redact", {"text": f"ab {t}"}), 60_000, UNITS),
    "an address to erase": (lambda at, t: at.api("POST", "/api/v1/privacy/erase", {"email": t}), 60_000, RAW),
    "a person's address": (lambda at, t: at.service.client.post("/privacy", data={"email": t}), 60_000, UNITS),
    "a moderator's address": (lambda at, t: at.who.act("invite", email=f"{t}@example.org", role="moderator"), 60_000, UNITS),
    "a moderator's name": (lambda at, t: at.who.ask("POST", "/moderate/account", data={"csrf_token": at.who.csrf, "act": "name", "name": t}), 60_000, UNITS),
    "a password": (lambda at, t: at.service.client.post("/moderate/set-password/none", data={"password": t}), 60_000, UNITS),
    "what if": (lambda at, t: at.api("POST", "/api/v1/what-if", {"site": t, "rules": {t: 1}}), 60_000, RAW),
    "cookies": (Ways.cookies, 10_000, [*LATIN, '\\"', "\\101", ";", "=", "; a="]),
    "readers' queries": (Ways.query, KB, UNITS),
    "a query's pairs": (Ways.query, KB, ["&", "a&", "a=b&", "%", "%41", "+", ";"]),
    "a bearer token": (lambda at, t: at.service.client.get("/api/v1/comments", headers={"Authorization": f"Bearer {t}"}), 8 * KB, LATIN),
    "an author's token": (lambda at, t: at.service.client.patch(f"{THREAD}/{at.waits}", json={"body": "a"}, headers={"Edit-Token": t}), 8 * KB, LATIN),
    "an origin": (lambda at, t: at.post(headers={"Origin": f"http://{t}", "Host": t, "X-Forwarded-For": t, "Content-Language": t}), 4 * KB, LATIN),
    "a content type": (lambda at, t: at.service.client.post(THREAD, content=b"a=b", headers={"Content-Type": f"multipart/form-data; {t}"}), 8 * KB, [*LATIN, ';a="\\', "; a=b"]),
    "a path": (lambda at, t: at.get(f"/sites/default/articles/{quote(t, safe='')}/comments"), 5 * KB, UNITS),
    "a preview": (lambda at, t: at.service.client.post("/sites/default/preview", **sent({"body": t})), 9_900, RAW),
    "a report": (lambda at, t: at.report(reason="spam", note=t), 60_000, RAW),
    "a report's page": (lambda at, t: at.report_page(reason=t, note=t), 40_000, UNITS),
    "a decision on all that match": (lambda at, t: at.match(q=t, article=t), 60_000, RAW),
    "a search of all that match": (lambda at, t: at.match(q=t), 200, UNITS),
    "a check": (lambda at, t: at.api("POST", "/api/v1/sites/default/checks", {"id": t[:200], "text": f"x{next(number)}{t}", "name": t[:200], "article": t[:200]}), 9_900, UNITS),
    "a check's surroundings": (lambda at, t: at.api("POST", "/api/v1/sites/default/checks", {"text": "a", "id": t, "name": t, "email": t, "url": t, "ip": t, "article": t}), 30_000, RAW),
    "Coral's request": (lambda at, t: at.service.client.post("/coral/default", content=t.encode(), headers={"X-Coral-Signature": "sha256=a", "Content-Type": "application/json"}), 60_000, UNITS),
    "a site's address": (lambda at, t: at.who.ask("POST", "/moderate/origin", data={"csrf_token": at.who.csrf, "site": "default", "origin": f"http://{t}"}), 60_000, UNITS),
    "a webhook's address": (lambda at, t: at.webhook(f"https://{t}/"), 60_000, UNITS),
    "a webhook's address that fits": (lambda at, t: at.webhook(f"https://a{t}.example/{t}"), 900, UNITS),
    "a sign-in's address": (lambda at, t: at.service.client.post("/moderate/login", data={"email": f"{t}@example.org", "password": "no", "csrf_token": at.door}), 60_000, UNITS),
}  # fmt: skip
"""Name → (the request, the longest text for it, what it is made of)."""


@pytest.fixture
async def at(service: Service) -> Ways:
    """Where nobody is too fast, and every list has something to look for."""
    rules = SiteSettings(
        per_author_a_minute=0, per_address_a_minute=0, new_articles_an_hour=100_000, max_links=0,
        blocked=("casino", "cheap pills", "*asin*", "spam.example", "*.bad.example", "buy-now", "賭博"),
    )  # fmt: skip
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="My site", settings=rules), service.clock())
    service.services.directory.forget()
    service.have(mails=True)
    program = await service.token("score,teach,moderate,articles,privacy")
    return Ways(service, await signed_in(service), program, await service.held())


NOISE = 0.01
"""Seconds of the processor: a request, and the database's thread beside it, has more of its own than a text has."""


def walks() -> list[Any]:
    """Each way with a seventh of its units, another one for each way; with all the others in the long job."""
    found = []
    for place, (name, (_, _, units)) in enumerate(WAYS.items()):
        some = units[place % 7 :: 7]
        found.append(pytest.param(name, some, id=f"{name}-some"))
        found.append(pytest.param(name, [u for u in units if u not in some], id=f"{name}-the others", marks=long))
    return found


@pytest.mark.parametrize(("name", "units"), walks())
async def test_the_most_that_can_be_sent_costs_six_times_a_quarter_of_it_at_most(
    at: Ways, name: str, units: list[str]
) -> None:
    send, most, _ = WAYS[name]

    async def took(length: int) -> float:
        text = unit * ((length - 6) // len(unit)) + f"{next(number):06}"  # another one each time: much is remembered
        began = time.process_time()
        answer = await send(at, text)
        spent = time.process_time() - began
        assert answer.status_code < 500, (unit, answer.text)
        return spent

    for unit in units:
        whole, quarter = [await took(most)], [await took(most // 4)]
        while min(whole) > growth.MOST * max(min(quarter), NOISE):
            assert len(whole) < growth.ROUNDS, f"{unit!r}: {min(whole):.3f} s, and {min(quarter):.3f} s for a quarter"
            whole.append(await took(most))
            quarter.append(await took(most // 4))


HEAVY = [
    ("body", "[a][", 9_900),
    ("form", "*a_ ", 9_900),
    ("WordPress's form", "<b>a", 9_900),
    ("an edit", "[a](", 9_900),
    ("an edit on the receipt", "> ", 9_900),
    ("a reply as staff", "\ufdfa", 9_900),
    ("score", "[x](http://a", 24_000),
    ("score, many", "[x](http://a", 32_000),
    ("a piece to redact", "a ", 900),
]


@pytest.mark.parametrize(("name", "unit", "length"), HEAVY)
async def test_what_takes_long_is_read_beside_the_loop(
    at: Ways, name: str, unit: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever reads, renders, folds or judges more than a few hundred hostile characters is not in the loop's thread."""

    def read_of(what: Any) -> int:
        """Characters that somebody sent, in whatever form they have come this far."""
        what = what.submission.body if isinstance(what, policy.Case) else what
        what = what.get("body", what.get("blocked")) if isinstance(what, dict) else what
        return len(str(what)) if isinstance(what, str | list) else 0

    loop, elsewhere, here = threading.get_ident(), set[str](), list[str]()

    def watch(module: Any, function: str) -> None:
        original = getattr(module, function)

        def watched(*args: Any, **named: Any) -> Any:
            if read_of(args[0]) > 1_000:
                (here.append if threading.get_ident() == loop else elsewhere.add)(f"{module.__name__}.{function}")
            return original(*args, **named)

        monkeypatch.setattr(module, function, watched)

    for module, function in (
        (markdown, "rendered"), (html._Writer, "write"), (wordlist, "folded"), (submission, "folded"), (submission, "check"),
        (similar, "shingles"), (policy, "judge"), (markdown, "safe"), (bare_addresses, "linked"),
    ):  # fmt: skip
        watch(module, function)
    send, _, _ = WAYS[name]
    answer = await send(at, (unit * length)[:length])
    assert answer.status_code < 500
    assert elsewhere or name == "a piece to redact"
    assert here == []
