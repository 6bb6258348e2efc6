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
from moderation.sites.model import is_article_key, is_checks_key
from moderation.text.body import FORMATS
from moderation.transfer.formats.file import File
from moderation.transfer.normalise import clean
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
        yield Skipped(
            "the end of the file", "the export is cut short: its last line is missing. What is there has come in"
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
    if not (is_article_key(row["key"]) or is_checks_key(row["key"])):
        raise ValueError
    return ImportedArticle(
        foreign=row["key"],
        key=row["key"],
        title=text(row["title"]),
        url=text(row["url"]),
        text=text(row["text"]),
        published_at=moment(row["published_at"]),
        comments_open=row["comments_open"] is not False,
        is_listed=row.get("is_listed") is not False,
        ids=ids(row["ids"]),
    )


def comment(row: dict[str, Any], where: str) -> Record:
    if not is_id(row["id"]) or row["status"] not in STATUSES or row["format"] not in FORMATS:
        raise ValueError
    return ImportedComment(
        where=f"comment {row['id']} ({where})",
        foreign=row["id"],
        article=text(row["article"]),
        parent=text(row["parent"]),
        status=row["status"],
        name=text(row["name"]),
        email=text(row["email"]),
        url=text(row["url"]),
        body=text(row["body"]),
        format=row["format"],
        created_at=moment(row["created_at"]),
        edited_at=moment(row["edited_at"]),
        kept=Kept(
            whole(row["revision"]),
            whole(row["judged_revision"]),
            row["is_decided"] is True,
            row["notify"] is True,
            verdicts(row["verdicts"], row),
            decisions(row["decisions"]),
            ids(row["ids"]),
            row.get("is_staff") is True,
            row.get("is_known") is True,
            appeal(row.get("appeal")),
            text(row.get("external_id")),
        ),
    )


def submission(row: dict[str, Any], where: str) -> Record:
    if not is_id(row["id"]) or not re.fullmatch(r"[0-9a-f]{0,64}", row["author_key"]):
        raise ValueError
    return ImportedSubmission(
        where=f"submission {row['id']} ({where})",
        foreign=row["id"],
        article=text(row["article"]),
        email_domain=text(row["email_domain"]),
        author_key=row["author_key"],
        verdicts=verdicts(row["verdicts"], {}),
        decisions=decisions(row["decisions"]),
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
                revision=whole(row["revision"]),
                body=text(said["body"]),
                action=row["action"],
                created_at=at,
                name=text(said["name"]),
                url=text(said["url"]),
                source=text(row["source"]),
                format=text(said["format"]),
                scores=scores,
                model=text(model) or None,
                reasons=tuple(map(reason, row["reasons"])),
                facts=row["facts"],
            )
        )
    return tuple(found)


def reason(row: dict[str, Any]) -> Reason:
    spans = tuple((whole(start), whole(end)) for start, end in row.get("spans") or ())
    rule, label, note = (text(row.get(name)) for name in ("rule", "label", "note"))
    return Reason(rule=rule, label=label, weight=float(row.get("weight", 1)), note=note, spans=spans)


def decisions(rows: list[dict[str, Any]]) -> tuple[ImportedDecision, ...]:
    found = []
    for row in rows:
        at = moment(row["created_at"])
        if at is None or not is_id(row["id"]) or {row["before_status"], row["after_status"]} - {None, *STATUSES}:
            raise ValueError
        found.append(
            ImportedDecision(
                id=row["id"],
                judged_revision=whole(row["judged_revision"]),
                action=text(row["action"]) or None,
                labels=tuple(map(str, row["labels"])),
                note=text(row["note"]),
                moderator=text(row["moderator"]),
                before=row["before_status"],
                after=row["after_status"],
                after_revision=whole(row["after_revision"]) or None,
                created_at=at,
                undone_at=moment(row["undone_at"]),
                undone_by=text(row["undone_by"]) or None,
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


def ids(rows: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (source, foreign, origin) if origin else (source, foreign)
        for source, foreign, origin in ((str(s), str(f), origin_of(more)) for s, f, *more in rows)
        if re.fullmatch(r"[a-z0-9-]{1,40}", source) and foreign.isprintable() and 0 < len(foreign) <= 500
    )


def origin_of(more: list[str]) -> str:
    """An origin: texts by name, as JSON. Raises ValueError and TypeError for anything else."""
    if not more or not more[0]:
        return ""
    origin = orjson.loads(more[0])
    if len(more) > 1 or len(more[0]) > 4_000 or not isinstance(origin, dict) or {*map(type, origin.values())} - {str}:
        raise TypeError
    return clean(more[0])


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
