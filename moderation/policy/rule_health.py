"""Rule health: each rule's hits, the overturned ones, and muting.

Good comments in the spam folder are easily overlooked. So a rule that files as spam is muted, which means it only holds, once
moderators approve most of its hits, or once it suddenly catches nearly everything. Each verdict reports the muting until a
moderator ends it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from moderation.comments.store import JudgedComment
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.policy import store_rule_health as rule_health
from moderation.policy.rules import counted_as
from moderation.policy.store_rule_health import Count, Key
from moderation.sites import store as sites
from moderation.sites.model import DAY, Mute, Site

LOOK_BACK = 30
"""Days over which decisions are counted."""
DECIDED, OVERTURNED = 20, 0.8
"""A rule is overturned with at least so many decided hits, and more than this share of them approved."""
WINDOW, WITHIN, EVERYTHING = 50, 3_600_000, 0.9
"""A rule catches everything with hits in more than this share of so many consecutive comments, all within an hour."""
USUAL, USUAL_DAYS = 0.5, 7
"""Exempt is a rule with at least this share of hits over so many days before: it is usual for the site."""
SPARED = DAY
"""Milliseconds for which a rule stays unmuted after a moderator has ended its muting."""
NETWORKS = 5
"""The fewest networks among the hits: otherwise one stranger could mute a rule by triggering it on purpose."""
NEVER = frozenset(("unscored", "unread", "wave"))
"""Rules that are never muted: `/health/ready` reports a missing model and a failing reader, and a wave ends with its decision's
undo."""


def fired(judged: JudgedComment) -> set[str]:
    return {counted_as(reason) for reason in judged.verdict.reasons}


async def count(tx: Session, stored: Iterable[JudgedComment]) -> None:
    """Counts a batch's hits, in the batch's transaction."""
    hits = Counter(
        (j.comment.site, rule, (j.comment.edited_at or j.comment.created_at) // DAY)
        for j in stored
        if j.verdict.reasons
        for rule in fired(j)
    )
    if hits:
        await rule_health.add(tx, {key: Count(hits=n) for key, n in hits.items()})


@asynccontextmanager
async def deciding(tx: Session, ids: Iterable[tuple[str, str]], now: int) -> AsyncIterator[None]:
    """Around a decision or its undo on (site, comment): updates the counts of decided and overturned hits.

    It compares the states before and after, so the counts are right for any change in between.
    """
    by_site: dict[str, list[str]] = {}
    for site, id in ids:
        by_site.setdefault(site, []).append(id)
    before = {site: await rule_health.outcomes(tx, site, here) for site, here in by_site.items()}
    yield
    for site, here in by_site.items():
        after = await rule_health.outcomes(tx, site, here)
        changed = {key for key in before[site].keys() | after.keys() if before[site].get(key) != after.get(key)}
        if not changed:
            continue
        moved: dict[Key, Count] = {}
        for what, keys in (await rule_health.caught_by(tx, site, {id for id, _ in changed})).items():
            if what in changed:
                was, is_ = before[site].get(what), after.get(what)
                decided, overturned = (is_ is not None) - (was is not None), bool(is_) - bool(was)
                for key in keys:
                    old = moved.get(key, Count())
                    moved[key] = Count(hits=0, decided=old.decided + decided, overturned=old.overturned + overturned)
        await rule_health.add(tx, moved)
        if any(c.overturned > 0 for c in moved.values()):
            await _mute_overturned(tx, site, {rule for _, rule, _ in moved}, now)


def mostly_overturned(count: Count) -> bool:
    return count.decided >= DECIDED and count.overturned > OVERTURNED * count.decided


async def _mute_overturned(tx: Session, key: str, rules: set[str], now: int) -> None:
    site = (await sites.sites(tx, [key]))[key]
    today = now // DAY
    counts = await rule_health.counts(tx, key, today - LOOK_BACK + 1)
    for rule in sorted(rules - NEVER - site.muted.keys()):
        ended = site.mutes[rule].ended if rule in site.mutes else None
        if ended is not None:  # decisions from before the unmuting do not count
            counts[rule] = (await rule_health.counts(tx, key, max(ended // DAY + 1, today - LOOK_BACK + 1))).get(
                rule, Count()
            )
        if mostly_overturned(counts.get(rule, Count())):
            site = await _mute(tx, site, rule, Mute(why="overturned", since=now))


async def _mute(tx: Session, site: Site, rule: str, mute: Mute) -> Site:
    mutes = dict(site.mutes) | {rule: mute}
    await rule_health.set_mutes(tx, site.key, mutes)
    await audit.note(tx, site=site.key, at=mute.since, actor="service", action="rule:mute", subject=rule, why=mute.why)
    return replace(site, mutes=mutes)


async def unmute(database: Database, site: str, rule: str, actor: str, now: int) -> bool:
    """Ends a rule's muting; False if it is not muted."""
    async with database.transaction() as tx:
        known = (await sites.sites(tx, [site])).get(site)
        if known is None or rule not in known.muted:
            return False
        old = known.mutes[rule]
        await rule_health.set_mutes(tx, site, dict(known.mutes) | {rule: Mute(why=old.why, since=old.since, ended=now)})
        await audit.note(tx, site=site, at=now, actor=actor, action="rule:unmute", subject=rule)
    return True


class Window:
    """The latest comments of each site, in memory, to detect sudden rules without a query."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[str, deque[tuple[int, str, frozenset[str]]]] = {}
        """Site → time, network and fired rules of each comment."""
        self._usual: dict[tuple[str, str], int] = {}
        """(site, rule) → the last time at which its share was found to be usual, to avoid a query for every comment."""

    async def watch(self, stored: Iterable[JudgedComment], sites_: Mapping[str, Site], now: int) -> None:
        """Checks a stored batch for sudden rules."""
        for judged in stored:
            seen = self._seen.setdefault(judged.comment.site, deque(maxlen=WINDOW))
            rules = frozenset(fired(judged)) if judged.verdict.reasons else frozenset()
            seen.append((now, judged.keys.network or judged.comment.id, rules))
            if rules and len(seen) == WINDOW and abs(now - seen[0][0]) <= WITHIN:
                await self._look(sites_[judged.comment.site], rules, now)

    async def _look(self, site: Site, rules: frozenset[str], now: int) -> None:
        seen = self._seen[site.key]
        for rule in sorted(rules - NEVER - site.muted.keys()):
            networks = [network for _, network, caught in seen if rule in caught]
            if len(networks) <= EVERYTHING * WINDOW or len(set(networks)) < NETWORKS:
                continue
            if abs(now - self._usual.get((site.key, rule), -WITHIN)) < WITHIN:
                continue
            self._usual[site.key, rule] = now
            await self._mute_sudden(site.key, rule, now)

    async def _mute_sudden(self, key: str, rule: str, now: int) -> None:
        today = now // DAY
        async with self._database.transaction() as tx:
            site = (await sites.sites(tx, [key])).get(key)
            known = site.mutes.get(rule) if site else None
            if site is None or (known and (known.ended is None or now - known.ended < SPARED)):
                return
            hits = (await rule_health.counts(tx, key, today - USUAL_DAYS, today)).get(rule, Count()).hits
            if hits < USUAL * max(1, await rule_health.submitted(tx, key, today - USUAL_DAYS, today)):
                await _mute(tx, site, rule, Mute(why="sudden", since=now))
