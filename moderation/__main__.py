"""The operator's program: finds and calls a command. Standard output carries only data for scripts. Errors go to standard
error with exit status 1; wrong usage is exit status 2."""

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
        "serve": "Run the service until a stop signal; requests in flight finish.",
    },
    "moderation.doctor": {
        "check": "Check the installation for what is wrong or will fail later; exit status 1 if there is anything.",
    },
    "moderation.sites.commands": {
        "add-site": "Add a site, or update the given values of an existing one.",
        "list-sites": "Print one line for each site: its key, name, comments, articles and origins.",
        "rename": "Change the name of a site. Its key, which pages and programs use, stays.",
        "remove-site": "Remove a site with all comments, articles, moderators, tokens, webhooks and models. This cannot be undone.",
    },
    "moderation.articles.commands": {
        "list-unlisted": "Print one JSON object for each article whose comments wait for its listing: its key and their number.",
        "publish-article": "List articles that an import left unlisted: readers see their comments at once.",
    },
    "moderation.policy.commands": {
        "set-rules": "Set a site's rules; omitted ones stay. NAME=VALUE, NAME+=ENTRY, NAME-=ENTRY, NAME=default, NAME=@FILE.",
        "show-rules": "Print a site's rules and the hits of each in the last 30 days, as JSON.",
    },
    "moderation.team.commands": {
        "add-moderator": "Add a moderator, and print a one-time password link (or read the password from standard input).",
        "set-password": "Print a new one-time password link (or read the new password from standard input).",
        "remove-moderator": "Remove a moderator and end their sessions; their decisions stay.",
        "reset-second-factor": "End a moderator's second factor and recovery codes, if both are lost; the password stays.",
        "add-token": "Print a new bearer token, once.",
        "list-tokens": "Print one line for each valid token of a program: its id, site, scopes, last use and name.",
        "revoke-token": "End a token, and with --undo-since what it has taught.",
    },
    "moderation.learning.commands": {
        "retrain": "Train on moderators' decisions; a new model goes live only if it is no worse.",
        "roll-back": "Return to the previous model.",
        "read-along": "Show, start, stop or promote a model that reads along beside the serving one.",
    },
    "moderation.outbox.commands": {
        "add-webhook": "Send events to an address, and print the secret that signs the messages, once.",
        "list-webhooks": "Print one JSON object for each endpoint: its id, its events, waiting and failed messages.",
        "remove-webhook": "Remove an endpoint by its id, with its waiting messages.",
        "retry-outbox": "Retry failed messages of the outbox, and print their number.",
        "test-mail": "Send one mail now, and print the result.",
    },
    "moderation.dialects.commands": {
        "add-coral-secret": "Read a signing secret of Coral's from standard input, store it encrypted, and print its id.",
        "remove-coral-secret": "Remove a signing secret of Coral's by its id.",
        "record-perspective": "Pass Perspective's calls on to UPSTREAM, and record texts and scores for calibrate-thresholds.",
        "calibrate-thresholds": "Carry another service's thresholds over: compare its scores with ours, report, and store the scale of a key.",
        "forget-thresholds": "End the scales of a key: its scores are our own again.",
    },
    "moderation.privacy.commands": {
        "export-person": "Print all data held on one email address, as JSON.",
        "erase-person": "Erase all data held on one email address.",
        "purge": "Delete data past its retention period, as the running service does every hour; print the amounts.",
    },
    "moderation.transfer.commands": {
        "import": "Import another system's export, or one of leave-a-reply; can be repeated without duplicates.",
        "export": "Export all data of a site as JSON Lines, or as WXR for WordPress.",
        "merge-articles": "Move all comments of one article to another, which may be new, and remove the first one. This cannot be undone.",
        "move-article": "Give an article another key, as after a change of its page's address. Comments, threads and decisions come along.",
    },
    "moderation.transfer.commands_backup": {
        "backup": "Write database, models and secret key to one file, beside a running service; with --every or --keep to a folder.",
        "restore": "Restore a backup into an empty database, without sessions, one-time links and recovery codes.",
    },
    "moderation.transfer.commands_database": {
        "migrate": "Apply the database's missing migrations, as every start does; with --dry-run only say which.",
        "move-database": "Copy the whole database into another, empty one, SQLite or PostgreSQL, and compare both row by row.",
    },
}
"""Module → command → first line of its help. With this index, `--help` and `serve` import no other command: a module is
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
        """The commands, grouped by slice."""
        for title, modules in groupby(COMMANDS, title_of):
            with formatter.section(title):
                formatter.write_dl([line for module in modules for line in COMMANDS[module].items()])


@cache
def commands_of(module: str) -> dict[str, Any]:
    """The commands of one module, imported now."""
    from moderation.cli import typer_commands  # imported here: it imports the database, which `--help` does not need

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
    add_completion=True,
    context_settings={"help_option_names": ["--help", "-h"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@program.callback()
def options(version: Annotated[bool, typer.Option("--version", callback=show_version, is_eager=True)] = False) -> None:
    """Receives comments, judges them, lets moderators decide, and learns from the decisions."""


def main(argv: list[str] | None = None) -> int:
    """Runs the program. Returns the exit status."""
    try:
        typer.main.get_command(program).main(argv, prog_name="moderation")
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
