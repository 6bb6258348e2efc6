"""In: what waits, as one batch → scored → judged → stored → told.

One writer takes whatever is waiting (no timer: a lone reply waits for nobody), scores it as a batch off the event loop,
compares it with what is stored and with itself, writes one transaction, and only then acknowledges.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from classifier.examples import Asked, Author, Scored
from classifier.serving import Classifier
from moderation import markdown, policy
from moderation.comment import EDIT_WINDOW, Comment, first_id_at, is_id, new_id, place, public
from moderation.links import Links
from moderation.problem import Conflict, FieldError, Forbidden, Invalid, NotFound, Problem, TooFast, Unavailable
from moderation.site import Article, Site
from moderation.storage import audit, comments, retries, sites
from moderation.storage.comments import Judged, Keys
from moderation.storage.database import Database, Session
from moderation.submission import Submission
from moderation.verdict import Verdict

log = logging.getLogger("moderation.intake")

BATCH = 64
WAITING = 2_000
DEADLINE = 0.5
"""Seconds that the classifier has for a batch; after that it is held `unscored`."""
MINUTE, HOUR = 60_000, 3_600_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """A checked submission and its circumstances. The address itself is looked at and forgotten; only a key of it stays."""

    site: str
    article: str
    submission: Submission
    keys: Keys
    address: str = ""
    form: str = ""
    proof: str | None = None
    """The comment that its author's receipt is for."""
    retry: tuple[str, str] | None = None
    """(Idempotency-Key, hash of the request)."""
    title: str = ""
    links: int = 0
    html: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is on disk now. `answer` is what its author is told, the same for all that is not published."""

    id: str
    approved: bool
    answer: dict[str, Any]


class Scorer:
    """The classifier, off the event loop and against the clock. No answer is an answer: None."""

    def __init__(self, classifier: Classifier, deadline: float = DEADLINE) -> None:
        self.classifier = classifier
        self.problem: str | None = "the model is not loaded yet"
        self._deadline = deadline
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scorer")

    async def start(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._load)

    def _load(self) -> None:
        try:
            self.classifier.load()
            self.problem = self.classifier.problem
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"
            log.error("no model: every comment is held", extra={"why": self.problem})

    def _score(self, asked: list[Asked]) -> list[Scored]:
        self.classifier.refresh()
        found = self.classifier.score(asked)
        self.problem = self.classifier.problem
        return found

    async def score(self, asked: list[Asked]) -> list[Scored | None]:
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._score, asked)
        try:
            # shielded: a late answer is thrown away, but a thread cannot be stopped
            return list(await asyncio.wait_for(asyncio.shield(work), self._deadline))
        except TimeoutError:
            self.problem = f"the model took longer than {self._deadline} s"
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
        except Exception as error:
            self.problem = f"the model failed ({type(error).__name__})"
        log.error("unscored", extra={"why": self.problem, "count": len(asked)})
        return [None] * len(asked)

    def thresholds(self) -> dict[str, float]:
        try:
            return dict(self.classifier.thresholds)
        except Exception:  # not loaded: there are no scores either
            return {}

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


@dataclass
class Counts:
    """What metrics show of the intake since the start."""

    actions: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    batches: int = 0


class Intake:
    def __init__(
        self,
        database: Database,
        scorer: Scorer,
        links: Links,
        *,
        changed: Callable[[str, str], None] = lambda site, article: None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """`changed` hears, after the commit and before the answer, which threads are not what they were."""
        self.database, self.scorer, self.links = database, scorer, links
        self.counts = Counts()
        self._changed, self.clock = changed, clock
        self._waiting: deque[tuple[Arrival, asyncio.Future[Accepted]]] = deque()
        self._arrived = asyncio.Event()
        self._stopping = False
        self._in_flight: set[tuple[str, str, str]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="intake")

    async def stop(self) -> None:
        """Finish what waits, then end."""
        self._stopping = True
        self._arrived.set()
        if self._task:
            await self._task

    async def submit(self, arrival: Arrival) -> Accepted:
        """Returns once it is on disk. Raises the Problem that kept it out; then nothing was stored."""
        if self._stopping:
            raise Unavailable("The service is stopping; nothing was stored. Try again shortly.")
        if len(self._waiting) >= WAITING:
            raise Unavailable("Too much is waiting; nothing was stored. Try again shortly.")
        ticket = (arrival.site, arrival.article, arrival.retry[0]) if arrival.retry else None
        if ticket in self._in_flight:
            raise Conflict("The first request with this Idempotency-Key is still being worked on.", code="in_flight")
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        if ticket:
            self._in_flight.add(ticket)
        try:
            self._waiting.append((arrival, future))
            self._arrived.set()
            return await future
        finally:
            if ticket:
                self._in_flight.discard(ticket)

    async def _run(self) -> None:
        while self._waiting or not self._stopping:
            await self._arrived.wait()
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._waiting and not self._stopping:
                self._arrived.clear()
            if taken:
                results = await self._settle([arrival for arrival, _ in taken])
                for (_, future), result in zip(taken, results, strict=True):
                    if future.done():
                        continue  # its client went away; the comment is stored all the same
                    if isinstance(result, BaseException):
                        future.set_exception(result)
                    else:
                        future.set_result(result)

    async def _settle(self, arrivals: list[Arrival]) -> list[Accepted | BaseException]:
        self.counts.batches += 1
        try:
            return list(await self.take_in(arrivals))
        except Unavailable as problem:
            return [problem] * len(arrivals)
        except Exception as error:
            if len(arrivals) == 1:
                return [error]
            # one bad row must fail alone
            return [result for arrival in arrivals for result in await self._settle([arrival])]

    async def take_in(self, arrivals: list[Arrival]) -> list[Accepted | Problem]:
        """One result each, in order. The whole batch is one commit."""
        scored = await self.scorer.score([asked(a) for a in arrivals])
        now = self.clock()
        async with self.database.transaction() as tx:
            books = {key: await look_up(tx, key, arrivals, now) for key in sorted({a.site for a in arrivals})}
            results: list[Accepted | Problem] = []
            stored: list[Judged] = []
            answers: list[tuple[str, str, str, str, str]] = []
            for order, (arrival, score) in enumerate(zip(arrivals, scored, strict=True)):
                book = books[arrival.site]
                try:
                    if arrival.retry and (first := book.first_answer(arrival)):
                        results.append(first)
                        continue
                    article, parent = book.admit(arrival, now)
                except Problem as problem:
                    self.counts.refused[problem.code] += 1
                    results.append(problem)
                    continue
                verdict = self._judge(arrival, score, book)
                comment = self._comment(arrival, article, parent, verdict, new_id(now, order), now)
                judged = Judged(
                    comment, verdict, arrival.keys, arrival.submission.notify, arrival.submission.email_domain
                )
                accepted = self._accept(comment)
                book.remember(arrival, article, accepted)
                stored.append(judged)
                results.append(accepted)
                if arrival.retry:
                    key, request = arrival.retry
                    answers.append(
                        (arrival.site, arrival.article, key, request, orjson.dumps(accepted.answer).decode())
                    )
            for book in books.values():
                for article in book.new_articles:
                    await sites.put_article(tx, article)
            await comments.add(tx, stored)
            await retries.add(tx, answers, now)
            shown = {(j.comment.site, j.comment.article) for j in stored if j.comment.status == "approved"}
            for site in {site for site, _ in shown}:
                await sites.touch(tx, site, (article for s, article in shown if s == site))
        for site, article_key in shown:
            self._changed(site, article_key)
        for judged in stored:
            self.counts.actions[judged.verdict.action] += 1
        return results

    def _judge(self, arrival: Arrival, score: Scored | None, book: Book, before: Verdict | None = None) -> Verdict:
        """`before` is the verdict on the text that this one replaces: an edit came the way that the comment came."""
        return policy.judge(
            policy.Case(
                arrival.submission,
                book.site.rules,
                score.scores if score else None,
                score.model if score else None,
                self.scorer.thresholds(),
                arrival.links,
                trusted=bool(before.facts.get("trusted")) if before else book.trusts(arrival),
                form=str(before.facts.get("form", "")) if before else arrival.form,
                address=arrival.address,
            )
        )

    def _comment(
        self, arrival: Arrival, article: Article, parent: Comment | None, verdict: Verdict, id: str, now: int
    ) -> Comment:
        sent = arrival.submission
        above, path = place(id, parent)
        return Comment(
            *(
                id,
                arrival.site,
                article.key,
                above,
                path,
                verdict.status,
                1,
                sent.name,
                sent.email,
                sent.url,
                sent.body,
            ),
            html=arrival.html,
            created_at=now,
        )

    def _accept(self, comment: Comment) -> Accepted:
        approved = comment.status == "approved"
        answer: dict[str, Any] = {"id": comment.id, "status": "pending"}
        if approved:
            answer = public(comment, self.links.avatar(comment.name)) | {"status": "approved"}
        answer["edit_token"] = self.links.seal.edit_token(comment.id)
        answer["receipt"] = self.links.receipt(comment.id)
        return Accepted(comment.id, approved, answer)

    async def amend(self, arrival: Arrival, id: str) -> Accepted:
        """The author's own edit: validated and scored again, a new revision. Never above `pending` what a person decided."""
        now = self.clock()
        (score,) = await self.scorer.score([asked(arrival)])
        async with self.database.transaction() as tx:
            old = await own_comment(tx, arrival.site, arrival.article, id, now)
            book = await look_up(tx, arrival.site, [arrival], now)
            before = (await comments.verdicts(tx, arrival.site, [id])).get(id)
            verdict = self._judge(arrival, score, book, before)
            sent = arrival.submission
            status = verdict.status
            if old.decided and status == "approved":
                status = old.status if old.status != "approved" else "pending"
            new = replace(
                old,
                name=sent.name,
                url=sent.url,
                body=sent.body,
                html=arrival.html,
                status=status,
                revision=old.revision + 1,
                judged=old.revision + 1,
                edited_at=now,
            )
            judged = Judged(new, verdict, arrival.keys, sent.notify, sent.email_domain)
            if not await comments.edit(tx, judged, old.revision):
                raise Conflict("The comment changed meanwhile.", code="changed")
            if "approved" in (old.status, new.status):
                await sites.touch(tx, arrival.site, [arrival.article])
            await audit.note(tx, site=old.site, at=now, actor="author", action="comment:edit", subject=id)
        self._changed(arrival.site, arrival.article)
        return self._accept(new)

    async def withdraw(self, site: str, article: str, id: str) -> None:
        """The author takes it back, within the same window."""
        now = self.clock()
        async with self.database.transaction() as tx:
            old = await own_comment(tx, site, article, id, now)
            if not await comments.move(tx, old, "deleted", decided=old.decided):
                raise Conflict("The comment changed meanwhile.", code="changed")
            if old.status == "approved":
                await sites.touch(tx, site, [article])
            await audit.note(tx, site=site, at=now, actor="author", action="comment:withdraw", subject=id)
        self._changed(site, article)


def arrive(site: str, article: str, submission: Submission, keys: Keys, **circumstances: Any) -> Arrival:
    """An Arrival with its text rendered and its links counted, once, in the request that brings it."""
    html, links = markdown.render(submission.body), markdown.count_links(submission.body)
    return Arrival(site, article, submission, keys, html=html, links=links, **circumstances)


def asked(arrival: Arrival) -> Asked:
    sent = arrival.submission
    return Asked(sent.body, Author(sent.name, sent.url or "", sent.email_domain), arrival.site)


async def own_comment(tx: Session, site: str, article: str, id: str, now: int) -> Comment:
    """Raises NotFound, or Forbidden once the window is over."""
    found = (await comments.of_site(tx, site, [id])).get(id)
    if found is None or found.article != article or found.status == "deleted":
        raise NotFound("There is no such comment.")
    if now - found.created_at > EDIT_WINDOW:
        raise Forbidden("A comment can be changed for 15 minutes after it was posted.", code="edit_closed")
    return found


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
            article = Article(arrival.site, arrival.article, title=arrival.title, created_at=now)
        if not article.comments_open:
            raise Forbidden("Comments are closed for this article.", code="closed")
        sent, keys, rules = arrival.submission, arrival.keys, self.site.rules
        parent = self.known.get(sent.parent) if sent.parent else None
        if sent.parent and (parent is None or parent.article != article.key or parent.status != "approved"):
            raise Invalid(FieldError("parent", "unknown_parent", "is no published comment of this article"))
        if (keys.author, article.key, keys.body) in self.said:
            raise Conflict("You have said exactly this here already.", code="duplicate")
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
        self.said.add((keys.author, arrival.article, keys.body))
        self.by_author[keys.author] = self.by_author.get(keys.author, 0) + 1
        if keys.address:
            self.by_address[keys.address] = self.by_address.get(keys.address, 0) + 1
        if arrival.retry:
            self.answers[(arrival.article, arrival.retry[0])] = (
                arrival.retry[1],
                orjson.dumps(accepted.answer).decode(),
            )


async def look_up(tx: Session, key: str, arrivals: Iterable[Arrival], now: int) -> Book:
    """All that the batch needs to know of one site, in a handful of statements."""
    here = [a for a in arrivals if a.site == key]
    site = (await sites.sites(tx, [key])).get(key)
    if site is None:
        raise NotFound("There is no such site.")
    articles = await sites.articles(tx, key, {a.article for a in here})
    room = site.rules.new_articles_an_hour
    if any(a.article not in articles for a in here):
        room -= await sites.new_articles(tx, key, now - HOUR)
    ids = {i for a in here for i in (a.submission.parent, a.proof) if i and is_id(i)}
    authors, since = {a.keys.author for a in here}, first_id_at(now - MINUTE)
    addresses = {a.keys.address for a in here if a.keys.address}
    tickets = {a.retry[0] for a in here if a.retry}
    return Book(
        site,
        articles,
        room,
        known=await comments.of_site(tx, key, ids) if ids else {},
        said=await comments.said(tx, key, authors, {a.keys.body for a in here}),
        by_author=await comments.recent(tx, key, "author_key", authors, since),
        by_address=await comments.recent(tx, key, "address_key", addresses, since),
        answers=await retries.find(tx, key, tickets, now) if tickets else {},
    )
