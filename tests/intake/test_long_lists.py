"""Lists of thousands of entries are checked and compiled before a transaction: meanwhile other sites' comments are stored."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from moderation.core.signing import Signer
from moderation.sites import site_settings
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from moderation.text.wordlist import Listed
from tests.conftest import Service

pytestmark = pytest.mark.anyio
LONG = (*(f"gar-den{n}!" for n in range(100)), "kind word")


class Gate:
    """Where whatever takes long stands still until the test has seen the others pass."""

    def __init__(self) -> None:
        self.reached, self.open, self.threads = threading.Event(), threading.Event(), list[int]()

    def stand(self) -> None:
        self.threads.append(threading.get_ident())
        self.reached.set()
        assert self.open.wait(8)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


async def reached(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.reached.wait, 10)


async def with_lists(service: Service) -> None:
    sites.site_of.cache_clear()  # it is the process's, and compiled by the test before
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="Mine", settings=SiteSettings(blocked=LONG)), service.clock())
        await sites.put_site(tx, Site(key="other", name="Another"), service.clock())
    service.services.directory.forget()


async def comment(service: Service) -> httpx.Response:
    return await service.post()


async def checked(service: Service) -> httpx.Response:
    fields = {"text": "A kind word about the garden.", "name": "Ann"}
    headers = await service.token("score,teach")
    return await service.client.post("/api/v1/sites/default/checks", json=fields, headers=headers)


async def only_checked(service: Service) -> httpx.Response:
    fields = {"text": "A kind word about the garden.", "name": "Ann", "store": False}
    headers = await service.token("score,teach")
    return await service.client.post("/api/v1/sites/default/checks", json=fields, headers=headers)


async def edited(service: Service) -> httpx.Response:
    made, place = service.edited, "/sites/default/articles/post/comments"  # type: ignore[attr-defined]
    return await service.client.patch(
        f"{place}/{made['id']}", json={"body": "A kind word, and another."}, headers={"Edit-Token": made["edit_token"]}
    )


@pytest.mark.parametrize("send", [comment, checked, only_checked, edited])
async def test_while_one_sites_lists_are_compiled_others_are_served(
    service: Service, gate: Gate, monkeypatch: pytest.MonkeyPatch, send: Any
) -> None:
    await with_lists(service)
    if send is edited:
        service.edited = (await comment(service)).json()  # type: ignore[attr-defined]
        await with_lists(service)

    class Slow(Listed):
        def __init__(self, entries: Iterable[str]) -> None:
            if entries:
                gate.stand()
            super().__init__(entries)

    monkeypatch.setattr(site_settings, "Listed", Slow)
    waits = asyncio.create_task(send(service))
    await reached(gate)
    assert threading.get_ident() not in gate.threads
    assert (await service.post(site="other")).status_code == 201
    assert (await service.client.get("/sites/default/articles/post/comments")).status_code == 200
    assert not waits.done()
    gate.open.set()
    answer = await waits
    assert answer.status_code in (200, 202), answer.text
    told = answer.json()
    assert (told.get("action") or told["status"]) in ("hold", "pending"), "the list has its say"


async def test_a_stop_waits_for_no_list_and_loses_nothing(
    service: Service, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_lists(service)
    stood = SiteSettings.compile

    async def compile(settings: SiteSettings) -> None:
        if not settings.are_compiled:
            gate.reached.set()
            await asyncio.Event().wait()
        await stood(settings)

    monkeypatch.setattr(SiteSettings, "compile", compile)
    waits = asyncio.create_task(comment(service))
    await reached(gate)
    await service.services.intake.stop()
    assert (await waits).status_code == 202


@pytest.mark.parametrize("how", ["api", "page"])
async def test_while_ten_thousand_entries_are_checked_others_are_served(
    service: Service, gate: Gate, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    from tests.team.test_roles import signed_in

    await with_lists(service)
    headers, who = await service.token(), await signed_in(service)
    right = site_settings.checked

    def slow(given: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
        gate.stand()
        return right(given, signer)

    monkeypatch.setattr(site_settings, "checked", slow)
    entries = [f"a{n}@b{n}.example" for n in range(200)]
    if how == "api":
        place = "/api/v1/sites/default/rules"
        sent = asyncio.create_task(service.client.put(place, json={"blocked": entries}, headers=headers))
    else:
        fields = {
            "csrf_token": who.csrf,
            "site": "default",
            "seen": "",
            "fields": "blocked",
            "blocked": "\n".join(entries),
        }
        sent = asyncio.create_task(who.ask("POST", "/moderate/policy", data=fields))
    await reached(gate)
    assert threading.get_ident() not in gate.threads
    assert (await service.post(site="other")).status_code == 201
    gate.open.set()
    assert (await sent).status_code in (200, 303)
    async with service.services.database.reading() as session:
        kept = (await sites.sites(session, ["default"]))["default"].settings.blocked
    assert len(kept) == 200 and all(entry.startswith("author:") for entry in kept)
