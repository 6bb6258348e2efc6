"""Commands for backup and restore."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from moderation.cli import CliContext, Progress, err, out
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import FieldError, Invalid, NotFound, Problem
from moderation.db import audit
from moderation.transfer import backup as backups
from moderation.transfer import kept_backups

UNITS = {"m": 60, "h": 3600, "d": 86_400}
AGAIN = 600.0
"""Seconds after which a backup that failed is tried again, if the next one is not due earlier."""
BackupFile = Annotated[Path, Argument(metavar="FILE")]


async def backup(
    cli: CliContext,
    file: BackupFile,
    every: Annotated[
        str, Option("--every", metavar="PERIOD", help="go on until a stop signal, with one each 24h, 30m or 7d")
    ] = "",
    keep: Annotated[
        int | None,
        Option("--keep", metavar="N", min=0, help="FILE is a folder; keep its N latest backups, 0 all of them"),
    ] = None,
) -> None:
    """Write database, models and secret key to one file, beside a running service; with --every or --keep to a folder."""
    seconds = seconds_of(every) if every else 0
    if not every and keep is None:
        out(json.dumps(await written(cli, file)))
        return
    stop = asyncio.Event()
    if every:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    kept_backups.prepare(file)
    while not stop.is_set():
        due = kept_backups.due_in(file, seconds, cli.clock())
        if due <= 0:
            due = min(seconds, AGAIN)
            try:
                await one(cli, file, keep or 0)
                due = seconds
            except (Problem, OSError) as error:
                if not every:
                    raise
                err(f"moderation: no backup was made: {error}")
        if not every:
            return
        try:
            await asyncio.wait_for(stop.wait(), due)
        except TimeoutError:
            continue


async def one(cli: CliContext, folder: Path, keep: int) -> None:
    """A new backup in a folder, and then none of the oldest past `keep`."""
    path = folder / kept_backups.name_at(cli.clock())
    counts = await written(cli, path)
    removed = kept_backups.prune(folder, keep)
    values = {"file": str(path), "rows": sum(counts.values()), "removed": [old.name for old in removed]}
    out(json.dumps(values))


async def written(cli: CliContext, file: Path) -> dict[str, int]:
    """Writes a backup and notes it: `check` looks for the latest one."""
    progress = Progress()
    async with cli.opened() as database:
        counts = await backups.write(
            database,
            Path(cli.settings.models),
            cli.settings.secret(),
            file,
            lambda rows, of: progress.show(lambda: f"{rows:,} rows written", rows / max(rows, of)),
        )
        async with database.transaction() as tx:
            await audit.note(tx, site=EVERYWHERE, at=cli.clock(), actor="operator", action="backup:write", subject="")
    progress.end()
    return counts


def seconds_of(period: str) -> int:
    """Of `30m`, `24h`, `7d`. Raises Invalid."""
    match = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", period)
    if match is None:
        raise Invalid(FieldError("--every", "invalid", "must be a period like 24h, 30m or 7d"))
    return int(match[1]) * UNITS[match[2]]


async def restore(
    cli: CliContext,
    file: BackupFile,
    keep_integrations: Annotated[
        bool,
        Option(
            "--keep-integrations",
            help="restore tokens and webhooks too: none was revoked since the backup",
        ),
    ] = False,
    check: Annotated[
        bool, Option("--check", help="only rehearse: restore into a temporary copy, serve it, and compare all counts")
    ] = False,
) -> None:
    """Restore a backup into an empty database, without sessions, one-time links and recovery codes."""
    if not file.exists():
        raise NotFound(f"There is no file {file}.")
    if check:
        out(json.dumps(await cli.rehearse(file)))
        return
    models, key_file, progress = Path(cli.settings.models), cli.settings.key_file, Progress()
    async with cli.opened() as database:
        counts = await backups.restore(
            database,
            models,
            key_file,
            file,
            keep_integrations=keep_integrations,
            say=progress.say,
            progress=lambda read, of: progress.show(lambda: f"{read // 2**20:,} MiB read", read / max(read, of)),
        )
    progress.end()
    out(json.dumps(counts))


commands = {"backup": backup, "restore": restore}
