"""From a comment: its article closed, its author, network or a domain kept out; and each taken back, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.comments.model import Comment
from moderation.policy import settings_history
from moderation.policy import store_settings_history as past_settings
from moderation.queue import block
from moderation.sites import store as sites
from moderation.sites.model import Site
from tests.conftest import Service
from tests.html import Page, csrf
from tests.queue.test_decide import set_password, sign_in

pytestmark = pytest.mark.anyio
SENT = {"email": "eve@spammer.example", "url": "https://www.pills.example/a", "body": "See https://blog.example/one"}


async def ask(service: Service, who: dict[str, str], id: str, what: Any, how: str = "block") -> Any:
    return await service.client.post(f"/api/v1/comments/{id}/{how}", json={"target": what}, headers=who)


async def status(service: Service, who: dict[str, str], **sent: Any) -> str:
    """What becomes of one more comment."""
    answer = await service.post("other", **sent)
    id = answer.json()["id"]
    return str((await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()["status"])


@pytest.mark.parametrize(
    ("what", "sent"),
    [
        ("author", {"email": "eve@spammer.example"}),
        ("network", {}),
        ("domain:pills.example", {"body": "Look at shop.pills.example some day."}),
        ("domain:blog.example", {"url": "https://blog.example/"}),
        ("domain:spammer.example", {"email": "another@mail.spammer.example"}),
    ],
)
async def test_what_is_blocked_is_filed_until_it_is_let_in_again(
    service: Service, what: str, sent: dict[str, str]
) -> None:
    who, id = await service.token(), await service.held(**SENT)
    shown = (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()
    assert shown["blocks"] == dict.fromkeys(
        ("article", "author", "network", "domain:blog.example", "domain:pills.example", "domain:spammer.example"), False
    )
    sent = {"body": "A kind word about gardens."} | sent
    assert await status(service, who, **sent) != "spam"
    answer = await ask(service, who, id, what)
    assert answer.status_code == 200 and answer.json()["blocks"][what] is True, answer.text
    assert (await ask(service, who, id, what)).status_code == 200  # done twice is done
    assert await status(service, who, **sent | {"body": sent["body"] + " Again."}) == "spam"
    assert (await ask(service, who, id, what, "unblock")).json()["blocks"][what] is False
    assert await status(service, who, **sent | {"body": sent["body"] + " Once more."}) != "spam"
    entries = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    noun = what.partition(":")[0]
    told = [(e["action"], e["subject"]) for e in entries]
    assert told.count((f"{noun}:block", id)) == told.count((f"{noun}:unblock", id)) == 1
    assert "example" not in str(entries)


async def test_an_article_is_closed_and_opened_again(service: Service) -> None:
    who, id = await service.token(), await service.held()
    assert (await ask(service, who, id, "article")).json()["blocks"]["article"] is True
    assert (await service.thread())["article"]["comments_open"] is False
    assert (await service.post()).json()["code"] == "closed"
    assert (await ask(service, who, id, "article", "unblock")).status_code == 200
    assert (await service.thread())["article"]["comments_open"] is True
    assert (await service.post()).status_code == 201
    entries = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    assert [(e["action"], e["detail"]) for e in entries if e["subject"] == "post"] == [
        ("article:open", {"comment": id}),
        ("article:close", {"comment": id}),
    ]


@pytest.mark.parametrize("what", ["domain:other.example", "network:1", "", 7, None, "disallowed"])
async def test_what_the_comment_does_not_name_cannot_be_blocked_from_it(service: Service, what: Any) -> None:
    who, id = await service.token(), await service.held()
    assert (await ask(service, who, id, what)).status_code == 422
    assert (await ask(service, await service.token("score"), id, "author")).status_code == 403
    assert (await ask(service, who, "0" * 26, "author")).status_code == 404
    async with service.services.database.transaction() as tx:
        assert (await sites.sites(tx))["default"].settings.disallowed == ()
        await sites.put_site(tx, Site(key="garden", name="Garden"), 1)
    assert (await ask(service, await service.token(site="garden"), id, "author")).status_code == 404


def test_neither_the_great_mailboxes_nor_the_sites_own_host_are_offered() -> None:
    one = Comment(id="i", site="s", article="a", parent=None, path="i", status="pending", revision=1, name="Ann", email="ann@gmail.com", url="https://Blog.Example/me",
                  body="http://[x http://ünï.example./ http://localhost http://1.2.3.4/ https://www.a.example", html="", created_at=0)  # fmt: skip
    site = Site(key="s", name="S", origins=("https://blog.example",))
    assert block.domains(one, site) == ["xn--n-xxaa.example", "a.example"] or block.domains(one, site)[1:] == [
        "a.example"
    ]


async def test_what_is_blocked_from_comments_pushes_no_policy_change_out_of_reach(service: Service) -> None:
    async def kept() -> list[past_settings.Version]:
        async with service.services.database.reading() as session:
            return await past_settings.versions(session, "default")

    who, privileged = await service.token(), {"max_links": 7}
    signer, services = service.services.signer, service.services
    async with services.database.transaction() as tx:
        await settings_history.change(tx, "default", lambda _: privileged, signer, "operator", service.clock())
    ids = [await service.held(email=f"eve{n}@spammer.example", url=f"https://s{n}.example/") for n in range(25)]
    for id in ids:
        assert (await ask(service, who, id, "author")).status_code == 200
    day, policy = await kept()
    assert day.is_block and not policy.is_block and policy.settings.max_links != 7
    assert day.settings.max_links == 7 and day.settings.disallowed == (), "one click would take back the whole day"
    for n, id in enumerate(ids):
        assert (await ask(service, who, id, "author", "unblock")).status_code == 200
        assert [version.is_block for version in await kept()] == ([True, False] if n < 24 else [False])
    for id in ids[:2]:
        assert (await ask(service, await service.token(), id, "author")).status_code == 200
    assert (await kept())[0].actor == past_settings.SEVERAL
    service.clock.forward(hours=24)
    assert (await ask(service, who, ids[2], "author")).status_code == 200
    assert [len(version.settings.disallowed) for version in await kept()] == [2, 0, 0], "another day is another row"
    for n in range(past_settings.KEPT - 1):
        async with services.database.transaction() as tx:
            await settings_history.change(
                tx, "default", lambda _, n=n: {"max_links": 8 + n}, signer, "operator", service.clock()
            )
    found = await kept()
    assert [version.is_block for version in found].count(False) == past_settings.KEPT and found[-1].id == policy.id
    assert not past_settings.are_all(found)
    for days in range(past_settings.MOST):
        service.clock.forward(hours=24)
        assert (await ask(service, who, ids[3], "author", "unblock" if days % 2 else "block")).status_code == 200
    assert len(await kept()) == past_settings.MOST and not past_settings.are_all(await kept())


async def test_once_the_address_is_forgotten_its_network_is_not_offered(service: Service) -> None:
    who, id = await service.token(), await service.held()
    async with service.services.database.transaction() as tx:
        await tx.execute("UPDATE comments SET network_key = ''")
    shown = (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()
    assert "network" not in shown["blocks"] and (await ask(service, who, id, "network")).status_code == 422


async def test_a_moderator_does_it_by_the_page_with_one_click_and_undoes_it(service: Service) -> None:
    await set_password(service)
    await sign_in(service)
    async with service.services.database.transaction() as tx:
        await tx.execute("UPDATE moderators SET role = 'moderator'")
    id = await service.held(**SENT)
    page = (await service.client.get("/moderate")).text
    offered = Page(page).texts(f'[formaction="/moderate/comments/{id}/block"] bdi')
    assert "Block pills.example" in offered
    form = {"csrf_token": csrf(page), "back": "/moderate?status=pending", "target": "domain:pills.example"}
    done = await service.client.post(f"/moderate/comments/{id}/block", data=form)
    assert done.status_code == 303
    after = Page((await service.client.get(done.headers["location"])).text)
    assert "pills.example is blocked" in after.text() and "Let pills.example in again" in after.text()
    (undo,) = after.attributes('form[action$="/unblock"]', "action")
    back = await service.client.post(undo, data=form)
    assert "pills.example is let in again" in (await service.client.get(back.headers["location"])).text
    assert "done=" in back.headers["location"] and back.headers["location"].count("done=") == 1
    forged = await service.client.post(f"/moderate/comments/{id}/block", data=form | {"csrf_token": "x"})
    assert forged.status_code == 403
