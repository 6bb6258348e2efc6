"""Moderators' saved filters: one's own, under `*`, and those of a site's team, which have no owner."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from moderation.core.ids import EVERYWHERE
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed

FILTERS = Table(
    name="saved_filters", columns=("site", "id", "owner", "name", "filters", "about", "created_at"), holds_text=True
)
TABLES = (FILTERS,)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFilter:
    """filters: a document of `filters.canonical`; about: the key of the author that it names."""

    site: str
    id: str
    owner: str
    name: str
    filters: dict[str, str]
    about: str
    created_at: int


filter_of = reader(SavedFilter, FILTERS.columns, filters=json.loads)


async def add(tx: Session, made: SavedFilter) -> None:
    await tx.execute(
        FILTERS.insert,
        *(made.site, made.id, made.owner, made.name, json.dumps(made.filters), made.about, made.created_at),
    )


async def of(session: Session, site: str, owner: str) -> list[SavedFilter]:
    """A moderator's own, and those of the team of a site; of all teams, if the site is `*`. Oldest first."""
    rows = await session.fetch(
        f"SELECT {listed(FILTERS.columns)} FROM saved_filters WHERE site = ? AND owner IN ('', ?)", EVERYWHERE, owner
    )
    where, args = ("site IN (SELECT site FROM sites)", ()) if site == EVERYWHERE else ("site = ?", (site,))
    rows += await session.fetch(
        f"SELECT {listed(FILTERS.columns)} FROM saved_filters WHERE {where} AND owner = ''", *args
    )
    return sorted(map(filter_of, rows), key=lambda one: one.id)


async def rename(tx: Session, saved: SavedFilter, name: str) -> None:
    await tx.execute("UPDATE saved_filters SET name = ? WHERE site = ? AND id = ?", name, saved.site, saved.id)


async def remove(tx: Session, saved: SavedFilter) -> None:
    await tx.execute("DELETE FROM saved_filters WHERE site = ? AND id = ?", saved.site, saved.id)


async def about(session: Session, sites: Iterable[str], author_key: str) -> list[SavedFilter]:
    """Those that name a person, as long as an address or a comment of theirs does."""
    wanted = list(sites)
    rows = await session.fetch(
        f"SELECT {listed(FILTERS.columns)} FROM saved_filters WHERE site IN ({placeholders(len(wanted))}) AND about <> '' AND about = ?",
        *(*wanted, author_key),
    )
    return [filter_of(row) for row in rows]
