"""The keys of comments, and comments with common keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from moderation.comments.model import Comment
from moderation.comments.store import COMMENT, comment_of
from moderation.core.ids import EVERYWHERE
from moderation.db.database import Session, placeholders
from moderation.db.tables import Table

KEYS = Table(name="duplicate_keys", columns=("site", "id", "key"), key=3)
TABLES = (KEYS,)
PAGE = 500
"""Comments whose keys are read at once."""


async def keep(tx: Session, rows: Iterable[tuple[str, str, Sequence[int]]]) -> None:
    """Stores (site, id, keys) of comments."""
    await tx.execute_many(
        f"{KEYS.insert} ON CONFLICT DO NOTHING",
        [(site, id, key) for site, id, keys in rows for key in dict.fromkeys(keys)],
    )


async def drop(tx: Session, site: str, id: str) -> None:
    await tx.execute("DELETE FROM duplicate_keys WHERE site = ? AND id = ?", site, id)


async def keys_of(session: Session, site: str, ids: Sequence[str]) -> dict[str, list[int]]:
    """Comment id → its keys, for those that have any. `site`: one, or EVERYWHERE."""
    found: dict[str, list[int]] = {}
    where, args = ("site IN (SELECT site FROM sites)", ()) if site == EVERYWHERE else ("site = ?", (site,))
    for low in range(0, len(ids), PAGE):
        page = ids[low : low + PAGE]
        rows = await session.fetch(
            f"SELECT id, key FROM duplicate_keys WHERE {where} AND id IN ({placeholders(len(page))})", *args, *page
        )
        for id, key in rows:
            found.setdefault(id, []).append(key)
    return found


async def sharing(session: Session, site: str, keys: Sequence[int], limit: int, status: str = "") -> list[Comment]:
    """Comments with common keys, those with the most first; of one status or all."""
    if not keys:
        return []
    only, args = ("AND c.status = ? ", (status,)) if status else ("", ())
    rows = await session.fetch(
        f"SELECT {COMMENT} FROM comments c JOIN (SELECT a.id AS duplicate, count(*) AS shared FROM duplicate_keys a JOIN comments c ON "
        f"c.site = a.site AND c.id = a.id WHERE a.site = ? AND a.key IN ({placeholders(len(keys))}) {only}GROUP BY a.id "
        "ORDER BY count(*) DESC, a.id DESC LIMIT ?) m ON m.duplicate = c.id WHERE c.site = ? ORDER BY m.shared DESC, c.id DESC",
        *(site, *keys, *args, limit, site),
    )
    return [comment_of(row) for row in rows]


async def without_keys(session: Session, site: str, ids: Sequence[str]) -> set[str]:
    rows = await session.fetch(
        f"SELECT DISTINCT id FROM duplicate_keys WHERE site = ? AND id IN ({placeholders(len(ids))})", site, *ids
    )
    return set(ids) - {row[0] for row in rows}


async def waiting_after(session: Session, site: str, after: str, limit: int) -> list[str]:
    rows = await session.fetch(
        "SELECT c.id FROM comments c WHERE c.site = ? AND c.status = 'pending' AND c.id > ? ORDER BY c.id LIMIT ?",
        *(site, after, limit),
    )
    return [row[0] for row in rows]


async def keyless(session: Session, site: str, limit: int) -> list[Comment]:
    """The newest comments without keys: published at once without a link, imported, or older than keys."""
    rows = await session.fetch(
        f"SELECT {COMMENT} FROM comments c WHERE c.site = ? AND NOT EXISTS (SELECT 1 FROM duplicate_keys a WHERE a.site = c.site "
        "AND a.id = c.id) ORDER BY c.id DESC LIMIT ?",
        *(site, limit),
    )
    return [comment_of(row) for row in rows]


async def filed(session: Session, site: str, keys: Sequence[int], since: str, limit: int) -> list[tuple[Comment, str]]:
    """Comments filed as spam by moderators since the decision `since` and unchanged after it, with the decision's id."""
    if not keys:
        return []
    rows = await session.fetch(
        f"SELECT {COMMENT}, d.id FROM duplicate_keys a JOIN comments c ON c.site = a.site AND c.id = a.id AND c.status = 'spam' JOIN "
        "decisions d ON d.site = c.site AND d.submission = c.id AND d.id > ? AND d.action = 'spam' AND d.undone_at IS NULL "
        f"AND d.after_revision = c.revision WHERE a.site = ? AND a.key IN ({placeholders(len(keys))}) LIMIT ?",
        *(since, site, *keys, limit),
    )
    return [(comment_of(row), row[-1]) for row in rows]


async def watch(tx: Session, site: str, until: int) -> None:
    """Sets the time until which new comments are compared with filed waves."""
    await tx.execute(
        "UPDATE sites SET duplicates_watched_until = ? WHERE site = ? AND duplicates_watched_until < ?",
        until,
        site,
        until,
    )
