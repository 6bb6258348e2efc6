"""Times: Unix milliseconds inside, RFC 3339 outside."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LEEWAY = 60_000
"""Milliseconds by which two clocks of one service may differ. A later time was written before the clock was set back: its
age is unknown, so it counts as long past and delays nothing."""


def iso(at: int | None) -> str | None:
    """RFC 3339 in UTC, to the millisecond."""
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: object) -> int | None:
    """Unix milliseconds of a date in ISO 8601, SQL or RFC 822 form; UTC if it names no zone."""
    if not isinstance(text, str) or not 8 <= len(text) <= 40 or text.startswith("0000"):
        return None
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            when = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        at = int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
        iso(at)  # an offset may lead outside the years that `iso` can write
        return at
    except (ValueError, OverflowError):
        return None
