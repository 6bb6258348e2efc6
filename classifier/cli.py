"""What the commands share: their options, files in and out, and how a failure becomes a sentence and an exit status."""

from __future__ import annotations

import csv
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from typer import Argument, Option
from typer.core import TyperCommand

from classifier import registry
from classifier.jsonl import BadLine
from classifier.registry import ModelError

Commands = Mapping[str, Callable[..., Any]]
"""Name → function. A module of commands ends in one, as `commands`."""

Models = Annotated[Path | None, Option("--models", metavar="DIR", help="model folder; else the shipped model")]
OwnModels = Annotated[Path, Option("--models", metavar="DIR", help="model folder")]
Site = Annotated[str, Option("--site", metavar="KEY", help="this site's corrections instead of the bases")]
Version = Annotated[str, Argument(metavar="VERSION")]
Seed = Annotated[int, Option("--seed", metavar="N")]
FAILURES = (ModelError, BadLine, ValueError, OSError, EOFError, zlib.error, csv.Error)
"""What a wrong file or option leads to. Any other exception is a defect and keeps its traceback."""


class Command(TyperCommand):
    def format_usage(self, ctx: Any, formatter: Any) -> None:
        arguments = [one for one in self.params if one.param_type_name == "argument"]
        pieces = [str(one.metavar) if one.required else f"[{one.metavar}]" for one in arguments]
        formatter.write_usage(ctx.command_path, " ".join(["[OPTIONS]", *pieces]), prefix="usage: ")


def typer_commands(commands: Commands) -> dict[str, Any]:
    """Each command as typer parses and calls it."""
    app = typer.Typer(rich_markup_mode=None)
    for name, run in commands.items():
        app.command(name, cls=Command)(in_words(name, run))
    return dict(typer.main.get_group(app).commands)


def in_words(name: str, run: Callable[..., None]) -> Callable[..., None]:
    """`run`, whose failures are one sentence on standard error and status 1."""

    @wraps(run)
    def call(**given: Any) -> None:
        try:
            run(**given)
        except FAILURES as error:
            print(f"{name}: {error}", file=sys.stderr)
            raise typer.Exit(1) from None

    return call


def folder_of(models: Path | None, site: str) -> Path:
    """Where the versions of a site's corrections stand, or with an empty `site` those of the bases."""
    home = models or registry.SHIPPED
    return registry.site_folder(home, site) if site else home


def opened(path: Path | None) -> AbstractContextManager[IO[bytes]]:
    """A file, or standard input."""
    return nullcontext(sys.stdin.buffer) if path is None else open(path, "rb")


@contextmanager
def written(path: Path | None) -> Iterator[IO[str]]:
    """Standard output, or a file that is there whole or not at all."""
    if path is None:
        yield sys.stdout
        return
    beside = path.with_name(path.name + ".part")
    try:
        with open(beside, "w", encoding="utf-8") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
