"""Texts of pages and mails: one JSON file for each language in a slice's folder `texts`, with English for missing texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from moderation.text import locales

DEFAULT = "en"


@cache
def languages_in(folder: Path) -> dict[str, dict[str, str]]:
    """Language tag → its texts."""
    return {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.json"))}


class Texts:
    """One language's texts: `say("reply_to", name="Ann")`."""

    def __init__(self, languages: Mapping[str, Mapping[str, str]], lang: str = DEFAULT) -> None:
        self.lang = lang
        self._texts = {**languages[DEFAULT], **languages[lang]}
        self.dir = self._texts.get("dir", "ltr")

    def say(self, key: str, **values: Any) -> str:
        return re.sub(r"\{(\w+)\}", lambda name: str(values.get(name[1], name[0])), self._texts[key])

    def parts(self, key: str) -> list[str]:
        """A text's parts around its placeholder, for a page with an element there."""
        return re.split(r"\{\w+\}", self._texts[key])

    def many(self, key: str, n: int, **values: Any) -> str:
        """A counted text. `KEY.zero` speaks of none where a language has it, as in the embed; else CLDR's form for `n`."""
        forms = ["zero"] * (n == 0) + [locales.plural_category(self.lang, n), "other"]
        return self.say(next(f"{key}.{form}" for form in forms if f"{key}.{form}" in self._texts), n=n, **values)
