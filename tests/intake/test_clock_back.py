"""A clock that is set back by hours: nobody waits until it has caught up, and no limit is the weaker for it afterwards."""

from __future__ import annotations

import pytest

from moderation.core.ids import first_id_at, made_at, new_id
from moderation.core.signing import Signer
from moderation.db import leases
from moderation.db.database import Database
from moderation.db.periodic import Job
from moderation.outbox import store as outbox
from moderation.outbox.delivery import delay
from moderation.outbox.store import Message
from moderation.privacy import data_requests as privacy
from tests.conftest import Clock, Service
from tests.intake.test_receipts import path_of
from tests.intake.test_wordpress import send_now
from tests.policy.test_defences import by_form, set_rules
from tests.policy.test_rule_health import caught, report
from tests.queue.test_live import listening
from tests.team import test_second_factor as factor

pytestmark = pytest.mark.anyio
HOUR = 3_600_000
FORM = "/sites/default/articles/post/form"


def set_back(service: Service, hours: float = 5) -> None:
    service.clock.forward(hours=-hours)


# --- who posts -----------------------------------------------------------------------------------------------------------


async def test_a_form_that_was_open_meanwhile_is_taken(service: Service) -> None:
    answer = await by_form(service, wait=-5 * 3600)
    assert answer.status_code == 303 and "/receipts/" not in answer.headers["location"]
    assert len((await service.thread())["comments"]) == 1


def test_a_form_of_later_than_now_is_ours_or_forged() -> None:
    signer, now = Signer(b"a secret key of this test"), Clock().now
    made = [signer.form_token("site", "post", now + ahead) for ahead in (5 * HOUR, 1, 0, -999, -1000, -25 * HOUR)]
    checked = [signer.check_form_token(token, "site", "post", now) for token in made]
    assert checked == ["ok", "ok", "early", "early", "ok", "old"]
    at, _, mark = made[-1].partition(".")
    assert signer.check_form_token(f"{int(at, 16) + 30 * HOUR:x}.{mark}", "site", "post", now) == "missing"


async def test_limits_by_author_and_address_look_at_the_last_minute_only(service: Service) -> None:
    await set_rules(service, per_author_a_minute=2, per_address_a_minute=4)  # refusals count too

    async def status(email: str = "ann@example.org") -> int:
        return (await service.post(email=email)).status_code

    assert [await status(), await status(), await status()] == [201, 201, 429]
    assert [await status("bob@example.org"), await status("eve@example.org")] == [201, 429]
    set_back(service)
    assert [await status(), await status(), await status()] == [201, 201, 429], "the limit itself is there"
    assert [await status("bob@example.org"), await status("eve@example.org")] == [201, 429]


async def test_a_clock_that_is_a_second_behind_another_worker_s_still_limits(service: Service) -> None:
    await set_rules(service, per_author_a_minute=2)
    for expected in (201, 201, 429):
        service.clock.forward(seconds=-2)
        assert (await service.post(email="ann@example.org")).status_code == expected


async def test_wordpress_form_asks_for_no_more_than_its_pause(service: Service) -> None:
    assert (await send_now(service)).status_code == 303
    set_back(service)
    assert (await send_now(service, comment="Something else")).status_code == 303
    assert (await send_now(service, comment="And something more")).status_code == 429


async def test_new_articles_of_later_than_now_take_no_room(service: Service) -> None:
    service.clock.forward(hours=2)
    await set_rules(service, new_articles_an_hour=2)
    assert [(await service.post(article)).status_code for article in ("a", "b", "c")] == [201, 201, 429]
    set_back(service)
    assert [(await service.post(article)).status_code for article in ("c", "d", "e")] == [201, 201, 429]


async def test_an_author_may_still_edit_and_withdraw(service: Service) -> None:
    told = (await service.post()).json()
    set_back(service)
    changed = await service.client.post(path_of(told), data={"act": "edit", "body": "Another kind word."})
    assert changed.status_code == 303
    assert (await service.thread())["comments"][0]["text"] == "Another kind word."


async def test_a_link_to_what_is_held_can_be_asked_for(service: Service) -> None:
    services = service.services
    await service.post(email="ann@example.org")
    service.services.outbox.begin = never

    async def asked() -> int:
        await privacy.ask(services.database, services.signer, "ann@example.org", service.clock())
        async with services.database.reading() as session:
            return (await outbox.counts(session, outbox.MAIL))["waiting"]

    assert [await asked(), await asked()] == [1, 1]
    set_back(service)
    assert [await asked(), await asked()] == [2, 2]


async def test_whoever_wants_replies_is_asked_again(service: Service) -> None:
    service.have(mails=True)
    services = service.services
    services.intake._mails = True
    service.services.outbox.begin = never

    async def asked() -> int:
        await service.post(email="ann@example.org", notify=True)
        async with services.database.reading() as session:
            return (await outbox.counts(session, outbox.MAIL))["waiting"]

    assert [await asked(), await asked()] == [1, 1]
    set_back(service)
    assert [await asked(), await asked()] == [2, 2]


# --- who moderates -------------------------------------------------------------------------------------------------------


async def test_wrong_passwords_of_later_than_now_keep_nobody_out(service: Service) -> None:
    await factor.add(service)
    tried = [(await factor.give_password(service, password="no such password")).status_code for _ in range(6)]
    assert tried[-1] == 429
    set_back(service)
    tried = [(await factor.give_password(service, password="no such password")).status_code for _ in range(6)]
    assert tried[0] == 401 and tried[-1] == 429, "the limit itself is there"
    set_back(service)
    assert (await factor.give_password(service)).status_code == 303


async def test_the_second_step_and_the_session_outlast_it(service: Service) -> None:
    await factor.add(service)
    await factor.give_password(service)
    _, codes = await factor.turn_on(service)
    service.client.cookies.clear()
    asked = await factor.give_password(service)
    set_back(service)
    assert (await factor.give_code(service, asked.text, codes[0])).status_code == 303
    set_back(service)
    assert await factor.is_in(service)


async def test_who_watches_the_queue_hears_what_comes_and_nothing_twice(service: Service) -> None:
    who = await service.token()
    old = [await service.held() for _ in range(3)]
    async with listening(service, who) as heard:
        await heard.until("queue")
        set_back(service)
        first = await service.held()
        await heard.until("queue", id=first)
        service.clock.forward(minutes=10)
        second = await service.held()
        told = await heard.until("queue", id=second)
        assert [c["id"] for c in told["comments"]] == [second]
        assert not any(id in heard.text for id in old)


async def test_a_page_of_later_than_now_is_told_to_look_anew(service: Service) -> None:
    left = first_id_at(service.clock())
    set_back(service)
    await service.held()
    async with listening(service, await service.token(), left) as heard:
        assert (await heard.until("resync"))["own"] is False


async def test_a_rule_that_errs_is_found_out(service: Service) -> None:
    service.services.intake.window._usual["default", "disallowed"] = service.clock() + 5 * HOUR
    await caught(service, 4, "Nothing to see.", 201)
    await set_rules(service, disallowed=["river"])
    await caught(service, 46)
    assert (await report(service))["disallowed"]["muted"]["why"] == "sudden"


# --- what is done by the clock -------------------------------------------------------------------------------------------


async def test_rounds_go_on_by_one_worker(service: Service) -> None:
    rounds = service.services.periodic
    calls: list[int] = []

    async def count() -> None:
        calls.append(service.clock())

    rounds.rounds = [Job("hourly", HOUR, count)]
    await rounds.due()
    await rounds.due()
    set_back(service)
    await rounds.due()
    await rounds.due()
    service.clock.forward(minutes=59)
    await rounds.due()
    assert len(calls) == 2
    service.clock.forward(minutes=2)
    await rounds.due()
    assert len(calls) == 3


async def test_a_lease_is_not_taken_by_a_clock_that_is_a_little_behind(database: Database) -> None:
    now = Clock().now

    async def take(holder: str, at: int) -> bool:
        async with database.reading() as session:
            is_free = await leases.is_free(session, "round", holder, at, at + HOUR)
        async with database.transaction() as tx:
            taken = await leases.take(tx, "round", holder, at, at + HOUR)
        assert taken is is_free
        return taken

    assert await take("a", now)
    assert not await take("b", now - 30_000)
    assert await take("b", now - 2 * HOUR), "that one was taken before the clock was set back"
    assert not await take("a", now - 2 * HOUR + 1)


async def test_what_waits_to_be_told_does_not_wait_until_then(service: Service) -> None:
    services = service.services
    services.outbox.begin = never
    now = service.clock()
    async with services.database.transaction() as tx:
        await outbox.add(
            tx,
            [
                Message(site="default", id=f"m{n}", destination="lane", subject="", content={}, created_at=now)
                for n in range(2)
            ],
        )
        (message,) = [m for m in [await outbox.due(tx, "lane", now)] if m]
        await outbox.put_off(tx, message, now + 20_000, "no answer", destination=False)

    async def due() -> set[str]:
        async with services.database.reading() as session:
            found = await outbox.due(session, "lane", service.clock())
            return {found.id} if found else set()

    set_back(service)
    assert await due() == set()
    await services.periodic.due()
    assert await due() == {"m1"}
    async with services.database.transaction() as tx:
        await outbox.delivered(
            tx, Message(site="default", id="m1", destination="lane", subject="", content={}, created_at=now)
        )
    assert await due() == set(), "what was put off rests as long as it would have"
    service.clock.forward(seconds=21)
    assert await due() == {"m0"}


async def test_what_was_put_off_while_the_clock_was_ahead_does_not_wait_until_then(service: Service) -> None:
    services = service.services
    services.outbox.begin = never
    message = Message(site="default", id="m", destination="lane", subject="", content={}, created_at=service.clock())
    async with services.database.transaction() as tx:
        await outbox.add(tx, [message])
    service.clock.forward(hours=24 * 3650)
    async with services.database.transaction() as tx:
        until = service.clock() + delay(0, 1.0)
        await outbox.put_off(tx, message, until, "no answer", destination=True)
    service.clock.forward(hours=-24 * 3650)
    assert await services.outbox.is_ahead()
    await services.periodic.due()
    assert not await services.outbox.is_ahead()
    service.clock.forward(seconds=delay(1, 1.0) / 1000)
    async with services.database.reading() as session:
        assert await outbox.due(session, "lane", service.clock())


def test_an_id_tells_when_it_was_made() -> None:
    for at in (0, 1, 1_800_000_000_000, 2**48 - 1):
        assert made_at(first_id_at(at)) == made_at(new_id(at)) == at


async def never() -> bool:
    return False
