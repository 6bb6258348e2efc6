"""Commands for articles."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated

from typer import Argument, Option

from moderation.cli import CliContext, OneSite, known_site, out
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.db import audit
from moderation.sites import store as sites
from moderation.sites.model import is_checks_key


async def list_unlisted(cli: CliContext, site: OneSite = "default") -> None:
    """Print one JSON object for each article whose comments wait for its listing: its key and their number."""
    async with cli.opened() as database, database.reading() as session:
        await known_site(session, site)
        for key, count in (await sites.unlisted(session, site)).items():
            out(json.dumps({"article": key, "comments": count}))


async def publish_article(
    cli: CliContext,
    keys: Annotated[list[str], Argument(metavar="KEY")],
    site: OneSite = "default",
    undo: Annotated[bool, Option("--undo", help="unlist them: to readers they do not exist")] = False,
) -> None:
    """List articles that an import left unlisted: readers see their comments at once."""
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, site)
        articles = await sites.articles(tx, site, set(keys))
        if unknown := sorted(set(keys) - articles.keys()):
            raise NotFound(f"The site {site!r} has no article {unknown[0]!r}; nothing was changed.")
        if checks := [key for key in sorted(articles) if is_checks_key(key)]:
            raise Invalid(FieldError("KEY", "invalid", f"{checks[0]!r} holds comments that another system keeps"))
        for key, article in articles.items():
            await sites.put_article(tx, replace(article, is_listed=not undo))
            await audit.note(
                tx, site=site, at=cli.clock(), actor="operator", action="article:put", subject=key, listed=not undo
            )
    out(json.dumps({"site": site, "articles": sorted(articles), "listed": not undo}))


commands = {"list-unlisted": list_unlisted, "publish-article": publish_article}
