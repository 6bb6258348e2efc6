"""Progress on standard error: how much is done, and how much time is left."""

from __future__ import annotations

import pytest

from moderation import cli
from moderation.__main__ import COMMANDS, commands_of, main
from moderation.cli import Progress, in_words


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min"), (3540, "59 min"), (7500, "2 h 5 min")]
)
def test_time_in_words(seconds: float, said: str) -> None:
    assert in_words(seconds) == said


def test_the_time_left_follows_from_the_part_that_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(cli.time, "monotonic", lambda: now)
    progress = Progress()
    assert progress.part(None) == ""
    assert progress.part(0.5) == "50%, ", "too early to tell"
    now += 60
    assert progress.part(0.25) == "25%, 3 min left, "
    assert progress.part(1.0) == "100%, 0 s left, "
    assert progress.part(0.0) == "0%, "


def test_off_a_terminal_a_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr(cli.time, "monotonic", lambda: now)
    progress = Progress()
    for _ in range(25):
        now += 1
        progress.show(lambda: "rows", 0.5)
    progress.end()
    assert capsys.readouterr() == ("", "50%, 10 s left, rows\n50%, 20 s left, rows\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_MODERATION_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "moderation remove-s")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("COMP_WORDS", "moderation remove-s")
    monkeypatch.setenv("COMP_CWORD", "1")
    main([])
    assert "remove-site" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["add-site", "add-token", "list-tokens", "remove-site", "set-password", "check"])
def test_a_result_can_be_had_as_json(name: str) -> None:
    command = next(commands_of(module)[name] for module, names in COMMANDS.items() if name in names)
    assert "[--json]" in command.collect_usage_pieces(None)
