"""Site settings as a command line assigns them: `name=value` → values as in JSON."""

from __future__ import annotations

import re
from typing import Any

from moderation.core.problem import FieldError, Invalid
from moderation.core.signing import Signer
from moderation.sites.site_settings import DEFAULTS, SiteSettings, without_address


def parsed(assignments: list[str], settings: SiteSettings, signer: Signer) -> dict[str, Any]:
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
                name, match[2] or "", match[3].strip(), found.get(name) or getattr(settings, name), signer
            )
        except ValueError as error:
            wrong.append(FieldError(name, "invalid", str(error)))
    if wrong:
        raise Invalid(*wrong)
    return found


def value_of(name: str, how: str, text: str, current: Any, signer: Signer) -> Any:
    """`how` is `+`, `-` or empty. Raises ValueError."""
    default = DEFAULTS[name]
    if name == "disallowed_until" and text != "default":
        raise ValueError("is set by blocking, or by the API; here only `default` can be given")
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
    """The number, or the text itself if it is none: the check then names the requirement."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
