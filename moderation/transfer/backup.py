"""Backup and restore: database, sites' models and the secret key in one consistent file, from either database to either.

A backup has no information about later revocations. So credentials are not restored by default: sessions, one-time links and
recovery codes never, tokens, webhooks and Coral's secrets only if the operator asks for them.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moderation.comments import store as comments
from moderation.core.problem import BadRequest, Conflict
from moderation.db.database import Database
from moderation.db.migrate import newest
from moderation.transfer import backup_format_1
from moderation.transfer import store_backup as dump
from moderation.transfer.store_tables import TABLES

FORMAT = 2
"""`about.json` names the columns of each table. For format 1, see `backup_format_1`."""
PAGE = 500


Progress = Callable[[int, int], None]
"""Receives how much is done, and of how much."""


async def write(
    database: Database, models: Path, secret: bytes, file: Path, progress: Progress = lambda done, of: None
) -> dict[str, int]:
    """Writes a backup, atomically, readable by its owner only. Returns the rows by table. Raises Conflict if `file` exists."""
    if file.exists():
        raise Conflict(f"{file} exists already; give a new name.")
    beside = file.with_name(f".{file.name}.part")
    counts: dict[str, int] = {}
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
                about = {"format": FORMAT, "migration": newest(), "tables": TABLES}
                archive.writestr("about.json", json.dumps(about))
                archive.writestr("secret-key", secret)
                async with database.reading() as session:  # one consistent state for all tables
                    every, written = sum((await dump.counts(session)).values()), 0
                    for table in TABLES:
                        counts[table] = 0
                        with archive.open(f"{table}.jsonl", "w", force_zip64=True) as member:
                            async for row in dump.rows(session, table):
                                member.write(json.dumps(row).encode() + b"\n")
                                counts[table] += 1
                                written += 1
                                if not written % PAGE:
                                    progress(written, every)
                archive.writestr("counts.json", json.dumps(counts))
                for path in sorted(models.rglob("*")) if models.exists() else []:
                    if path.is_file() and not path.is_symlink():
                        archive.write(path, f"models/{path.relative_to(models).as_posix()}")
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)
    return counts


@dataclass
class Doorkeeper:
    """Selects the rows to restore, and counts the others."""

    keep_integrations: bool
    sessions: int = 0
    """Sessions, one-time links and recovery codes."""
    tokens: list[dict[str, Any]] = field(default_factory=list)
    webhooks: dict[str, dict[str, Any]] = field(default_factory=dict)
    coral: list[dict[str, Any]] = field(default_factory=list)
    """Coral's signing secrets."""
    moderators: int = 0
    """Moderators with a password."""

    def lets_in(self, table: str, row: dict[str, Any]) -> bool:
        if table == "moderators":
            self.moderators += row["password_hash"] is not None
            row["device_seed"] = ""  # browsers that were forgotten since stay so
        elif table in ("data_subject_links", "recovery_codes") or (table == "tokens" and row["kind"] != "api"):
            self.sessions += row.get("ended_at") is None
            return False
        elif table == "tokens" and row["ended_at"] is None and not self.keep_integrations:
            self.tokens.append(row)
            return False
        elif table == "webhooks" and not self.keep_integrations:
            self.webhooks[row["id"]] = row
            return False
        elif table == "coral_secrets" and not self.keep_integrations:
            self.coral.append(row)
            return False
        elif table == "outbox":  # not messages with expired links, nor those of webhooks that are not restored
            return row["destination"] not in self.webhooks and not row["id"].startswith("person.")
        return True

    def tell(self, say: Callable[[str], None]) -> None:
        """The warnings for the operator."""
        if self.sessions:
            say("Sessions, one-time links and recovery codes were not restored: everybody signs in again.")
        if self.moderators:
            say(
                f"{self.moderators} can sign in, with the passwords and roles of then (/moderate/moderators names them). End "
                "whoever has left since with `remove-moderator`; renew a password or an app that was changed since with "
                "`set-password` and `reset-second-factor`."
            )
        for one in self.tokens:
            name = f" “{one['name']}”" if one.get("name") else ""
            say(f"Not restored: the token {one['id']}…{name} of {one['site']} ({one['scopes']}).")
        for one in self.webhooks.values():
            say(f"Not restored: the webhook {one['url']} of {one['site']} ({one['events']}).")
        for one in self.coral:
            say(f"Not restored: a signing secret of Coral's, for {one['site']}.")
        if self.tokens or self.webhooks or self.coral:
            say(
                "They may have been revoked since the backup was made. Make new ones with `add-token` and `add-webhook`, and give "
                "Coral's with `add-coral-secret`; or, if none of them was, restore once more into an empty database with --keep-integrations."
            )


async def restore(
    database: Database,
    models: Path,
    key_file: Path,
    file: Path,
    *,
    keep_integrations: bool = False,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress = lambda done, of: None,
) -> dict[str, int]:
    """Restores into an empty database: all rows in one transaction, then the key and the models. Returns the rows by table.

    `say` receives the warnings.
    """
    door = Doorkeeper(keep_integrations)
    try:
        archive = zipfile.ZipFile(file)
        about = json.loads(archive.read("about.json"))
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise BadRequest(f"{file} is not a backup of leave-a-reply.") from None
    held = contents(file, about, set(archive.namelist()))
    complete: dict[str, int] = json.loads(archive.read("counts.json")) if "counts.json" in archive.namelist() else {}
    every, read = sum(info.file_size for info in archive.infolist()), 0
    with archive, damage_in_words(file):
        secret = archive.read("secret-key")
        if key_file.exists() and key_file.read_bytes().strip() != secret.strip():
            raise Conflict(f"{key_file} holds another secret key; move it away first.")
        counts: dict[str, int] = {}
        async with database.transaction() as tx:
            await dump.require_empty(tx)
            await dump.clear_sites(tx)
            for table in TABLES:
                counts[table], page, lines = 0, list[dict[str, Any]](), 0
                if table not in held:
                    continue  # a newer table
                with archive.open(f"{held[table].file}.jsonl") as member:
                    for line in member:
                        read, lines = read + len(line), lines + 1
                        row = held[table].named(json.loads(line))
                        if not door.lets_in(table, row):
                            continue
                        page.append(row)
                        if len(page) == PAGE:
                            await dump.add(tx, table, page)
                            counts[table] += len(page)
                            page = []
                            progress(read, every)
                await dump.add(tx, table, page)
                counts[table] += len(page)
                if lines != complete.get(table, lines):
                    raise BadRequest(f"{file} is damaged: {table} has {lines:,} of {complete[table]:,} rows.")
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
    door.tell(say)
    return counts


@contextmanager
def damage_in_words(file: Path) -> Iterator[None]:
    """An archive that cannot be read to its end is a BadRequest, and nothing of it is restored."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise BadRequest(f"{file} is damaged ({type(error).__name__}); take another backup.") from None


def contents(file: Path, about: dict[str, Any], names: set[str]) -> dict[str, dump.Content]:
    """Table → content of a backup with these files. Raises BadRequest for a backup of a newer version."""
    if about.get("format") == 1:
        return backup_format_1.contents(about.get("migration", 0), names)
    tables: dict[str, list[str]] = about.get("tables", {})
    unknown = any(set(columns) - set(TABLES.get(table, ())) for table, columns in tables.items())
    if about.get("format") != FORMAT or about.get("migration", 0) > newest() or unknown:
        raise BadRequest(f"{file} was made by a newer leave-a-reply; restore it with that version.")
    return {table: dump.Content(file=table, columns=tuple(columns)) for table, columns in tables.items()}
