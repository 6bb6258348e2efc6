"""Export and erasure of the data on one email address, and the mailed link for its owner."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from moderation.comments import store as comments
from moderation.comments import store_appeals as appeals
from moderation.comments import store_authors as authors
from moderation.comments import store_decisions as decisions
from moderation.comments import store_notes as notes
from moderation.comments import store_submissions as submissions
from moderation.comments.decision import teaches
from moderation.comments.model import Comment
from moderation.comments.store_decisions import Decision
from moderation.comments.store_notes import Note
from moderation.comments.store_submissions import JudgedSubmission
from moderation.core.ids import EVERYWHERE, new_id
from moderation.core.problem import NotFound
from moderation.core.signing import Signer
from moderation.core.times import iso
from moderation.core.urls import Links
from moderation.db import audit, secure_delete
from moderation.db.database import Database, Session
from moderation.learning import store as training_state
from moderation.outbox import events
from moderation.outbox import store as outbox
from moderation.outbox import store_subscriptions as subscriptions
from moderation.outbox.smtp import Letter, Link
from moderation.outbox.store import MAIL, Message
from moderation.policy import store_blocks as blocks
from moderation.policy import store_read_along as read_along
from moderation.privacy import store as data_subjects
from moderation.privacy.store import DataSubject
from moderation.sites import store as sites
from moderation.text.addresses import checked_email
from moderation.text.wordlist import AUTHOR

DAY = 24 * 3_600_000
LINK_LIFE = DAY


@dataclass(frozen=True, slots=True)
class Erased:
    comments: int
    """(site, article) of the changed threads."""


def data_subject_of(signer: Signer, email: str, site: str = EVERYWHERE) -> DataSubject:
    return DataSubject(key=signer.author_key(checked_email(email) or email.strip(), ""), site=site)


async def known_site(session: Session, site: str) -> None:
    if site != EVERYWHERE and not await sites.sites(session, [site]):
        raise NotFound("There is no such site.")


async def export(database: Database, subject: DataSubject, addresses: int) -> dict[str, Any]:
    """Every comment of this person, with judgements and decisions, and their subscriptions. `addresses`: the retention period
    of network addresses' keys, in days."""
    async with database.reading() as session:
        await known_site(session, subject.site)
        return await held(session, subject, addresses)


async def held(session: Session, subject: DataSubject, addresses: int) -> dict[str, Any]:
    found = await data_subjects.comments(session, subject)
    times = {c.id: c.created_at for c in found}
    held: dict[str, Any] = {
        "email": await data_subjects.address(session, subject),
        "comments": [
            {
                "id": c.id,
                "site": c.site,
                "article": c.article,
                "status": c.status,
                "name": c.name,
                "email": c.email,
                "url": c.url,
                "body": c.body,
                "format": c.format,
                "created_at": iso(c.created_at),
                "edited_at": iso(c.edited_at),
            }
            for c in found
        ],
    } | {
        name: []
        for name in (
            "network_hashes",
            "appeals",
            "judged",
            "read_along",
            "decisions",
            "notes",
            "blocks",
            "subscriptions",
            "saved_filters",
        )
    }
    async for site, ids in data_subjects.judged_ids(session, subject):
        for id, (_, network) in (await comments.keys_of(session, site, ids)).items():
            if network:
                until = iso(times[id] + addresses * DAY) if addresses else None
                held["network_hashes"].append({"site": site, "id": id, "kept_until": until})
        held["appeals"] += [
            {"site": site, "id": id} | told for id, told in (await appeals.of(session, site, ids)).items()
        ]
        on_comments = await notes.of_comments(session, site, ids)
        held["notes"] += [note_document(note) for some in on_comments.values() for note in some]
        texts = (await submissions.of(session, site, ids)).values()
        held["judged"] += [judged_document(text) for some in texts for text in some if text.author_key == subject.key]
    held["decisions"] = [decision_document(decision) for decision in await decisions_on(session, subject)]
    for site in await data_subjects.sites_of(session, subject):
        on_author = await notes.of_authors(session, site, [subject.key])
        held["notes"] += [note_document(note) for some in on_author.values() for note in some]
        if block := (await blocks.of(session, site, [AUTHOR + subject.key])).get(AUTHOR + subject.key):
            times_of = {"created_at": iso(block.created_at), "ended_at": iso(block.ended_at)}
            held["blocks"].append({"site": site, "reason": block.reason, **times_of})
        for id, revision, verdict, at in await read_along.of_author(session, site, subject.key):
            verdict |= {"site": site, "id": id, "revision": revision, "created_at": iso(at)}
            held["read_along"].append(verdict)
    wanted = await subscriptions.of_person(session, subject.key)
    for site in await data_subjects.sites_of(session, subject):
        if one := wanted.get(site):
            held["subscriptions"].append({"site": site, "state": one.state, "asked_at": iso(one.asked_at)})
    held["saved_filters"] = [
        {"id": one.id, "name": one.name, "filters": one.filters, "created_at": iso(one.created_at)}
        for one in await data_subjects.filters_about(session, subject)
    ]
    for rows in held.values():
        if isinstance(rows, list):
            rows.sort(key=lambda row: (row.get("id", ""), row.get("revision", 0)))
    return held


async def decisions_on(session: Session, subject: DataSubject) -> list[Decision]:
    """Decisions on the person's texts, oldest first."""
    found = list[Decision]()
    async for site, ids in data_subjects.judged_ids(session, subject):
        found += [one for some in (await decisions.of(session, site, ids)).values() for one in some]
    return sorted(found, key=lambda decision: decision.id)


def judged_document(text: JudgedSubmission) -> dict[str, Any]:
    return {
        "site": text.site,
        "id": text.id,
        "revision": text.revision,
        "source": text.source,
        "body": text.body,
        "action": text.action,
        "scores": text.scores,
        "model": text.model,
        "created_at": iso(text.created_at),
        "format": text.format,
        "name": text.author_name,
        "url": text.author_url,
        "email_domain": text.email_domain,
        "reasons": text.reasons,
    }


def note_document(note: Note) -> dict[str, Any]:
    """A moderator's note on a comment or on the person, without who wrote it. `id`: the comment's."""
    return {
        "site": note.site,
        "id": note.comment or "",
        "body": note.body,
        "created_at": iso(note.created_at),
        "edited_at": iso(note.edited_at),
    }


def decision_document(decision: Decision) -> dict[str, Any]:
    """`stands`: not undone."""
    return {
        "site": decision.site,
        "id": decision.submission,
        "action": decision.action,
        "labels": list(decision.labels),
        "note": decision.note,
        "reason": decision.reason or None,
        "created_at": iso(decision.created_at),
        "stands": decision.undone_at is None,
    }


async def erase(database: Database, subject: DataSubject, actor: str, now: int) -> Erased:
    """Erases texts, names and addresses, also in the outbox. Decisions keep their ids; webhooks receive `comment.deleted`.

    The next retraining excludes the texts; until then the live model is marked as outdated. Replies by others stay, attached to
    the nearest remaining comment above.
    """
    async with database.transaction() as tx:
        await known_site(tx, subject.site)
        return await _erase(tx, subject, actor, now)


async def _erase(tx: Session, subject: DataSubject, actor: str, now: int) -> Erased:
    found = await data_subjects.comments(tx, subject)
    decided = await decisions_on(tx, subject)
    taught = Counter(d.site for d in decided if d.undone_at is None and teaches(d.action, d.labels))
    await data_subjects.erase(tx, subject)
    await secure_delete.request(tx, now)
    await events.emit(tx, "comment.deleted", found, now)
    for site, examples in taught.items():
        await training_state.erased(tx, site, examples, now)
    touched = {(c.site, c.article) for c in found}
    for site in {site for site, _ in touched} | set(taught):
        await sites.touch(tx, site, (article for s, article in touched if s == site))
        count = sum(c.site == site for c in found)
        await audit.note(tx, site=site, at=now, actor=actor, action="person:erase", subject="person", comments=count)
    return Erased(len(found))


async def erase_comment(database: Database, comment: Comment, actor: str, now: int) -> None:
    """Erases one comment and its judged texts, as `erase` does all of a person's."""
    site, id = comment.site, comment.id
    async with database.transaction() as tx:
        taken = await decisions.on(tx, site, id)
        author, _ = (await comments.keys_of(tx, site, [id])).get(id, ("", ""))
        await outbox.forget_subjects(tx, site, [id])
        await authors.erase(tx, site, author, [id])
        await blocks.forget(tx, site, "", [id])
        await secure_delete.request(tx, now)
        await events.emit(tx, "comment.deleted", [comment], now)
        if examples := sum(d.undone_at is None and bool(teaches(d.action, d.labels)) for d in taken):
            await training_state.erased(tx, site, examples, now)
        await sites.touch(tx, site, [comment.article])
        await audit.note(tx, site=site, at=now, actor=actor, action="comment:erase", subject=id)


async def ask(database: Database, signer: Signer, email: str, now: int) -> None:
    """Mails a link to the address if data is held on it, at most one a day.

    The same rows are written in both cases, so that neither the answer nor its time reveals which.
    """
    subject = data_subject_of(signer, email)
    async with database.transaction() as tx:
        if await data_subjects.asked_since(tx, subject.key, now - DAY):
            return
        id = new_id(now)
        is_known = await data_subjects.address(tx, subject) is not None
        await data_subjects.add_link(tx, id, subject.key, now)
        if is_known:
            content = {"kind": "person", "link": id}
            await outbox.add(
                tx,
                [
                    Message(
                        site=EVERYWHERE,
                        id=f"person.{id}",
                        destination=MAIL,
                        subject=subject.key,
                        content=content,
                        created_at=now,
                    )
                ],
            )


async def of_link(session: Session, id: str | None, now: int) -> data_subjects.DataSubjectLink:
    """The data subject of a link. Raises NotFound for a forged, expired or used one."""
    found = await data_subjects.link(session, id, now - LINK_LIFE) if id else None
    if found is None:
        raise NotFound("There is no such link, or it has expired. Ask for a new one at /privacy.")
    return found


async def export_by_link(database: Database, id: str | None, addresses: int, now: int) -> dict[str, Any]:
    """The export of a link, once. Raises NotFound."""
    async with database.transaction() as tx:
        found = await of_link(tx, id, now)
        if not await data_subjects.use_link(tx, found.id, now):
            raise NotFound("This link has been used for a download already. Ask for a new one tomorrow at /privacy.")
        return await held(tx, DataSubject(key=found.author_key), addresses)


async def erase_by_link(database: Database, id: str | None, now: int) -> Erased:
    """The erasure of a link, once; the link is erased too. Raises NotFound."""
    async with database.transaction() as tx:
        found = await of_link(tx, id, now)
        return await _erase(tx, DataSubject(key=found.author_key), "person", now)


async def letter(links: Links, session: Session, message: Message) -> Letter | None:
    """The letter with the link; None if the address is erased."""
    email = await data_subjects.address(session, DataSubject(key=message.subject))
    if email is None:
        return None
    return Letter(
        email,
        "What is held on you",
        (
            "Somebody asked for what is held on this email address: comments, and what belongs to them.",
            Link("Download it, or erase it", links.person(message.content["link"])),
            "The link works for 24 hours. If it was not you, do nothing: nothing will happen.",
        ),
    )
