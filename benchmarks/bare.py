"""The least that stores a comment safely: Starlette and the same group commit, and nothing else. No rules, no scores."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BATCH = 64
TABLE = """CREATE TABLE comments (
    id INTEGER PRIMARY KEY, article TEXT NOT NULL, status TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL,
    body TEXT NOT NULL)"""
Row = tuple[str, str, str, str, str]


class Store:
    """One writer that takes what waits, writes it in one transaction, and then acknowledges."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self.arrived = asyncio.Event()
        self.threads: dict[str, bytes] = {}

    async def run(self, connection: aiosqlite.Connection) -> None:
        while True:
            await self.arrived.wait()
            taken, self.waiting = self.waiting[:BATCH], self.waiting[BATCH:]
            if not self.waiting:
                self.arrived.clear()
            await connection.execute("BEGIN IMMEDIATE")
            await connection.executemany(
                "INSERT INTO comments (article, status, name, email, body) VALUES (?, ?, ?, ?, ?)",
                [row for row, _ in taken],
            )
            await connection.execute("COMMIT")
            for row, future in taken:
                self.threads.pop(row[0], None)
                if not future.done():
                    future.set_result(None)


async def post(request: Request) -> Response:
    store: Store = request.app.state.store
    sent = orjson.loads(await request.body())
    future = asyncio.get_running_loop().create_future()
    row = (request.path_params["article"], "approved", sent["name"], sent["email"], sent["body"])
    store.waiting.append((row, future))
    store.arrived.set()
    await future
    return Response(orjson.dumps({"status": "approved"}), 201, media_type="application/json")


async def get(request: Request) -> Response:
    store: Store = request.app.state.store
    article = request.path_params["article"]
    if article not in store.threads:
        rows = await request.app.state.reader.execute_fetchall(
            "SELECT id, name, body FROM comments WHERE article = ? AND status = 'approved' ORDER BY id LIMIT 100",
            (article,),
        )
        store.threads[article] = orjson.dumps({"comments": [{"id": i, "name": n, "text": b} for i, n, b in rows]})
    return Response(store.threads[article], media_type="application/json")


def create_app(path: Path) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            aiosqlite.connect(path, isolation_level=None) as writer,
            aiosqlite.connect(path, isolation_level=None) as reader,
        ):
            await writer.execute("PRAGMA journal_mode = WAL")
            await writer.execute("PRAGMA synchronous = FULL")
            await writer.execute(TABLE)
            await writer.execute("CREATE INDEX thread ON comments (article, status, id)")
            app.state.store, app.state.reader = Store(), reader
            task = asyncio.create_task(app.state.store.run(writer))
            yield
            task.cancel()

    where = "/articles/{article}/comments"
    return Starlette(
        routes=[Route(where, get, methods=["GET"]), Route(where, post, methods=["POST"])], lifespan=lifespan
    )


if __name__ == "__main__":
    uvicorn.run(
        create_app(Path(sys.argv[2])),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
