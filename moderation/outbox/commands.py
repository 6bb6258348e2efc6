"""Commands for webhooks, the outbox and test mails."""

from __future__ import annotations

import json
from typing import Annotated

from typer import Argument, Option

from moderation.cli import CliContext, Json, SiteOrAll, done, known_site, out, result
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.outbox import events as outgoing
from moderation.outbox import mail_check, webhooks
from moderation.outbox import smtp as mail
from moderation.outbox import store as outbox
from moderation.outbox import store_webhooks as endpoints
from moderation.outbox.undelivered import Undelivered
from moderation.settings import Settings, SettingsError
from moderation.text.addresses import checked_email


async def add_webhook(
    cli: CliContext,
    url: Annotated[str, Argument(metavar="URL")],
    site: SiteOrAll = None,
    events: Annotated[
        str,
        Option(
            "--events",
            metavar="EVENTS",
            help=f"some of {','.join(outgoing.EVENTS)}; all if omitted",
            show_default=False,
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Send events to an address, and print the secret that signs the messages, once."""
    key, private = site or EVERYWHERE, cli.settings.webhooks_to_private
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, key)
        secret = await webhooks.add(tx, cli.signer, url, key, events, to_private=private, now=cli.clock())
    result(as_json, secret, secret=secret, site=key, url=url)


async def list_webhooks(cli: CliContext) -> None:
    """Print one JSON object for each endpoint: its id, its events, waiting and failed messages."""
    async with cli.opened() as database, database.reading() as session:
        for e in await endpoints.all_(session):
            line = {"id": e.id, "site": e.site, "url": e.url, "events": e.events, "disabled": e.disabled_at is not None}
            line |= await outbox.counts(session, e.id) | {"said": await outbox.last_response(session, e.id)}
            out(json.dumps(line))


async def remove_webhook(cli: CliContext, id: Annotated[str, Argument(metavar="ID")], as_json: Json = False) -> None:
    """Remove an endpoint by its id, with its waiting messages."""
    async with cli.opened() as database, database.transaction() as tx:
        if not await endpoints.remove(tx, id):
            raise NotFound("There is no such webhook; see: python -m moderation list-webhooks")
        await outbox.forget_destination(tx, id)
    done(as_json, "The webhook is removed.", id=id)


async def retry_outbox(cli: CliContext) -> None:
    """Retry failed messages of the outbox, and print their number."""
    async with cli.opened() as database, database.transaction() as tx:
        out(json.dumps({"waiting": await outbox.retry_failed(tx, cli.clock())}))


async def test_mail(
    cli: CliContext, address: Annotated[str, Argument(metavar="ADDRESS")], as_json: Json = False
) -> None:
    """Send one mail now, and print the result."""
    checked = checked_email(address)
    if checked is None:
        raise Invalid(FieldError("address", "invalid", "is not a valid email address"))
    if cli.settings.smtp is None:
        raise SettingsError("no mail is set up: MODERATION_SMTP_URL and MODERATION_MAIL_FROM are unset")
    tried = await mail_check_of(cli.settings).send(checked, cli.clock())
    if not tried.taken:
        raise Undelivered(tried.said)
    done(as_json, tried.said, taken=True, said=tried.said)


def mail_check_of(settings: Settings) -> mail_check.MailCheck:
    return mail_check.MailCheck(settings.smtp and mail.Smtp.of(*settings.smtp), settings.host_name, settings.base)


commands = {
    "add-webhook": add_webhook,
    "list-webhooks": list_webhooks,
    "remove-webhook": remove_webhook,
    "retry-outbox": retry_outbox,
    "test-mail": test_mail,
}
