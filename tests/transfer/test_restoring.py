"""A restored backup lets nobody in whom somebody has locked out since it was made, on both databases."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from classifier.serving import Classifier
from moderation.app import create_app
from moderation.db import connect
from moderation.outbox import webhooks
from moderation.privacy import data_requests as privacy
from moderation.settings import Settings
from moderation.team import access
from moderation.team import store as moderators
from moderation.transfer import backup
from moderation.transfer import store_backup as dump
from moderation.web import cookies
from tests.conftest import Server, Service, changed
from tests.team import test_second_factor as factor

pytestmark = pytest.mark.anyio
SECRET = b"a secret key that only the tests know"


@dataclass
class Keys:
    """All that lets somebody in at the moment of the backup."""

    session: str
    device: str
    set_password: str
    person: str
    recovery_code: str
    token: dict[str, str]
    revoked: dict[str, str]


async def let_in(service: Service) -> Keys:
    services, client = service.services, service.client
    await factor.add(service)
    await factor.give_password(service)
    _, codes = await factor.turn_on(service)
    session, device = client.cookies[cookies.COOKIE], client.cookies[access.DEVICE_COOKIE]
    client.cookies.clear()
    async with services.database.transaction() as tx:
        moderator = await access.add_moderator(tx, "new@garden.example", "moderator", "*", service.clock())
        link = await access.password_link(tx, moderator, services.signer, service.clock())
        await webhooks.add(
            tx, services.signer, "http://127.0.0.1:9/hook", "*", "", to_private=True, now=service.clock()
        )
    await service.post(email="ann@example.org")
    services.outbox.begin = never
    await privacy.ask(services.database, services.signer, "ann@example.org", service.clock())
    await service.held(email="ann@example.org")
    async with services.database.reading() as session_:
        (row,) = [row async for row in dump.rows(session_, "data_subject_links")]
    revoked = await service.token()
    async with services.database.transaction() as tx:
        await access.revoke_token(
            tx, services.signer, revoked["Authorization"].removeprefix("Bearer "), service.clock()
        )
    person = services.links.person(row[1]).removeprefix("http://comments.test")
    return Keys(session, device, f"/moderate/set-password/{link}", person, codes[0], await service.token(), revoked)


@asynccontextmanager
async def restored(
    service: Service, folder: Path, classifier: Classifier, said: list[str], **how: Any
) -> AsyncIterator[Service]:
    """The service on what was backed up, with the same secret key."""
    file = folder / "backup.zip"
    await backup.write(service.services.database, folder / "models", SECRET, file)
    settings: Settings = changed(service.settings, database=str(folder / "new" / "db"))
    database = connect(settings.database)
    await database.open()
    await backup.restore(database, folder / "m", folder / "new" / "key", file, say=said.append, **how)
    await database.close()
    app = create_app(settings, classifier=classifier, clock=service.clock, say=None)
    async with app.router.lifespan_context(app):
        app.services.outbox.begin = never
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.9", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client:
            yield Service(app, client, service.clock, settings)


async def opened(service: Service, keys: Keys) -> dict[str, bool]:
    """Which of them still opens its door."""
    client, services = service.client, service.services
    async with services.database.reading() as reading:
        moderator = await moderators.by_email(reading, factor.EMAIL)
    device = services.authenticator.device_of(moderator, keys.device) != ""
    client.cookies.set(cookies.COOKIE, keys.session)
    session = (await client.get("/moderate")).status_code == 200
    client.cookies.clear()
    asked = await factor.give_password(service)
    code = (await factor.give_code(service, asked.text, keys.recovery_code)).status_code == 303
    client.cookies.clear()

    async def opens(path: str, headers: dict[str, str] | None = None) -> bool:
        return (await client.get(path, headers=headers)).status_code == 200

    return {
        "session": session,
        "device": device,
        "code": code,
        "set-password": await opens(keys.set_password),
        "person": await opens(keys.person),
        "token": await opens("/api/v1/comments", keys.token),
        "revoked": await opens("/api/v1/comments", keys.revoked),
    }


async def kept(service: Service, table: str) -> list[dict[str, Any]]:
    async with service.services.database.reading() as session:
        return [dict(zip(dump.TABLES[table], row, strict=True)) async for row in dump.rows(session, table)]


@pytest.mark.parametrize("keep", [False, True])
async def test_nothing_that_lets_anybody_in_comes_back_by_itself(
    service: Service, classifier: Classifier, tmp_path: Path, keep: bool
) -> None:
    keys = await let_in(service)
    doors = ("session", "device", "code", "set-password", "person", "token", "revoked")
    before = {name: name != "revoked" for name in doors}
    said: list[str] = []
    async with restored(service, tmp_path, classifier, said, keep_integrations=keep) as new:
        assert await opened(new, keys) == dict.fromkeys(before, False) | {"token": keep}
        assert len(await kept(new, "webhooks")) == keep
        waiting = [row for row in await kept(new, "outbox") if row["destination"] != "mail"]
        assert bool(waiting) is keep, "what waits for a webhook goes with it"
        assert not [row for row in await kept(new, "outbox") if row["id"].startswith("person.")]
        assert len(await kept(new, "comments")) == 2
        assert (await factor.give_password(new)).status_code == 200, "the moderator, and the second factor"
    assert await opened(service, keys) == before, "and in the service itself nothing has ended"
    words = " ".join(said)
    assert "everybody signs in again" in words and "can sign in" in words
    token = keys.token["Authorization"].removeprefix("Bearer ")
    assert token not in words and "garden.example" not in words, "no secret, and nobody's address"
    assert (token[:6] in words) is not keep and ("http://127.0.0.1:9/hook" in words) is not keep
    assert ("--keep-integrations" in words) is not keep


async def test_a_backup_of_an_older_version_too(service: Service, tmp_path: Path) -> None:
    """Its rows have fewer columns: what came later is at their end."""
    await service.token()
    file, older = tmp_path / "backup.zip", tmp_path / "older.zip"
    await backup.write(service.services.database, tmp_path / "models", SECRET, file)
    with zipfile.ZipFile(file) as now, zipfile.ZipFile(older, "w") as then:
        for name in now.namelist():
            content = now.read(name)
            if name == "tokens.jsonl":
                rows = [line[: line.rindex(b",")] + b"]" for line in content.splitlines()]
                content = b"\n".join(rows) + b"\n"
            then.writestr(name, content)
    for keep in (False, True):
        database = connect(str(tmp_path / f"new{keep}" / "db"))
        await database.open()
        key = tmp_path / f"new{keep}" / "key"
        counts = await backup.restore(database, tmp_path / "m", key, older, keep_integrations=keep)
        assert counts["tokens"] == keep
        await database.close()


def test_an_operator_is_told_on_standard_error(server: Server, tmp_path: Path) -> None:
    token = server.run("add-token", "--scopes", "score").stdout.strip()
    server.run("backup", "backup.zip")
    server.stop()
    for at, option in enumerate(([], ["--keep-integrations"])):
        server.environment["MODERATION_DATABASE"] = str(tmp_path / f"new{at}" / "db")
        done = server.run("restore", "backup.zip", *option)
        assert (token[:6] in done.stderr) is (not option)
        assert ("Not restored: the token" in done.stderr) is (not option)
        assert done.stdout.count("\n") == 1 and done.stdout.startswith("{")


async def never() -> bool:
    return False
