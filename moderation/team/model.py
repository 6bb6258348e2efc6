"""Moderator, Principal and scopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from moderation.core.ids import EVERYWHERE

Role = Literal["administrator", "moderator"]
ROLES: tuple[Role, ...] = get_args(Role)
SCOPES = ("score", "teach", "moderate", "articles", "privacy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderator:
    """`site` is a key, or `*` for all sites."""

    id: str
    site: str
    email: str
    role: str
    password_hash: str | None = None
    name: str = ""
    """The public name on staff replies."""
    wants_digest: bool = True
    """The moderator receives the digest."""
    device_seed: str = ""
    """The cookies of browsers that have signed in are made from it; empty: none is valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The authenticated sender of a request: a moderator with a session, or a program with a token."""

    name: str
    site: str
    scopes: frozenset[str]
    moderator: Moderator | None = None
    session: str = ""
    """The hash of the session's token, for its CSRF token; empty for a bearer token."""
    token_hash: str = ""
    """The hash of the session's or program's token."""

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def sees(self, site: str) -> bool:
        return self.site in (EVERYWHERE, site)

    @property
    def is_administrator(self) -> bool:
        """Whether it administers the sites that it sees. A token counts as one: an administrator has chosen its scopes."""
        return self.moderator is None or self.moderator.role == "administrator"

    def administers(self, site: str) -> bool:
        """Whether a moderator administers a site; never true for a token."""
        return self.moderator is not None and self.moderator.role == "administrator" and self.sees(site)
