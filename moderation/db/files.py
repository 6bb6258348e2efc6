"""Checks of a database's files: whether they are still the opened ones, and whether the disk has free space."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from moderation.core.problem import Unavailable

ROOM = 8 * 1024 * 1024
"""Bytes that must be free. The write-ahead log of one large batch with its indexes needs less."""
MOVED = (
    "The database file was moved away or replaced while the service has it open; nothing was stored. Put it back, or "
    "restart the service."
)


def room(folder: Path) -> str:
    """An error in words if less than ROOM is free, else empty. A missing folder is checked at its nearest parent."""
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"the disk cannot be looked at ({error.strerror})"
    return f"the disk is full: {free // 1024} KiB are free, {ROOM // 1024} are needed" if free < ROOM else ""


class Files:
    """The identity of the opened files. A moved or deleted file stays writable while it is open, and these writes are lost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: dict[str, tuple[int, int]] = {}

    def remember(self) -> None:
        """Records the open files: the database, and its write-ahead log beside the database's real path."""
        names = (str(self._path), os.path.realpath(self._path) + "-wal")
        self._opened = {name: identity(name) for name in names if os.path.exists(name)}

    def forget(self) -> None:
        self._opened = {}

    @property
    def are_there(self) -> bool:
        try:
            for name, opened in self._opened.items():
                if identity(name) != opened:
                    return False
        except OSError:
            return False
        return True

    def check(self) -> None:
        """Raises Unavailable if a write would be lost."""
        if not self.are_there:
            raise Unavailable(MOVED)

    def trouble(self) -> str:
        return room(self._path.parent) if self.are_there else MOVED


def identity(name: str) -> tuple[int, int]:
    status = os.stat(name)
    return status.st_dev, status.st_ino


class Look:
    """Runs one check at a time in a thread: a disk that does not answer blocks one thread, however many callers wait."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._answer: asyncio.Future[str] | None = None

    async def answer(self) -> str:
        if self._answer is None or self._answer.done():
            self._answer = asyncio.get_running_loop().run_in_executor(None, self._ask)
        return await asyncio.shield(self._answer)
