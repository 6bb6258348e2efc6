"""What is held on one address: exported and erased by a token, or by its owner with a link that only its mailbox gets."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from moderation.learning import retrain as learning
from moderation.learning import store as training_state
from moderation.outbox import store as outbox
from moderation.outbox import webhooks
from moderation.privacy import retention
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.transfer import store_backup as dump
from tests.conftest import Service, changed, forged
from tests.html import Page
from tests.outbox.postbox import Postbox

pytestmark = pytest.mark.anyio
ANN, BOB = "Ann.Other@mail.example", "bob@mail.example"


@pytest.fixture
def settings(settings: Settings, box: Postbox) -> Settings:
    return changed(settings, smtp_url=box.url, mail_from="comments@garden.example", digest_hours=0)


async def every_row(service: Service, *, but: tuple[str, ...] = ()) -> str:
    """All that is stored, as one text."""
    async with service.services.database.reading() as session:
        tables = [t for t in dump.TABLES if t not in but]
        found = [str(row) for table in tables async for row in dump.rows(session, table)]
        found += [str(tuple(row)) for row in await session.fetch("SELECT * FROM failed_attempts")]
    return "\n".join(found)


async def another_site(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="garden", name="Garden"), service.clock())
    service.services.directory.forget()


async def link_mailed(service: Service, box: Postbox) -> str | None:
    """The path in the newest mail, if one came."""
    before = len(box.got)
    await service.services.outbox.all_due()
    if len(box.got) == before:
        return None
    body = box.mails[-1].get_body(("plain",))
    assert body
    (found,) = re.findall(r"https?://\S+/privacy/\S+", body.get_content())
    return urlsplit(found).path


async def ask(service: Service, email: str = ANN) -> Any:
    return await service.client.post("/privacy", data={"email": email})


async def test_a_token_exports_all_that_is_held(service: Service) -> None:
    first = (await service.post(email=ANN, body="My words.")).json()["id"]
    held = await service.held(email=ANN.replace("mail", "MAIL"))
    await service.post(email=BOB)
    moderator = await service.token()
    await service.client.post(
        "/api/v1/decisions", json={"comments": [held], "action": "reject", "labels": ["insult"], "note": "Rude.", "reason": "insult"}, headers=moderator
    )  # fmt: skip
    who = await service.token("privacy")
    found = (await service.client.post("/api/v1/privacy/export", json={"email": ANN}, headers=who)).json()
    assert [c["id"] for c in found["comments"]] == [first, held]
    assert found["comments"][0]["body"] == "My words." and found["email"] == ANN
    assert [s["body"] for s in found["judged"]] == [c["body"] for c in found["comments"]]
    assert [(d["id"], d["action"], d["labels"], d["note"], d["reason"]) for d in found["decisions"]] == [(held, "reject", ["insult"], "Rude.", "insult")]  # fmt: skip
    assert [(s["name"], s["email_domain"]) for s in found["judged"]] == [("Ann", "mail.example")] * 2
    assert [r["rule"] for r in found["judged"][1]["reasons"]] == ["stranger-with-link"]
    hashes = found["network_hashes"]
    assert [(one["site"], one["id"]) for one in hashes] == [("default", first), ("default", held)]
    came = datetime.fromisoformat(found["comments"][0]["created_at"])
    assert datetime.fromisoformat(hashes[0]["kept_until"]) - came == timedelta(days=30)
    service.clock.forward(hours=31 * 24)
    await retention.purge(service.services.database, service.services.keep, service.clock())
    later = (await service.client.post("/api/v1/privacy/export", json={"email": ANN}, headers=who)).json()
    assert later["network_hashes"] == [] and [c["id"] for c in later["comments"]] == [first, held]
    assert (
        await service.client.post("/api/v1/privacy/export", json={"email": ANN}, headers=moderator)
    ).status_code == 403
    assert (await service.client.post("/api/v1/privacy/export", json={"email": ANN})).status_code == 401


async def test_erasing_leaves_no_trace_but_that_something_was_decided(service: Service) -> None:
    services = service.services
    async with services.database.transaction() as tx:
        url = "https://hook.example/in"
        await webhooks.add(tx, services.signer, url, "*", "", to_private=False, now=service.clock())
    services.outbox.begin = never  # what waits in the outbox goes too
    first = (
        await service.post(email=ANN, name="Zoë Qq", body="Zebra quux.", notify=True, url="https://zq.example")
    ).json()
    reply = (await service.post(email=BOB, parent=first["id"], body="I do agree.")).json()["id"]
    held = await service.held(email=ANN, name="Zoë Qq", body="Zebra: https://zq.example/x")
    moderator = await service.token()
    for action in ("approve", "spam"):
        decided = {"comments": [held], "action": action, "note": "Zebra again"}
        assert (await service.client.post("/api/v1/decisions", json=decided, headers=moderator)).status_code == 200
    await ask(service)
    await service.client.post("/moderate/login", data={"email": ANN, "password": "wrong"})
    key = services.signer.author_key(ANN, "")
    before = await every_row(service)
    for trace in ("Zebra", "Zoë", ANN, "zq.example", key):
        assert trace in before
    who = await service.token("privacy")
    assert (await service.client.post("/api/v1/privacy/erase", json={"email": ANN}, headers=who)).json() == {
        "erased": 2
    }
    after = await every_row(service)
    for trace in ("Zebra", "Zoë", ANN, "zq.example", key):
        assert trace not in after, trace
    assert held in await every_row(service, but=("outbox",)), "that something was decided stays"
    (left,) = (await service.thread())["comments"]
    assert left["id"] == reply and left["text"] == "I do agree."
    async with services.database.reading() as session:
        told = [str(row) async for row in dump.rows(session, "outbox")]
    assert sum("comment.deleted" in row for row in told) == 2, "endpoints hear what to delete"
    found = (await service.client.post("/api/v1/privacy/export", json={"email": ANN}, headers=who)).json()
    assert not any(found[part] for part in ("comments", "judged", "decisions", "subscriptions"))


async def never() -> bool:
    return False


async def test_one_sites_token_reaches_that_site_only(service: Service) -> None:
    await another_site(service)
    here = (await service.post(email=ANN, site="garden")).json()["id"]
    there = (await service.post(email=ANN)).json()["id"]
    who = await service.token("privacy", site="garden")
    for asked in ({"email": ANN}, {"email": ANN, "site": "default"}):
        assert (await service.client.post("/api/v1/privacy/erase", json=asked, headers=who)).status_code == 403
    asked = {"email": ANN, "site": "garden"}
    found = (await service.client.post("/api/v1/privacy/export", json=asked, headers=who)).json()
    assert [c["id"] for c in found["comments"]] == [here]
    assert (await service.client.post("/api/v1/privacy/erase", json=asked, headers=who)).json() == {"erased": 1}
    assert [c["id"] for c in (await service.thread())["comments"]] == [there]
    anywhere = await service.token("privacy")
    nowhere = await service.client.post("/api/v1/privacy/erase", json={"email": ANN, "site": "no"}, headers=anywhere)
    assert nowhere.status_code == 404
    wrong = await service.client.post("/api/v1/privacy/erase", json={"email": ANN, "site": 7}, headers=anywhere)
    assert wrong.status_code == 422


async def test_the_answer_to_an_address_is_always_the_same(service: Service, box: Postbox) -> None:
    await service.post(email=ANN)
    known, unknown = await ask(service, ANN), await ask(service, "nobody@mail.example")
    again = await ask(service, ANN)
    seen = {(a.status_code, a.headers["location"], a.content) for a in (known, unknown, again)}
    assert len(seen) == 1 and known.status_code == 303
    assert "on its way" in (await service.client.get("/privacy?sent")).text
    await service.services.outbox.all_due()
    assert [m["To"].addresses[0].addr_spec for m in box.mails] == [ANN], "nobody is mailed on whom nothing is held"


async def test_an_address_gets_one_mail_a_day_and_nobody_asks_for_ever(service: Service, box: Postbox) -> None:
    await service.post(email=ANN)
    await ask(service)
    assert await link_mailed(service, box)
    await ask(service, ANN.upper())
    assert await link_mailed(service, box) is None
    service.clock.forward(hours=25)
    await ask(service)
    assert await link_mailed(service, box)
    answers = [(await ask(service, f"n{n}@mail.example")).status_code for n in range(12)]
    assert answers[:5] == [303] * 5 and answers[-1] == 429


async def test_the_link_downloads_once_and_erases_once(service: Service, box: Postbox) -> None:
    first = (await service.post(email=ANN, body="My words.")).json()["id"]
    await service.post(email=BOB)
    await ask(service)
    link = await link_mailed(service, box)
    assert link
    for _ in range(2):  # programs that look into mails open links
        page = await service.client.get(link)
        assert page.status_code == 200 and "Download it" in page.text and ANN not in page.text
    file = await service.client.post(link, data={"act": "export"})
    assert file.headers["content-disposition"].startswith("attachment") and "no-store" in file.headers["cache-control"]
    assert [c["id"] for c in file.json()["comments"]] == [first]
    assert (await service.client.post(link, data={"act": "export"})).status_code == 404
    assert (await service.client.post(link, data={"act": "all"})).status_code == 422
    assert len((await service.thread())["comments"]) == 2
    asked = Page((await service.client.post(link, data={"act": "erase"})).text)
    assert asked.text("h1") == "Erase everything?" and asked.link("No, keep it") == link
    assert len((await service.thread())["comments"]) == 2, "nothing is erased before the second yes"
    erased = await service.client.post(link, data=asked.form(link).filled() | {"act": "erase"})
    assert (erased.status_code, erased.headers["location"]) == (303, "/privacy?erased")
    assert len((await service.thread())["comments"]) == 1
    for answer in (await service.client.get(link), await service.client.post(link, data={"act": "erase"})):
        assert answer.status_code == 404


async def test_a_link_ends_after_a_day_and_cannot_be_forged(service: Service, box: Postbox) -> None:
    await service.post(email=ANN)
    await ask(service)
    link = await link_mailed(service, box)
    assert link
    for wrong in (forged(link), "/privacy/" + "0" * 50):
        assert (await service.client.get(wrong)).status_code == 404
        assert (await service.client.post(wrong, data={"act": "erase"})).status_code == 404
    service.clock.forward(hours=25)
    for act in ("export", "erase"):
        assert (await service.client.post(link, data={"act": act})).status_code == 404
    assert len((await service.thread())["comments"]) == 1


async def test_no_address_is_an_error_at_its_field(service: Service, box: Postbox) -> None:
    answer = await ask(service, "nobody")
    assert answer.status_code == 422 and "Please give an email address" in answer.text
    assert (await service.client.post("/privacy", data={"email": ["a@b.example", "c@d.example"]})).status_code == 422


class TestWithoutMail:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return changed(settings, smtp_url="", mail_from="")

    async def test_the_page_says_whom_to_ask(self, service: Service) -> None:
        answer = await service.client.get("/privacy")
        page = Page(answer.text)
        assert answer.status_code == 200 and "Write to the site's operator" in page.text() and not page.has("form")
        assert (await ask(service)).status_code == 403


class TestTheModel:
    async def taught(self, service: Service, email: str = ANN) -> str:
        held = await service.held(email=email)
        decided = {"comments": [held], "action": "spam"}
        await service.client.post("/api/v1/decisions", json=decided, headers=await service.token())
        return held

    async def erase(self, service: Service, email: str = ANN) -> None:
        service.clock.forward(seconds=1)
        who = await service.token("privacy")
        answer = await service.client.post("/api/v1/privacy/erase", json={"email": email}, headers=who)
        assert answer.status_code == 200

    async def promoted(self, service: Service, at: int) -> None:
        async with service.services.database.transaction() as tx:
            await training_state.promoted(tx, "default", at)

    async def outdated(self, service: Service) -> bool:
        ready = (await service.client.get("/health/ready")).json()["checks"]["erasure"]
        metrics = (await service.client.get("/metrics")).text
        assert ("moderation_models_outdated 1" in metrics) == (ready != "ok")
        assert ready in ("ok", "models to retrain: default")
        return bool(ready != "ok")

    async def test_it_is_marked_until_the_next_one_that_never_saw_the_examples(self, service: Service) -> None:
        await self.taught(service)
        await self.promoted(service, service.clock())
        assert not await self.outdated(service)
        await self.erase(service)
        assert await self.outdated(service)
        service.clock.forward(seconds=1)
        await self.promoted(service, service.clock())
        assert not await self.outdated(service)

    async def test_a_training_that_had_begun_before_is_marked_when_it_ends(self, service: Service) -> None:
        await self.taught(service)
        began = service.clock()
        await self.erase(service)
        assert not await self.outdated(service), "the shipped model learnt from nobody here"
        await self.promoted(service, began)
        assert await self.outdated(service)

    async def test_whoever_taught_nothing_marks_nothing(self, service: Service) -> None:
        await service.post(email=ANN)
        await self.promoted(service, service.clock())
        await self.erase(service)
        assert not await self.outdated(service)

    async def test_a_model_that_one_goes_back_to_is_as_old_as_it_is(self, service: Service) -> None:
        from moderation.db import audit

        await self.taught(service)
        at = service.clock()
        async with service.services.database.transaction() as tx:
            await audit.note(tx, site="default", at=at, actor="operator", action="model:promote", subject="c1")
        await self.erase(service)
        service.clock.forward(seconds=1)
        await self.promoted(service, service.clock())
        assert not await self.outdated(service)
        async with service.services.database.transaction() as tx:
            await training_state.rolled_back(tx, "default", "c1")
        assert await self.outdated(service)
        async with service.services.database.transaction() as tx:
            await training_state.rolled_back(tx, "default", None)
        assert not await self.outdated(service)

    async def test_the_examples_are_gone_from_the_next_training(self, service: Service, tmp_path: Path) -> None:
        await self.taught(service)
        await self.taught(service, BOB)
        database = service.services.database
        told = await learning.retrain(database, tmp_path / "m", "default", service.clock())
        assert told["sites"]["default"]["examples"] == 2
        await self.erase(service)
        told = await learning.retrain(database, tmp_path / "m", "default", service.clock())
        assert told["sites"]["default"]["examples"] == 1


async def test_a_mail_that_waits_for_somebody_erased_is_not_sent(service: Service, box: Postbox) -> None:
    deliverer = service.services.outbox
    deliverer.begin = never
    await service.post(email=ANN, notify=True)
    await ask(service)
    async with service.services.database.reading() as session:
        assert await outbox.counts(session) == {"waiting": 2, "failed": 0}
    who = await service.token("privacy")
    await service.client.post("/api/v1/privacy/erase", json={"email": ANN}, headers=who)
    async with service.services.database.reading() as session:
        assert await outbox.counts(session) == {"waiting": 0, "failed": 0}
    del deliverer.begin
    await deliverer.all_due()
    assert box.got == []
