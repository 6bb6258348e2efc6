"""Changes of site settings: names and values checked, from JSON or a command line, and their summary for the audit log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from classifier.labels import LABELS
from moderation.core.problem import FieldError, Invalid
from moderation.core.signing import Signer
from moderation.sites.model import SiteSettings
from moderation.text.addresses import checked_email, checked_url
from moderation.text.wordlist import AUTHOR

DEFAULTS = asdict(SiteSettings())
CHOICES: dict[str, tuple[str, ...]] = {
    "articles": ("open", "registered"),
    "honeypot": ("hold", "spam", "off"),
    "disposable": ("off", "hold", "spam"),
}
RANGES: dict[str, tuple[int, int]] = {
    "max_body": (1, 65_525),
    "max_links": (0, 1_000),
    "form_youngest": (0, 3_600),
    "form_oldest": (1, 60 * 24 * 366),
    "close_after_days": (0, 36_500),
}
SKIPPABLE = (
    "honeypot",
    "disposable",
    "blocked-word",
    "many-links",
    "form-token",
    "label",
    "first-time",
    "stranger-with-link",
)
"""The rules that trusted authors may skip: all that hold, except `unscored`."""
ANY_NUMBER = (0, 1_000_000)
MOST, LONGEST = 10_000, 200
"""Entries of a list, and characters of an entry."""
UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def changed(rules: SiteSettings, given: Mapping[str, Any], signer: Signer) -> SiteSettings:
    """The settings with the given changes; null restores a default. Raises Invalid, naming every wrong setting."""
    wrong, found = [], dict[str, Any]()
    for name, value in given.items():
        if name not in DEFAULTS:
            shown = name if re.fullmatch("[a-z_]{1,64}", name) else "rules"
            wrong.append(FieldError(shown, "invalid", f"no such setting; there are {', '.join(DEFAULTS)}"))
            continue
        try:
            found[name] = DEFAULTS[name] if value is None else checked(name, value, signer)
        except ValueError as error:
            wrong.append(FieldError(name, "invalid", str(error)))
    if wrong:
        raise Invalid(*wrong)
    return replace(rules, **found)


def checked(name: str, value: Any, signer: Signer) -> Any:
    """The checked value. Raises ValueError with the requirement."""
    default = DEFAULTS[name]
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value
    if isinstance(default, int):
        low, high = RANGES.get(name, ANY_NUMBER)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value
    if isinstance(default, float):
        return share(value)
    if name == "privacy_url":
        return address(value)
    if isinstance(default, str):
        choices = CHOICES[name]
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value
    if isinstance(default, dict):
        if not isinstance(value, dict) or not value.keys() <= set(LABELS):
            raise ValueError(f"must give thresholds for some of {', '.join(LABELS)}")
        return {label: share(at) for label, at in value.items()}
    return entries(name, value, signer)


def address(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else None
    found = checked_url(text) if text and len(text) <= LONGEST else text
    if found is None or (text and len(found) > LONGEST):
        raise ValueError(
            f"must be an address like https://blog.example.org/privacy, at most {LONGEST} characters, or empty"
        )
    return found


def share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return float(value)


def entries(name: str, value: Any, signer: Signer) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
        raise ValueError("must be a list of texts")
    kept = tuple(dict.fromkeys(" ".join(entry.split()) for entry in value if entry.strip()))
    if name == "trust_skips":
        if not set(kept) <= set(SKIPPABLE):
            raise ValueError(f"must be some of {', '.join(SKIPPABLE)}")
        return kept
    if len(kept) > MOST:
        raise ValueError(f"has {len(kept)} entries; at most {MOST}")
    for entry in kept:
        if len(entry) > LONGEST or UNFIT.search(entry):
            raise ValueError(f"has an entry longer than {LONGEST} characters, or with a control character")
        if not entry.strip("*. "):
            raise ValueError(f"has the entry {entry!r}, which would match everything")
        if "*" in entry.strip("*").removeprefix("*."):
            raise ValueError("has an entry with * inside a word; it may stand before and after one")
    return tuple(dict.fromkeys(without_address(entry, signer) for entry in kept))


def without_address(entry: str, signer: Signer) -> str:
    """An entry with an email address replaced by the author's key, so that a list contains no readable address."""
    if "@" not in entry.strip("@") or " " in entry:
        return entry
    email = checked_email(entry)
    return AUTHOR + signer.author_key(email, "") if email else entry


def schema() -> dict[str, Any]:
    """The settings as JSON Schema, for the API's document."""
    found: dict[str, Any] = {}
    for name, default in DEFAULTS.items():
        if isinstance(default, bool):
            told: dict[str, Any] = {"type": "boolean"}
        elif isinstance(default, int):
            low, high = RANGES.get(name, ANY_NUMBER)
            told = {"type": "integer", "minimum": low, "maximum": high}
        elif isinstance(default, float):
            told = {"type": "number", "minimum": 0, "maximum": 1}
        elif name == "privacy_url":
            told = {"type": "string", "maxLength": LONGEST}
        elif isinstance(default, str):
            told = {"enum": list(CHOICES[name])}
        elif isinstance(default, dict):
            told = {"type": "object"}
        else:
            told = {"type": "array", "items": {"type": "string", "maxLength": LONGEST}, "maxItems": MOST}
        found[name] = {"anyOf": [told, {"type": "null"}], "default": default}
    return {"type": "object", "properties": found, "additionalProperties": False}


def parsed(assignments: list[str], rules: SiteSettings, signer: Signer) -> dict[str, Any]:
    """`name=value`, `name+=entry,entry`, `name-=entry` → values as in JSON. Raises Invalid, naming every wrong one.

    The value `default` restores a default. Entries are separated by commas or line ends.
    """
    wrong, found = [], dict[str, Any]()
    for assignment in assignments:
        match = re.fullmatch(r"([a-z_]+)(\+|-)?=(.*)", assignment, re.DOTALL)
        name = match[1] if match else "rules"
        if match is None or name not in DEFAULTS:
            wrong.append(FieldError(name, "invalid", f"give NAME=VALUE; the names are {', '.join(DEFAULTS)}"))
            continue
        try:
            found[name] = value_of(
                name, match[2] or "", match[3].strip(), found.get(name) or getattr(rules, name), signer
            )
        except ValueError as error:
            wrong.append(FieldError(name, "invalid", str(error)))
    if wrong:
        raise Invalid(*wrong)
    return found


def value_of(name: str, how: str, text: str, current: Any, signer: Signer) -> Any:
    default = DEFAULTS[name]
    if how and not isinstance(default, tuple):
        raise ValueError("is no list: give it with =")
    if text == "default" and not how:
        return None
    if isinstance(default, tuple):
        if "\n" in text:
            given = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        else:
            given = [entry.strip() for entry in text.split(",") if entry.strip()]
        if how == "-":
            given = [without_address(entry, signer) for entry in given]
            if unknown := sum(entry not in current for entry in given):
                raise ValueError(f"has no such entry ({unknown} of {len(given)}); show-rules lists what it has")
            return [entry for entry in current or () if entry not in given]
        return [*(current or ()), *given] if how == "+" else given
    if isinstance(default, dict):
        pairs = [pair.partition(":") for pair in text.split(",") if pair.strip()]
        return {label.strip(): number(at) for label, _, at in pairs}
    if isinstance(default, bool):
        words = {
            "true": True,
            "yes": True,
            "on": True,
            "1": True,
            "false": False,
            "no": False,
            "off": False,
            "0": False,
        }
        return words.get(text.lower(), text)
    return text if isinstance(default, str) else number(text)


def number(text: str) -> float | int | str:
    """The number, or the text itself if it is none: `checked` then names the requirement."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def is_list(name: str) -> bool:
    """Whether a setting is a list, whose entries can name people: only its length is reported."""
    return isinstance(DEFAULTS[name], tuple) and name != "trust_skips"


def differences(before: SiteSettings, after: SiteSettings) -> dict[str, list[Any]]:
    """[before, after] of each changed setting; for a list only the lengths, because its entries can name people."""
    found: dict[str, list[Any]] = {}
    for name in DEFAULTS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            found[name] = [len(old), len(new)] if is_list(name) else [old, new]
    return found
