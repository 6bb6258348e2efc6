"""Commands for import, export, backup and restore. Progress and tables go to standard error, data to standard output."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

from typer import Argument, Exit, Option

from moderation.cli import CliContext, OneSite, err, known_site, out
from moderation.comments import store as comments
from moderation.core.problem import BadRequest, Conflict, FieldError, Invalid, NotFound
from moderation.core.signing import Signer
from moderation.core.urls import Links
from moderation.db import audit
from moderation.db.database import Database
from moderation.sites import store as sites
from moderation.sites.article_keys import spelled
from moderation.sites.model import Site, is_article_key
from moderation.transfer import backup as backups
from moderation.transfer import exporting
from moderation.transfer.formats.file import File
from moderation.transfer.formats.readers import READERS, System, readable
from moderation.transfer.records import Record, Skipped

if TYPE_CHECKING:
    from moderation.transfer.importing import ImportResult

IN_PART = 3
"""The exit status of an import that skipped something. All in is 0, nothing 1."""
NAMED = 20
"""The most skipped rows named for each reason; the others are counted."""

Format = Literal["jsonl", "wxr"]
BackupFile = Annotated[Path, Argument(metavar="FILE")]


async def import_file(
    cli: CliContext,
    file: Annotated[str, Argument(metavar="FILE", help="`-` reads standard input")],
    site: OneSite = "default",
    system: Annotated[
        System | None,
        Option("--from", metavar="SYSTEM", help=f"the file's system: {', '.join(READERS)}; detected if omitted"),
    ] = None,
    keys: Annotated[
        Literal["id", "path"] | None,
        Option("--keys", help="article keys: the old id (WordPress), or the page's path"),
    ] = None,
) -> None:
    """Import another system's export, or one of leave-a-reply; can be repeated without duplicates.

    The exit status is 0 if all came in, 3 if a part was skipped, which is named, and 1 if nothing came in.
    """
    from moderation.transfer import merging  # it takes long to load

    async with cli.opened() as database:
        async with database.reading() as session:
            await known_site(session, site)
        await merging.respell(database, cli.clock())
        result = await run_import(database, cli.signer, site, file, system, keys, cli.clock)
        out(json.dumps(result))
    if result["skipped"]:
        raise Exit(IN_PART)


async def export_site(
    cli: CliContext,
    site: OneSite = "default",
    format: Annotated[Format, Option("--format")] = "jsonl",
    output: Annotated[
        str | None, Option("--output", metavar="FILE", help="a new file, instead of standard output")
    ] = None,
) -> None:
    """Export all data of a site as JSON Lines, or as WXR for WordPress."""
    async with cli.opened() as database:
        async with database.reading() as session:
            await known_site(session, site)
            record = (await sites.sites(session, [site]))[site]
        await run_export(database, cli.links, record, format, output, cli.clock)


async def backup(cli: CliContext, file: BackupFile) -> None:
    """Write database, models and secret key to one file, beside a running service."""
    async with cli.opened() as database:
        counts = await backups.write(database, Path(cli.settings.models), cli.settings.secret(), file)
    out(json.dumps(counts))


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
) -> None:
    """Restore a backup into an empty database, without sessions, one-time links and recovery codes."""
    if not file.exists():
        raise NotFound(f"There is no file {file}.")
    models, key_file = Path(cli.settings.models), cli.settings.key_file
    async with cli.opened() as database:
        counts = await backups.restore(database, models, key_file, file, keep_integrations=keep_integrations, say=err)
    out(json.dumps(counts))


async def merge_articles(
    cli: CliContext,
    article: Annotated[str, Argument(metavar="ARTICLE")],
    into: Annotated[str, Argument(metavar="INTO")],
    site: OneSite = "default",
    yes: Annotated[bool, Option("--yes", help="merge them; without it, the command says what it would do")] = False,
) -> None:
    """Move all comments of one article to another, which may be new, and remove the first one. This cannot be undone."""
    from moderation.transfer import merging

    if not is_article_key(into) or article == spelled(into):
        raise Invalid(FieldError("INTO", "invalid", "give the key of another article: 1 to 200 of A-Z a-z 0-9 . _ ~ -"))
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, site)
        here = await sites.articles(tx, site, [article, into])
        if article not in here:
            raise NotFound(f"The site {site!r} has no article {article!r}.")
        if not yes:
            counts = await comments.approved(tx, site, [article, into])
            raise Conflict(
                f"{counts[article]:,} published comments of {article!r}, and all others of it, would move to {into!r}, which "
                f"{f'has {counts[into]:,}' if into in here else 'is new'}; {article!r} would be gone. This cannot be undone. "
                "To do it, add --yes. Nothing was changed."
            )
        merged = await merging.merge(tx, here[article], spelled(into), cli.clock())
    out(json.dumps({"site": site, "article": article, "into": merged.into, "comments": merged.comments}))


class Progress:
    """Progress: on a terminal one line that is overwritten, else a line at intervals."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self._shown, self._next = False, time.monotonic() + (0 if self.live else 10)

    def show(self, line: Callable[[], str]) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + (0.2 if self.live else 10)
            sys.stderr.write(f"\r\x1b[K{line()}" if self.live else line() + "\n")
            sys.stderr.flush()
            self._shown = self.live

    def say(self, line: str) -> None:
        sys.stderr.write(("\r\x1b[K" if self._shown else "") + line + "\n")
        self._shown = False


async def run_import(
    database: Database,
    signer: Signer,
    site: str,
    path: str,
    named: System | None,
    keys: str | None,
    clock: Callable[[], int],
) -> dict[str, Any]:
    """Imports a file, or the files in a zip, and prints the result. Raises BadRequest if nothing came in."""
    from moderation.transfer.importing import Importer

    progress, opened = Progress(), list[File]()
    try:
        reader, each = readable(path, named)
        progress.say(f"Reading {'standard input' if path == '-' else path}: {reader.what}.")
        named_so_far: Counter[str] = Counter()

        def skip(row: Skipped) -> None:
            named_so_far[row.reason] += 1
            if named_so_far[row.reason] <= NAMED:
                progress.say(f"skipped: {row.where}: {row.reason}")

        def show(result: ImportResult) -> None:
            part = f"{opened[-1].done:.0%}, " if opened and opened[-1].done is not None else ""
            progress.show(lambda: f"{part}{result.comments.total():,} comments in, {result.known:,} here already")

        def records() -> Iterator[Record]:
            for one in each:
                if isinstance(one, Skipped):
                    yield one
                    continue
                file, its = one
                opened[:] = [file]
                yield from its.read(file, keys or its.keys)
                if file.damage:
                    yield Skipped("the end of the file", file.damage)
                file.close()

        importer = Importer(database, signer, site, reader.source, clock(), skip)
        try:
            await importer.run(records(), show)
        finally:
            for line in table(importer.result):
                progress.say(line)
        if not importer.result.taken:
            raise BadRequest(
                "Nothing came in: each row was skipped, for the reasons above." if importer.result.skipped
                else "Nothing came in: the file has no article and no comment."
            )  # fmt: skip
        return summary(importer.result, site, reader.source)
    finally:
        for file in opened:
            file.close()


def summary(result: ImportResult, site: str, source: str) -> dict[str, Any]:
    return {
        "site": site,
        "source": source,
        "articles": result.articles,
        "comments": dict(result.comments),
        "here_already": result.known,
        "decisions": dict(result.decisions),
        "skipped": dict(result.skipped),
        "replies_without_parent": result.orphans,
        "articles_unlisted": result.unlisted,
    }


def table(result: ImportResult) -> Iterator[str]:
    rows = [("articles, new", result.articles)]
    rows += [(f"comments, {status}", count) for status, count in sorted(result.comments.items())]
    rows += [("comments that were here already, left as they are", result.known)] if result.known else []
    rows += [(f"past decisions, {action}", count) for action, count in sorted(result.decisions.items())]
    rows += [("replies without a parent, at the top", result.orphans)] if result.orphans else []
    rows += (
        [("articles not shown until an export or publish-article lists them", result.unlisted)]
        if result.unlisted
        else []
    )
    rows += [(f"skipped: {reason}", count) for reason, count in result.skipped.most_common()]
    width = max(len(name) for name, _ in rows)
    for name, count in rows:
        yield f"{name:<{width}}  {count:>10,}"


async def run_export(
    database: Database, links: Links, site: Site, format: str, output: str | None, clock: Callable[[], int]
) -> None:
    """Exports a consistent state of a site. It contains every address, so a file is readable by its owner only."""
    progress = Progress()

    def show(result: exporting.ExportResult) -> None:
        progress.show(lambda: f"{result.comments:,} comments written")

    with opened(output) as file:
        if format == "wxr":
            result = await exporting.write_wxr(database, site, links, file.write, show)
        else:
            result = await exporting.write_jsonl(database, site, clock(), file.write, show)
    async with database.transaction() as tx:
        await audit.note(
            tx,
            site=site.key,
            at=clock(),
            actor="operator",
            action="site:export",
            subject=format,
            comments=result.comments,
        )
    progress.say(f"{result.articles:,} articles and {result.comments:,} comments written.")


@contextmanager
def opened(output: str | None) -> Iterator[BinaryIO]:
    """Standard output, or a new file that appears once it is complete. Raises Conflict for an existing file."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    if path.exists():
        raise Conflict(f"{path} exists already; give a new name.")
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


commands = {
    "merge-articles": merge_articles,
    "import": import_file,
    "export": export_site,
    "backup": backup,
    "restore": restore,
}
