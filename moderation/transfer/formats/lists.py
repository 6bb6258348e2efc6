"""Artalk, Twikoo and Waline (also Valine, its forerunner): lists of comments as JSON, with paths for pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from moderation.transfer.formats.fields import id_of, is_true, text, time_of
from moderation.transfer.formats.file import File
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped
from moderation.transfer.typed import markdown_of

WALINE = {"approved": "approved", "waiting": "pending", "spam": "spam"}
OF_WALINE = re.compile(r"\"Comment\"\s*:\s*\[|\A\s*\[|\"results\"\s*:\s*\[")


def is_artalk(head: bytes) -> bool:
    return b'"page_key"' in head and b'"content"' in head and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def is_twikoo(head: bytes) -> bool:
    return b'"comment"' in head and (b'"isSpam"' in head or b'"mailMd5"' in head)


def is_waline(head: bytes) -> bool:
    is_named = re.search(rb'"type"\s*:\s*"waline"', head) is not None
    return is_named or (b'"objectId"' in head and b'"nick"' in head and b'"comment"' in head)


def read_artalk(file: File, keys: str) -> Iterator[Record]:
    """Artrans: the array that Artalk exports; every value is a text."""
    return pages(file.rows(), artalk)


def read_twikoo(file: File, keys: str) -> Iterator[Record]:
    """The array of its console, or MongoDB's lines."""
    if file.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return pages(lines(file), twikoo)
    return pages(file.rows(), twikoo)


def read_waline(file: File, keys: str) -> Iterator[Record]:
    """Waline's own document, a list, or the lines of LeanCloud's console, which begin with `#filetype:JSON-streaming`."""
    head = file.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    is_lines = head.startswith((b"#", b"{")) and not OF_WALINE.search(head.decode("utf-8", "replace"))
    return pages(lines(file) if is_lines else file.rows(OF_WALINE), waline)


def lines(file: File) -> Iterator[tuple[int, Any]]:
    for number, line in file.lines():
        if line is not None and line.startswith(b"#"):
            continue
        try:
            yield number, orjson.loads(line or b"")
        except ValueError:
            yield number, Skipped(f"line {number}", "no JSON: the file is cut short or damaged here")


def pages(
    rows: Iterator[tuple[int, Any]],
    read: Callable[[dict[str, Any], str], tuple[ImportedArticle, ImportedComment] | None],
) -> Iterator[Record]:
    """The records of rows, with each article before its first comment in a row."""
    named = ""
    for number, row in rows:
        where = f"row {number}"
        made = read(row, where) if isinstance(row, dict) else None
        if made is None:
            yield row if isinstance(row, Skipped) else Skipped(where, "no comment with an id and a page")
            continue
        article, comment = made
        if article.foreign != named:
            named = article.foreign
            yield article
        yield comment


def artalk(row: dict[str, Any], where: str) -> tuple[ImportedArticle, ImportedComment] | None:
    foreign, page = id_of(row, "id"), text(row, "page_key")
    if not foreign or not page:
        return None
    url = page if "://" in page else ""
    return (
        ImportedArticle(
            foreign=page,
            key=page_key(page),
            title=text(row, "page_title"),
            url=url,
            comments_open=not is_true(row, "page_admin_only"),
        ),
        ImportedComment(
            where=where_of(foreign, where),
            foreign=foreign,
            article=page,
            parent=id_of(row, "rid"),
            status="pending" if is_true(row, "is_pending") else "approved",
            name=text(row, "nick"),
            email=text(row, "email"),
            url=text(row, "link"),
            body=markdown_of(text(row, "content")),
            format="markdown",
            created_at=time_of(row, "created_at"),
            address=text(row, "ip"),
        ),
    )


def twikoo(row: dict[str, Any], where: str) -> tuple[ImportedArticle, ImportedComment] | None:
    foreign, page = id_of(row, "_id", "id"), text(row, "url")
    if not foreign or not page:
        return None
    href = text(row, "href")
    return (
        ImportedArticle(foreign=page, key=page_key(page), url=href if page_key(href) == page_key(page) else ""),
        ImportedComment(
            where=where_of(foreign, where),
            foreign=foreign,
            article=page,
            parent=id_of(row, "pid", "rid"),
            status="spam" if is_true(row, "isSpam") else "approved",
            name=text(row, "nick"),
            email=text(row, "mail"),
            url=text(row, "link"),
            body=text(row, "comment"),
            format="html",
            created_at=time_of(row, "created"),
            address=text(row, "ip"),
        ),
    )


def waline(row: dict[str, Any], where: str) -> tuple[ImportedArticle, ImportedComment] | None:
    foreign, page = id_of(row, "objectId", "id", "_id"), text(row, "url")
    if not foreign or not page:
        return None
    return (
        ImportedArticle(foreign=page, key=page_key(page), url=page if "://" in page else ""),
        ImportedComment(
            where=where_of(foreign, where),
            foreign=foreign,
            article=page,
            parent=id_of(row, "pid", "rid"),
            status=WALINE.get(text(row, "status") or "approved", "pending"),
            name=text(row, "nick"),
            email=text(row, "mail"),
            url=text(row, "link"),
            body=markdown_of(text(row, "comment")),
            format="markdown",
            created_at=time_of(row, "insertedAt", "createdAt"),
            address=text(row, "ip"),
        ),
    )


def where_of(foreign: str, where: str) -> str:
    return f"comment {foreign[:60]} ({where})" if foreign.isascii() and foreign.isprintable() else where
