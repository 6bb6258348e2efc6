"""Cusdis: its SQLite database, opened read-only. Texts are Markdown."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from moderation.core.problem import BadRequest
from moderation.transfer.formats.fields import id_of, is_true, text, time_of
from moderation.transfer.formats.file import File
from moderation.transfer.formats.isso import LONGEST, columns_of
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped

SOURCE = "cusdis"
NEEDED = {
    "comments": {"id", "pageId", "created_at", "by_email", "by_nickname", "content", "approved", "parentId"},
    "pages": {"id", "slug", "url", "title"},
}
ROWS = (
    "SELECT c.id, c.created_at, c.deleted_at, c.by_email, c.by_nickname, substr(c.content, 1, 70000) AS content, c.approved, "
    "c.parentId, p.id AS page, p.slug, p.url, p.title FROM comments c LEFT JOIN pages p ON p.id = c.pageId ORDER BY p.id, c.created_at"
)


def is_database(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3\0") and b"by_nickname" in head


def read(file: File, keys: str) -> Iterator[Record]:
    """`keys` is `path`, or `id` for the ids that the pages gave to Cusdis."""
    if not file.size:
        raise BadRequest("Cusdis's database cannot come through a pipe: give the path of the file.")
    try:
        with closing(sqlite3.connect(f"{file.path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.execute("PRAGMA query_only = ON")
            database.execute("PRAGMA trusted_schema = OFF")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
            database.text_factory = lambda raw: raw.decode("utf-8", "replace")
            database.row_factory = sqlite3.Row
            if any(not needed <= columns_of(database, table) for table, needed in NEEDED.items()):
                raise BadRequest("This SQLite file is no database of Cusdis: it has no pages with comments.")
            yield from rows(database, keys)
    except sqlite3.Error as error:
        raise BadRequest(
            f"The database cannot be read ({error}). Stop Cusdis, copy the file, and give the copy."
        ) from None


def rows(database: sqlite3.Connection, keys: str) -> Iterator[Record]:
    named = ""
    for number, record in enumerate(database.execute(ROWS), start=1):
        row = dict(record)
        foreign, page = id_of(row, "id"), id_of(row, "page")
        where = f"comment {foreign}" if foreign.isalnum() else f"row {number}"
        if not foreign or not page:
            yield Skipped(where, "its article is not in the file")
            continue
        if page != named:
            named = page
            slug, url = text(row, "slug"), text(row, "url")
            yield ImportedArticle(
                foreign=page, key=page_key(slug if keys == "id" else url or slug), title=text(row, "title"), url=url
            )
        yield ImportedComment(
            where=where,
            foreign=foreign,
            article=page,
            parent=id_of(row, "parentId"),
            status="deleted" if row["deleted_at"] else "approved" if is_true(row, "approved") else "pending",
            name=text(row, "by_nickname"),
            email=text(row, "by_email"),
            url="",
            body=text(row, "content"),
            format="markdown",
            created_at=time_of(row, "created_at"),
        )
