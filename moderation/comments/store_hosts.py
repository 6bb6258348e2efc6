"""The hosts that comments link to, with what a person has decided on each comment: which of them are known on a site."""

from __future__ import annotations

from collections.abc import Iterable

from moderation.db.database import Session, placeholders
from moderation.db.tables import Table

COLUMNS = ("site", "id", "host", "author_key", "decided")
HOSTS = Table(name="comment_hosts", columns=COLUMNS, key=3, holds_text=True)
TABLES = (HOSTS,)
AUTHORS = 3
"""Authors of comments with a host, approved by a person, that make the host known."""


async def add(tx: Session, rows: Iterable[tuple[str, str, str, str, str]]) -> None:
    """Stores rows of COLUMNS. Decisions on the comments are noted by triggers on `comments`."""
    await tx.execute_many(HOSTS.insert, rows)


ELSEWHERE = "checks:"
"""The beginning of the author's key of a comment that another system keeps: a key that may teach must not open links here."""


async def known(session: Session, site: str, hosts: Iterable[str], *, elsewhere: bool = False) -> set[str]:
    """Those of the hosts that a person approved in comments of AUTHORS authors, and that stand in no comment which a person
    called spam. `elsewhere`: comments that another system keeps count too."""
    wanted = sorted(set(hosts) - {""})
    if not wanted:
        return set()
    ours = "" if elsewhere else f"AND author_key NOT LIKE '{ELSEWHERE}%'"
    rows = await session.fetch(
        f"SELECT host FROM comment_hosts WHERE site = ? AND host IN ({placeholders(len(wanted))}) AND decided = 'approved' "
        f"AND author_key > '' {ours} GROUP BY host HAVING count(DISTINCT author_key) >= {AUTHORS}",
        *(site, *wanted),
    )
    approved = [row[0] for row in rows]
    if not approved:
        return set()
    rows = await session.fetch(
        f"SELECT DISTINCT host FROM comment_hosts WHERE site = ? AND host IN ({placeholders(len(approved))}) AND decided = 'spam'",
        *(site, *approved),
    )
    return set(approved) - {row[0] for row in rows}


async def approved(session: Session, site: str, hosts: Iterable[str]) -> set[str]:
    """Those of the hosts that stand in a comment which a person approved."""
    wanted = sorted(set(hosts))
    if not wanted:
        return set()
    rows = await session.fetch(
        f"SELECT DISTINCT host FROM comment_hosts WHERE site = ? AND host IN ({placeholders(len(wanted))}) AND decided = 'approved'",
        *(site, *wanted),
    )
    return {row[0] for row in rows}


async def forget(tx: Session, site: str, ids: Iterable[str]) -> None:
    """Deletes the hosts of comments whose text has changed."""
    gone = list(ids)
    await tx.execute(f"DELETE FROM comment_hosts WHERE site = ? AND id IN ({placeholders(len(gone))})", site, *gone)
