"""The cli context: the values that every command receives, their parsing by typer, and failures as sentences with an exit
status.

It is at the root because only the program reads the settings. In a slice, only `commands.py` may import it.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from moderation.core.ids import EVERYWHERE
from moderation.core.problem import NotFound, Problem
from moderation.core.signing import Signer
from moderation.core.urls import Links
from moderation.db import connect
from moderation.db.database import Database, Session
from moderation.db.migrate import IncompatibleDatabase
from moderation.outbox.undelivered import Undelivered
from moderation.settings import Settings, SettingsError, load
from moderation.sites import store as sites
from moderation.sites.model import Site

Commands = Mapping[str, Callable[..., Any]]
"""Name → function. An `async` function works on the database: its first parameter is the CliContext, the others come from
typer. A plain function has the process to itself."""

SiteKey = Annotated[str, typer.Argument(metavar="KEY")]
EmailArgument = Annotated[str, typer.Argument(metavar="EMAIL")]
Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
OneSite = Annotated[str, typer.Option("--site", metavar="KEY")]
SiteOrAll = Annotated[str | None, typer.Option("--site", metavar="KEY", help="only this site; all if omitted")]


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def out(text: str) -> None:
    """Prints data for scripts to standard output."""
    sys.stdout.write(text + "\n")


def result(as_json: bool, plain: str, **values: Any) -> None:
    """Prints the result of a command: a plain value for scripts, or with --json an object."""
    out(json.dumps(values, ensure_ascii=False) if as_json else plain)


def done(as_json: bool, text: str, **values: Any) -> None:
    """The result of a command that has nothing for scripts: a sentence on standard error, or with --json an object."""
    if as_json:
        out(json.dumps(values, ensure_ascii=False))
    else:
        err(text)


def err(text: str) -> None:
    """Prints text for people to standard error."""
    sys.stderr.write(text + "\n")


class Progress:
    """Progress on standard error: on a terminal one line that is overwritten, else a line at intervals. With the part that is
    done, 0 to 1, it says how much time is left."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self._began = time.monotonic()
        self._shown, self._next = False, self._began + (0 if self.live else 10)

    def show(self, line: Callable[[], str], done: float | None = None) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + (0.2 if self.live else 10)
            text = self.part(done) + line()
            sys.stderr.write(f"\r\x1b[K{text}" if self.live else text + "\n")
            sys.stderr.flush()
            self._shown = self.live

    def part(self, done: float | None) -> str:
        """`12%, 3 min left, `; without the time as long as it cannot be estimated."""
        if done is None:
            return ""
        seconds = time.monotonic() - self._began
        left = f"{in_words(seconds * (1 - done) / done)} left, " if done >= 0.01 and seconds >= 1 else ""
        return f"{done:.0%}, {left}"

    def say(self, line: str) -> None:
        sys.stderr.write(("\r\x1b[K" if self._shown else "") + line + "\n")
        self._shown = False

    def end(self) -> None:
        """Clears the line."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            self._shown = False


def in_words(seconds: float) -> str:
    """`40 s`, `3 min`, `2 h 5 min`."""
    minutes = round(seconds / 60)
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@dataclass(frozen=True)
class CliContext:
    settings: Settings
    clock: Callable[[], int] = now

    @cached_property
    def signer(self) -> Signer:
        return Signer(self.settings.secret())

    @property
    def links(self) -> Links:
        return Links(self.settings.base, self.signer)

    async def rehearse(self, file: Path) -> dict[str, Any]:
        """Rehearses a restore (`rehearsal.py`), which needs the whole program."""
        from moderation.rehearsal import rehearse

        return await rehearse(self.settings, file)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Database]:
        """The database, migrated, with a site `default`: commands can run before the first `serve`."""
        database = connect(self.settings.database)
        await database.open()
        try:
            async with database.transaction() as tx:
                if not await sites.sites(tx, ["default"]):
                    await sites.put_site(tx, Site(key="default", name="My site"), self.clock())
            yield database
        finally:
            await database.close()


async def known_site(session: Session, key: str) -> None:
    """Raises NotFound, with the command that adds the site."""
    if key != EVERYWHERE and not await sites.sites(session, [key]):
        raise NotFound(f"There is no site {key!r}; add it with: python -m moderation add-site {key}")


@contextmanager
def failures_in_words() -> Iterator[None]:
    """A failure that an operator can mend ends the command with one sentence on standard error and status 1; an interrupt
    with status 130. Any other exception is a defect and keeps its traceback."""
    try:
        yield
    except KeyboardInterrupt:
        said, status = "stopped", 130
    except Problem as problem:
        said, status = problem.detail, 1
    except (SettingsError, IncompatibleDatabase, Undelivered, OSError) as error:
        said, status = str(error), 1
    else:
        return
    err(f"moderation: {said}")
    raise typer.Exit(status)


def called(run: Callable[..., Any]) -> Callable[..., None]:
    """`run` with the parameters that typer reads: without the context, which is made when the command is called."""
    signature = inspect.signature(run, eval_str=True)
    parameters = list(signature.parameters.values())
    is_async = inspect.iscoroutinefunction(run)

    def call(**given: Any) -> None:
        with failures_in_words():
            if is_async:
                asyncio.run(run(CliContext(load()), **given))
            else:
                run(**given)

    call.__doc__ = run.__doc__
    call.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=parameters[1:] if is_async else parameters, return_annotation=None
    )
    return call


class Command(TyperCommand):
    """A command whose usage names each of its options: the line that docs/commands.md has."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """`EMAIL`, `NAME=VALUE …`, `[--site KEY]`, `[--origin URL]…`: arguments before options."""
        return [piece for _, piece in sorted(map(usage_piece, self.params), key=lambda one: one[0])]

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        program, _, rest = " ".join([ctx.command_path, *self.collect_usage_pieces(ctx)]).partition(" ")
        formatter.write_usage(program, rest, prefix="usage: ")


def usage_piece(param: Any) -> tuple[bool, str]:
    """Whether a parameter is an option, and how it is given."""
    metavar = param.metavar or "|".join(getattr(param.type, "choices", ())) or param.name.upper()
    if param.param_type_name == "argument":
        return False, (metavar if param.required else f"[{metavar}]") + (" …" if param.nargs == -1 else "")
    option = param.opts[0] if param.is_flag else f"{param.opts[0]} {metavar}"
    return True, (option if param.required else f"[{option}]") + ("…" if param.multiple else "")


def typer_commands(commands: Commands) -> dict[str, Any]:
    """Each command as typer parses and calls it."""
    app = typer.Typer(rich_markup_mode=None)
    for name, run in commands.items():
        app.command(name, cls=Command)(called(run))
    return dict(typer.main.get_group(app).commands)
