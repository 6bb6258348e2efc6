"""Full text: which comments hold some words, by an index of every three letters in a row, and one of short words."""

from __future__ import annotations

import re
from typing import Any

from moderation.storage import short_words
from moderation.storage.database import Session

MANY = 2000
"""A word in more comments than this is common: who walks along an order meets the next one soon."""
WORDS = 8
AT_ONCE = 500
"""Texts whose short words are worked out in one transaction: whoever posts waits no longer than for these."""


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def words(q: str) -> list[str]:
    """What must all be there; what stands in quotation marks, in one piece."""
    found = [quoted or word for quoted, word in re.findall(r'"([^"]+)"|([^\s"]+)', q)]
    found = [word.strip() if len(word) < 3 else word for word in found if word.strip()]
    return list(dict.fromkeys(found))[:WORDS]


def read(wanted: list[str]) -> tuple[str, list[Any]]:
    """The condition that reads each row, for words too short or too common to look up."""
    one = "lower(c.body) LIKE ? ESCAPE '\\' OR lower(c.name) LIKE ? ESCAPE '\\' OR lower(c.email) LIKE ? ESCAPE '\\'"
    likes = [f"%{escaped(word.lower())}%" for word in wanted]
    return " AND ".join(f"({one})" for _ in likes), [like for like in likes for _ in range(3)]


async def has_index(session: Session) -> bool:
    """SQLite may have been built without FTS5: then the rows are read."""
    if session.kind != "sqlite":
        return True
    return bool(await session.fetch("SELECT 1 FROM sqlite_master WHERE name = 'comment_shorts'"))


async def is_behind(session: Session) -> bool:
    """Texts wait for the index."""
    if not await has_index(session):
        return False
    lists = (
        ("comment_texts_unread", "comment_shorts_unread") if session.kind == "sqlite" else ("comment_shorts_unread",)
    )
    for unread in lists:
        if await session.fetch(f"SELECT 1 FROM {unread} LIMIT 1"):
            return True
    return False


async def read_up(tx: Session) -> bool:
    """Texts that wait come into the index, as they stand now; True where more of them wait for their short words."""
    if tx.kind == "sqlite":
        await tx.execute("INSERT OR IGNORE INTO comment_numbers (site, id) SELECT site, id FROM comment_texts_unread")
        await tx.execute(
            "INSERT INTO comment_texts (rowid, name, email, body) SELECT n.number, c.name, c.email, c.body "
            "FROM comment_texts_unread u JOIN comment_numbers n ON n.site = u.site AND n.id = u.id "
            "JOIN comments c ON c.site = u.site AND c.id = u.id"
        )
        await tx.execute(
            "INSERT OR IGNORE INTO comment_shorts_unread (site, id) SELECT site, id FROM comment_texts_unread"
        )
        await tx.execute("DELETE FROM comment_texts_unread")
    rows = await tx.fetch("SELECT site, id FROM comment_shorts_unread ORDER BY site, id LIMIT ?", AT_ONCE)
    if not rows:
        return False
    last = rows[-1]
    texts = await tx.fetch(
        "SELECT c.site, c.id, c.name || ' ' || c.email || ' ' || c.body FROM comment_shorts_unread u JOIN comments c ON "
        "c.site = u.site AND c.id = u.id WHERE (u.site, u.id) <= (?, ?)",
        *last,
    )
    if tx.kind == "sqlite":
        where = "(SELECT number FROM comment_numbers WHERE site = ? AND id = ?)"
        await tx.execute_many(f"DELETE FROM comment_shorts WHERE rowid = {where}", [(row[0], row[1]) for row in texts])
        await tx.execute_many(
            "INSERT INTO comment_shorts (rowid, words) SELECT number, ? FROM comment_numbers WHERE site = ? AND id = ?",
            [(short_words.spelled(short_words.found_in(row[2])), row[0], row[1]) for row in texts],
        )
    else:
        await tx.execute_many(
            "INSERT INTO comment_shorts (site, id, words) VALUES (?, ?, ?) ON CONFLICT (site, id) DO UPDATE SET words = "
            "excluded.words",
            [(row[0], row[1], sorted(short_words.found_in(row[2]))) for row in texts],
        )
    await tx.execute("DELETE FROM comment_shorts_unread WHERE (site, id) <= (?, ?)", *last)
    return len(rows) == AT_ONCE


async def matching(session: Session, site: str, wanted: list[str]) -> tuple[list[str] | None, str, list[Any]]:
    """The ids of the comments of a site that hold all of these, where they are not many; and the condition that asks it of
    each row, for whoever walks along an order instead."""
    if not await has_index(session):
        return None, *read(wanted)
    short = [word.lower() for word in wanted if short_words.is_short(word)]
    if short and await session.fetch("SELECT 1 FROM comment_shorts_unread WHERE site = ? LIMIT 1", site):
        return None, *read(wanted)  # the index is still being made
    long = [word for word in wanted if not short_words.is_short(word)]
    where, args = read(long) if long else ("", [])
    if short:
        has, asked = holds_short(session, short)
        where, args = " AND ".join(filter(None, (where, has))), [*args, *asked]
    return await if_few(session, *look_up(session, site, long, short)), where, args


async def if_few(session: Session, sql: str, args: list[Any]) -> list[str] | None:
    """The ids that `sql` finds, its limit still to come; None where they are many. Strung together by the database: a row
    for each costs more than finding them."""
    strung = "string_agg(id, ' ')" if session.kind == "postgres" else "group_concat(id, ' ')"
    (row,) = await session.fetch(f"SELECT count(*), {strung} FROM ({sql}) AS found", *args, MANY + 1)
    return None if row[0] > MANY else (row[1] or "").split()


def holds_short(session: Session, short: list[str]) -> tuple[str, list[Any]]:
    """That one comment, `c`, holds all of these."""
    if session.kind == "postgres":
        return (
            "EXISTS (SELECT 1 FROM comment_shorts w WHERE w.site = c.site AND w.id = c.id AND w.words @> ?::text[])",
            [short],
        )
    return (
        "EXISTS (SELECT 1 FROM comment_numbers n CROSS JOIN comment_shorts w ON w.rowid = n.number WHERE n.site = c.site AND "
        "n.id = c.id AND comment_shorts MATCH ?)",
        [all_of(short)],
    )


def all_of(short: list[str]) -> str:
    return " AND ".join(short_words.spelled({word}) for word in short)


_ADDRESS = re.compile(r"([^@]{2,}@)[^@]{3,}").fullmatch


def telling(word: str) -> str:
    """Of a mail address the part that tells whose it is: the rest is in every address there, and looking that up takes as long
    as reading them all."""
    return found[1] if word.isascii() and (found := _ADDRESS(word)) else word


def look_up(session: Session, site: str, long: list[str], short: list[str]) -> tuple[str, list[Any]]:
    """The words first, then whose they are; the limit is still to come."""
    if session.kind == "postgres":
        if not long:
            return "SELECT w.id FROM comment_shorts w WHERE w.words @> ?::text[] AND w.site = ? LIMIT ?", [short, site]
        condition, args = read(long)
        grams = " AND ".join("threes(c.name || chr(10) || c.email || chr(10) || c.body) @> threes(?)" for _ in long)
        has, asked = holds_short(session, short) if short else ("TRUE", [])
        sql = f"SELECT c.id FROM comments c WHERE {grams} AND {condition} AND {has} AND c.site = ? LIMIT ?"
        return sql, [*long, *args, *asked, site]
    # CROSS JOIN: the words first. The planner would rather ask for them once for each comment.
    if not long:
        return (
            "SELECT n.id FROM comment_shorts t CROSS JOIN comment_numbers n ON n.number = t.rowid WHERE comment_shorts MATCH ? "
            "AND n.site = ? LIMIT ?",
            [all_of(short), site],
        )
    phrases = " AND ".join('"' + telling(word).replace('"', '""') + '"' for word in long)
    only = "AND t.rowid IN (SELECT rowid FROM comment_shorts WHERE comment_shorts MATCH ?) " if short else ""
    addresses = [word for word in long if telling(word) != word]
    whole, texts, args = "", "", list[Any]()
    if addresses:
        condition, args = read(addresses)
        whole, texts = f"AND {condition} ", "CROSS JOIN comments c ON c.site = n.site AND c.id = n.id "
    return (
        f"SELECT n.id FROM comment_texts t CROSS JOIN comment_numbers n ON n.number = t.rowid {texts}WHERE comment_texts MATCH ? "
        f"{only}{whole}AND n.site = ? LIMIT ?",
        [phrases, *([all_of(short)] if short else []), *args, site],
    )
