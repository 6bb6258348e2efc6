"""PostgreSQL for tests: a cluster of this process's own, and databases in it that one test leaves to the next."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

EMPTY = """
DO $$ DECLARE found TEXT; BEGIN
    SET LOCAL session_replication_role = replica;  -- no trigger fires: the audit log may be emptied, and nothing is counted
    FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations' LOOP
        EXECUTE format('DELETE FROM %I', found);
    END LOOP;
    FOR found IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
        PERFORM setval(found::regclass, 1, false);
    END LOOP;
END $$"""
END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"""
SHAPE = """
SELECT concat_ws(' ', (SELECT string_agg(name, ' ' ORDER BY number) FROM migrations),
    (SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE relkind = 'r' AND reltuples >= 0)) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace),  -- what was vacuumed or analysed is planned otherwise
    (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_constraint))"""


def binaries() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name, reverse=True)
    found = shutil.which("initdb")
    return Path(found).parent if found else next((f for f in folders if (f / "initdb").exists()), None)


@dataclass(frozen=True)
class Cluster:
    """A server with a folder and a port of its own."""

    url: str
    start: Callable[[], None]
    stop: Callable[[], None]
    """At once, as a power cut would."""


@contextmanager
def running(binaries: Path) -> Iterator[str]:
    """A cluster on a socket in a temporary folder; the base of its URLs."""
    with controlled(binaries) as cluster:
        yield cluster.url


@contextmanager
def controlled(binaries: Path) -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="lar-pg-", dir="/tmp"))
    as_owner: dict[str, Any] = {}
    if os.geteuid() == 0:  # initdb refuses root
        shutil.chown(folder, "postgres", "postgres")
        as_owner = {"user": "postgres", "group": "postgres", "extra_groups": []}
    run: dict[str, Any] = {"check": True, "cwd": folder, "stdout": subprocess.DEVNULL, **as_owner}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(
        [binaries / "initdb", "-D", folder / "db", "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync"], **run
    )
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
    log = folder / "log"

    def start() -> None:
        subprocess.run([binaries / "pg_ctl", "-D", folder / "db", "-o", options, "-l", log, "-w", "start"], **run)

    def stop() -> None:
        subprocess.run([binaries / "pg_ctl", "-D", folder / "db", "-m", "immediate", "-w", "stop"], **run)

    start()
    try:
        yield Cluster(f"postgresql://test@127.0.0.1:{port}", start, stop)
    finally:
        stop()
        shutil.rmtree(folder, ignore_errors=True)


async def ask(address: str, *statements: str) -> Any:
    """What the last of them answers."""
    connection = await asyncpg.connect(address)
    try:
        for statement in statements:
            answer = await connection.fetchval(statement)
    finally:
        await connection.close()
    return answer


@dataclass
class Migrated:
    """Databases of one cluster with every table and no row.

    A new one is hundreds of files, and whoever connects first reads its catalogue anew: half a second. So a test leaves
    its own to the next, emptied, unless it changed more than rows.
    """

    cluster: str
    shape: str
    spare: list[str] = field(default_factory=list)

    @contextmanager
    def one(self) -> Iterator[str]:
        if not self.spare:
            name = f"t{time.time_ns()}"
            asyncio.run(ask(f"{self.cluster}/postgres", f"CREATE DATABASE {name} TEMPLATE migrated"))
            self.spare.append(f"{self.cluster}/{name}")
        address = self.spare.pop()
        yield address
        if asyncio.run(ask(address, END_OTHERS, EMPTY, SHAPE)) == self.shape:
            self.spare.append(address)
