"""Who is let in: an arrival beside what is stored, and beside the batch that it came with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from moderation import prose
from moderation.comment import Comment, first_id_at, is_id, made_at
from moderation.metadata import Page
from moderation.problem import Conflict, FieldError, Forbidden, Invalid, NotFound, TooFast
from moderation.site import Article, Site
from moderation.storage import comments, retries, sites
from moderation.storage.comments import Keys
from moderation.storage.database import Session
from moderation.submission import Submission

MINUTE, HOUR = 60_000, 3_600_000
UNKNOWN_PARENT = FieldError("parent", "unknown_parent", "is no published comment of this article")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A checked submission and its circumstances. The address itself is looked at and forgotten; only a key of it stays."""

    site: str
    article: str
    submission: Submission
    keys: Keys
    address: str = ""
    form: str = ""
    honeypot: bool = False
    """The field of our own form that nobody sees came filled."""
    proof: str | None = None
    """The comment that its author's receipt is for."""
    retry: tuple[str, str] | None = None
    """(Idempotency-Key, hash of the request)."""
    pause: int = 0
    """Milliseconds since the last one of the same author or address (WordPress's form asks for 15 seconds)."""
    page: Page | None = None
    """What its page says of itself."""
    links: int = 0
    html: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is on disk now. `answer` is what its author is told, the same for all that is not published."""

    id: str
    approved: bool
    answer: dict[str, Any]


def arrive(site: str, article: str, submission: Submission, keys: Keys, **circumstances: Any) -> Arrival:
    """An Arrival with its text rendered and its links counted, once, in the request that brings it."""
    html, links = prose.render_and_count(submission.body, submission.format)
    return Arrival(site, article, submission, keys, html=html, links=links, **circumstances)


@dataclass
class Book:
    """What the batch is compared with, on one site: what is stored, and what the batch itself has brought so far."""

    site: Site
    articles: dict[str, Article]
    room: int
    """How many new articles may still appear this hour."""
    known: dict[str, Comment]
    said: set[tuple[str, str, str]]
    by_author: dict[str, int]
    by_address: dict[str, int]
    answers: dict[tuple[str, str], tuple[str, str]]
    last: dict[str, str] = field(default_factory=dict)
    """Author or address → the id of its last one, where an arrival asks for a pause."""
    new_articles: list[Article] = field(default_factory=list)

    def first_answer(self, arrival: Arrival) -> Accepted | None:
        assert arrival.retry
        key, request = arrival.retry
        kept = self.answers.get((arrival.article, key))
        if kept is None:
            return None
        if kept[0] != request:
            raise Invalid(
                FieldError(
                    "Idempotency-Key", "invalid", "was used for another comment; take a new one for a new comment"
                )
            )
        answer = orjson.loads(kept[1])
        return Accepted(answer["id"], answer["status"] == "approved", answer)

    def admit(self, arrival: Arrival, now: int) -> tuple[Article, Comment | None]:
        """Raises the Problem that keeps it out: closed, unknown parent, said before, too fast."""
        article = self.articles.get(arrival.article)
        if article is None:
            if self.site.rules.articles == "registered":
                raise NotFound("There is no such article here.")
            if self.room <= 0:
                raise TooFast("Too many new articles in the last hour.", 3600, code="too_many_articles")
            article = Article(arrival.site, arrival.article, created_at=now)
        if not article.is_open(self.site.rules, now):
            raise Forbidden("Comments are closed for this article.", code="closed")
        sent, keys, rules = arrival.submission, arrival.keys, self.site.rules
        parent = self.known.get(sent.parent) if sent.parent else None
        if sent.parent and (parent is None or parent.article != article.key or parent.status != "approved"):
            raise Invalid(UNKNOWN_PARENT)
        if (keys.author, article.key, keys.body) in self.said:
            raise Conflict("You have said exactly this here already.", code="duplicate")
        if arrival.pause:
            keyed = ((keys.author, sent.email), (keys.address, keys.address))  # without an email, a name is nobody
            left = max((made_at(self.last[key]) for key, known in keyed if known and key in self.last), default=0)
            left += arrival.pause - now
            if left > 0:
                raise TooFast("You are posting comments too quickly. Slow down.", -(-left // 1000))
        if 0 < rules.per_author_a_minute <= self.by_author.get(keys.author, 0):
            raise TooFast("You are posting comments too quickly. Slow down.", 60)
        if keys.address and 0 < rules.per_address_a_minute <= self.by_address.get(keys.address, 0):
            raise TooFast("Too many comments come from your address. Try again in a minute.", 60)
        return article, parent

    def trusts(self, arrival: Arrival) -> bool:
        proof = self.known.get(arrival.proof) if arrival.proof else None
        return proof is not None and proof.status == "approved"

    def remember(self, arrival: Arrival, article: Article, accepted: Accepted) -> None:
        keys = arrival.keys
        if article.key not in self.articles:
            self.articles[article.key] = article
            self.new_articles.append(article)
            self.room -= 1
        self.last[keys.author] = self.last[keys.address] = accepted.id
        self.said.add((keys.author, arrival.article, keys.body))
        self.by_author[keys.author] = self.by_author.get(keys.author, 0) + 1
        if keys.address:
            self.by_address[keys.address] = self.by_address.get(keys.address, 0) + 1
        if arrival.retry:
            self.answers[(arrival.article, arrival.retry[0])] = (
                arrival.retry[1],
                orjson.dumps(accepted.answer).decode(),
            )


async def look_up(stored: Session, key: str, arrivals: Iterable[Arrival], now: int) -> Book:
    """All that the batch needs to know of one site, in a handful of statements."""
    here = [a for a in arrivals if a.site == key]
    site = (await sites.sites(stored, [key])).get(key)
    if site is None:
        raise NotFound("There is no such site.")
    articles = await sites.articles(stored, key, {a.article for a in here})
    room = site.rules.new_articles_an_hour
    if any(a.article not in articles for a in here):
        room -= await sites.new_articles(stored, key, now - HOUR)
    ids = {i for a in here for i in (a.submission.parent, a.proof) if i and is_id(i)}
    authors, since = {a.keys.author for a in here}, first_id_at(now - MINUTE)
    addresses = {a.keys.address for a in here if a.keys.address}
    pause, last = max((a.pause for a in here), default=0), dict[str, str]()
    if pause:
        for column, keys in (("author_key", authors), ("address_key", addresses)):
            last |= await comments.last_of(stored, key, column, keys, first_id_at(now - pause))
    tickets = {a.retry[0] for a in here if a.retry}
    return Book(
        site,
        articles,
        room,
        known=await comments.of_site(stored, key, ids) if ids else {},
        said=await comments.said(stored, key, authors, {a.keys.body for a in here}),
        by_author=await comments.recent(stored, key, "author_key", authors, since),
        by_address=await comments.recent(stored, key, "address_key", addresses, since),
        answers=await retries.find(stored, key, tickets, now) if tickets else {},
        last=last,
    )
