"""The queue's events end with what allowed them: within a look of the database, however much there is to tell."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from moderation.db.database import Session
from moderation.queue import live as events
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.team import access, members
from moderation.team import store as moderators
from tests.conftest import Service
from tests.queue.test_live import listening
from tests.team.test_roles import Person, signed_in

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silence ends nothing here: only what is looked up does."""
    monkeypatch.setattr(events, "LOOK", 0.01)
    monkeypatch.setattr(events, "HEARTBEAT", 1000.0)


async def ended(service: Service) -> None:
    async with asyncio.timeout(10):
        while service.services.live.clients:
            await asyncio.sleep(0.005)


async def write(service: Service, act: Callable[[Session], Awaitable[Any]]) -> None:
    async with service.services.database.transaction() as tx:
        await act(tx)


async def sign_out(service: Service, person: Person) -> None:
    services = service.services
    await access.sign_out(services.database, services.signer, person.token, service.clock())


async def change(service: Service, person: Person, role: str, site: str) -> None:
    """As an administrator of all does it."""
    async with service.services.database.transaction() as tx:
        await moderators.move(tx, person.moderator, role, site)


WAYS: dict[str, Callable[[Service, Person], Awaitable[None]]] = {
    "signed out": sign_out,
    "removed": lambda s, p: write(s, lambda tx: members.dismiss(tx, p.moderator, "operator", s.clock())),
    "another role": lambda s, p: change(s, p, "administrator", "*"),
    "another site": lambda s, p: change(s, p, "moderator", "other"),
    "sessions ended": lambda s, p: write(s, lambda tx: moderators.end_sessions(tx, p.moderator, s.clock())),
    "a new password": lambda s, p: write(
        s, lambda tx: access.set_password(tx, p.moderator, "another password", s.clock())
    ),
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_session_s_stream_ends_with_it(service: Service, way: str) -> None:
    person = await signed_in(service, "moderator")
    stays = await service.token()
    async with listening(service, {"Cookie": f"moderation_session={person.token}"}) as heard:
        await heard.until("queue")
        await WAYS[way](service, person)
        await ended(service)
        heard.text = ""
        async with listening(service, stays) as other:
            id = await service.held()
            await other.until("queue", id=id)
        assert id not in heard.text


async def test_a_session_s_stream_ends_when_its_time_is_over(service: Service) -> None:
    person = await signed_in(service, "moderator")
    async with listening(service, {"Cookie": f"moderation_session={person.token}"}) as heard:
        await heard.until("queue")
        service.clock.forward(hours=14 * 24 + 1)
        await ended(service)


async def test_a_token_s_stream_ends_when_it_is_revoked_and_no_other(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="garden", name="Garden"), service.clock())
    one, other, there = await service.token(), await service.token(), await service.token(site="garden")
    token, services = one["Authorization"].split()[1], service.services
    async with listening(service, one) as gone, listening(service, other) as stays, listening(service, there) as far:
        for heard in (gone, stays, far):
            await heard.until("queue")
        await write(service, lambda tx: access.revoke_token(tx, services.signer, token, service.clock()))
        async with asyncio.timeout(10):
            while len(services.live.clients) == 3:
                await asyncio.sleep(0.005)
        gone.text = ""
        id = await service.held()
        await stays.until("queue", id=id)
        assert len(services.live.clients) == 2 and id not in gone.text and id not in far.text
