"""giscus: GitHub's discussions, as its GraphQL API returns them (docs/moving.md has the query), one answer or several in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from moderation.transfer.formats.fields import id_of, is_true, text, time_of
from moderation.transfer.formats.file import File
from moderation.transfer.formats.lists import where_of
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped

SOURCE = "giscus"
DISCUSSIONS = re.compile(r'"discussions"\s*:\s*\{(?:[^\[\]{}]|\{[^\[\]{}]*\})*"nodes"\s*:\s*\[')


def is_export(head: bytes) -> bool:
    return b'"discussions"' in head and b'"nodes"' in head


def read(file: File, keys: str) -> Iterator[Record]:
    """A discussion is an article; its key is its title, which giscus makes of the page's path."""
    for number, row in file.rows(DISCUSSIONS, each=True):
        foreign = id_of(row, "number", "id")
        if isinstance(row, Skipped) or not foreign:
            yield row if isinstance(row, Skipped) else Skipped(f"row {number}", "no discussion with a number")
            continue
        title = text(row, "title")
        yield ImportedArticle(
            foreign=foreign,
            key=page_key(title),
            title=text(row, "page_title"),
            url=title if title.startswith(("http://", "https://")) else "",
            comments_open=not (is_true(row, "locked") or is_true(row, "closed")),
        )
        yield from comments(row, foreign, "", f"discussion {foreign}")


def comments(row: dict[str, Any], article: str, parent: str, where: str) -> Iterator[Record]:
    listed = row.get("replies" if parent else "comments")
    listed = listed if isinstance(listed, dict) else {}
    nodes = listed.get("nodes")
    for node in nodes if isinstance(nodes, list) else []:
        foreign = id_of(node, "id")
        if not foreign:
            yield Skipped(where, "a comment without an id")
            continue
        author = node.get("author")
        yield ImportedComment(
            where=where_of(foreign, where),
            foreign=foreign,
            article=article,
            parent=parent,
            status=status_of(node),
            name=text(author, "login"),
            email="",
            url=text(author, "url"),
            body=text(node, "body") or text(node, "bodyHTML"),
            format="markdown" if text(node, "body") else "html",
            created_at=time_of(node, "createdAt"),
            edited_at=time_of(node, "lastEditedAt"),
        )
        if not parent:
            yield from comments(node, article, foreign, where)
    if is_true(listed.get("pageInfo"), "hasNextPage"):
        yield Skipped(where, "more comments than the answer has: ask for the next page, and import it too")


def status_of(node: dict[str, Any]) -> str:
    if node.get("deletedAt"):
        return "deleted"
    if is_true(node, "isMinimized"):
        return "spam" if text(node, "minimizedReason").lower() == "spam" else "rejected"
    return "approved"
