"""Authentication: a session or a bearer token → Principal; passwords, tokens, and limits on attempts."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection
from contextlib import suppress

from starlette.requests import Request

from moderation.core.ids import EVERYWHERE, new_id
from moderation.core.networks import Networks, client_address, forwarded_of
from moderation.core.problem import FieldError, Forbidden, Invalid, NotFound, TooFast, Unauthorized, Unavailable
from moderation.core.signing import Signer
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.sites.allowance import times
from moderation.team import passwords, throttle
from moderation.team import store as moderators
from moderation.team.model import ROLES, SCOPES, Moderator, Principal
from moderation.team.passwords import Passwords
from moderation.team.store import Token
from moderation.team.throttle import ATTEMPTS, WINDOW, Caller, Throttle
from moderation.text.addresses import checked_email
from moderation.web.cookies import COOKIE, cookie_of

HOUR = 3_600_000
SESSION_LIFE = 14 * 24 * HOUR
LINK_LIFE = HOUR
DEVICE_LIFE = 400 * 24 * HOUR  # the longest that browsers keep a cookie


async def add_moderator(tx: Session, email: str, role: str, site: str, now: int, actor: str = "operator") -> Moderator:
    """Adds a moderator without a password. Raises Invalid."""
    address = checked_email(email)
    if address is None:
        raise Invalid(FieldError("email", "invalid", "is not a valid email address"))
    if role not in ROLES:
        raise Invalid(FieldError("role", "invalid", f"must be one of {', '.join(ROLES)}"))
    existing = await moderators.by_email(tx, address.casefold())
    if existing and existing.site != site:
        raise Invalid(FieldError("email", "invalid", "already moderates another site; remove that moderator first"))
    moderator = Moderator(
        id=existing.id if existing else new_id(now),
        site=site,
        email=address.casefold(),
        role=role,
        password_hash=existing.password_hash if existing else None,
    )
    await moderators.put(tx, moderator, now)
    await audit.note(
        tx,
        site=site,
        at=now,
        actor=actor,
        action="moderator:change" if existing else "moderator:add",
        subject=moderator.id,
        role=role,
    )
    return moderator


async def password_link(tx: Session, moderator: Moderator, signer: Signer, now: int) -> str:
    """The token of a new one-time password link; earlier links end."""
    await moderators.end_tokens_of(tx, moderator, now, kinds=("set-password",))
    return await _new_token(tx, signer, moderator.site, "set-password", moderator.id, frozenset(), now, LINK_LIFE)


async def set_password(tx: Session, moderator: Moderator, password: str, now: int) -> Moderator:
    """Sets a password in a command, which may block. Raises Invalid for a short password."""
    return await keep_password(tx, moderator, passwords.hasher.hash(passwords.checked(password)), now)


async def keep_password(tx: Session, moderator: Moderator, password_hash: str, now: int) -> Moderator:
    """Stores a password hash and ends the moderator's sessions and links."""
    changed = Moderator(
        id=moderator.id, site=moderator.site, email=moderator.email, role=moderator.role, password_hash=password_hash
    )
    await moderators.end_tokens_of(tx, moderator, now)
    await moderators.put(tx, changed, now)
    await audit.note(
        tx, site=moderator.site, at=now, actor=moderator.id, action="moderator:set-password", subject=moderator.id
    )
    return changed


async def moderator_of_link(session: Session, token: str, signer: Signer, now: int) -> Moderator | None:
    link = await moderators.token(session, "set-password", signer.token_hash(token), now)
    return await moderators.by_id(session, link.site, link.moderator) if link and link.moderator else None


async def begin_session(database: Database, signer: Signer, moderator: Moderator, now: int) -> str:
    """The token of a new session."""
    async with database.transaction() as tx:
        token = await _new_token(tx, signer, moderator.site, "session", moderator.id, frozenset(), now, SESSION_LIFE)
        await audit.note(
            tx, site=moderator.site, at=now, actor=moderator.id, action="moderator:sign-in", subject=moderator.id
        )
    return token


async def sign_out(database: Database, signer: Signer, token: str, now: int) -> None:
    async with database.transaction() as tx:
        await moderators.end_token(tx, now, token_hash=signer.token_hash(token))


async def of_session(database: Database, signer: Signer, token: str, now: int) -> Principal | None:
    token_hash = signer.token_hash(token)
    async with database.reading() as session:
        row = await moderators.token(session, "session", token_hash, now)
        moderator = await moderators.by_id(session, row.site, row.moderator or "") if row else None
    if moderator is None or row is None:
        return None
    await _used(database, row, token_hash, now)
    return Principal(
        name=moderator.id,
        site=moderator.site,
        scopes=scopes_of(moderator.role),
        moderator=moderator,
        session=token_hash,
        token_hash=token_hash,
    )


def scopes_of(role: str) -> frozenset[str]:
    return frozenset({"moderate", "privacy", "articles"} if role == "administrator" else {"moderate"})


async def still(database: Database, token_hashes: Collection[str], now: int) -> dict[str, tuple[str, frozenset[str]]]:
    """The valid ones of these tokens and sessions: hash → current site and rights."""
    async with database.reading() as session:
        rows = await moderators.living(session, token_hashes, now)
    return {token_hash: (token.site, scopes_of(role) if role else token.scopes) for token_hash, token, role in rows}


AKISMET_KEY = re.compile(r"[0-9a-f]{12}", re.IGNORECASE)
"""A token in the form that Akismet's clients demand. Case does not count: a key may be part of a host name."""


async def add_token(
    tx: Session,
    signer: Signer,
    site: str,
    scopes: frozenset[str],
    now: int,
    actor: str = "operator",
    name: str = "",
    *,
    akismet: bool = False,
) -> str:
    """A new bearer token, to be shown once; `akismet`: 12 hexadecimal digits. Raises Invalid."""
    if not scopes or not scopes <= set(SCOPES):
        raise Invalid(FieldError("scopes", "invalid", f"must be some of {', '.join(SCOPES)}"))
    if akismet and not scopes <= {"score", "teach"}:
        # 48 bits, in host names and addresses that end up in logs
        raise Invalid(FieldError("scopes", "invalid", "an Akismet key may have score and teach alone"))
    token = secrets.token_hex(6) if akismet else ""
    token = await _new_token(tx, signer, site, "api", None, scopes, now, None, name, token)
    await audit.note(
        tx, site=site, at=now, actor=actor, action="token:add", subject=public_id(signer, token), scopes=sorted(scopes)
    )
    return token


def public_id(signer: Signer, token: str) -> str:
    """A token's public name: its first six characters; of an Akismet key, which is too short for that, six of its hash."""
    return token_hash_of(signer, token)[:6] if AKISMET_KEY.fullmatch(token) else token[:6]


def token_hash_of(signer: Signer, token: str) -> str:
    return signer.token_hash(token.lower() if AKISMET_KEY.fullmatch(token) else token)


async def revoke_token(
    tx: Session, signer: Signer, token: str, now: int, actor: str = "operator", site: str = EVERYWHERE
) -> str:
    """Ends a token, given in full or by its id, and returns its id. Raises NotFound."""
    ended = await moderators.end_token(tx, now, token_hash=token_hash_of(signer, token)) or (
        await moderators.end_token(tx, now, id=token)
    )
    if not ended:
        raise NotFound("There is no such token; give it whole, or its id: the six characters that the console shows.")
    await audit.note(tx, site=site, at=now, actor=actor, action="token:revoke", subject=public_id(signer, token))
    return public_id(signer, token)


async def of_token(database: Database, signer: Signer, token: str, now: int) -> Principal:
    """The principal of a bearer token. Raises Unauthorized."""
    token_hash = token_hash_of(signer, token)
    async with database.reading() as session:
        api_token = await moderators.token(session, "api", token_hash, now)
    if api_token is None:
        raise Unauthorized("The bearer token is unknown or revoked.")
    await _used(database, api_token, token_hash, now)
    return Principal(name=f"token:{api_token.id}", site=api_token.site, scopes=api_token.scopes, token_hash=token_hash)


async def _used(database: Database, token: Token, token_hash: str, now: int) -> None:
    """Records a token's last use, to the hour: enough for people, with one write an hour."""
    if token.last_used_at is None or now - token.last_used_at >= HOUR:
        with suppress(Unavailable):  # the request can still be answered
            async with database.transaction() as tx:
                await moderators.used(tx, token.site, token_hash, now - now % HOUR)


async def _new_token(
    tx: Session,
    signer: Signer,
    site: str,
    kind: str,
    moderator: str | None,
    scopes: frozenset[str],
    now: int,
    life: int | None,
    name: str = "",
    token: str = "",
) -> str:
    token = token or secrets.token_urlsafe(24)
    while token.startswith("-"):  # a command would read it as an option
        token = secrets.token_urlsafe(24)
    expires = None if life is None else now + life
    kept = Token(
        site=site,
        kind=kind,
        id=public_id(signer, token),
        moderator=moderator,
        scopes=scopes,
        expires_at=expires,
        name=name,
    )
    await moderators.add_token(tx, kept, signer.token_hash(token), now)
    return token


DEVICE_COOKIE = "moderation_device"
"""Marks a browser that has signed in to an account, which gives it an allowance of its own."""


class Authenticator:
    """Request → Principal. The only reader of the session cookie and the Authorization header."""

    def __init__(self, database: Database, signer: Signer, trusted: Networks, clock: Callable[[], int]) -> None:
        self.database, self.signer, self.trusted, self.clock = database, signer, trusted, clock
        self.passwords, self.throttle = Passwords(), Throttle(database)

    def address(self, request: Request) -> str:
        headers = request.scope["headers"]
        forwarded = forwarded_of([value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"])
        return client_address(request.client.host if request.client else "", forwarded, self.trusted)

    async def slow_down(self, request: Request, what: str) -> None:
        """Raises TooFast after ten attempts from one address within 15 minutes."""
        network_key = self.signer.network_key(self.address(request))
        if not network_key:
            return
        now = self.clock()
        async with self.database.transaction() as tx:
            if await moderators.attempts(tx, f"{what} {network_key}", now, WINDOW) >= 2 * ATTEMPTS * times(network_key):
                raise TooFast("Too many attempts. Try again in 15 minutes.", WINDOW // 1000)
            await moderators.add_attempt(tx, f"{what} {network_key}", now)

    async def caller(self, request: Request, email: str, what: str = "password") -> Caller:
        """The keys of a sign-in attempt: account, network and browser."""
        network_key, device = self.signer.network_key(self.address(request)), ""
        if cookie := cookie_of(request, DEVICE_COOKIE):
            async with self.database.reading() as session:
                moderator = await moderators.by_email(session, email)
            device = self.device_of(moderator, cookie)
        return Caller(account=self.account(email), network_key=network_key, device=device, what=what)

    def device_of(self, moderator: Moderator | None, cookie: str) -> str:
        """The id of a browser that has signed in to this account; empty for all others, and as slow for unknown accounts."""
        known = moderator or Moderator(id="", site="", email="", role="")
        since = self.clock() - DEVICE_LIFE
        device = self.signer.device_of(known.id, known.password_hash or "", known.device_seed, cookie, since)
        return device if known.device_seed else ""

    def account(self, email: str) -> str:
        return self.signer.author_key(email, "")

    async def device_cookie(self, moderator: Moderator) -> str:
        """The cookie of a browser that has just signed in. If the password was changed meanwhile, it is worth nothing."""
        async with self.database.transaction() as tx:
            stored = await moderators.seed_devices(tx, moderator, secrets.token_urlsafe(12)) or moderator
        password_hash, id = moderator.password_hash or "", new_id(self.clock())
        return self.signer.device(moderator.id, password_hash, stored.device_seed, id)

    async def sign_in(self, email: str, password: str, caller: Caller) -> Moderator:
        """The moderator with this email address and password. Raises Unauthorized, TooFast or Unavailable."""
        await self.throttle.wait(caller, now := self.clock())
        with self.passwords.seat(known := caller.is_known):
            async with self.database.transaction() as tx:
                counted = await throttle.count(tx, caller, now)
                moderator = await moderators.by_email(tx, email)
            right = await self.passwords.verify(moderator.password_hash if moderator else None, password, known)
        if not right or moderator is None:
            raise Unauthorized("The email address or the password is wrong.")
        async with self.database.transaction() as tx:
            await throttle.take_back(tx, caller, counted)
        return moderator

    async def bearer(self, request: Request, scope: str) -> Principal:
        """The principal of the bearer token. Raises Unauthorized, or Forbidden without the scope."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Unauthorized("A bearer token is needed: Authorization: Bearer TOKEN.")
        principal = await of_token(self.database, self.signer, token.strip(), self.clock())
        return self._with(principal, scope)

    async def session(self, request: Request) -> Principal | None:
        """The principal of the session cookie, or None."""
        token = cookie_of(request, COOKIE)
        return await of_session(self.database, self.signer, token, self.clock()) if token else None

    async def principal(self, request: Request, scope: str) -> Principal:
        """The principal by token or session. Changes by a session need the header X-CSRF-Token."""
        if "authorization" in request.headers:
            return await self.bearer(request, scope)
        principal = await self.session(request)
        if principal is None:
            raise Unauthorized("Sign in at /moderate/login, or send a bearer token.")
        if request.method not in ("GET", "HEAD"):
            self.check_csrf(principal, request.headers.get("x-csrf-token", ""))
        return self._with(principal, scope)

    def check_csrf(self, principal: Principal, token: str) -> None:
        if not self.signer.is_csrf_token(principal.session, token):
            raise Forbidden("The CSRF token is missing or old; load the page again.", code="csrf")

    def _with(self, principal: Principal, scope: str) -> Principal:
        if not principal.may(scope):
            raise Forbidden(f"The scope {scope} is missing.", code="scope")
        return principal
