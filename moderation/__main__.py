"""The operator's commands. What a script needs is alone on standard output; errors go to standard error, exit status 1."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from moderation import __version__, doctor
from moderation import settings as settings_
from moderation.cli import err, known_site, now, opened, out
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import FieldError, Invalid, NotFound, Problem, Unavailable
from moderation.core.signing import Signer
from moderation.core.urls import Links
from moderation.db.database import NewerDatabase, Session
from moderation.learning import commands as shadow_commands
from moderation.outbox import commands as outbox_commands
from moderation.outbox import events
from moderation.outbox.undelivered import Undelivered
from moderation.policy import settings_history
from moderation.privacy import data_requests as privacy
from moderation.settings import Settings, SettingsError
from moderation.sites import site_settings as rules
from moderation.sites import store as sites
from moderation.sites.model import Site, checked_origin, is_site_key
from moderation.team import access, members, second_factor
from moderation.team import store as moderators
from moderation.team.model import ROLES, Moderator
from moderation.text.addresses import checked_email
from moderation.transfer import backup
from moderation.transfer import commands as transfer_commands

Command = Callable[[argparse.Namespace, Settings], Awaitable[None]]


def serve(args: argparse.Namespace, settings: Settings) -> None:
    """Run the service until it is told to stop; what is in flight finishes."""
    import uvicorn

    from moderation.app import create_app, prepare, settle_memory
    from moderation.core.logs import log_to_stderr
    from moderation.web.connections import raise_descriptors
    from moderation.web.shutdown import REST, LastResort

    if args.workers > 1 and not settings.is_postgres:
        raise SettingsError(
            "more than one worker needs PostgreSQL (MODERATION_DATABASE=postgresql://…): on one SQLite file they would "
            "only wait for each other"
        )
    log_to_stderr(settings.log_level)
    raise_descriptors()

    common: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "http": "moderation.web.protocol:BoundedProtocol",
        "ws": "none",  # whatever is installed: only HTTP is spoken here
        "loop": "uvloop" if sys.platform != "win32" else "auto",
        "access_log": False,  # 46 µs a request, and addresses in a log
        "proxy_headers": False,  # MODERATION_TRUSTED_PROXIES decides, nothing else
        "server_header": False,
        "log_config": None,
        "timeout_graceful_shutdown": settings.grace,
        "backlog": 2048,
    }
    if args.workers > 1:
        for name in ("host", "port"):
            os.environ[f"MODERATION_{name.upper()}"] = str(getattr(settings, name))
        asyncio.run(prepare(settings, lambda text: print(text, flush=True)))
        uvicorn.run("moderation.app:from_environment", factory=True, workers=args.workers, **common)
        return
    last_resort = LastResort(settings.grace + REST)
    app = create_app(settings, say=lambda text: print(text, flush=True), last_resort=last_resort)
    settle_memory()
    server = uvicorn.Server(uvicorn.Config(app, **common))
    print(f"Serving on {settings.base} (moderators: {settings.base}/moderate)", flush=True)
    for ending in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal once more when all is finished; by then there is nothing left to end
        signal.signal(ending, lambda *_: None)
    try:
        server.run()
    except SystemExit:  # uvicorn's own way to say so, with a status of its own
        server.started = False
    if not server.started:
        raise Unavailable("The service did not start; the lines above say why.")


async def add_site(args: argparse.Namespace, settings: Settings) -> None:
    """Add a site, or update what is given of one that exists."""
    if not is_site_key(args.key):
        raise Invalid(FieldError("key", "invalid", "a site's key has 1 to 64 of a-z 0-9 -"))
    origins = tuple(checked_origin(origin) for origin in args.origin or [])
    async with opened(settings) as database, database.transaction() as tx:
        known = (await sites.sites(tx, [args.key])).get(args.key)
        old = known or Site(args.key, args.key)
        site = Site(args.key, args.name or old.name, origins if args.origin else old.origins, old.rules)
        await sites.put_site(tx, site, now())
    out(args.key)


async def set_rules(args: argparse.Namespace, settings: Settings) -> None:
    """Set a site's rules; what is not named stays. NAME=VALUE, NAME+=ENTRY, NAME-=ENTRY, NAME=default, NAME=@FILE."""
    given, signer = [], Signer(settings.secret())
    for setting in args.settings:
        name, _, value = setting.partition("=")
        given.append(f"{name}={entries_in(value[1:])}" if value.startswith("@") and value[1:] else setting)
    async with opened(settings) as database, database.transaction() as tx:
        await known_site(tx, args.key)
        differs = await settings_history.change(
            tx, args.key, lambda known: rules.parsed(given, known, signer), signer, "operator", now()
        )
    for name, (old, new) in differs.items():
        err(f"{name}: {json.dumps(old)} → {json.dumps(new)}" + (" entries" if rules.is_list(name) else ""))
    if not differs:
        err("Nothing differs; nothing was changed.")


def entries_in(file: str) -> str:
    """A list from a file, a line each; `#` begins a remark."""
    try:
        return Path(file).read_text("utf-8") + "\n"
    except UnicodeDecodeError:
        raise Invalid(FieldError(file, "invalid", "is not UTF-8")) from None


async def show_rules(args: argparse.Namespace, settings: Settings) -> None:
    """Print a site's rules and what each has caught in the last 30 days, as JSON."""
    async with opened(settings) as database, database.reading() as session:
        await known_site(session, args.key)
        told = await settings_history.report(session, await settings_history.site_of(session, args.key), now())
    out(json.dumps(told, ensure_ascii=False, indent=2))


async def add_moderator(args: argparse.Namespace, settings: Settings) -> None:
    """Add a moderator, and print a one-time link to set a password (or read the password from standard input)."""
    site = args.site or EVERYWHERE
    signer = Signer(settings.secret())
    async with opened(settings) as database, database.transaction() as tx:
        await known_site(tx, site)
        moderator = await access.add_moderator(tx, args.email, args.role, site, now())
        await give_password(tx, args, settings, signer, moderator)


async def set_password(args: argparse.Namespace, settings: Settings) -> None:
    """Print a new one-time link for a moderator (or read the new password from standard input)."""
    signer = Signer(settings.secret())
    async with opened(settings) as database, database.transaction() as tx:
        await give_password(tx, args, settings, signer, await known_moderator(tx, args.email))


async def known_moderator(session: Session, email: str) -> Moderator:
    address = checked_email(email) or email
    found = await moderators.by_email(session, address.casefold())
    if found is None:
        raise NotFound("There is no such moderator; add one with: python -m moderation add-moderator EMAIL")
    return found


async def give_password(
    tx: Session, args: argparse.Namespace, settings: Settings, signer: Signer, moderator: Moderator
) -> None:
    if args.password_stdin:
        await access.set_password(tx, moderator, sys.stdin.readline().rstrip("\r\n"), now())
        err("The password is set.")
    else:
        token = await access.password_link(tx, moderator, signer, now())
        out(Links(settings.base, signer).set_password(token))


async def remove_moderator(args: argparse.Namespace, settings: Settings) -> None:
    """Remove a moderator and end their sessions; what they decided stays."""
    async with opened(settings) as database, database.transaction() as tx:
        await members.dismiss(tx, await known_moderator(tx, args.email), "operator", now())
    err("The moderator is removed.")


async def reset_second_factor(args: argparse.Namespace, settings: Settings) -> None:
    """End a moderator's second factor and recovery codes, where both are lost; the password stays."""
    async with opened(settings) as database, database.transaction() as tx:
        if not await second_factor.off(tx, await known_moderator(tx, args.email), "operator", now()):
            raise NotFound("This moderator has no second factor.")
    err("The second factor is off; the next sign-in asks for the password alone.")


async def add_token(args: argparse.Namespace, settings: Settings) -> None:
    """Print a new bearer token, this once."""
    signer = Signer(settings.secret())
    scopes = frozenset(scope.strip() for scope in args.scopes.split(",") if scope.strip())
    async with opened(settings) as database, database.transaction() as tx:
        site = args.site or EVERYWHERE
        await known_site(tx, site)
        out(await access.add_token(tx, signer, site, scopes, now()))


async def revoke_token(args: argparse.Namespace, settings: Settings) -> None:
    """End a token, given whole or by its first six characters."""
    async with opened(settings) as database, database.transaction() as tx:
        await access.revoke_token(tx, Signer(settings.secret()), args.token, now())
    err("The token is revoked.")


async def retrain(args: argparse.Namespace, settings: Settings) -> None:
    """Learn from the moderators' decisions; the better model goes live, a worse one never does."""
    from moderation.learning import retrain as learning

    async with opened(settings) as database:
        if args.site:
            async with database.reading() as session:
                await known_site(session, args.site)
        told = await learning.retrain(database, Path(settings.models), args.site, now(), beside=args.shadow)
        out(json.dumps(told))


async def roll_back(args: argparse.Namespace, settings: Settings) -> None:
    """Go back to the model before."""
    from moderation.learning import retrain as learning

    async with opened(settings) as database:
        async with database.reading() as session:
            await known_site(session, args.site)
        out(json.dumps(await learning.roll_back(database, Path(settings.models), args.site, now())))


async def export_person(args: argparse.Namespace, settings: Settings) -> None:
    """Print all that is held on one email address, as JSON."""
    async with opened(settings) as database:
        person = privacy.person_of(Signer(settings.secret()), args.email)
        found = await privacy.export(database, person, settings.keep_addresses_days)
        out(json.dumps(found, ensure_ascii=False))


async def erase_person(args: argparse.Namespace, settings: Settings) -> None:
    """Erase all that is held on one email address."""
    async with opened(settings) as database:
        erased = await privacy.erase(
            database, privacy.person_of(Signer(settings.secret()), args.email), "operator", now()
        )
    out(json.dumps({"erased": erased.comments}))


async def import_file(args: argparse.Namespace, settings: Settings) -> None:
    """Bring in what another system exported, or we did; beside a running server, and twice without doubling."""
    signer = Signer(settings.secret())
    async with opened(settings) as database:
        async with database.reading() as session:
            await known_site(session, args.site)
        out(
            json.dumps(
                await transfer_commands.bring(database, signer, args.site, args.file, args.system, args.keys, now)
            )
        )


async def export_site(args: argparse.Namespace, settings: Settings) -> None:
    """Write all that a site holds: our own JSON Lines, or WXR as WordPress reads it."""
    links = Links(settings.base, Signer(settings.secret()))
    async with opened(settings) as database:
        async with database.reading() as session:
            await known_site(session, args.site)
            site = (await sites.sites(session, [args.site]))[args.site]
        await transfer_commands.take(database, links, site, args.format, args.output, now)


async def make_backup(args: argparse.Namespace, settings: Settings) -> None:
    """Write database, models and secret key to one file; beside a running server."""
    async with opened(settings) as database:
        counts = await backup.write(database, Path(settings.models), settings.secret(), Path(args.file))
    out(json.dumps(counts))


async def restore(args: argparse.Namespace, settings: Settings) -> None:
    """Restore a backup into an empty database; what lets anybody in only as far as that is safe."""
    if not Path(args.file).exists():
        raise NotFound(f"There is no file {args.file}.")
    async with opened(settings) as database:
        counts = await backup.restore(
            *(database, Path(settings.models), settings.key_file, Path(args.file)),
            keep_integrations=args.keep_integrations,
            say=err,
        )
    out(json.dumps(counts))


def at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="moderation", description="Receives replies, judges them, lets moderators decide, and learns from that."
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace, Settings], object]) -> argparse.ArgumentParser:
        said = (run.__doc__ or "").strip()
        added = commands.add_parser(name, help=said.split("\n")[0], description=said)
        added.set_defaults(run=run)
        return added

    it = command("serve", serve)
    it.add_argument("--host", help="instead of MODERATION_HOST")
    it.add_argument("--port", type=int, help="instead of MODERATION_PORT")
    it.add_argument("--workers", type=at_least_one, default=1, metavar="N", help="more than one only on PostgreSQL")
    it = command("add-site", add_site)
    it.add_argument("key", metavar="KEY")
    it.add_argument("--name")
    it.add_argument("--origin", action="append", metavar="URL", help="an origin whose pages may post; may be repeated")
    it = command("set-rules", set_rules)
    it.add_argument("key", metavar="KEY")
    it.add_argument("settings", nargs="+", metavar="NAME=VALUE", help="see docs/defences.md for the names")
    command("show-rules", show_rules).add_argument("key", metavar="KEY")
    it = command("add-moderator", add_moderator)
    it.add_argument("email", metavar="EMAIL")
    it.add_argument("--role", choices=ROLES, default="moderator")
    it.add_argument("--site", metavar="KEY", help="only this site; otherwise all")
    it.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    it = command("set-password", set_password)
    it.add_argument("email", metavar="EMAIL")
    it.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    command("remove-moderator", remove_moderator).add_argument("email", metavar="EMAIL")
    command("reset-second-factor", reset_second_factor).add_argument("email", metavar="EMAIL")
    it = command("add-token", add_token)
    it.add_argument("--scopes", required=True, help="some of score,moderate,articles,privacy")
    it.add_argument("--site", metavar="KEY", help="only this site; otherwise all")
    command("revoke-token", revoke_token).add_argument("token", metavar="TOKEN")
    it = command("retrain", retrain)
    it.add_argument("--site", metavar="KEY", help="only this site; otherwise every one")
    it.add_argument("--shadow", action="store_true", help="what is better runs beside the model, instead of going live")
    it = command("shadow", shadow_commands.run)
    it.add_argument(
        "act",
        metavar="ACT",
        choices=shadow_commands.ACTS,
        nargs="?",
        default="show",
        help="show, start, stop or promote",
    )
    it.add_argument("--site", metavar="KEY", default="default")
    it.add_argument("--model", metavar="VERSION", help="the candidate to start")
    command("roll-back", roll_back).add_argument("--site", metavar="KEY", default="default")
    it = command("import", import_file)
    it.add_argument("file", metavar="FILE", help="`-` reads standard input")
    it.add_argument("--site", metavar="KEY", default="default")
    it.add_argument(
        "--from", dest="system", choices=transfer_commands.SYSTEMS, help="what made the file; otherwise it is looked at"
    )
    it.add_argument(
        "--keys", choices=("id", "path"), help="articles by the id they had (WordPress), or the path of their page"
    )
    it = command("export", export_site)
    it.add_argument("--site", metavar="KEY", default="default")
    it.add_argument("--format", choices=transfer_commands.FORMATS, default="jsonl")
    it.add_argument("--output", metavar="FILE", help="a new file, instead of standard output")
    command("export-person", export_person).add_argument("email", metavar="EMAIL")
    command("erase-person", erase_person).add_argument("email", metavar="EMAIL")
    it = command("add-webhook", outbox_commands.add_webhook)
    it.add_argument("url", metavar="URL")
    it.add_argument("--site", metavar="KEY", help="only this site; otherwise all")
    it.add_argument("--events", default="", help=f"some of {','.join(events.EVENTS)}; otherwise all")
    command("list-webhooks", outbox_commands.list_webhooks)
    command("remove-webhook", outbox_commands.remove_webhook).add_argument("id", metavar="ID")
    command("sweep", outbox_commands.sweep)
    command("retry-outbox", outbox_commands.retry_outbox)
    command("test-mail", outbox_commands.test_mail).add_argument("address", metavar="ADDRESS")
    command("backup", make_backup).add_argument("file", metavar="FILE")
    it = command("restore", restore)
    it.add_argument("file", metavar="FILE")
    it.add_argument(
        "--keep-integrations",
        action="store_true",
        help="programs' tokens and webhooks too: none of them was ended since the backup was made",
    )
    it = command("check", doctor.check)
    it.add_argument("--mail", metavar="ADDRESS", help="send one test mail to it, and say what the mail server answered")
    return top


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        settings = settings_.load(
            dict(os.environ)
            | {
                f"MODERATION_{name.upper()}": str(given)
                for name in ("host", "port")
                if (given := getattr(args, name, None)) is not None
            }
        )
        if args.command == "serve":
            serve(args, settings)
        else:
            asyncio.run(args.run(args, settings))
    except Problem as problem:
        err(f"moderation: {problem.detail}")
        return 1
    except KeyboardInterrupt:
        err("moderation: stopped")
        return 130
    except (SettingsError, NewerDatabase, Undelivered, OSError) as error:
        err(f"moderation: {error}")
        return 1
    except Exception as error:
        if type(error).__name__ == "ModelError":
            err(f"moderation: {error}")
            return 1
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
