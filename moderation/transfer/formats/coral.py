"""Coral: `mongoexport` of the collections `stories` (in version 4 `assets`), `users` and `comments`, in a folder or one file.

Texts are HTML since version 5, and plain before. Network addresses are not in these collections.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import orjson

from moderation.transfer.formats.fields import id_of, is_true, text, time_of
from moderation.transfer.formats.file import File, Folder
from moderation.transfer.formats.lists import where_of
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped

SOURCE = "coral"
STORIES, COMMENTS = ("stories", "assets", "archivedStories"), ("comments", "archivedComments")
SUFFIXES = (".json", ".jsonl", ".ndjson")
STATUSES = {
    "APPROVED": "approved",
    "ACCEPTED": "approved",
    "NONE": "approved",
    "REJECTED": "rejected",
    "DELETED": "deleted",
}
"""All others (`PREMOD`, `SYSTEM_WITHHELD`) wait for a moderator. `NONE` is published and not yet looked at."""
_LINE = re.compile(rb'[\s\[]*\{[^\n]*"(?:tenantID|storyID|asset_id|commentCounts|profiles|scraped|closedMessage)"\s*:')


def is_export(head: bytes) -> bool:
    return _LINE.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


def is_folder(folder: Folder) -> bool:
    """Whether a folder has a file of comments and one of stories."""
    names = {path.name.partition(".")[0] for path in folder.path.glob("*.*") if path.suffix.lower() in SUFFIXES}
    return bool(names.intersection(COMMENTS)) and bool(names.intersection(STORIES))


def read(file: File, keys: str) -> Iterator[Record]:
    """Three passes, since the collections stand in any order: authors, which are kept; articles; comments."""
    authors = dict[str, tuple[str, str]]()
    for _, row in rows(file):
        if is_author(row):
            authors[id_of(row, "id")] = (text(row, "username"), email_of(row))
    for where, row in rows(file):
        if isinstance(row, Skipped):
            yield row
        elif is_story(row):
            yield article(row)
        elif not is_author(row) and not is_comment(row):
            yield Skipped(where, "neither a comment, nor a story, nor a user of Coral")
    for where, row in rows(file):
        if is_comment(row):
            yield comment(row, authors, where)


def rows(file: File) -> Iterator[tuple[str, Any]]:
    """(place, row) of each line, or of each element where `mongoexport --jsonArray` made one list."""
    for name, one in collections(file):
        try:
            if one.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
                for number, row in one.rows():
                    yield f"{name}row {number}", row
                continue
            for number, line in one.lines():
                where = f"{name}line {number}"
                try:
                    yield where, orjson.loads((line or b"").removeprefix(b"\xef\xbb\xbf"))
                except ValueError:
                    yield where, Skipped(where, "no JSON: the file is cut short or damaged here")
        finally:
            one.close()


def collections(file: File) -> Iterator[tuple[str, File]]:
    if not isinstance(file, Folder):
        yield "", file.again()
        return
    for path in sorted(file.path.glob("*.*")):
        if path.suffix.lower() in SUFFIXES and path.name.partition(".")[0] in (*STORIES, *COMMENTS, "users"):
            yield f"{path.name} ", File(str(path))


def is_comment(row: object) -> bool:
    return isinstance(row, dict) and bool(id_of(row, "storyID", "asset_id")) and ("revisions" in row or "body" in row)


def is_story(row: object) -> bool:
    return isinstance(row, dict) and not is_comment(row) and bool(text(row, "url")) and bool(id_of(row, "id"))


def is_author(row: object) -> bool:
    return isinstance(row, dict) and not is_comment(row) and not text(row, "url") and "profiles" in row


def email_of(row: dict[str, Any]) -> str:
    """Version 4 has the address as the name of the local profile."""
    profiles = row.get("profiles")
    local = (
        id_of(profile, "id")
        for profile in (profiles if isinstance(profiles, list) else [])
        if isinstance(profile, dict) and "local" in (profile.get("type"), profile.get("provider"))
    )
    return text(row, "email") or next(local, "")


def article(row: dict[str, Any]) -> ImportedArticle:
    about, url = row.get("metadata"), text(row, "url")
    return ImportedArticle(
        foreign=id_of(row, "id"),
        key=page_key(url),
        title=text(about, "title") or text(row, "title"),
        url=url,
        published_at=time_of(about, "publishedAt") or time_of(row, "publication_date", "createdAt", "created_at"),
        comments_open=not row.get("closedAt"),
    )


def comment(row: dict[str, Any], authors: dict[str, tuple[str, str]], where: str) -> Record:
    foreign = id_of(row, "id")
    if not foreign:
        return Skipped(where, "a comment without an id")
    written = row.get("revisions", row.get("body_history"))
    revisions = [one for one in written if isinstance(one, dict)] if isinstance(written, list) else []
    last = revisions[-1] if revisions else {}
    is_html = "revisions" in row
    name, email = authors.get(id_of(row, "authorID", "author_id"), ("", ""))
    body = text(last, "body") or text(row, "body")
    shown = last.get("media")
    address = text(shown, "url")
    return ImportedComment(
        where=where_of(foreign, where),
        foreign=foreign,
        article=id_of(row, "storyID", "asset_id"),
        parent=id_of(row, "parentID", "parent_id"),
        status=status_of(row, last),
        name=name,
        email=email,
        url="",
        body=(body if is_html else html.escape(body, quote=False)) + (f"\n\n{html.escape(address)}" if address else ""),
        format="html",
        created_at=time_of(row, "createdAt", "created_at"),
        edited_at=time_of(last, "createdAt", "created_at") if len(revisions) > 1 else None,
    )


def status_of(row: dict[str, Any], last: dict[str, Any]) -> str:
    if row.get("deletedAt") or row.get("deleted_at"):
        return "deleted"
    status = STATUSES.get(text(row, "status"), "pending")
    is_spam = is_true(last.get("metadata"), "akismet") or is_true(row.get("metadata"), "akismet")
    return "spam" if status == "rejected" and is_spam else status
