"""Webhooks, the outbox, and mail that is tried."""

from __future__ import annotations

import argparse
import json

from moderation.cli import err, known_site, now, opened, out
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.core.signing import Signer
from moderation.outbox import mail_check, webhooks
from moderation.outbox import smtp as mail
from moderation.outbox import store as outbox
from moderation.outbox import store_webhooks as endpoints
from moderation.outbox.undelivered import Undelivered
from moderation.privacy import retention
from moderation.settings import Settings, SettingsError
from moderation.text.addresses import checked_email


async def add_webhook(args: argparse.Namespace, settings: Settings) -> None:
    """Tell an address of events, and print the secret that its messages are signed with, this once."""
    site, signer, private = args.site or EVERYWHERE, Signer(settings.secret()), settings.webhooks_to_private
    async with opened(settings) as database, database.transaction() as tx:
        await known_site(tx, site)
        out(await webhooks.add(tx, signer, args.url, site, args.events, to_private=private, now=now()))


async def list_webhooks(args: argparse.Namespace, settings: Settings) -> None:
    """Print one JSON object for each endpoint: its id, what it hears, what waits for it and what failed."""
    async with opened(settings) as database, database.reading() as session:
        for e in await endpoints.all_(session):
            told = {"id": e.id, "site": e.site, "url": e.url, "events": e.events, "disabled": e.disabled_at is not None}
            told |= await outbox.counts(session, e.id) | {"said": await outbox.last_words(session, e.id)}
            out(json.dumps(told))


async def remove_webhook(args: argparse.Namespace, settings: Settings) -> None:
    """End an endpoint, given by its id; what waits for it goes too."""
    async with opened(settings) as database, database.transaction() as tx:
        if not await endpoints.remove(tx, args.id):
            raise NotFound("There is no such webhook; see: python -m moderation list-webhooks")
        await outbox.forget_lane(tx, args.id)
    err("The webhook is removed.")


async def retry_outbox(args: argparse.Namespace, settings: Settings) -> None:
    """Try again what the outbox gave up; print how many."""
    async with opened(settings) as database, database.transaction() as tx:
        out(json.dumps({"waiting": await outbox.retry_failed(tx, now())}))


async def test_mail(args: argparse.Namespace, settings: Settings) -> None:
    """Send one mail, now, and say how it went."""
    address = checked_email(args.address)
    if address is None:
        raise Invalid(FieldError("address", "invalid", "is not a valid email address"))
    if settings.smtp is None:
        raise SettingsError("no mail is set up: MODERATION_SMTP_URL and MODERATION_MAIL_FROM are unset")
    tried = await trial_of(settings).send(address, now())
    if not tried.taken:
        raise Undelivered(tried.said)
    err(tried.said)


def trial_of(settings: Settings) -> mail_check.MailCheck:
    return mail_check.MailCheck(settings.smtp and mail.Smtp.of(*settings.smtp), settings.host_name, settings.base)


async def mail_said(settings: Settings, address: str) -> mail_check.Tried:
    """Whether the mail server lets us in; with an address, whether it takes a test mail to it."""
    if not address:
        return await trial_of(settings).check_connection()
    checked = checked_email(address)
    if checked is None:
        raise Invalid(FieldError("mail", "invalid", "is not a valid email address"))
    return await trial_of(settings).send(checked, now())


async def sweep(args: argparse.Namespace, settings: Settings) -> None:
    """Forget what is kept for a while only, as the running service does every hour; print how much."""
    async with opened(settings) as database:
        out(json.dumps(await retention.sweep(database, retention.Keep(**settings.keep), now())))
