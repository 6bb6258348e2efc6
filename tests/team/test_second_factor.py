"""Signing in with a password and a code, recovery codes, sessions: through the pages, without JavaScript."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pyotp
import pytest

from moderation.core.problem import NotFound
from moderation.team import access
from moderation.transfer import store_backup as dump
from tests.conftest import Service, forged
from tests.html import Page, csrf

pytestmark = pytest.mark.anyio
PASSWORD = "four unrelated words"
EMAIL = "ines@garden.example"


async def add(service: Service, email: str = EMAIL, role: str = "moderator", site: str = "*") -> None:
    services = service.services
    async with services.database.transaction() as tx:
        moderator = await access.add_moderator(tx, email, role, site, service.clock())
        await access.set_password(tx, moderator, PASSWORD, service.clock())


async def give_password(service: Service, email: str = EMAIL, password: str = PASSWORD) -> httpx.Response:
    page = (await service.client.get("/moderate/login")).text
    fields = {"csrf_token": csrf(page), "email": email, "password": password}
    return await service.client.post("/moderate/login", data=fields)


async def give_code(service: Service, asked: str, code: str) -> httpx.Response:
    fields = {"csrf_token": csrf(asked), "login_token": Page(asked).value("login_token"), "code": code}
    return await service.client.post("/moderate/login/code", data=fields)


async def act(service: Service, act: str, **fields: str) -> httpx.Response:
    page = (await service.client.get("/moderate/account")).text
    return await service.client.post("/moderate/account", data={"csrf_token": csrf(page), "act": act} | fields)


def code_of(service: Service, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(service.clock() // 1000 + 30 * steps)


async def turn_on(service: Service) -> tuple[str, list[str]]:
    """Signed in beforehand; the app's secret and the recovery codes. The code that was used is used."""
    assert (await act(service, "begin-factor", password=PASSWORD)).status_code == 303
    page = (await service.client.get("/moderate/account")).text
    shown = Page(page)
    key = shown.text(".key").replace(" ", "")
    assert shown.has("svg") and f"secret={key}" in page
    assert re.fullmatch("[A-Z2-7]{32}", key)  # 160 bits
    on = await act(service, "confirm-factor", code=code_of(service, key))
    assert on.status_code == 200, on.text
    codes = recovery_codes(on)
    return key, codes


def recovery_codes(answer: httpx.Response) -> list[str]:
    codes = Page(answer.text).texts("li > code")
    assert len(set(codes)) == 10 and all(re.fullmatch("[0-9a-z-]{19}", code) for code in codes)
    return codes


def forget_session(service: Service) -> None:
    """In the same browser: what it was given with a form is for no other."""
    service.client.cookies.delete("moderation_session")


async def is_in(service: Service) -> bool:
    return (await service.client.get("/moderate")).status_code == 200


async def test_the_code_is_asked_for_after_the_password_and_taken_once(service: Service) -> None:
    await add(service)
    assert (await give_password(service)).status_code == 303
    secret, codes = await turn_on(service)
    page = (await service.client.get("/moderate/account")).text
    assert secret[:4] not in page and codes[0] not in page  # both were shown once
    service.client.cookies.clear()

    asked = await give_password(service)
    assert asked.status_code == 200 and "set-cookie" not in asked.headers and not await is_in(service)
    used = await give_code(service, asked.text, code_of(service, secret))
    assert used.status_code == 401 and not await is_in(service)  # the code that turned it on
    service.clock.forward(seconds=30)
    assert (await give_code(service, asked.text, code_of(service, secret))).status_code == 303
    assert await is_in(service)

    forget_session(service)
    assert (await give_code(service, asked.text, code_of(service, secret))).status_code == 401
    assert (await give_code(service, asked.text, code_of(service, secret, -1))).status_code == 401  # nor an older one
    assert (await give_code(service, asked.text, code_of(service, secret, 2))).status_code == 401
    assert (
        await give_code(service, asked.text, code_of(service, secret, 1))
    ).status_code == 303  # a clock that is ahead


async def test_a_ticket_is_worth_nothing_alone_and_is_soon_over(service: Service) -> None:
    await add(service)
    await give_password(service)
    secret, _ = await turn_on(service)
    service.client.cookies.clear()
    asked = (await give_password(service)).text
    service.clock.forward(minutes=5)
    for wrong in ("", "x", "*/x/zz/y", "*/0/0", forged(Page(asked).value("login_token"))):
        fields = {"csrf_token": csrf(asked), "login_token": wrong, "code": code_of(service, secret)}
        answer = await service.client.post("/moderate/login/code", data=fields)
        assert answer.status_code == 401 and "Sign in again" in answer.text
    service.clock.forward(minutes=5)
    assert (await give_code(service, asked, code_of(service, secret))).status_code == 401
    assert not await is_in(service)


async def test_wrong_codes_are_limited_in_the_database(service: Service) -> None:
    await add(service)
    await give_password(service)
    secret, codes = await turn_on(service)
    service.client.cookies.clear()
    asked = (await give_password(service)).text
    service.clock.forward(seconds=60)
    wrong = f"{(int(code_of(service, secret)) + 1) % 1_000_000:06}"
    near = {code_of(service, secret, n) for n in (-1, 0, 1)}
    assert wrong not in near
    answers = [(await give_code(service, asked, wrong)).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    for right in (code_of(service, secret), codes[0]):
        assert (await give_code(service, asked, right)).status_code == 429
    service.clock.forward(minutes=16)
    asked = (await give_password(service)).text
    assert (await give_code(service, asked, code_of(service, secret))).status_code == 303


async def test_a_recovery_code_signs_in_once_and_new_ones_end_the_old(service: Service) -> None:
    await add(service)
    await give_password(service)
    secret, codes = await turn_on(service)
    service.client.cookies.clear()
    asked = (await give_password(service)).text
    assert (await give_code(service, asked, codes[0].upper().replace("-", " "))).status_code == 303
    forget_session(service)
    assert (await give_code(service, asked, codes[0])).status_code == 401
    assert (await give_code(service, asked, codes[1])).status_code == 303
    assert "8 recovery codes are left" in (await service.client.get("/moderate/account")).text

    service.clock.forward(seconds=30)
    renewed = await act(service, "new-codes", code=code_of(service, secret))
    fresh = recovery_codes(renewed)
    assert not set(fresh) & set(codes)
    forget_session(service)
    assert (await give_code(service, asked, codes[2])).status_code == 401
    assert (await give_code(service, asked, fresh[0])).status_code == 303


async def test_a_new_password_by_link_does_not_get_round_it(service: Service) -> None:
    await add(service)
    await give_password(service)
    await turn_on(service)
    service.client.cookies.clear()
    before = (await give_password(service)).text
    services = service.services
    async with services.database.transaction() as tx:
        from moderation.team import store as moderators

        found = await moderators.by_email(tx, EMAIL)
        assert found
        token = await access.password_link(tx, found, services.signer, service.clock())
    fields = {"password": "five quite other words", "repeat": "five quite other words"}
    assert (await service.client.post(f"/moderate/set-password/{token}", data=fields)).status_code == 303
    assert not await is_in(service)
    asked = await give_password(service, password="five quite other words")
    assert asked.status_code == 200 and Page(asked.text).has('[name="login_token"]') and not await is_in(service)
    assert (await give_code(service, before, "000000")).status_code == 401  # a ticket of the old password
    assert "Sign in again" in (await give_code(service, before, "000000")).text


async def test_turning_it_on_or_off_needs_more_than_an_open_session(service: Service) -> None:
    await add(service)
    await give_password(service)
    refused = await act(service, "begin-factor", password="a wrong password")
    assert refused.status_code == 401 and "otpauth" not in refused.text
    for name in ("confirm-factor", "stop-factor", "new-codes"):
        assert (await act(service, name, code="123456")).status_code == 409  # nothing was begun
    await act(service, "begin-factor", password=PASSWORD)
    assert (await act(service, "confirm-factor", code="not a code")).status_code == 401
    service.client.cookies.clear()
    assert (await give_password(service)).status_code == 303  # begun, never confirmed: not asked for
    await act(service, "cancel-factor")
    assert "Turn it on" in (await service.client.get("/moderate/account")).text
    secret, _ = await turn_on(service)
    assert (await act(service, "begin-factor", password=PASSWORD)).status_code == 409
    assert (await act(service, "cancel-factor")).status_code == 303  # changes nothing on one that is on
    assert (await act(service, "stop-factor", code=code_of(service, secret))).status_code == 401  # used
    service.clock.forward(seconds=30)
    assert (await act(service, "stop-factor", code=code_of(service, secret))).status_code == 303
    service.client.cookies.clear()
    assert (await give_password(service)).status_code == 303


async def test_no_secret_is_stored_or_written_into_the_log(service: Service) -> None:
    await add(service)
    await give_password(service)
    session = service.client.cookies["moderation_session"]
    secret, codes = await turn_on(service)
    kept = []
    async with service.services.database.reading() as reading:
        for table in dump.TABLES:
            kept += [[table, *row] async for row in dump.rows(reading, table)]
    text = json.dumps(kept, default=str)
    assert "second-factor:on" in text and '"recovery_codes"' in text
    raw = pyotp.TOTP(secret).byte_secret().hex()
    for hidden in (secret, secret.lower(), raw, session, PASSWORD, *codes, *(c.replace("-", "") for c in codes)):
        assert hidden not in text


async def test_sessions_are_listed_without_a_place_and_ended(service: Service) -> None:
    await add(service)
    clients = []
    for _ in range(3):
        service.clock.forward(minutes=61)
        service.client.cookies.clear()
        await give_password(service)
        clients.append(service.client.cookies["moderation_session"])
    service.clock.forward(minutes=61)
    page = (await service.client.get("/moderate/account")).text
    ids = Page(page).attributes('[name="session"]', "value")
    assert len(ids) == 2 and "this one" in page and "203.0.113" not in page
    assert not any(token in page for token in clients)
    # the hour at most; a session that was never used since shows when it began
    used = Page(page).attributes("li .soft time", "datetime")
    assert len(used) == 2 and all(re.search(r":\d\d$", at) for at in used)

    assert (await act(service, "end-session", session=ids[0])).status_code == 303
    assert (await act(service, "end-session", session=ids[0])).status_code == 404

    async def alive(token: str) -> bool:
        cookies = httpx.Cookies({"moderation_session": token})
        asked = httpx.Request("GET", "http://comments.test/moderate", headers={"Cookie": f"moderation_session={token}"})
        assert cookies
        return (await service.client.send(asked)).status_code == 200

    assert [await alive(token) for token in clients] == [True, False, True]
    assert (await act(service, "end-others")).status_code == 303
    assert [await alive(token) for token in clients] == [False, False, True]
    assert (await act(service, "end-session")).status_code == 422  # which one?


async def test_the_last_use_is_kept_to_the_hour(service: Service) -> None:
    who = await service.token()
    service.clock.forward(minutes=17, seconds=3)

    async def used() -> Any:
        async with service.services.database.reading() as session:
            return (await session.fetch("SELECT last_used_at FROM tokens WHERE kind = 'api'"))[0][0]

    assert await used() is None
    await service.client.get("/api/v1/comments", headers=who)
    first = await used()
    assert first % 3_600_000 == 0 and 0 <= service.clock() - first < 3_600_000
    service.clock.forward(hours=2)
    await service.client.get("/api/v1/comments", headers=who)
    assert await used() == first + 2 * 3_600_000


async def test_nobody_acts_without_the_csrf_token(service: Service) -> None:
    await add(service)
    await give_password(service)
    for name in ("begin-factor", "end-others", "nonsense"):
        answer = await service.client.post("/moderate/account", data={"act": name, "password": PASSWORD})
        assert answer.status_code == 403
    assert (await act(service, "nonsense")).status_code == 422


async def test_the_operator_ends_a_second_factor_that_is_lost(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    from moderation.cli import CliContext
    from moderation.team.commands import reset_second_factor

    await add(service)
    await give_password(service)
    _, codes = await turn_on(service)
    cli = CliContext(service.settings)
    await reset_second_factor(cli, EMAIL)
    assert "off" in capsys.readouterr().err
    service.client.cookies.clear()
    assert (await give_password(service)).status_code == 303
    with pytest.raises(NotFound):
        await reset_second_factor(cli, EMAIL)
    who = await service.token()
    entries = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    ended = next(entry for entry in entries if entry["action"] == "second-factor:off")
    assert ended["actor"] == "operator" and not any(code in json.dumps(entries) for code in codes)
