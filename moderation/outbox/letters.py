"""Letters: what each kind of mail says, and to whom; looked up when it goes out, so that it is true then.

What anybody may type never stands in a mail that nobody asked for: a confirmation names the site and nothing else.
"""

from __future__ import annotations

from moderation.comment import Comment, iso, public
from moderation.links import Links
from moderation.outbox.mail import Letter, Link, Quote
from moderation.site import Article, Site
from moderation.storage import comments, failures, moderators, persons, queue, sites, subscriptions
from moderation.storage.database import Database, Session
from moderation.storage.outbox import Message
from moderation.storage.persons import Person

QUOTED = 1_000
"""Characters of a reply."""
NAMED = 5
"""How many of those that wait longest a digest names, on each site."""


class Letters:
    def __init__(self, database: Database, links: Links) -> None:
        self.database, self.links = database, links

    async def write(self, message: Message) -> Letter | None:
        """None where there is nothing to say any more: erased, withdrawn, unsubscribed, decided meanwhile."""
        kinds = {"reply": self._reply, "confirm": self._confirm, "person": self._person, "digest": self._digest}
        kinds |= {"invitation": self._invitation, "failed-signins": self._failed_signins}
        async with self.database.reading() as session:
            return await kinds[message.content["kind"]](session, message)

    async def _reply(self, session: Session, message: Message) -> Letter | None:
        reply, subscription = message.content["reply"], message.content["subscription"]
        wanted = await subscriptions.replies(session, message.site, [reply])
        if (reply, message.subject, subscription) not in wanted:
            return None
        found = await comments.of_site(session, message.site, [reply, message.subject])
        site = (await sites.sites(session, [message.site]))[message.site]
        said, above = found[reply], found[message.subject]
        article = (await sites.articles(session, site.key, [said.article]))[said.article]
        text = str(public(said, "")["text"])
        end = self.links.subscription(subscription)
        return Letter(
            above.email,
            f"A reply to your comment on {article.title or site.name}",
            (
                f"{said.name or 'Somebody'} replied to your comment on {article.title or site.name}:",
                Quote(text if len(text) <= QUOTED else text[:QUOTED] + "…"),
                Link("Read it and answer", self._place(site, article, said)),
                f"You get this mail because you asked {site.name} to tell you of replies.",
                Link("Stop these mails", end),
            ),
            above.name,
            end,
        )

    def _place(self, site: Site, article: Article, comment: Comment) -> str:
        if article.url:
            return f"{article.url.split('#')[0]}#comment-{comment.id}"
        return f"{self.links.form(site.key, article.key)}?parent={comment.id}"

    async def _confirm(self, session: Session, message: Message) -> Letter | None:
        asked = await subscriptions.find(session, message.content["subscription"])
        above = (await comments.of_site(session, message.site, [message.subject])).get(message.subject)
        if asked is None or asked.state != "asked" or above is None or not above.email:
            return None
        site = (await sites.sites(session, [message.site]))[message.site]
        place = self.links.subscription(asked.id)
        return Letter(
            above.email,
            f"Shall we tell you of replies on {site.name}?",
            (
                f"Somebody left a comment on {site.name} with this email address, and asked to be told of replies by mail.",
                Link(f"If it was you, confirm it here within {subscriptions.ANSWER_DAYS} days", place),
                "If it was not you, do nothing: you will get no mails of replies. The same page can stop these questions too.",
            ),
            unsubscribe=place,
        )

    async def _person(self, session: Session, message: Message) -> Letter | None:
        email = await persons.address(session, Person(message.subject))
        if email is None:
            return None
        return Letter(
            email,
            "What is held on you",
            (
                "Somebody asked for what is held on this email address: comments, and what belongs to them.",
                Link("Download it, or erase it", self.links.person(message.content["link"])),
                "The link works for 24 hours. If it was not you, do nothing: nothing will happen.",
            ),
        )

    async def _invitation(self, session: Session, message: Message) -> Letter | None:
        token = self.links.seal.mailed("invitation", message.content["link"])
        mark = self.links.seal.at_rest(token)
        moderator = await moderators.of_id(session, message.subject)
        if moderator is None or not await moderators.token(session, "set-password", mark, message.created_at):
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
        known = await failures.of(session, self.links.seal.author_key(moderator.email, ""))
        if not known.failed:  # they have looked meanwhile
            return None
        place = self.links.origin.partition("//")[2]
        return Letter(
            moderator.email,
            f"Failed sign-ins to your account on {place}",
            (
                f"{known.failed:,} sign-ins to your account on {place} have failed since you last looked.",
                "If that was not you: nobody came in by them, and you can still sign in. A second factor keeps even somebody "
                "out who has your password; the account's page turns it on.",
                Link("Your account", self.links.account()),
                "This mail comes at most once a day.",
            ),
        )

    async def _digest(self, session: Session, message: Message) -> Letter | None:
        moderator = await moderators.by_id(session, message.site, message.subject)
        if moderator is None or not moderator.digest or not (waiting := await queue.pending(session, moderator.site)):
            return None
        known = await sites.sites(session, waiting)
        parts: list[str | Link | Quote] = []
        for site, count in waiting.items():
            oldest = await queue.longest_waiting(session, site, NAMED)
            articles = await sites.articles(session, site, {c.article for c in oldest})
            parts.append(f"{known[site].name}: {counted(count)}. The oldest:")
            parts += [
                Link(f"{articles[c.article].title or c.article}, since {since(c.created_at)}", self.links.console(c.id))
                for c in oldest
            ]
        total, end = sum(waiting.values()), self.links.digest(moderator.id)
        where = known[next(iter(waiting))].name if len(waiting) == 1 else f"{len(waiting)} sites"
        return Letter(
            moderator.email,
            f"{counted(total)} on {where}",
            (
                *parts,
                Link("The whole queue", self.links.console()),
                "How often this mail may come is the setting MODERATION_DIGEST_HOURS; it never comes when nothing waits.",
                Link("Stop this mail", end),
            ),
            unsubscribe=end,
        )


def counted(count: int) -> str:
    return "1 comment waits" if count == 1 else f"{count:,} comments wait"


def since(at: int) -> str:
    return f"{(iso(at) or '')[:16].replace('T', ' ')} UTC"
