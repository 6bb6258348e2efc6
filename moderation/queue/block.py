"""Blocks from a comment: close its article, or block its author, network or a domain; and undo each.

Moderators without the right to change rules may change one entry of one list this way, named by a comment.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from classifier.streamsafe import stream_safe
from moderation.comments import store as comments
from moderation.comments import store_hosts as hosts
from moderation.comments.model import Comment
from moderation.core.problem import FieldError, Invalid
from moderation.core.signing import SHARED, Signer
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.policy import blocks as listed_blocks
from moderation.policy import settings_history
from moderation.policy import store_blocks as stored_blocks
from moderation.policy.store_blocks import Block
from moderation.queue import decide as queue
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from moderation.team.model import Principal
from moderation.text.wordlist import ADDRESS, AUTHOR, DOMAIN, ascii_domain

ARTICLE, ONE, NETWORK, OF = "article", "author", "network", "domain:"
DOMAINS = 5
"""The most domains offered for one comment."""
LOOKED_AT = 50
"""The most links of one comment whose domains are read."""
LINK = re.compile(r"https?://[^\s\"'<>()\[\]]+", re.IGNORECASE)
MAILBOXES = frozenset(
    (
        *(
            "126.com",
            "163.com",
            "aol.com",
            "gmail.com",
            "gmx.de",
            "gmx.net",
            "googlemail.com",
            "hotmail.com",
            "icloud.com",
        ),
        *("live.com", "mail.ru", "outlook.com", "proton.me", "protonmail.com", "qq.com", "t-online.de", "web.de"),
        *("yahoo.com", "yandex.ru"),
    )
)
"""Mail providers of about half of all readers. They are not offered, to prevent a slip; the policy page accepts them."""


def domains(comment: Comment, site: Site) -> list[str]:
    """The domains of a comment's links, website and email address, without the site's own and without MAILBOXES."""
    own = {urlsplit(origin).hostname or "" for origin in site.origins}
    links = islice(LINK.finditer(f"{comment.body} {comment.html}"), LOOKED_AT)
    told = [*(link[0] for link in links), comment.url or "", f"//{comment.email.rpartition('@')[2]}"]
    found: dict[str, None] = {}
    for address in told:
        try:
            address = stream_safe(address)  # `urlsplit` normalises the host
            host = ascii_domain((urlsplit(address.replace("&amp;", "&")).hostname or "").rstrip("."))
        except ValueError:
            continue
        host = host.removeprefix("www.")
        if DOMAIN.fullmatch(host) and host not in own | MAILBOXES:
            found[host] = None
    return list(found)[:DOMAINS]


class Offer(NamedTuple):
    """What can be blocked from a comment. `reaches`: it meets others too, so it is offered last."""

    on: bool
    until: str | None = None
    reaches: bool = False


async def offered(session: Session, shown: list[Comment]) -> dict[str, dict[str, Offer]]:
    """Comment id → target → its offer: first what meets this author or article alone, last the hosts of approved comments and
    the network, which others share."""
    told: dict[str, dict[str, Offer]] = {}
    known = await sites.sites(session, {c.site for c in shown}) if shown else {}
    for key, site in known.items():
        here = [c for c in shown if c.site == key]
        articles = await sites.articles(session, key, {c.article for c in here})
        keys = await comments.keys_of(session, key, [c.id for c in here])
        named = {c.id: {} if c.is_staff else entries(c, site, *keys[c.id]) for c in here}
        linked = {target.removeprefix(OF) for some in named.values() for target in some if target.startswith(OF)}
        wanted = await hosts.approved(session, key, linked)
        standing, until = set(site.settings.disallowed), site.settings.disallowed_until
        for c in here:
            blocks = {ARTICLE: Offer(not articles[c.article].comments_open)}
            for target, entry in named[c.id].items():
                reaches = target == NETWORK or target.removeprefix(OF) in wanted
                blocks[target] = Offer(entry in standing, until.get(entry), reaches)
            told[c.id] = dict(sorted(blocks.items(), key=lambda one: (one[1].reaches, one[0] == NETWORK)))
    return told


def standing(blocks: dict[str, Offer]) -> dict[str, bool]:
    """Target → whether it is blocked."""
    return {target: offer.on for target, offer in blocks.items()}


def entries(comment: Comment, site: Site, author: str, address: str) -> dict[str, str]:
    """Target → its entry of the list."""
    is_one = address and address != SHARED  # readers behind an undeclared proxy are not one network
    found = {ONE: AUTHOR + author} if comment.email else {}  # a bare name is not a person
    found |= {NETWORK: ADDRESS + address} if is_one else {}
    return found | {OF + domain: domain for domain in domains(comment, site)}


async def change(
    database: Database,
    signer: Signer,
    principal: Principal,
    id: str,
    target: str,
    now: int,
    *,
    lift: bool = False,
    lasts: str = "good",
    reason: str = "",
) -> Comment:
    """Blocks or unblocks; idempotent, but blocking again sets another end or reason. Raises NotFound, and Invalid for a target of
    another comment; nothing changes then."""
    reason = checked_reason(reason)
    async with database.transaction() as tx:
        comment = (await queue.seen_by(tx, principal, [id], {}))[id]
        if target == ARTICLE:
            await _close(tx, principal, comment, now, lift)
            return comment
        site = await settings_history.site_of(tx, comment.site)
        keys = (await comments.keys_of(tx, comment.site, [id]))[id]
        entry = None if comment.is_staff else entries(comment, site, *keys).get(target)
        if entry is None:
            raise Invalid(FieldError("target", "invalid", f"must be {ARTICLE} or one of the comment's `blocks`"))

        end = None if lift else listed_blocks.until_of(lasts, now)

        def given(rules: SiteSettings) -> dict[str, Any]:
            rest = [one for one in rules.disallowed if one != entry]
            until = {one: at for one, at in rules.disallowed_until.items() if one != entry}
            ends = {entry: end} if end else {}
            return {"disallowed": rest if lift else [*rest, entry], "disallowed_until": until | ends}

        is_on = entry in site.settings.disallowed
        if is_on is lift or (is_on and (end or site.settings.disallowed_until.get(entry) or reason)):
            await settings_history.change(tx, comment.site, given, signer, principal.name, now, is_block=True)
            if not lift:
                block = Block(site=comment.site, entry=entry, moderator=principal.name, reason=reason, comment=id,
                              created_at=now)  # fmt: skip
                await stored_blocks.put(tx, [block])
            noun = target.partition(":")[0]
            await audit.note(tx, site=comment.site, at=now, actor=principal.name,
                             action=f"{noun}:{'unblock' if lift else 'block'}", subject=id)  # fmt: skip
    return comment


def checked_reason(text: str) -> str:
    """Raises Invalid."""
    reason = " ".join(text.split())
    if len(reason) > listed_blocks.LONGEST or "\0" in reason:
        raise Invalid(FieldError("reason", "too_long", f"at most {listed_blocks.LONGEST} characters"))
    return reason


async def _close(tx: Session, principal: Principal, comment: Comment, now: int, lift: bool) -> None:
    article = (await sites.articles(tx, comment.site, [comment.article]))[comment.article]
    if article.comments_open is lift:
        return
    await sites.put_article(tx, replace(article, comments_open=lift))
    await audit.note(tx, site=comment.site, at=now, actor=principal.name,
                     action=f"article:{'open' if lift else 'close'}", subject=comment.article, comment=comment.id)  # fmt: skip
