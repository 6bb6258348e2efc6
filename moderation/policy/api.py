"""POST /api/v1/score: texts in, probabilities and an action out. Nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from classifier.examples import Asked, Author, Scored
from moderation.comments.submission import BODY_BYTES, NAME_LONGEST, URL_LONGEST, Submission
from moderation.core.ids import EVERYWHERE
from moderation.core.offload import SCORES
from moderation.core.problem import FieldError, Invalid, Unavailable
from moderation.policy import rules as policy
from moderation.queue import decide as queue
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import SiteSettings
from moderation.text import markdown
from moderation.text.addresses import EMAIL_LONGEST
from moderation.web import bodies

MOST = 1000
TOGETHER = 8
"""Texts that are judged in one go: another question waits for no more."""
PARSED = 500_000
"""Characters with mark-up that one question has parsed."""
AUTHOR = {"name": NAME_LONGEST, "url": URL_LONGEST, "email_domain": EMAIL_LONGEST}
"""Characters of what is known of an author: no comment has more."""


async def post_score(request: Request) -> Response:
    """Probabilities per label, the action that the policy would take, and why."""
    services = services_of(request)
    principal = await services.authenticator.bearer(request, "score")
    raw = await bodies.read_json(request, bodies.SCORES)
    texts, author = texts_of(raw), author_of(raw.get("author"))
    site = "default" if principal.site == EVERYWHERE else principal.site
    async with services.database.reading() as session:
        known = (await sites.sites(session, [site])).get(site)
    scored = await services.scorer.score([Asked(text, author, site) for text in texts], patient=len(texts) > 1)
    answers = [one for one in scored if one is not None]
    if len(answers) < len(texts):
        raise Unavailable("No model answered; see /health/ready.", code="unscored")
    judge = Judge(known.rules if known else SiteSettings(), services.scorer.thresholds(), author)
    found = []
    for at in range(0, len(texts), TOGETHER):
        some = list(zip(texts[at : at + TOGETHER], answers[at : at + TOGETHER], strict=True))
        found += await SCORES.run(judge.documents, some, here=len(texts) == 1 and judge.is_quick(texts[0]))
    if "texts" in raw:
        return answer({"results": found, "model": answers[0].model if answers else services.scorer.classifier.version})
    reasons = found[0]["reasons"]
    reasons += await queue.clues_of(services.scorer, Asked(texts[0], author, site), answers[0].model)
    return answer(found[0] | {"model": answers[0].model})


class Judge:
    """What a site's policy makes of texts, one after the other."""

    def __init__(self, rules: SiteSettings, thresholds: Mapping[str, float], author: Author) -> None:
        self.rules, self.thresholds, self.author = rules, thresholds, author
        self._to_parse = PARSED

    def is_quick(self, text: str) -> bool:
        return markdown.is_light(text) and self.rules.are_compiled and self.rules.reading(len(text)) <= policy.AT_ONCE

    def documents(self, some: Sequence[tuple[str, Scored]]) -> list[dict[str, Any]]:
        """As long as one comment may be, each text is read as one."""
        found = []
        for text, one in some:
            text = text[:BODY_BYTES]
            by = self.author
            sent = Submission(by.name, f"x@{by.email_domain}", by.url or None, text, None, False)
            case = policy.Case(sent, self.rules, one.scores, one.model, self.thresholds, links=self.links(text))
            verdict = policy.judge(case)
            reasons = [reason.document() for reason in verdict.reasons]
            found.append({"scores": one.scores, "action": verdict.action, "reasons": reasons})
        return found

    def links(self, text: str) -> int:
        """As they are counted in a comment; past PARSED characters with mark-up, by what begins as one."""
        if self._to_parse <= 0 and not markdown.is_light(text):
            return markdown.estimated_links(text)
        if not markdown.is_light(text):
            self._to_parse -= len(text)
        return markdown.count_links(text)


def texts_of(raw: dict[str, Any]) -> list[str]:
    """Raises Invalid. Any text is legal, an empty one too."""
    if ("text" in raw) == ("texts" in raw):
        raise Invalid(FieldError("text", "required", "give either text or texts"))
    texts = raw["texts"] if "texts" in raw else [raw["text"]]
    field = "texts" if "texts" in raw else "text"
    if not isinstance(texts, list) or len(texts) > MOST or not all(isinstance(text, str) for text in texts):
        raise Invalid(FieldError(field, "invalid", f"must be a text, or at most {MOST} of them in texts"))
    return texts


def author_of(raw: Any) -> Author:
    if raw is None:
        return Author()
    if not isinstance(raw, dict) or not all(isinstance(raw.get(k, ""), str) for k in ("name", "url", "email_domain")):
        raise Invalid(FieldError("author", "invalid", "must be an object with the texts name, url and email_domain"))
    return Author(*(raw.get(k, "")[:most] for k, most in AUTHOR.items()))


def answer(found: Any) -> Response:
    return Response(orjson.dumps(found), headers={"Cache-Control": "no-store"}, media_type="application/json")


routes = [Route("/api/v1/score", post_score, methods=["POST"])]
