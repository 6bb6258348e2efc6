"""Full text: which comments hold some words, by an index of every three letters in a row."""

from __future__ import annotations

import re
from typing import Any

from moderation.storage.database import Session

MANY = 2000
"""A word in more comments than this is common: who walks along an order meets the next one soon."""
WORDS = 8


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def words(q: str) -> list[str]:
    """What must all be there; what stands in quotation marks, in one piece."""
    found = [quoted or word for quoted, word in re.findall(r'"([^"]+)"|([^\s"]+)', q)]
    return list(dict.fromkeys(found))[:WORDS]


def read(wanted: list[str]) -> tuple[str, list[Any]]:
    """The condition that reads each row, for words too short or too common to look up."""
    one = "lower(c.body) LIKE ? ESCAPE '\\' OR lower(c.name) LIKE ? ESCAPE '\\' OR lower(c.email) LIKE ? ESCAPE '\\'"
    likes = [f"%{escaped(word.lower())}%" for word in wanted]
    return " AND ".join(f"({one})" for _ in likes), [like for like in likes for _ in range(3)]


async def is_behind(session: Session) -> bool:
    """Texts wait for the index. PostgreSQL's reads them as they come."""
    if session.kind != "sqlite" or not await session.fetch("SELECT 1 FROM sqlite_master WHERE name = 'comment_texts'"):
        return False
    return bool(await session.fetch("SELECT 1 FROM comment_texts_unread LIMIT 1"))


async def read_up(tx: Session) -> None:
    """Every text that waits comes into the index, as it stands now."""
    await tx.execute("INSERT OR IGNORE INTO comment_numbers (site, id) SELECT site, id FROM comment_texts_unread")
    await tx.execute(
        "INSERT INTO comment_texts (rowid, name, email, body) SELECT n.number, c.name, c.email, c.body "
        "FROM comment_texts_unread u JOIN comment_numbers n ON n.site = u.site AND n.id = u.id "
        "JOIN comments c ON c.site = u.site AND c.id = u.id"
    )
    await tx.execute("DELETE FROM comment_texts_unread")


async def matching(session: Session, site: str, wanted: list[str]) -> list[str] | None:
    """The ids of the comments of a site that hold all of these; None where that is better read row by row."""
    if any(len(word) < 3 for word in wanted):
        return None
    if session.kind == "postgres":
        condition, args = read(wanted)
        grams = " AND ".join("threes(c.name || chr(10) || c.email || chr(10) || c.body) @> threes(?)" for _ in wanted)
        sql = f"SELECT c.id FROM comments c WHERE {grams} AND {condition} AND c.site = ? LIMIT ?"
        rows = await session.fetch(sql, *wanted, *args, site, MANY + 1)
    elif await session.fetch("SELECT 1 FROM sqlite_master WHERE name = 'comment_texts'"):
        # CROSS JOIN: the words first. The planner would rather ask for them once for each comment.
        phrases = " AND ".join('"' + word.replace('"', '""') + '"' for word in wanted)
        rows = await session.fetch(
            "SELECT n.id FROM comment_texts t CROSS JOIN comment_numbers n ON n.number = t.rowid WHERE comment_texts MATCH ? "
            "AND n.site = ? LIMIT ?",
            *(phrases, site, MANY + 1),
        )
    else:
        return None
    return None if len(rows) > MANY else [row[0] for row in rows]
