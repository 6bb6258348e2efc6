"""Commands for moderators and tokens."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument, Option

from moderation.cli import CliContext, EmailArgument, SiteOrAll, err, known_site, out
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.core.times import moment
from moderation.db.database import Session
from moderation.team import access, members, second_factor
from moderation.team import store as moderators
from moderation.team.model import Moderator, Role
from moderation.text.addresses import checked_email

PasswordStdin = Annotated[bool, Option("--password-stdin", help="read the password from standard input")]


async def add_moderator(
    cli: CliContext,
    email: EmailArgument,
    role: Annotated[Role, Option("--role")] = "moderator",
    site: SiteOrAll = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Add a moderator, and print a one-time password link (or read the password from standard input)."""
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, site or EVERYWHERE)
        moderator = await access.add_moderator(tx, email, role, site or EVERYWHERE, cli.clock())
        await give_password(cli, tx, moderator, password_stdin)


async def set_password(cli: CliContext, email: EmailArgument, password_stdin: PasswordStdin = False) -> None:
    """Print a new one-time password link (or read the new password from standard input)."""
    async with cli.opened() as database, database.transaction() as tx:
        await give_password(cli, tx, await known_moderator(tx, email), password_stdin)


async def known_moderator(session: Session, email: str) -> Moderator:
    """The moderator with this address. Raises NotFound with the command that adds one."""
    address = checked_email(email) or email
    moderator = await moderators.by_email(session, address.casefold())
    if moderator is None:
        raise NotFound("There is no such moderator; add one with: python -m moderation add-moderator EMAIL")
    return moderator


async def give_password(cli: CliContext, tx: Session, moderator: Moderator, from_stdin: bool) -> None:
    """Set the password that standard input holds, or print the link that sets one."""
    if from_stdin:
        await access.set_password(tx, moderator, sys.stdin.readline().rstrip("\r\n"), cli.clock())
        err("The password is set.")
    else:
        out(cli.links.set_password(await access.password_link(tx, moderator, cli.signer, cli.clock())))


async def remove_moderator(cli: CliContext, email: EmailArgument) -> None:
    """Remove a moderator and end their sessions; their decisions stay."""
    async with cli.opened() as database, database.transaction() as tx:
        await members.dismiss(tx, await known_moderator(tx, email), "operator", cli.clock())
    err("The moderator is removed.")


async def reset_second_factor(cli: CliContext, email: EmailArgument) -> None:
    """End a moderator's second factor and recovery codes, if both are lost; the password stays."""
    async with cli.opened() as database, database.transaction() as tx:
        if not await second_factor.off(tx, await known_moderator(tx, email), "operator", cli.clock()):
            raise NotFound("This moderator has no second factor.")
    err("The second factor is off; the next sign-in asks for the password alone.")


async def add_token(
    cli: CliContext,
    scopes: Annotated[
        str, Option("--scopes", metavar="SCOPES", help="some of score,teach,moderate,articles,privacy")
    ] = "",
    site: SiteOrAll = None,
    akismet: Annotated[
        bool, Option("--akismet", help="12 hexadecimal digits, as Akismet's clients demand; scopes: score,teach")
    ] = False,
) -> None:
    """Print a new bearer token, once."""
    scopes = scopes or ("score,teach" if akismet else "")
    chosen = frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, site or EVERYWHERE)
        out(await access.add_token(tx, cli.signer, site or EVERYWHERE, chosen, cli.clock(), akismet=akismet))


async def revoke_token(
    cli: CliContext,
    token: Annotated[str, Argument(metavar="TOKEN", help="the token, or its id: the six characters in the console")],
    undo_since: Annotated[
        str, Option("--undo-since", metavar="DATE", help="undo its decisions since then, as 2026-12-01")
    ] = "",
) -> None:
    """End a token, and with --undo-since what it has taught."""
    since = moment(undo_since) if undo_since else None
    if undo_since and since is None:
        raise Invalid(FieldError("--undo-since", "invalid", "must be a date like 2026-12-01"))
    async with cli.opened() as database:
        async with database.transaction() as tx:
            id = await access.revoke_token(tx, cli.signer, token, cli.clock())
        err("The token is revoked.")
        if since is not None:
            from moderation.queue.decide import undo_all  # which needs numpy: other commands start without it

            undone, left = await undo_all(database, f"token:{id}", since, "operator", cli.clock)
            err(f"Undone: {undone} decisions. Left as they are, because somebody changed them since: {left}.")


commands = {
    "add-moderator": add_moderator,
    "set-password": set_password,
    "remove-moderator": remove_moderator,
    "reset-second-factor": reset_second_factor,
    "add-token": add_token,
    "revoke-token": revoke_token,
}
