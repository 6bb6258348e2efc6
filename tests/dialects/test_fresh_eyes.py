"""What a pair of fresh eyes found: filler, decisions that were lifted, checks that became public, links that others follow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from classifier.examples import Asked
from classifier.serving import OVERLAP, in_pieces
from classifier.views import LONGEST
from moderation.dialects.checks import followed_hosts
from moderation.sites import store as sites
from tests.conftest import Service
from tests.dialects.conftest import new_key

CHECKS = "/api/v1/sites/default/checks"
KIND = "A kind word about the garden: the beans grow well this year."
INSULT = "You are a stupid idiot, shut up and die."
SHOP = "https://fence-shop.example/"


async def check(service: Service, **fields: Any) -> Any:
    answer = await service.client.post(CHECKS, json={"text": KIND} | fields, headers=await service.token("score,teach"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def decide(service: Service, id: str, action: str) -> None:
    token = await service.token("score,teach")
    assert (await service.client.post(f"{CHECKS}/{id}/decisions", json={"action": action}, headers=token)).is_success


@pytest.mark.anyio
@pytest.mark.parametrize(
    "filler",
    [" " * 20_100, "\n" * 20_000, "Nice words. " * 4_000, "\u200b" * 21_842, "&" * 13_105, "<b></b>" * 9_300],
    ids=["spaces", "lines", "words", "zero-width", "escaped", "tags"],
)
async def test_nothing_hides_behind_filler(service: Service, filler: str) -> None:
    for format in ("plain", "html", "markdown"):
        made = await check(service, text=f"Nice {filler} {INSULT}", format=format, store=False)
        assert made["action"] != "publish", format


@pytest.mark.anyio
async def test_nothing_hides_in_analyze_either(service: Service) -> None:
    key = (await service.token("score"))["Authorization"].removeprefix("Bearer ")
    body = {"comment": {"text": " " * 20_000 + INSULT}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]}
    answer = (await service.client.post(f"/v1alpha1/comments:analyze?key={key}", json=body)).json()
    assert answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] > 0.9


def test_pieces_overlap_and_cover_the_text() -> None:
    text = "".join(chr(97 + n % 26) for n in range(3 * LONGEST))
    pieces, places = in_pieces([Asked("short"), Asked(text), Asked("b" * LONGEST)])
    assert [at.stop - at.start for at in places] == [1, 4, 1]
    joined = pieces[1].text + "".join(piece.text[OVERLAP:] for piece in pieces[2:5])
    assert joined == text


@pytest.mark.anyio
async def test_no_command_makes_a_check_public(service: Service) -> None:
    made = await check(service, text="A rare word: quagswagging.", name="Ann")
    assert made["status"] == "approved"
    async with service.services.database.reading() as session:
        assert await sites.unlisted(session, "default") == {}
        (article,) = (await sites.articles(session, "default", ["checks:"])).values()
    async with service.services.database.transaction() as tx:
        await sites.put_article(tx, replace(article, is_listed=True))
    for feed in ("feed", "feed.json"):
        assert "quagswagging" not in (await service.client.get(f"/sites/default/{feed}")).text


@pytest.mark.anyio
@pytest.mark.parametrize("action", ["spam", "reject", "delete"])
async def test_what_was_refused_stays_refused_asked_again_or_changed(service: Service, action: str) -> None:
    fields = {"text": f"{KIND} {action}", "name": "Ann", "email": "ann@example.org"}
    made = await check(service, **fields)
    assert made["action"] == "publish"
    await decide(service, made["id"], action)
    again = await check(service, **fields)
    assert again["id"] == made["id"] and again["action"] == "spam"
    assert again["reasons"][0]["rule"] == "decided"
    token = await service.token("score,teach")
    for text in (KIND + " Changed.", f"Look {SHOP}"):
        changed = (await service.client.patch(f"{CHECKS}/{made['id']}", json={"text": text}, headers=token)).json()
        assert changed["status"] == {"spam": "spam", "reject": "rejected", "delete": "deleted"}[action]


@pytest.mark.anyio
async def test_a_key_that_teaches_opens_no_links_for_readers(service: Service) -> None:
    for number in range(3):
        await check(
            service,
            id=f"l{number}",
            text=f"I saw it at {SHOP}{number}",
            name=f"Ann {number}",
            email=f"a{number}@example.org",
        )
        await decide(service, f"l{number}", "approve")
    assert (await service.post(body=f"Have a look at {SHOP}x, it is good.")).status_code == 202
    known = await check(service, text=f"Have a look at {SHOP}y, it is good.", name="Bob")
    assert known["action"] == "publish"  # among the comments of that system the host is known


@pytest.mark.parametrize(
    ("source", "host"),
    [
        ('<a href="//evil.example/x">a</a>', "evil.example"), ("<a href='/\\evil.example'>a</a>", "evil.example"),
        ("<a href=ftp://evil.example/x>a</a>", "evil.example"), ('<a href="https:/evil.example">a</a>', "evil.example"),
        ('<a href="http:\\\\evil.example">a</a>', "evil.example"), ('<img src="https://evil.example/a.png">', "evil.example"),
        ('<a href="https://ev%69l.example/">a</a>', "evil.example"), ('<a href="https://ev\u00adil.example/">a</a>', "evil.example"),
    ],
)  # fmt: skip
def test_links_that_another_system_follows_are_links(source: str, host: str) -> None:
    assert followed_hosts(source) == (host,)


def test_a_plain_link_is_counted_once() -> None:
    assert followed_hosts('<a href="https://fine.example/x">a</a> and <a href="/local">b</a>') == ()


@pytest.mark.anyio
async def test_a_disallowed_domain_is_found_however_it_is_written(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        site = (await sites.sites(tx, ["default"]))["default"]
        settings = site.settings.model_copy(update={"disallowed": ("evil.example",)})
        await sites.put_site(tx, type(site)(key="default", name=site.name, settings=settings), service.clock())
    for href in ("//evil.example", "/\\evil.example", "ftp://evil.example", "https://ev%69l.example"):
        made = await check(service, text=f'<p>Nice. <a href="{href}/x">words</a></p>', format="html", store=False)
        assert made["action"] == "spam", href


@pytest.mark.anyio
@pytest.mark.parametrize(
    "link",
    [
        "https://tube.example/redirect?q=evil.com",
        "https://tube.example/x?q=evil%2Ecom",
        "https://tube.example/x?u=https%253A%252F%252Fevil.com",
    ],
)
async def test_a_known_host_that_leads_on_is_a_strangers_link(service: Service, link: str) -> None:
    for number in range(3):
        id = await service.held(body=f"I saw it at https://tube.example/watch?v={number}, number {number}.")
        await service.decide(id)
    assert (await service.post(body="Have a look at https://tube.example/watch?v=9")).status_code == 201
    assert (await service.post(body=f"Have a look at {link}")).status_code == 202


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["WhatsApp +49 151 23456789", "Telegram: @fence_builder", "Helpline 98765 432 10"])
async def test_a_contact_in_the_name_waits(service: Service, name: str) -> None:
    assert (await service.post(name=name)).status_code == 202


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/coral/default/", "//coral/default", "/coral/default/x", "/coral", "/coral/none"])
async def test_coral_publishes_after_no_path(service: Service, path: str) -> None:
    answer = await service.client.post(f"http://comments.test{path}", json={"comment": {"body": KIND}})
    assert answer.status_code == 200 and answer.json()["status"] == "SYSTEM_WITHHELD"


@pytest.mark.anyio
async def test_a_slash_too_many_costs_no_guid(service: Service) -> None:
    key = await new_key(service)
    sent = {"api_key": key, "blog": "https://blog.example", "comment_content": KIND}
    answer = await service.client.post("http://comments.test//1.1/comment-check", data=sent)
    assert answer.text == "false" and len(answer.headers["x-akismet-guid"]) == 32


@pytest.mark.anyio
async def test_an_id_with_a_line_end_is_refused(service: Service) -> None:
    answer = await service.client.post(
        CHECKS, json={"text": KIND, "id": "a\nb"}, headers=await service.token("score,teach")
    )
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "id"
