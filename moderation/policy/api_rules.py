"""A site's settings and its rules' hits, for programs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from starlette.requests import Request
from typing_extensions import TypedDict

from moderation.core.problem import NotFound
from moderation.policy import rule_health, settings_history
from moderation.services import services_of
from moderation.sites.model import is_site_key
from moderation.sites.site_settings import SiteSettings, SiteSettingsIn
from moderation.team.model import Principal
from moderation.web.guard import check_administrator, principal_of
from moderation.web.operations import operation

RULES = "/api/v1/sites/{site}/rules"


class MuteOut(TypedDict):
    """`overturned`: moderators approve most of the rule's hits. `sudden`: it began to catch everything."""

    why: Literal["overturned", "sudden"]
    since: str


class RuleOut(TypedDict):
    """One rule's hits in the counted days."""

    rule: str
    does: str
    hits: int
    decided: int
    overturned: int
    muted: MuteOut | None


class RulesOut(TypedDict):
    site: str
    rules: SiteSettings
    counted_days: int
    counts: list[RuleOut]


class UnmuteOut(TypedDict):
    site: str
    rule: str
    muted: None


class RulesIn(BaseModel):
    """The settings to change, by name. `settings_history.checked` checks them: it has the signer, and a thread for long lists."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(SiteSettingsIn.__pydantic_core_schema__)

    @property
    def settings(self) -> dict[str, Any]:
        """Name → value, unchecked."""
        return self.model_extra or {}


def site_asked(request: Request) -> tuple[Principal, str]:
    """The principal and the site's key. Raises NotFound for a site that the principal does not see."""
    principal, key = principal_of(request), request.path_params["site"]
    if not is_site_key(key) or not principal.sees(key):
        raise NotFound("There is no such site.")
    return principal, key


@operation("GET", RULES, answers={200: RulesOut}, scope="moderate", tag="policy")
async def get_rules(request: Request) -> dict[str, Any]:
    """A site's settings, and each rule's hits in the last 30 days."""
    services = services_of(request)
    _, key = site_asked(request)
    async with services.database.reading() as session:
        return await settings_history.report(session, await settings_history.site_of(session, key), services.clock())


@operation("PUT", RULES, body=RulesIn, answers={200: RulesOut}, scope="moderate", tag="policy")
async def set_rules(request: Request, given: RulesIn) -> dict[str, Any]:
    """Change the given settings of a site; null restores a default."""
    services = services_of(request)
    principal, key = site_asked(request)
    check_administrator(principal)
    values = await settings_history.checked(given.settings, services.signer)
    async with services.database.transaction() as tx:
        await settings_history.apply(tx, key, values, principal.name, services.clock())
        report = await settings_history.report(tx, await settings_history.site_of(tx, key), services.clock())
    services.directory.forget()
    return report


@operation("POST", RULES + "/{rule}/unmute", answers={200: UnmuteOut}, scope="moderate", tag="policy")
async def unmute_rule(request: Request) -> dict[str, Any]:
    """Unmute a rule; it stays unmuted for at least a day."""
    services = services_of(request)
    principal, key = site_asked(request)
    rule = request.path_params["rule"]
    if not await rule_health.unmute(services.database, key, rule, principal.name, services.clock()):
        raise NotFound("This rule is not muted.")
    return {"site": key, "rule": rule, "muted": None}


routes = [get_rules, set_rules, unmute_rule]
