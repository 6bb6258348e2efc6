"""Commands for privacy: export, erasure and retention."""

from __future__ import annotations

import json

from moderation.cli import CliContext, EmailArgument, out
from moderation.privacy import data_requests, retention


async def export_person(cli: CliContext, email: EmailArgument) -> None:
    """Print all data held on one email address, as JSON."""
    async with cli.opened() as database:
        subject = data_requests.data_subject_of(cli.signer, email)
        held = await data_requests.export(database, subject, cli.settings.keep_addresses_days)
        out(json.dumps(held, ensure_ascii=False))


async def erase_person(cli: CliContext, email: EmailArgument) -> None:
    """Erase all data held on one email address."""
    async with cli.opened() as database:
        subject = data_requests.data_subject_of(cli.signer, email)
        erased = await data_requests.erase(database, subject, "operator", cli.clock())
    out(json.dumps({"erased": erased.comments}))


async def purge(cli: CliContext) -> None:
    """Delete data past its retention period, as the running service does every hour; print the amounts."""
    async with cli.opened() as database:
        out(json.dumps(await retention.purge(database, retention.Keep(**cli.settings.keep), cli.clock())))


commands = {"export-person": export_person, "erase-person": erase_person, "purge": purge}
