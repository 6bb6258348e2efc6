"""Commands for a site's rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from typer import Argument

from moderation.cli import CliContext, Json, SiteKey, err, known_site, out
from moderation.core.problem import FieldError, Invalid
from moderation.policy import settings_history
from moderation.sites import site_settings
from moderation.sites.assignments import parsed


async def set_rules(
    cli: CliContext,
    key: SiteKey,
    assignments: Annotated[list[str], Argument(metavar="NAME=VALUE", help="see docs/defences.md for the names")],
    as_json: Json = False,
) -> None:
    """Set a site's rules; omitted ones stay. NAME=VALUE, NAME+=ENTRY, NAME-=ENTRY, NAME=default, NAME=@FILE."""
    given = []
    for assignment in assignments:
        name, _, value = assignment.partition("=")
        is_file = value.startswith("@") and value[1:]
        given.append(f"{name}={entries_in(value[1:])}" if is_file else assignment)
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, key)
        differs = await settings_history.change(
            tx,
            key,
            lambda settings: parsed(given, settings, cli.signer),
            cli.signer,
            "operator",
            cli.clock(),
        )
    if as_json:
        out(json.dumps({"site": key, "changes": differs}, ensure_ascii=False))
        return
    for name, (old, new) in differs.items():
        entries = " entries" if site_settings.names_entries(name) else ""
        err(f"{name}: {json.dumps(old)} → {json.dumps(new)}{entries}")
    if not differs:
        err("Nothing differs; nothing was changed.")


def entries_in(file: str) -> str:
    """A list's entries from a file, one a line; `#` begins a comment. Raises Invalid."""
    try:
        return Path(file).read_text("utf-8") + "\n"
    except UnicodeDecodeError:
        raise Invalid(FieldError(file, "invalid", "is not UTF-8")) from None


async def show_rules(cli: CliContext, key: SiteKey) -> None:
    """Print a site's rules and the hits of each in the last 30 days, as JSON."""
    async with cli.opened() as database, database.reading() as session:
        await known_site(session, key)
        report = await settings_history.report(session, await settings_history.site_of(session, key), cli.clock())
    out(json.dumps(report, ensure_ascii=False, indent=2))


commands = {"set-rules": set_rules, "show-rules": show_rules}
