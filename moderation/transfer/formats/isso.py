"""isso: its SQLite database, opened read-only. Texts are Markdown with HTML in it: isso renders both, and all that it imported
itself is HTML. Network addresses are truncated there and not imported.

The earliest versions have no threads: a comment names its page, and counts from 1 on each (`isso/db/comments.py` of 2012).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from moderation.core.problem import BadRequest
from moderation.transfer.formats.file import File
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped
from moderation.transfer.typed import markdown_of

SOURCE = "isso"
STATUSES = {1: "approved", 2: "pending", 4: "deleted"}
LONGEST = 16 * 1024 * 1024
"""Bytes of one value; SQLite refuses to read a longer one."""
NEEDED = {"id", "parent", "created", "mode", "text", "author"}
OTHERS = ("modified", "email", "website")
"""Columns of comments that every version has, and those that came with later ones."""


def is_database(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0") and b"by_nickname" not in head


def read(file: File, keys: str) -> Iterator[Record]:
    """Article keys are paths; isso has no other ids."""
    if not file.size:
        raise BadRequest("isso's database cannot come through a pipe: give the path of the file.")
    try:
        with closing(sqlite3.connect(f"{file.path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            yield from rows(database)
    except sqlite3.Error as error:
        raise BadRequest(
            f"The database cannot be read ({error}). Stop isso, copy the file, and give the copy."
        ) from None


def rows(database: sqlite3.Connection) -> Iterator[Record]:
    database.execute("PRAGMA query_only = ON")
    database.execute("PRAGMA trusted_schema = OFF")
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    database.text_factory = lambda raw: raw.decode("utf-8", "replace")
    columns = {table: columns_of(database, table) for table in ("threads", "comments")}
    has_threads = {"id", "uri"} <= columns["threads"] and "tid" in columns["comments"]
    if not columns["comments"] >= NEEDED or not (has_threads or "path" in columns["comments"]):
        raise BadRequest("This SQLite file is no database of isso: it has no threads with comments.")
    others = ", ".join(f"c.{name}" if name in columns["comments"] else "NULL" for name in OTHERS)
    page = "c.tid, t.uri, t.title" if "title" in columns["threads"] else "c.tid, t.uri, NULL"
    joined = "LEFT JOIN threads t ON t.id = c.tid"
    if not has_threads:
        page, joined = "c.path, c.path, NULL", ""
    columns_read = f"c.id, {page}, c.parent, c.created, c.mode, substr(c.text, 1, 70000), c.author, {others}"
    order = "c.id" if has_threads else "c.path, c.id"
    query = " ".join(["SELECT", columns_read, "FROM comments c", joined, "ORDER BY", order])
    told = None
    for row in database.execute(query):
        id, thread, uri, title, parent, created, mode, body, author, modified, email, website = row
        where = f"comment {id if isinstance(id, int) else '?'}"
        if not isinstance(thread, int | str) or not isinstance(uri, str):
            yield Skipped(where, "its article is not in the file")
            continue
        if thread != told:
            told = thread
            yield ImportedArticle(
                foreign=str(thread), key=page_key(uri), title=said(title), url=uri if "://" in uri else ""
            )
        suffix = "" if has_threads else f" {thread}"
        yield ImportedComment(
            where=where,
            foreign=f"{id}{suffix}",
            article=str(thread),
            parent=f"{parent}{suffix}" if isinstance(parent, int) and parent else "",
            status=STATUSES.get(mode, "pending"),
            name=said(author),
            email=said(email),
            url=said(website),
            body=markdown_of(said(body)),
            format="markdown",
            created_at=seconds(created),
            edited_at=seconds(modified),
        )


def columns_of(database: sqlite3.Connection, table: str) -> set[str]:
    """A table's columns; none for a view, which would run a foreign statement."""
    kind = database.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return {row[1] for row in database.execute(f"PRAGMA table_info({table})")} if kind and kind[0] == "table" else set()


def said(value: object) -> str:
    return value if isinstance(value, str) else ""


def seconds(value: object) -> int | None:
    """Unix seconds → milliseconds."""
    return int(value * 1000) if isinstance(value, int | float) and 0 < value < 1e11 else None
