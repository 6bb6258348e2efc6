"""Commands for sites."""

from __future__ import annotations

from typing import Annotated, Literal

from typer import Option

from moderation.cli import CliContext, SiteKey, out
from moderation.core.problem import FieldError, Invalid
from moderation.policy import settings_history
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
    out(key)


commands = {"add-site": add_site}
