"""Whatever is cancelled, however often and wherever it is: what was lent comes back, and a transaction is whole or not."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from moderation.core.problem import Unavailable
from moderation.db import postgres, readers, sqlite
from moderation.db.database import Database, Starvation
from moderation.db.postgres import POOL
from moderation.db.sqlite import READERS, Sqlite, Transaction

pytestmark = pytest.mark.anyio
ADD = "INSERT INTO training_state (site, examples_read_at) VALUES (?, ?)"
on_sqlite = pytest.mark.parametrize("address", ["sqlite"], indirect=True)


async def cut(task: asyncio.Task[Any]) -> None:
    """As anyio does it: at each turn of the loop, until it ends."""
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def most(database: Database) -> int:
    return READERS if database.kind == "sqlite" else POOL


@asynccontextmanager
async def all_lent(database: Database) -> AsyncIterator[None]:
    """Every connection there is, at once: it takes each that has not been lost."""
    async with AsyncExitStack() as stack, asyncio.timeout(20):
        for _ in range(most(database)):
            session = await stack.enter_async_context(database.reading())
            assert [tuple(row) for row in await session.fetch("SELECT 1")] == [(1,)]
        yield


async def test_a_reader_that_is_cut_at_any_moment_comes_back(database: Database) -> None:
    async def read() -> None:
        async with database.reading() as session:
            for _ in range(3):
                await session.fetch("SELECT count(*) FROM sites")

    async with all_lent(database):  # each has been connected: what is cut is a reader, not a connection that is made
        pass
    for count in range(120):
        task = asyncio.create_task(read())
        await turns(count)
        await cut(task)
    async with all_lent(database):
        pass
    assert database.starved() == 0


async def test_readers_that_are_cut_while_they_wait_cost_nobody_a_connection(database: Database) -> None:
    async def read() -> None:
        async with database.reading() as session:
            await session.fetch("SELECT count(*) FROM sites")

    for count in range(40):
        async with AsyncExitStack() as held:
            for _ in range(most(database)):
                await held.enter_async_context(database.reading())
            waiting = [asyncio.create_task(read()) for _ in range(3)]
            await turns(3)
        await turns(count % 8)
        for task in waiting[:2]:
            await cut(task)
        async with asyncio.timeout(20):
            await waiting[2]
    async with all_lent(database):
        pass


@on_sqlite
async def test_one_that_is_cut_just_as_a_connection_is_lent_to_it_passes_it_on(database: Sqlite) -> None:
    pool = database._readers
    every = [await pool.take() for _ in range(READERS)]
    cut_off, patient = asyncio.create_task(pool.take()), asyncio.create_task(pool.take())
    await turns(2)
    pool.give_back(every[0])  # the first that waits has it, and has not had its turn yet
    cut_off.cancel()
    async with asyncio.timeout(20):
        assert await patient is every[0]
    assert cut_off.cancelled()
    for reader in every:
        pool.give_back(reader)
    async with all_lent(database):
        pass


@on_sqlite
async def test_a_begin_that_is_cut_while_it_runs_leaves_no_transaction_open(database: Sqlite) -> None:
    release = threading.Event()
    reader = await database._readers.take()
    busy = asyncio.create_task(reader._execute(release.wait))
    await turns(2)
    database._readers.give_back(reader)

    async def read() -> None:
        async with database.reading():
            raise AssertionError("its thread is busy")

    task = asyncio.create_task(read())
    await turns(4)
    await cut(task)
    async with database.reading() as session:  # the other one
        await session.fetch("SELECT 1")
    release.set()
    await busy
    async with all_lent(database):
        pass
    assert not reader.in_transaction


@on_sqlite
async def test_a_long_query_that_nobody_waits_for_is_interrupted(database: Sqlite) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    async def read() -> None:
        async with database.reading() as session:
            await session.fetch(endless)

    for _ in range(READERS):
        task = asyncio.create_task(read())
        await turns(50)
        await cut(task)
    async with all_lent(database):
        pass


@on_sqlite
async def test_a_broken_connection_is_replaced(database: Sqlite) -> None:
    broken = [await database._readers.take() for _ in range(READERS)]
    for reader in broken:
        await reader._execute(reader._conn.close)
        database._readers.give_back(reader)
    for _ in broken:
        with pytest.raises(sqlite3.ProgrammingError):
            async with database.reading():
                pass
    async with all_lent(database):
        pass


async def test_a_writer_that_is_cut_at_any_moment_leaves_all_or_nothing_and_the_next_one_writes(
    database: Database,
) -> None:
    async def write(number: int) -> None:
        async with database.transaction() as tx:
            await tx.execute(ADD, f"{number}a", 1)
            await tx.execute_many(ADD, [(f"{number}b", 1)])

    async with all_lent(database):
        pass
    for number in range(60):
        task = asyncio.create_task(write(number))
        await turns(number)
        await cut(task)
    async with asyncio.timeout(20):
        await write(1000)
    async with database.reading() as session:
        found = {row[0] for row in await session.fetch("SELECT site FROM training_state")}
    assert {name[:-1] for name in found if name[-1] == "a"} == {name[:-1] for name in found if name[-1] == "b"}
    assert {"1000a", "1000b"} <= found


@on_sqlite
async def test_a_commit_that_is_cut_midway_is_carried_out(database: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, execute = threading.Event(), threading.Event(), Transaction._execute

    def slow(self: Transaction, sql: str, args: Any = ()) -> sqlite3.Cursor:
        if sql == "COMMIT":
            begun.set()
            go_on.wait(20)
        return execute(self, sql, args)

    async def write(name: str) -> None:
        async with database.transaction() as tx:
            await tx.execute(ADD, name, 1)

    monkeypatch.setattr(Transaction, "_execute", slow)
    task = asyncio.create_task(write("first"))
    await asyncio.to_thread(begun.wait, 20)
    await cut(task)
    next_one = asyncio.create_task(write("second"))
    await turns(10)
    assert not next_one.done()  # one after the other, though the first does not wait any more
    go_on.set()
    async with asyncio.timeout(20):
        await next_one
    async with database.reading() as session:
        assert sorted(row[0] for row in await session.fetch("SELECT site FROM training_state")) == ["first", "second"]


@on_sqlite
async def test_a_begin_of_the_writer_that_is_cut_while_it_waits_for_another_process_is_taken_back(
    database: Sqlite,
) -> None:
    def other() -> sqlite3.Connection:
        return sqlite3.connect(database.path, isolation_level=None, timeout=0)

    theirs = other()
    theirs.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with database.transaction() as tx:
            await tx.execute(ADD, "ours", 1)

    task = asyncio.create_task(write())
    await turns(20)
    await cut(task)
    theirs.execute("ROLLBACK")
    async with asyncio.timeout(20):
        await write()
    theirs.execute("BEGIN IMMEDIATE")  # nobody has it
    theirs.execute("ROLLBACK")
    theirs.close()


async def test_a_wait_for_a_connection_has_an_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async with all_lent(database):
        for module in (readers, postgres):
            monkeypatch.setattr(module, "WAIT", 0.05)
        with pytest.raises(Unavailable) as told:
            async with database.reading():
                pass
        assert told.value.headers["Retry-After"]
        monkeypatch.undo()
    async with all_lent(database):
        pass


@on_sqlite
async def test_a_turn_of_the_writer_has_an_end_too(database: Sqlite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TURN", 0.05)
    async with database.transaction():
        with pytest.raises(Unavailable, match="Another transaction"):
            async with database.transaction():
                pass
    async with database.transaction():
        pass


@on_sqlite
async def test_what_is_lent_does_not_keep_the_database_from_closing(database: Sqlite) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    async def read() -> None:
        async with database.reading() as session:
            await session.fetch(endless)

    task = asyncio.create_task(read())
    await turns(20)
    async with asyncio.timeout(20):
        await database.close()
        with pytest.raises(Unavailable):
            await task
        with pytest.raises(Unavailable):
            async with database.reading():
                pass


def test_starvation_counts_from_the_first_who_wanted_in_vain() -> None:
    now = 100.0
    starvation = Starvation(lambda: now)
    starvation.begin()
    now = 105.0
    starvation.begin()
    assert starvation.seconds == 5.0
    starvation.end()
    now = 200.0
    assert starvation.seconds == 0.0
