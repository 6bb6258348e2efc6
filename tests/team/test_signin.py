"""Signing in while others attack it: hashed off the loop, counted before it is compared, nobody locked out by strangers, and
forms that work in the browser alone that asked for them."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import argon2
import httpx
import pytest
from argon2.exceptions import VerifyMismatchError

from moderation.core.problem import Unavailable
from moderation.db.database import Database
from moderation.team import access, second_factor, throttle
from moderation.team import store as moderators
from moderation.team import store_failures as failures
from moderation.team.model import Moderator
from moderation.team.passwords import Passwords
from tests.conftest import Service, forged
from tests.html import Page, csrf
from tests.team.test_second_factor import EMAIL, PASSWORD, add, code_of, turn_on

pytestmark = pytest.mark.anyio
HOME, ELSEWHERE = "203.0.113.9", "198.51.100.{}"


@asynccontextmanager
async def browser(service: Service, address: str = HOME) -> AsyncIterator[httpx.AsyncClient]:
    """With cookies of its own."""
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client:
        yield client


async def give(client: httpx.AsyncClient, password: str = PASSWORD, email: str = EMAIL) -> httpx.Response:
    page = (await client.get("/moderate/login")).text
    return await client.post("/moderate/login", data={"csrf_token": csrf(page), "email": email, "password": password})


async def give_code(client: httpx.AsyncClient, asked: str, code: str) -> httpx.Response:
    fields = {"csrf_token": csrf(asked), "login_token": Page(asked).value("login_token"), "code": code}
    return await client.post("/moderate/login/code", data=fields)


async def attack(service: Service, networks: int, email: str = EMAIL, times: int = 5) -> list[int]:
    """Wrong passwords from so many networks, in a browser that is new each time."""
    found = []
    for network in range(networks):
        for _ in range(times):
            async with browser(service, ELSEWHERE.format(network)) as client:
                found.append((await give(client, "a wrong password", email)).status_code)
    return found


@dataclass
class Hashing:
    """In place of argon2: remembers where it ran and how many at once, and takes as long as the test wants."""

    open: threading.Event = field(default_factory=threading.Event)
    threads: list[int] = field(default_factory=list)
    at_once: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, password_hash: str, password: str) -> bool:
        with self.lock:
            self.threads.append(threading.get_ident())
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        self.open.wait(5)
        with self.lock:
            self.at_once -= 1
        if password != PASSWORD:
            raise VerifyMismatchError
        return True


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    found = Hashing()
    monkeypatch.setattr(argon2.PasswordHasher, "verify", lambda _, *given: found(*given))
    yield found
    found.open.set()


@pytest.fixture
def quick(hashing: Hashing) -> Hashing:
    hashing.open.set()
    return hashing


async def until(so: Any) -> None:
    async with asyncio.timeout(10):
        while not so():
            await asyncio.sleep(0.005)


# --- slow hashes ---------------------------------------------------------------------------------------------------------


async def test_while_passwords_are_hashed_comments_are_taken(service: Service, hashing: Hashing) -> None:
    """Two at a time, none of them on the event loop."""
    async with AsyncExitStack() as opened, asyncio.TaskGroup() as tasks:
        clients = [await opened.enter_async_context(browser(service, ELSEWHERE.format(n))) for n in range(8)]
        given = [give(client, "a wrong password", f"who{n}@garden.example") for n, client in enumerate(clients)]
        signing = [tasks.create_task(one) for one in given]
        await until(lambda: len(hashing.threads) == 2)
        assert (await service.post()).status_code == 201  # while all of them wait
        assert not any(task.done() for task in signing) and hashing.at_once == 2
        hashing.open.set()
        assert [(await task).status_code for task in signing] == [401] * 8
    assert hashing.most == 2 and threading.get_ident() not in hashing.threads


async def test_a_password_is_set_off_the_loop_and_never_within_a_transaction(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []
    right = argon2.PasswordHasher.hash

    def watched(self: argon2.PasswordHasher, password: str) -> str:
        ran.append(threading.get_ident())
        return right(self, password)

    monkeypatch.setattr(argon2.PasswordHasher, "hash", watched)
    link = service.said[0].split()[-1].removeprefix("http://comments.test")
    fields = {"password": PASSWORD, "repeat": PASSWORD}
    assert (await service.client.post(forged(link), data=fields)).status_code == 404 and not ran
    answers = await asyncio.gather(*(service.client.post(link, data=fields) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [303, 404]  # once, however many come at the same time
    assert ran and threading.get_ident() not in ran


async def test_attempts_at_the_same_time_do_not_outrun_the_count(service: Service, quick: Hashing) -> None:
    """Counted before anything is compared, in the database: in several workers it is the same."""
    await add(service)
    async with browser(service) as client:
        page = (await client.get("/moderate/login")).text
        fields = {"csrf_token": csrf(page), "email": EMAIL, "password": "a wrong password"}
        answers = await asyncio.gather(*(client.post("/moderate/login", data=fields) for _ in range(20)))
        assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15
    assert len(quick.threads) == 5


async def test_whoever_waits_to_be_hashed_is_bounded_and_a_known_browser_goes_first(hashing: Hashing) -> None:
    passwords, order = Passwords(at_once=1, seats=3), list[str]()

    async def one(name: str, known: bool) -> None:
        with passwords.seat(known):
            await passwords.verify("x", "wrong", known)
        order.append(name)

    first = asyncio.create_task(one("first", False))
    await until(lambda: hashing.threads)
    waiting = [asyncio.create_task(one(name, name == "known")) for name in ("stranger", "called off", "known")]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable), passwords.seat():
        pass
    with passwords.seat(known=True):  # of the three that are kept for them, one is taken
        pass
    waiting[1].cancel()
    hashing.open.set()
    await asyncio.gather(first, *waiting, return_exceptions=True)
    assert order == ["first", "known", "stranger"] and hashing.most == 1
    with passwords.seat():
        assert not await passwords.verify("x", "wrong")  # every place was given back


async def test_a_place_is_free_when_its_thread_is_not_when_the_request_is_gone(hashing: Hashing) -> None:
    passwords = Passwords(at_once=1)
    gone = asyncio.create_task(passwords.verify("x", "wrong"))
    await until(lambda: hashing.threads)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    after = asyncio.create_task(passwords.verify("x", "wrong"))
    await asyncio.sleep(0.02)
    assert len(hashing.threads) == 1
    hashing.open.set()
    assert not await after and hashing.most == 1


async def test_a_full_house_says_so_counts_nothing_and_lets_known_browsers_in(service: Service, quick: Hashing) -> None:
    await add(service)
    authenticator: access.Authenticator = service.services.authenticator
    assert (await give(service.client)).status_code == 303
    with ExitStack() as taken:
        for _ in range(authenticator.passwords.seats):
            taken.enter_context(authenticator.passwords.seat())
        async with browser(service, ELSEWHERE.format(1)) as client:
            for _ in range(6):
                full = await give(client)
                assert full.status_code == 503 and int(full.headers["retry-after"]) > 0
        assert (await give(service.client)).status_code == 303
    async with service.services.database.reading() as session:
        assert (await failures.of(session, authenticator.account(EMAIL))).unseen == 0


# --- nobody is locked out by others --------------------------------------------------------------------------------------


async def test_failures_from_elsewhere_lock_nobody_out(service: Service, quick: Hashing) -> None:
    await add(service)
    assert await attack(service, 1, times=6) == [401] * 5 + [429]
    async with browser(service) as client:
        assert (await give(client)).status_code == 303


async def test_a_browser_that_has_signed_in_keeps_its_allowance_whatever_its_network_does(
    service: Service, quick: Hashing
) -> None:
    await add(service)
    await add(service, "other@garden.example")
    async with browser(service) as mine, browser(service) as stranger:
        signed = await give(mine)
        (cookie,) = [c for c in signed.headers.get_list("set-cookie") if c.startswith("moderation_device=")]
        assert "httponly" in cookie.lower() and "max-age=34560000" in cookie.lower()
        assert [(await give(stranger, "wrong")).status_code for _ in range(6)] == [401] * 5 + [429]
        assert (await give(stranger)).status_code == 429
        mine.cookies.delete("moderation_session")
        assert [(await give(mine, "mistyped")).status_code for _ in range(4)] == [401] * 4
        assert (await give(mine)).status_code == 303
        mine.cookies.delete("moderation_session")
        # only where it signed in, only as it was given, and only for its account
        good = mine.cookies["moderation_device"]
        for worthless in (forged(good), good[:-1], good[:26], "x" * 50, "0" * 26):
            stranger.cookies.set("moderation_device", worthless, domain="comments.test", path="/moderate")
            assert (await give(stranger)).status_code == 429, worthless
        assert [(await give(mine, "wrong", "other@garden.example")).status_code for _ in range(6)][-1] == 429
        assert [(await give(mine, "mistyped")).status_code for _ in range(6)] == [401] * 5 + [429]
        service.clock.forward(minutes=16)
        assert (await give(mine)).status_code == 303


async def moderator_of(service: Service) -> Moderator:
    async with service.services.database.reading() as session:
        moderator = await moderators.by_email(session, EMAIL)
    assert moderator
    return moderator


async def changed(service: Service, mine: httpx.AsyncClient) -> None:
    async with service.services.database.transaction() as tx:
        await access.set_password(tx, await moderator_of(service), PASSWORD, service.clock())


async def reset(service: Service, mine: httpx.AsyncClient) -> None:
    signer = service.services.signer
    async with service.services.database.transaction() as tx:
        link = await access.password_link(tx, await moderator_of(service), signer, service.clock())
    page = (await mine.get(f"/moderate/set-password/{link}")).text
    fields = {"csrf_token": csrf(page), "password": PASSWORD, "repeat": PASSWORD}
    assert (await mine.post(f"/moderate/set-password/{link}", data=fields)).status_code == 303


async def others_ended(service: Service, mine: httpx.AsyncClient) -> None:
    assert (await give(mine)).status_code == 303
    form = {"csrf_token": csrf((await mine.get("/moderate/account")).text), "act": "end-others"}
    assert (await mine.post("/moderate/account", data=form)).status_code == 303


async def removed_and_invited(service: Service, mine: httpx.AsyncClient) -> None:
    async with service.services.database.transaction() as tx:
        await moderators.remove(tx, await moderator_of(service), service.clock())
    await add(service)


@pytest.mark.parametrize("how", [changed, reset, others_ended, removed_and_invited])
async def test_a_known_browser_is_forgotten_with_the_password_and_the_sessions(
    service: Service, quick: Hashing, how: Callable[[Service, httpx.AsyncClient], Awaitable[None]]
) -> None:
    """Whoever copied its cookie has the allowance of a stranger; the browser that ended the others stays known."""
    await add(service)
    async with browser(service) as mine, browser(service) as thief, browser(service) as stranger:
        assert (await give(thief)).status_code == 303
        thief.cookies.delete("moderation_session")
        await how(service, mine)
        assert [(await give(stranger, "wrong")).status_code for _ in range(6)] == [401] * 5 + [429]
        assert (await give(thief)).status_code == 429
        mine.cookies.delete("moderation_session")
        assert (await give(mine)).status_code == (303 if how is others_ended else 429)
        service.clock.forward(minutes=16)
        for client in (mine, thief):  # signed in again, they are known again
            assert (await give(client)).status_code == 303
            client.cookies.delete("moderation_session")
        assert [(await give(stranger, "wrong")).status_code for _ in range(6)] == [401] * 5 + [429]
        assert [(await give(client)).status_code for client in (mine, thief)] == [303, 303]


async def test_a_cookie_of_a_sign_in_that_a_password_change_overtook_is_worth_nothing(
    service: Service, quick: Hashing
) -> None:
    await add(service)
    authenticator: access.Authenticator = service.services.authenticator
    overtaken = await moderator_of(service)
    await changed(service, service.client)
    assert authenticator.device_of(await moderator_of(service), await authenticator.device_cookie(overtaken)) == ""
    now = await moderator_of(service)
    assert authenticator.device_of(await moderator_of(service), await authenticator.device_cookie(now))


async def test_an_account_that_fails_from_everywhere_is_slow_for_strangers_and_open(
    service: Service, quick: Hashing
) -> None:
    await add(service)
    authenticator: access.Authenticator = service.services.authenticator
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        """Holding neither a connection nor a place among those who hash."""
        slept.append(seconds)
        database: Database = service.services.database
        async with asyncio.timeout(10), database.reading(), database.reading(), database.transaction():
            assert authenticator.passwords._taken == {True: 0, False: 0}

    authenticator.throttle.sleep = sleep
    async with browser(service) as mine:
        assert (await give(mine)).status_code == 303
        assert set(await attack(service, 4)) == {401} and slept == []
        async with browser(service) as stranger:
            assert (await give(stranger)).status_code == 303
        assert slept == [throttle.STEP]
        assert set(await attack(service, 10)) == {401, 429} and slept == sorted(slept) and max(slept) <= 5
        await attack(service, 40)
        async with browser(service) as stranger:
            assert (await give(stranger)).status_code == 303
        assert slept[-1] == 5
        before = len(slept)
        assert (await give(mine)).status_code == 303 and len(slept) == before


async def test_how_many_wait_like_that_is_bounded(
    service: Service, quick: Hashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(service)
    authenticator: access.Authenticator = service.services.authenticator
    monkeypatch.setattr(throttle, "CEILING", 0)
    monkeypatch.setattr(throttle, "WAITING", 1)
    open_, waits = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.set()
        await open_.wait()

    authenticator.throttle.sleep = sleep
    async with browser(service) as one, browser(service, ELSEWHERE.format(1)) as other:
        first = asyncio.create_task(give(one))
        await waits.wait()
        refused = await give(other)
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) == 5
        open_.set()
        assert (await first).status_code == 303


class Told:
    """A database that remembers what was asked of it."""

    def __init__(self, database: Database) -> None:
        self.database, self.said = database, list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)

    @asynccontextmanager
    async def opened(self, how: str) -> AsyncIterator[Any]:
        async with getattr(self.database, how)() as session:
            right = session.fetch, session.execute

            async def fetch(sql: str, *args: Any) -> Any:
                self.said.append(sql)
                return await right[0](sql, *args)

            async def execute(sql: str, *args: Any) -> Any:
                self.said.append(sql)
                return await right[1](sql, *args)

            session.fetch, session.execute = fetch, execute
            yield session

    def reading(self) -> Any:
        return self.opened("reading")

    def transaction(self) -> Any:
        return self.opened("transaction")


async def test_an_account_that_nobody_has_is_like_any_other(service: Service, quick: Hashing) -> None:
    """The same answers, the same waits, as many hashes, and the same questions to the database in the same order."""
    await add(service)
    authenticator: access.Authenticator = service.services.authenticator
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    authenticator.throttle.sleep = sleep
    seen = []
    for email in (EMAIL, "nobody@garden.example"):
        authenticator.database = authenticator.throttle.database = told = Told(service.services.database)  # type: ignore[assignment]
        quick.threads.clear()
        slept.clear()
        statuses = await attack(service, 6, email, times=6)
        async with browser(service, "192.0.2.1") as client:
            answer = await give(client, "wrong", email)
        service.clock.forward(minutes=16)  # the networks' own allowance
        body = re.sub(r'(value|content)="[^"]*"', "", answer.text)
        seen.append((statuses, list(slept), len(quick.threads), told.said, answer.status_code, body))
    assert seen[0] == seen[1] and seen[0][1]


async def test_codes_are_treated_alike(service: Service, quick: Hashing) -> None:
    await add(service)
    await give(service.client)
    secret, _ = await turn_on(service)
    service.clock.forward(seconds=60)
    wrong = next(f"{n:06}" for n in range(9) if f"{n:06}" not in {code_of(service, secret, s) for s in (-1, 0, 1)})
    async with browser(service, ELSEWHERE.format(1)) as thief, browser(service) as stranger:  # who knows the password
        asked = (await give(thief)).text
        assert [(await give_code(thief, asked, wrong)).status_code for _ in range(6)] == [401] * 5 + [429]
        assert (await give_code(thief, asked, code_of(service, secret))).status_code == 429
        asked = (await give(stranger)).text
        assert (await give_code(stranger, asked, code_of(service, secret))).status_code == 303
        assert "5 failed sign-ins" in (await stranger.get("/moderate")).text


async def test_the_app_s_codes_cannot_be_guessed_from_everywhere_and_its_owner_gets_in(
    service: Service, quick: Hashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code has six digits only: after so many wrong ones a stranger's is not looked at, but for recovery codes."""
    monkeypatch.setattr(second_factor, "GUESSES", 6)
    await add(service)
    await give(service.client)
    secret, codes = await turn_on(service)
    service.clock.forward(seconds=60)
    for network in range(2):
        async with browser(service, ELSEWHERE.format(network)) as thief:
            asked = (await give(thief)).text
            for _ in range(3):
                assert (await give_code(thief, asked, "not a code")).status_code == 401
    async with browser(service) as stranger:
        asked = (await give(stranger)).text
        refused = await give_code(stranger, asked, code_of(service, secret))
        assert refused.status_code == 401 and "recovery code" in refused.text
        assert (await give_code(stranger, asked, codes[0])).status_code == 303
    service.client.cookies.delete("moderation_session")
    asked = (await give(service.client)).text
    assert (await give_code(service.client, asked, code_of(service, secret))).status_code == 303


async def test_whoever_is_signed_in_gives_the_password_once_more_whatever_happens_at_the_door(
    service: Service, quick: Hashing
) -> None:
    await add(service)
    await give(service.client)
    assert (await attack(service, 1))[-1] == 401
    async with browser(service) as neighbour:
        assert [(await give(neighbour, "wrong")).status_code for _ in range(6)][-1] == 429
    page = (await service.client.get("/moderate/account")).text
    form = {"csrf_token": csrf(page), "act": "begin-factor", "password": "mistyped"}
    answers = [(await service.client.post("/moderate/account", data=form)).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    async with service.services.database.reading() as session:
        known = await failures.of(session, service.services.authenticator.account(EMAIL))
    assert known.unseen == 10, "what one mistypes oneself, signed in, is no failed sign-in"


# --- forms for one browser -----------------------------------------------------------------------------------------------


async def test_a_form_fetched_elsewhere_signs_nobody_in(service: Service, quick: Hashing) -> None:
    """Else a page of somebody's could sign its visitors in to an account of theirs, and read what they do there."""
    await add(service)
    async with browser(service, ELSEWHERE.format(1)) as attacker, browser(service) as victim:
        theirs = csrf((await attacker.get("/moderate/login")).text)
        fields = {"csrf_token": theirs, "email": EMAIL, "password": PASSWORD}
        for visited in (False, True):
            if visited:
                await victim.get("/moderate/login")
            refused = await victim.post("/moderate/login", data=fields)
            assert refused.status_code == 403 and "moderation_session" not in victim.cookies
        assert (await attacker.post("/moderate/login", data=fields)).status_code == 303
        cookie = attacker.cookies.get("moderation_form", path="/moderate")
        assert cookie and cookie not in theirs


async def test_the_step_after_the_password_works_in_the_same_browser_only(service: Service, quick: Hashing) -> None:
    await add(service)
    await give(service.client)
    secret, _ = await turn_on(service)
    service.clock.forward(seconds=30)
    async with browser(service) as mine, browser(service) as other:
        asked = (await give(mine)).text
        for visited in (False, True):
            page = (await other.get("/moderate/login")).text if visited else asked
            fields = {"csrf_token": csrf(page), "code": code_of(service, secret)}
            fields["login_token"] = Page(asked).value("login_token")
            await other.post("/moderate/login/code", data=fields)
            assert "moderation_session" not in other.cookies
        assert (await give_code(mine, asked, code_of(service, secret))).status_code == 303
