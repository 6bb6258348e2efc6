"""Imported decisions and verdicts, as they are stored."""

from __future__ import annotations

from collections.abc import Iterable

from classifier.labels import LABELS
from moderation.comments.decision import REASONS, STATUS_AFTER
from moderation.comments.model import Comment
from moderation.comments.store import JudgedComment, Keys
from moderation.comments.store_decisions import Decision
from moderation.comments.verdict import Verdict
from moderation.core.ids import new_id
from moderation.transfer.normalise import as_judged, clean
from moderation.transfer.records import ImportedDecision, ImportedSubmission

BY = "import"
"""The moderator whose decisions past verdicts are."""
TAUGHT = {"approved": "approve", "spam": "spam"}
"""The past verdicts that teach: published comments are good, spam is spam."""


def taught(comment: Comment) -> list[Decision]:
    """The decision that another system's status was."""
    if comment.status not in TAUGHT:
        return []
    return [
        Decision(
            site=comment.site,
            id=new_id(comment.created_at),
            submission=comment.id,
            judged_revision=1,
            action=TAUGHT[comment.status],
            labels=(),
            note="",
            moderator=BY,
            before_status="pending",
            after_status=comment.status,
            after_revision=1,
            created_at=comment.created_at,
        )
    ]


def decided(site: str, id: str, imported: Iterable[ImportedDecision], *, is_same: bool) -> list[Decision]:
    """The imported decisions, unchanged; with new ids for a copied comment (`is_same` is false)."""
    by_id = {d.id: d for d in imported if d.action is None or d.action in STATUS_AFTER}
    return [
        Decision(
            site=site,
            id=d.id if is_same else new_id(d.created_at),
            submission=id,
            judged_revision=d.judged_revision,
            action=d.action,
            labels=tuple(label for label in d.labels if label in LABELS),
            note=clean(d.note)[:1000],
            moderator=clean(d.moderator)[:300],
            before_status=d.before,
            after_status=d.after,
            after_revision=d.after_revision,
            created_at=d.created_at,
            undone_at=d.undone_at,
            undone_by=d.undone_by and clean(d.undone_by)[:300],
            reason=d.reason if d.reason in REASONS and d.action == "reject" else "",
        )
        for d in by_id.values()
    ]


def judged_alone(site: str, submission: ImportedSubmission) -> list[JudgedComment]:
    """A judged text that never was a comment, at each of its revisions."""
    bare = Comment(
        id=submission.foreign,
        site=site,
        article=clean(submission.article)[:200],
        parent=None,
        path="",
        status="pending",
        revision=1,
        name="",
        email="",
        url=None,
        body="",
        html="",
        created_at=0,
    )
    judged = JudgedComment(
        comment=bare,
        verdict=Verdict(action="hold"),
        keys=Keys(author=submission.author_key, network="", body=""),
        notify=False,
        email_domain=clean(submission.email_domain)[:253],
        source="import",
    )
    return [as_judged(judged, verdict) for verdict in {v.revision: v for v in submission.verdicts}.values()]
