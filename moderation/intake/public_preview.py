"""The preview: a text as it would appear, without a comment."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field
from starlette.requests import Request
from typing_extensions import TypedDict

from moderation.comments import submission
from moderation.comments.submission import BODY_LONGEST
from moderation.core.offload import REQUESTS
from moderation.intake.public import network_of
from moderation.services import services_of
from moderation.web.cors import preflight_of
from moderation.web.operations import operation

PREVIEW = "/sites/{site}/preview"


class PreviewIn(BaseModel):
    """The text of a comment, in Markdown."""

    body: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": BODY_LONGEST})]


class PreviewOut(TypedDict):
    """Safe HTML."""

    html: str


@operation("POST", PREVIEW, body=PreviewIn, answers={200: PreviewOut}, tag="comments", shared=True)
async def preview_comment(request: Request, given: PreviewIn) -> PreviewOut:
    """A text as it would appear. Nothing is stored."""
    services = services_of(request)
    site = await services.directory.site(request.path_params["site"])
    services.intake.allowance.preview(network_of(request)[1], services.intake.clock())
    fields = {"body": given.body}
    anonymous = site.settings.model_copy(update={"require_name": False, "require_email": False})
    checked = await REQUESTS.run(submission.check, fields, anonymous, here=submission.is_light(fields))
    return {"html": checked.html}


routes = [preview_comment, preflight_of(PREVIEW, "POST")]
