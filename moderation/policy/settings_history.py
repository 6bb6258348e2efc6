"""A site's settings: changes with an entry in the audit log, undo, and a report of each rule's hits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moderation.core.offload import LISTS
from moderation.core.problem import NotFound
from moderation.core.signing import Signer
from moderation.core.times import iso
from moderation.db import audit
from moderation.db.database import Session
from moderation.policy import store_blocks as blocks
from moderation.policy import store_rule_health as rule_health
from moderation.policy import store_settings_history as past_settings
from moderation.policy.rule_health import LOOK_BACK
from moderation.policy.rules import RULES
from moderation.policy.store_blocks import Block
from moderation.policy.store_rule_health import Count
from moderation.sites import site_settings as rules
from moderation.sites import store as sites
from moderation.sites.model import DAY, Site
from moderation.sites.site_settings import FEW, SiteSettings

ACTIONS = {name: leads_to for name, _, leads_to in RULES}


async def site_of(session: Session, key: str) -> Site:
    """Raises NotFound."""
    found = (await sites.sites(session, [key])).get(key)
    if found is None:
        raise NotFound("There is no such site.")
    return found


async def change(
    tx: Session,
    key: str,
    given: Callable[[SiteSettings], Mapping[str, Any]],
    signer: Signer,
    actor: str,
    now: int,
    *,
    is_block: bool = False,
) -> dict[str, list[Any]]:
    """Changes settings by what they are. Returns setting → [before, after]. `is_block`: the change is a block from a comment.
    Raises NotFound or Invalid; nothing changes then. Long lists are given to `apply`, which finds them checked."""
    site = await site_of(tx, key)
    return await put(
        tx,
        site,
        await changed(site.settings, given(site.settings), signer),
        "rules:change",
        actor,
        now,
        is_block=is_block,
    )


async def apply(tx: Session, key: str, values: Mapping[str, Any], actor: str, now: int) -> dict[str, list[Any]]:
    """Changes settings to `checked` values. Returns setting → [before, after]. Raises NotFound."""
    site = await site_of(tx, key)
    return await put(tx, site, rules.with_values(site.settings, values), "rules:change", actor, now)


async def choose_hold(tx: Session, key: str, hold: str, signer: Signer, actor: str, now: int) -> None:
    """Sets how much waits for a person. A choice of what applies already is noted too, so that nobody is asked again. Raises
    NotFound or Invalid."""
    site = await site_of(tx, key)
    after = rules.changed(site.settings, {"hold": hold}, signer)
    if not await put(tx, site, after, "rules:change", actor, now):
        await past_settings.add(tx, key, site.settings, after, actor, now)
        await audit.note(tx, site=key, at=now, actor=actor, action="rules:confirm", subject=key, hold=hold)


async def checked(given: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """`rules.checked`, off the event loop where lists are long, and outside of transactions: others write meanwhile. Raises
    Invalid."""
    return await LISTS.run(rules.checked, given, signer, here=entries_of(given) <= FEW)


def entries_of(given: Mapping[str, Any]) -> int:
    return sum(len(value) for value in given.values() if isinstance(value, list | tuple))


async def changed(house: SiteSettings, given: Mapping[str, Any], signer: Signer) -> SiteSettings:
    """`rules.changed`, off the event loop where lists are long. Raises Invalid."""
    return await LISTS.run(rules.changed, house, given, signer, here=entries_of(given) <= FEW)


async def put_back(tx: Session, key: str, version: str, actor: str, now: int) -> dict[str, list[Any]]:
    """Restores the settings from before a change. This is a change too, and can be undone. Raises NotFound."""
    site = await site_of(tx, key)
    before = await past_settings.one(tx, key, version)
    if before is None:
        raise NotFound("This version of the rules no longer exists.")
    return await put(tx, site, before.settings, "rules:undo", actor, now)


async def put(
    tx: Session, site: Site, after: SiteSettings, act: str, actor: str, now: int, *, is_block: bool = False
) -> dict[str, list[Any]]:
    """Writes the settings if they differ, and who has put each new entry on the list `disallowed`."""
    differs = rules.differences(site.settings, after)
    if differs:
        before, listed = set(site.settings.disallowed), set(after.disallowed)
        await blocks.delete(tx, site.key, before - listed)
        new = [entry for entry in after.disallowed if entry not in before]
        await blocks.put(tx, [Block(site=site.key, entry=one, moderator=actor, created_at=now) for one in new])
        await past_settings.add(tx, site.key, site.settings, after, actor, now, is_block=is_block)
        await sites.put_site(tx, Site(key=site.key, name=site.name, origins=site.origins, settings=after), now)
        await audit.note(tx, site=site.key, at=now, actor=actor, action=act, subject=site.key, **differs)
    return differs


async def changes(session: Session, site: Site) -> list[dict[str, Any]]:
    """The latest changes, newest first: moderator, time and differences, with the version that undoes each."""
    found, after = list[dict[str, Any]](), site.settings
    for version in await past_settings.versions(session, site.key):
        differs = rules.differences(version.settings, after)
        after = version.settings
        if not differs:  # a choice of what applied already
            continue
        told = {"id": version.id, "at": iso(version.changed_at), "actor": version.actor, "is_block": version.is_block}
        found.append(told | {"differs": differs})
    return found


def said(value: Any) -> str:
    """A value of the audit log as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {said(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(said, value))
    return f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)


def moved(pair: Sequence[Any]) -> str:
    """A setting's old and new value as text."""
    return " → ".join(said(value) or "nothing" for value in pair)


def does(rule: str, house: SiteSettings) -> str:
    """A rule's action on this site without muting: `spam`, `hold` or `off`."""
    if rule in ("honeypot", "disposable"):
        return str(getattr(house, rule))
    named = {"disallowed": house.disallowed, "blocked-word": house.blocked, "many-links": house.max_links}
    waits = {"first-time": "newcomers", "review-all": "all"}
    if not named.get(rule, True) or house.hold != waits.get(rule, house.hold):
        return "off"
    return ACTIONS.get(rule, "hold")


async def report(session: Session, site: Site, now: int) -> dict[str, Any]:
    """The settings, and for each rule its recent hits, how many moderators decided, and how many they approved."""
    counts = await rule_health.counts(session, site.key, now // DAY - LOOK_BACK + 1)
    names = [name for name in ACTIONS if name != "label"] + sorted(counts.keys() - ACTIONS.keys())
    names += sorted(site.muted.keys() - set(names))
    return {
        "site": site.key,
        "rules": site.settings.stored(),
        "counted_days": LOOK_BACK,
        "counts": [
            {
                "rule": name,
                "does": does(name, site.settings),
                **counts.get(name, Count()).document(),
                "muted": {"why": mute.why, "since": iso(mute.since)} if (mute := site.muted.get(name)) else None,
            }
            for name in names
        ],
    }


def in_words(site: Site) -> list[str]:
    """One sentence for each rule that is muted."""
    why = {"overturned": "moderators mostly overturn it", "sudden": "it suddenly caught nearly everything"}
    return [
        f"{site.key}: {rule} "
        + ("only holds, " if does(rule, site.settings) == "spam" else "")
        + f"since {(iso(mute.since) or '')[:10]}: {why.get(mute.why, mute.why)}"
        for rule, mute in sorted(site.muted.items())
    ]
