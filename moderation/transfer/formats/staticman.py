"""Staticman: a folder of a site's repository with one YAML or JSON file for each comment, in one folder for each page; and its pull
requests, as `gh pr list` or GitHub's API prints them: the open ones wait, the refused ones are spam."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from moderation.transfer.formats.fields import id_of, text, time_of
from moderation.transfer.formats.file import File, Folder
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped
from moderation.transfer.typed import markdown_of

SOURCE = "staticman"
SUFFIXES = (".yml", ".yaml", ".json")
BRANCH = "staticman_"
"""The beginning of the names of its branches; a comment's id follows."""
PAGES = ("_parent", "post_id", "page", "url_slug", "slug")
"""Fields that sites give the page's path, or its name."""
_LINE = re.compile(r"([A-Za-z_][\w.-]*)\s*:(?:[ \t]+(.*))?")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "", "/": "/", "\\": "\\", '"': '"', "e": "", "_": "\xa0", "N": "\n"}
_NOTIFICATION = re.compile(r"<!--\s*staticman_notification:(.{1,200000}?)-->", re.DOTALL)
_ROW = re.compile(r"\|\s*([A-Za-z_][\w.-]*)\s*\|(.*)\|\s*")


def is_folder(head: bytes) -> bool:
    """A folder has no beginning; it is recognised as one."""
    return False


def is_requests(head: bytes) -> bool:
    """A list of pull requests with one of Staticman's."""
    begins = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    return begins and (
        b"staticman_notification" in head or re.search(rb'"(?:headRefName|ref)"\s*:\s*"staticman_', head) is not None
    )


def read(file: File, keys: str) -> Iterator[Record]:
    """A page is a folder below the given one, as `data/comments/SLUG/`; its address is that which its comments name."""
    if not isinstance(file, Folder):
        return
    for folder, entries in groupby(file.entries(*SUFFIXES), lambda one: one[0].parent):
        yield from page_of(folder.as_posix(), entries)


def page_of(folder: str, entries: Iterable[tuple[Path, bytes | None]]) -> Iterator[Record]:
    """The comments of one folder. The given folder itself may have those of many pages, each with its page's name."""
    rows, top = list[tuple[str, str, dict[str, Any]]](), list[str]()
    for path, content in entries:
        where = f"file {path}" if str(path).isprintable() else "a file"
        row = entry(path, content or b"")
        if row is None or not said(row):
            yield Skipped(where, "no comment of Staticman")
            continue
        foreign = id_of(row, "_id", "id") or path.with_suffix("").as_posix()
        rows.append((where, foreign, row))
        if not answered(row):
            top.append(foreign)
    # sites rename pages and keep the folder: the latest comment has the page's present address
    address = next((path_of(row) for _, _, row in reversed(rows) if path_of(row)), "") if folder != "." else ""
    named = ""
    for where, foreign, row in rows:
        page = address or (text(row, *reversed(PAGES)) if folder == "." else folder)
        if not page:
            yield Skipped(where, "a comment without a page: give the folder above")
            continue
        if page != named:
            named = page
            yield ImportedArticle(foreign=page, key=page_key(page), url=page if "://" in page else "")
        parent = answered(row)
        # Jekyll's themes number the comments of a page that are no replies
        if parent.isdecimal() and len(parent) < 6 and 0 < int(parent) <= len(top):
            parent = top[int(parent) - 1]
        yield comment(row, where, foreign, page, parent, "approved")


def read_requests(file: File, keys: str) -> Iterator[Record]:
    """Its pull requests. Those that were merged are in the folder."""
    for number, request in file.rows(each=True):
        where = f"row {number}"
        if isinstance(request, Skipped) or not isinstance(request, dict):
            yield request if isinstance(request, Skipped) else Skipped(where, "no pull request")
            continue
        head = request.get("head")
        branch = text(request, "headRefName") or text(head, "ref")
        state = text(request, "state").lower()
        if not branch.startswith(BRANCH) or state == "merged" or request.get("merged_at") or request.get("mergedAt"):
            continue
        row, options = proposed(text(request, "body"))
        page = (
            path_of(row)
            or text(options, "slug")
            or folder_of(request)
            or text(row, *reversed(PAGES))
            or path_of(options)
        )
        if not said(row) or not page:
            yield Skipped(where, "a pull request without a comment or its page")
            continue
        yield ImportedArticle(foreign=page, key=page_key(page), url=page if "://" in page else "")
        foreign = id_of(row, "_id", "id") or branch.removeprefix(BRANCH)
        made = time_of(request, "createdAt", "created_at")
        yield comment(row, where, foreign, page, answered(row), "pending" if state == "open" else "spam", made)


def proposed(body: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields and the options of a pull request's text: as JSON in a comment, if the site sends mails, else in a table."""
    if notification := _NOTIFICATION.search(body):
        try:
            sent = orjson.loads(notification[1])
        except ValueError:
            sent = None
        fields, options = (sent.get(name) if isinstance(sent, dict) else None for name in ("fields", "options"))
        if isinstance(fields, dict):
            return fields, options if isinstance(options, dict) else {}
    fields, last = {}, ""
    for line in body.splitlines():
        if cells := _ROW.fullmatch(line):
            last = cells[1]
            fields[last] = cells[2].strip()
        elif match := re.fullmatch(r"\|\s*([A-Za-z_][\w.-]*)\s*\|(.*)", line):  # a text of several lines
            last = match[1]
            fields[last] = match[2].strip()
        elif last:
            fields[last] += "\n" + re.sub(r"\s*\|\s*\Z", "", line)
    return {name: value.strip() for name, value in fields.items() if name != "Field"}, {}


def folder_of(request: dict[str, Any]) -> str:
    """The page's folder by the path of the proposed file, below `comments`."""
    files = request.get("files")
    path = PurePosixPath(text(files[0], "path", "filename")) if isinstance(files, list) and files else PurePosixPath()
    parts = path.parent.parts
    places = [place for place, part in enumerate(parts) if part.strip("_") == "comments"]
    return "/".join(parts[places[-1] + 1 :] if places else parts[-1:])


def comment(
    row: dict[str, Any], where: str, foreign: str, page: str, parent: str, status: str, made: int | None = None
) -> ImportedComment:
    return ImportedComment(
        where=where,
        foreign=foreign,
        article=page,
        parent=parent,
        status=status,
        name=text(row, "name", "author"),
        email=text(row, "email"),  # most sites store its hash, which is no address and is dropped
        url=text(row, "url", "website", "link"),
        body=markdown_of(said(row)),
        format="markdown",
        created_at=time_of(row, "date", "timestamp", "created_at") or made,
    )


def said(row: dict[str, Any]) -> str:
    return text(row, "message", "comment", "body", "content")


def answered(row: dict[str, Any]) -> str:
    """The id, or the number on its page, of the comment that this one answers."""
    names = ("replying_to_uid", "replying_to", "_parent", "parent", "reply_to", "replyThread")
    parents = (id_of(row, name) for name in names)
    ids = ("", id_of(row, "_id", "id"), *(text(row, name) for name in PAGES[1:]))
    return next((parent for parent in parents if parent not in ids and not is_path(parent)), "")


def path_of(row: dict[str, Any]) -> str:
    return next((text(row, name) for name in (*PAGES, "origin") if is_path(text(row, name))), "")


def is_path(name: str) -> bool:
    return name.startswith(("/", "http://", "https://"))


def entry(path: Path, content: bytes) -> dict[str, Any] | None:
    try:
        row = (
            orjson.loads(content) if path.suffix.lower() == ".json" else mapping(content.decode("utf-8-sig", "replace"))
        )
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def mapping(yaml: str) -> dict[str, Any]:
    """The texts of a flat YAML mapping, as Staticman writes it: plain, quoted and block scalars (YAML 1.2, 7.3 and 8.1)."""
    fields, lines = dict[str, Any](), [line for line in yaml.splitlines() if not line.startswith(("---", "...", "#"))]
    at = 0
    while at < len(lines):
        match, at = _LINE.fullmatch(lines[at]), at + 1
        if not match:
            continue
        value = (match[2] or "").strip()
        begins = at
        while at < len(lines) and (not lines[at].strip() or lines[at][0] in " \t"):
            at += 1
        further = lines[begins:at]
        if re.fullmatch(r"[|>][+-]?\d?[+-]?", value):
            fields[match[1]] = block(further, folded=value[0] == ">")
        else:
            fields[match[1]] = scalar(folds([value, *further]))
    return fields


def block(lines: list[str], *, folded: bool) -> str:
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    text = "\n".join(line[indent:].rstrip() for line in lines).strip("\n")
    return re.sub(r"(?<![\n ])\n(?![\n ])", " ", text).replace("\n\n", "\n") if folded else text


def folds(lines: list[str]) -> str:
    """Lines of a plain or quoted text: one line end is a space, more are one less; none after a backslash in double quotes."""
    if lines[0].startswith('"'):
        lines = re.sub(r"(?<!\\)((?:\\\\)*)\\\n[ \t]*", r"\1", "\n".join(lines)).split("\n")
    return re.sub(r"\n(\n*)", lambda ends: ends[1] or " ", "\n".join(line.strip() for line in lines).strip())


def scalar(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if len(value) > 1 and value[0] == value[-1] == '"':
        escape = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
        text = escape.sub(lambda e: _ESCAPES.get(e[4], e[4]) if e[4] else character(e[1] or e[2] or e[3]), value[1:-1])
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "" if value in ("null", "~") else re.sub(r"\s#.*", "", value)


def character(code: str) -> str:
    return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else "\ufffd"
