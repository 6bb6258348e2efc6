"""Disqus's export: threads, then posts, spam and deleted ones included."""

from __future__ import annotations

import re
from collections.abc import Iterator

from moderation.core.times import moment
from moderation.sites.model import is_article_key
from moderation.transfer.formats.file import File
from moderation.transfer.formats.markup import Element, elements
from moderation.transfer.formats.plain import page_key, plain
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped

SOURCE = "disqus"
THREAD, POST = "disqus/thread", "disqus/post"
WANTED = frozenset(
    {
        *("@dsq:id", "id", "link", "title", "createdAt", "isClosed", "isDeleted", "isSpam", "isApproved", "message"),
        *(
            "author/name",
            "author/email",
            "author/link",
            "author/isAnonymous",
            "ipAddress",
            "thread@dsq:id",
            "parent@dsq:id",
        ),
    }
)


def is_export(head: bytes) -> bool:
    return re.search(rb"<disqus[\s>]", head) is not None


def read(file: File, keys: str) -> Iterator[Record]:
    """`keys` is `path`, or `id` for the identifiers that the pages gave to Disqus."""
    for element in elements(file, frozenset({THREAD, POST}), WANTED):
        if isinstance(element, Skipped):
            yield element
        else:
            yield thread(element, keys) if element.name == "thread" else post(element)


def thread(element: Element, keys: str) -> Record:
    fields = element.fields
    foreign, link = fields.get("@dsq:id", "").strip(), fields.get("link", "").strip()
    if not foreign:
        return Skipped(f"line {element.line}", "a thread without an id")
    named = fields.get("id", "").strip().replace("/", "~")
    key = named if keys == "id" and is_article_key(named) else page_key(link)
    return ImportedArticle(
        foreign=foreign,
        key="" if said(fields, "isDeleted") else key,
        title=plain(fields.get("title", "")),
        url=link,
        published_at=moment(fields.get("createdAt")),
        comments_open=not said(fields, "isClosed"),
    )


def post(element: Element) -> Record:
    fields = element.fields
    foreign = fields.get("@dsq:id", "").strip()
    if not foreign:
        return Skipped(f"line {element.line}", "no comment id")
    status = "approved"
    if said(fields, "isSpam"):
        status = "spam"
    elif said(fields, "isDeleted"):
        status = "deleted"
    elif fields.get("isApproved", "").strip().lower() == "false":
        status = "pending"
    return ImportedComment(
        where=f"comment {foreign} (line {element.line})",
        foreign=foreign,
        article=fields.get("thread@dsq:id", "").strip(),
        parent=fields.get("parent@dsq:id", "").strip(),
        status=status,
        name=fields.get("author/name", ""),
        email=fields.get("author/email", "").strip(),
        url=fields.get("author/link", "").strip(),
        body=fields.get("message", ""),
        format="html",
        created_at=moment(fields.get("createdAt")),
        address=fields.get("ipAddress", "").strip(),
    )


def said(fields: dict[str, str], name: str) -> bool:
    return fields.get(name, "").strip().lower() in ("true", "1")
