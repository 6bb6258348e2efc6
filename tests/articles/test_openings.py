"""Articles that comments open: their first comment decides nothing of them, and a flood of them closes a site to nobody."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from moderation.intake import admission
from moderation.privacy import retention
from moderation.privacy.retention import Keep
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from moderation.transfer import store_backup as dump
from tests.conftest import Service
from tests.html import Page
from tests.queue.test_decide import set_password, sign_in

pytestmark = pytest.mark.anyio

PAGE = {
    "title": "An allotment, posing as the garden",
    "url": "https://blog.example/garden",
    "published_at": "2001-01-01T00:00:00Z",
    "text": "The words of a stranger on what this page is about.",
}
MINE = ("https://blog.example",)


async def site(service: Service, origins: tuple[str, ...] = MINE, **rules: Any) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="Mine", origins=origins, settings=SiteSettings(**rules)), 1)
    service.services.directory.forget()


async def decide(service: Service, id: str, action: str) -> str:
    answer = await service.client.post(
        "/api/v1/decisions", json={"comments": [id], "action": action}, headers=await service.token()
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def public(service: Service, article: str = "garden") -> tuple[str, str | None]:
    """The title and the address that readers are told, in every way that they are."""
    told = (await service.thread(article))["article"]
    assert told["published_at"] is None
    title, url = told["title"], told["url"]
    path = f"/sites/default/articles/{article}"
    seen = [
        (await service.client.get(f"{path}/{name}")).text
        for name in ("comments", "feed", "feed.json", "form", "fragment", "../../feed", "../../feed.json")
    ]
    seen.append((await service.client.get("/sites/default/articles/the-night-train-north/related?limit=10")).text)
    for text in seen:
        assert PAGE["text"] not in text
        assert title or PAGE["title"] not in text
        assert url or PAGE["url"] not in text
    return title, url


SHOWN, HIDDEN = (PAGE["title"], PAGE["url"]), ("", None)


# --- what the first comment says of its page ------------------------------------------------------------------------------


async def test_the_first_comment_closes_nothing(service: Service) -> None:
    await site(service, close_after_days=30)
    assert (await service.post("garden", page=PAGE)).status_code == 201
    assert (await service.thread("garden"))["article"]["comments_open"] is True
    assert (await service.post("garden")).status_code == 201


async def test_what_a_page_is_called_is_public_once_a_person_has_approved_a_comment_there(service: Service) -> None:
    await site(service)
    first = (await service.post("garden", page=PAGE)).json()
    assert await public(service) == HIDDEN, "a machine's approval is nobody's word"
    await decide(service, (await service.post("another")).json()["id"], "approve")
    assert await public(service) == HIDDEN
    held = await service.held("garden")
    assert await public(service) == HIDDEN
    decision = await decide(service, held, "approve")
    assert await public(service) == SHOWN
    related = await service.client.get("/sites/default/articles/the-night-train-north/related?limit=10")
    assert PAGE["url"] in related.text
    undone = await service.client.post(f"/api/v1/decisions/{decision}/undo", headers=await service.token())
    assert undone.status_code == 200
    assert await public(service) == HIDDEN, "what hung on it is taken back"
    related = await service.client.get("/sites/default/articles/the-night-train-north/related?limit=10")
    assert PAGE["url"] not in related.text
    await decide(service, first["id"], "approve")
    assert await public(service) == SHOWN


@pytest.mark.parametrize("action", ["spam", "reject", "delete"])
async def test_what_spam_proposed_is_not_made_public_by_anothers_approval(service: Service, action: str) -> None:
    await site(service)
    junk = (await service.post("garden", page=PAGE)).json()
    await decide(service, junk["id"], action)
    await decide(service, (await service.post("garden")).json()["id"], "approve")
    assert await public(service) == HIDDEN


@pytest.mark.parametrize("origins", [(), ("https://blog.example:8443",), ("http://blog.example",)])
async def test_an_address_elsewhere_is_public_only_once_its_origin_is_allowed(
    service: Service, origins: tuple[str, ...]
) -> None:
    await site(service, origins)
    first = (await service.post("garden", page=PAGE)).json()
    await decide(service, first["id"], "approve")
    assert await public(service) == HIDDEN
    form = {"name": "Ann", "email": "ann@example.org", "body": "A word by the form."}
    answer = await service.client.post("/sites/default/articles/garden/comments", data=form)
    assert "blog.example" not in answer.headers["location"]
    await site(service, (*origins, *MINE))
    await decide(service, (await service.post("garden")).json()["id"], "approve")
    assert await public(service) == SHOWN


async def test_a_moderators_own_reply_is_no_approval_of_a_readers_comment(service: Service) -> None:
    await site(service)
    first = (await service.post("garden", page=PAGE)).json()
    token = await service.token()
    answer = await service.client.post(
        f"/api/v1/comments/{first['id']}/replies", json={"body": "Thank you.", "name": "The house"}, headers=token
    )
    assert answer.status_code == 201
    await decide(service, await service.held("garden"), "reject")
    assert await public(service) == HIDDEN


async def test_what_the_site_says_stands_and_ends_what_was_proposed(service: Service) -> None:
    await site(service)
    first = (await service.post("garden", page=PAGE)).json()
    token = await service.token("articles")
    path = "/sites/default/articles/garden"
    await service.client.put(path, json={"title": "The garden"}, headers=token)
    decision = await decide(service, first["id"], "approve")
    assert await public(service) == ("The garden", None)
    await service.client.post(f"/api/v1/decisions/{decision}/undo", headers=await service.token())
    assert await public(service) == ("The garden", None)


async def test_moderators_see_what_is_proposed_as_a_proposal(service: Service) -> None:
    await site(service)
    await service.post("garden", page=PAGE)
    held = await service.held("garden")
    await set_password(service)
    await sign_in(service)
    for path in ("/moderate", f"/moderate/comments/{held}"):
        page = Page((await service.client.get(path)).text)
        assert f"(proposed, not public yet: {PAGE['title']} · {PAGE['url']})" in page.text()
        assert f"{PAGE['title']} · {PAGE['url']}" in page.texts("bdi") and not page.has(f'[href="{PAGE["url"]}"]')
    await decide(service, held, "approve")
    page = Page((await service.client.get(f"/moderate/comments/{held}")).text)
    assert "proposed" not in page.text() and page.has(f'a[href="{PAGE["url"]}"]')


# --- how many there may be ------------------------------------------------------------------------------------------------


async def from_network(service: Service, number: int, article: str) -> tuple[int, str]:
    answer = await service.post(article, headers={"X-Forwarded-For": f"198.51.100.{number}"})
    return answer.status_code, answer.json().get("code") or answer.json()["id"]


async def test_one_networks_junk_keys_close_the_site_to_nobody_else(service: Service) -> None:
    await site(service, new_articles_an_hour=3)
    service.services.authenticator.trusted = (ip_network("203.0.113.9/32"),)
    for n in range(3):
        assert (await from_network(service, 1, f"junk-{n}"))[0] == 201
    assert await from_network(service, 1, "junk-3") == (429, "too_many_articles")
    assert (await from_network(service, 1, "junk-0"))[0] == 201, "what exists is open to everybody"
    assert (await from_network(service, 2, "a-new-post"))[0] == 201
    assert (await from_network(service, 1, "a-new-post"))[0] == 201
    service.clock.forward(hours=1)
    assert (await from_network(service, 1, "junk-4"))[0] == 201


async def test_what_the_site_registers_itself_counts_for_nobody(service: Service) -> None:
    await site(service, new_articles_an_hour=1)
    token = await service.token("articles")
    for n in range(3):
        await service.client.put(f"/sites/default/articles/mine-{n}", json={"title": "Mine"}, headers=token)
    assert (await service.post("new")).status_code == 201
    assert (await service.post("newer")).status_code == 429


async def test_past_the_sites_bound_the_first_comment_is_held_and_never_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert admission.NEW_ARTICLES == 1_000
    monkeypatch.setattr(admission, "NEW_ARTICLES", 3)
    service.services.authenticator.trusted = (ip_network("203.0.113.9/32"),)
    for n in range(3):
        assert (await from_network(service, n, f"junk-{n}"))[0] == 201
    status, id = await from_network(service, 9, "a-new-post")
    assert status == 202
    shown = (await service.client.get(f"/api/v1/comments/{id}", headers=await service.token())).json()
    assert shown["status"] == "pending"
    assert [reason["rule"] for reason in shown["verdict"]["reasons"] if "rule" in reason] == ["new-article"]
    assert (await from_network(service, 10, "a-new-post"))[0] == 201, "only the first one waits"
    assert (await from_network(service, 10, "junk-1"))[0] == 201
    waiting = await service.client.get("/api/v1/comments?rule=new-article", headers=await service.token())
    assert [c["id"] for c in waiting.json()["comments"]] == [id]
    service.clock.forward(hours=1)
    assert (await from_network(service, 9, "a-later-post"))[0] == 201


async def test_an_edit_does_not_release_it(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "NEW_ARTICLES", 0)
    told = (await service.post("new")).json()
    edit = await service.client.patch(
        f"/sites/default/articles/new/comments/{told['id']}",
        json={"body": "A kind word, put a little better."},
        headers={"Edit-Token": told["edit_token"]},
    )
    assert edit.status_code == 202


# --- what is kept of it --------------------------------------------------------------------------------------------------


async def kept(service: Service) -> list[list[Any]]:
    async with service.services.database.reading() as session:
        return [list(row) async for row in dump.rows(session, "article_openings")]


async def test_who_opened_it_is_forgotten_after_a_day_and_a_proposal_stays(service: Service) -> None:
    await site(service)
    await service.post("bare")
    await service.post("garden", page=PAGE)
    opened = await kept(service)
    assert [row[1] for row in opened] == ["bare", "garden"] and all(row[3] for row in opened)
    service.clock.forward(hours=24)
    await retention.purge(service.services.database, Keep(), service.clock())
    assert [(row[1], row[3], row[5]) for row in await kept(service)] == [("garden", "", PAGE["title"])]


async def test_an_erased_person_leaves_none(service: Service) -> None:
    await site(service)
    await service.post("garden", page=PAGE, email="ann@example.org")
    await service.post("another", page=PAGE)
    token = await service.token("privacy")
    await service.client.post("/api/v1/privacy/erase", json={"email": "ann@example.org"}, headers=token)
    assert [row[1] for row in await kept(service)] == ["another"]
