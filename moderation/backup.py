"""Backup and restore: database, sites' models and the secret key in one file, consistent under load, from either
database to either."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

from moderation.problem import BadRequest, Conflict
from moderation.storage import comments, dump
from moderation.storage.database import Database, migrations

FORMAT = 1
PAGE = 500


async def write(database: Database, models: Path, secret: bytes, file: Path) -> dict[str, int]:
    """Rows per table. Written beside, then renamed; readable by its owner alone. Raises Conflict where `file` exists."""
    if file.exists():
        raise Conflict(f"{file} exists already; give a new name.")
    beside = file.with_name(f".{file.name}.part")
    counts: dict[str, int] = {}
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
                about = {"format": FORMAT, "migration": migrations()[-1][0]}
                archive.writestr("about.json", json.dumps(about))
                archive.writestr("secret-key", secret)
                async with database.reading() as session:  # one moment for every table
                    for table in dump.TABLES:
                        counts[table] = 0
                        with archive.open(f"{table}.jsonl", "w", force_zip64=True) as member:
                            async for row in dump.rows(session, table):
                                member.write(json.dumps(row).encode() + b"\n")
                                counts[table] += 1
                for path in sorted(models.rglob("*")) if models.exists() else []:
                    if path.is_file() and not path.is_symlink():
                        archive.write(path, f"models/{path.relative_to(models).as_posix()}")
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)
    return counts


async def restore(database: Database, models: Path, key_file: Path, file: Path) -> dict[str, int]:
    """Rows per table. Into an empty database only: all rows in one transaction, then the key and the models."""
    try:
        archive = zipfile.ZipFile(file)
        about = json.loads(archive.read("about.json"))
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise BadRequest(f"{file} is no backup of ours.") from None
    if about.get("format") != FORMAT or about.get("migration", 0) > migrations()[-1][0]:
        raise BadRequest(f"{file} was made by a newer leave-a-reply; restore it with that version.")
    with archive:
        secret = archive.read("secret-key")
        if key_file.exists() and key_file.read_bytes().strip() != secret.strip():
            raise Conflict(f"{key_file} holds another secret key; move it away first.")
        counts: dict[str, int] = {}
        async with database.transaction() as tx:
            await dump.require_empty(tx)
            await dump.clear_sites(tx)
            older = about.get("migration", 0) < migrations()[-1][0]
            for table in dump.TABLES:
                counts[table], page = 0, []
                if older and f"{table}.jsonl" not in archive.namelist():
                    continue  # it came later
                with archive.open(f"{table}.jsonl") as member:
                    for line in member:
                        page.append(json.loads(line))
                        if len(page) == PAGE:
                            await dump.add(tx, table, page)
                            counts[table] += len(page)
                            page = []
                await dump.add(tx, table, page)
                counts[table] += len(page)
            await comments.count_anew(tx)
        if not key_file.exists():
            key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept:
                kept.write(secret)
        for name in archive.namelist():
            path = (models / name.removeprefix("models/")).resolve()
            if name.startswith("models/") and path.is_relative_to(models.resolve()):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))
    return counts
