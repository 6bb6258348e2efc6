"""The batch writer: waiting comments → scored → judged → stored → answered.

One writer takes all waiting comments as a batch (without a timer: a single comment does not wait), scores it off the event
loop, compares it with stored comments and with itself, commits one transaction, and then acknowledges.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from moderation.articles import register
from moderation.articles import store_openings as openings
from moderation.articles.store_openings import Opening
from moderation.comments import store as comments
from moderation.comments.model import EDIT_WINDOW, MOST_EDITS, Comment, place, public
from moderation.comments.store import JudgedComment
from moderation.comments.verdict import Verdict
from moderation.core.ids import new_id
from moderation.core.problem import Conflict, Forbidden, NotFound, Problem, TooFast, Unavailable
from moderation.core.urls import Links
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.duplicates import duplicates
from moderation.intake import store as idempotency
from moderation.intake.admission import Accepted, Arrival, BatchContext, look_up, said_of
from moderation.intake.judging import asked, decided, verdict_on, verdicts_on
from moderation.outbox import events
from moderation.policy import rule_health
from moderation.policy.scorer import BATCH, Scorer
from moderation.sites import store as sites
from moderation.sites.allowance import Allowance
from moderation.sites.model import Article, Site

log = logging.getLogger("moderation.intake")

REFUSED = ("spam", "rejected", "deleted")
WAITING = 2_000
TURNS = 5


@dataclass
class Counts:
    """The intake's counts since the start, for metrics."""

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
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        mails: bool = False,
    ) -> None:
        """Without `mails`, subscriptions to replies are not stored."""
        self.database, self.scorer, self.links = database, scorer, links
        self.counts, self.allowance = Counts(), Allowance()
        self.window = rule_health.Window(database)
        self.clock, self._mails = clock, mails
        self._waiting: deque[tuple[Arrival, asyncio.Future[Accepted]]] = deque()
        self._arrived = asyncio.Event()
        self._stopping = False
        self._in_flight: set[tuple[str, str, str]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def start(self, loops: asyncio.TaskGroup) -> None:
        self._task = loops.create_task(self._run(), name="intake")

    async def stop(self) -> None:
        """Stores the waiting comments, then ends."""
        self._stopping = True
        self._arrived.set()
        if self._task:
            await self._task

    async def submit(self, arrival: Arrival) -> Accepted:
        """Returns once the comment is on disk. Raises the Problem of a refusal; nothing is stored then."""
        if self._stopping:
            raise Unavailable("The service is stopping; nothing was stored. Try again shortly.")
        if len(self._waiting) >= WAITING:
            raise Unavailable("Too many requests are waiting; nothing was stored. Try again shortly.")
        key = (arrival.site, arrival.article, arrival.retry[0]) if arrival.retry else None
        if key in self._in_flight:
            raise Conflict("The first request with this Idempotency-Key is still being worked on.", code="in_flight")
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        if key:
            self._in_flight.add(key)
        try:
            self._waiting.append((arrival, future))
            self._arrived.set()
            return await future
        finally:
            if key:
                self._in_flight.discard(key)

    async def _run(self) -> None:
        while self._waiting or not self._stopping:
            await self._arrived.wait()
            await self._others()
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._waiting and not self._stopping:
                self._arrived.clear()
            if taken:
                results = await self._settle([arrival for arrival, _ in taken])
                for (_, future), result in zip(taken, results, strict=True):
                    if future.done():
                        continue  # the client has disconnected; the comment is stored all the same
                    if isinstance(result, BaseException):
                        future.set_exception(result)
                    else:
                        future.set_result(result)

    async def _others(self) -> None:
        """Collects comments that are already being received: it yields to the event loop until no further one arrives.

        A batch has a fixed cost, so two half batches cost more than one. A single comment waits some microseconds."""
        seen, turns = 0, 0
        while turns < TURNS and len(self._waiting) < BATCH:
            await asyncio.sleep(0)
            turns = turns + 1 if len(self._waiting) == seen else 0
            seen = len(self._waiting)

    async def _settle(self, arrivals: list[Arrival]) -> list[Accepted | BaseException]:
        self.counts.batches += 1
        try:
            return list(await self.take_in(arrivals))
        except Unavailable as problem:
            log.error("not stored", extra={"why": problem.detail, "count": len(arrivals)})
            return [problem] * len(arrivals)
        except Exception as error:
            if len(arrivals) == 1:
                return [error]
            # one bad row must not fail the others
            return [result for arrival in arrivals for result in await self._settle([arrival])]

    async def take_in(self, arrivals: list[Arrival]) -> list[Accepted | Problem]:
        """One result for each arrival, in order. The batch is one commit."""
        found = await self.scorer.score([asked(a) for a in arrivals])
        now = self.clock()
        async with self.database.transaction() as tx:
            books = {
                key: await look_up(tx.before, key, arrivals, now, self.scorer.shorteners())
                for key in sorted({a.site for a in arrivals})
            }
            filed = await duplicates.filed(tx.before, [(books[a.site].site, a.submission) for a in arrivals], now)
            results: list[Accepted | Problem] = []
            stored: list[JudgedComment] = []
            answers: list[tuple[str, str, str, str, str]] = []
            opened: list[Opening] = []
            for order, (arrival, answer) in enumerate(zip(arrivals, found, strict=True)):
                book = books[arrival.site]
                try:
                    if arrival.retry and (first := book.first_answer(arrival)):
                        results.append(first)
                        continue
                    if arrival.elsewhere:
                        article, parent = book.place_elsewhere(arrival, now)
                    else:
                        refused = self.allowance.refused(book.site, arrival.keys.network, now)
                        article, parent = book.admit(arrival, now, refused)
                except Problem as problem:
                    problem = self.allowance.told(problem, book.site, arrival.keys.network, now)
                    self.counts.refused[problem.code] += 1
                    results.append(problem)
                    continue
                crowded = not arrival.elsewhere and book.is_crowded(article)
                verdict = await verdict_on(arrival, answer, book, wave=filed[order], crowded=crowded)
                if arrival.elsewhere and (same := book.same_elsewhere(arrival)):
                    results.append(await self._once_more(tx, arrival, same, verdict, book, now))
                    continue
                comment = self._comment(arrival, article, parent, verdict, new_id(now, order), now)
                judged = JudgedComment(
                    comment=comment,
                    verdict=verdict,
                    keys=arrival.keys,
                    notify=self._mails and arrival.submission.notify,
                    email_domain=arrival.submission.email_domain,
                    link_hosts=arrival.submission.link_hosts,
                )
                accepted = (
                    Accepted(comment.id, False, {}, comment, verdict)
                    if arrival.elsewhere
                    else self._accept(comment, book.site)
                )
                if article.key not in book.articles and not arrival.elsewhere:
                    opening = Opening(
                        site=arrival.site,
                        article=article.key,
                        opened_at=now,
                        network_key=arrival.keys.network,
                        comment=comment.id,
                    )
                    opened.append(await register.proposed(opening, arrival.page, book.site, self.scorer))
                book.remember(arrival, article, comment, accepted)
                stored.append(judged)
                results.append(accepted)
                if arrival.retry:
                    key, request = arrival.retry
                    answers.append(
                        (arrival.site, arrival.article, key, request, orjson.dumps(accepted.answer).decode())
                    )
            for book in books.values():
                for article in book.new_articles:
                    if article.is_listed:
                        await register.register(tx, article)
                    else:  # no reader finds it, so it needs no vector
                        await sites.put_article(tx, article)
            if opened:
                await openings.add(tx, opened)
            await comments.add(tx, stored)
            await duplicates.keep(tx, stored)
            await rule_health.count(tx, stored)
            await idempotency.add(tx, answers, now)
            if heard := [j.comment for j in stored if books[j.comment.site].site.has_webhooks]:
                await events.emit(tx, "comment.created", heard, now)
            if self._mails:
                await self._mail(tx, stored, now)
            shown = {(j.comment.site, j.comment.article) for j in stored if j.comment.status == "approved"}
            for site in {site for site, _ in shown}:
                await sites.touch(tx, site, (article for s, article in shown if s == site))
        for judged in stored:
            self.counts.actions[judged.verdict.action] += 1
        try:
            await self.window.watch(stored, {key: book.site for key, book in books.items()}, now)
        except Exception as error:  # the batch is on disk: a failure now must not become an error for its authors
            log.error("the rules' window failed", extra={"why": type(error).__name__})
        return results

    async def _mail(self, tx: Session, stored: list[JudgedComment], now: int) -> None:
        await events.emit_replies(tx, [j.comment for j in stored], now)
        for judged in stored:  # not for spam: its author may have typed another person's address
            if judged.notify and judged.comment.email and judged.comment.status in ("approved", "pending"):
                await events.ask(tx, judged.comment.site, judged.keys.author, judged.comment.id, now)

    async def judge(self, arrivals: list[Arrival]) -> list[Verdict]:
        """The verdicts on comments that are kept elsewhere; nothing is stored."""
        return await verdicts_on(self.database, self.scorer, arrivals, self.clock())

    async def _once_more(
        self,
        tx: Session,
        arrival: Arrival,
        old: Comment,
        verdict: Verdict,
        book: BatchContext,
        now: int,
    ) -> Accepted:
        """A comment that is kept elsewhere, asked about again: the verdict of now, stored if its keeper has changed the text."""
        sent = arrival.submission
        if (old.name, old.url, old.body) == (sent.name, sent.url, sent.body):
            return Accepted(old.id, False, {}, old, decided(old, verdict) if old.is_decided else verdict)
        new = await self._edit(tx, arrival, old, verdict, now)
        book.kept_elsewhere[new.external_id or new.id] = book.said_elsewhere[said_of(arrival)] = new
        return Accepted(new.id, False, {}, new, verdict)

    def _comment(
        self, arrival: Arrival, article: Article, parent: Comment | None, verdict: Verdict, id: str, now: int
    ) -> Comment:
        sent = arrival.submission
        above, path = place(id, parent)
        return Comment(
            id=id,
            site=arrival.site,
            article=article.key,
            parent=above,
            path=path,
            status=verdict.status,
            revision=1,
            name=sent.name,
            email=sent.email,
            url=sent.url,
            body=sent.body,
            html=sent.html,
            created_at=now,
            format=sent.format,
            is_known=bool(verdict.facts.get("trusted")),
            external_id=(arrival.elsewhere.id or id) if arrival.elsewhere else None,
        )

    def _accept(self, comment: Comment, site: Site) -> Accepted:
        approved = comment.status == "approved"
        answer: dict[str, Any] = {"id": comment.id, "status": "pending"}
        if approved:
            answer = public(comment, self.links.avatar(comment.name), site.settings.author_links) | {
                "status": "approved"
            }
        answer["edit_token"] = self.links.signer.edit_token(comment.id)
        answer["receipt"] = self.links.receipt(comment.id)
        return Accepted(comment.id, approved, answer)

    async def amend(self, arrival: Arrival, id: str) -> Accepted:
        """The author's edit: checked and scored again, a new revision. A comment that a moderator decided stays at most `pending`."""
        now = self.clock()
        (answer,) = await self.scorer.score([asked(arrival)])
        async with self.database.transaction() as tx:
            old = await own_comment(tx, arrival.site, arrival.article, id, now)
            if old.revision >= MOST_EDITS:
                raise TooFast("This comment was changed too often. It can still be withdrawn.", EDIT_WINDOW // 1000)
            book = await look_up(tx, arrival.site, [arrival], now, self.scorer.shorteners())
            before = (await comments.verdicts(tx, arrival.site, [id])).get(id)
            (wave,) = await duplicates.filed(tx, [(book.site, arrival.submission)], now)
            verdict = await verdict_on(arrival, answer, book, before, wave)
            new = await self._edit(tx, arrival, old, verdict, now)
        return self._accept(new, book.site)

    async def _edit(self, tx: Session, arrival: Arrival, old: Comment, verdict: Verdict, now: int) -> Comment:
        """Stores the new text of a comment as a new revision. Raises Conflict."""
        sent = arrival.submission
        status = verdict.status
        if old.is_decided and arrival.elsewhere:
            # its keeper's people edit what they have approved; what they have refused stays so, whatever it says now
            status = old.status if status == "approved" or old.status in REFUSED else status
        elif old.is_decided and status == "approved":  # of its author's new text a person has not approved yet
            status = old.status if old.status != "approved" else "pending"
        new = replace(
            old,
            name=sent.name,
            url=sent.url,
            body=sent.body,
            html=sent.html,
            status=status,
            revision=old.revision + 1,
            judged_revision=old.revision + 1,
            edited_at=now,
            format=sent.format,
        )
        judged = JudgedComment(
            comment=new,
            verdict=verdict,
            keys=arrival.keys,
            notify=sent.notify,
            email_domain=sent.email_domain,
            link_hosts=sent.link_hosts,
        )
        if not await comments.edit(tx, judged, old.revision):
            raise Conflict("The comment changed meanwhile.", code="changed")
        await duplicates.keep_anew(tx, judged)
        await rule_health.count(tx, [judged])
        if "approved" in (old.status, new.status):
            await sites.touch(tx, arrival.site, [old.article])
        await events.emit(tx, "comment.edited", [new], now)
        await events.emit_replies(tx, [new], now)
        actor = "keeper" if arrival.elsewhere else "author"
        await audit.note(tx, site=old.site, at=now, actor=actor, action="comment:edit", subject=old.id)
        return new

    async def withdraw(self, site: str, article: str, id: str) -> None:
        """The author's withdrawal, within the same window."""
        now = self.clock()
        async with self.database.transaction() as tx:
            old = await own_comment(tx, site, article, id, now)
            if not await comments.move(tx, old, "deleted", decided=old.is_decided):
                raise Conflict("The comment changed meanwhile.", code="changed")
            if old.status == "approved":
                await sites.touch(tx, site, [article])
            await events.emit(tx, "comment.deleted", [old], now)
            await audit.note(tx, site=site, at=now, actor="author", action="comment:withdraw", subject=id)

    async def unsubscribe(self, site: str, id: str) -> None:
        """Ends mails about replies to a comment, at any time."""
        now = self.clock()
        async with self.database.transaction() as tx:
            if await comments.silence(tx, site, id):
                await audit.note(tx, site=site, at=now, actor="author", action="comment:unsubscribe", subject=id)


async def own_comment(tx: Session, site: str, article: str, id: str, now: int) -> Comment:
    """The author's comment. Raises NotFound, or Forbidden after the window."""
    found = (await comments.of_site(tx, site, [id])).get(id)
    if found is None or found.article != article or found.status == "deleted":
        raise NotFound("There is no such comment.")
    if now - found.created_at > EDIT_WINDOW:
        raise Forbidden("A comment can be changed for 15 minutes after it was posted.", code="edit_closed")
    return found
