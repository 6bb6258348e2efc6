"""Near-duplicates, for moderators: of one comment by the API, and a wave as one row of the queue."""

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
    """A page of the queue where all that wait and are alike stand in the row of the first of them.

    Its `wave` has every one of them with its revision: a decision on the row is one on all. A page further on shows those
    of the same wave as a row again; nothing is passed over that no row stands for.
    """
    shown: list[dict[str, Any]] = []
    inside = set[str]()
    wanted = view.limit
    while True:
        view = replace(view, limit=wanted - len(shown), without=tuple(sorted(inside)))
        page, following = await queue.waiting(services.database, principal, view)
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
    """As one field of a form: a wave may have more than a form has fields."""
    return " ".join(f"{id}:{revision}" for id, revision in wave.items())


def unpacked(ids: list[str], typed: dict[str, str]) -> dict[str, int]:
    """The revisions of those that are decided with these: of each row that is a wave, all of it."""
    told = " ".join(typed.get(f"wave-{id}", "") for id in ids).split()
    pairs = (one.partition(":") for one in told)
    return {id: int(said) for id, _, said in pairs if said.isascii() and said.isdigit() and len(said) < 15}
