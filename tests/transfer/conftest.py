"""Importing from a second connection, as the command does beside a running service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from moderation.db import connect
from moderation.transfer import commands as transfer_commands
from tests.conftest import Service

Bring = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def bring(service: Service, tmp_path: Path) -> Bring:
    """bring(bytes or path) imports it into the service's database through a connection of its own."""

    async def run(
        what: bytes | Path, named: str | None = None, *, keys: str | None = None, site: str = "default"
    ) -> Any:
        path = what if isinstance(what, Path) else tmp_path / "brought"
        if isinstance(what, bytes):
            path.write_bytes(what)
        database = connect(service.settings.database)
        await database.open()
        try:
            signer = service.services.signer
            return await transfer_commands.run_import(database, signer, site, str(path), named, keys, service.clock)
        finally:
            await database.close()

    return run
