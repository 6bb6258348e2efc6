"""Commento's export (version 1) and Comentario's (versions 2 and 3): comments in one list, their authors and pages in others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from moderation.transfer.formats.fields import id_of, is_true, text, time_of
from moderation.transfer.formats.file import File
from moderation.transfer.formats.lists import where_of
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped

SOURCE = "commento"
STATES = {"approved": "approved", "unapproved": "pending", "flagged": "pending"}


def is_export(head: bytes) -> bool:
    return re.match(rb"\s*\{\s*\"version\"\s*:\s*[123]\b", head) is not None and (
        b'"commentHex"' in head
        or b'"commenterHex"' in head
        or b'"parentId"' in head
        or b'"pageId"' in head
        or b'"pages"' in head
    )


def read(file: File, keys: str) -> Iterator[Record]:
    """Authors and pages are read first: they stand behind the comments that name them."""
    authors = {id_of(row, "commenterHex", "id"): row for row in objects(file, "commenters")}
    pages = {id_of(row, "id"): row for row in objects(file, "pages")}
    named = ""
    for number, row in file.rows(array("comments")):
        where = f"row {number}"
        foreign = id_of(row, "commentHex", "id")
        if isinstance(row, Skipped) or not foreign:
            yield row if isinstance(row, Skipped) else Skipped(where, "no comment with an id")
            continue
        page = pages.get(id_of(row, "pageId"), {})
        path = text(page, "path") or text(row, "url", "path")
        domain = text(row, "domain")
        if not path:
            yield Skipped(where, "its article is not in the file")
            continue
        if path != named:
            named = path
            url = path if "://" in path else f"https://{domain}/{path.lstrip('/')}" if "." in domain else ""
            is_open = not is_true(page, "isReadonly")
            yield ImportedArticle(
                foreign=path, key=page_key(path), title=text(page, "title"), url=url, comments_open=is_open
            )
        author = authors.get(id_of(row, "commenterHex", "userCreated"), {})
        parent = id_of(row, "parentHex", "parentId")
        yield ImportedComment(
            where=where_of(foreign, where),
            foreign=foreign,
            article=path,
            parent="" if parent == "root" else parent,
            status=status_of(row),
            name=text(author, "name") or text(row, "authorName"),
            email=text(author, "email"),
            url=text(author, "link", "websiteUrl"),
            body=text(row, "markdown") or text(row, "html"),
            format="markdown" if text(row, "markdown") else "html",
            created_at=time_of(row, "creationDate", "createdTime"),
            edited_at=time_of(row, "editedTime"),
        )


def status_of(row: dict[str, Any]) -> str:
    if is_true(row, "deleted") or is_true(row, "isDeleted"):
        return "deleted"
    if "state" in row:
        return STATES.get(text(row, "state"), "pending")
    return "approved" if is_true(row, "isApproved") else "pending" if is_true(row, "isPending") else "rejected"


def array(name: str) -> re.Pattern[str]:
    return re.compile(rf'"{name}"\s*:\s*\[')


def objects(file: File, name: str) -> Iterator[dict[str, Any]]:
    again = file.again()
    try:
        yield from (row for _, row in again.rows(array(name)) if isinstance(row, dict))
    finally:
        again.close()
