"""Commands for the database itself: its migrations, and its move to another one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from typer import Argument, Option

from moderation.cli import CliContext, Json, Progress, done
from moderation.core.problem import Conflict
from moderation.db import connect
from moderation.db.migrate import migrations, pending
from moderation.settings import is_postgres, load
from moderation.transfer import copying

Target = Annotated[str, Argument(metavar="TARGET", help="a path for SQLite, or a URL; - reads it from standard input")]


async def migrate(
    cli: CliContext,
    dry_run: Annotated[bool, Option("--dry-run", help="only say which migrations are missing")] = False,
    as_json: Json = False,
) -> None:
    """Apply the database's missing migrations, as every start does; with --dry-run only say which."""
    database = connect(cli.settings.database)
    missing = pending(await database.applied(), migrations(database.kind))
    if missing and not dry_run:
        await database.open()
        await database.close()
    lines = [f"{one.name}: {one.said}" for one in missing]
    head = f"{len(missing)} missing, nothing was changed" if dry_run else f"{len(missing)} applied"
    done(
        as_json,
        "\n".join([f"Migrations: {head}:", *lines]) if missing else "The database has every migration.",
        migrations=[{"name": one.name, "said": one.said} for one in missing],
        applied=not dry_run,
    )


async def move_database(cli: CliContext, target: Target, as_json: Json = False) -> None:
    """Copy the whole database into another, empty one, SQLite or PostgreSQL, and compare both row by row."""
    address = sys.stdin.readline().strip() if target == "-" else target
    settings = load(database=address)
    if is_same(cli.settings.database, address):
        raise Conflict("The target is the database itself. Give a new, empty one.")
    old, new, progress = connect(cli.settings.database), connect(address), Progress()
    await copying.require_source(old)
    await copying.require_target(new)
    key_files = None if cli.settings.secret_key else (cli.settings.key_file, settings.key_file)
    require_no_other_key(key_files)
    copied: list[Path] = []
    try:
        await old.open()
        await new.open()
        digests = await copying.copy(
            old,
            new,
            lambda: copied.extend(copy_key(key_files)),
            lambda what, rows, of: progress.show(lambda: f"{rows:,} rows {what}", rows / max(of, rows)),
        )
    finally:
        progress.end()
        await new.close()
        await old.close()
    rows, shown = sum(digest.rows for digest in digests.values()), without_password(address)
    key = f" The secret key was copied to {copied[0]}." if copied else ""
    done(
        as_json,
        f"Moved {rows:,} rows of {len(digests)} tables; each was read again, and both databases are the same.{key}\n"
        f"Set MODERATION_DATABASE={shown} and start the service. The former database is unchanged; remove it once you need it no "
        "longer.",
        rows=rows,
        tables={table: {"rows": digest.rows, "sha256_sum": digest.hex} for table, digest in digests.items()},
        database=shown,
        secret_key=str(copied[0]) if copied else None,
    )


def is_same(one: str, other: str) -> bool:
    """Whether two addresses are of the same file, or the same URL."""
    return one == other or not (is_postgres(one) or is_postgres(other) or Path(one).resolve() != Path(other).resolve())


def without_password(address: str) -> str:
    """A path as it is; of a URL user, host and name, with `…` for a password and without parameters, which may hold one."""
    if not is_postgres(address):
        return address
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{parts.scheme}://{name}{':…' if colon else ''}{at}{host}{parts.path}{'?…' if parts.query else ''}"


KeyFiles = tuple[Path, Path] | None
"""Where the secret key is, and where the service will look for it; None where a setting holds it."""


def require_no_other_key(files: KeyFiles) -> None:
    """Raises Conflict if another key stands where the service will look for it."""
    if (
        files
        and files[0].exists()
        and files[1].exists()
        and files[0].read_bytes().strip() != files[1].read_bytes().strip()
    ):
        raise Conflict(f"{files[1]} holds another secret key; move it away first.")


def copy_key(files: KeyFiles) -> list[Path]:
    """Copies the key, without which receipts, sessions and tokens end, to where it will be looked for. Returns that file, or
    nothing if the key is there already."""
    if not files or not files[0].exists() or files[1].exists():
        return []
    files[1].parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(files[1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept:
        kept.write(files[0].read_bytes())
        kept.flush()
        os.fsync(kept.fileno())
    return [files[1]]


commands = {"migrate": migrate, "move-database": move_database}
