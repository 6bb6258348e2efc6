"""POST /score: texts in, probabilities and an action out. Nothing is stored."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from classifier.examples import Asked, Author
from moderation import body, markdown, policy, queue
from moderation.moderator import EVERYWHERE
from moderation.problem import FieldError, Invalid, Unavailable
from moderation.site import HouseRules
from moderation.storage import sites
from moderation.submission import Submission

MOST = 1000


async def post_score(request: Request) -> Response:
    """Probabilities per label, the action that the policy would take, and why."""
    state = request.app.state
    asker = await state.doorman.bearer(request, "score")
    raw = await body.read_json(request, body.SCORES)
    texts, author = texts_of(raw), author_of(raw.get("author"))
    site = "default" if asker.site == EVERYWHERE else asker.site
    async with state.database.reading() as session:
        known = (await sites.sites(session, [site])).get(site)
    scored = await state.scorer.score([Asked(text, author, site) for text in texts], patient=len(texts) > 1)
    if any(one is None for one in scored):
        raise Unavailable("No model answered; see /health/ready.", code="unscored")
    rules, thresholds = known.rules if known else HouseRules(), state.scorer.thresholds()
    found = []
    for text, one in zip(texts, scored, strict=True):
        case = policy.Case(
            Submission(author.name, f"x@{author.email_domain}", author.url or None, text, None, False),
            rules,
            one.scores,
            one.model,
            thresholds,
            links=markdown.count_links(text),
        )
        verdict = policy.judge(case)
        reasons = [reason.document() for reason in verdict.reasons]
        found.append({"scores": one.scores, "action": verdict.action, "reasons": reasons})
    if "texts" in raw:
        return answer({"results": found, "model": scored[0].model if scored else state.scorer.classifier.version})
    reasons = found[0]["reasons"]
    reasons += await queue.clues_of(state.scorer, Asked(texts[0], author, site), scored[0].model)
    return answer(found[0] | {"model": scored[0].model})


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
    return Author(raw.get("name", ""), raw.get("url", ""), raw.get("email_domain", ""))


def answer(found: Any) -> Response:
    return Response(orjson.dumps(found), headers={"Cache-Control": "no-store"}, media_type="application/json")


routes = [Route("/score", post_score, methods=["POST"])]
