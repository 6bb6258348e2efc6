"""Commands for moderators and tokens."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument, Option

from moderation.cli import CliContext, EmailArgument, Json, SiteOrAll, done, known_site, result
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.core.times import iso, moment
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
    as_json: Json = False,
) -> None:
    """Add a moderator, and print a one-time password link (or read the password from standard input)."""
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, site or EVERYWHERE)
        moderator = await access.add_moderator(tx, email, role, site or EVERYWHERE, cli.clock())
        await give_password(cli, tx, moderator, password_stdin, as_json)


async def set_password(
    cli: CliContext, email: EmailArgument, password_stdin: PasswordStdin = False, as_json: Json = False
) -> None:
    """Print a new one-time password link (or read the new password from standard input)."""
    async with cli.opened() as database, database.transaction() as tx:
        await give_password(cli, tx, await known_moderator(tx, email), password_stdin, as_json)


async def known_moderator(session: Session, email: str) -> Moderator:
    """The moderator with this address. Raises NotFound with the command that adds one."""
    address = checked_email(email) or email
    moderator = await moderators.by_email(session, address.casefold())
    if moderator is None:
        raise NotFound("There is no such moderator; add one with: python -m moderation add-moderator EMAIL")
    return moderator


async def give_password(cli: CliContext, tx: Session, moderator: Moderator, from_stdin: bool, as_json: bool) -> None:
    """Set the password that standard input holds, or print the link that sets one."""
    if from_stdin:
        await access.set_password(tx, moderator, sys.stdin.readline().rstrip("\r\n"), cli.clock())
        done(as_json, "The password is set.", moderator=moderator.id, link=None)
    else:
        link = cli.links.set_password(await access.password_link(tx, moderator, cli.signer, cli.clock()))
        result(as_json, link, moderator=moderator.id, link=link)


async def remove_moderator(cli: CliContext, email: EmailArgument, as_json: Json = False) -> None:
    """Remove a moderator and end their sessions; their decisions stay."""
    async with cli.opened() as database, database.transaction() as tx:
        moderator = await known_moderator(tx, email)
        await members.dismiss(tx, moderator, "operator", cli.clock())
    done(as_json, "The moderator is removed.", moderator=moderator.id)


async def reset_second_factor(cli: CliContext, email: EmailArgument, as_json: Json = False) -> None:
    """End a moderator's second factor and recovery codes, if both are lost; the password stays."""
    async with cli.opened() as database, database.transaction() as tx:
        moderator = await known_moderator(tx, email)
        if not await second_factor.off(tx, moderator, "operator", cli.clock()):
            raise NotFound("This moderator has no second factor.")
    said = "The second factor is off; the next sign-in asks for the password alone."
    done(as_json, said, moderator=moderator.id)


async def add_token(
    cli: CliContext,
    scopes: Annotated[
        str, Option("--scopes", metavar="SCOPES", help="some of score,teach,moderate,articles,privacy")
    ] = "",
    site: SiteOrAll = None,
    akismet: Annotated[
        bool, Option("--akismet", help="12 hexadecimal digits, as Akismet's clients demand; scopes: score,teach")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print a new bearer token, once."""
    scopes = scopes or ("score,teach" if akismet else "")
    chosen = frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())
    async with cli.opened() as database, database.transaction() as tx:
        await known_site(tx, site or EVERYWHERE)
        token = await access.add_token(tx, cli.signer, site or EVERYWHERE, chosen, cli.clock(), akismet=akismet)
    id = access.public_id(cli.signer, token)
    result(as_json, token, token=token, id=id, site=site or EVERYWHERE, scopes=sorted(chosen))


async def list_tokens(cli: CliContext, site: SiteOrAll = None, as_json: Json = False) -> None:
    """Print one line for each valid token of a program: its id, site, scopes, last use and name."""
    async with cli.opened() as database, database.reading() as session:
        await known_site(session, site or EVERYWHERE)
        for token in await moderators.api_tokens(session, site or EVERYWHERE):
            scopes, used = sorted(token.scopes), iso(token.last_used_at)
            plain = "\t".join((token.id, token.site, ",".join(scopes), used or "never used", token.name))
            result(
                as_json,
                plain,
                id=token.id,
                site=token.site,
                scopes=scopes,
                name=token.name,
                created_at=iso(token.created_at),
                last_used_at=used,
            )


async def revoke_token(
    cli: CliContext,
    token: Annotated[str, Argument(metavar="TOKEN", help="the token, or its id: the six characters in the console")],
    undo_since: Annotated[
        str, Option("--undo-since", metavar="DATE", help="undo its decisions since then, as 2026-12-01")
    ] = "",
    as_json: Json = False,
) -> None:
    """End a token, and with --undo-since what it has taught."""
    since = moment(undo_since) if undo_since else None
    if undo_since and since is None:
        raise Invalid(FieldError("--undo-since", "invalid", "must be a date like 2026-12-01"))
    async with cli.opened() as database:
        async with database.transaction() as tx:
            id = await access.revoke_token(tx, cli.signer, token, cli.clock())
        undone, left, said = 0, 0, "The token is revoked."
        if since is not None:
            from moderation.queue.decide import undo_all  # which needs numpy: other commands start without it

            undone, left = await undo_all(database, f"token:{id}", since, "operator", cli.clock)
            said += f"\nUndone: {undone} decisions. Left as they are, because somebody changed them since: {left}."
    done(as_json, said, id=id, undone=undone, left=left)


commands = {
    "add-moderator": add_moderator,
    "set-password": set_password,
    "remove-moderator": remove_moderator,
    "reset-second-factor": reset_second_factor,
    "add-token": add_token,
    "list-tokens": list_tokens,
    "revoke-token": revoke_token,
}
