"""Records as JSON documents, field by field."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from typing import Any

from moderation.core.times import iso


def document(record: Any, without: Collection[str] = ()) -> dict[str, Any]:
    """Every field of a dataclass but those named; a time (`…_at`, Unix milliseconds) in ISO 8601."""
    return {
        field.name: iso(value) if field.name.endswith("_at") else value
        for field in fields(record)
        if field.name not in without
        for value in (getattr(record, field.name),)
    }
