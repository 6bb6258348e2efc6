"""Judging: an arrival with its scores and its circumstances → a verdict. Nothing is stored here."""

from __future__ import annotations

from dataclasses import replace

from classifier.examples import Asked, Author
from moderation.comments.model import Comment
from moderation.comments.verdict import HOLD, PUBLISH, SPAM, Reason, Verdict
from moderation.core.offload import WRITING
from moderation.db.database import Database
from moderation.duplicates import duplicates
from moderation.intake.admission import Arrival, BatchContext, look_up
from moderation.policy import known_hosts
from moderation.policy import rules as policy
from moderation.policy.answer import Answer
from moderation.policy.scorer import Scorer


async def verdict_on(
    arrival: Arrival,
    answer: Answer | None,
    book: BatchContext,
    now: int,
    before: Verdict | None = None,
    wave: str = "",
    crowded: bool = False,
    unread: bool = False,
) -> Verdict:
    """The verdict. `before` is the verdict on the replaced text: an edit keeps the circumstances of the comment. `unread`: it is
    to be stored before the second reader has read it."""
    sent = arrival.submission
    known = book.known_elsewhere if arrival.elsewhere else book.known_hosts
    known |= known_hosts.own_hosts(book.site, book.articles.get(arrival.article))
    case = policy.Case(
        submission=sent,
        settings=book.site.settings.in_force(now),
        scores=answer.scores if answer else None,
        model=answer.model if answer else None,
        thresholds=answer.thresholds if answer else {},
        fields=answer.fields if answer else {},
        links=sent.links,
        strange_links=known_hosts.strange(sent.link_hosts, known),
        strange_website=bool(sent.url) and sent.website_host not in known,
        trusted=is_trusted(arrival, book, before),
        form=str(before.facts.get("form", "")) if before else arrival.form,
        honeypot=bool(before.facts.get("honeypot")) if before else arrival.honeypot,
        address=arrival.address,
        author=arrival.keys.author,
        network_key=arrival.keys.network,
        muted=book.site.muted,
        wave=wave,
        new_article=bool(before.facts.get("new_article")) if before else crowded,
        unread=unread,
    )
    verdict = await WRITING.run(policy.judge, case, here=policy.is_quick(case))
    if arrival.elsewhere:
        verdict = replace(verdict, facts=verdict.facts | arrival.elsewhere.facts)
    return verdict


async def verdicts_on(database: Database, scorer: Scorer, arrivals: list[Arrival], now: int) -> list[Verdict]:
    """The verdicts on comments that are kept elsewhere. What the table alone would publish, because the second reader did not
    answer in time, has the reason `unread`."""
    answers = await scorer.read([asked(arrival) for arrival in arrivals])
    async with database.reading() as session:
        books = {
            key: await look_up(session, key, arrivals, now, scorer.shorteners())
            for key in {arrival.site for arrival in arrivals}
        }
        pairs = [(books[arrival.site].site, arrival.submission) for arrival in arrivals]
        waves = await duplicates.filed(session, pairs, now)
    for book in books.values():
        await book.site.settings.in_force(now).compile()
    verdicts = []
    for arrival, answer, wave in zip(arrivals, answers, waves, strict=True):
        verdict = await verdict_on(arrival, answer, books[arrival.site], now, wave=wave)
        if is_to_read(verdict, answer):
            verdict = replace(verdict, reasons=(policy.UNREAD,))
        verdicts.append(verdict)
    return verdicts


def is_to_read(verdict: Verdict, answer: Answer | None) -> bool:
    """Whether the table alone would publish a text that the second reader has not read."""
    return verdict.action == PUBLISH and answer is not None and not answer.is_read


def is_trusted(arrival: Arrival, book: BatchContext, before: Verdict | None) -> bool:
    if arrival.elsewhere:
        return arrival.elsewhere.trusted
    return bool(before.facts.get("trusted")) if before else book.trusts(arrival)


def decided(comment: Comment, verdict: Verdict) -> Verdict:
    """The verdict on a comment that a person has decided on, asked about again unchanged: the decision."""
    action = {"approved": PUBLISH, "pending": HOLD}.get(comment.status, SPAM)
    reason = Reason(rule="decided", note=f"a moderator has decided: {comment.status}")
    return replace(verdict, action=action, reasons=(reason, *verdict.reasons))


def asked(arrival: Arrival) -> Asked:
    sent = arrival.submission
    return Asked(sent.text, Author(sent.name, sent.url or "", sent.email_domain), arrival.site)
