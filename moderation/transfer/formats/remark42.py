"""remark42's backup: a line about users and pages, then one line of JSON for each comment. Texts are HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import orjson

from moderation.core.problem import BadRequest
from moderation.core.times import moment
from moderation.transfer.formats.file import File
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped

SOURCE = "remark42"
FIRST = re.compile(rb'\s*\{\s*"version"\s*:\s*(\d{1,9})\s*,\s*"(?:users|posts)"')


def is_backup(head: bytes) -> bool:
    return FIRST.match(head) is not None


def read(file: File, keys: str) -> Iterator[Record]:
    """Article keys are paths; remark42 has no other ids."""
    version = FIRST.match(file.head)
    if version and int(version[1]) > 1:
        raise BadRequest(f"This backup is of version {int(version[1])}; version 1 is understood.")
    lines = file.lines()
    closed, addresses = about(next(lines, (1, None))[1])
    told = ""
    for number, line in lines:
        where = f"line {number}"
        if line is None:
            yield Skipped(where, "longer than 32 MB")
            continue
        try:
            row = orjson.loads(line)
            url = row["locator"]["url"]
            user, foreign = row.get("user") or {}, row["id"]
            if not all(isinstance(value, str) and value for value in (url, foreign)) or not isinstance(user, dict):
                raise TypeError
        except (ValueError, KeyError, TypeError, AttributeError):
            yield Skipped(where, "no comment of remark42")
            continue
        if url != told:
            told = url
            yield ImportedArticle(
                foreign=url,
                key=page_key(url),
                title=html.unescape(text(row, "title")),
                url=url,
                comments_open=url not in closed,
            )
        yield ImportedComment(
            where=f"comment {foreign[:60]} ({where})" if foreign.isascii() and foreign.isprintable() else where,
            foreign=foreign,
            article=url,
            parent=text(row, "pid"),
            status="deleted" if row.get("delete") is True else "approved",
            name=html.unescape(text(user, "name")),
            email=addresses.get(text(user, "id"), ""),
            url="",
            body=text(row, "text") or text(row, "orig"),
            format="html" if text(row, "text") else "markdown",
            created_at=moment(row.get("time")),
            edited_at=moment(text(row.get("edit"), "time")),
        )


def about(line: bytes | None) -> tuple[set[str], dict[str, str]]:
    """Closed pages, and the addresses of subscribed users; neither if the line is too long."""
    try:
        said = orjson.loads(line or b"{}")
    except ValueError:
        raise BadRequest("The first line is no JSON: the file is damaged. Copy the backup again.") from None
    told = (said.get(name) if isinstance(said, dict) else None for name in ("posts", "users"))
    pages, users = (value if isinstance(value, list) else [] for value in told)
    closed = {text(page, "url") for page in pages if isinstance(page, dict) and page.get("read_only") is True}
    addresses = {
        text(user, "id"): text(user.get("details"), "email")
        for user in users
        if isinstance(user, dict) and text(user.get("details"), "email")
    }
    return closed, addresses


def text(row: Any, name: str) -> str:
    value = row.get(name) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""
