"""The digest: a mail to each moderator about pending comments."""

from __future__ import annotations

from collections.abc import Callable, Collection

from moderation.articles import store_openings as openings
from moderation.comments.model import Comment
from moderation.core.ids import EVERYWHERE
from moderation.core.times import iso
from moderation.core.urls import Links
from moderation.db.database import Database, Session
from moderation.outbox import store as outbox
from moderation.outbox import texts
from moderation.outbox.smtp import Letter, Link, Quote, line
from moderation.outbox.store import MAIL, Message
from moderation.queue import store as queue
from moderation.sites import store as sites
from moderation.team import store as moderators
from moderation.text import locales
from moderation.text.words import DEFAULT, Texts

LONGEST_NAME = 100
"""Characters of a title or a name in a digest."""
NAMED = 5
"""The oldest pending comments that a digest links to, on each site."""


async def digest(database: Database, now: int) -> None:
    """Queues a digest for each moderator; its contents are looked up when it is sent."""
    async with database.transaction() as tx:
        await outbox.add(
            tx,
            [
                Message(
                    site=m.site,
                    id=f"digest.{m.id}.{now}",
                    destination=MAIL,
                    subject=m.id,
                    content={"kind": "digest"},
                    created_at=now,
                )
                for m in await moderators.ready(tx)
                if m.wants_digest
            ],
        )


async def anything_waits(database: Database, clock: Callable[[], int]) -> bool:
    async with database.reading() as session:
        return bool(await queue.pending(session, EVERYWHERE, clock()))


async def letter(links: Links, session: Session, message: Message) -> Letter | None:
    """The digest's letter; None without pending comments or subscription."""
    moderator, at = await moderators.by_id(session, message.site, message.subject), message.created_at
    if (
        moderator is None
        or not moderator.wants_digest
        or not (waiting := await queue.pending(session, moderator.site, at))
    ):
        return None
    known = await sites.sites(session, waiting)
    languages = {site.settings.language for site in known.values()}
    words = texts.of_language(languages.pop()) if len(languages) == 1 else texts.of_language(DEFAULT)
    parts: list[str | Link | Quote] = []
    for key, count in waiting.items():
        site, own = known[key], texts.of_site(known[key])
        oldest = await queue.longest_waiting(session, key, NAMED, at)
        titles = await _titles(session, key, {c.article for c in oldest})
        parts.append(own.say("digest.site", site=site.name, count=own.many("digest.count", count)))
        parts += [Link(_named(comment, titles[comment.article], own), links.console(comment.id)) for comment in oldest]
    total, end = sum(waiting.values()), links.digest(moderator.id)
    where = known[next(iter(waiting))].name if len(waiting) == 1 else words.many("digest.sites", len(waiting))
    return Letter(
        moderator.email,
        words.say("digest.subject", count=words.many("digest.count", total), site=where),
        (
            *parts,
            Link(words.say("digest.queue"), links.console()),
            words.say("digest.why"),
            Link(words.say("digest.stop"), end),
        ),
        unsubscribe=end,
        lang=words.lang,
    )


async def _titles(session: Session, site: str, keys: Collection[str]) -> dict[str, str]:
    """Article → its title: the registered one, else that its page proposes, else an address, else the key."""
    articles = await sites.articles(session, site, keys)
    bare = [key for key in keys if key not in articles or not articles[key].title]
    proposed = {one.article: one for one in await openings.proposals(session, site, bare)} if bare else {}
    titles: dict[str, str] = {}
    for key in keys:
        article, proposal = articles.get(key), proposed.get(key)
        names = [article.title if article else "", proposal.title if proposal else ""]
        addresses = [article.url if article else None, proposal.url if proposal else None]
        titles[key] = line(next(filter(None, [*names, *addresses]), key), LONGEST_NAME)
    return titles


def _named(comment: Comment, title: str, words: Texts) -> str:
    name = line(comment.name, LONGEST_NAME) or words.say("anonymous")
    return words.say(
        "digest.comment", name=name, article=title, time=locales.written(iso(comment.created_at) or "", words.lang)
    )
