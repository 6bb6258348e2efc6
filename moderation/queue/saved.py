"""Saved filters: a list under a name, for oneself or for a site's team. The oldest stands first, so that a tab keeps its place."""

from __future__ import annotations

from moderation.comments import store as comments
from moderation.core.ids import EVERYWHERE, new_id
from moderation.core.problem import Conflict, FieldError, Forbidden, Invalid, NotFound
from moderation.core.signing import Signer
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.queue import store_filters as saved_filters
from moderation.queue.store_filters import SavedFilter
from moderation.queue.store_search import words
from moderation.team.model import Principal
from moderation.text.addresses import checked_email

MOST, LONGEST = 12, 40
"""The most filters of a moderator, and of a team; characters of a name."""


async def visible(session: Session, principal: Principal) -> list[SavedFilter]:
    """A moderator's own and the team's, oldest first."""
    found = await saved_filters.of(session, principal.site, principal.name)
    return [one for one in found if principal.sees(one.filters.get("site", principal.site))]


def may_change(principal: Principal, saved: SavedFilter) -> bool:
    """One's own; an administrator the team's."""
    return saved.owner == principal.name if saved.owner else principal.administers(saved.site)


async def save(
    database: Database, signer: Signer, principal: Principal, name: str, asked: dict[str, str], for_team: bool, now: int
) -> SavedFilter:
    """asked: a document of `filters.canonical`. Raises Invalid, Conflict, or Forbidden for a team that is not the principal's to
    order."""
    name = _checked(name)
    site = asked.get("site", principal.site) if for_team else EVERYWHERE
    if not principal.sees(asked.get("site", principal.site)):
        raise Forbidden("You moderate another site.", code="site")
    if for_team and not principal.administers(site):
        raise Forbidden("Only an administrator saves a filter for the team.", code="role")
    async with database.transaction() as tx:
        owner = "" if for_team else principal.name
        beside = [one for one in await visible(tx, principal) if (one.site, one.owner) == (site, owner)]
        if len(beside) >= MOST:
            raise Conflict(f"There are {MOST} already. Delete one first.", code="too_many")
        _check_free(name, beside)
        made = SavedFilter(
            site=site,
            id=new_id(now),
            owner=owner,
            name=name,
            filters=asked,
            about=await _about(tx, signer, principal, asked),
            created_at=now,
        )
        await saved_filters.add(tx, made)
        await _note(tx, principal, made, "save", now)
    return made


async def rename(database: Database, principal: Principal, id: str, name: str, now: int) -> None:
    """Raises NotFound, Forbidden or Invalid."""
    name = _checked(name)
    async with database.transaction() as tx:
        saved, every = await _changeable(tx, principal, id)
        _check_free(
            name, [one for one in every if (one.site, one.owner) == (saved.site, saved.owner) and one.id != saved.id]
        )
        await saved_filters.rename(tx, saved, name)
        await _note(tx, principal, saved, "rename", now)


async def remove(database: Database, principal: Principal, id: str, now: int) -> None:
    """Raises NotFound or Forbidden."""
    async with database.transaction() as tx:
        saved, _ = await _changeable(tx, principal, id)
        await saved_filters.remove(tx, saved)
        await _note(tx, principal, saved, "delete", now)


async def _changeable(tx: Session, principal: Principal, id: str) -> tuple[SavedFilter, list[SavedFilter]]:
    every = await saved_filters.of(tx, principal.site, principal.name)
    saved = next((one for one in every if one.id == id), None)
    if saved is None:
        raise NotFound("There is no such filter.")
    if not may_change(principal, saved):
        raise Forbidden("Only an administrator changes a filter of the team.", code="role")
    return saved, every


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST or not name.isprintable():
        raise Invalid(FieldError("name", "invalid", f"give a name of 1 to {LONGEST} characters"))
    return name


def _check_free(name: str, beside: list[SavedFilter]) -> None:
    if any(one.name.casefold() == name.casefold() for one in beside):
        raise Invalid(FieldError("name", "invalid", "another filter has this name"))


async def _about(tx: Session, signer: Signer, principal: Principal, asked: dict[str, str]) -> str:
    """The key of the author that a filter names, by a comment or an email address; else empty."""
    if id := asked.get("author"):
        comment = (await comments.find(tx, [id])).get(id)
        if comment is not None and principal.sees(comment.site):
            return (await comments.keys_of(tx, comment.site, [id]))[id][0]
    addresses = [found for word in words(asked.get("q", "")) if "@" in word and (found := checked_email(word))]
    return signer.author_key(addresses[0], "") if addresses else ""


async def _note(tx: Session, principal: Principal, saved: SavedFilter, verb: str, now: int) -> None:
    """The team's filters are in its history; one's own are nobody else's."""
    if not saved.owner:
        await audit.note(tx, site=saved.site, at=now, actor=principal.name, action=f"filter:{verb}", subject=saved.id)
