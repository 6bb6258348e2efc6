"""Comment: a stored submission with its status, its place in the tree, and its public form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from classifier.values import value
from moderation.core.documents import document
from moderation.core.times import iso
from moderation.text import body as formats

STATUSES = ("approved", "pending", "spam", "rejected", "deleted")
DEEPEST = 5
AUDIT_SAMPLE = "0"
"""The last character of ids in the random audit sample: one comment in 32 (`policy/error_rates.py`)."""
MOST_EDITS = 20
"""Revisions of a comment up to which its author may edit: each one is scored, stored and sent to webhooks."""
EDIT_WINDOW = 15 * 60 * 1000
"""Milliseconds after posting in which its author may edit or withdraw a comment."""


@value(frozen=True, slots=True, kw_only=True)
class Comment:
    """A row of the queue and, once approved, of a thread. Times are Unix milliseconds."""

    id: str
    site: str
    article: str
    parent: str | None
    path: str
    """The ids from the root down to this one, joined by `/`: sorting by it walks the tree, oldest first."""
    status: str
    revision: int
    name: str
    email: str
    url: str | None
    body: str
    html: str
    created_at: int
    edited_at: int | None = None
    judged_revision: int = 1
    """The revision of the latest verdict."""
    is_decided: bool = False
    """A moderator has decided on it: later edits by its author never raise it above `pending`."""
    format: str = formats.MARKDOWN
    is_staff: bool = False
    """A staff reply."""
    is_known: bool = False
    """Its author proved an earlier comment that a person approved, under the same name."""
    external_id: str | None = None
    """The id of a comment that is kept elsewhere, in the system that keeps it. Such a comment is never public."""

    def exported(self) -> dict[str, Any]:
        """Its row in an export, without what an import computes again."""
        return document(self, without=("site", "path", "html"))

    @property
    def text(self) -> str:
        """The body as plain text."""
        return formats.plain(self.body, self.format)

    def website(self, author_links: str) -> str | None:
        """The author's website where it may be a link. `author_links`: the site's setting."""
        is_link = author_links == "always" or (author_links != "never" and (self.is_decided or self.is_known))
        return self.url if is_link else None

    @property
    def mark(self) -> str | None:
        """What sets the author apart from somebody who borrows the name: `staff`, or `known` by a receipt."""
        return "staff" if self.is_staff else "known" if self.is_known else None

    @property
    def depth(self) -> int:
        """1 for a comment on the article itself."""
        return self.path.count("/") + 1


def place(new: str, parent: Comment | None) -> tuple[str | None, str]:
    """(parent, path) of a new reply. Below the fifth level it attaches to the deepest comment allowed."""
    return below(new, parent.path) if parent else (None, new)


def is_moved(parent: Comment) -> bool:
    """Whether a reply to this comment attaches to another one, because this one is at the deepest level."""
    return below("", parent.path)[0] != parent.id


def below(new: str, path: str) -> tuple[str, str]:
    """(parent, path) of a reply to the comment at `path`."""
    above = path.split("/")[: DEEPEST - 1]
    return above[-1], "/".join([*above, new])


def public(comment: Comment, avatar: str, author_links: str) -> dict[str, Any]:
    """The public comment, built field by field, so that it contains no email address and nothing derived from one.

    `author_links`: the site's setting."""
    author = {
        "name": comment.name or "Anonymous",
        "url": comment.website(author_links),
        "avatar": avatar,
        "mark": comment.mark,
    }
    return {
        "id": comment.id,
        "parent": comment.parent,
        "depth": comment.depth,
        "author": author,
        "html": comment.html,
        "text": comment.text,
        "created_at": iso(comment.created_at),
        "edited_at": iso(comment.edited_at),
        "replies": [],
    }


def tree(shown: Iterable[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """(path, public comment) in the order of the paths → the roots, each with its replies.

    A reply whose parent is not shown is attached to its nearest shown ancestor, as in WordPress. Without one on this page it
    is at the top and keeps its `parent`.
    """
    roots: list[dict[str, Any]] = []
    by_id: dict[str, dict[str, Any]] = {}
    for path, comment in shown:
        by_id[comment["id"]] = comment
        for ancestor in reversed(path.split("/")[:-1]):
            if ancestor in by_id:
                by_id[ancestor]["replies"].append(comment)
                break
        else:
            roots.append(comment)
    return roots
