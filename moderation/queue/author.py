"""An author: everything that somebody wrote at one site, with what was decided and reported, and the blocks that hit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moderation.comments import store as comments
from moderation.comments import store_authors as authors
from moderation.comments import store_decisions as decisions
from moderation.comments import store_notes as notes
from moderation.comments import store_reports as stored_reports
from moderation.comments.model import Comment
from moderation.comments.verdict import Verdict
from moderation.core.ids import is_id
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.core.times import iso
from moderation.db.database import Database
from moderation.policy import blocks as listed_blocks
from moderation.policy import settings_history
from moderation.queue import block, reports
from moderation.queue import decide as queue
from moderation.team.model import Principal
from moderation.text.wordlist import AUTHOR

PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Documents for moderators. comments: a page, newest first, each with `decisions`; following: the cursor of the next one."""

    comment: Comment
    """The one that names the author."""
    record: dict[str, Any]
    names: list[str]
    """Those on the page, the latest first."""
    comments: list[dict[str, Any]]
    blocks: list[dict[str, Any]]
    """Those that hit the author, a domain or a network of the page's comments."""
    notes: list[dict[str, Any]]
    following: str | None

    def document(self) -> dict[str, Any]:
        return {
            "site": self.comment.site,
            "names": self.names,
            "email": self.comment.email,
            "record": self.record,
            "blocks": self.blocks,
            "notes": self.notes,
        }


async def of_comment(
    database: Database, principal: Principal, id: str, cursor: str, now: int, limit: int = PAGE
) -> Author:
    """The author of a comment. Where nobody is known by an address, the comment stands alone. Raises NotFound, and Invalid for a
    malformed cursor."""
    if cursor and not is_id(cursor):
        raise Invalid(FieldError("cursor", "invalid", "must be the `next` of an earlier answer"))
    async with database.reading() as session:
        comment = (await comments.find(session, [id])).get(id) if is_id(id) else None
        if comment is None or not principal.sees(comment.site):
            raise NotFound("There is no such comment.")
        site = await settings_history.site_of(session, comment.site)
        key = (await comments.keys_of(session, site.key, [id]))[id][0]
        somebody = authors.is_somebody(comment)
        ids = await authors.page(session, site.key, key, cursor, limit + 1) if somebody else [id]
        page = await comments.of_site(session, site.key, ids[:limit])
        shown = [page[one] for one in ids[:limit]]
        verdicts = await comments.verdicts(session, site.key, list(page)) if page else {}
        told = await queue.documents(session, [(c, verdicts.get(c.id) or Verdict(action="hold")) for c in shown])
        taken = await decisions.of(session, site.key, list(page)) if page else {}
        made = await stored_reports.of(session, site.key, list(page))
        for one in told:
            one["decisions"] = [decision.document() for decision in taken.get(one["id"], ())]
            one["all_reports"] = [reports.document(report) for report in made.get(one["id"], ())]
        record = (await authors.records(session, site.key, [comment]))[id]
        keys = await comments.keys_of(session, site.key, list(page)) if page else {}
        hit = {entry: None for c in shown if not c.is_staff for entry in block.entries(c, site, *keys[c.id]).values()}
        hit |= {AUTHOR + key: None} if comment.email else {}
        on_author = (await notes.of_authors(session, site.key, [key])).get(key, []) if somebody else []
        return Author(
            comment=comment,
            record=record | {end: iso(record.get(end)) for end in ("first_seen", "last_seen")},
            names=list(dict.fromkeys(c.name or "Anonymous" for c in (*shown, comment))),
            comments=told,
            blocks=await listed_blocks.of_entries(session, site, list(hit), now),
            notes=[note.document() for note in on_author],
            following=ids[limit - 1] if len(ids) > limit else None,
        )
