"""The written format for all other systems: JSON Lines, one article or comment a line (docs/comments.schema.json)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import orjson

from moderation.core.problem import BadRequest
from moderation.sites.model import is_article_key
from moderation.transfer.formats.fields import id_of, text, time_of
from moderation.transfer.formats.file import File
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped

SOURCE = "jsonl"
VERSION = 1
FIRST = re.compile(
    rb'\s*\{\s*(?:"format"\s*:\s*"comments"\s*,\s*"version"\s*:\s*(\d{1,9})|"(?:article|comment)"\s*:\s*\{)'
)
STATUSES = ("approved", "pending", "spam", "rejected", "deleted")
FORMATS = ("markdown", "html", "text")


def is_export(head: bytes) -> bool:
    return FIRST.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


def read(file: File, keys: str) -> Iterator[Record]:
    """Articles may stand in lines of their own, or come from the addresses that the comments name."""
    first = FIRST.match(file.head.removeprefix(b"\xef\xbb\xbf"))
    if first and first[1] and int(first[1]) > VERSION:
        raise BadRequest(f"This file is of version {int(first[1])}; version {VERSION} is understood.")
    named = ""
    for number, line in file.lines():
        where = f"line {number}"
        if line is None:
            yield Skipped(where, "longer than 32 MB")
            continue
        try:
            row = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
        except ValueError:
            yield Skipped(where, "no JSON: the file is cut short or damaged here")
            continue
        inner = row.get("article") or row.get("comment") if isinstance(row, dict) else None
        if isinstance(row, dict) and row.get("format") == "comments":
            continue
        if not isinstance(inner, dict) or not id_of(inner, "id"):
            yield Skipped(where, 'neither {"article": {"id": …}} nor {"comment": {"id": …}}')
        elif "article" in row:
            yield article(inner, where)
        else:
            page = id_of(inner, "article")
            if page != named and ("/" in page or "://" in page):
                named = page
                yield ImportedArticle(foreign=page, key=page_key(page), url=page if "://" in page else "")
            yield comment(inner, page, where)


def article(row: dict[str, Any], where: str) -> Record:
    foreign, url, key = id_of(row, "id"), text(row, "url"), text(row, "key")
    key = key or page_key(url) or (foreign if is_article_key(foreign) else page_key(foreign))
    if not is_article_key(key):
        return Skipped(where, "an article without a key: give `key`, `url`, or an id that can be one")
    return ImportedArticle(
        foreign=foreign,
        key=key,
        title=text(row, "title"),
        url=url,
        text=text(row, "text"),
        published_at=time_of(row, "published_at"),
        comments_open=row.get("comments_open") is not False,
        is_listed=row.get("listed") is not False,
    )


def comment(row: dict[str, Any], page: str, where: str) -> Record:
    foreign, status, format = id_of(row, "id"), row.get("status", "approved"), row.get("format", "markdown")
    if status not in STATUSES:
        return Skipped(where, f"a status that is none of {', '.join(STATUSES)}")
    if format not in FORMATS:
        return Skipped(where, f"a format that is none of {', '.join(FORMATS)}")
    if not page:
        return Skipped(where, "a comment without `article`")
    body = text(row, "body")
    return ImportedComment(
        where=f"comment {foreign[:60]} ({where})" if foreign.isascii() and foreign.isprintable() else where,
        foreign=foreign,
        article=page,
        parent=id_of(row, "parent"),
        status=status,
        name=text(row, "name"),
        email=text(row, "email"),
        url=text(row, "url"),
        body=html.escape(body, quote=False) if format == "text" else body,
        format="html" if format == "text" else format,
        created_at=time_of(row, "created_at"),
        edited_at=time_of(row, "edited_at"),
        address=text(row, "ip"),
    )
