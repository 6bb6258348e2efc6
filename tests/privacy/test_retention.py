"""What was not published is forgotten after a while, and so is where it came from; what was decided of it is not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from moderation.comments import store_decisions as decisions
from moderation.db import audit
from moderation.learning.retrain import examples_of
from moderation.outbox import store as outbox
from moderation.privacy import retention
from moderation.privacy.retention import DAY, Keep, purge
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from moderation.transfer import store as imports
from moderation.transfer import store_backup as dump
from moderation.transfer.store import ImportedId
from tests.conftest import Server, Service, changed
from tests.outbox.postbox import Postbox

pytestmark = pytest.mark.anyio


async def filed(service: Service, action: str, body: str, note: str = "") -> str:
    """A comment that a moderator decided on."""
    id = await service.held(body=body, name="Zoë Qq", email=f"zq{service.clock.now}@mail.example")
    decided = {"comments": [id], "action": action, "note": note}
    answer = await service.client.post("/api/v1/decisions", json=decided, headers=await service.token())
    assert answer.status_code == 200
    return id


async def rows(service: Service, *but: str) -> str:
    async with service.services.database.reading() as session:
        return "\n".join(
            [str(row) for table in dump.TABLES if table not in but async for row in dump.rows(session, table)]
        )


async def there(service: Service) -> set[str]:
    async with service.services.database.reading() as session:
        return {row[1] async for row in dump.rows(session, "comments")}


def days(service: Service, count: float) -> None:
    service.clock.forward(hours=24 * count)


async def swept(service: Service, **keep: Any) -> dict[str, int]:
    return await purge(service.services.database, Keep(**keep), service.clock())


async def test_each_kind_is_kept_its_own_time(service: Service) -> None:
    ids = {}
    for action in ("spam", "reject", "delete", "approve", "hold"):
        ids[action] = await filed(service, action, f"See https://zq.example/{action}", "Zq note")
    days(service, 29)
    assert await swept(service) == {
        "spam": 0,
        "rejected": 0,
        "deleted": 0,
        "addresses": 0,
        "reporters": 0,
        "read_along": 0,
    }
    days(service, 2)
    assert await swept(service) == {
        "spam": 1,
        "rejected": 0,
        "deleted": 1,
        "addresses": 3,
        "reporters": 0,
        "read_along": 0,
    }
    assert await there(service) == {ids["reject"], ids["approve"], ids["hold"]}
    days(service, 60)
    assert await swept(service) == {
        "spam": 0,
        "rejected": 1,
        "deleted": 0,
        "addresses": 0,
        "reporters": 0,
        "read_along": 0,
    }
    assert await there(service) == {ids["approve"], ids["hold"]}, "what is published or waits stays"
    days(service, 4000)
    assert sum((await swept(service)).values()) == 0


async def test_nothing_of_the_text_or_its_author_is_left_but_the_verdict_and_the_decision(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        rules = SiteSettings(disallowed=("zqword",))
        await sites.put_site(tx, Site(key="default", name="Mine", origins=(), settings=rules), service.clock())
    service.services.directory.forget()
    person = {"name": "Zoë Qq", "email": "zq@mail.example", "url": "https://zq.example"}
    await service.post(body="A zqword here", **person)  # by the machine alone
    id = await filed(service, "spam", "Zebra https://zq.example/x", "Zq: zebra")
    key = service.services.signer.author_key("zq@mail.example", "")
    before = await rows(service, "sites")
    assert all(trace in before for trace in ("zqword", "Zebra", "Zoë", "mail.example", "zebra", key))
    days(service, 31)
    assert (await swept(service))["spam"] == 2
    after = await rows(service, "sites")
    for trace in ("zqword", "Zebra", "Zoë", "mail.example", "zebra", "zq.example", key):
        assert trace not in after, trace
    async with service.services.database.reading() as session:
        (kept,) = [row async for row in dump.rows(session, "submissions") if row[1] == id]
        (entry,) = await decisions.on(session, "default", id)
        assert examples_of(await decisions.taught(session, "default"), "default") == []
    told = dict(zip(dump.TABLES["submissions"], kept, strict=True))
    assert told["action"] == "hold" and json.loads(told["scores"]) and told["model"] and told["body"] == ""
    assert json.loads(told["reasons"]) and entry.action == "spam" and entry.note == ""


async def test_what_moderators_decided_goes_on_teaching_where_that_is_set(service: Service) -> None:
    await filed(service, "spam", "Zebra pills https://zq.example/x")
    async with service.services.database.reading() as session:
        (before,) = examples_of(await decisions.taught(session, "default"), "default")
    days(service, 31)
    await swept(service, examples=True)
    async with service.services.database.reading() as session:
        (after,) = examples_of(await decisions.taught(session, "default"), "default")
    assert (after.text, after.labels) == (before.text, before.labels)
    assert "Zoë" not in await rows(service) and "mail.example" not in await rows(service)
    assert after.author is not None and after.author.name == "" and after.author_key != before.author_key


async def test_the_time_begins_anew_with_each_decision_and_zero_is_for_ever(service: Service) -> None:
    id = await filed(service, "spam", "See https://zq.example/1")
    days(service, 20)
    await service.client.post(
        "/api/v1/decisions", json={"comments": [id], "action": "spam"}, headers=await service.token()
    )
    days(service, 20)
    assert (await swept(service))["spam"] == 0
    days(service, 4000)
    assert sum((await swept(service, spam=0, addresses=0)).values()) == 0
    assert (await swept(service))["spam"] == 1


async def test_what_was_imported_counts_from_the_import(service: Service) -> None:
    """Old spam from another system teaches: it must not be gone before anybody could retrain."""
    id = await filed(service, "spam", "See https://zq.example/1")
    days(service, 500)
    database = service.services.database
    async with database.transaction() as tx:
        await imports.add(tx, [ImportedId(site="default", source="wordpress", kind="comment", foreign_id="7", id=id)])
    assert (await swept(service))["spam"] == 0, "an import that is still going on"
    async with database.transaction() as tx:
        await audit.note(tx, site="default", at=service.clock(), actor="operator", action="site:import", subject="wordpress")  # fmt: skip
    days(service, 29)
    assert (await swept(service))["spam"] == 0
    days(service, 2)
    assert (await swept(service))["spam"] == 1


async def test_many_go_in_small_steps(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    for n in range(8):
        await filed(service, "spam", f"See https://zq.example/{n}")
    days(service, 31)
    assert await swept(service) == {
        "spam": 8,
        "rejected": 0,
        "deleted": 0,
        "addresses": 0,
        "reporters": 0,
        "read_along": 0,
    }
    assert await there(service) == set()


async def test_keys_of_addresses_go_from_published_comments_too(service: Service) -> None:
    first = (await service.post()).json()["id"]
    days(service, 31)
    await service.post()
    assert (await swept(service))["addresses"] == 1
    async with service.services.database.reading() as session:
        found = await session.fetch("SELECT id, network_key FROM comments ORDER BY id")
    assert [(row[0] == first, row[1] == "") for row in found] == [(True, True), (False, False)]


async def test_a_forgotten_comments_receipt_and_undo_say_so(service: Service) -> None:
    id = await service.held()
    who = await service.token()
    decided = await service.client.post("/api/v1/decisions", json={"comments": [id], "action": "spam"}, headers=who)
    days(service, 31)
    await swept(service)
    receipt = service.services.links.receipt(id).removeprefix("http://comments.test")
    assert (await service.client.get(receipt)).status_code in (404, 410)
    assert (await service.client.post(f"/api/v1/decisions/{decided.json()['id']}/undo", headers=who)).status_code == 409
    assert (await service.client.get(f"/api/v1/comments/{id}", headers=who)).status_code == 404
    entries = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    assert any(e["action"] == "site:purge" and e["actor"] == "service" and e["detail"]["spam"] == 1 for e in entries)


async def test_the_service_sweeps_by_itself_and_several_workers_once(service: Service) -> None:
    await filed(service, "spam", "See https://zq.example/1")
    days(service, 31)
    await service.services.periodic.due()
    assert await there(service) == set()
    await filed(service, "spam", "See https://zq.example/2")
    days(service, 31)
    service.clock.now -= 31 * DAY  # back within the hour: its turn has been
    calls: list[int] = []

    async def count() -> None:
        calls.append(1)

    services = service.services
    services.periodic.rounds = [replace(services.periodic.rounds[0], act=count)]
    await services.periodic.due()
    assert calls == []
    service.clock.forward(minutes=61)
    await services.periodic.due()
    await services.periodic.due()
    assert calls == [1]


def test_an_operator_can_sweep(server: Server) -> None:
    assert json.loads(server.run("purge").stdout) == {
        "spam": 0,
        "rejected": 0,
        "deleted": 0,
        "addresses": 0,
        "reporters": 0,
        "read_along": 0,
    }


class TestDigest:
    @pytest.fixture
    def settings(self, settings: Settings, box: Postbox) -> Settings:
        return changed(settings, smtp_url=box.url, mail_from="comments@garden.example")

    @pytest.fixture
    async def desk(self, service: Service, box: Postbox) -> AsyncIterator[Service]:
        """Two sites, an administrator of all, a moderator of one, and one who has never signed in."""
        from moderation.team import access

        services = service.services
        async with services.database.transaction() as tx:
            await sites.put_site(tx, Site(key="garden", name="Garden"), service.clock())
            for email, role, site in (
                ("eve@desk.example", "administrator", "*"),
                ("gus@desk.example", "moderator", "garden"),
            ):
                one = await access.add_moderator(tx, email, role, site, service.clock())
                await access.set_password(tx, one, "a password of some length", service.clock())
            await access.add_moderator(tx, "new@desk.example", "moderator", "*", service.clock())
        services.directory.forget()
        yield service

    async def mailed(self, service: Service, box: Postbox) -> dict[str, str]:
        """Recipient → text of what came now."""
        before = len(box.got)
        await service.services.periodic.due()
        await service.services.outbox.all_due()
        found = {}
        for mail in box.mails[before:]:
            body = mail.get_body(("plain",))
            assert body
            found[mail["To"].addresses[0].addr_spec] = f"{mail['Subject']}\n{body.get_content()}"
        return found

    async def test_it_comes_at_most_once_a_day_and_never_when_nothing_waits(self, desk: Service, box: Postbox) -> None:
        assert await self.mailed(desk, box) == {}
        id = await desk.held("a-post", body="Zebra https://zq.example/1", name="Zoë Qq")
        told = await self.mailed(desk, box)
        assert set(told) == {"eve@desk.example"}, "gus moderates another site"
        text = told["eve@desk.example"]
        assert "1 comment waits on My site" in text and f"http://comments.test/moderate/comments/{id}" in text
        assert "Zebra" not in text and "zq.example" not in text and "Zoë Qq on a-post, " in text
        for _ in range(30):
            await desk.held()
        assert await self.mailed(desk, box) == {}, "never a mail for each"
        desk.clock.forward(hours=25)
        text = (await self.mailed(desk, box))["eve@desk.example"]
        assert "31 comments wait" in text and text.count("/moderate/comments/") == 5 and id in text

    async def test_spam_alone_is_no_reason(self, desk: Service, box: Postbox) -> None:
        await filed(desk, "spam", "See https://zq.example/1")
        assert await self.mailed(desk, box) == {}

    async def test_each_moderator_hears_of_their_own_sites(self, desk: Service, box: Postbox) -> None:
        await desk.held()
        await desk.post(site="garden", body="See https://zq.example/1")
        told = await self.mailed(desk, box)
        assert set(told) == {"eve@desk.example", "gus@desk.example"}
        assert "2 comments wait on 2 sites" in told["eve@desk.example"]
        assert "1 comment waits on Garden" in told["gus@desk.example"] and "My site" not in told["gus@desk.example"]

    async def test_what_was_decided_before_it_goes_is_not_told(self, desk: Service, box: Postbox) -> None:
        id = await desk.held()
        deliverer = desk.services.outbox
        deliverer.begin = never
        await desk.services.periodic.due()
        async with desk.services.database.reading() as session:
            assert await outbox.counts(session) == {"waiting": 2, "failed": 0}, "one for each moderator"
        decided = {"comments": [id], "action": "approve"}
        await desk.client.post("/api/v1/decisions", json=decided, headers=await desk.token())
        del deliverer.begin
        await deliverer.all_due()
        async with desk.services.database.reading() as session:
            assert await outbox.counts(session) == {"waiting": 0, "failed": 0}
        assert box.got == []


async def never() -> bool:
    return False
