"""Commands for import, export and articles. Progress and tables go to standard error, data to standard output."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

from typer import Argument, Exit, Option

from moderation.cli import CliContext, OneSite, Progress, known_site, out
from moderation.comments import store as comments
from moderation.core.problem import BadRequest, Conflict, FieldError, Invalid, NotFound
from moderation.core.signing import Signer
from moderation.core.urls import Links, origin_if_any
from moderation.db import audit
from moderation.db.database import Database
from moderation.queue import store as queue
from moderation.sites import store as sites
from moderation.sites.article_keys import spelled
from moderation.sites.model import Site, is_article_key
from moderation.transfer import exporting, removing
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
        async with removing.importing(database, site, cli.clock):
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


async def move_article(
    cli: CliContext,
    article: Annotated[str, Argument(metavar="ARTICLE")],
    to: Annotated[str, Argument(metavar="TO", help="a key that no article has yet")],
    site: OneSite = "default",
    url: Annotated[str | None, Option("--url", metavar="URL", help="the page's new address")] = None,
) -> None:
    """Give an article another key, as after a change of its page's address. Comments, threads and decisions come along."""
    from moderation.transfer import merging

    if not is_article_key(to) or article == spelled(to):
        raise Invalid(FieldError("TO", "invalid", "give another key: 1 to 200 of A-Z a-z 0-9 . _ ~ -"))
    if url is not None and origin_if_any(url) is None:
        raise Invalid(FieldError("--url", "invalid", "give an address like https://blog.example.org/post"))
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, site)
        here = await sites.articles(tx, site, [article, spelled(to)])
        if article not in here:
            raise NotFound(f"The site {site!r} has no article {article!r}.")
        if spelled(to) in here:
            raise Conflict(
                f"The site {site!r} has an article {to!r} already; to make one of both: "
                f"python -m moderation merge-articles {article} {to}. Nothing was changed."
            )
        moved = await merging.merge(tx, here[article], spelled(to), cli.clock())
        if url is not None:
            there = (await sites.articles(tx, site, [moved.into]))[moved.into]
            await sites.put_article(tx, replace(there, url=url))
    out(json.dumps({"site": site, "article": article, "to": moved.into, "comments": moved.comments}))


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
            line = f"{result.comments.total():,} comments in, {result.known:,} here already"
            progress.show(lambda: line, opened[-1].done if opened else None)

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
    async with database.reading() as session:
        total = sum((await queue.counts(session, site.key)).values())

    def show(result: exporting.ExportResult) -> None:
        done = result.comments / max(total, result.comments, 1)
        progress.show(lambda: f"{result.comments:,} comments written", done)

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
    "move-article": move_article,
    "import": import_file,
    "export": export_site,
}
