"""POST /api/v1/score: texts in, probabilities and an action out. Nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NotRequired

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from classifier.examples import Asked, Author
from classifier.serving import ModelError
from moderation.comments.submission import BODY_BYTES, NAME_LONGEST, URL_LONGEST, Submission
from moderation.core.ids import EVERYWHERE
from moderation.core.offload import SCORES
from moderation.core.problem import FieldError, Invalid, Unavailable
from moderation.policy import rules as policy
from moderation.policy.answer import Answer
from moderation.policy.schemas import ScoreReason
from moderation.policy.scorer import MODEL_VERSION
from moderation.queue import decide as queue
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.site_settings import SiteSettings
from moderation.team.model import Principal
from moderation.text import markdown
from moderation.text.addresses import EMAIL_LONGEST
from moderation.web import bodies
from moderation.web.guard import principal_of
from moderation.web.operations import json_answer, operation
from moderation.web.params import Body, Says

MOST = 1000
TOGETHER = 8
"""Texts judged at a time: another request waits at most for these."""
PARSED = 500_000
"""Characters with mark-up that are parsed for one request."""
AUTHOR = {"name": NAME_LONGEST, "url": URL_LONGEST, "email_domain": EMAIL_LONGEST}
"""The author's fields and their limits in characters, as for comments."""


class AuthorIn(Body):
    name: str = ""
    url: str = ""
    email_domain: str = ""


class ScoreIn(Body):
    """Either `text`, or up to 1,000 of them in `texts`. Any text is legal, an empty one too."""

    text: Annotated[str | None, Says("must be a text")] = None
    texts: Annotated[list[str] | None, Field(max_length=MOST), Says(f"must be a list of at most {MOST} texts")] = None
    author: Annotated[AuthorIn | None, Says("must be an object with the texts name, url and email_domain")] = None


class Judged(TypedDict):
    scores: dict[str, float]
    action: str
    reasons: list[ScoreReason]


class ScoreOut(TypedDict):
    """For `text`: scores, action, reasons and model; for `texts`: the results in their order, and the model."""

    scores: NotRequired[dict[str, float]]
    action: NotRequired[str]
    reasons: NotRequired[list[ScoreReason]]
    results: NotRequired[list[Judged]]
    model: str


@operation(
    "POST", "/api/v1/score", body=ScoreIn, most=bodies.SCORES, answers={200: ScoreOut}, scope="score", sessions=False,
    headers=(MODEL_VERSION,), tag="score",
)  # fmt: skip
async def score_texts(request: Request, given: ScoreIn) -> Response:
    """Probabilities per label, the action that the policy would take, and why.

    The reason `unread`, beside any action: the second reader did not answer in time, and the table answers alone."""
    services = services_of(request)
    texts, author = texts_of(given), author_of(given.author)
    site = site_of(principal_of(request))
    async with services.database.reading() as session:
        known = (await sites.sites(session, [site])).get(site)
    asked = [Asked(text, author, site) for text in texts]
    version = request.headers.get(MODEL_VERSION, "")
    scored = await services.scorer.score_by(asked, site, version)
    answers = [one for one in scored if one is not None]
    if len(answers) < len(texts):
        raise Unavailable("No model answered; see /health/ready.", code="unscored")
    judge = Judge((known.settings if known else SiteSettings()).in_force(services.clock()), author)
    found = []
    for at in range(0, len(texts), TOGETHER):
        some = list(zip(texts[at : at + TOGETHER], answers[at : at + TOGETHER], strict=True))
        found += await SCORES.run(judge.documents, some, here=len(texts) == 1 and judge.is_quick(texts[0]))
    model = answers[0].model if answers else version or services.scorer.classifier.model(site)
    document: dict[str, Any] = {"results": found}
    if given.texts is None:
        (document,) = found
        document["reasons"] += await queue.attributions_of(services.scorer, asked[0], model)
    answer = json_answer(document | {"model": model})
    answer.headers[MODEL_VERSION] = model
    return answer


class Model(TypedDict):
    """A kept version. `card`: its sources, calibration, thresholds and measurements."""

    version: str
    current: bool
    kind: str
    date: str
    card: dict[str, Any]


class Models(TypedDict):
    models: list[Model]


@operation("GET", "/api/v1/models", answers={200: Models}, scope="score", sessions=False, tag="score")
async def list_models(request: Request) -> dict[str, Any]:
    """The kept versions of the model, which the header X-Model-Version may name."""
    try:
        return {"models": await services_of(request).scorer.kept.listed(site_of(principal_of(request)))}
    except ModelError:
        raise Unavailable("No model is loaded; see /health/ready.", code="unscored") from None


def site_of(principal: Principal) -> str:
    """The site whose model and policy a program's texts meet."""
    return "default" if principal.site == EVERYWHERE else principal.site


class Judge:
    """A site's policy applied to texts, one after another."""

    def __init__(self, rules: SiteSettings, author: Author) -> None:
        self.rules, self.author = rules, author
        self._to_parse = PARSED

    def is_quick(self, text: str) -> bool:
        return markdown.is_light(text) and self.rules.are_compiled and self.rules.reading(len(text)) <= policy.AT_ONCE

    def documents(self, some: Sequence[tuple[str, Answer]]) -> list[dict[str, Any]]:
        """The result for each text, which is cut at the longest length of a comment."""
        found = []
        for text, one in some:
            text = text[:BODY_BYTES]
            by = self.author
            sent = Submission.of(text, name=by.name, email=f"x@{by.email_domain}", url=by.url or None)
            case = policy.Case(
                submission=sent,
                settings=self.rules,
                scores=one.scores,
                model=one.model,
                thresholds=one.thresholds,
                links=(links := self.links(text) + len(sent.link_hosts)),
                strange_links=links,
                fields=one.fields,
            )
            verdict = policy.judge(case)
            reasons = [reason.document() for reason in verdict.reasons]
            if not one.is_read:
                reasons.append(policy.UNREAD.document())
            found.append({"scores": one.scores, "action": verdict.action, "reasons": reasons})
        return found

    def links(self, text: str) -> int:
        """The number of links as in a comment; after PARSED characters with mark-up, an estimate by address beginnings."""
        if self._to_parse <= 0 and not markdown.is_light(text):
            return markdown.estimated_links(text)
        if not markdown.is_light(text):
            self._to_parse -= len(text)
        return markdown.count_links(text)


def texts_of(given: ScoreIn) -> list[str]:
    """The texts of either field. Raises Invalid."""
    if given.texts is not None and given.text is None:
        return given.texts
    if given.text is not None and given.texts is None:
        return [given.text]
    raise Invalid(FieldError("text", "required", "give either text or texts"))


def author_of(given: AuthorIn | None) -> Author:
    return Author(*(getattr(given, name)[:most] for name, most in AUTHOR.items())) if given else Author()


routes = [score_texts, list_models]
