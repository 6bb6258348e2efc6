"""Commands for sites."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from moderation.cli import CliContext, Json, Progress, SiteKey, done, known_site, result
from moderation.core.problem import Conflict, FieldError, Invalid
from moderation.db import audit, secure_delete
from moderation.policy import settings_history
from moderation.queue import store as queue
from moderation.sites import store as sites
from moderation.sites.model import Site, checked_origin, is_site_key


async def add_site(
    cli: CliContext,
    key: SiteKey,
    name: Annotated[str | None, Option("--name", metavar="NAME")] = None,
    origin: Annotated[
        list[str] | None, Option("--origin", metavar="URL", help="an origin whose pages may read and post; repeatable")
    ] = None,
    hold: Annotated[
        Literal["suspects", "newcomers", "all"] | None,
        Option("--hold", help="how much waits for a person (docs/defences.md); suspects for a new site"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a site, or update the given values of an existing one."""
    if not is_site_key(key):
        raise Invalid(FieldError("key", "invalid", "a site's key has 1 to 64 of a-z 0-9 -"))
    origins = tuple(dict.fromkeys(checked_origin(one) for one in origin or ()))
    async with cli.opened() as database, database.transaction() as tx:
        old = (await sites.sites(tx, [key])).get(key) or Site(key=key, name=key)
        await sites.put_site(
            tx, Site(key=key, name=name or old.name, origins=origins or old.origins, settings=old.settings), cli.clock()
        )
        if hold is not None:
            await settings_history.choose_hold(tx, key, hold, cli.signer, "operator", cli.clock())
    result(as_json, key, site=key)


async def list_sites(cli: CliContext, as_json: Json = False) -> None:
    """Print one line for each site: its key, name, comments, articles and origins."""
    async with cli.opened() as database, database.reading() as session:
        for key, site in (await sites.sites(session)).items():
            counts = await queue.counts(session, key)
            articles = await sites.count_articles(session, key)
            plain = "\t".join((key, site.name, str(sum(counts.values())), str(articles), " ".join(site.origins)))
            result(
                as_json, plain, site=key, name=site.name, comments=counts, articles=articles, origins=list(site.origins)
            )


async def rename(
    cli: CliContext,
    key: SiteKey,
    name: Annotated[str, Argument(metavar="NAME", help="as readers and moderators see it; the key stays")],
    as_json: Json = False,
) -> None:
    """Change the name of a site. Its key, which pages and programs use, stays."""
    if not (name := name.strip()):
        raise Invalid(FieldError("name", "required", "must not be empty"))
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, key)
        site = (await sites.sites(tx, [key]))[key]
        await sites.put_site(tx, replace(site, name=name), cli.clock())
        await audit.note(tx, site=key, at=cli.clock(), actor="operator", action="site:put", subject=key)
    done(as_json, f"{key} is now called {name}.", site=key, name=name)


async def remove_site(
    cli: CliContext,
    key: SiteKey,
    again: Annotated[
        str, Option("--again", metavar="KEY", help="the key once more; without it, the command says what would go")
    ] = "",
    as_json: Json = False,
) -> None:
    """Remove a site with all comments, articles, moderators, tokens, webhooks and models. This cannot be undone."""
    from moderation.transfer import removing  # with all stores
    from moderation.transfer.store_tables import TEXTS

    progress = Progress()
    async with cli.opened() as database:
        async with database.reading() as session:
            await known_site(session, key)
            total = sum((await queue.counts(session, key)).values())
            articles = await sites.count_articles(session, key)
        if again != key:
            raise Conflict(
                f"{total:,} comments and {articles:,} articles of {key!r} would go, with its moderators, tokens, webhooks, "
                f"rules and models. This cannot be undone. To do it, add --again {key}. Nothing was changed."
            )
        gone = await removing.remove(
            database,
            Path(cli.settings.models),
            key,
            cli.clock,
            lambda count: progress.show(lambda: f"{count:,} comments removed", count / max(count, total)),
        )
        overwritten = await secure_delete.overwrite_deleted(database, TEXTS)
    progress.end()
    later = "" if overwritten else " The running service overwrites their bytes on disk within minutes."
    done(
        as_json,
        f"{key} is removed, with {gone:,} comments.{later}",
        site=key,
        comments=gone,
        articles=articles,
        overwritten=overwritten,
    )


commands = {"add-site": add_site, "list-sites": list_sites, "rename": rename, "remove-site": remove_site}
