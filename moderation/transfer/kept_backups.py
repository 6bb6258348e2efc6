"""A folder of backups: their names, which one is due, and which ones go."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

NAME = re.compile(r"leave-a-reply-(\d{8}T\d{6}Z)\.zip")
"""Only files with such a name are ever removed."""
PART = re.compile(r"\.leave-a-reply-\d{8}T\d{6}Z\.zip\.part")
"""The beginning of a backup that was interrupted."""
STAMP = "%Y%m%dT%H%M%SZ"


def name_at(now: int) -> str:
    """`leave-a-reply-20261201T043000Z.zip`; `now` in Unix milliseconds."""
    return f"leave-a-reply-{datetime.fromtimestamp(now / 1000, UTC).strftime(STAMP)}.zip"


def prepare(folder: Path) -> None:
    """Makes the folder, for its owner only, and removes what interrupted backups left there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in folder.iterdir():
        if PART.fullmatch(path.name):
            path.unlink(missing_ok=True)


def backups(folder: Path) -> list[Path]:
    """Oldest first."""
    return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name) and path.is_file())


def due_in(folder: Path, seconds: int, now: int) -> float:
    """Seconds until the next backup is due: a restart makes none too early. One with a time in the future does not count."""
    made = [made_at(path) for path in backups(folder)]
    latest = max((at for at in made if at <= now), default=None)
    return 0 if latest is None else (latest + seconds * 1000 - now) / 1000


def made_at(path: Path) -> int:
    """Unix milliseconds, from the name: a copy of the file has other dates."""
    stamp = path.name.removeprefix("leave-a-reply-").removesuffix(".zip")
    try:
        return int(datetime.strptime(stamp, STAMP).replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:  # no date at all, such as a thirteenth month
        return 0


def prune(folder: Path, keep: int) -> list[Path]:
    """Removes the oldest backups past the `keep` latest, and returns them; 0 keeps all."""
    old = backups(folder)[:-keep] if keep else []
    for path in old:
        path.unlink(missing_ok=True)
    return old
