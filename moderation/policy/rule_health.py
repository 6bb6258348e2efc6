"""Each rule's hits, how often moderators overturned it, and which rule is muted for that.

A rule that files as spam and errs does so where nobody looks. So it only holds once moderators have mostly approved what
it caught, or once it catches nearly everything of a sudden; and it says so in every verdict until a moderator ends that.
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
"""With at least so many hits decided, more than this share of them approved: the rule is wrong more often than right."""
WINDOW, WITHIN, EVERYTHING = 50, 3_600_000, 0.9
"""More than this share of so many comments in a row, all within an hour: it catches everything."""
USUAL, USUAL_DAYS = 0.5, 7
"""Unless it has caught at least this share over these many days before: then that is how things are here."""
SPARED = DAY
"""For so long a rule is not muted again after a moderator has ended it."""
NETWORKS = 5
"""Of fewer networks it says nothing of the rule: one stranger could switch it off by being caught on purpose."""
NEVER = frozenset(("unscored", "wave"))
"""No judgement of the service's own: where the model is missing health says so, and a wave ends with the decision on it."""


def fired(judged: JudgedComment) -> set[str]:
    return {counted_as(reason) for reason in judged.verdict.reasons}


async def count(tx: Session, stored: Iterable[JudgedComment]) -> None:
    """What fired in a batch, in the batch's own transaction."""
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
    """Around a decision or its undo on (site, comment): what has become decided, or overturned, or no longer is.

    It compares what stands before with what stands after, so that counts are right whatever comes in between.
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
                    moved[key] = Count(0, old.decided + decided, old.overturned + overturned)
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
        if ended is not None:  # what was decided before a moderator trusted it again no longer counts
            counts[rule] = (await rule_health.counts(tx, key, max(ended // DAY + 1, today - LOOK_BACK + 1))).get(
                rule, Count()
            )
        if mostly_overturned(counts.get(rule, Count())):
            site = await _mute(tx, site, rule, Mute("overturned", now))


async def _mute(tx: Session, site: Site, rule: str, mute: Mute) -> Site:
    mutes = dict(site.mutes) | {rule: mute}
    await rule_health.set_mutes(tx, site.key, mutes)
    await audit.note(tx, site=site.key, at=mute.since, actor="service", action="rule:mute", subject=rule, why=mute.why)
    return replace(site, mutes=mutes)


async def unmute(database: Database, site: str, rule: str, actor: str, now: int) -> bool:
    """False where it was not muted (any more)."""
    async with database.transaction() as tx:
        known = (await sites.sites(tx, [site])).get(site)
        if known is None or rule not in known.muted:
            return False
        old = known.mutes[rule]
        await rule_health.set_mutes(tx, site, dict(known.mutes) | {rule: Mute(old.why, old.since, now)})
        await audit.note(tx, site=site, at=now, actor=actor, action="rule:unmute", subject=rule)
    return True


class Window:
    """The last comments of each site, in memory: what suddenly catches nearly all of them is seen without a statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[str, deque[tuple[int, str, frozenset[str]]]] = {}
        """Site → when, from which network, and the rules that fired."""
        self._usual: dict[tuple[str, str], int] = {}
        """(site, rule) → when it was last found to be as usual, so that it is not asked with every comment."""

    async def watch(self, stored: Iterable[JudgedComment], sites_: Mapping[str, Site], now: int) -> None:
        """After the batch is stored."""
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
                await _mute(tx, site, rule, Mute("sudden", now))
