"""Moderator, Token and scopes: who may do what, where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from moderation.core.ids import EVERYWHERE

Role = Literal["administrator", "moderator"]
ROLES: tuple[Role, ...] = get_args(Role)
SCOPES = ("score", "moderate", "articles", "privacy")


@dataclass(frozen=True, slots=True)
class Moderator:
    """`site` is a key, or `*` for all sites."""

    id: str
    site: str
    email: str
    role: str
    password_hash: str | None = None
    name: str = ""
    """What readers know them by, where they have replied."""
    wants_digest: bool = True
    """They want the mail about what waits."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, once known: a moderator with a session, or a program with a token."""

    name: str
    site: str
    scopes: frozenset[str]
    moderator: Moderator | None = None
    session: str = ""
    """The hash of the session's token, for its CSRF token; empty for a bearer token."""
    token_hash: str = ""
    """The hash of what they ask with, a session's token or a program's."""

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def sees(self, site: str) -> bool:
        return self.site in (EVERYWHERE, site)

    @property
    def is_administrator(self) -> bool:
        """Of what it sees. A token is given its scopes by one, and may what these say."""
        return self.moderator is None or self.moderator.role == "administrator"

    def administers(self, site: str) -> bool:
        """A person's right only: whoever has a token has not signed in."""
        return self.moderator is not None and self.moderator.role == "administrator" and self.sees(site)
