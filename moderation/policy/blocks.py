"""The blocks of a site as a list: what is blocked, by whom, why and until when; lifted by a person, or over by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any, Literal

from moderation.comments import store as comments
from moderation.comments import store_authors as authors
from moderation.core.problem import Forbidden, NotFound
from moderation.core.times import iso, moment
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.policy import settings_history
from moderation.policy import store_blocks as blocks
from moderation.policy.store_blocks import Block
from moderation.sites import store as sites
from moderation.sites.model import DAY, Site
from moderation.team.model import Principal
from moderation.text.wordlist import ADDRESS, AUTHOR, DOMAIN

Lasts = Literal["good", "day", "week", "month"]
DAYS = {"day": 1, "week": 7, "month": 30}
"""How long a block lasts → its days; `good` has no end."""
LONGEST = 200
"""Characters of a reason."""
SHOWN_OVER = 50
"""Blocks that are over, on the list."""
KEPT_OVER = 30 * DAY
"""For this time the list says of a block that it is over."""

Kind = Literal["author", "network", "domain", "word"]


def until_of(lasts: str, now: int) -> str | None:
    """The end of a block that begins now, in RFC 3339; None without an end."""
    return iso(now + DAYS[lasts] * DAY) if lasts in DAYS else None


def kind_of(entry: str) -> Kind:
    """What an entry of a list blocks."""
    if entry.startswith(AUTHOR):
        return "author"
    if entry.startswith(ADDRESS):
        return "network"
    try:
        ip_network(entry, strict=False)
    except ValueError:
        return "domain" if DOMAIN.fullmatch(entry.casefold().removeprefix("@")) else "word"
    return "network"


async def listed(session: Session, site: Site, now: int, start: int, limit: int) -> list[dict[str, Any]]:
    """The standing blocks, the latest first, from the one at `start`."""
    entries = site.settings.disallowed[::-1][start : start + limit]
    known = await blocks.of(session, site.key, entries)
    return await _documents(session, site, [(entry, known.get(entry)) for entry in entries], now)


async def listed_over(session: Session, site: Site, now: int) -> list[dict[str, Any]]:
    """The latest that are over and off the list."""
    return await _documents(
        session, site, [(b.entry, b) for b in await blocks.over(session, site.key, SHOWN_OVER)], now
    )


async def of_entries(session: Session, site: Site, entries: list[str], now: int) -> list[dict[str, Any]]:
    """Those of the entries that are on the list."""
    standing = set(site.settings.disallowed)
    entries = [entry for entry in entries if entry in standing]
    known = await blocks.of(session, site.key, entries)
    return await _documents(session, site, [(entry, known.get(entry)) for entry in entries], now)


async def _documents(
    session: Session, site: Site, some: list[tuple[str, Block | None]], now: int
) -> list[dict[str, Any]]:
    """For moderators. An author and a network are keys that nobody can read: of these the newest comment is named, if any is left;
    of the others the one that they were blocked from."""
    people = await authors.newest(session, site.key, _keys(some, AUTHOR))
    places = await authors.newest(session, site.key, _keys(some, ADDRESS), by="network_key")
    origins = [block.comment for _, block in some if block and block.comment]
    left = await comments.of_site(session, site.key, origins) if origins else {}
    found = []
    for entry, block in some:
        kind, until = kind_of(entry), site.settings.disallowed_until.get(entry)
        is_key = entry.startswith((AUTHOR, ADDRESS))
        latest = people.get(entry.removeprefix(AUTHOR)) or places.get(entry.removeprefix(ADDRESS)) if is_key else None
        ended_at = block.ended_at if block else None
        found.append(
            {
                "entry": entry,
                "kind": kind,
                "value": None if is_key else entry,
                "name": latest.name if latest and kind == "author" else None,
                "email": latest.email if latest and kind == "author" else None,
                "comment": latest.id if latest else block.comment if block and block.comment in left else None,
                "reason": block.reason if block else "",
                "moderator": block.moderator if block else None,
                "created_at": iso(block.created_at) if block else None,
                "until": iso(ended_at) or until,
                "over": ended_at is not None or (until is not None and (moment(until) or 0) <= now),
                "from_comment": block is not None and block.comment is not None,
            }
        )
    return found


def _keys(some: list[tuple[str, Block | None]], prefix: str) -> list[str]:
    return [entry.removeprefix(prefix) for entry, _ in some if entry.startswith(prefix)]


async def lift(tx: Session, principal: Principal, site_key: str, entry: str, now: int) -> None:
    """Takes an entry off the list. A moderator without the right to change rules lifts what was blocked from a comment. Raises
    NotFound or Forbidden; nothing changes then."""
    if not principal.sees(site_key):
        raise NotFound("There is no such site.")
    site = await settings_history.site_of(tx, site_key)
    if entry not in site.settings.disallowed:
        raise NotFound("There is no such block; somebody may have lifted it.")
    block = (await blocks.of(tx, site_key, [entry])).get(entry)
    if not principal.is_administrator and (block is None or block.comment is None):
        raise Forbidden("Only an administrator may lift what stands on the policy page.", code="role")
    after = site.settings.without({entry})
    await settings_history.put(tx, site, after, "rules:change", principal.name, now, is_block=True)
    subject = block.comment if block and block.comment else site_key
    await audit.note(
        tx, site=site_key, at=now, actor=principal.name, action=f"{kind_of(entry)}:unblock", subject=subject
    )


async def is_any_over(database: Database, clock: Callable[[], int]) -> bool:
    async with database.reading() as session:
        return any(site.settings.over(clock()) for site in (await sites.sites(session)).values())


async def end_over(database: Database, now: int) -> int:
    """Takes entries off the lists whose time is over, and notes them as over. Returns their number."""
    async with database.reading() as session:
        keys = [site.key for site in (await sites.sites(session)).values() if site.settings.over(now)]
    count = 0
    for key in keys:
        async with database.transaction() as tx:
            site = await settings_history.site_of(tx, key)
            over = site.settings.over(now)
            known = await blocks.of(tx, key, over)
            ends = {entry: moment(site.settings.disallowed_until[entry]) for entry in over}
            after = site.settings.without(over)
            await settings_history.put(tx, site, after, "rules:change", "service", now, is_block=True)
            await blocks.put(tx, [replace(block, ended_at=ends[entry]) for entry, block in known.items()])
            count += len(over)
    return count
