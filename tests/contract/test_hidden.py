"""Nobody but a moderator learns an email or an address: no public byte depends on either.

Two fresh services with one secret key, one clock and one source of ids get the same comments from other people at other
addresses. Every public byte must be the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from hypothesis import Phase, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from classifier.serving import Classifier
from moderation.app import create_app
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from tests.conftest import SCORING_MS, Clock, Server, Service

ARTICLES = ("post", "why-a-garden-needs-a-gate")
DISALLOWED = ("banned.example", "198.51.100.0/24")


@dataclass(frozen=True)
class Person:
    """What must not be seen."""

    email: str
    address: str

    def traces(self) -> set[str]:
        """Every form in which they could show."""
        found = {self.email, self.address}
        for secret in (self.email, self.email.lower(), self.address):
            found |= {hashlib.new(kind, secret.encode()).hexdigest() for kind in ("md5", "sha1", "sha256", "sha512")}
        return found | {self.email.partition("@")[2], self.email.replace("@", "%40")}


@dataclass(frozen=True)
class Said:
    article: str
    name: str
    body: str
    url: str | None
    is_reply: bool
    is_form: bool


@asynccontextmanager
async def world(classifier: Classifier, disallowed: tuple[str, ...] = ()) -> AsyncIterator[Service]:
    """A service that differs from another such service in nothing: key, clock, ids."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database=str(Path(folder) / "db.sqlite3"),
            models=str(Path(folder) / "models"),
            public_url="http://comments.test",
            secret_key="a secret key that only the tests know",
            demo=True,
            trusted_proxies="10.0.0.0/8",
            scoring_ms=SCORING_MS,
        )
        clock, seeded = Clock(), random.Random(1)
        with mock.patch("moderation.core.ids.secrets.token_bytes", seeded.randbytes):
            app = create_app(settings, classifier=classifier, clock=clock, say=lambda text: None)
            async with app.router.lifespan_context(app):
                async with app.services.database.transaction() as tx:
                    rules = SiteSettings(disallowed=disallowed)
                    await sites.put_site(tx, Site(key="default", name="Mine", origins=(), settings=rules), clock())
                app.services.directory.forget()
                transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("10.1.2.3", 4711))
                async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client:
                    yield Service(app, client, clock, settings)


async def speak(service: Service, said: list[Said], people: list[Person]) -> tuple[list[httpx.Response], list[int]]:
    """The answers, each comment from another person and a second later; and the numbers of those published."""
    answers, published, parent = list[httpx.Response](), list[int](), dict[str, str]()
    for number, (comment, person) in enumerate(zip(said, people, strict=True)):
        path = f"/sites/default/articles/{comment.article}"
        fields = {"name": comment.name, "email": person.email, "body": comment.body}
        if comment.url:
            fields["url"] = comment.url
        if comment.is_reply and comment.article in parent:
            fields["parent"] = parent[comment.article]
        if comment.is_form:
            fields["form_token"] = service.services.signer.form_token("default", comment.article, service.clock.now)
        service.clock.forward(seconds=10)
        headers = {"X-Forwarded-For": person.address}
        body: dict[str, Any] = {"data" if comment.is_form else "json": fields}
        answer = await service.client.post(path + "/comments", headers=headers, **body)
        assert answer.status_code in (201, 202, 303), answer.text
        answers.append(answer)
        is_out = answer.status_code == 201 or "#comment-" in answer.headers.get("location", "")
        if is_out:
            published.append(number)
            parent[comment.article] = (
                answer.json()["id"] if answer.status_code == 201 else answer.headers["location"].rpartition("-")[2]
            )
    return answers, published


async def all_public(service: Service, answers: list[httpx.Response]) -> dict[str, tuple[int, dict[str, str], bytes]]:
    """Every public GET: status, headers and bytes."""
    paths = ["/", "/health/live", "/health/ready", "/openapi.json", "/docs", "/embed.js", "/texts/zh.json"]
    paths.append("/sites/default/counts?" + "&".join(f"article={a}" for a in (*ARTICLES, "none")))
    paths += ["/sites/default/feed", "/sites/default/feed.json", "/demo/what-the-compost-knows", "/privacy"]
    for article in (*ARTICLES, "none"):
        thread = f"/sites/default/articles/{article}/comments"
        paths += [thread, f"{thread}?order=newest", f"{thread}?view=flat&limit=200", f"{thread}?limit=1"]
        paths += [
            f"/sites/default/articles/{article}/{way}"
            for way in ("form-token", "form", "fragment", "feed", "feed.json")
        ]
        paths += [f"/sites/default/articles/{article}/fragment?order=newest&limit=1"]
    for answer in answers:
        receipt = answer.headers.get("location", "") if answer.status_code == 303 else answer.json()["receipt"]
        if "/receipts/" in receipt:
            paths += [(path := receipt.removeprefix("http://comments.test")), f"{path}/data"]
    found = {}
    for path in paths:
        answer = await service.client.get(path)
        found[path] = (answer.status_code, dict(answer.headers), answer.content)
        for avatar in re.findall(rb"/avatars/[0-9a-f]+\.svg", answer.content):
            drawn = await service.client.get(avatar.decode())
            found[avatar.decode()] = (drawn.status_code, dict(drawn.headers), drawn.content)
        if etag := answer.headers.get("etag"):
            again = await service.client.get(path, headers={"If-None-Match": etag})
            found[path + " again"] = (again.status_code, dict(again.headers), again.content)
        if path.endswith("/form"):
            for id in re.findall(rb'"id":"(\w+)"', found.get(path.replace("/form", "/comments"), (0, {}, b""))[2]):
                reply = f"{path}?parent={id.decode()}"
                answer = await service.client.get(reply)
                found[reply] = (answer.status_code, dict(answer.headers), answer.content)
    return found


def told(answers: list[httpx.Response]) -> list[tuple[int, dict[str, str], bytes]]:
    return [(a.status_code, dict(a.headers), a.content) for a in answers]


emails = st.builds(
    lambda local, host: f"{local}@{host}.example",
    st.sampled_from(["zq-ann", "zq-bob", "zq-jörg", "zq+tag", "zq.q.x", "ZQ-Upper"]),
    st.sampled_from(["zq-mail", "zq-bücher", "zq-gate.zq-mail", "zq-work"]),
)
addresses = st.sampled_from(["203.0.113.77", "203.0.113.78", "2001:db8:77::1", "192.0.2.191", "2001:db8:78:1::f"])
people = st.builds(Person, emails, addresses)
words = st.sampled_from(
    ["A kind word about the garden.", "I had the same problem last spring, thanks!", "See https://blog.example/post for more.",
     "Buy cheap viagra http://pills.example BEST PRICE!!!", "*Lovely* and `short`", "名前 is fine here too.", "I do not agree at all."]
)  # fmt: skip
comments = st.builds(
    Said,
    st.sampled_from(ARTICLES),
    st.sampled_from(["Ann", "Bob", "名前", "ann", "<b>Eve</b>"]),
    st.builds("{} ({})".format, words, st.integers(0, 999)),
    st.sampled_from([None, "https://ann.example/", "https://bücher.example"]),
    st.booleans(),
    st.booleans(),
)
conversations = st.lists(comments, min_size=1, max_size=5).flatmap(
    lambda said: st.tuples(st.just(said), *[st.lists(people, min_size=len(said), max_size=len(said), unique_by=lambda p: p.email)] * 2)
)  # fmt: skip
few = effort(max_examples=8, deadline=None, derandomize=True, database=None, phases=[Phase.generate])


def holds_no_trace(pages: dict[str, tuple[int, dict[str, str], bytes]], those: list[Person]) -> None:
    for path, (_, headers, content) in pages.items():
        text = content.decode() + json.dumps(headers, ensure_ascii=False)
        for person in those:
            for trace in person.traces():
                assert trace not in text, f"{path} shows {trace}"


@few
@given(conversations)
def test_no_public_byte_depends_on_an_email_or_an_address(
    classifier: Classifier, talk: tuple[list[Said], list[Person], list[Person]]
) -> None:
    said, those, others = talk
    said = [replace(s, body=f"{s.body} #{i}") for i, s in enumerate(said)]

    async def one(people: list[Person]) -> tuple[Any, Any]:
        async with world(classifier) as service:
            answers, _ = await speak(service, said, people)
            public = await all_public(service, answers)
            holds_no_trace(public, people)
            holds_no_trace({f"answer {i}": a for i, a in enumerate(told(answers))}, people)
            return told(answers), public

    async def both() -> None:
        (answers, public), (other_answers, other_public) = await one(those), await one(others)
        assert answers == other_answers, "not even the status: nobody is on a list"
        assert public.keys() == other_public.keys()
        for path in public:
            assert public[path] == other_public[path], path

    asyncio.run(both())


@few
@given(conversations, st.data())
def test_on_a_list_only_the_status_of_the_post_differs(
    classifier: Classifier, talk: tuple[list[Said], list[Person], list[Person]], data: st.DataObject
) -> None:
    """A listed address or domain files its comment as spam: its author is told what a stranger with a link is told, and
    the readers see the threads as if it had never been sent."""
    said, those, _ = talk
    said = [replace(s, body=f"A kind word, number {i}.", is_form=False, is_reply=False) for i, s in enumerate(said)]
    at = data.draw(st.integers(0, len(said) - 1))
    bad = replace(
        those[at], **data.draw(st.sampled_from([{"email": "zq-x@banned.example"}, {"address": "198.51.100.7"}]))
    )

    def seen(public: dict[str, Any], without: str = "") -> dict[str, Any]:
        """What readers see of the threads, without one comment."""
        found = {}
        for path, (status, _, content) in public.items():
            if "/comments" in path and "limit=1" not in path.replace("limit=1&", "") and not path.endswith("again"):
                thread = json.loads(content)
                shown = [c for c in thread["comments"] if c["id"] != without]
                found[path] = (status, thread["count"] - (len(shown) < len(thread["comments"])), shown)
        return found

    async def run() -> None:
        async with world(classifier, DISALLOWED) as service:
            answers, published = await speak(service, said, those)
            public = await all_public(service, answers)
        async with world(classifier, DISALLOWED) as service:
            others = [bad if i == at else person for i, person in enumerate(those)]
            other_answers, _ = await speak(service, said, others)
            other_public = await all_public(service, other_answers)
            holds_no_trace(other_public, [bad])
        filed = other_answers[at]
        assert filed.status_code == 202
        assert filed.json().keys() == {"id", "status", "edit_token", "receipt"} and filed.json()["status"] == "pending"
        assert [a for i, a in enumerate(told(answers)) if i != at] == [
            a for i, a in enumerate(told(other_answers)) if i != at
        ]
        gone = answers[at].json()["id"] if at in published else ""
        assert seen(other_public) == seen(public, without=gone)

    asyncio.run(run())


def test_the_real_process_says_nothing_of_them_either(start: Callable[..., Server]) -> None:
    """Neither in an answer nor in its log, whatever becomes of the comment."""
    server = start(log_level="DEBUG", trusted_proxies="127.0.0.0/8")
    person = Person("zq-ann@zq-mail.example", "203.0.113.77")
    headers = {"X-Forwarded-For": person.address}
    thread = "/sites/default/articles/post/comments"
    fields = {"name": "Ann", "email": person.email, "body": "A kind word."}
    texts = []
    with httpx.Client(base_url=server.url, headers=headers) as client:
        for sent in (
            fields,
            fields,
            fields | {"body": "See https://blog.example"},
            fields | {"email": person.email + "@", "url": "javascript:" + person.email},
            fields | {"parent": person.email},
            fields | {"name": 5, person.email: 1},
        ):
            texts.append(client.post(thread, json=sent).text)
        raw = json.dumps(fields)
        for broken in (raw[:-1], raw + "x", raw.replace('"Ann"', '"\\u0000"'), raw.replace("Ann", "\udcff")):
            sent_raw = broken.encode("utf-8", "surrogateescape")
            texts.append(client.post(thread, content=sent_raw, headers={"Content-Type": "application/json"}).text)
        for _ in range(12):  # more than a minute's share
            texts.append(client.post(thread, json=fields | {"body": f"Words {len(texts)}."}).text)
        assert '"status":429' in texts[-1]
        client.post(thread, data=fields | {"email": person.email + "@"})  # its own page shows it what it typed
        client.post("/moderate/login", data={"email": person.email, "password": "wrong"})
        for path in (thread, "/", "/sites/default/counts?article=post", "/metrics", "/health/ready", "/openapi.json"):
            texts.append(client.get(path).text)
    shown = "\n".join(texts)
    for trace in person.traces():
        assert trace not in shown, f"an answer shows {trace}"
        assert trace not in server.log and trace not in server.printed, f"the log shows {trace}"
    assert "A kind word" not in server.log


def test_a_failure_is_logged_without_what_was_sent(
    classifier: Classifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception's message may quote a row: the log has its kind and its place only."""
    import logging

    from moderation.core.logs import Lines

    person = Person("zq-ann@zq-mail.example", "203.0.113.77")

    async def run() -> httpx.Response:
        async with world(classifier) as service:

            def fail(*args: Any, **more: Any) -> Any:
                raise RuntimeError(f"cannot store {person.email} from {person.address}: A kind word.")

            with mock.patch.object(service.services.intake, "submit", fail):
                return await service.client.post(
                    "/sites/default/articles/post/comments",
                    json={"name": "Ann", "email": person.email, "body": "A kind word."},
                    headers={"X-Forwarded-For": person.address},
                )

    with caplog.at_level(logging.DEBUG):
        answer = asyncio.run(run())
    assert answer.status_code == 500 and answer.headers["content-type"] == "application/problem+json"
    lines = "\n".join(Lines().format(record) for record in caplog.records if record.name.startswith("moderation"))
    assert "RuntimeError" in lines
    for trace in person.traces() | {"A kind word"}:
        assert trace not in lines and trace not in answer.text
