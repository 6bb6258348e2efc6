"""Places of imported comments in their threads: below their parents, also where a parent comes with a later file."""

from __future__ import annotations

from moderation.comments import store as comments
from moderation.comments.model import below
from moderation.db.database import Database
from moderation.sites import store as sites
from moderation.transfer import store as imports


async def reunite(database: Database, site: str, source: str) -> None:
    """Moves replies that arrived before their parents below them, with their subtrees."""
    async with database.reading() as session:
        articles = await imports.reunited(session, site, source)
    for article in articles:
        async with database.transaction() as tx:
            waiting = await imports.parents(tx, site, source, article)
            rows = await comments.places(tx, site, article)
            here = {id for id, _, _ in rows}
            parents = {id: p if (p := waiting.get(id, parent)) in here else None for id, parent, _ in rows}
            paths = tree(parents, {})
            moved = [(id, *paths[id]) for id, parent, path in rows if paths[id] != (parent, path)]
            await comments.replace(tx, site, moved)
            await imports.settle(tx, site, source, waiting)
            await sites.touch(tx, site, [article])


def tree(parents: dict[str, str | None], paths: dict[str, str]) -> dict[str, tuple[str | None, str]]:
    """id → (parent, path). Deeper levels are attached to the deepest allowed one; members of a cycle are at the top."""
    placed = dict[str, tuple[str | None, str]]()
    for id in parents:
        chain, at, seen = list[str](), id, set[str]()
        while at in parents and at not in placed and at not in seen:
            chain.append(at)
            seen.add(at)
            at = parents[at] or ""
        above = placed[at][1] if at in placed else paths.get(at, "")
        for below_it in reversed(chain):
            placed[below_it] = below(below_it, above) if above else (None, below_it)
            above = placed[below_it][1]
    return placed
