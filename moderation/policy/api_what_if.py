"""What-if, for programs: a replay of recent verdicts under other rules, thresholds or a candidate model."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from typing_extensions import TypedDict

from classifier.serving import ModelError
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.policy import settings_history
from moderation.policy.api_rules import RulesIn
from moderation.services import Services, services_of
from moderation.sites import site_settings as rules
from moderation.sites.model import Site
from moderation.sites.schemas import SiteKey
from moderation.sites.site_settings import SiteSettings
from moderation.web.guard import principal_of
from moderation.web.operations import operation
from moderation.web.params import Body, Says
from moderation.web.prefix import below

MOST_DAYS = 365


class WhatIfIn(Body):
    """`rules` are settings that differ from today's; `model` is a version that the site could run."""

    site: SiteKey
    days: Annotated[int, Field(ge=1, le=MOST_DAYS), Says(f"must be a whole number from 1 to {MOST_DAYS}")] = 30
    rules: Annotated[RulesIn | None, Says("must be an object of settings")] = None
    model: Annotated[str | None, Field(min_length=1), Says("must be the name of a version")] = None


class Agreement(TypedDict):
    """The changed verdicts with a decision: how many decisions agree with the change."""

    agree: int
    disagree: int


Change = TypedDict("Change", {"from": str, "to": str, "count": int, "already": int, "agree": int, "disagree": int})


class NotReplayed(TypedDict):
    count: int
    why: dict[str, int]
    comments: list[str]


class WhatIfOut(TypedDict):
    site: str
    days: int
    since: str
    model: str | None
    capped: bool
    verdicts: int
    changed: int
    changes: list[Change]
    decided: Agreement
    examples: list[dict[str, object]]
    not_replayed: NotReplayed
    rules: dict[str, list[object]]


async def replayed(services: Services, site: Site, days: int, house: SiteSettings, model: str) -> dict[str, Any]:
    """The replay. Raises Invalid for an unknown model."""
    try:
        return await services.what_if.what_if(site, days, house, services.clock(), model)
    except ModelError as error:
        raise Invalid(FieldError("model", "invalid", str(error))) from None


@operation("POST", "/api/v1/what-if", body=WhatIfIn, answers={200: WhatIfOut}, scope="moderate", tag="policy")
async def ask_what_if(request: Request, given: WhatIfIn) -> dict[str, Any]:
    """Which verdicts of the last days would change under other rules, or with a candidate model."""
    services = services_of(request)
    if not principal_of(request).sees(given.site):
        raise NotFound("There is no such site.")
    async with services.database.reading() as session:
        site = await settings_history.site_of(session, given.site)
    house = await settings_history.changed(site.settings, given.rules.settings if given.rules else {}, services.signer)
    found = await replayed(services, site, given.days, house, given.model or "")
    examples = [one | {"url": below(services.links.prefix, one["url"])} for one in found["examples"]]
    return found | {"examples": examples, "rules": rules.differences(site.settings, house)}


routes = [ask_what_if]
