"""Where a database lies: whether its files are still those that were opened, and whether there is room for more."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from moderation.core.problem import Unavailable

ROOM = 8 * 1024 * 1024
"""Bytes. The write-ahead log of one large batch with its indexes needs less."""
MOVED = (
    "The database file was moved away or replaced while the service has it open; nothing was stored. Put it back, or "
    "restart the service."
)


def room(folder: Path) -> str:
    """Empty where there is some; of a folder that is not there yet, where it would be made."""
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"the disk cannot be looked at ({error.strerror})"
    return f"the disk is full: {free // 1024} KiB are free, {ROOM // 1024} are needed" if free < ROOM else ""


class Files:
    """A file that was moved or deleted can be written for as long as it is open, and whatever is written is lost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, tuple[int, int]] = {}

    def remember(self) -> None:
        """Those that are open now: the database, and its log of writes beside where it really is."""
        names = (str(self._path), os.path.realpath(self._path) + "-wal")
        self._known = {name: identity(name) for name in names if os.path.exists(name)}

    def forget(self) -> None:
        self._known = {}

    @property
    def are_there(self) -> bool:
        try:
            for name, known in self._known.items():
                if identity(name) != known:
                    return False
        except OSError:
            return False
        return True

    def check(self) -> None:
        """Raises Unavailable where what is written now would be lost."""
        if not self.are_there:
            raise Unavailable(MOVED)

    def trouble(self) -> str:
        return room(self._path.parent) if self.are_there else MOVED


def identity(name: str) -> tuple[int, int]:
    found = os.stat(name)
    return found.st_dev, found.st_ino


class Look:
    """Asks in a thread, one question at a time: a disk that does not answer keeps one thread, not one for each who asks."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._asked: asyncio.Future[str] | None = None

    async def said(self) -> str:
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().run_in_executor(None, self._ask)
        return await asyncio.shield(self._asked)
