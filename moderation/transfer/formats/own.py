"""leave-a-reply's own export: JSON Lines, as written by `exporting`, with every verdict and decision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from moderation.comments.model import STATUSES
from moderation.comments.verdict import Reason
from moderation.core.ids import is_id
from moderation.core.problem import BadRequest
from moderation.core.times import moment
from moderation.sites.model import is_article_key
from moderation.text.body import FORMATS
from moderation.transfer.formats.file import File
from moderation.transfer.records import (
    ImportedArticle,
    ImportedComment,
    ImportedDecision,
    ImportedSubmission,
    ImportedVerdict,
    Kept,
    Record,
    Skipped,
)

SOURCE = "leave-a-reply"
VERSION = 2
OF_VERSION_1 = {
    "judged": "judged_revision",
    "decided": "is_decided",
    "staff": "is_staff",
    "before": "before_status",
    "after": "after_status",
}
"""Names in version 1 of a comment's and a decision's row → names in version 2."""
FIRST = re.compile(rb'\s*\{\s*"format"\s*:\s*"leave-a-reply"\s*,\s*"version"\s*:\s*(\d{1,9})')


def is_export(head: bytes) -> bool:
    return FIRST.match(head) is not None


def read(file: File, keys: str) -> Iterator[Record]:
    """The records; ids and keys are kept."""
    first = FIRST.match(file.head)
    if first and int(first[1]) > VERSION:
        raise BadRequest("This export was made by a newer leave-a-reply: import it with that version.")
    lines, ended = file.lines(), False
    next(lines, None)
    for number, line in lines:
        where = f"line {number}"
        try:
            row = orjson.loads(line or b"")
            if first and int(first[1]) == 1:
                row = of_now(row)
            if "article" in row:
                yield article(row["article"])
            elif "comment" in row:
                yield comment(row["comment"], where)
            elif "submission" in row:
                yield submission(row["submission"], where)
            elif "end" in row:
                ended = True
        except (ValueError, KeyError, TypeError, AttributeError):
            yield Skipped(where, "no row of an export")
    if not ended:
        raise BadRequest(
            "The export is cut short: its last line is missing. What is there has come in; export again for the rest."
        )


def of_now(row: dict[str, Any]) -> dict[str, Any]:
    """A line of version 1 with the names of version 2."""
    for kind in row.keys() & {"comment", "submission"}:
        inner = renamed(row[kind])
        row[kind] = inner | {"decisions": [renamed(one) for one in inner["decisions"]]}
    return row


def renamed(row: dict[str, Any]) -> dict[str, Any]:
    return {OF_VERSION_1.get(name, name): value for name, value in row.items()}


def article(row: dict[str, Any]) -> Record:
    if not is_article_key(row["key"]):
        raise ValueError
    return ImportedArticle(
        row["key"],
        row["key"],
        text(row["title"]),
        text(row["url"]),
        text(row["text"]),
        moment(row["published_at"]),
        row["comments_open"] is not False,
        ids(row["ids"]),
    )


def comment(row: dict[str, Any], where: str) -> Record:
    if not is_id(row["id"]) or row["status"] not in STATUSES or row["format"] not in FORMATS:
        raise ValueError
    return ImportedComment(
        f"comment {row['id']} ({where})",
        row["id"],
        text(row["article"]),
        text(row["parent"]),
        row["status"],
        text(row["name"]),
        text(row["email"]),
        text(row["url"]),
        text(row["body"]),
        row["format"],
        moment(row["created_at"]),
        moment(row["edited_at"]),
        kept=Kept(
            whole(row["revision"]),
            whole(row["judged_revision"]),
            row["is_decided"] is True,
            row["notify"] is True,
            verdicts(row["verdicts"], row),
            decisions(row["decisions"]),
            ids(row["ids"]),
            row.get("is_staff") is True,
            appeal(row.get("appeal")),
        ),
    )


def submission(row: dict[str, Any], where: str) -> Record:
    if not is_id(row["id"]) or not re.fullmatch(r"[0-9a-f]{0,64}", row["author_key"]):
        raise ValueError
    return ImportedSubmission(
        f"submission {row['id']} ({where})",
        row["id"],
        text(row["article"]),
        text(row["email_domain"]),
        row["author_key"],
        verdicts(row["verdicts"], {}),
        decisions(row["decisions"]),
    )


def verdicts(rows: list[dict[str, Any]], about: dict[str, Any]) -> tuple[ImportedVerdict, ...]:
    """The verdicts; missing fields are those of the comment."""
    found = []
    for row in rows:
        scores, model = row["scores"], row["model"]
        if scores is not None:
            scores = {str(label): float(score) for label, score in scores.items()}
        if not isinstance(row["facts"], dict):
            raise TypeError
        at = moment(row["created_at"])
        if at is None or row["action"] not in ("publish", "hold", "spam", "reject"):
            raise ValueError
        said = about | row
        if said["format"] not in FORMATS:
            raise ValueError
        found.append(
            ImportedVerdict(
                *(whole(row["revision"]), text(said["body"]), row["action"], at, text(said["name"]), text(said["url"])),
                *(text(row["source"]), text(said["format"]), scores, text(model) or None),
                *(tuple(map(reason, row["reasons"])), row["facts"]),
            )
        )
    return tuple(found)


def reason(row: dict[str, Any]) -> Reason:
    spans = tuple((whole(start), whole(end)) for start, end in row.get("spans") or ())
    rule, label, note = (text(row.get(name)) for name in ("rule", "label", "note"))
    return Reason(rule, label, float(row.get("weight", 1)), note, spans)


def decisions(rows: list[dict[str, Any]]) -> tuple[ImportedDecision, ...]:
    found = []
    for row in rows:
        at = moment(row["created_at"])
        if at is None or not is_id(row["id"]) or {row["before_status"], row["after_status"]} - {None, *STATUSES}:
            raise ValueError
        found.append(
            ImportedDecision(
                *(
                    row["id"],
                    whole(row["judged_revision"]),
                    text(row["action"]) or None,
                    tuple(map(str, row["labels"])),
                ),
                *(text(row["note"]), text(row["moderator"]), row["before_status"], row["after_status"]),
                *(whole(row["after_revision"]) or None, at, moment(row["undone_at"]), text(row["undone_by"]) or None),
                reason=text(row.get("reason")),
            )
        )
    return tuple(found)


def appeal(row: dict[str, Any] | None) -> tuple[str, int] | None:
    """The appeal; older exports have none."""
    if row is None:
        return None
    at = moment(row["created_at"])
    if at is None or not text(row["body"]):
        raise ValueError
    return row["body"], at


def ids(rows: list[list[str]]) -> tuple[tuple[str, str], ...]:
    found = ((str(source), str(foreign)) for source, foreign in rows)
    return tuple(
        (s, f) for s, f in found if re.fullmatch(r"[a-z0-9-]{1,40}", s) and f.isprintable() and 0 < len(f) <= 500
    )


def text(value: object) -> str:
    """A text or None. Raises TypeError for any other value."""
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value or ""


def whole(value: object) -> int:
    """A whole number or None. Raises TypeError for any other value."""
    if value is not None and (not isinstance(value, int) or not 0 <= value < 1 << 53):
        raise TypeError
    return value or 0
