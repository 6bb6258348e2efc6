"""Privacy: all that is held on one person, and what is kept for a while only."""

from __future__ import annotations

import json

from moderation.cli import CliContext, EmailArgument, out
from moderation.privacy import data_requests, retention


async def export_person(cli: CliContext, email: EmailArgument) -> None:
    """Print all that is held on one email address, as JSON."""
    async with cli.opened() as database:
        subject = data_requests.data_subject_of(cli.signer, email)
        held = await data_requests.export(database, subject, cli.settings.keep_addresses_days)
        out(json.dumps(held, ensure_ascii=False))


async def erase_person(cli: CliContext, email: EmailArgument) -> None:
    """Erase all that is held on one email address."""
    async with cli.opened() as database:
        subject = data_requests.data_subject_of(cli.signer, email)
        erased = await data_requests.erase(database, subject, "operator", cli.clock())
    out(json.dumps({"erased": erased.comments}))


async def purge(cli: CliContext) -> None:
    """Forget what is kept for a while only, as the running service does every hour; print how much."""
    async with cli.opened() as database:
        out(json.dumps(await retention.purge(database, retention.Keep(**cli.settings.keep), cli.clock())))


commands = {"export-person": export_person, "erase-person": erase_person, "purge": purge}
