"""`python -m classifier COMMAND`: every command takes files and leaves files. It finds the command that is named, and calls it.

Standard output has what a script needs; progress and errors go to standard error, with exit status 1; wrong usage is exit
status 2.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS: dict[str, dict[str, str]] = {
    "classifier.commands": {
        "score": "JSON lines in, JSON lines out.",
        "explain": "One text (a file or standard input): each label's score, and the words and features behind it.",
        "list": "The versions in a model folder, the current one marked.",
        "roll-back": "Back to the version before: of one site with --site, else of the base.",
    },
    "classifier.training.commands": {
        "train": "Corpora in, a candidate version out; with --decisions, a site's correction, live only if it is better.",
        "compare": "Candidate against current on the same unseen, later decisions: better, same or worse, with an interval.",
        "promote": "A candidate goes live, if `compare` does not call it worse than the current version.",
        "thresholds": "Where the model may reject or publish alone, so that a promise holds; else: hold, and how many decisions lack.",
    },
    "classifier.evaluation.commands": {
        "evaluate": "A version on data it never saw, every figure in one go: Markdown on standard output. In the checkout only.",
    },
}
"""Where each command stands, and its first line. This index lets `--help` and `score` import neither training nor evaluation: a
module is imported when one of its commands is called. A test holds it equal to each module's `commands`."""


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
        """Grouped by what they are for: `Training` for classifier.training.commands."""
        for module, lines in COMMANDS.items():
            with formatter.section(module.split(".")[-2].capitalize()):
                formatter.write_dl(list(lines.items()))


def commands_of(module: str) -> dict[str, Any]:
    """The commands of one module, imported now."""
    from classifier.cli import typer_commands  # here, since it brings numpy along, which `--help` does not need

    try:
        return typer_commands(import_module(module).commands)
    except ModuleNotFoundError as error:
        if not error.name or not module.startswith(error.name):
            raise
        print(f"this command is one of the checkout: the installed package has no {error.name}", file=sys.stderr)
        raise typer.Exit(1) from None


program = typer.Typer(
    cls=Program,
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@program.callback()
def options() -> None:
    """Scores texts, explains the scores, and makes, compares and promotes the models that do it."""


def main(argv: list[str] | None = None) -> int:
    """The exit status."""
    try:
        typer.main.get_command(program).main(argv, prog_name="python -m classifier")
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
