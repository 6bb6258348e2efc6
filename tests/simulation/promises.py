"""What the service promises, looked at in the database's files and in what was delivered, past its own code."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.simulation.cast import Person

Decided = tuple[str, str, str]
"""An acknowledged decision: its id, the comment and the action."""
COMMENTS = (
    "SELECT c.id, c.status, c.is_decided, c.body, s.reasons, s.action FROM comments c LEFT JOIN submissions s "
    "ON s.site = c.site AND s.id = c.id AND s.revision = c.judged_revision"
)
EQUAL = (
    (
        "counts by status",
        "SELECT status, count(*) FROM comments GROUP BY status",
        "SELECT status, count FROM comment_counts WHERE count <> 0",
    ),
    (
        "counts of articles",
        "SELECT article, count(*) FROM comments WHERE status = 'approved' GROUP BY article",
        "SELECT article, approved_count FROM articles WHERE approved_count <> 0",
    ),
    (
        "entries of the audit log",
        "SELECT submission FROM decisions",
        "SELECT subject FROM audit WHERE action IN ('comment:approve', 'comment:reject', 'comment:spam', 'comment:hold')",
    ),
)


def hold(
    people: Iterable[Person],
    decided: Iterable[Decided],
    delivered: Mapping[str, Any],
    path: Path,
    *,
    is_end: bool = False,
) -> None:
    """Raises AssertionError for a promise that is broken. `is_end`: all that was left to do is done."""
    with closing(sqlite3.connect(path)) as there:
        check_comments(people, there, is_end=is_end)
        decisions = dict(there.execute("SELECT id, submission FROM decisions").fetchall())
        assert all(decisions.get(id) == comment for id, comment, _ in decided), "an acknowledged decision is gone"
        for what, one, other in EQUAL:
            counted, counts = sorted(there.execute(one).fetchall()), sorted(there.execute(other).fetchall())
            assert counted == counts, f"{what}: {counted} and {counts}"
        if is_end:
            check_events(delivered, decisions, {row[0] for row in there.execute("SELECT id FROM comments")})
            assert there.execute("SELECT id FROM outbox").fetchall() == []
            assert there.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def check_comments(people: Iterable[Person], there: sqlite3.Connection, *, is_end: bool) -> None:
    rows = there.execute(COMMENTS).fetchall()
    by_body = {row[3]: row for row in rows}
    assert len(by_body) == len(rows), "a comment is stored twice"
    for person in people:
        row = by_body.get(person.arrival.submission.body)
        if row is None:
            assert not person.id, f"comment {person.number} was acknowledged, and is gone"
            continue
        id, status, is_decided, _, reasons, action = row
        assert person.id in ("", id), f"comment {person.number} was acknowledged under another id"
        assert action is not None, f"comment {person.number} has no verdict"
        assert status in person.may_be(), f"comment {person.number} ({person.kind}) is {status}"
        if not person.statuses:
            assert status == "approved" or not person.approved, (
                f"comment {person.number} was published, and is {status}"
            )
            assert status == "pending" or '"unread"' not in reasons, f"comment {person.number} is {status} unread"
        if is_end and not is_decided and status == "pending":
            assert '"unread"' not in reasons, f"comment {person.number} was never read"


def check_events(delivered: Mapping[str, Any], decisions: Mapping[str, str], comments: set[str]) -> None:
    created = Counter(m["data"]["id"] for m in delivered.values() if m["type"] == "comment.created")
    assert max(created.values(), default=1) == 1, "a comment was told under two ids"
    # of a comment that a moderator decides before it is read, the decision is told
    assert comments - set(created) <= set(decisions.values()), "a comment was never told"
    acts = [m["data"]["decision"] for m in delivered.values() if m["type"] == "comment.decided"]
    told = Counter(act["id"] for act in acts if act["action"] != "undo")
    assert set(told) == set(decisions), f"decisions that were not told: {set(decisions) - set(told)}"
    assert max(told.values(), default=1) == 1, "a decision was told under two ids"
