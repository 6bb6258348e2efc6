"""A piece taken out of a comment: nothing of it is left, in no table, no index, no file and no answer, on both databases."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from moderation.db import secure_delete
from moderation.outbox import webhooks
from moderation.queue.redact import pattern, shift
from moderation.transfer import store_backup as dump
from tests.conftest import Service
from tests.html import csrf
from tests.intake.test_receipts import path_of, read
from tests.queue.test_decide import decide, set_password, sign_in

pytestmark = pytest.mark.anyio
NUMBER = "+49 170 5554433221"
BODY = f"Call me: {NUMBER}, or *write*. See https://blog.example/one, or call {NUMBER}."


async def redact(service: Service, who: dict[str, str], id: str, text: Any = NUMBER, **more: Any) -> Any:
    return await service.client.post(f"/api/v1/comments/{id}/redact", json={"text": text} | more, headers=who)


async def everything(service: Service) -> str:
    async with service.services.database.reading() as session:
        return "\n".join([str(row) for table in dump.TABLES async for row in dump.rows(session, table)])


async def a_comment_all_over(service: Service, who: dict[str, str]) -> tuple[str, str]:
    """(id, path of the receipt) of one whose text is wherever one can be."""
    service.have(mails=True)
    services = service.services
    async with services.database.transaction() as tx:
        signer, now = services.signer, service.clock()
        await webhooks.add(tx, signer, "http://127.0.0.1:9/", "*", "", to_private=True, now=now)
    sent = {"name": f"Ann {NUMBER}", "body": BODY.replace("Call", "call"), "headers": {"Idempotency-Key": "k"}}
    told = (await service.post(email="ann@example.org", **sent)).json()
    id, path = told["id"], path_of(told)
    await service.client.post(path, data={"act": "edit", "body": BODY})
    for n in range(30):
        await service.post(body=f"Something else of {n} words, and 555 or 321 in it.")
    assert (await service.client.get("/api/v1/comments", params={"q": NUMBER}, headers=who)).json()["comments"]
    await decide(service, who, [id], "reject", note=f"No numbers like {NUMBER}")
    await service.client.post(path, data={"act": "appeal", "appeal": f"But {NUMBER} is mine."})
    await decide(service, who, [id], "approve")
    assert NUMBER in str(await service.thread()) and NUMBER in await everything(service)
    return id, path


async def test_nothing_of_it_is_left_anywhere(service: Service, tmp_path: Path) -> None:
    who = await service.token()
    id, path = await a_comment_all_over(service, who)
    before = (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()
    answer = await redact(service, who, id, expected_revision=before["revision"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["revision"] == before["revision"] + 1 and answer.json()["status"] == "approved"
    after = (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()
    assert after["body"] == BODY.replace(NUMBER, "[removed]") and after["author"]["name"] == "Ann [removed]"
    for shown in (
        await everything(service),
        str(after),
        str(await service.thread()),
        (await service.client.get("/sites/default/articles/post/fragment")).text,
        (await service.client.get("/sites/default/feed")).text,
        str(await read(service, path)),
        str((await service.client.get("/api/v1/audit", headers=who)).json()),
    ):
        assert "5554433221" not in shown and "+49 170" not in shown
    assert (await service.thread())["comments"][0]["text"] == after["body"]
    found = (
        await service.client.get("/api/v1/comments", params={"q": NUMBER, "status": "approved"}, headers=who)
    ).json()
    assert found["comments"] == []
    still = {"q": "[removed] write", "status": "approved"}
    assert [
        c["id"] for c in (await service.client.get("/api/v1/comments", params=still, headers=who)).json()["comments"]
    ] == [id]
    (entry,) = [
        e
        for e in (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
        if e["action"] == "comment:redact"
    ]
    assert (entry["subject"], entry["detail"]) == (id, {})
    assert not (await service.client.post(path, data={"act": "edit", "body": BODY})).is_error
    assert (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()["status"] == "pending"


ON_SQLITE = pytest.mark.parametrize("address", ["sqlite"], indirect=True)
"""The files of PostgreSQL are not ours, and its VACUUM waits for nobody."""


@ON_SQLITE
async def test_no_byte_of_it_is_in_the_files(service: Service, tmp_path: Path) -> None:
    who = await service.token()
    id, _ = await a_comment_all_over(service, who)
    folder = Path(service.settings.database).parent

    def stored() -> bytes:
        return b"".join(file.read_bytes() for file in folder.iterdir())

    assert b"5554433221" in stored()
    assert (await redact(service, who, id)).status_code == 200
    assert b"5554433221" not in stored() and b"+49 170" not in stored()
    # the index keeps no text, but three letters at a time: none of those that only the number had, nor where they stood
    reader = sqlite3.connect(f"file:{service.settings.database}?mode=ro", uri=True)
    reader.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, comment_texts, row)")
    threes = {row[0] for row in reader.execute("SELECT term FROM temp.vocabulary")}
    assert "555" in threes and not threes & {"544", "443", "332", "221", "+49", "9 1", "0 5"}
    segments = reader.execute("SELECT count(DISTINCT segid) FROM comment_texts_idx").fetchone()[0]
    assert segments == 1
    reader.close()


@ON_SQLITE
async def test_a_reader_of_an_older_state_only_puts_it_off(service: Service) -> None:
    database = service.services.database
    await database._writer.execute("PRAGMA busy_timeout = 1")
    who, id = await service.token(), await service.held(body=BODY)
    folder = Path(service.settings.database).parent
    async with database.reading() as session:
        await session.fetch("SELECT count(*) FROM comments")
        assert (await redact(service, who, id)).status_code == 200
    assert await secure_delete.is_requested(database)
    assert any(b"5554433221" in file.read_bytes() for file in folder.iterdir())
    await service.services.periodic.due()
    assert not await secure_delete.is_requested(database)
    assert not any(b"5554433221" in file.read_bytes() for file in folder.iterdir())


@pytest.mark.parametrize("wrong", ["", "x", "  ", "nowhere in it", None, 7, "x" * 1001, "[removed]", ". !"])
async def test_a_piece_that_is_none_changes_nothing(service: Service, wrong: Any) -> None:
    who, id = await service.token(), await service.held(body=BODY)
    answer = await redact(service, who, id, wrong)
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "text"
    assert (await redact(service, who, id, expected_revision=9)).status_code == 409
    assert (await redact(service, await service.token("score"), id)).status_code == 403
    assert (await redact(service, who, "0" * 26)).status_code == 404
    shown = (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()
    assert (shown["body"], shown["revision"]) == (BODY, 1)


async def test_spans_move_with_the_text_and_those_of_the_piece_go() -> None:
    text = "aa 12 34 bb 12 34 cc"
    moved = shift(pattern("12  34"))(text, [[0, 2], [3, 8], [4, 5], [9, 11], [18, 20], [0, 20]])
    now = text.replace("12 34", "[removed]")
    assert [now[a:b] for a, b in moved] == ["aa", "bb", "cc"]


async def test_by_the_page(service: Service) -> None:
    await set_password(service)
    await sign_in(service)
    id = await service.held(body=BODY)
    page = (await service.client.get(f"/moderate/comments/{id}/redact?back=/moderate")).text
    form = {"csrf_token": csrf(page), "seen": "1", "back": "/moderate", "text": "0 170"}
    wrong = await service.client.post(f"/moderate/comments/{id}/redact", data=form)
    assert wrong.status_code == 422 and "It does not occur in this comment." in wrong.text
    done = await service.client.post(f"/moderate/comments/{id}/redact", data=form | {"text": NUMBER})
    assert done.status_code == 303
    page = (await service.client.get(done.headers["location"])).text
    assert "It is removed, and nothing of it is kept." in page and NUMBER not in page and "[removed]" in page
    forged = await service.client.post(f"/moderate/comments/{id}/redact", data=form | {"csrf_token": "x"})
    assert forged.status_code == 403
