"""Fields of JSON rows of other systems: texts, ids, times and truth in each of the forms that their databases write."""

from __future__ import annotations

import re
from typing import Any

from moderation.core.times import moment

_ZONE = re.compile(r"\s*([+-]\d\d):?(\d\d)(?:\s+[A-Za-z+-]\w*)?\Z")
SECONDS_UNTIL = 100_000_000_000
"""Numbers below are seconds since 1970, others milliseconds."""


def text(row: Any, *names: str) -> str:
    """The first of these fields that is a text with something in it."""
    return next(
        (value for name in names if isinstance(row, dict) and isinstance(value := row.get(name), str) and value), ""
    )


def id_of(row: Any, *names: str) -> str:
    """The first of these fields that is an id: a text, a number, or MongoDB's `{"$oid": …}`. 0 is none."""
    for name in names:
        value = row.get(name) if isinstance(row, dict) else None
        value = value.get("$oid") if isinstance(value, dict) else value
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip("0 "):
            return str(value).strip()
    return ""


def is_true(row: Any, name: str) -> bool:
    value = row.get(name) if isinstance(row, dict) else None
    return value is True or value == 1 or (isinstance(value, str) and value.strip().lower() in ("true", "1", "yes"))


def time_of(row: Any, *names: str) -> int | None:
    """Unix milliseconds of the first of these fields that is a time."""
    for name in names:
        value = row.get(name) if isinstance(row, dict) else None
        while isinstance(value, dict):  # of MongoDB and LeanCloud
            value = next((value[key] for key in ("$date", "$numberLong", "iso", "date") if key in value), None)
        if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) > 8:
            value = int(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e15:
            return int(value * 1000 if value < SECONDS_UNTIL else value)
        if isinstance(value, str) and (at := moment(_ZONE.sub(r"\1:\2", value.strip()))):
            return at
    return None
