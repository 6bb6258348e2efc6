"""The checks of the command `check`: database, clock, model, sign-in, mail, rules, proxy."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from pathlib import Path
from typing import Annotated

from typer import Option

from moderation.cli import CliContext, out
from moderation.core.problem import FieldError, Invalid, Unavailable
from moderation.core.times import iso
from moderation.db import audit
from moderation.learning import store as training_state
from moderation.outbox import store as outbox
from moderation.outbox.commands import mail_check_of
from moderation.outbox.mail_check import Tried
from moderation.policy import settings_history
from moderation.policy import store_read_along as runs
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.team import store as moderators
from moderation.text.addresses import checked_email

BACK = 60_000
"""Milliseconds that the clock may be behind the latest audit entry."""


def clock_said(at: int, newest: int | None) -> str:
    """The state of the clock. Comments sort by time and links expire by it, so a clock that was set back breaks both."""
    if newest is not None and newest - at > BACK:
        return f"{iso(at)} is before the last thing in the log ({iso(newest)}); set this machine's clock"
    return f"ok ({iso(at)})"


def proxy_said(settings: Settings) -> str:
    """Undeclared proxies, as detected by the running service."""
    try:
        with urllib.request.urlopen(f"http://{settings.reach}/health/ready", timeout=2) as answer:
            return str(json.load(answer)["checks"]["proxy"])
    except (OSError, ValueError, KeyError):
        trusted = settings.trusted_proxies or "none; set MODERATION_TRUSTED_PROXIES if one stands in front"
        return f"the service does not run here; trusted proxies: {trusted}"


async def mail_said(settings: Settings, address: str, now: int) -> Tried:
    """The result of a login at the mail server; with an address, of a test mail to it. Raises Invalid."""
    if not address:
        return await mail_check_of(settings).check_connection()
    checked = checked_email(address)
    if checked is None:
        raise Invalid(FieldError("mail", "invalid", "is not a valid email address"))
    return await mail_check_of(settings).send(checked, now)


async def check(
    cli: CliContext,
    mail: Annotated[
        str | None,
        Option("--mail", metavar="ADDRESS", help="send one test mail to it, and print the mail server's answer"),
    ] = None,
) -> None:
    """Check the installation and report problems in words; exit status 1 if there are any."""
    from classifier.serving import Classifier

    well = True
    async with cli.opened() as database:
        async with database.reading() as session:
            ready, all_ = await moderators.count(session, ready=True), await moderators.count(session)
            untold, outdated = await outbox.counts(session), await training_state.outdated(session)
            reading = await runs.running(session)
            clock = clock_said(cli.clock(), await audit.newest(session))
            muted = [line for site in (await sites.sites(session)).values() for line in settings_history.in_words(site)]
        if isinstance(getattr(database, "path", None), Path):
            with sqlite3.connect(database.path) as connection:  # type: ignore[attr-defined]
                said = connection.execute("PRAGMA quick_check").fetchone()[0]
            connection.close()
            well &= said == "ok"
            out(f"database: {said}")
        else:
            out("database: ok")
    well &= clock.startswith("ok")
    out(f"clock: {clock}")
    try:
        classifier = Classifier(Path(cli.settings.models))
        classifier.load()
        out(f"model: {classifier.problem or 'ok'} ({classifier.version})")
        well &= classifier.problem is None
        if classifier.slow:
            out(f"model: {classifier.slow}")
        for run in reading:
            out(
                f"model: {run.model} reads along on {run.site}; {run.problem or 'see: python -m moderation read-along'}"
            )
        for site in outdated:
            out(f"model: that of {site} still holds what an erased person taught; see: python -m moderation retrain")
    except Exception as error:
        well = False
        out(f"model: {error}; every comment will be held")
    out(
        f"moderators: {ready} of {all_} can sign in"
        + ("" if ready else "; see: python -m moderation set-password EMAIL")
    )
    out(
        f"outbox: {untold['waiting']} wait, {untold['failed']} failed"
        + ("; see: python -m moderation retry-outbox" if untold["failed"] else "")
    )
    tried = await mail_said(cli.settings, mail or "", cli.clock())
    out(f"mail: {tried.said}")
    well &= tried.taken or (cli.settings.smtp is None and not mail)
    for line in muted or ["none is muted"]:
        out(f"rules: {line}")
    out(f"proxy: {proxy_said(cli.settings)}")
    if not well:
        raise Unavailable("There are problems; see above.")


commands = {"check": check}
