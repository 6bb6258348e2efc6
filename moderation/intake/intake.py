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
from moderation.core.problem import Conflict, Problem, TooFast, Unavailable
from moderation.core.urls import Links
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.duplicates import duplicates
from moderation.intake import store as idempotency
from moderation.intake.admission import Accepted, Arrival, BatchContext, look_up, said_of
from moderation.intake.edits import edit, own_comment
from moderation.intake.judging import asked, decided, is_to_read, verdict_on, verdicts_on
from moderation.intake.unread import Unread, ask_authors, is_unread
from moderation.intake.waiting import Result, ToCompile, ToRead, Waiting
from moderation.outbox import events
from moderation.policy import rule_health
from moderation.policy.answer import Answer
from moderation.policy.scorer import BATCH, Scorer
from moderation.sites import store as sites
from moderation.sites.allowance import Allowance
from moderation.sites.model import Article, Site
from moderation.sites.site_settings import SiteSettings

log = logging.getLogger("moderation.intake")

WAITING = 2_000
TURNS = 5
READER_WAIT = 0.25
"""Seconds that a comment waits for the second reader, where none are set."""


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
        reader_wait: float = READER_WAIT,
    ) -> None:
        """Without `mails`, subscriptions to replies are not stored. `reader_wait`: seconds that a comment waits for the second
        reader before it is stored unread."""
        self.database, self.scorer, self.links = database, scorer, links
        self.counts, self.allowance = Counts(), Allowance()
        self.window = rule_health.Window(database)
        self.clock, self._mails = clock, mails
        self.unread = Unread(database, scorer, clock, self.counts.actions, mails=mails)
        self.reader_wait = reader_wait
        self._waiting: deque[Waiting] = deque()
        self._set_aside: set[asyncio.Task[list[Answer | None]] | asyncio.Task[None]] = set()
        self._arrived = asyncio.Event()
        self._stopping = False
        self._in_flight: set[tuple[str, str, str]] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiting) + len(self._set_aside)

    def start(self, loops: asyncio.TaskGroup) -> None:
        self._task = loops.create_task(self._run(), name="intake")
        self.unread.start(loops)

    async def stop(self) -> None:
        """Stores the waiting comments, then ends; those that wait for the second reader are stored unread."""
        self._stopping = True
        self.reader_wait = 0.0
        for task in self._set_aside:
            task.cancel()
        self._arrived.set()
        try:
            if self._task:
                await self._task
        finally:  # also where storing takes longer than a stop may: the service waits for every loop's end
            await self.unread.stop()

    async def submit(self, arrival: Arrival) -> Accepted:
        """Returns once the comment is on disk. Raises the Problem of a refusal; nothing is stored then."""
        if self._stopping:
            raise Unavailable("The service is stopping; nothing was stored. Try again shortly.")
        if self.waiting >= WAITING:
            self.counts.refused[Unavailable.default_code] += 1
            raise Unavailable("Too many requests are waiting; nothing was stored. Try again shortly.")
        key = (arrival.site, arrival.article, arrival.retry[0]) if arrival.retry else None
        if key in self._in_flight:
            raise Conflict("The first request with this Idempotency-Key is still being worked on.", code="in_flight")
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        if key:
            self._in_flight.add(key)
        try:
            self._waiting.append(Waiting(arrival, future))
            self._arrived.set()
            return await future
        finally:
            if key:
                self._in_flight.discard(key)

    async def _run(self) -> None:
        while self.waiting or not self._stopping:
            await self._arrived.wait()
            await self._others()
            taken = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._waiting and (self._set_aside or not self._stopping):
                self._arrived.clear()
            if taken:
                results = await self._settle(taken)
                for one, result in zip(taken, results, strict=True):
                    if isinstance(result, ToRead):
                        self._set_aside_to_read(one, result.by_table)
                    elif isinstance(result, ToCompile):
                        self._set_aside_to_compile(one, result.settings)
                    elif one.future.done():
                        continue  # the client has disconnected; the comment is stored all the same
                    elif isinstance(result, BaseException):
                        one.future.set_exception(result)
                    else:
                        one.future.set_result(result)

    def _set_aside_to_read(self, one: Waiting, by_table: Answer) -> None:
        """Lets the second reader read an arrival, which comes back once it is read, or has waited for as long as it may."""

        def come_back(reading: asyncio.Task[list[Answer | None]]) -> None:
            self._set_aside.discard(reading)
            answer = None if reading.cancelled() or reading.exception() else reading.result()[0]
            self._waiting.append(replace(one, answer=answer or by_table))
            self._arrived.set()

        reading = asyncio.create_task(self.scorer.reader.read([asked(one.arrival)], self.reader_wait), name="reading")
        self._set_aside.add(reading)
        reading.add_done_callback(come_back)

    def _set_aside_to_compile(self, one: Waiting, settings: SiteSettings) -> None:
        """Compiles a site's lists outside of the transaction, in which other sites' comments would wait for them."""

        def come_back(compiling: asyncio.Task[None]) -> None:
            self._set_aside.discard(compiling)
            self._waiting.append(replace(one, is_compiled=True))
            self._arrived.set()
            if not compiling.cancelled():
                compiling.exception()  # an error comes again where the comment is judged, and is its answer

        compiling = asyncio.create_task(settings.compile(), name="compiling")
        self._set_aside.add(compiling)
        compiling.add_done_callback(come_back)

    async def _others(self) -> None:
        """Collects comments that are already being received: it yields to the event loop until no further one arrives.

        A batch has a fixed cost, so two half batches cost more than one. A single comment waits some microseconds."""
        seen, turns = 0, 0
        while turns < TURNS and len(self._waiting) < BATCH:
            await asyncio.sleep(0)
            turns = turns + 1 if len(self._waiting) == seen else 0
            seen = len(self._waiting)

    async def _settle(self, waiting: list[Waiting]) -> list[Result | BaseException]:
        self.counts.batches += 1
        try:
            return list(await self.take_in(waiting))
        except Unavailable as problem:
            log.error("not stored", extra={"why": problem.detail, "count": len(waiting)})
            self.counts.refused[problem.code] += len(waiting)
            return [problem] * len(waiting)
        except Exception as error:
            if len(waiting) == 1:
                return [error]
            # one bad row must not fail the others
            return [result for one in waiting for result in await self._settle([one])]

    async def _answers(self, waiting: list[Waiting]) -> list[Answer | None]:
        """The table's answer, where the arrival brings none."""
        new = [one for one in waiting if one.answer is None]
        by_table = iter(await self.scorer.score([asked(one.arrival) for one in new]) if new else ())
        return [one.answer or next(by_table) for one in waiting]

    async def take_in(self, waiting: list[Waiting]) -> list[Result]:
        """One result for each arrival, in order. The batch is one commit."""
        found, arrivals = await self._answers(waiting), [one.arrival for one in waiting]
        now = self.clock()
        async with self.database.transaction() as tx:
            books = {
                key: await look_up(tx.before, key, arrivals, now, self.scorer.shorteners())
                for key in sorted({a.site for a in arrivals})
            }
            filed = await duplicates.filed(tx.before, [(books[a.site].site, a.submission) for a in arrivals], now)
            results: list[Result] = []
            stored: list[JudgedComment] = []
            to_read: list[tuple[Comment, Verdict]] = []
            aside = 0
            answers: list[tuple[str, str, str, str, str]] = []
            opened: list[Opening] = []
            for order, (arrival, answer) in enumerate(zip(arrivals, found, strict=True)):
                book = books[arrival.site]
                in_force = book.site.settings.in_force(now)
                if not (waiting[order].is_compiled or in_force.are_compiled):
                    results.append(ToCompile(in_force))
                    continue
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
                verdict = await verdict_on(arrival, answer, book, now, wave=filed[order], crowded=crowded)
                if answer and is_to_read(verdict, answer):
                    if waiting[order].answer is None and self.scorer.reader.delay(aside + 1) <= self.reader_wait:
                        results.append(ToRead(answer))
                        aside += 1
                        continue
                    verdict = await verdict_on(
                        arrival, answer, book, now, wave=filed[order], crowded=crowded, unread=True
                    )
                if arrival.elsewhere and (same := book.same_elsewhere(arrival)):
                    again = await self._once_more(tx, arrival, same, verdict, book, now)
                    results.append(again)
                    if again.comment and is_unread(verdict.reasons):
                        to_read.append((again.comment, verdict))
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
                if answer and not answer.is_read:
                    to_read.append((comment, verdict))
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
            final = [j for j in stored if not is_unread(j.verdict.reasons)]  # of the others is told once they are read
            if heard := [j.comment for j in final if books[j.comment.site].site.has_webhooks]:
                await events.emit(tx, "comment.created", heard, now)
            if self._mails:
                await events.emit_replies(tx, [j.comment for j in final], now)
                await ask_authors(tx, final, now)
            shown = {(j.comment.site, j.comment.article) for j in stored if j.comment.status == "approved"}
            for site in {site for site, _ in shown}:
                await sites.touch(tx, site, (article for s, article in shown if s == site))
        self.unread.add(to_read)
        self.counts.actions.update(judged.verdict.action for judged in final)
        try:
            await self.window.watch(stored, {key: book.site for key, book in books.items()}, now)
        except Exception as error:  # the batch is on disk: a failure now must not become an error for its authors
            log.error("the rules' window failed", extra={"why": type(error).__name__})
        return results

    async def judge(self, arrivals: list[Arrival]) -> list[Verdict]:
        """The verdicts on comments that are kept elsewhere; nothing is stored."""
        return await verdicts_on(self.database, self.scorer, arrivals, self.clock())

    async def _once_more(
        self, tx: Session, arrival: Arrival, old: Comment, verdict: Verdict, book: BatchContext, now: int
    ) -> Accepted:
        """A comment that is kept elsewhere, asked about again: the verdict of now, stored if its keeper has changed the text."""
        sent = arrival.submission
        if (old.name, old.url, old.body) == (sent.name, sent.url, sent.body):
            if is_unread(verdict.reasons):  # the second reader may have read it since it was asked about first
                verdict = (await comments.verdicts(tx, old.site, [old.id])).get(old.id, verdict)
            return Accepted(old.id, False, {}, old, decided(old, verdict) if old.is_decided else verdict)
        new = await edit(tx, arrival, old, verdict, now)
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
            shown = public(comment, self.links.avatar(comment.name), site.settings.author_links)
            answer = shown | {"status": "approved"}
        answer["edit_token"] = self.links.signer.edit_token(comment.id)
        answer["receipt"] = self.links.receipt(comment.id)
        return Accepted(comment.id, approved, answer)

    async def amend(self, arrival: Arrival, id: str) -> Accepted:
        """The author's edit: checked and scored again, a new revision. A comment that a moderator decided stays at most `pending`."""
        now = self.clock()
        (answer,) = await self.scorer.read([asked(arrival)], self.reader_wait)
        async with self.database.reading() as session:
            site = (await sites.sites(session, [arrival.site])).get(arrival.site)
        if site:
            await site.settings.in_force(now).compile()
        async with self.database.transaction() as tx:
            old = await own_comment(tx, arrival.site, arrival.article, id, now)
            if old.revision >= MOST_EDITS:
                raise TooFast("This comment was changed too often. It can still be withdrawn.", EDIT_WINDOW // 1000)
            book = await look_up(tx, arrival.site, [arrival], now, self.scorer.shorteners())
            before = (await comments.verdicts(tx, arrival.site, [id])).get(id)
            (wave,) = await duplicates.filed(tx, [(book.site, arrival.submission)], now)
            verdict = await verdict_on(arrival, answer, book, now, before, wave)
            if is_to_read(verdict, answer):
                verdict = await verdict_on(arrival, answer, book, now, before, wave, unread=True)
            new = await edit(tx, arrival, old, verdict, now)
        if answer and not answer.is_read:
            self.unread.add([(new, verdict)])
        return self._accept(new, book.site)

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
