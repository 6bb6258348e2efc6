"""What came in goes out again, whole: threads, statuses, dates, verdicts and decisions."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from moderation.core.problem import Problem
from moderation.core.signing import Signer
from moderation.core.urls import Links
from moderation.db import connect
from moderation.db.database import Database
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.transfer import commands as transfer_commands
from moderation.transfer import store_backup as dump
from tests.conftest import Service
from tests.transfer import foreign
from tests.transfer.conftest import Bring
from tests.transfer.foreign import PATH_KEY, Row
from tests.transfer.test_importing import SPAM, STORY

pytestmark = pytest.mark.anyio
SITE = Site(key="default", name="My site", origins=("https://blog.example",))
LATER = 1_900_000_000_000


async def exported(database: Database, service: Service, file: Path, format: str = "jsonl") -> bytes:
    await transfer_commands.run_export(database, service.services.links, SITE, format, str(file), service.clock)
    return file.read_bytes()


async def lived_in(service: Service, bring: Bring) -> None:
    """A site with a past, and with a life since: replies, edits, decisions, an undo."""
    await bring(foreign.wxr(foreign.wxr_post(STORY)))
    await bring(foreign.wp_list([*STORY, *SPAM]))
    who = await service.token()
    first = await service.post("12", body="A reader of *ours*, number 50")
    again = await service.post("12", parent=first.json()["id"], body="An answer, number 51", url="https://a.example/")
    token = {"Edit-Token": again.json()["edit_token"]}
    address = f"/sites/default/articles/12/comments/{again.json()['id']}"
    assert (await service.client.patch(address, json={"body": "A better answer, number 51"}, headers=token)).is_success
    held = [await service.held("12") for _ in range(3)]
    appealing = (await service.post("12", body="See https://blog.example/borage, number 55")).json()
    sent = {"comments": [appealing["id"]], "action": "reject", "reason": "advertising", "note": "A shop?"}
    assert (await service.client.post("/api/v1/decisions", json=sent, headers=who)).is_success
    said = {"act": "appeal", "appeal": "It is my garden,\nand I sell nothing."}
    assert (await service.client.post(appealing["receipt"], data=said)).status_code == 303
    for ids, action in ((held[:2], "reject"), (held[2:], "spam")):
        service.clock.forward(seconds=1)
        decided = await service.client.post(
            "/api/v1/decisions",
            json={"comments": ids, "action": action, "labels": ["insult"] if action == "reject" else [], "note": "why"},
            headers=who,
        )
        assert decided.is_success, decided.text
    assert (await service.client.post(f"/api/v1/decisions/{decided.json()['id']}/undo", headers=who)).is_success
    await service.post("Other.article", name="Zoë 你好", body="Elsewhere, number 60")


KEPT = ("articles", "comments", "submissions", "decisions", "appeals")
FORGOTTEN = {"comments": {"network_key"}, "articles": {"revision", "created_at"}}
"""Network addresses do not travel; a revision only counts this database's changes."""


async def held_in(database: Database) -> dict[str, list[dict[str, Any]]]:
    async with database.reading() as session:
        found = {
            table: [dict(zip(dump.TABLES[table], row, strict=True)) async for row in dump.rows(session, table)]
            for table in (*KEPT, "imported_ids")
        }
    for table, forgotten in FORGOTTEN.items():
        for row in found[table]:
            for name in forgotten:
                row.pop(name)
    for row in found["submissions"]:
        for name in ("scores", "reasons", "facts"):
            row[name] = json.loads(row[name]) if row[name] else None
    # its own ids need no second name, and what waits for a parent that no file had waits no more
    found["imported_ids"] = [
        row | {"missing_parent": None} for row in found["imported_ids"] if row["source"] != "leave-a-reply"
    ]
    return found


async def test_out_and_in_again_everything_is_the_same(service: Service, bring: Bring, tmp_path: Path) -> None:
    await lived_in(service, bring)
    here = connect(service.settings.database)
    await here.open()
    await exported(here, service, tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600
    there = connect(str(tmp_path / "fresh.sqlite3"))
    await there.open()
    async with there.transaction() as tx:
        await sites.put_site(tx, SITE, 1)
    signer = service.services.signer
    for _ in range(2):  # twice is as good as once
        await transfer_commands.run_import(
            there, signer, "default", str(tmp_path / "out.jsonl"), None, None, lambda: LATER
        )
        before, after = await held_in(here), await held_in(there)
        for table in (*KEPT, "imported_ids"):
            assert after[table] == before[table], table
    # back into the place that it came from: nothing is doubled
    told = await transfer_commands.run_import(
        here, signer, "default", str(tmp_path / "out.jsonl"), None, None, lambda: LATER
    )
    assert (told["comments"], told["articles"], told["decisions"], told["skipped"]) == ({}, 0, {}, {})
    assert await held_in(here) == before
    await here.close()
    await there.close()


OF_VERSION_1 = {
    b"judged_revision": b"judged", b"is_decided": b"decided", b"is_staff": b"staff", b"before_status": b"before",
    b"after_status": b"after",
}  # fmt: skip


async def test_an_export_of_version_1_comes_in_as_one_of_today(service: Service, bring: Bring, tmp_path: Path) -> None:
    await lived_in(service, bring)
    here, there = service.services.database, connect(str(tmp_path / "fresh.sqlite3"))
    data = (await exported(here, service, tmp_path / "out.jsonl")).replace(b'"version":2', b'"version":1', 1)
    for name, then in OF_VERSION_1.items():
        assert b'"%s":' % name in data
        data = data.replace(b'"%s":' % name, b'"%s":' % then)
    (tmp_path / "then.jsonl").write_bytes(data)
    await there.open()
    async with there.transaction() as tx:
        await sites.put_site(tx, SITE, 1)
    signer = service.services.signer
    await transfer_commands.run_import(
        there, signer, "default", str(tmp_path / "then.jsonl"), None, None, lambda: LATER
    )
    before, after = await held_in(here), await held_in(there)
    await there.close()
    for table in (*KEPT, "imported_ids"):
        assert after[table] == before[table], table


async def test_a_copy_in_the_same_database_has_ids_of_its_own(service: Service, bring: Bring, tmp_path: Path) -> None:
    await lived_in(service, bring)
    here = service.services.database
    await exported(here, service, tmp_path / "out.jsonl")
    async with here.transaction() as tx:
        await sites.put_site(tx, Site(key="copy", name="A copy"), 1)
    service.services.directory.forget()
    for _ in range(2):
        await bring(tmp_path / "out.jsonl", site="copy")
        one, two = await service.thread("12"), await service.thread("12", site="copy")
        assert bare(one["comments"]) == bare(two["comments"])
        assert one["count"] == two["count"]
        assert {c["id"] for c in one["comments"]}.isdisjoint(c["id"] for c in two["comments"])
    who = await service.token()
    both = [
        (await service.client.get("/api/v1/comments", params={"status": "rejected", "site": s}, headers=who)).json()
        for s in ("default", "copy")
    ]
    assert [len(b["comments"]) for b in both] == [2, 2]


def bare(comments: list[dict[str, Any]]) -> list[Any]:
    return [
        (c["author"]["name"], c["html"], c["created_at"], c["edited_at"], c["depth"], bare(c["replies"]))
        for c in comments
    ]


async def test_wxr_reads_back_as_the_same_threads(service: Service, bring: Bring, tmp_path: Path) -> None:
    await lived_in(service, bring)
    here = service.services.database
    data = await exported(here, service, tmp_path / "out.xml", "wxr")
    async with here.transaction() as tx:
        await sites.put_site(tx, Site(key="copy", name="A copy"), 1)
    service.services.directory.forget()
    told = await bring(data, site="copy")
    assert told["skipped"] == {}
    one, two = await service.thread("12"), await service.thread("12", site="copy")

    def seconds(comments: list[Any]) -> list[Any]:  # WordPress has no milliseconds, and no edits
        return [(name, html, at[:19], depth, seconds(replies)) for name, html, at, _, depth, replies in comments]

    assert seconds(bare(one["comments"])) == seconds(bare(two["comments"]))
    assert two["article"]["title"] == one["article"]["title"]
    who = await service.token()
    for status, kept in (("pending", "pending"), ("spam", "spam"), ("rejected", "deleted")):
        asked = {"status": status, "site": "default"}, {"status": kept, "site": "copy"}
        counts = [
            len((await service.client.get("/api/v1/comments", params=q, headers=who)).json()["comments"]) for q in asked
        ]
        assert counts[0] <= counts[1] and counts[1] > 0


async def test_wordpress_ids_travel_with_our_own_export(service: Service, bring: Bring, tmp_path: Path) -> None:
    """Its form goes on naming parents by number."""
    from moderation.transfer import store as imports

    await bring(foreign.wxr(foreign.wxr_post([Row(1)])), keys="path")
    here = service.services.database
    await exported(here, service, tmp_path / "out.jsonl")
    fresh = connect(str(tmp_path / "fresh.sqlite3"))
    await fresh.open()
    async with fresh.transaction() as tx:
        await sites.put_site(tx, SITE, 1)
    await transfer_commands.run_import(
        fresh, service.services.signer, "default", str(tmp_path / "out.jsonl"), None, None, lambda: LATER
    )
    async with fresh.reading() as session:
        (comment,) = (await imports.found(session, "default", "wordpress", "comment", ["1"])).values()
        assert await imports.found(session, "default", "wordpress", "article", ["12"]) == {"12": PATH_KEY}
    assert (await service.thread(PATH_KEY))["comments"][0]["id"] == comment
    await fresh.close()


async def test_an_export_that_is_cut_short_says_so(service: Service, bring: Bring, tmp_path: Path) -> None:
    await bring(foreign.wxr(foreign.wxr_post(STORY)))
    data = await exported(service.services.database, service, tmp_path / "out.jsonl")
    lines = data.splitlines(keepends=True)
    told = await bring(b"".join(lines[:-1]))
    assert told["skipped"] == {"the export is cut short: its last line is missing. What is there has come in": 1}
    with pytest.raises(Problem, match="newer leave-a-reply"):
        await bring(data.replace(b'"version":2', b'"version":3', 1))


async def test_a_file_is_never_written_over(service: Service, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")
    with pytest.raises(Problem, match="exists already"):
        await exported(service.services.database, service, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


async def test_texts_that_xml_has_no_room_for_still_make_good_xml(
    tmp_path: Path, settings: Settings, service: Service
) -> None:
    from xml.parsers import expat

    await service.post(
        "post",
        name="A ]]> <b> & \ufffe",
        body="]]> <![CDATA[ & \ufffe \ud83d\ude00 <item> &#0;".encode("utf-16", "surrogatepass").decode("utf-16"),
    )
    written = io.BytesIO()
    from moderation.transfer import exporting

    links = Links("http://comments.test", Signer(b"a secret of the tests"))
    await exporting.write_wxr(service.services.database, SITE, links, written.write)
    expat.ParserCreate().Parse(written.getvalue(), True)
    assert written.getvalue().count(b"<wp:comment>") == 1
