"""The scales of keys: how another service's scores follow from ours, point by point, for each attribute."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from moderation.db.database import Session
from moderation.db.tables import Table

KEY_THRESHOLDS = Table(
    name="key_thresholds",
    columns=("site", "token", "attribute", "points", "model", "pairs", "created_at"),
    key=3,
)
TABLES = (KEY_THRESHOLDS,)
SITES = "site IN (SELECT '*' UNION ALL SELECT site FROM sites)"

Points = Sequence[tuple[float, float]]
"""Our probability and the other service's score, both rising."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyScale:
    """`token` is the key's public id; `model` the version whose probabilities were compared."""

    site: str
    token: str
    attribute: str
    points: Points
    model: str
    pairs: int
    created_at: int


async def put(tx: Session, scale: KeyScale) -> None:
    """Stores a key's scale of one attribute, in place of an earlier one."""
    where = (scale.site, scale.token, scale.attribute)
    await tx.execute("DELETE FROM key_thresholds WHERE site = ? AND token = ? AND attribute = ?", *where)
    points = json.dumps([[round(x, 6), round(y, 6)] for x, y in scale.points], separators=(",", ":"))
    await tx.execute(KEY_THRESHOLDS.insert, *where, points, scale.model, scale.pairs, scale.created_at)


async def points_of(session: Session, token: str) -> dict[str, Points]:
    """Attribute → points, for a key's public id."""
    rows = await session.fetch(f"SELECT attribute, points FROM key_thresholds WHERE {SITES} AND token = ?", token)
    return {row[0]: [(x, y) for x, y in json.loads(row[1])] for row in rows}


async def remove(tx: Session, token: str) -> int:
    """Ends all scales of a key; returns how many there were."""
    return await tx.execute(f"DELETE FROM key_thresholds WHERE {SITES} AND token = ?", token)
