"""Staticman: a folder of a site's repository with one YAML or JSON file for each comment, in one folder for each page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from moderation.transfer.formats.fields import id_of, text, time_of
from moderation.transfer.formats.file import File, Folder
from moderation.transfer.formats.plain import page_key
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped
from moderation.transfer.typed import markdown_of

SOURCE = "staticman"
SUFFIXES = (".yml", ".yaml", ".json")
_LINE = re.compile(r"([A-Za-z_][\w.-]*)\s*:(?:[ \t]+(.*))?")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "", "/": "/", "\\": "\\", '"': '"', "e": "", "_": "\xa0", "N": "\n"}


def is_folder(head: bytes) -> bool:
    """A folder has no beginning; it is recognised as one."""
    return False


def read(file: File, keys: str) -> Iterator[Record]:
    """The page is the folder below the given one, as `data/comments/SLUG/`, or the field `_parent` or `slug` of a comment."""
    named = ""
    for path, content in file.entries(*SUFFIXES) if isinstance(file, Folder) else ():
        where = f"file {path}" if str(path).isprintable() else "a file"
        row = entry(path, content or b"")
        if row is None or not (text(row, "message", "comment", "body") and id_of(row, "_id", "id")):
            yield Skipped(where, "no comment of Staticman")
            continue
        page = path.parent.as_posix()
        page = (text(row, "slug", "post_id", "page") or text(row, "url_slug")) if page == "." else page
        if not page:
            yield Skipped(where, "a comment without a page: give the folder above")
            continue
        if page != named:
            named = page
            yield ImportedArticle(foreign=page, key=page_key(page))
        parent = id_of(row, "replying_to_uid", "_parent", "parent", "reply_to", "replyThread", "replying_to")
        yield ImportedComment(
            where=where,
            foreign=id_of(row, "_id", "id"),
            article=page,
            parent="" if parent in (page, path.parent.name) else parent,
            status="approved",
            name=text(row, "name", "author"),
            email=text(row, "email"),  # most sites store its hash, which is no address and is dropped
            url=text(row, "url", "website"),
            body=markdown_of(text(row, "message", "comment", "body")),
            format="markdown",
            created_at=time_of(row, "date", "timestamp", "created_at"),
        )


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
    """Lines of a plain or quoted text: one line end is a space, more are one less."""
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
