"""Letters: text and recipient of each kind of mail, looked up when it is sent, so that they are current.

A mail to an unconfirmed address contains no text that a stranger can type: a confirmation names only the site.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from moderation.comments import store as comments
from moderation.comments.model import Comment
from moderation.core.urls import Links
from moderation.db.database import Database, Session
from moderation.outbox import store_subscriptions as subscriptions
from moderation.outbox import texts
from moderation.outbox.smtp import Letter, Link, Quote
from moderation.outbox.store import Message
from moderation.sites import store as sites
from moderation.sites.model import Article, Site
from moderation.team import store as moderators
from moderation.team import store_failures as failures

QUOTED = 1_000
"""Characters of a reply that a mail quotes."""


Writer = Callable[[Links, Session, Message], Awaitable[Letter | None]]
"""Writes one kind of letter; None if it is obsolete."""


class Letters:
    """The letters of this slice and of the given other slices."""

    def __init__(self, database: Database, links: Links, writers: Mapping[str, Writer]) -> None:
        self.database, self.links, self.writers = database, links, writers

    async def write(self, message: Message) -> Letter | None:
        """The letter of a message; None if it is obsolete: erased, withdrawn, unsubscribed or decided meanwhile."""
        kinds = {
            "reply": self._reply,
            "confirm": self._confirm,
            "invitation": self._invitation,
            "failed-signins": self._failed_signins,
        }
        kind = message.content["kind"]
        async with self.database.reading() as session:
            if kind in self.writers:
                return await self.writers[kind](self.links, session, message)
            return await kinds[kind](session, message)

    async def _reply(self, session: Session, message: Message) -> Letter | None:
        reply, subscription = message.content["reply"], message.content["subscription"]
        subscribed = await subscriptions.replies(session, message.site, [reply])
        if (reply, message.subject, subscription) not in subscribed:
            return None
        pair = await comments.of_site(session, message.site, [reply, message.subject])
        site = (await sites.sites(session, [message.site]))[message.site]
        answer, above = pair[reply], pair[message.subject]
        article = (await sites.articles(session, site.key, [answer.article]))[answer.article]
        text = answer.text
        end, words = self.links.subscription(subscription), texts.of_site(site)
        title = article.title or site.name
        return Letter(
            above.email,
            words.say("reply.subject", article=title),
            (
                words.say("reply.who", name=answer.name or words.say("anonymous"), article=title),
                Quote(text if len(text) <= QUOTED else text[:QUOTED] + "…"),
                Link(words.say("reply.read"), self._place(site, article, answer)),
                words.say("reply.why", site=site.name),
                Link(words.say("stop"), end),
            ),
            above.name,
            end,
            words.lang,
        )

    def _place(self, site: Site, article: Article, comment: Comment) -> str:
        if article.url:
            return f"{article.url.split('#')[0]}#comment-{comment.id}"
        return f"{self.links.form(site.key, article.key)}?parent={comment.id}"

    async def _confirm(self, session: Session, message: Message) -> Letter | None:
        subscription = await subscriptions.find(session, message.content["subscription"])
        above = (await comments.of_site(session, message.site, [message.subject])).get(message.subject)
        if subscription is None or subscription.state != "asked" or above is None or not above.email:
            return None
        site = (await sites.sites(session, [message.site]))[message.site]
        place, words = self.links.subscription(subscription.id), texts.of_site(site)
        return Letter(
            above.email,
            words.say("confirm.subject", site=site.name),
            (
                words.say("confirm.who", site=site.name),
                Link(words.say("confirm.yes", days=subscriptions.ANSWER_DAYS), place),
                words.say("confirm.no"),
            ),
            unsubscribe=place,
            lang=words.lang,
        )

    async def _invitation(self, session: Session, message: Message) -> Letter | None:
        token = self.links.signer.sign("invitation", message.content["link"])
        token_hash = self.links.signer.token_hash(token)
        moderator = await moderators.of_id(session, message.subject)
        if moderator is None or not await moderators.token(session, "set-password", token_hash, message.created_at):
            return None
        place = self.links.origin
        return Letter(
            moderator.email,
            f"You are invited to moderate comments on {place.partition('//')[2]}",
            (
                f"An administrator of {place} invites you to moderate comments there.",
                Link("Choose a password", self.links.set_password(token)),
                "The link works once, within 48 hours. If you expected no such mail, do nothing.",
            ),
        )

    async def _failed_signins(self, session: Session, message: Message) -> Letter | None:
        moderator = await moderators.by_id(session, message.site, message.subject)
        if moderator is None:
            return None
        failed = await failures.of(session, self.links.signer.author_key(moderator.email, ""))
        if not failed.unseen:  # they have looked meanwhile
            return None
        place = self.links.origin.partition("//")[2]
        return Letter(
            moderator.email,
            f"Failed sign-ins to your account on {place}",
            (
                f"{failed.unseen:,} sign-ins to your account on {place} have failed since you last looked.",
                "If that was not you: nobody came in by them, and you can still sign in. A second factor keeps even somebody "
                "out who has your password; the account's page turns it on.",
                Link("Your account", self.links.account()),
                "This mail comes at most once a day.",
            ),
        )
