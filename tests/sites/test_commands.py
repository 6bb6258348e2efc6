"""The commands for sites: listed, renamed, removed for good."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moderation.cli import CliContext
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Conflict, Invalid, NotFound
from moderation.db import leases, secure_delete
from moderation.db.database import Database
from moderation.outbox import webhooks
from moderation.sites import commands
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.team import access
from moderation.team import commands as team_commands
from moderation.transfer import removing
from moderation.transfer import store_removing as rows
from tests.conftest import Service

pytestmark = pytest.mark.anyio
WORD = "zqxjkvbp"


@pytest.fixture
def cli(service: Service) -> CliContext:
    return CliContext(service.settings, service.clock)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


async def garden(service: Service) -> None:
    """A second site with something in each place: comments, texts that were judged, a decision, people, keys, a model."""
    services = service.services
    async with services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="garden", name="Garden"), service.clock())
        await access.add_moderator(tx, "eve@example.org", "moderator", "garden", service.clock())
        await webhooks.add(
            tx, services.signer, "https://hooks.example/x", "garden", "", to_private=False, now=service.clock()
        )
    for n in range(3):
        body = f"See https://{WORD}.example/{n} for the {WORD} of our town."
        held = (await service.post(f"post-{n}", "garden", body=body, name=WORD)).json()
    await service.token("score", "garden")
    await service.decide(held["id"])
    who = await service.token()
    found = await service.client.get("/api/v1/comments", params={"q": WORD, "site": "garden"}, headers=who)
    assert found.json()["comments"], "the full-text index has read it"
    folder = Path(service.settings.models) / "sites" / "garden"
    folder.mkdir(parents=True)
    (folder / "history.jsonl").write_text("{}\n")


async def left(database: Database, site: str) -> dict[str, int]:
    """Table → rows of a site, where there are any."""
    async with database.reading() as session:
        counted = {}
        for table in (*await rows.tables(session), "sites"):
            row = await session.fetch_one(f"SELECT count(*) FROM {table} WHERE site = ?", site)
            counted[table] = int(row[0]) if row else 0
    return {table: count for table, count in counted.items() if count}


async def test_all_of_a_site_goes_and_nothing_of_another(service: Service, cli: CliContext, printed: Any) -> None:
    await garden(service)
    await service.held()
    database = service.services.database
    before, others = await left(database, "garden"), await left(database, "default")
    assert {"comments", "submissions", "decisions", "articles", "moderators", "tokens", "webhooks"} <= before.keys()
    await commands.remove_site(cli, "garden", "garden", as_json=True)
    assert printed() == [{"site": "garden", "comments": 3, "articles": 3, "overwritten": True}]
    assert await left(database, "garden") == {}
    assert await left(database, "default") == others
    assert not (Path(service.settings.models) / "sites" / "garden").exists()
    assert (await service.post(site="garden")).status_code == 404
    assert (await service.post()).status_code == 201
    async with database.reading() as session:
        entries = await session.fetch("SELECT site, subject FROM audit WHERE action = 'site:remove'")
    assert [tuple(entry) for entry in entries] == [(EVERYWHERE, "garden")]


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_no_byte_of_it_is_in_the_files(service: Service, cli: CliContext) -> None:
    def stored() -> bytes:
        return b"".join(file.read_bytes() for file in Path(service.settings.database).parent.iterdir())

    await garden(service)
    assert WORD.encode() in stored()
    await commands.remove_site(cli, "garden", "garden")
    await service.services.periodic.due()
    assert WORD.encode() not in stored()
    assert not await secure_delete.is_requested(service.services.database)


@pytest.mark.parametrize("again", ["", "default", "Garden", "garden "])
async def test_without_the_key_once_more_nothing_goes(service: Service, cli: CliContext, again: str) -> None:
    await garden(service)
    before = await left(service.services.database, "garden")
    with pytest.raises(Conflict, match=r"3 comments and 3 articles.*--again garden.*Nothing was changed"):
        await commands.remove_site(cli, "garden", again)
    assert await left(service.services.database, "garden") == before


async def test_a_site_that_nobody_has(cli: CliContext) -> None:
    with pytest.raises(NotFound, match="no site 'nowhere'"):
        await commands.remove_site(cli, "nowhere", "nowhere")


async def test_during_an_import_into_it_nothing_goes(service: Service, cli: CliContext) -> None:
    await garden(service)
    database = service.services.database
    async with removing.importing(database, "garden", service.clock):
        with pytest.raises(Conflict, match="An import into 'garden' is running"):
            await commands.remove_site(cli, "garden", "garden")
        async with removing.importing(database, "garden", service.clock):  # two imports may run
            pass
        with pytest.raises(Conflict):
            await commands.remove_site(cli, "garden", "garden")
    assert (await left(database, "garden"))["comments"] == 3
    await commands.remove_site(cli, "garden", "garden")


async def test_an_import_that_was_killed_stands_in_the_way_for_five_minutes(service: Service, cli: CliContext) -> None:
    await garden(service)
    async with service.services.database.transaction() as tx:
        await leases.take(tx, "import:garden:killed", "killed", service.clock(), service.clock() + removing.LIFE)
    service.clock.forward(minutes=4)
    with pytest.raises(Conflict):
        await commands.remove_site(cli, "garden", "garden")
    service.clock.forward(minutes=2)
    await commands.remove_site(cli, "garden", "garden")


async def test_no_import_begins_while_a_site_is_removed(service: Service) -> None:
    database = service.services.database
    async with database.transaction() as tx:
        await leases.take(tx, "remove:garden:", "other", service.clock(), service.clock() + removing.LIFE)
    with pytest.raises(Conflict, match="is being removed"):
        async with removing.importing(database, "garden", service.clock):
            pytest.fail("it began")
    async with removing.importing(database, "garden-2", service.clock):
        pass  # another site


async def test_an_interrupted_removal_continues(
    service: Service, cli: CliContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    await garden(service)
    monkeypatch.setattr(removing, "AT_ONCE", 1)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await removing.remove(
            service.services.database, Path(service.settings.models), "garden", service.clock, interrupt
        )
    assert (await left(service.services.database, "garden"))["comments"] == 2
    assert await removing.remove(service.services.database, Path(service.settings.models), "garden", service.clock) == 2
    assert await left(service.services.database, "garden") == {}


async def test_a_lease_is_renewed_while_the_body_runs(service: Service) -> None:
    database = service.services.database

    async def nothing(_: Any) -> None: ...

    async def is_held() -> bool:
        async with database.reading() as session:
            return await leases.is_held(session, "import:garden:", service.clock())

    async with leases.kept(database, "import:garden:x", service.clock, 60, nothing):
        service.clock.forward(seconds=1)
        for _ in range(500):
            if await is_held():
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("it was not renewed")
    assert not await is_held()


async def test_sites_are_listed(service: Service, cli: CliContext, printed: Any) -> None:
    await garden(service)
    await commands.list_sites(cli, as_json=True)
    default, other = printed()
    assert (default["site"], default["name"], set(default["comments"].values())) == ("default", "My site", {0})
    assert (other["comments"]["approved"], other["comments"]["pending"]) == (1, 2)
    assert (other["site"], other["name"], other["articles"], other["origins"]) == ("garden", "Garden", 3, [])


async def test_a_site_is_renamed_and_keeps_all_else(service: Service, cli: CliContext) -> None:
    database = service.services.database
    async with database.transaction() as tx:
        await sites.put_site(tx, Site(key="garden", name="Garden", origins=("https://garden.example",)), 0)
    await commands.rename(cli, "garden", " The garden ")
    async with database.reading() as session:
        site = (await sites.sites(session))["garden"]
    assert (site.name, site.origins) == ("The garden", ("https://garden.example",))
    with pytest.raises(Invalid):
        await commands.rename(cli, "garden", "  ")
    with pytest.raises(NotFound):
        await commands.rename(cli, "nowhere", "x")


async def test_tokens_are_listed_until_they_end(service: Service, cli: CliContext, printed: Any) -> None:
    await team_commands.add_token(cli, "score,teach", as_json=True)
    (added,) = printed()
    assert added["id"] == added["token"][:6] and added["scopes"] == ["score", "teach"]
    await team_commands.list_tokens(cli, as_json=True)
    (token,) = printed()
    assert {name: token[name] for name in ("id", "site", "scopes")} == {
        "id": added["id"], "site": "*", "scopes": ["score", "teach"],
    }  # fmt: skip
    assert token["last_used_at"] is None and added["token"] not in str(token)
    with pytest.raises(NotFound):
        await team_commands.list_tokens(cli, "nowhere")
    await team_commands.revoke_token(cli, added["id"], as_json=True)
    assert printed() == [{"id": added["id"], "undone": 0, "left": 0}]
    await team_commands.list_tokens(cli)
    assert printed() == []
