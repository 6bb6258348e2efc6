"""Who is let in: an arrival beside what is stored, and beside the batch that it came with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from moderation.articles import store_openings as openings
from moderation.articles.page_metadata import Page
from moderation.comments import store as comments
from moderation.comments.model import Comment, below
from moderation.comments.store import Keys, Posting
from moderation.comments.submission import Submission
from moderation.core.ids import first_id_at, is_id, made_at
from moderation.core.problem import Conflict, FieldError, Forbidden, Invalid, NotFound, TooFast
from moderation.db.database import Session
from moderation.intake import store as idempotency
from moderation.sites import store as sites
from moderation.sites.allowance import TOO_MANY, most, times
from moderation.sites.model import Article, Site

MINUTE, HOUR = 60_000, 3_600_000
NEW_ARTICLES = 1_000
"""Keys that comments may open on one site in an hour; the first comment on each further one is held."""
NONE = (0, "")
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
    """Milliseconds since the last one of the same address (WordPress's form asks for 15 seconds), at most a minute."""
    page: Page | None = None
    """What its page says of itself."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is on disk now. `answer` is what its author is told, the same for all that is not published."""

    id: str
    approved: bool
    answer: dict[str, Any]


@dataclass
class BatchContext:
    """What the batch is compared with, on one site: what is stored, and what the batch itself has brought so far."""

    site: Site
    articles: dict[str, Article]
    opened: Counter[str]
    """Address → how many keys it has opened in this hour."""
    new_keys: int
    """How many keys comments have opened here in this hour, at most NEW_ARTICLES of those that are stored."""
    known: dict[str, Comment]
    postings: dict[tuple[str | None, ...], list[Posting]]
    """Author, article, body and what it answers → where it was said."""
    by_author: dict[tuple[str, str], tuple[int, str]]
    """(author, address) → how many in the last minute, and the last one's id."""
    by_network: dict[str, tuple[int, str]]
    answers: dict[tuple[str, str], tuple[str, str]]
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

    def admit(self, arrival: Arrival, now: int, refused: int = 0) -> tuple[Article, Comment | None]:
        """Raises the Problem that keeps it out: too many, closed, unknown parent, said before, too fast.

        The limits come first, so that nobody is told more than so many answers a minute; `refused` is how many its
        network was given in the last one that stored nothing.
        """
        self._slow_down(arrival, refused)
        sent, keys = arrival.submission, arrival.keys
        article = self.articles.get(arrival.article)
        if article is None:
            if self.site.settings.articles == "registered":
                raise NotFound("There is no such article here.")
            if self.opened[keys.network] >= self.site.settings.new_articles_an_hour * times(keys.network):
                raise TooFast("Too many new articles in the last hour.", 3600, code="too_many_articles")
            article = Article(arrival.site, arrival.article, created_at=now)
        if not article.is_open(self.site.settings, now):
            raise Forbidden("Comments are closed for this article.", code="closed")
        parent = self.known.get(sent.parent) if sent.parent else None
        if sent.parent and (parent is None or parent.article != article.key or parent.status != "approved"):
            raise Invalid(UNKNOWN_PARENT)
        if self._is_said(arrival, parent):
            raise Conflict("You have said exactly this here already.", code="duplicate")
        if arrival.pause:
            self._pause(arrival, now)
        return article, parent

    def _slow_down(self, arrival: Arrival, refused: int) -> None:
        """By network, and by author within a network: who types another's address does not use up what is theirs."""
        keys, rules, sent = arrival.keys, self.site.settings, arrival.submission
        from_here = self.by_network.get(keys.network, NONE)[0]
        if keys.network and 0 < most(self.site, keys.network) <= from_here + refused:
            raise TooFast(TOO_MANY, 60)
        by_author = self.by_author.get((keys.author, keys.network), NONE)[0]
        is_somebody = sent.email or sent.name
        if is_somebody and 0 < rules.per_author_a_minute * times(keys.network) <= by_author:
            raise TooFast("You are posting comments too quickly. Slow down.", 60)

    def _pause(self, arrival: Arrival, now: int) -> None:
        """As long as WordPress's form asks for; of the many behind an undeclared proxy only its share."""
        keys = arrival.keys
        last_here = self.by_network.get(keys.network, NONE)[1]
        last_of_author = self.by_author.get((keys.author, keys.network), NONE)[1] if arrival.submission.email else ""
        left = max(
            made_at(last_here) + arrival.pause // times(keys.network) if last_here else now,
            made_at(last_of_author) + arrival.pause if last_of_author else now,
        )
        if left > now:
            raise TooFast("You are posting comments too quickly. Slow down.", -(-(left - now) // 1000))

    def _is_said(self, arrival: Arrival, parent: Comment | None) -> bool:
        """Exactly this, in reply to the same comment, by the same author, and from the same network or with its receipt:
        from elsewhere it is a new comment, or the answer would tell anybody whose address wrote one."""
        sent, keys = arrival.submission, arrival.keys
        if not sent.email and not sent.name:
            return False
        above = below("", parent.path)[0] if parent else None
        same = (keys.author, arrival.article, keys.body, above)
        return any(one.network == keys.network or one.id == arrival.proof for one in self.postings.get(same, ()))

    def is_crowded(self, article: Article) -> bool:
        """It would be one more new article where comments have opened too many."""
        return article.key not in self.articles and self.new_keys >= NEW_ARTICLES

    def trusts(self, arrival: Arrival) -> bool:
        """Its author shows the receipt of a comment that a person approved, under the same name. What the machine alone
        published proves nothing: one harmless comment would publish every link after it."""
        proof = self.known.get(arrival.proof) if arrival.proof else None
        if proof is None or proof.status != "approved" or not proof.is_decided:
            return False
        return proof.name == arrival.submission.name

    def remember(self, arrival: Arrival, article: Article, comment: Comment, accepted: Accepted) -> None:
        keys = arrival.keys
        if article.key not in self.articles:
            self.articles[article.key] = article
            self.new_articles.append(article)
            self.new_keys += 1
            if keys.network:
                self.opened[keys.network] += 1
        posting = Posting(keys.author, arrival.article, keys.body, comment.parent, keys.network, comment.id)
        self.postings.setdefault(posting[:4], []).append(posting)
        by_author = self.by_author.get((keys.author, keys.network), NONE)[0]
        self.by_author[keys.author, keys.network] = by_author + 1, comment.id
        if keys.network:
            self.by_network[keys.network] = self.by_network.get(keys.network, NONE)[0] + 1, comment.id
        if arrival.retry:
            self.answers[(arrival.article, arrival.retry[0])] = (
                arrival.retry[1],
                orjson.dumps(accepted.answer).decode(),
            )


async def look_up(stored: Session, key: str, arrivals: Iterable[Arrival], now: int) -> BatchContext:
    """All that the batch needs to know of one site, in a handful of statements."""
    here = [a for a in arrivals if a.site == key]
    site = (await sites.sites(stored, [key])).get(key)
    if site is None:
        raise NotFound("There is no such site.")
    articles = await sites.articles(stored, key, {a.article for a in here})
    opened, new_keys = Counter[str](), 0
    if any(a.article not in articles for a in here):
        openers = {a.keys.network for a in here if a.keys.network and a.article not in articles}
        opened.update(await openings.by_network(stored, key, openers, now - HOUR))
        new_keys = await openings.count(stored, key, now - HOUR, NEW_ARTICLES)
    ids = {i for a in here for i in (a.submission.parent, a.proof) if i and is_id(i)}
    authors, since = {a.keys.author for a in here}, first_id_at(now - MINUTE)
    addresses = {a.keys.network for a in here if a.keys.network}
    keys = {a.retry[0] for a in here if a.retry}
    postings = dict[tuple[str | None, ...], list[Posting]]()
    for one in await comments.postings(stored, key, authors, {a.keys.body for a in here}):
        postings.setdefault(one[:4], []).append(one)
    return BatchContext(
        site,
        articles,
        opened,
        new_keys,
        known=await comments.of_site(stored, key, ids) if ids else {},
        postings=postings,
        by_author=await comments.recent_by_author(stored, key, authors, since),
        by_network=await comments.recent(stored, key, addresses, since),
        answers=await idempotency.find(stored, key, keys, now) if keys else {},
    )
