"""Checks: comments that are kept elsewhere are judged, stored and decided as the service's own, and never public."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from urllib.parse import unquote

from moderation.comments import store as comments
from moderation.comments.model import Comment
from moderation.comments.store import Keys
from moderation.comments.submission import BODY_BYTES, EXTERNAL_ID_LONGEST, URL_LONGEST, Submission, body_key, hosts_in
from moderation.core.offload import REQUESTS
from moderation.core.problem import Forbidden, NotFound, TooFast
from moderation.core.signing import Signer
from moderation.db.database import Database
from moderation.dialects.mentions import without_mentions
from moderation.dialects.model import Check, CheckResult
from moderation.intake.admission import Arrival, Elsewhere
from moderation.intake.intake import Intake
from moderation.privacy import data_requests
from moderation.queue import decide as queue
from moderation.sites.model import DAY, checks_key
from moderation.team.model import Principal
from moderation.text import body as formats
from moderation.text.addresses import EMAIL_LONGEST, checked_email, checked_url, trimmed, with_scheme
from moderation.text.bare_addresses import is_web
from moderation.text.disguised import ascii_host
from moderation.transfer.normalise import clean, clean_name

TAUGHT_A_DAY = 10_000
"""Decisions that one key may make in 24 hours: what a stolen key can teach before somebody sees it."""


class Checks:
    """One for each process, in `Services.checks`."""

    def __init__(self, database: Database, intake: Intake, signer: Signer, clock: Callable[[], int]) -> None:
        self.database, self.intake, self.signer, self.clock = database, intake, signer, clock
        self._taught: Counter[tuple[str, int]] = Counter()

    async def judge(self, site: str, checks: Sequence[Check]) -> list[CheckResult]:
        """Judges and keeps nothing. Raises NotFound without the site."""
        verdicts = await self.intake.judge([await self._arrival(site, check) for check in checks])
        return [CheckResult(verdict=verdict) for verdict in verdicts]

    async def submit(self, site: str, check: Check) -> CheckResult:
        """Judges and stores; returns once it is on disk. The same check again (by id, else by author, text and page) is the same
        comment: it is judged anew, and stored anew where its text has changed. Raises Unavailable; nothing is stored then."""
        accepted = await self.intake.submit(await self._arrival(site, check))
        assert accepted.verdict
        return CheckResult(verdict=accepted.verdict, comment=accepted.comment)

    async def find(self, site: str, check: Check) -> Comment | None:
        """The stored comment of a check: by its id, else by author, text and page, else by author and text."""
        arrival = await self._arrival(site, check)
        async with self.database.reading() as session:
            if check.id:
                id = external_id(check.id)
                return (await comments.by_external_id(session, site, [id])).get(id)
            same = await comments.postings(
                session, site, [arrival.keys.author], [arrival.keys.body], elsewhere=True
            )  # fmt: skip
            stored = await comments.of_site(session, site, [one.id for one in same]) if same else {}
        return max(stored.values(), key=lambda one: (one.article == arrival.article, one.id), default=None)

    async def of_id(self, site: str, id: str) -> Comment:
        """The stored comment with this id of its keeper's. Raises NotFound."""
        async with self.database.reading() as session:
            comment = (await comments.by_external_id(session, site, [external_id(id)])).get(external_id(id))
        if comment is None:
            raise NotFound("There is no such check.")
        return comment

    async def decide(
        self, principal: Principal, comment: Comment, action: str, labels: tuple[str, ...] = (), note: str = ""
    ) -> str:
        """A decision on a stored check, which teaches; returns its id. `action` as in `comments/decision.py`. A later decision
        replaces an earlier one. Raises Forbidden without the scope `teach`, TooFast past the key's allowance of a day."""
        self.check_teaching(principal)
        now = self.clock()
        decision, _ = await queue.decide(self.database, principal, [comment.id], action, labels, note, {}, now)
        self._taught[principal.token_hash, now // DAY] += 1
        return decision

    def check_teaching(self, principal: Principal) -> None:
        """Raises Forbidden without the scope `teach`, TooFast past the key's allowance of a day."""
        if not principal.may("teach"):
            raise Forbidden("The scope teach is missing.", code="scope")
        today = self.clock() // DAY
        for key in [key for key in self._taught if key[1] != today]:
            del self._taught[key]
        if self._taught[principal.token_hash, today] >= TAUGHT_A_DAY:
            raise TooFast("This key has made its decisions of the day.", 3600, code="taught_enough")

    async def erase(self, comment: Comment, actor: str) -> None:
        """Erases a stored check, its judged texts, and what its decisions taught at the next retraining."""
        await data_requests.erase_comment(self.database, comment, actor, self.clock())

    async def _arrival(self, site: str, check: Check) -> Arrival:
        sent = await REQUESTS.run(submission_of, check, here=len(check.text) <= formats.LIGHT_HTML)
        return Arrival(
            site=site,
            article=checks_key(check.article),
            submission=sent,
            keys=Keys(
                author=self.signer.author_key(sent.email, sent.name),
                network=self.signer.network_key(check.ip.strip()),
                body=sent.body_key,
            ),
            address=check.ip.strip(),
            honeypot=check.honeypot,
            elsewhere=Elsewhere(
                id=external_id(check.id),
                parent=external_id(check.parent),
                page=clean(check.article),
                kind=check.kind,
                trusted=check.trusted,
                date=check.date,
            ),
        )


def external_id(id: str) -> str:
    return clean(id)[:EXTERNAL_ID_LONGEST]


def submission_of(check: Check) -> Submission:
    """A check as a submission. A plain text is stored as HTML; what is too long is cut."""
    text = clean(check.text)
    is_plain = check.format == "plain" or (check.format == "markdown" and is_heavy(text))
    format = formats.MARKDOWN if check.format == "markdown" and not is_plain else formats.HTML
    whole = html.escape(text, quote=False) if is_plain else text
    body = cut(whole)
    rendered = formats.render(body, format)
    linked = rendered
    if check.kind == "fediverse":
        linked = formats.render(without_mentions(body), format)
    name, email, url = clean_name(check.name), clean(check.email), with_scheme(trimmed(clean(check.url)))
    return Submission(
        name=name,
        email=(checked_email(email) if len(email) <= EMAIL_LONGEST else None) or "",
        url=checked_url(url) if 0 < len(url) <= URL_LONGEST else None,
        body=body,
        body_key=body_key(rendered.text),
        text=rendered.text,
        html=rendered.html,
        link_hosts=linked.link_hosts + followed_hosts(body if format == formats.HTML else "") + hosts_in(name),
        format=format,
        is_cut=len(body) < len(whole),
    )


HEAVY = 10_000
"""Characters from which Markdown is read as plain text, unless it has little mark-up: its parser takes seconds for more."""


def is_heavy(text: str) -> bool:
    return len(text) > HEAVY and not formats.is_light(text, formats.MARKDOWN)


_FOLLOWED = re.compile(r"""\b(href|src)\s*=\s*["']?([^"'<>]{3,300})""", re.IGNORECASE)
_UNSEEN = re.compile("[\x00-\x20\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_ELSEWHERE = re.compile(r"(?:(?:https?|ftp):)?/{2,}([^/?#]+)|https?:/?([^/?#]+)", re.IGNORECASE)


def followed_hosts(source: str) -> tuple[str, ...]:
    """The hosts of addresses that browsers follow in another system's HTML, and that ours leaves out: without a scheme, with
    backslashes, of pictures and frames, with characters that nobody sees."""
    hosts = []
    for match in islice(_FOLLOWED.finditer(source), MOST_FOLLOWED) if "=" in source else ():
        written = html.unescape(match[2]).strip()
        address = _UNSEEN.sub("", unquote(written)).replace("\\", "/")
        if match[1].lower() == "href" and address == written and is_web(written):
            continue  # a link here too
        if found := _ELSEWHERE.match(address):
            hosts.append(ascii_host((found[1] or found[2]).rpartition("@")[2].partition(":")[0]))
    return tuple(hosts)


MOST_FOLLOWED = 200


def cut(text: str) -> str:
    """A text of at most BODY_BYTES."""
    return text if len(text) * 4 <= BODY_BYTES else text.encode()[:BODY_BYTES].decode(errors="ignore")
