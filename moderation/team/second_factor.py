"""The second factor: an authenticator app's codes (TOTP, RFC 6238: every 30 seconds), and recovery codes for a lost app.

The app's secret is stored nowhere: it is derived from the service's secret key and a random seed, and the database has only
the seed. Recovery codes are stored as keyed hashes.
"""

from __future__ import annotations

import base64
import hmac
import secrets

import pyotp

from moderation.core.problem import Conflict, Unauthorized
from moderation.core.signing import Signer
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.team import store as moderators
from moderation.team import store_second_factors as second_factors
from moderation.team import throttle
from moderation.team.access import begin_session
from moderation.team.model import Moderator
from moderation.team.store_second_factors import SecondFactor
from moderation.team.throttle import Caller

STEP = 30_000
ISSUER = "Leave a Reply"
CODES = 10
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter looks like a digit."""
GUESSES, DAY = 100, 24 * 3_600_000
"""Wrong codes for an account in a day, over all networks, after which unknown browsers cannot use app codes: an attacker here
has the password, and there are only a million codes. Recovery codes (80 bits) still work, and so does the app in a browser
that has signed in before."""
EXHAUSTED = (
    "Too many wrong codes have come for this account. Use a recovery code, or a browser that has signed in before."
)
WRONG = "The code is wrong, or was used already. The app shows a new one every 30 seconds."


def secret_of(signer: Signer, moderator: Moderator, seed: str) -> str:
    """The app's secret in base 32, as apps expect it."""
    return base64.b32encode(signer.totp_secret(moderator.id, seed)).decode()


def address_of(moderator: Moderator, secret: str) -> str:
    """The `otpauth:` address, for an app on the same device and for the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=moderator.email, issuer_name=ISSUER)


def plain(code: str) -> str:
    """A typed code without spaces and hyphens."""
    typed = "".join(c for c in code[:256] if c.isalnum()).casefold()[:64]
    return typed if typed.isascii() else ""


def step_of(secret: str, code: str, after: int, now: int) -> int | None:
    """The time step of a code, one step early or late allowed (RFC 6238, 5.2); only steps after the last used one."""
    here = now // STEP
    for step in (here, here - 1, here + 1):
        if step > after and hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step), code):
            return step
    return None


def code_mark(signer: Signer, moderator: Moderator, code: str) -> str:
    return signer.token_hash(f"recovery/{moderator.id}/{code}")


async def is_on(session: Session, moderator: Moderator) -> bool:
    factor = await second_factors.of(session, moderator)
    return factor is not None and factor.confirmed_at is not None


async def begin(tx: Session, moderator: Moderator) -> None:
    """A new secret, in effect after `confirm`. Raises Conflict if a second factor is on."""
    if await is_on(tx, moderator):
        raise Conflict("The second factor is on already.")
    await second_factors.put(tx, moderator, SecondFactor(seed=secrets.token_hex(16), confirmed_at=None, last_step=0))


async def new_codes(tx: Session, signer: Signer, moderator: Moderator) -> list[str]:
    """Ten new recovery codes of 80 bits, to be shown once; earlier ones end."""
    codes = ["".join(secrets.choice(DIGITS) for _ in range(16)) for _ in range(CODES)]
    await second_factors.put_codes(tx, moderator, [code_mark(signer, moderator, code) for code in codes])
    return ["-".join(code[i : i + 4] for i in range(0, 16, 4)) for code in codes]


async def confirm(
    database: Database, signer: Signer, moderator: Moderator, session: str, code: str, caller: Caller, now: int
) -> list[str]:
    """Turns the second factor on after a correct code, and returns the recovery codes. Other sessions end.

    Raises Conflict, Unauthorized or TooFast.
    """
    async with database.transaction() as tx:
        factor = await second_factors.of(tx, moderator)
        if factor is None or factor.confirmed_at is not None:
            raise Conflict("The second factor is on already, or was not begun.")
        counted = await throttle.count(tx, caller, now)
        step = step_of(secret_of(signer, moderator, factor.seed), plain(code), factor.last_step, now)
        if step is not None:
            await throttle.take_back(tx, caller, counted)
            await second_factors.put(tx, moderator, SecondFactor(seed=factor.seed, confirmed_at=now, last_step=step))
            await moderators.end_sessions(tx, moderator, now, but=session)
            await _note(tx, moderator, "second-factor:on", now)
            return await new_codes(tx, signer, moderator)
    raise Unauthorized(WRONG)


async def check(database: Database, signer: Signer, moderator: Moderator, code: str, caller: Caller, now: int) -> None:
    """Checks a code of the app or a recovery code; each works once. Raises Unauthorized or TooFast.

    Attempts are counted and compared in one transaction. There is one writer, so concurrent attempts are serialised.
    """
    async with database.transaction() as tx:
        counted = await throttle.count(tx, caller, now)
        factor = await second_factors.of(tx, moderator)
        if factor is None or factor.confirmed_at is None:
            raise Conflict("There is no second factor; sign in again.")
        typed = plain(code)
        exhausted = not caller.is_known and await moderators.attempts(tx, caller.counted, now, DAY) > GUESSES
        secret = secret_of(signer, moderator, factor.seed)
        step = None if exhausted else step_of(secret, typed, factor.last_step, now)
        if step is not None:
            await throttle.take_back(tx, caller, counted)
            await second_factors.put(
                tx, moderator, SecondFactor(seed=factor.seed, confirmed_at=factor.confirmed_at, last_step=step)
            )
            return
        if typed and await second_factors.use_code(tx, moderator, code_mark(signer, moderator, typed)):
            await throttle.take_back(tx, caller, counted)
            await _note(tx, moderator, "recovery-code:use", now)
            return
    raise Unauthorized(EXHAUSTED if exhausted else WRONG)


async def sign_in(database: Database, signer: Signer, moderator: Moderator, code: str, caller: Caller, now: int) -> str:
    """The second step: a session's token for a ticket and a code. Raises Unauthorized or TooFast."""
    await check(database, signer, moderator, code, caller, now)
    return await begin_session(database, signer, moderator, now)


async def moderator_of(session: Session, signer: Signer, login_token: str, browser: str, now: int) -> Moderator | None:
    """The moderator of a ticket; None if it is forged, expired, another browser's, or older than the password."""
    site, _, rest = login_token.partition("/")
    moderator = await moderators.by_id(session, site[:64], rest.partition("/")[0][:26])
    if moderator is None or not moderator.password_hash:
        return None
    good = signer.is_ticket(login_token, moderator.site, moderator.id, moderator.password_hash, browser, now)
    return moderator if good else None


async def off(tx: Session, moderator: Moderator, actor: str, now: int) -> bool:
    """Turns the second factor off and ends the recovery codes; False if it was off."""
    was = await is_on(tx, moderator)
    await second_factors.remove(tx, moderator)
    if was:
        await _note(tx, moderator, "second-factor:off", now, actor)
    return was


async def _note(tx: Session, moderator: Moderator, action: str, now: int, actor: str = "") -> None:
    await audit.note(tx, site=moderator.site, at=now, actor=actor or moderator.id, action=action, subject=moderator.id)
