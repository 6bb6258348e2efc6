"""Moderators, keyed hashes of their tokens, and failed attempts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from moderation.core.ids import EVERYWHERE, first_id_at, new_id
from moderation.core.times import LEEWAY
from moderation.db.database import Session, placeholders
from moderation.db.records import reader
from moderation.db.tables import Table, listed
from moderation.team.model import Moderator

SITES = "site IN (SELECT '*' UNION ALL SELECT site FROM sites)"
MODERATORS = Table(
    name="moderators",
    columns=("site", "id", "email", "role", "password_hash", "created_at", "name", "wants_digest", "device_seed"),
)
TOKENS = Table(
    name="tokens",
    columns=(
        *("site", "token_hash", "kind", "id", "moderator", "scopes", "created_at", "expires_at", "ended_at"),
        *("last_used_at", "name"),
    ),
)
TABLES = (MODERATORS, TOKENS, Table(name="failed_attempts"))
"""Failed attempts are of the last minutes: no backup holds them."""
MODERATOR_COLUMNS = ("id", "site", "email", "role", "password_hash", "name", "wants_digest", "device_seed")
MODERATOR = listed(MODERATOR_COLUMNS)
TOKEN_COLUMNS = (
    "site",
    "kind",
    "id",
    "moderator",
    "scopes",
    "expires_at",
    "ended_at",
    "last_used_at",
    "name",
    "created_at",
)
TOKEN = listed(TOKEN_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """`kind` is `api`, `session` or `set-password`; `id` is its public name."""

    site: str
    kind: str
    id: str
    moderator: str | None
    scopes: frozenset[str]
    expires_at: int | None = None
    ended_at: int | None = None
    last_used_at: int | None = None
    """To the hour."""
    name: str = ""
    created_at: int = 0


def scopes_of(stored: str) -> frozenset[str]:
    return frozenset(stored.split())


token_of = reader(Token, TOKEN_COLUMNS, scopes=scopes_of)
moderator_of = reader(Moderator, MODERATOR_COLUMNS, wants_digest=bool)


async def put(tx: Session, moderator: Moderator, now: int) -> None:
    await tx.execute(
        "INSERT INTO moderators (site, id, email, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (site, id) DO UPDATE SET role = excluded.role, password_hash = excluded.password_hash",
        *(moderator.site, moderator.id, moderator.email, moderator.role, moderator.password_hash, now),
    )


async def remove(tx: Session, moderator: Moderator, now: int) -> None:
    await end_tokens_of(tx, moderator, now)
    await tx.execute("DELETE FROM moderators WHERE site = ? AND id = ?", moderator.site, moderator.id)
    await tx.execute("DELETE FROM saved_filters WHERE site = ? AND owner = ?", EVERYWHERE, moderator.id)
    await leave(tx, moderator, "")


async def leave(tx: Session, moderator: Moderator, stays: str) -> None:
    """Takes back the comments that are assigned to a moderator, but those of the site on which they stay, or of `*`."""
    await tx.execute(
        "DELETE FROM assignments WHERE site IN (SELECT site FROM sites) AND moderator = ? AND site <> ? AND ? <> '*'",
        *(moderator.id, stays, stays),
    )


async def by_email(session: Session, email: str) -> Moderator | None:
    row = await session.fetch_one(f"SELECT {MODERATOR} FROM moderators WHERE {SITES} AND email = ?", email)
    return moderator_of(row) if row else None


async def by_id(session: Session, site: str, id: str) -> Moderator | None:
    row = await session.fetch_one(f"SELECT {MODERATOR} FROM moderators WHERE site = ? AND id = ?", site, id)
    return moderator_of(row) if row else None


async def of_id(session: Session, id: str) -> Moderator | None:
    """The moderator with this id, on any site."""
    row = await session.fetch_one(f"SELECT {MODERATOR} FROM moderators WHERE {SITES} AND id = ?", id)
    return moderator_of(row) if row else None


async def ready(session: Session) -> list[Moderator]:
    """The moderators who can sign in."""
    rows = await session.fetch(f"SELECT {MODERATOR} FROM moderators WHERE password_hash IS NOT NULL ORDER BY site, id")
    return [moderator_of(row) for row in rows]


async def of_site(session: Session, site: str) -> list[Moderator]:
    """The moderators of one site, or all."""
    where, args = ("site = ?", (site,)) if site != EVERYWHERE else (SITES, ())
    rows = await session.fetch(f"SELECT {MODERATOR} FROM moderators WHERE {where} ORDER BY email, id", *args)
    return [moderator_of(row) for row in rows]


async def move(tx: Session, moderator: Moderator, role: str, site: str) -> None:
    """Changes role and site (or all sites), with tokens and second factor."""
    here = (moderator.site, moderator.id)
    await tx.execute("UPDATE moderators SET role = ?, site = ? WHERE site = ? AND id = ?", role, site, *here)
    for table in ("tokens", "second_factors", "recovery_codes"):
        await tx.execute(f"UPDATE {table} SET site = ? WHERE site = ? AND moderator = ?", site, *here)
    await leave(tx, moderator, site)


async def call(tx: Session, moderator: Moderator, name: str) -> None:
    """Sets the public name."""
    await tx.execute("UPDATE moderators SET name = ? WHERE site = ? AND id = ?", name, moderator.site, moderator.id)


async def set_digest(tx: Session, moderator: Moderator, wants: bool) -> bool:
    """Subscribes to the digest or unsubscribes; False without a change."""
    return (
        await tx.execute(
            "UPDATE moderators SET wants_digest = ? WHERE site = ? AND id = ? AND wants_digest <> ?",
            *(int(wants), moderator.site, moderator.id, int(wants)),
        )
        > 0
    )


async def names(session: Session) -> dict[str, str]:
    """Id → email address, for the console's pages. The audit log itself contains only ids."""
    return {row[0]: row[1] for row in await session.fetch("SELECT id, email FROM moderators")}


async def count(session: Session, *, ready: bool = False) -> int:
    """The number of moderators, or of those with a password."""
    row = await session.fetch_one(
        f"SELECT count(*) FROM moderators {'WHERE password_hash IS NOT NULL' if ready else ''}"
    )
    return int(row[0]) if row else 0


async def add_token(tx: Session, token: Token, token_hash: str, now: int) -> None:
    await tx.execute(
        "INSERT INTO tokens (site, token_hash, kind, id, moderator, scopes, created_at, expires_at, name) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(token.site, token_hash, token.kind, token.id, token.moderator, " ".join(sorted(token.scopes)), now),
        *(token.expires_at, token.name),
    )


async def token(session: Session, kind: str, token_hash: str, now: int) -> Token | None:
    """The valid token of this kind with this hash."""
    row = await session.fetch_one(
        f"SELECT {TOKEN} FROM tokens WHERE {SITES} AND token_hash = ? "
        "AND kind = ? AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
        *(token_hash, kind, now),
    )
    return token_of(row) if row else None


async def living(session: Session, token_hashes: Collection[str], now: int) -> list[tuple[str, Token, str | None]]:
    """(token hash, token, its moderator's role) of the valid ones; sessions of removed moderators are not valid."""
    if not token_hashes:
        return []
    rows = await session.fetch(
        f"SELECT {listed(TOKEN_COLUMNS, 't')}, t.token_hash, m.role FROM tokens t LEFT JOIN moderators m ON m.site = t.site AND m.id = t.moderator "
        f"WHERE t.{SITES} AND t.token_hash IN ({placeholders(len(token_hashes))}) AND t.ended_at IS NULL "
        "AND (t.expires_at IS NULL OR t.expires_at > ?) AND (t.kind = 'api' OR m.id IS NOT NULL)",
        *(*token_hashes, now),
    )
    return [(row[-2], token_of(row), row[-1]) for row in rows]


async def used(tx: Session, site: str, token_hash: str, hour: int) -> None:
    await tx.execute("UPDATE tokens SET last_used_at = ? WHERE site = ? AND token_hash = ?", hour, site, token_hash)


async def sessions_of(session: Session, moderator: Moderator, now: int) -> list[tuple[str, Token]]:
    """(token hash, session), newest first."""
    rows = await session.fetch(
        f"SELECT {TOKEN}, token_hash FROM tokens WHERE site = ? AND moderator = ? AND kind = 'session' "
        "AND ended_at IS NULL AND expires_at > ? ORDER BY created_at DESC, token_hash",
        *(moderator.site, moderator.id, now),
    )
    return [(row[-1], token_of(row)) for row in rows]


async def end_sessions(tx: Session, moderator: Moderator, now: int, *, id: str = "", but: str = "") -> int:
    """Ends the session `id`; or all except the one with this hash, and no browser is known any longer."""
    which, value = ("id = ?", id) if id else ("token_hash <> ?", but)
    if not id:
        await forget_devices(tx, moderator)
    return await tx.execute(
        "UPDATE tokens SET ended_at = ? WHERE site = ? AND moderator = ? AND kind = 'session' AND ended_at IS NULL "
        f"AND {which}",
        *(now, moderator.site, moderator.id, value),
    )


async def api_tokens(session: Session, site: str) -> list[Token]:
    """The valid tokens of programs, of one site or all."""
    where, args = ("site = ?", (site,)) if site != EVERYWHERE else (SITES, ())
    rows = await session.fetch(
        f"SELECT {TOKEN} FROM tokens WHERE {where} AND kind = 'api' AND ended_at IS NULL ORDER BY created_at, token_hash",
        *args,
    )
    return [token_of(row) for row in rows]


async def end_token(tx: Session, now: int, *, token_hash: str = "", id: str = "") -> bool:
    """Ends a token by its hash, or a program's by its id. False if none is valid."""
    which, value = ("token_hash = ?", token_hash) if token_hash else ("kind = 'api' AND id = ?", id)
    return (
        await tx.execute(f"UPDATE tokens SET ended_at = ? WHERE {SITES} AND {which} AND ended_at IS NULL", now, value)
        > 0
    )


async def end_tokens_of(
    tx: Session, moderator: Moderator, now: int, kinds: tuple[str, ...] = ("session", "set-password")
) -> None:
    """Ends all tokens of these kinds; with the sessions, no browser is known any longer."""
    if "session" in kinds:
        await forget_devices(tx, moderator)
    for kind in kinds:
        await tx.execute(
            "UPDATE tokens SET ended_at = ? WHERE site = ? AND moderator = ? AND kind = ? AND ended_at IS NULL",
            *(now, moderator.site, moderator.id, kind),
        )


async def forget_devices(tx: Session, moderator: Moderator) -> None:
    """Whoever saw a moderator's screen or password may have copied a device cookie too: all cookies end at once."""
    await tx.execute("UPDATE moderators SET device_seed = '' WHERE site = ? AND id = ?", moderator.site, moderator.id)


async def seed_devices(tx: Session, moderator: Moderator, seed: str) -> Moderator | None:
    """The moderator as stored, with this seed of device cookies unless there is one; None if removed meanwhile."""
    await tx.execute(
        "UPDATE moderators SET device_seed = ? WHERE site = ? AND id = ? AND device_seed = ''",
        *(seed, moderator.site, moderator.id),
    )
    return await by_id(tx, moderator.site, moderator.id)


async def attempts(session: Session, counter: str, now: int, within: int) -> int:
    """The number of attempts in the last `within` milliseconds. Times in the future count as long past: the clock was set
    back."""
    row = await session.fetch_one(
        "SELECT count(*) FROM failed_attempts WHERE site = ? AND counter = ? AND id > ? AND id < ?",
        *(EVERYWHERE, counter, first_id_at(now - within)[:10], first_id_at(now + LEEWAY)),
    )
    return int(row[0]) if row else 0


async def add_attempt(tx: Session, counter: str, now: int) -> str:
    """Stores an attempt and deletes those of this key older than a day. Returns its id."""
    id = new_id(now)
    await tx.execute(
        "INSERT INTO failed_attempts (site, counter, id, failed_at) VALUES (?, ?, ?, ?)", EVERYWHERE, counter, id, now
    )
    await tx.execute(
        "DELETE FROM failed_attempts WHERE site = ? AND counter = ? AND failed_at < ?",
        EVERYWHERE,
        counter,
        now - 86_400_000,
    )
    return id


async def forget_attempt(tx: Session, counter: str, id: str) -> None:
    await tx.execute("DELETE FROM failed_attempts WHERE site = ? AND counter = ? AND id = ?", EVERYWHERE, counter, id)


async def forget_attempts(tx: Session, account_key: str) -> None:
    """Deletes every failed attempt that names an account."""
    await tx.execute("DELETE FROM failed_attempts WHERE site = ? AND counter LIKE ?", EVERYWHERE, f"%{account_key}%")


async def purge_attempts(tx: Session, before: int) -> None:
    await tx.execute("DELETE FROM failed_attempts WHERE site = ? AND failed_at <= ?", EVERYWHERE, before)
