"""The checks of the command `check`: what is wrong now, and what will fail later. Each finding says what to do."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from moderation.cli import CliContext, Json, out
from moderation.core.problem import FieldError, Invalid, Problem, Unavailable
from moderation.core.signing import Signer
from moderation.core.times import iso, moment
from moderation.db import audit, connect
from moderation.db.database import Database
from moderation.db.migrate import IncompatibleDatabase
from moderation.learning import store as training_state
from moderation.outbox import store as outbox
from moderation.outbox.commands import mail_check_of
from moderation.outbox.mail_check import Tried
from moderation.policy import settings_history
from moderation.policy import store_read_along as runs
from moderation.settings import Settings, is_postgres, unknown
from moderation.sites import store as sites
from moderation.team import store as moderators
from moderation.text.addresses import checked_email

BACK = 60_000
"""Milliseconds that the clock may be off: behind the latest audit entry, or from another machine's."""
FREE = 512 * 1024 * 1024
"""Bytes free on a disk below which it is nearly full; and always as many as the database has, which a backup beside it needs."""
HOUR = 3_600_000
HARMLESS = ("ok", "no reader's request has shown an address yet")
"""How the service's own finding on proxies begins where nothing is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check: `said` in words, and with `is_well` false what to do."""

    check: str
    said: str
    remedy: str = ""
    is_well: bool = True

    @property
    def line(self) -> str:
        return f"{self.check}: {self.said}" + (f"; {self.remedy}" if self.remedy else "")


def wrong(check: str, said: str, remedy: str) -> Finding:
    return Finding(check=check, said=said, remedy=remedy, is_well=False)


def of_variables(environment: Mapping[str, str]) -> list[Finding]:
    return [wrong("settings", said, "correct its name, or unset it") for said in unknown(environment)]


def of_clock(at: int, newest: int | None, elsewhere: int | None = None, whose: str = "") -> Finding:
    """The state of the clock. Comments sort by time and links expire by it, so a clock that is off breaks both."""
    remedy = "set this machine's clock, and let it keep time (NTP)"
    if newest is not None and newest - at > BACK:
        return wrong("clock", f"{iso(at)} is before the last thing in the log ({iso(newest)})", remedy)
    if elsewhere is not None and abs(elsewhere - at) > BACK:
        return wrong("clock", f"{iso(at)} here is {iso(elsewhere)} at {whose}", remedy)
    return Finding(check="clock", said=f"ok ({iso(at)})")


def of_disk(folder: Path, needed: int) -> Finding:
    """The room on a folder's disk; a missing folder is checked at its nearest parent."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return wrong("disk", f"that of {folder} cannot be looked at ({error.strerror})", "see its mount and its rights")
    if free < max(FREE, needed):
        said = f"{free // 2**20} MiB are free at {folder}, {max(FREE, needed) // 2**20} are needed"
        return wrong("disk", said, "free some, or move the data to a larger disk")
    return Finding(check="disk", said=f"ok ({free // 2**20} MiB are free at {folder})")


def of_backup(newest: int | None, at: int, hours: int) -> Finding:
    """The age of the latest backup, as the audit log has it."""
    if not hours:
        return Finding(check="backup", said="not checked; MODERATION_BACKUP_HOURS sets how old the latest may be")
    remedy = "run: python -m moderation backup FILE"
    if newest is None:
        return wrong("backup", "there was none yet", remedy)
    if at - newest > hours * HOUR:
        return wrong("backup", f"the latest is of {iso(newest)}, more than {hours} hours ago", remedy)
    return Finding(check="backup", said=f"ok ({iso(newest)})")


def of_moderators(ready: int, count: int) -> Finding:
    said = f"{ready} of {count} can sign in"
    if ready:
        return Finding(check="moderators", said=said)
    return wrong("moderators", said, "see: python -m moderation set-password EMAIL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What stands behind an address: the service's own report, empty without one."""

    report: Mapping[str, Any]
    url: str = ""
    """Where redirects led."""
    date: int | None = None
    problem: str = ""


def asked(base: str, seconds: float = 5) -> Answer:
    """The report of the service at an address, ready or not."""
    request = urllib.request.Request(f"{base}/health/ready", headers={"User-Agent": "leave-a-reply check"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310  (the operator's own address)
            status, body, headers, url = answer.status, answer.read(100_000), answer.headers, answer.url
    except urllib.error.HTTPError as error:
        with error:
            status, body, headers, url = error.code, error.read(100_000), error.headers, error.url or ""
    except (OSError, ValueError) as error:
        return Answer(report={}, problem=f"no answer ({getattr(error, 'reason', error) or type(error).__name__})")
    try:
        report = json.loads(body)
    except ValueError:
        report = None
    if not isinstance(report, dict) or "instance" not in report:
        return Answer(report={}, url=url, problem=f"another program answers there (status {status})")
    return Answer(report=report, url=url.removesuffix("/health/ready"), date=moment(headers.get("date")))


def of_public_url(settings: Settings, public: Answer, instance: str, *, runs_here: bool) -> Finding:
    """Whether the public address leads to this service."""
    check, base = "public url", settings.base
    if not runs_here and (public.problem or not settings.public_url):
        return Finding(check=check, said=f"{base} is not checked, because the service does not run here")
    if public.problem:
        return wrong(
            check,
            f"{base}: {public.problem}",
            "see MODERATION_PUBLIC_URL, the name's DNS entry, the proxy and its certificate; the proxy passes /health/ready on",
        )
    if public.report["instance"] != instance:
        return wrong(
            check,
            f"{base} leads to another service than the one with this secret key",
            "see MODERATION_PUBLIC_URL, MODERATION_DATABASE and the proxy's upstream",
        )
    if public.url and public.url != base:
        return wrong(check, f"{base} redirects to {public.url}", f"set MODERATION_PUBLIC_URL={public.url}")
    if not settings.public_url and settings.host not in ("127.0.0.1", "localhost", "::1"):
        return Finding(check=check, said=f"unset: links lead to {base}, which other machines cannot open")
    return Finding(check=check, said=f"ok ({base})")


def of_proxy(settings: Settings, local: Answer) -> Finding:
    """Undeclared proxies, as detected by the running service."""
    if local.problem:
        trusted = settings.trusted_proxies or "none; set MODERATION_TRUSTED_PROXIES if one stands in front"
        return Finding(check="proxy", said=f"the service does not run here; trusted proxies: {trusted}")
    said = str(local.report["checks"]["proxy"])
    return Finding(check="proxy", said=said, is_well=said.startswith(HARMLESS))


def of_model(settings: Settings, local: Answer, reading: list[Any], outdated: list[str]) -> list[Finding]:
    """The model in the folder, and whether the running service serves the same."""
    from classifier.serving import Classifier

    try:
        classifier = Classifier(Path(settings.models), settings.reader)
        classifier.load()
    except Exception as error:
        remedy = "restore the folder from a backup, or move it away: the shipped model serves alone"
        return [wrong("model", f"{error}; every comment will be held", remedy)]
    if classifier.problem:
        found = [wrong("model", f"{classifier.problem} ({classifier.version})", "see: python -m moderation roll-back")]
    else:
        found = [Finding(check="model", said=f"ok ({classifier.version})")]
    served = local.report.get("model")
    if served and served != classifier.served:
        said = f"the service serves {served}, and {Path(settings.models).absolute()} has {classifier.served}"
        found.append(wrong("model", said, "run both with the same MODERATION_MODELS, and restart the service"))
    if classifier.slow:
        found.append(Finding(check="model", said=classifier.slow))
    found.append(of_reader(settings, local, twice=classifier.reads_twice))
    for run in reading:
        said = f"{run.model} reads along on {run.site}; {run.problem or 'see: python -m moderation read-along'}"
        found.append(Finding(check="model", said=said))
    for site in outdated:
        said = f"that of {site} still holds what an erased person taught; see: python -m moderation retrain"
        found.append(Finding(check="model", said=said))
    return found


def of_reader(settings: Settings, local: Answer, *, twice: bool) -> Finding:
    """The second reader, as the running service says, or as the settings and the model have it."""
    said = str(local.report.get("checks", {}).get("reader", "")) if not local.problem else ""
    if said.startswith("failed"):
        return wrong("reader", said, "see the log; what is unread is released once it is read")
    if not settings.reader:
        return Finding(check="reader", said="off (MODERATION_READER): the table judges alone")
    return Finding(check="reader", said="ok" if twice else "none: the model is a table alone")


async def mail_said(settings: Settings, address: str, now: int) -> Tried:
    """The result of a login at the mail server; with an address, of a test mail to it. Raises Invalid."""
    if not address:
        return await mail_check_of(settings).check_connection()
    checked = checked_email(address)
    if checked is None:
        raise Invalid(FieldError("mail", "invalid", "is not a valid email address"))
    return await mail_check_of(settings).send(checked, now)


async def of_mail(settings: Settings, address: str, now: int) -> Finding:
    tried = await mail_said(settings, address, now)
    if tried.taken or (settings.smtp is None and not address):
        return Finding(check="mail", said=tried.said)
    return wrong("mail", tried.said, "see docs/mail.md, MODERATION_SMTP_URL and MODERATION_MAIL_FROM")


def of_file(path: Path) -> Finding:
    try:
        with closing(sqlite3.connect(path)) as connection:
            said = str(connection.execute("PRAGMA quick_check").fetchone()[0])
    except sqlite3.DatabaseError as error:
        said = type(error).__name__
    return (
        Finding(check="database", said="ok")
        if said == "ok"
        else wrong("database", said, "restore a backup, and see the disk")
    )


def of_new_database(settings: Settings) -> Finding:
    """Before the first start there is none; later, the settings lead to a wrong one."""
    if is_postgres(settings.database):
        said, remedy = "it has no tables of this service", "see the name in MODERATION_DATABASE"
    else:
        said = f"there is none at {Path(settings.database).absolute()}"
        remedy = "set MODERATION_DATABASE to the path of yours, or run this in the folder of the service"
    return wrong(
        "database", f"{said}: a start would create an empty one", f"{remedy}. Before the first start: run serve"
    )


def of_secret_key(settings: Settings) -> Finding:
    if settings.secret_key or settings.key_file.exists():
        return Finding(check="secret key", said="ok")
    return wrong(
        "secret key",
        f"there is none at {settings.key_file.absolute()}: a start would make another, and receipts and edit tokens be void",
        "restore the file, or set MODERATION_SECRET_KEY, as the service has it",
    )


async def of_contents(cli: CliContext, database: Database, public: Answer, local: Answer) -> list[Finding]:
    """All that the open database tells."""
    async with database.reading() as session:
        ready, count = await moderators.count(session, ready=True), await moderators.count(session)
        waiting, outdated = await outbox.counts(session), await training_state.outdated(session)
        reading = await runs.running(session)
        newest, backed_up = await audit.newest(session), await audit.newest(session, "backup:write")
        muted = [line for site in (await sites.sites(session)).values() for line in settings_history.in_words(site)]
    there = await database.now()
    elsewhere, whose = (there, "the database's machine") if there is not None else (public.date, "the public address")
    failed = "; see: python -m moderation retry-outbox" if waiting["failed"] else ""
    return [
        of_clock(cli.clock(), newest, elsewhere, whose),
        *of_model(cli.settings, local, list(reading), list(outdated)),
        of_moderators(ready, count),
        Finding(check="outbox", said=f"{waiting['waiting']} wait, {waiting['failed']} failed{failed}"),
        of_backup(backed_up, cli.clock(), cli.settings.backup_hours),
        *(Finding(check="rules", said=line) for line in muted or ["none is muted"]),
    ]


async def findings(cli: CliContext, mail: str) -> list[Finding]:
    """Every check. A database that does not exist yet is named, and not created."""
    settings, found = cli.settings, of_variables(os.environ)
    local = asked(f"http://{settings.reach}", 2)
    public = asked(settings.base) if settings.public_url else local
    database = connect(settings.database)
    path = None if is_postgres(settings.database) else Path(settings.database)
    key = of_secret_key(settings)
    try:
        if await database.is_new():
            found += [of_new_database(settings), *of_model(settings, local, [], [])]
        else:
            found += [of_file(path) if path else Finding(check="database", said="ok"), key]
            async with cli.opened() as opened:
                found += await of_contents(cli, opened, public, local)
    except (Problem, IncompatibleDatabase) as error:
        found.append(wrong("database", str(error), "see docs/operations.md, “Troubleshooting”"))
    size = path.stat().st_size if path and path.exists() else 0
    folders = {path.parent, Path(settings.models)} if path else {Path(settings.models)}
    found += {finding.line: finding for finding in (of_disk(one.absolute(), size) for one in sorted(folders))}.values()
    found.append(await of_mail(settings, mail, cli.clock()))
    found.append(of_proxy(settings, local))
    if key.is_well:
        instance = Signer(settings.secret()).instance()
        if not local.problem and local.report["instance"] != instance:
            found.append(
                wrong(
                    "service",
                    f"the one at {settings.reach} has another secret key than this command",
                    "run this with the service's settings (MODERATION_SETTINGS), in its folder",
                )
            )
        found.append(of_public_url(settings, public, instance, runs_here=not local.problem))
    return found


async def check(
    cli: CliContext,
    mail: Annotated[
        str | None,
        Option("--mail", metavar="ADDRESS", help="send one test mail to it, and print the mail server's answer"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check the installation for what is wrong or will fail later; exit status 1 if there is anything."""
    found = await findings(cli, mail or "")
    if as_json:
        out(json.dumps([asdict(finding) for finding in found], ensure_ascii=False, indent=2))
    else:
        for finding in found:
            out(finding.line)
    if problems := [finding.check for finding in found if not finding.is_well]:
        raise Unavailable(f"There are problems, see above: {', '.join(dict.fromkeys(problems))}.")


commands = {"check": check}
