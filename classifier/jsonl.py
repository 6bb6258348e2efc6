"""Examples and texts to score as JSON lines; bad input is refused with its line number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from classifier.examples import Asked, Author, Example
from classifier.labels import LABELS


class BadLine(Exception):
    """A line that cannot be read. The message has its number and the fault, without the text."""


def asked(lines: Iterable[str | bytes]) -> Iterator[Asked]:
    """`{"text": …, "author": {"name", "url", "email_domain"}?, "site"?}` per line."""
    for number, row in _rows(lines):
        site = row.get("site", "")
        if not isinstance(site, str):
            raise BadLine(f"line {number}: `site` is not a text")
        yield Asked(_text(row, number), _author(row, number), site)


def examples(lines: Iterable[str | bytes]) -> Iterator[Example]:
    """As `asked`, with `labels` {label: 0..1} and, where known, `when`, `author_key`, `group`, `source`."""
    for number, row in _rows(lines):
        labels = row.get("labels")
        if not isinstance(labels, dict) or not labels:
            raise BadLine(f"line {number}: `labels` is missing")
        for label, value in labels.items():
            if label not in LABELS:
                raise BadLine(f"line {number}: there is no such label")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise BadLine(f"line {number}: a label is not a number from 0 to 1")
        when = row.get("when", 0.0)
        if isinstance(when, bool) or not isinstance(when, int | float):
            raise BadLine(f"line {number}: `when` is not a number")
        rest = {}
        for name in ("source", "group", "author_key"):
            rest[name] = row.get(name, "")
            if not isinstance(rest[name], str):
                raise BadLine(f"line {number}: `{name}` is not a text")
        yield Example(_text(row, number), dict(labels), _author(row, number), when=float(when), **rest)


def line(example: Example) -> str:
    """One example as a line, without what is empty."""
    row: dict[str, Any] = {"text": example.text, "labels": dict(example.labels)}
    author = {name: value for name in ("name", "url", "email_domain") if (value := getattr(example.author, name))}
    row |= {"author": author} if author else {}
    for name in ("source", "group", "author_key", "when"):
        if value := getattr(example, name):
            row[name] = value
    return json.dumps(row)


def _rows(lines: Iterable[str | bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
        except (ValueError, RecursionError):
            raise BadLine(f"line {number}: not JSON") from None
        if not isinstance(row, dict):
            raise BadLine(f"line {number}: not an object")
        yield number, row


def _text(row: dict[str, Any], number: int) -> str:
    text = row.get("text")
    if not isinstance(text, str):
        raise BadLine(f"line {number}: `text` is missing or not a text")
    return text


def _author(row: dict[str, Any], number: int) -> Author:
    given = {} if row.get("author") is None else row["author"]
    if not isinstance(given, dict):
        raise BadLine(f"line {number}: `author` is not an object")
    author = {name: given.get(name) or "" for name in ("name", "url", "email_domain")}
    if not all(isinstance(value, str) for value in author.values()):
        raise BadLine(f"line {number}: a field of `author` is not a text")
    return Author(**author)
