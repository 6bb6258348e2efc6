"""Full-text search, by an index of trigrams and an index of short words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from moderation.db.database import Session
from moderation.db.tables import Table
from moderation.queue import store_short_words as short_words

TABLES = tuple(
    Table(name=name)
    for name in (
        *("comment_reasons", "search_partitions", "comment_numbers", "comment_texts", "comment_texts_unindexed"),
        *("comment_short_words", "comment_short_words_unindexed"),
    )
)
"""In no backup: triggers and the index make them from comments and submissions."""
MANY = 1000
"""A word in more comments of a status than this is common: a walk along an order soon meets it. With 100,000 comments of the
status, sorting this many takes about as long as walking until twenty of them are met."""
WORDS = 8
AT_ONCE = 200
"""Texts indexed in one transaction: a new comment waits at most for these."""
PARTITION = 36
"""SQLite: the bits of a comment's own number in its row id in the index, below the number of its site and status. So the
comments of a status are a range of row ids, and FTS5 reads only these."""


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def words(q: str) -> list[str]:
    """The words of a query, all required; a phrase in quotation marks is one."""
    found = [quoted or word for quoted, word in re.findall(r'"([^"]+)"|([^\s"]+)', q)]
    found = [word.strip() if len(word) < 3 else word for word in found if word.strip()]
    return list(dict.fromkeys(found))[:WORDS]


def read(wanted: list[str]) -> tuple[str, list[Any]]:
    """A condition on each row, for words that cannot be looked up."""
    one = "lower(c.body) LIKE ? ESCAPE '\\' OR lower(c.name) LIKE ? ESCAPE '\\' OR lower(c.email) LIKE ? ESCAPE '\\'"
    likes = [f"%{escaped(word.lower())}%" for word in wanted]
    return " AND ".join(f"({one})" for _ in likes), [like for like in likes for _ in range(3)]


async def has_index(session: Session) -> bool:
    """Whether the full-text index exists: SQLite may be built without FTS5, and searches then read the rows."""
    if session.kind != "sqlite":
        return True
    return bool(await session.fetch("SELECT 1 FROM sqlite_master WHERE name = 'comment_short_words'"))


async def is_behind(session: Session) -> bool:
    """Whether texts wait to be indexed."""
    if not await has_index(session):
        return False
    lists = (
        ("comment_texts_unindexed", "comment_short_words_unindexed")
        if session.kind == "sqlite"
        else ("comment_short_words_unindexed",)
    )
    for unread in lists:
        if await session.fetch(f"SELECT 1 FROM {unread} LIMIT 1"):
            return True
    return False


async def read_up(tx: Session) -> bool:
    """Indexes up to AT_ONCE waiting texts in their current state; True if more wait."""
    more = await _read_texts(tx) if tx.kind == "sqlite" else False
    rows = await tx.fetch("SELECT site, id FROM comment_short_words_unindexed ORDER BY site, id LIMIT ?", AT_ONCE)
    if not rows:
        return more
    last = rows[-1]
    texts = await tx.fetch(
        "SELECT c.site, c.id, c.name || ' ' || c.email || ' ' || c.body, c.status FROM comment_short_words_unindexed u CROSS JOIN comments "
        "c WHERE (u.site, u.id) <= (?, ?) AND c.site = u.site AND c.id = u.id",
        *last,
    )
    if tx.kind == "sqlite":
        where = "(SELECT number FROM comment_numbers WHERE site = ? AND id = ?)"
        await tx.execute_many(
            f"DELETE FROM comment_short_words WHERE rowid = {where}", [(row[0], row[1]) for row in texts]
        )
        await tx.execute_many(
            "INSERT INTO comment_short_words (rowid, words) SELECT number, ? FROM comment_numbers WHERE site = ? AND id = ?",
            [(short_words.spelled(short_words.found_in(row[2])), row[0], row[1]) for row in texts],
        )
    else:
        await tx.execute_many(
            "INSERT INTO comment_short_words (site, id, words, partition) VALUES (?, ?, ?, search_partition(?, ?)) ON CONFLICT (site, id) DO UPDATE "
            "SET words = excluded.words, partition = excluded.partition",
            [(row[0], row[1], sorted(short_words.found_in(row[2])), row[0], row[3]) for row in texts],
        )
    await tx.execute("DELETE FROM comment_short_words_unindexed WHERE (site, id) <= (?, ?)", *last)
    return more or len(rows) == AT_ONCE


async def _read_texts(tx: Session) -> bool:
    """For SQLite: waiting texts are new, or have a new status and so another partition."""
    rows = await tx.fetch("SELECT site, id FROM comment_texts_unindexed ORDER BY site, id LIMIT ?", AT_ONCE)
    if not rows:
        return False
    waiting = "comment_texts_unindexed u CROSS JOIN comments c ON c.site = u.site AND c.id = u.id"
    until = "(u.site, u.id) <= (?, ?)"
    await tx.execute(
        f"INSERT OR IGNORE INTO search_partitions (site, status) SELECT DISTINCT c.site, c.status FROM {waiting} WHERE {until}",
        *rows[-1],
    )
    found = await tx.fetch(
        f"SELECT c.site, c.id, p.partition, n.number FROM {waiting} JOIN search_partitions p ON p.site = c.site AND "
        f"p.status = c.status LEFT JOIN comment_numbers n ON n.site = c.site AND n.id = c.id WHERE {until}",
        *rows[-1],
    )
    moving = [row for row in found if row[3] is None or row[3] >> PARTITION != row[2]]
    numbers = dict[int, int]()
    for partition in {row[2] for row in moving}:
        (highest,) = await tx.fetch(
            "SELECT max(number) FROM comment_numbers WHERE number BETWEEN ? AND ?", *within(partition)
        )
        numbers[partition] = highest[0] if highest[0] is not None else partition << PARTITION
    placed = list[tuple[int, str, str, int | None]]()
    for site, id, partition, number in moving:
        numbers[partition] += 1
        placed.append((numbers[partition], site, id, number))
    moved = [(new, site, id, old) for new, site, id, old in placed if old is not None]
    await tx.execute_many(
        "INSERT INTO comment_texts (comment_texts, rowid, name, email, body) SELECT 'delete', ?, name, email, body "
        "FROM comments WHERE site = ? AND id = ?",
        [(old, site, id) for _, site, id, old in moved],
    )
    await tx.execute_many(
        "UPDATE comment_short_words SET rowid = ? WHERE rowid = ?", [(new, old) for new, _, _, old in moved]
    )
    await tx.execute_many(
        "UPDATE comment_numbers SET number = ? WHERE site = ? AND id = ?",
        [(new, site, id) for new, site, id, _ in moved],
    )
    fresh = [(new, site, id) for new, site, id, old in placed if old is None]
    await tx.execute_many("INSERT INTO comment_numbers (number, site, id) VALUES (?, ?, ?)", fresh)
    await tx.execute_many(
        "INSERT OR IGNORE INTO comment_short_words_unindexed (site, id) VALUES (?, ?)",
        [(site, id) for _, site, id in fresh],
    )
    await tx.execute_many(
        "INSERT INTO comment_texts (rowid, name, email, body) SELECT ?, name, email, body FROM comments WHERE site = ? AND id = ?",
        [(new, site, id) for new, site, id, _ in placed],
    )
    await tx.execute("DELETE FROM comment_texts_unindexed WHERE (site, id) <= (?, ?)", *rows[-1])
    return len(rows) == AT_ONCE


def within(partition: int) -> tuple[int, int]:
    """The range of row ids of a partition."""
    return partition << PARTITION, (partition + 1 << PARTITION) - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter on the comments of a site and status, in two forms: a statement that finds all their ids (None if it cannot be
    looked up), and a condition on one row, `c`."""

    ids: str | None
    ids_args: list[Any]
    condition: str
    args: list[Any]


async def how_many(session: Session, asked: Filter) -> int | None:
    """The number of matches; None if it exceeds MANY or needs a read of each row."""
    if asked.ids is None:
        return None
    (row,) = await session.fetch(f"SELECT count(*) FROM ({asked.ids} LIMIT ?) AS found", *asked.ids_args, MANY + 1)
    return int(row[0]) if row[0] <= MANY else None


async def matching(session: Session, site: str, status: str, wanted: list[str]) -> list[Filter]:
    """Filters for the comments of a status with all these words: one by trigrams, one by short words."""
    if not await has_index(session):
        return [Filter(None, [], *read(wanted))]
    short = [word.lower() for word in wanted if short_words.is_short(word)]
    if short and await session.fetch("SELECT 1 FROM comment_short_words_unindexed WHERE site = ? LIMIT 1", site):
        return [Filter(None, [], *read(wanted))]  # the index is still being made
    long = [word for word in wanted if not short_words.is_short(word)]
    asked: list[tuple[tuple[str, list[Any]], list[str], list[str]]] = [(read(long), long, [])] if long else []
    asked += [(holds_short(session, short), [], short)] if short else []
    if session.kind == "postgres":
        return [Filter(*_on_postgres(site, status, some, few), *condition) for condition, some, few in asked]
    partition = await session.fetch_one(
        "SELECT partition FROM search_partitions WHERE site = ? AND status = ?", site, status
    )
    found = []
    for condition, some, few in asked:
        ids, args = _unindexed(site, status, *read(some or few))
        if partition:
            inside, more = _in_partition(partition[0], some, few)
            ids, args = f"{inside} UNION ALL {ids}", [*more, *args]
        found.append(Filter(ids, args, *condition))
    return found


def holds_short(session: Session, short: list[str]) -> tuple[str, list[Any]]:
    """A condition that the comment `c` contains all these short words."""
    if session.kind == "postgres":
        return (
            "EXISTS (SELECT 1 FROM comment_short_words w WHERE w.site = c.site AND w.id = c.id AND w.words @> ?::text[])",
            [short],
        )
    return (
        "EXISTS (SELECT 1 FROM comment_numbers n CROSS JOIN comment_short_words w ON w.rowid = n.number WHERE n.site = c.site AND "
        "n.id = c.id AND comment_short_words MATCH ?)",
        [all_of(short)],
    )


def all_of(short: list[str]) -> str:
    return " AND ".join(short_words.spelled({word}) for word in short)


_ADDRESS = re.compile(r"([^@]{2,}@)[^@]{3,}").fullmatch


def telling(word: str) -> str:
    """The distinctive part of an email address: the rest occurs in every address of its host, and looking it up takes as long
    as reading them all."""
    return found[1] if word.isascii() and (found := _ADDRESS(word)) else word


def _on_postgres(site: str, status: str, long: list[str], short: list[str]) -> tuple[str, list[Any]]:
    """A filter by the one index of words and positions."""
    if not long:
        return (
            "SELECT w.id FROM comment_short_words w WHERE (w.words || w.partition) @> (?::text[] || search_partition(?, ?))",
            [
                short,
                site,
                status,
            ],
        )
    condition, args = read(long)
    grams = " || ".join("trigrams(?)" for _ in long)
    sql = (
        "SELECT c.id FROM comments c WHERE (trigrams(c.name || chr(10) || c.email || chr(10) || c.body) || search_partition(c.site, c.status)) "
        f"@> ({grams} || search_partition(?, ?)) AND {condition}"
    )
    return sql, [*long, site, status, *args]


def _in_partition(partition: int, long: list[str], short: list[str]) -> tuple[str, list[Any]]:
    """A lookup with CROSS JOIN, which starts with the words; the planner would otherwise search once for each comment."""
    here = "t.rowid BETWEEN ? AND ?"
    if not long:
        return (
            "SELECT n.id FROM comment_short_words t CROSS JOIN comment_numbers n ON n.number = t.rowid WHERE comment_short_words MATCH ? "
            f"AND {here}",
            [all_of(short), *within(partition)],
        )
    phrases = " AND ".join('"' + telling(word).replace('"', '""') + '"' for word in long)
    addresses = [word for word in long if telling(word) != word]
    whole, texts, args = "", "", list[Any]()
    if addresses:
        condition, args = read(addresses)
        whole, texts = f"AND {condition} ", "CROSS JOIN comments c ON c.site = n.site AND c.id = n.id "
    return (
        f"SELECT n.id FROM comment_texts t CROSS JOIN comment_numbers n ON n.number = t.rowid {texts}WHERE comment_texts MATCH ? "
        f"{whole}AND {here}",
        [phrases, *args, *within(partition)],
    )


def _unindexed(site: str, status: str, condition: str, args: list[Any]) -> tuple[str, list[Any]]:
    """Comments that are new or changed since the last indexing: few, and read row by row."""
    return (
        "SELECT c.id FROM comment_texts_unindexed u CROSS JOIN comments c ON c.site = u.site AND c.id = u.id WHERE u.site = ? AND "
        f"c.status = ? AND {condition}",
        [site, status, *args],
    )
