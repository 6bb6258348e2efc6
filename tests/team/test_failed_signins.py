"""A moderator is told of failed sign-ins: on every page of the console until they say so, and by mail once a day."""

from __future__ import annotations

import pytest

from moderation.outbox import events
from moderation.privacy import data_requests as privacy
from moderation.settings import Settings
from moderation.team import store_failures as failures
from tests.conftest import Service, changed
from tests.html import csrf
from tests.outbox.postbox import Postbox
from tests.team.test_second_factor import EMAIL, add
from tests.team.test_signin import Hashing, attack, give, hashing, quick  # noqa: F401  (fixtures)

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Settings, box: Postbox) -> Settings:
    return changed(settings, smtp_url=box.url, mail_from="Garden <comments@garden.example>", digest_hours=0)


async def round_(service: Service, box: Postbox) -> list[str]:
    """What the mails say that one round sends."""
    before, services = len(box.mails), service.services
    await events.failed_signins(services.database, services.signer, service.clock(), mails=services.mails)
    await services.outbox.all_due()
    bodies = [mail.get_body(("plain",)) for mail in box.mails[before:]]
    return [body.get_content() for body in bodies if body]


async def failed(service: Service, email: str = EMAIL) -> failures.Failures:
    async with service.services.database.reading() as session:
        return await failures.of(session, service.services.authenticator.account(email))


async def test_every_page_says_so_until_it_was_seen(service: Service, quick: Hashing) -> None:  # noqa: F811
    await add(service)
    await give(service.client)
    assert "failed sign-in" not in (await service.client.get("/moderate")).text
    await attack(service, 1, times=1)
    assert "1 failed sign-in to your account" in (await service.client.get("/moderate")).text
    await attack(service, 3, times=3)
    for page in ("/moderate", "/moderate/account", "/moderate/history"):
        text = (await service.client.get(page)).text
        assert "10 failed sign-ins to your account" in text and "198.51.100" not in text
    seen = {"csrf_token": csrf(text), "act": "seen-failures"}
    assert (await service.client.post("/moderate/account", data=seen | {"csrf_token": "x"})).status_code == 403
    assert (await service.client.post("/moderate/account", data=seen)).status_code == 303
    assert "failed sign-in" not in (await service.client.get("/moderate")).text
    await add(service, "kim@garden.example")
    await attack(service, 1, "kim@garden.example")
    assert "failed sign-in" not in (await service.client.get("/moderate")).text, "another's account"


async def test_a_mail_a_day_tells_how_many_and_never_from_where(
    service: Service,
    box: Postbox,
    quick: Hashing,  # noqa: F811
) -> None:
    await add(service)
    await attack(service, 1, times=4)
    assert await round_(service, box) == []  # as many as one mistypes
    await attack(service, 2, times=4)
    (text,) = await round_(service, box)
    assert "9 sign-ins to your account on comments.test have failed" in text and "/moderate/account" in text
    assert box.mails[-1]["To"] == EMAIL and "198.51.100" not in box.mails[-1].as_string() and EMAIL not in text
    await attack(service, 9)
    service.clock.forward(hours=23)
    assert await round_(service, box) == []
    service.clock.forward(hours=2)
    (text,) = await round_(service, box)
    assert f"{(await failed(service)).unseen} sign-ins" in text
    service.clock.forward(hours=25)
    assert await round_(service, box) == [], "nothing new"
    await attack(service, 2)
    async with service.services.database.transaction() as tx:
        await failures.seen(tx, service.services.authenticator.account(EMAIL))
    service.clock.forward(hours=25)
    assert await round_(service, box) == [], "they have looked"


async def test_what_was_typed_for_nobody_s_account_is_forgotten_after_a_day(
    service: Service,
    box: Postbox,
    quick: Hashing,  # noqa: F811
) -> None:
    await add(service)
    for email in (EMAIL, "nobody@garden.example"):
        await attack(service, 1, email)
    assert len(await round_(service, box)) == 1
    assert (await failed(service, "nobody@garden.example")).unseen == 5
    service.clock.forward(hours=25)
    await round_(service, box)
    assert (await failed(service, "nobody@garden.example")).unseen == 0
    assert (await failed(service)).unseen == 5, "it waits for its moderator"


async def test_erasing_a_person_takes_every_trace_of_their_attempts(service: Service, quick: Hashing) -> None:  # noqa: F811
    services, email = service.services, "ann@mail.example"
    await attack(service, 2, email, times=2)
    await give(service.client, "wrong", email)
    key = services.authenticator.account(email)

    async def traces() -> list[str]:
        async with services.database.reading() as session:
            found = [row[0] for row in await session.fetch("SELECT counter FROM failed_attempts")]
            found += [row[0] for row in await session.fetch("SELECT account_key FROM signin_failures")]
        return [who for who in found if key in who]

    assert len(await traces()) > 5
    await privacy.erase(services.database, privacy.data_subject_of(services.signer, email), "operator", service.clock())
    assert await traces() == []


async def test_the_round_runs_in_the_service_and_its_mail_is_sent(
    service: Service,
    box: Postbox,
    quick: Hashing,  # noqa: F811
) -> None:
    await add(service)
    await attack(service, 2)
    await service.services.periodic.due()
    await service.services.outbox.all_due()
    assert [mail["Subject"] for mail in box.mails] == ["Failed sign-ins to your account on comments.test"]
