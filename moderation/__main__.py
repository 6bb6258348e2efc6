"""The operator's program: it finds the command that is named, and calls it. What a script needs is alone on standard output;
errors go to standard error, exit status 1; wrong usage is exit status 2."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from itertools import groupby
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from moderation import __version__

COMMANDS: dict[str, dict[str, str]] = {
    "moderation.serve": {
        "serve": "Run the service until it is told to stop; what is in flight finishes.",
    },
    "moderation.doctor": {
        "check": "Is all well? In words; exit status 1 where something is not.",
    },
    "moderation.sites.commands": {
        "add-site": "Add a site, or update what is given of one that exists.",
    },
    "moderation.policy.commands": {
        "set-rules": "Set a site's rules; what is not named stays. NAME=VALUE, NAME+=ENTRY, NAME-=ENTRY, NAME=default, NAME=@FILE.",
        "show-rules": "Print a site's rules and what each has caught in the last 30 days, as JSON.",
    },
    "moderation.team.commands": {
        "add-moderator": "Add a moderator, and print a one-time link to set a password (or read the password from standard input).",
        "set-password": "Print a new one-time link for a moderator (or read the new password from standard input).",
        "remove-moderator": "Remove a moderator and end their sessions; what they decided stays.",
        "reset-second-factor": "End a moderator's second factor and recovery codes, where both are lost; the password stays.",
        "add-token": "Print a new bearer token, this once.",
        "revoke-token": "End a token, given whole or by its first six characters.",
    },
    "moderation.learning.commands": {
        "retrain": "Learn from the moderators' decisions; the better model goes live, a worse one never does.",
        "roll-back": "Go back to the model before.",
        "shadow": "Show where a candidate model would differ from the one that decides; start, stop or promote it.",
    },
    "moderation.outbox.commands": {
        "add-webhook": "Tell an address of events, and print the secret that its messages are signed with, this once.",
        "list-webhooks": "Print one JSON object for each endpoint: its id, what it hears, what waits for it and what failed.",
        "remove-webhook": "End an endpoint, given by its id; what waits for it goes too.",
        "retry-outbox": "Try again what the outbox gave up; print how many.",
        "test-mail": "Send one mail, now, and say how it went.",
    },
    "moderation.privacy.commands": {
        "export-person": "Print all that is held on one email address, as JSON.",
        "erase-person": "Erase all that is held on one email address.",
        "purge": "Forget what is kept for a while only, as the running service does every hour; print how much.",
    },
    "moderation.transfer.commands": {
        "import": "Bring in what another system exported, or we did; beside a running server, and twice without doubling.",
        "export": "Write all that a site holds: our own JSON Lines, or WXR as WordPress reads it.",
        "backup": "Write database, models and secret key to one file; beside a running server.",
        "restore": "Restore a backup into an empty database; what lets anybody in only as far as that is safe.",
    },
}
"""Where each command stands, and its first line. This index lets `--help` and `serve` import no other command: a module is
imported when one of its commands is called. A test holds it equal to each module's `commands`."""


class Program(TyperGroup):
    """All commands, each imported when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for names in COMMANDS.values() for name in names]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        module = next((module for module, names in COMMANDS.items() if cmd_name in names), None)
        return commands_of(module)[cmd_name] if module else None

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage(ctx.command_path, "COMMAND …", prefix="usage: ")

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Grouped by slice, as they stand in the house."""
        for title, modules in groupby(COMMANDS, title_of):
            with formatter.section(title):
                formatter.write_dl([line for module in modules for line in COMMANDS[module].items()])


@cache
def commands_of(module: str) -> dict[str, Any]:
    """The commands of one module, imported now."""
    from moderation.cli import typer_commands  # here, since it brings the database along, which `--help` does not need

    return typer_commands(import_module(module).commands)


def title_of(module: str) -> str:
    """`Team` for the slice `team`."""
    parts = module.split(".")
    return parts[1].capitalize() if len(parts) > 2 else "Service"


def show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


program = typer.Typer(
    cls=Program,
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@program.callback()
def options(version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True)] = False) -> None:
    """Receives replies, judges them, lets moderators decide, and learns from that."""


def main(argv: list[str] | None = None) -> int:
    """The exit status."""
    try:
        typer.main.get_command(program).main(argv, prog_name="moderation")
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
