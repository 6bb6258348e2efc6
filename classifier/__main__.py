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
        "score": "Score comments: JSON lines in, JSON lines out.",
        "explain": "Explain one text (a file or standard input): each label's score with its words and features.",
        "list": "List the versions in a model folder, with the current one marked.",
        "roll-back": "Return to the previous version, of one site with --site, else of the base.",
    },
    "classifier.training.commands": {
        "train": "Train a candidate base from corpora; with --decisions, a site's correction, live only if it is better.",
        "fit-author": "Fit how names and websites are read, and write the current base with it as a new version.",
        "train-reader": "Train a second reader for the current base, and write both as a new version. Needs requirements-train.lock.",
        "compare": "Compare a candidate with the current version on later decisions: better, same or worse, with an interval.",
        "promote": "Make a candidate live, unless `compare` calls it worse than the current version.",
        "thresholds": "Compute thresholds from an error budget; with too few decisions: hold, and the number still needed.",
    },
    "classifier.evaluation.commands": {
        "evaluate": "Evaluate a version on unseen data, as Markdown on standard output. Available in a checkout only.",
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
