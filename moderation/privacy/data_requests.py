"""All that is held on one address: export it, erase it; and the link by which its owner may do so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from moderation.comments.decision import teaches
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
from moderation.outbox.smtp import Letter, Link
from moderation.outbox.store import MAIL, Message
from moderation.privacy import store as data_subjects
from moderation.privacy.store import Person
from moderation.sites import store as sites
from moderation.text.addresses import checked_email

DAY = 24 * 3_600_000
LINK_LIFE = DAY


@dataclass(frozen=True, slots=True)
class Erased:
    comments: int
    """(site, article) of those that look different now."""


def person_of(signer: Signer, email: str, site: str = EVERYWHERE) -> Person:
    return Person(signer.author_key(checked_email(email) or email.strip(), ""), site)


async def known_site(session: Session, site: str) -> None:
    if site != EVERYWHERE and not await sites.sites(session, [site]):
        raise NotFound("There is no such site.")


async def export(database: Database, person: Person, addresses: int) -> dict[str, Any]:
    """Every comment of this person, what was judged and decided of them, and which mails they wanted. `addresses`: for how
    many days the keys of network addresses are kept."""
    async with database.reading() as session:
        await known_site(session, person.site)
        return await held(session, person, addresses)


async def held(session: Session, person: Person, addresses: int) -> dict[str, Any]:
    found = await data_subjects.comments(session, person)
    return {
        "email": await data_subjects.address(session, person),
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
        "network_hashes": await data_subjects.networks(session, person, addresses),
        "appeals": await data_subjects.appeals(session, person),
        "judged": await data_subjects.submissions(session, person),
        "shadow": await data_subjects.shadow(session, person),
        "decisions": await data_subjects.decisions(session, person),
        "subscriptions": await data_subjects.subscriptions(session, person),
    }


async def erase(database: Database, person: Person, actor: str, now: int) -> Erased:
    """Texts, names and addresses go, from the outbox too; decisions keep their ids, and endpoints hear what to delete.

    The next retraining no longer has the texts, and until then the live model is marked; replies by others stay, and hang
    on what is left above them.
    """
    async with database.transaction() as tx:
        await known_site(tx, person.site)
        return await _erase(tx, person, actor, now)


async def _erase(tx: Session, person: Person, actor: str, now: int) -> Erased:
    found = await data_subjects.comments(tx, person)
    decided = await data_subjects.decisions(tx, person)
    taught = Counter(d["site"] for d in decided if d["stands"] and teaches(d["action"], d["labels"]))
    await data_subjects.erase(tx, person)
    await secure_delete.ask(tx, now)
    await events.emit(tx, "comment.deleted", found, now)
    for site, examples in taught.items():
        await training_state.erased(tx, site, examples, now)
    touched = {(c.site, c.article) for c in found}
    for site in {site for site, _ in touched} | set(taught):
        await sites.touch(tx, site, (article for s, article in touched if s == site))
        count = sum(c.site == site for c in found)
        await audit.note(tx, site=site, at=now, actor=actor, action="person:erase", subject="person", comments=count)
    return Erased(len(found))


async def ask(database: Database, signer: Signer, email: str, now: int) -> None:
    """Mail a link to that address, where anything is held on it: at most one a day.

    The same is written whether or not, so that neither the answer nor its time tells.
    """
    person = person_of(signer, email)
    async with database.transaction() as tx:
        if await data_subjects.asked_since(tx, person.key, now - DAY):
            return
        id = new_id(now)
        is_known = await data_subjects.address(tx, person) is not None
        await data_subjects.add_link(tx, id, person.key, now)
        if is_known:
            content = {"kind": "person", "link": id}
            await outbox.add(tx, [Message(EVERYWHERE, f"person.{id}", MAIL, person.key, content, now)])


async def of_link(session: Session, id: str | None, now: int) -> data_subjects.PersonLink:
    """Raises NotFound for one that is forged, over or used up."""
    found = await data_subjects.link(session, id, now - LINK_LIFE) if id else None
    if found is None:
        raise NotFound("There is no such link, or its time is over. Ask for a new one at /privacy.")
    return found


async def export_by_link(database: Database, id: str | None, addresses: int, now: int) -> dict[str, Any]:
    """Once. Raises NotFound."""
    async with database.transaction() as tx:
        found = await of_link(tx, id, now)
        if not await data_subjects.use_link(tx, found.id, now):
            raise NotFound("This link has been used for a download already. Ask for a new one tomorrow at /privacy.")
        return await held(tx, Person(found.person), addresses)


async def erase_by_link(database: Database, id: str | None, now: int) -> Erased:
    """Once: the link goes with all the rest. Raises NotFound."""
    async with database.transaction() as tx:
        found = await of_link(tx, id, now)
        return await _erase(tx, Person(found.person), "person", now)


async def letter(links: Links, session: Session, message: Message) -> Letter | None:
    """The link that was asked for; None where the address is gone."""
    email = await data_subjects.address(session, Person(message.subject))
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
