"""What retention forgets and what a moderator empties leaves the files too: the rows, the log of writes, the indexes."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from moderation.db import secure_delete, sqlite
from moderation.privacy.retention import Keep, empty, purge
from moderation.transfer.store_tables import TEXTS
from tests.conftest import Service
from tests.html import csrf
from tests.queue.test_decide import decide, set_password, sign_in

pytestmark = pytest.mark.anyio
WORD = b"zqxjkvbp"
NOT_KEPT = Keep(spam=30)
ON_SQLITE = pytest.mark.parametrize("address", ["sqlite"], indirect=True)
"""The files of PostgreSQL are not ours."""


async def file_spam(service: Service) -> str:
    """A comment with a word that nothing else has, found by the full-text index, filed as spam."""
    who = await service.token()
    id = await service.held(body=f"Buy {WORD.decode()} at https://{WORD.decode()}.example/", name=WORD.decode())
    for n in range(30):
        await service.post(body=f"Something else of {n} words.")
    found = await service.client.get("/api/v1/comments", params={"q": WORD.decode()}, headers=who)
    assert [c["id"] for c in found.json()["comments"]] == [id]
    assert (await decide(service, who, [id], "spam")).status_code == 200
    return id


def stored(service: Service) -> bytes:
    return b"".join(file.read_bytes() for file in Path(service.settings.database).parent.iterdir())


async def is_asked(service: Service) -> bool:
    return await secure_delete.is_requested(service.services.database)


@ON_SQLITE
@pytest.mark.parametrize("how", ["purge", "empty"])
async def test_no_byte_of_it_is_in_the_files(service: Service, how: str) -> None:
    await file_spam(service)
    assert WORD in stored(service)
    if how == "purge":
        service.clock.forward(hours=24 * 31)
    else:
        await set_password(service)
        await sign_in(service)
        token = csrf((await service.client.get("/moderate/spam/empty")).text)
        done = await service.client.post("/moderate/spam/empty", data={"csrf_token": token})
        assert done.status_code == 303 and "emptied" in done.headers["location"]
    await service.services.periodic.due()
    assert WORD not in stored(service)
    assert not await is_asked(service)


async def test_each_of_them_asks_where_it_took_something(service: Service) -> None:
    database, now = service.services.database, service.clock()
    await purge(database, NOT_KEPT, now)
    assert await empty(database, NOT_KEPT, "*", "test", now) == 0
    assert not await is_asked(service), "there was nothing"
    await file_spam(service)
    assert await empty(database, NOT_KEPT, "*", "test", service.clock()) == 1
    assert await is_asked(service) and await secure_delete.overwrite_deleted(database, TEXTS)
    await file_spam(service)
    service.clock.forward(hours=24 * 31)
    swept = await purge(database, Keep(spam=30, addresses=0), service.clock())
    assert swept["spam"] == 1 and await is_asked(service)
    assert await secure_delete.overwrite_deleted(database, TEXTS)
    swept = await purge(database, Keep(spam=30, addresses=30), service.clock())
    assert swept["addresses"] and await is_asked(service), "the keys of addresses too"


@ON_SQLITE
async def test_while_a_backup_reads_comments_go_on_and_it_is_tried_again(service: Service) -> None:
    await file_spam(service)
    database = service.services.database
    assert await empty(database, NOT_KEPT, "*", "test", service.clock()) == 1
    with closing(sqlite3.connect(service.settings.database)) as other:
        other.execute("BEGIN").execute("SELECT count(*) FROM comments").fetchone()
        async with asyncio.timeout(sqlite.PATIENCE / 2):  # the writer would wait as long as that
            assert not await secure_delete.overwrite_deleted(database, TEXTS)
            assert (await service.post()).status_code == 201
        assert await is_asked(service)
    assert await secure_delete.overwrite_deleted(database, TEXTS) and not await is_asked(service)
