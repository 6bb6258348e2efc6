"""Keys of the protocols: their form, their rights, guessing, and a leaked one."""

from __future__ import annotations

import re

import pytest

from moderation.core.problem import Invalid, TooFast
from moderation.dialects.keys import FAILURES, Keys
from moderation.team import access
from tests.conftest import Server, Service

CHECKS = "/api/v1/sites/default/checks"


async def akismet_key(service: Service, scopes: str = "score,teach") -> str:
    services = service.services
    async with services.database.transaction() as tx:
        return await access.add_token(
            tx, services.signer, "default", frozenset(scopes.split(",")), service.clock(), akismet=True
        )


@pytest.mark.anyio
async def test_an_akismet_key_is_twelve_digits_in_any_case_and_shows_none_of_itself(service: Service) -> None:
    key = await akismet_key(service)
    assert re.fullmatch("[0-9a-f]{12}", key)
    for spelled in (key, key.upper()):
        principal = await service.services.keys.principal(spelled, "network")
        assert principal and principal.may("score") and principal.may("teach")
        assert not set(re.findall("[0-9a-f]{4,}", principal.name)) & {key[n : n + 4] for n in range(9)}
    with pytest.raises(Invalid):
        await akismet_key(service, "score,moderate")


@pytest.mark.anyio
async def test_a_revoked_key_is_none_by_key_or_by_id(service: Service) -> None:
    services = service.services
    for by_id in (False, True):
        key = await akismet_key(service)
        principal = await services.keys.principal(key, "network")
        assert principal
        async with services.database.transaction() as tx:
            given = principal.name.removeprefix("token:") if by_id else key.upper()
            await access.revoke_token(tx, services.signer, given, service.clock())
        assert await services.keys.principal(key, "network") is None


@pytest.mark.anyio
async def test_guessing_ends_and_other_networks_go_on(service: Service) -> None:
    keys, good = service.services.keys, await akismet_key(service)
    for number in range(FAILURES):
        assert await keys.principal(f"{number:012x}", "guesser") is None
    with pytest.raises(TooFast):
        await keys.principal(good, "guesser")
    assert await keys.principal(good, "reader")
    service.clock.forward(minutes=16)
    assert await keys.principal(good, "guesser")


@pytest.mark.anyio
async def test_a_missing_key_is_no_guess(service: Service) -> None:
    keys: Keys = service.services.keys
    for _ in range(FAILURES + 1):
        assert await keys.principal("", "network") is None


def test_a_leaked_key_is_ended_and_what_it_taught_is_undone(server: Server) -> None:
    import httpx

    key = server.run("add-token", "--akismet", "--site", "default").stdout.strip()
    assert re.fullmatch("[0-9a-f]{12}", key)
    headers = {"Authorization": f"Bearer {key}"}
    url = server.url + CHECKS
    for number in range(3):
        check = {"text": f"A kind word about bean number {number}.", "id": str(number), "name": f"Ann {number}"}
        assert httpx.post(url, json=check, headers=headers).json()["status"] == "approved"
        decided = httpx.post(f"{url}/{number}/decisions", json={"action": "spam"}, headers=headers)
        assert decided.json()["status"] == "spam", decided.text
    done = server.run("revoke-token", key, "--undo-since", "2026-01-01")
    assert "Undone: 3 decisions" in done.stderr
    assert httpx.post(url, json={"text": "x"}, headers=headers).status_code == 401
    token = server.run("add-token", "--scopes", "score").stdout.strip()
    for number in range(3):
        state = httpx.get(f"{url}/{number}", headers={"Authorization": f"Bearer {token}"}).json()
        assert state["status"] == "approved"
    assert key not in server.log
    wrong = server.run("revoke-token", token, "--undo-since", "yesterday", check=False)
    assert wrong.returncode == 1 and "--undo-since" in wrong.stderr


def test_an_akismet_key_has_no_other_scope(server: Server) -> None:
    done = server.run("add-token", "--akismet", "--scopes", "moderate", check=False)
    assert done.returncode == 1 and not done.stdout


@pytest.mark.anyio
async def test_programs_of_an_unknown_network_do_not_lock_each_other_out(service: Service) -> None:
    keys, good = service.services.keys, await akismet_key(service)
    for number in range(FAILURES + 1):
        assert await keys.principal(f"{number:012x}", "") is None
    assert await keys.principal(good, "")
