"""Waves as rows of the queue."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from moderation.comments import store as comments
from moderation.duplicates import duplicates
from moderation.queue import decide as queue
from moderation.queue.store import View
from moderation.services import Services
from moderation.team.model import Principal


async def folded(services: Services, principal: Principal, view: View) -> tuple[list[dict[str, Any]], str | None]:
    """A page of the queue with similar pending comments folded into the row of the first one.

    The row's `wave` holds all of them with their revisions, so a decision on the row covers all. Later pages show the rest of a
    wave as a row again, so no comment is skipped.
    """
    shown: list[dict[str, Any]] = []
    inside = set[str]()
    wanted = view.limit
    while True:
        view = replace(view, limit=wanted - len(shown), without=tuple(sorted(inside)))
        page, following = await queue.waiting(services.database, principal, view, services.clock())
        if view.status != "pending":
            return await queue.explained(services.scorer, page), following
        async with services.database.reading() as session:
            known = await comments.find(session, [c["id"] for c in page]) if page else {}
        for row in page:
            if row["id"] in inside or row["id"] not in known:
                continue
            near = await duplicates.waiting_with(services.database, known[row["id"]], queue.MOST - 1)
            near = [c for c in near if c.id not in inside]
            inside.add(row["id"])
            if len(near) + 1 >= duplicates.WAVE:
                inside |= {c.id for c in near}
                revisions = {row["id"]: row["revision"]} | {c.id: c.revision for c in near}
                row |= {"wave": revisions}
            shown.append(row)
        if following is None or len(shown) >= wanted:
            return await queue.explained(services.scorer, shown), following
        view = replace(view, after=queue.after_cursor(following))


def packed(wave: dict[str, int]) -> str:
    """A wave as one field of a form, since it can have more comments than a form can have fields."""
    return " ".join(f"{id}:{revision}" for id, revision in wave.items())


def unpacked(ids: list[str], typed: dict[str, str]) -> dict[str, int]:
    """Id → revision of all comments in the waves of these rows."""
    told = " ".join(typed.get(f"wave-{id}", "") for id in ids).split()
    pairs = (one.partition(":") for one in told)
    return {id: int(said) for id, _, said in pairs if said.isascii() and said.isdigit() and len(said) < 15}
