"""Unread comments: what was stored before the second reader had read it is read, judged again and released, or stays held.

The database knows them by their verdict's reason `unread`, so those of a killed process are found at the next start. Their order
of arrival is kept. When none is left, the reader reads what the table alone has held or filed: for its reasons and its place in
the queue, never for its status.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from classifier.examples import Asked, Author
from moderation.comments import store as comments
from moderation.comments import store_unread as stored
from moderation.comments.model import Comment
from moderation.comments.store import JudgedComment, Keys
from moderation.comments.store_submissions import JudgedSubmission
from moderation.comments.verdict import HOLD, Reason, Verdict
from moderation.core.offload import WRITING
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.duplicates import duplicates
from moderation.outbox import events
from moderation.policy import rejudge, rule_health
from moderation.policy import rules as policy
from moderation.policy.answer import Answer
from moderation.policy.reader_queue import NEXT, SPARE
from moderation.policy.scorer import PATIENCE, Scorer
from moderation.sites import store as sites
from moderation.sites.model import Site

log = logging.getLogger("moderation.intake.unread")

STEP = 16
"""Comments that are read and settled together, in one transaction."""
MOST_AFTERWARDS = 1_000
"""Held and filed comments that wait to be read; the oldest are left with the table's scores."""
PAUSE, LONGEST_PAUSE = 0.5, 5.0
"""Seconds until a failing reader is tried again; doubled each time."""
BY_SCORE = ("label", "certain-spam")
"""The rules that the reader's scores can change."""

Key = tuple[str, str]
"""(site, id)."""
Stored = tuple[Comment, JudgedSubmission]


class Unread:
    def __init__(
        self, database: Database, scorer: Scorer, clock: Callable[[], int], actions: Counter[str], *, mails: bool
    ) -> None:
        """`actions` counts the verdicts."""
        self.database, self.scorer, self.clock = database, scorer, clock
        self._actions, self._mails = actions, mails
        self.pause = PAUSE
        self._late: dict[Key, None] = {}
        self._afterwards: dict[Key, None] = {}
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """The comments that are stored unread and known here."""
        return len(self._late)

    def start(self, loops: asyncio.TaskGroup) -> None:
        self._task = loops.create_task(self._run(), name="unread")

    async def stop(self) -> None:
        """Each step is complete in itself; what is unread is read after the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, judged: Iterable[tuple[Comment, Verdict]]) -> None:
        """Takes stored comments that the second reader has not read."""
        for comment, verdict in judged:
            waiting = self._late if is_unread(verdict.reasons) else self._afterwards
            waiting[comment.site, comment.id] = None
        while len(self._afterwards) > MOST_AFTERWARDS:
            del self._afterwards[next(iter(self._afterwards))]
        self._count()

    async def find(self) -> None:
        """Before the start: takes all that earlier processes have left, in any order, so that several workers share them."""
        async with self.database.reading() as session:
            found = await stored.ids(session)
        random.shuffle(found)
        self._late |= dict.fromkeys(found)
        self._count()

    async def is_any_left(self) -> bool:
        async with self.database.reading() as session:
            return bool(await stored.ids(session, stored.young(self.clock())))

    async def find_left(self) -> None:
        """The same while others work: only those that nobody has read for a while."""
        async with self.database.reading() as session:
            found = await stored.ids(session, stored.young(self.clock()))
        self._late |= dict.fromkeys(found)
        self._count()

    def _count(self) -> None:
        self.scorer.reader.unread = len(self._late)
        if self._late or self._afterwards:
            self._some.set()
        else:
            self._some.clear()

    async def _run(self) -> None:
        pause = self.pause
        while True:
            try:
                await self._some.wait()
                done = await self.step()
            except Exception as error:  # no database: what is unread stays so meanwhile
                log.warning("the unread comments wait", extra={"why": type(error).__name__})
                done = False
            if done:
                pause = self.pause
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def step(self) -> bool:
        """Reads and settles the first ones; False if none of them could be read."""
        lane, waiting = (NEXT, self._late) if self._late else (SPARE, self._afterwards)
        if not (keys := list(waiting)[:STEP]):
            return True
        async with self.database.reading() as session:
            rows = [row for row in await stored.of(session, keys) if is_to_read(row, late=lane == NEXT)]
        found = await self.scorer.read([asked(row) for _, row in rows], PATIENCE, lane) if rows else []
        read = [(row, answer) for (_, row), answer in zip(rows, found, strict=True) if answer and answer.is_read]
        if read:
            await self._settle(read, late=lane == NEXT)
        settled = {(row.site, row.id) for row, _ in read}
        left = {(row.site, row.id) for _, row in rows} - settled
        for key in keys:
            waiting.pop(key, None)
            if key in left and lane == NEXT:  # behind the others, which it may not keep waiting
                waiting[key] = None
        self._count()
        return len(left) < len(keys)

    async def _settle(self, read: list[tuple[JudgedSubmission, Answer]], *, late: bool) -> None:
        now = self.clock()
        async with self.database.transaction() as tx:
            answers = {(row.site, row.id, row.revision): answer for row, answer in read}
            rows = await stored.of(tx, [(row.site, row.id) for row, _ in read])
            rows = [
                row
                for row in rows
                if is_to_read(row, late=late) and (row[1].site, row[1].id, row[1].revision) in answers
            ]
            if not rows:  # somebody was faster with all of them
                return
            known = await sites.sites(tx, {comment.site for comment, _ in rows})
            settled = []
            for comment, row in rows:
                answer, site = answers[row.site, row.id, row.revision], known[row.site]
                if not late:
                    await stored.judged_anew(tx, comment, with_both(row, answer, site))
                    continue
                verdict = await self._verdict(tx, comment, row, answer, site, now)
                if new := await moved(tx, comment, verdict):
                    await stored.judged_anew(tx, new, verdict)
                    settled.append(await judged(tx, new, row, verdict))
            if settled:
                await self._tell(tx, settled, known, now)
        self._actions.update(one.verdict.action for one in settled)

    async def _verdict(
        self, tx: Session, comment: Comment, row: JudgedSubmission, answer: Answer, site: Site, now: int
    ) -> Verdict:
        """Of the rules of now, by what is stored of the circumstances; the lists met the network address when it arrived."""
        case = rejudge.case_of(row, site.settings.in_force(now), answer.scores, answer.thresholds)
        (wave,) = await duplicates.filed(tx, [(site, case.submission)], now)
        _, network_key = (await comments.keys_of(tx, site.key, [comment.id]))[comment.id]
        case = replace(
            case,
            model=answer.model,
            fields=answer.fields,
            network_key=network_key,
            muted=site.muted,
            wave=wave,
            unread=False,
        )
        verdict = await WRITING.run(policy.judge, case, here=policy.is_quick(case))
        kept = {name: fact for name, fact in row.facts.items() if name not in ("unread", "fields")}
        return replace(verdict, facts=kept | verdict.facts)

    async def _tell(self, tx: Session, settled: list[JudgedComment], known: dict[str, Site], now: int) -> None:
        """All that storing them read would have told."""
        await rule_health.count(tx, settled)
        told = [j.comment for j in settled if known[j.comment.site].has_webhooks and not j.comment.is_decided]
        if new := [c for c in told if c.judged_revision == 1]:
            await events.emit(tx, "comment.created", new, now)
        if edited := [c for c in told if c.judged_revision > 1 and c.status != "pending"]:
            await events.emit(tx, "comment.edited", edited, now)
        if self._mails:
            await events.emit_replies(tx, [j.comment for j in settled], now)
            await ask_authors(tx, [j for j in settled if j.comment.judged_revision == 1], now)
        for site in known:
            shown = [c.article for c in (j.comment for j in settled) if c.site == site and c.status == "approved"]
            await sites.touch(tx, site, shown)
        await audit.note_many(
            tx,
            [
                (c.site, now, "service", "comment:read", c.id, {"status": c.status})
                for c in (j.comment for j in settled)
                if c.status != "pending"
            ],
        )


async def moved(tx: Session, old: Comment, verdict: Verdict) -> Comment | None:
    """The comment with its status by the verdict; a person's decision on it stands. None if it has changed meanwhile."""
    if verdict.action == HOLD or old.is_decided:
        return old
    if not await comments.move(tx, old, verdict.status, decided=False):
        return None
    return replace(old, status=verdict.status, revision=old.revision + 1)


async def judged(tx: Session, comment: Comment, row: JudgedSubmission, verdict: Verdict) -> JudgedComment:
    author, network = (await comments.keys_of(tx, comment.site, [comment.id]))[comment.id]
    return JudgedComment(
        comment=comment,
        verdict=verdict,
        keys=Keys(author=author, network=network, body=""),
        notify=comment.id in await comments.notified(tx, comment.site, [comment.id]),
        email_domain=row.email_domain,
    )


async def ask_authors(tx: Session, judged: Iterable[JudgedComment], now: int) -> None:
    """Asks the authors who want mails about replies to confirm their address: not for spam, because its author may have typed
    another person's."""
    for one in judged:
        if one.notify and one.comment.email and one.comment.status in ("approved", "pending"):
            await events.ask(tx, one.comment.site, one.keys.author, one.comment.id, now)


def is_unread(reasons: Iterable[Reason]) -> bool:
    return any(reason.rule == policy.UNREAD.rule for reason in reasons)


def is_to_read(row: Stored, *, late: bool) -> bool:
    """Whether a comment still waits for the reader: nobody has decided on it, withdrawn or edited it meanwhile."""
    comment, judged = row
    unread = is_unread(map(Reason.of, judged.reasons))
    if late:
        return unread and comment.status == "pending"
    return not unread and not comment.is_decided and comment.status in ("pending", "spam")


def with_both(row: JudgedSubmission, answer: Answer, site: Site) -> Verdict:
    """The verdict on what the table has held or filed, with the scores of both and their reasons. What held it stays a reason if
    no other is left, and the action stays."""
    case = replace(
        rejudge.case_of(row, site.settings, answer.scores, answer.thresholds), fields=answer.fields, muted=site.muted
    )
    by_score = policy.judge(case, tuple(rule for rule in policy.RULES if rule[0] in BY_SCORE)).reasons
    old = tuple(Reason.of(reason) for reason in row.reasons)
    reasons = (*(reason for reason in old if reason.rule not in BY_SCORE), *by_score) or old
    fields = {"fields": dict(answer.fields)} if answer.fields else {}
    facts = {name: fact for name, fact in row.facts.items() if name != "fields"} | fields
    return Verdict(action=row.action, reasons=reasons, scores=answer.scores, model=answer.model, facts=facts)


def asked(row: JudgedSubmission) -> Asked:
    return Asked(rejudge.text_of(row), Author(row.author_name, row.author_url or "", row.email_domain), row.site)
