"""Training state: whether a site's live model read its examples before an erasure, and so still contains them."""

from __future__ import annotations

from moderation.core.ids import new_id
from moderation.db.database import Session
from moderation.db.tables import Table

TABLES = (
    Table(name="training_state", columns=("site", "examples_read_at"), key=1),
    Table(name="erased_examples", columns=("site", "id", "erased_at", "examples")),
)


async def promoted(tx: Session, site: str, at: int) -> None:
    """Records that a correction with examples of the time `at` went live."""
    await tx.execute(
        "INSERT INTO training_state (site, examples_read_at) VALUES (?, ?) ON CONFLICT (site) DO UPDATE SET examples_read_at = excluded.examples_read_at",
        site,
        at,
    )


async def rolled_back(tx: Session, site: str, version: str | None) -> None:
    """Records a roll-back, to an earlier correction, which can be older than an erasure, or to the bare base, which cannot."""
    if version is None:
        await tx.execute("DELETE FROM training_state WHERE site = ?", site)
        return
    await promoted(tx, site, await read_at(tx, site, version))


async def read_at(session: Session, site: str, version: str) -> int:
    """The time at which a correction read its examples; 0 if unknown."""
    row = await session.fetch_one(
        "SELECT min(at) FROM audit WHERE site = ? AND action IN ('model:promote', 'model:candidate') AND subject = ?",
        *(site, version),
    )
    return int(row[0] or 0) if row else 0


async def erased(tx: Session, site: str, examples: int, at: int) -> None:
    await tx.execute(
        "INSERT INTO erased_examples (site, id, erased_at, examples) VALUES (?, ?, ?, ?)",
        site,
        new_id(at),
        at,
        examples,
    )


async def outdated(session: Session) -> list[str]:
    """The sites with an outdated live model."""
    rows = await session.fetch(
        "SELECT t.site FROM training_state t WHERE EXISTS (SELECT 1 FROM erased_examples e WHERE e.site = t.site AND e.erased_at >= t.examples_read_at) "
        "ORDER BY t.site"
    )
    return [row[0] for row in rows]
