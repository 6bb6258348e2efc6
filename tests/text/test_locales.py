"""Plurals and dates in the reader's language."""

from __future__ import annotations

import subprocess
import sys

import pytest

from moderation.__main__ import COMMANDS
from moderation.intake.texts import Words
from moderation.text import locales


@pytest.mark.parametrize(
    ("lang", "day", "moment"),
    [
        ("en", "5 October 2024", "5 October 2024, 14:03 UTC"),
        ("zh-Hans", "2024年10月5日", "2024年10月5日 14:03 UTC"),
        ("pl", "5 października 2024", "5 października 2024 14:03 UTC"),
    ],
)
def test_dates_are_written_as_the_language_does(lang: str, day: str, moment: str) -> None:
    assert locales.written("2024-10-05", lang) == day
    assert locales.written("2024-10-05T14:03:59.999Z", lang) == moment
    assert locales.written("2024-10-05T16:03:00+02:00", lang) == moment


def test_what_is_no_date_is_refused() -> None:
    for wrong in ("", "yesterday", "2024-13-01"):
        with pytest.raises(ValueError, match=r"isoformat|month"):
            locales.written(wrong)


def test_plural_forms_are_those_of_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    assert locales.plural_categories("en") == {"one", "other"} and locales.plural_categories("zh-Hans") == {"other"}
    assert [locales.plural_category("pl", n) for n in (1, 3, 5, 22)] == ["one", "few", "many", "few"]
    english, chinese, polish = Words(), Words("zh-Hans"), Words()
    assert [english.many("comments", n) for n in (0, 1, 2)] == ["No Comments", "1 Comment", "2 Comments"]
    assert chinese.many("comments", 0) == "暂无评论" and chinese.many("comments", 1) == "1 条评论"
    polish.lang, polish._texts = "pl", {"c.one": "{n} głos", "c.few": "{n} głosy", "c.other": "{n} głosów"}
    assert [polish.many("c", n) for n in (0, 1, 2, 5)] == ["0 głosów", "1 głos", "2 głosy", "5 głosów"]


def test_commands_do_without_babel() -> None:
    said = (
        "import sys; from moderation.__main__ import COMMANDS, commands_of\n"
        "print(sum(len(commands_of(module)) for module in COMMANDS), 'babel' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(sum(map(len, COMMANDS.values()))), "False"]
