"""The texts of the form and the embed: one JSON file for each language, with English for missing texts."""

from __future__ import annotations

import re
from pathlib import Path

from moderation.core.problem import FieldError, Problem
from moderation.text.words import DEFAULT as DEFAULT
from moderation.text.words import Texts, languages_in

FOLDER = Path(__file__).parent / "texts"


def languages() -> dict[str, dict[str, str]]:
    """Language tag → its texts."""
    return languages_in(FOLDER)


def nearest(tag: str) -> str | None:
    """The available language for a requested one: `de-AT` → `de` (RFC 4647, 3.4), `zh`, `zh-CN` and `zh_CN` → `zh-Hans`."""
    ours = {name.lower(): name for name in languages()}
    parts = tag.strip().lower().replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        if (name := "-".join(parts[:length])) in ours:
            return ours[name]
    return next((name for lower, name in ours.items() if lower.split("-")[0] == parts[0]), None)


def wanted(accept: str) -> list[str]:
    """The tags of an Accept-Language header, best first (RFC 9110, 12.5.4)."""
    found = []
    for entry in accept[:500].split(","):
        tag, _, weight = entry.partition(";")
        number = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight)
        quality = float(number[1]) if number else 0.0 if weight else 1.0
        if tag.strip() and quality > 0:
            found.append((-quality, tag.strip()))
    return [tag for _, tag in sorted(found, key=lambda pair: pair[0])]


class Words(Texts):
    """One language's texts, for templates."""

    def __init__(self, lang: str = DEFAULT) -> None:
        super().__init__(languages(), lang)

    @classmethod
    def for_reader(cls, accept: str) -> Words:
        return cls(next(filter(None, map(nearest, wanted(accept))), DEFAULT))

    def told(self, problem: Problem) -> dict[str, str]:
        """Field → its error; errors of the whole form have the empty name."""
        if problem.errors:
            return {error.field: self.wrong(error) for error in problem.errors}
        key = f"problem.{problem.code}"
        said = self.say(key, n=problem.headers.get("Retry-After", "")) if key in self._texts else problem.detail
        return {"": said}

    def wrong(self, error: FieldError) -> str:
        """A field's error; in the intake's words if the language has no text for it."""
        for key in (f"error.{error.field}.{error.code}", f"error.{error.code}"):
            if key in self._texts and "bytes" not in error.message:
                number = re.search(r"\d+", error.message)
                return self.say(key, n=number[0] if number else "")
        return error.message
