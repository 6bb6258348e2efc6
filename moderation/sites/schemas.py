"""Types of bodies and parameters that several slices share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from moderation.sites.model import SITE_KEY, is_site_key
from moderation.web.params import Says


def _key(value: str) -> str:
    if not is_site_key(value):
        raise ValueError
    return value


SiteKey = Annotated[
    str, AfterValidator(_key), Field(json_schema_extra={"pattern": f"^{SITE_KEY.pattern}$"}), Says("is no site's key")
]
