"""What-if, for programs: a replay under other rules or another model, and a model that reads along."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from typing_extensions import TypedDict

from classifier.serving import ModelError
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Conflict, FieldError, Invalid, NotFound
from moderation.learning import promote as promotion
from moderation.policy import read_along, settings_history
from moderation.policy.api_rules import RulesIn
from moderation.services import Services, services_of
from moderation.sites import site_settings as rules
from moderation.sites.model import Site
from moderation.sites.schemas import SiteKey
from moderation.sites.site_settings import SiteSettings
from moderation.team.model import Principal
from moderation.web.guard import check_administrator, principal_of
from moderation.web.operations import operation
from moderation.web.params import Body, Cursor, Query, Says, limited
from moderation.web.prefix import below

PATH = "/api/v1/what-if"
MOST_DAYS = 365
SITES_RULES = FieldError("rules", "invalid", "a model reads along by the rules of the site: leave this out")
NO_MODEL = FieldError("model", "required", "must be the name of the version that reads along")


class SiteIn(Body):
    site: SiteKey


class SiteQuery(Query):
    site: SiteKey


class ListQuery(SiteQuery):
    limit: limited(200) = 50  # type: ignore[valid-type]
    cursor: Cursor = ""


class WhatIfIn(SiteIn):
    """`rules` are settings that differ from today's; `model` is a version that the site could run. `read_along`: the model
    judges new comments from now on, beside the serving one and without effect."""

    days: Annotated[int, Field(ge=1, le=MOST_DAYS), Says(f"must be a whole number from 1 to {MOST_DAYS}")] = 30
    rules: Annotated[RulesIn | None, Says("must be an object of settings")] = None
    model: Annotated[str | None, Field(min_length=1), Says("must be the name of a version")] = None
    read_along: bool = False


class Agreement(TypedDict):
    """The changed verdicts with a decision: how many decisions agree with the change."""

    agree: int
    disagree: int


Change = TypedDict("Change", {"from": str, "to": str, "count": int, "already": int, "agree": int, "disagree": int})
ReasonCounts = TypedDict("ReasonCounts", {"reason": str, "from": int, "to": int, "both": int})
LabelCounts = TypedDict("LabelCounts", {"decided": int, "from": int, "to": int})
Losses = TypedDict("Losses", {"from": float, "to": float})
BothScores = TypedDict("BothScores", {"from": dict[str, float] | None, "to": dict[str, float] | None})
Changed = TypedDict(
    "Changed",
    {
        "id": str, "revision": int, "url": str, "created_at": str, "name": str, "excerpt": str, "from": str, "to": str,
        "scores": BothScores, "reasons": list[str], "already": bool, "decided": str | None, "agrees": bool | None,
    },
)  # fmt: skip


class NotReplayed(TypedDict):
    count: int
    why: dict[str, int]
    comments: list[str]


class RunOut(TypedDict):
    """The time in which a model reads along; `outcome`: `stopped`, `replaced` or `promoted`."""

    id: str
    model: str
    running: bool
    started_at: str
    started_by: str
    ended_at: str | None
    ended_by: str | None
    outcome: str | None
    problem: str | None


class WhatIfOut(TypedDict):
    """`from`: the stored verdicts; `to`: those under the other rules or model. `labels` and `log_loss`, the agreement with the
    moderators, are those of another model."""

    site: str
    days: int | None
    since: str | None
    model: str | None
    run: RunOut | None
    capped: bool
    verdicts: int
    changed: int
    unchanged: dict[str, int]
    changes: list[Change]
    decided: Agreement
    reasons: list[ReasonCounts]
    labels: dict[str, LabelCounts]
    log_loss: Losses | None
    examples: list[Changed]
    not_replayed: NotReplayed
    rules: dict[str, list[object]]
    serving: str
    models: list[str]


class ChangedOut(TypedDict):
    comments: list[Changed]
    next: str | None


class PromotedOut(TypedDict):
    promoted: str
    site: str
    why: str


async def replayed(services: Services, site: Site, days: int, house: SiteSettings, model: str) -> dict[str, Any]:
    """The replay. Raises Invalid for an unknown model."""
    try:
        report = await services.what_if.what_if(site, days, house, services.clock(), model)
    except ModelError as error:
        raise Invalid(FieldError("model", "invalid", str(error))) from None
    return report | {"rules": rules.differences(site.settings, house)} | await models(services, site.key)


async def report_of(services: Services, site: str) -> dict[str, Any]:
    """The report of the model that reads along, or read along last."""
    return await read_along.report(services.database, site) | {"rules": {}} | await models(services, site)


async def models(services: Services, site: str) -> dict[str, Any]:
    return await asyncio.to_thread(read_along.models, services.scorer.classifier, site)


async def start(services: Services, principal: Principal, site: str, model: str) -> None:
    """Raises Forbidden, Invalid, or NotFound."""
    check_administrator(principal)
    await asyncio.to_thread(read_along.check_model, services.scorer.classifier, site, model)
    async with services.database.transaction() as tx:
        await read_along.start(tx, site, model, principal.name, services.clock())


async def stop(services: Services, principal: Principal, site: str) -> None:
    """Raises Forbidden or NotFound."""
    check_administrator(principal)
    async with services.database.transaction() as tx:
        await read_along.stop(tx, site, principal.name, services.clock())


async def promote(services: Services, principal: Principal, site: str) -> dict[str, Any]:
    """Raises Forbidden, NotFound, and Conflict if the model cannot go live."""
    check_administrator(principal)
    try:
        return await promotion.promote(
            *(services.database, services.scorer.classifier, services.models, site, principal.name, services.clock()),
            principal.sees(EVERYWHERE),
        )
    except ModelError as error:
        raise Conflict(str(error), code="model") from None


async def site_seen(request: Request, key: str) -> Site:
    """A site that the principal sees. Raises NotFound."""
    if not principal_of(request).sees(key):
        raise NotFound("There is no such site.")
    async with services_of(request).database.reading() as session:
        return await settings_history.site_of(session, key)


def linked(services: Services, examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Their addresses below the service's prefix. Pages get it from their templates."""
    return [example | {"url": below(services.links.prefix, example["url"])} for example in examples]


def answer(services: Services, report: dict[str, Any]) -> dict[str, Any]:
    return report | {"examples": linked(services, report["examples"])}


@operation("POST", PATH, body=WhatIfIn, answers={200: WhatIfOut}, scope="moderate", tag="policy")
async def ask_what_if(request: Request, given: WhatIfIn) -> dict[str, Any]:
    """Which verdicts of the last days would change under other rules or another model; or let a model read along."""
    services, site = services_of(request), await site_seen(request, given.site)
    settings = given.rules.settings if given.rules else {}
    if given.read_along:
        if wrong := [error for error, is_wrong in ((SITES_RULES, settings), (NO_MODEL, not given.model)) if is_wrong]:
            raise Invalid(*wrong)
        await start(services, principal_of(request), site.key, given.model or "")
        return answer(services, await report_of(services, site.key))
    house = await settings_history.changed(site.settings, settings, services.signer)
    return answer(services, await replayed(services, site, given.days, house, given.model or ""))


@operation("GET", PATH, query=SiteQuery, answers={200: WhatIfOut}, scope="moderate", tag="policy")
async def get_what_if(request: Request, asked: SiteQuery) -> dict[str, Any]:
    """What has changed for the model that reads along, or read along last."""
    services, site = services_of(request), await site_seen(request, asked.site)
    return answer(services, await report_of(services, site.key))


@operation("GET", PATH + "/comments", query=ListQuery, answers={200: ChangedOut}, scope="moderate", tag="policy")
async def list_changed(request: Request, asked: ListQuery) -> dict[str, Any]:
    """The comments on which the model that reads along differs, newest first."""
    services, site = services_of(request), await site_seen(request, asked.site)
    examples, following = await read_along.changed(services.database, site.key, asked.cursor, int(asked.limit))
    return {"comments": linked(services, examples), "next": following}


@operation("POST", PATH + "/stop", body=SiteIn, answers={200: WhatIfOut}, scope="moderate", tag="policy")
async def stop_reading_along(request: Request, given: SiteIn) -> dict[str, Any]:
    """End the reading along; its results stay for their retention period."""
    services, site = services_of(request), await site_seen(request, given.site)
    await stop(services, principal_of(request), site.key)
    return answer(services, await report_of(services, site.key))


@operation("POST", PATH + "/promote", body=SiteIn, answers={200: PromotedOut}, scope="moderate", tag="policy")
async def promote_model(request: Request, given: SiteIn) -> dict[str, Any]:
    """Make the model that reads along the live one."""
    site = await site_seen(request, given.site)
    return await promote(services_of(request), principal_of(request), site.key)


routes = [ask_what_if, get_what_if, list_changed, stop_reading_along, promote_model]
