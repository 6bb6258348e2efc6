"""Admission: an arrival compared with stored comments and with its batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from classifier.values import value
from moderation.articles import store_openings as openings
from moderation.articles.page_metadata import Page
from moderation.comments import store as comments
from moderation.comments import store_hosts as hosts
from moderation.comments.model import Comment, is_moved
from moderation.comments.store import Keys, Posting
from moderation.comments.submission import Submission
from moderation.comments.verdict import Verdict
from moderation.core.ids import first_id_at, is_id, made_at
from moderation.core.problem import Conflict, FieldError, Forbidden, Invalid, NotFound, TooFast
from moderation.core.times import iso
from moderation.db.database import Session
from moderation.intake import store as idempotency
from moderation.policy import known_hosts
from moderation.sites import store as sites
from moderation.sites.allowance import TOO_MANY, most, times
from moderation.sites.model import Article, Site

MINUTE, HOUR = 60_000, 3_600_000
NEW_ARTICLES = 1_000
"""Articles that comments may open on one site in an hour; the first comment on each further one is held."""
TITLE_LONGEST = 500
NONE = (0, "")
UNKNOWN_PARENT = FieldError("parent", "unknown_parent", "is no published comment of this article")


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What sets a comment apart that is kept elsewhere and judged here (`dialects/`): no limit and no duplicate check applies,
    and it is never public."""

    id: str = ""
    """Its keeper's id; empty where the keeper gives none, and then the comment is known by author, text and page."""
    parent: str = ""
    """The keeper's id of the comment that it replies to."""
    page: str = ""
    """The keeper's name of the page."""
    kind: str = "comment"
    trusted: bool = False
    """The keeper vouches for its author."""
    date: int | None = None
    """Unix milliseconds at which it was written, where the keeper says so; it arrives now."""

    @property
    def facts(self) -> dict[str, str | None]:
        """What its verdict keeps of it."""
        kind: dict[str, str | None] = {} if self.kind == "comment" else {"kind": self.kind}
        return kind if self.date is None else kind | {"date": iso(self.date)}


@value(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A checked submission and its circumstances. Of the network address only a key is stored."""

    site: str
    article: str
    submission: Submission
    keys: Keys
    address: str = ""
    form: str = ""
    honeypot: bool = False
    """The form's hidden field has a value."""
    proof: str | None = None
    """The comment of the author's receipt."""
    retry: tuple[str, str] | None = None
    """(Idempotency-Key, hash of the request)."""
    pause: int = 0
    """Milliseconds required since the last comment from the same network (15 seconds for WordPress's form), at most a minute."""
    page: Page | None = None
    """The page's metadata."""
    elsewhere: Elsewhere | None = None


@value(frozen=True, slots=True)
class Accepted:
    """A stored comment. `answer` is the author's answer, equal for all comments that are not published."""

    id: str
    approved: bool
    answer: dict[str, Any]
    comment: Comment | None = None
    verdict: Verdict | None = None
    """Both of a comment that is kept elsewhere."""


@dataclass
class BatchContext:
    """The data that a batch is compared with, on one site: stored comments, and the batch's own so far."""

    site: Site
    articles: dict[str, Article]
    opened: Counter[str]
    """Network → articles that it has opened in this hour."""
    new_keys: int
    """Articles that comments have opened here in this hour; stored ones are counted up to NEW_ARTICLES."""
    known: dict[str, Comment]
    postings: dict[tuple[str | None, ...], list[Posting]]
    """Author, article, body and parent → the postings."""
    by_author: dict[tuple[str, str], tuple[int, str]]
    """(author, network) → the number of comments in the last minute, and the last one's id."""
    by_network: dict[str, tuple[int, str]]
    answers: dict[tuple[str, str], tuple[str, str]]
    known_hosts: set[str]
    """Those of the batch's links and websites that are known on the site."""
    new_articles: list[Article] = field(default_factory=list)
    kept_elsewhere: dict[str, Comment] = field(default_factory=dict)
    """The keeper's id → the comment."""
    said_elsewhere: dict[tuple[str, str, str], Comment] = field(default_factory=dict)
    """Author, article and body → the latest comment that another system keeps."""
    known_elsewhere: set[str] = field(default_factory=set)
    """Those of the links and websites that are known where comments of other systems count too."""

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
        """Raises the Problem of a refusal: too many, closed, unknown parent, duplicate, too fast.

        Limits are checked first, so that no network gets more answers a minute than its limit. `refused` is the number of
        refusals of its network in the last minute.
        """
        self._slow_down(arrival, refused)
        sent, keys = arrival.submission, arrival.keys
        article = self.articles.get(arrival.article)
        if (article is None or not article.is_listed) and self.site.settings.articles == "registered":
            raise NotFound("There is no such article here.")
        if article is None:
            if self.opened[keys.network] >= self.site.settings.new_articles_an_hour * times(keys.network):
                raise TooFast("Too many new articles in the last hour.", 3600, code="too_many_articles")
            article = Article(site=arrival.site, key=arrival.article, created_at=now)
        if not article.is_open(self.site.settings, now):
            raise Forbidden("Comments are closed for this article.", code="closed")
        parent = self.known.get(sent.parent) if sent.parent else None
        if sent.parent and (
            not article.is_listed or parent is None or parent.article != article.key or parent.status != "approved"
        ):
            raise Invalid(UNKNOWN_PARENT)
        if self._is_said(arrival, parent):
            raise Conflict("You have said exactly this here already.", code="duplicate")
        if arrival.pause:
            self._pause(arrival, now)
        return article, parent

    def place_elsewhere(self, arrival: Arrival, now: int) -> tuple[Article, Comment | None]:
        """The article and the parent of a comment that is kept elsewhere. A parent that is not here is none."""
        assert arrival.elsewhere
        article = self.articles.get(arrival.article) or Article(
            site=arrival.site,
            key=arrival.article,
            title=arrival.elsewhere.page[:TITLE_LONGEST],
            is_listed=False,
            created_at=now,
        )
        parent = self.kept_elsewhere.get(arrival.elsewhere.parent)
        return article, parent if parent and parent.article == article.key else None

    def same_elsewhere(self, arrival: Arrival) -> Comment | None:
        """The stored comment that this one is once more: by its keeper's id, else by author, text and page."""
        assert arrival.elsewhere
        if arrival.elsewhere.id:
            return self.kept_elsewhere.get(arrival.elsewhere.id)
        return self.said_elsewhere.get(said_of(arrival))

    def _slow_down(self, arrival: Arrival, refused: int) -> None:
        """Limits by network, and by author within a network: typing another's email address uses up nothing of theirs."""
        keys, rules, sent = arrival.keys, self.site.settings, arrival.submission
        from_here = self.by_network.get(keys.network, NONE)[0]
        if keys.network and 0 < most(self.site, keys.network) <= from_here + refused:
            raise TooFast(TOO_MANY, 60)
        by_author = self.by_author.get((keys.author, keys.network), NONE)[0]
        if sent.email and 0 < rules.per_author_a_minute * times(keys.network) <= by_author:
            raise TooFast("You are posting comments too quickly. Slow down.", 60)

    def _pause(self, arrival: Arrival, now: int) -> None:
        """The pause of WordPress's form; divided by SHARED_TIMES for readers behind an undeclared proxy."""
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
        """Whether it is a duplicate: equal text, parent and author, and the same network or the first comment's receipt. From
        elsewhere it is a new comment; otherwise the answer would reveal whose address wrote one."""
        sent, keys = arrival.submission, arrival.keys
        if parent and is_moved(parent):  # what it replies to is not stored: it may be another comment
            return False
        above = parent.id if parent else None
        same = (keys.author, arrival.article, keys.body, above)
        from_here = keys.network if sent.email or sent.name else None  # without either, only a receipt identifies
        return any(one.network == from_here or one.id == arrival.proof for one in self.postings.get(same, ()))

    def is_crowded(self, article: Article) -> bool:
        """Whether the comment opens an article after comments have opened too many."""
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
        if comment.external_id:
            self.kept_elsewhere[comment.external_id] = self.said_elsewhere[said_of(arrival)] = comment
        if article.key not in self.articles:
            self.articles[article.key] = article
            self.new_articles.append(article)
            if not arrival.elsewhere:
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


def said_of(arrival: Arrival) -> tuple[str, str, str]:
    """Author, article and body, as `postings` has them."""
    return arrival.keys.author, arrival.article, arrival.keys.body


async def look_up(
    stored: Session, key: str, arrivals: Iterable[Arrival], now: int, shorteners: Collection[str] = ()
) -> BatchContext:
    """The batch's context for one site, in a few statements. `shorteners`: hosts that are never known."""
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
    external = {i for a in here if a.elsewhere for i in (a.elsewhere.id, a.elsewhere.parent) if i}
    same = {said_of(a) for a in here if a.elsewhere and not a.elsewhere.id}
    again = await comments.postings(
        stored, key, {author for author, _, _ in same}, {body for _, _, body in same}, elsewhere=True
    ) if same else set()  # fmt: skip
    ids |= {one.id for one in again if one[:3] in same}
    linked = {host for a in here for host in (*a.submission.link_hosts, a.submission.website_host)}
    possible = [host for host in linked if known_hosts.may_be_known(host, shorteners)]
    known = await comments.of_site(stored, key, ids) if ids else {}
    some_elsewhere = possible and any(a.elsewhere for a in here)
    return BatchContext(
        site,
        articles,
        opened,
        new_keys,
        known=known,
        postings=postings,
        by_author=await comments.recent_by_author(stored, key, authors, since),
        by_network=await comments.recent(stored, key, addresses, since),
        answers=await idempotency.find(stored, key, keys, now) if keys else {},
        known_hosts=await hosts.known(stored, key, possible) if possible else set(),
        kept_elsewhere=await comments.by_external_id(stored, key, external) if external else {},
        said_elsewhere={one[:3]: known[one.id] for one in sorted(again, key=lambda one: one.id) if one.id in known},
        known_elsewhere=await hosts.known(stored, key, possible, elsewhere=True) if some_elsewhere else set(),
    )
