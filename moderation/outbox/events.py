"""Events: outgoing messages about comments, stored in the transaction of the change.

Webhooks receive events; authors receive mails about replies after they have confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moderation.comments.model import Comment, public
from moderation.core.ids import EVERYWHERE, new_id
from moderation.core.signing import Signer
from moderation.core.times import LEEWAY, iso
from moderation.db.database import Database, Session
from moderation.outbox import store as outbox
from moderation.outbox import store_subscriptions as subscriptions
from moderation.outbox import store_webhooks as webhooks
from moderation.outbox.store import MAIL, Message
from moderation.outbox.store_subscriptions import Subscription
from moderation.sites import store as sites
from moderation.team import store as moderators
from moderation.team import store_failures as failures
from moderation.team.model import Moderator

DAY = 24 * 3_600_000
WORTH_A_MAIL = 5
"""Failed sign-ins that make a mail: more than typing errors."""

EVENTS = {
    "comment.created": "Somebody has replied; `status` says what became of it.",
    "comment.edited": "Its author has changed it, or a moderator has taken a piece out.",
    "comment.decided": "A moderator has decided on it, or taken a decision back.",
    "comment.reported": "As many readers as the site says have reported it; it is pending.",
    "comment.appealed": "Its author appeals a rejection; it is pending again.",
    "comment.deleted": "Its author has withdrawn it, or it was erased: `id`, `site` and `article` only.",
}


def document(comment: Comment, author_links: str) -> dict[str, Any]:
    """The public comment and its status, without email and network address and anything derived from them."""
    shown = public(comment, "", author_links) | {
        "site": comment.site,
        "article": comment.article,
        "status": comment.status,
    }
    del shown["replies"]
    return shown | external(comment)


def external(comment: Comment) -> dict[str, str]:
    """The id of a comment that is kept elsewhere, by which its keeper finds it."""
    return {"external_id": comment.external_id} if comment.external_id else {}


def gone(comment: Comment) -> dict[str, Any]:
    here = {"id": comment.id, "site": comment.site, "article": comment.article, "status": "deleted"}
    return here | external(comment)


async def emit(tx: Session, event: str, comments: Iterable[Comment], now: int, **more: Any) -> None:
    """Puts one message per comment and webhook into the outbox. Without webhooks it costs one query."""
    assert event in EVENTS
    about = list(comments)
    listeners = [e for e in await webhooks.listening(tx, {c.site for c in about}) if event in e.events]
    if not listeners:
        return
    is_gone = event == "comment.deleted"
    of_sites = await sites.sites(tx, {c.site for c in about})

    def data(comment: Comment) -> dict[str, Any]:
        return gone(comment) if is_gone else document(comment, of_sites[comment.site].settings.author_links)

    contents = [(c, {"type": event, "timestamp": iso(now), "data": data(c) | more}) for c in about]
    await outbox.add(
        tx,
        [
            Message(
                site=c.site,
                id=new_id(now, order),
                destination=e.id,
                subject="" if is_gone else c.id,
                content=content,
                created_at=now,
            )
            for order, (c, content) in enumerate(contents)
            for e in listeners
            if e.site in (EVERYWHERE, c.site)
        ],
    )


async def emit_replies(tx: Session, comments: Iterable[Comment], now: int) -> None:
    """A mail for each published reply to a subscribed author: once, even if the reply is published again."""
    shown = [c for c in comments if c.status == "approved" and c.parent]
    for site in {c.site for c in shown}:
        replies = await subscriptions.replies(tx, site, [c.id for c in shown if c.site == site])
        await outbox.add(
            tx,
            [
                Message(
                    site=site,
                    id=f"reply.{reply}",
                    destination=MAIL,
                    subject=above,
                    content={"kind": "reply", "reply": reply, "subscription": id},
                    created_at=now,
                )
                for reply, above, id in replies
            ],
        )


async def ask(tx: Session, site: str, person: str, comment: str, now: int) -> None:
    """Sends an address the confirmation mail for replies on a site, and nothing more until it confirms.

    An address gets at most one such mail a day, over all sites, because anybody can type it; after a refusal, none.
    """
    by_site = await subscriptions.of_person(tx, person)
    here = by_site.get(site)
    if here and here.state in ("confirmed", "refused"):
        return
    if any(now - DAY < s.asked_at < now + LEEWAY for s in by_site.values()):
        return
    subscription = Subscription(
        site=site, author_key=person, id=here.id if here else new_id(now), state="asked", asked_at=now
    )
    await subscriptions.put(tx, subscription, now)
    content = {"kind": "confirm", "subscription": subscription.id}
    await outbox.add(
        tx,
        [
            Message(
                site=site,
                id=f"confirm.{new_id(now)}",
                destination=MAIL,
                subject=comment,
                content=content,
                created_at=now,
            )
        ],
    )


async def invite(tx: Session, moderator: Moderator, link: str, now: int) -> None:
    """A mail with a password link; the link is derived from its id when the mail is sent."""
    content = {"kind": "invitation", "link": link}
    await outbox.add(
        tx,
        [
            Message(
                site=moderator.site,
                id=f"invitation.{link}",
                destination=MAIL,
                subject=moderator.id,
                content=content,
                created_at=now,
            )
        ],
    )


async def failed_signins(database: Database, signer: Signer, now: int, *, mails: bool) -> None:
    """A mail to each moderator with many failed sign-ins, at most one a day; deletes the counts of unknown accounts. It runs
    at intervals, not at the failures, whose answers must take equal time."""
    async with database.transaction() as tx:
        people = {signer.author_key(m.email, ""): m for m in await moderators.ready(tx)}
        await failures.forget(tx, now - DAY, people)
        for key, m in people.items() if mails else ():
            failed = await failures.of(tx, key)
            if failed.unmailed >= WORTH_A_MAIL and now - failed.mailed_at >= DAY:
                message = Message(
                    site=m.site,
                    id=f"failed-signins.{m.id}.{now}",
                    destination=MAIL,
                    subject=m.id,
                    content={"kind": "failed-signins"},
                    created_at=now,
                )
                await outbox.add(tx, [message])
                await failures.sign(tx, key, now)


async def anything_failed(database: Database) -> bool:
    async with database.reading() as session:
        return await failures.any_known(session)
