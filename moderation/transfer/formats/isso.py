"""isso: its SQLite database, opened read-only. Texts are Markdown; network addresses are truncated there and not imported."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from moderation.core.problem import BadRequest
from moderation.transfer.formats.file import File
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped

SOURCE = "isso"
STATUSES = {1: "approved", 2: "pending", 4: "deleted"}
LONGEST = 16 * 1024 * 1024
"""Bytes of one value; SQLite refuses to read a longer one."""
COLUMNS = {"threads": {"id", "uri", "title"}, "comments": {"id", "tid", "parent", "created", "mode", "text", "author"}}
ROWS = (
    "SELECT c.id, c.tid, c.parent, c.created, c.modified, c.mode, substr(c.text, 1, 70000), c.author, c.email, c.website, "
    "t.uri, t.title FROM comments c LEFT JOIN threads t ON t.id = c.tid ORDER BY c.id"
)


def is_database(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0")


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
    for table, needed in COLUMNS.items():
        # a view would run a foreign statement
        kind = database.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        columns = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        if not kind or kind[0] != "table" or not needed <= columns:
            raise BadRequest("This SQLite file is no database of isso: it has no threads with comments.")
    told = None
    for row in database.execute(ROWS):
        id, tid, parent, created, modified, mode, text, author, email, website, uri, title = row
        where = f"comment {id if isinstance(id, int) else '?'}"
        if not isinstance(tid, int) or not isinstance(uri, str):
            yield Skipped(where, "its article is not in the file")
            continue
        if tid != told:
            told = tid
            yield ImportedArticle(
                foreign=str(tid), key=page_key(uri), title=said(title), url=uri if "://" in uri else ""
            )
        yield ImportedComment(
            where=where,
            foreign=str(id),
            article=str(tid),
            parent=str(parent) if isinstance(parent, int) and parent else "",
            status=STATUSES.get(mode, "pending"),
            name=said(author),
            email=said(email),
            url=said(website),
            body=said(text),
            format="markdown",
            created_at=seconds(created),
            edited_at=seconds(modified),
        )


def said(value: object) -> str:
    return value if isinstance(value, str) else ""


def seconds(value: object) -> int | None:
    """Unix seconds → milliseconds."""
    return int(value * 1000) if isinstance(value, int | float) and 0 < value < 1e11 else None
