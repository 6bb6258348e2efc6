"""Export and erasure by API, with a token of scope `privacy`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from typing_extensions import TypedDict

from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Forbidden
from moderation.privacy import data_requests as privacy
from moderation.privacy.store import DataSubject
from moderation.services import services_of
from moderation.sites.schemas import SiteKey
from moderation.web.guard import principal_of
from moderation.web.operations import operation
from moderation.web.params import Body, Says


class PersonIn(Body):
    """An email address, and optionally a site; without one, all sites of the token."""

    email: Annotated[str, Field(min_length=3, max_length=254), Says("must be an email address")]
    site: SiteKey | None = None


class ErasedOut(TypedDict):
    erased: int


@operation(
    "POST", "/api/v1/privacy/export", body=PersonIn, answers={200: dict[str, object]}, scope="privacy", tag="privacy"
)
async def export_person(request: Request, given: PersonIn) -> dict[str, Any]:
    """Export all data held on one email address, on one site or all."""
    services = services_of(request)
    return await privacy.export(services.database, data_subject_of(request, given), services.keep.addresses)


@operation("POST", "/api/v1/privacy/erase", body=PersonIn, answers={200: ErasedOut}, scope="privacy", tag="privacy")
async def erase_person(request: Request, given: PersonIn) -> dict[str, Any]:
    """Erase all data held on one email address, on one site or all."""
    services = services_of(request)
    erased = await privacy.erase(services.database, data_subject_of(request, given), "api", services.clock())
    return {"erased": erased.comments}


def data_subject_of(request: Request, given: PersonIn) -> DataSubject:
    """The request's data subject. Raises Forbidden for a site that the principal does not see."""
    site = given.site or EVERYWHERE
    if not principal_of(request).sees(site):
        raise Forbidden("You have no access to this site; name yours as `site`.", code="site")
    return privacy.data_subject_of(services_of(request).signer, given.email, site)


routes = [export_person, erase_person]
