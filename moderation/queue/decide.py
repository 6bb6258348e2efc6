"""Decisions: decide() and undo(), atomic and guarded by the expected revision; and the documents that moderators see."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from classifier.examples import Asked, Author
from moderation.articles import register
from moderation.comments import store as comments
from moderation.comments import store_appeals as appeals
from moderation.comments import store_authors as authors
from moderation.comments import store_decisions as decisions
from moderation.comments import store_notes, store_reports
from moderation.comments.decision import MOST_APPEALED, STATUS_AFTER
from moderation.comments.model import Comment
from moderation.comments.store import verdicts
from moderation.comments.store_decisions import Decision
from moderation.comments.verdict import Verdict
from moderation.core.ids import EVERYWHERE, is_id, new_id
from moderation.core.problem import Conflict, FieldError, Forbidden, Invalid, NotFound
from moderation.core.times import iso
from moderation.db import audit
from moderation.db.database import Database, Session
from moderation.duplicates import duplicates
from moderation.outbox import events
from moderation.policy import rule_health
from moderation.policy.explainer import ScoredText
from moderation.policy.scorer import Scorer
from moderation.queue import reports
from moderation.queue import store as queue
from moderation.queue import store_assignments as assignments
from moderation.queue import store_search as search
from moderation.queue import store_snoozes as snoozes
from moderation.queue.store import View
from moderation.sites import store as sites
from moderation.team.model import Principal
from moderation.text import body as formats

MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One comment after a decision."""

    id: str
    site: str
    article: str
    status: str
    revision: int

    def document(self) -> dict[str, Any]:
        return {"id": self.id, "status": self.status, "revision": self.revision}


async def decide(
    database: Database,
    principal: Principal,
    ids: list[str],
    action: str,
    labels: tuple[str, ...],
    note: str,
    seen: Mapping[str, int],
    now: int,
    reason: str = "",
) -> tuple[str, list[Moved]]:
    """Decides. Returns the decision's id and the moved comments. Raises NotFound or Conflict; nothing changes then.

    `seen` holds the revision that the moderator looked at, for the comments where it is known.
    """
    ids = list(dict.fromkeys(ids))
    if not 1 <= len(ids) <= MOST:
        raise Invalid(FieldError("comments", "invalid", f"give 1 to {MOST} comments"))
    decision = new_id(now)
    async with database.transaction() as tx:
        found = await seen_by(tx, principal, ids, seen)
        moved = await act(tx, principal, [found[id] for id in ids], decision, action, labels, note, now, reason)
    return decision, moved


async def seen_by(tx: Session, principal: Principal, ids: list[str], seen: Mapping[str, int]) -> dict[str, Comment]:
    """The comments at the revisions that the moderator saw. Raises NotFound or Conflict."""
    possible = [id for id in ids if is_id(id)]
    found = await comments.find(tx, possible) if possible else {}
    unknown = [id for id in ids if id not in found or not principal.sees(found[id].site)]
    if unknown:
        told = [id for id in unknown if id in possible][:20]
        raise NotFound("There is no such comment; nothing changed.", extra={"unknown": told})
    stale = [found[id] for id in ids if seen.get(id, found[id].revision) != found[id].revision]
    if stale:
        raise changed_meanwhile(stale)
    return found


async def unchanged(tx: Session, principal: Principal, seen: Mapping[str, int]) -> list[Comment]:
    """Of comments with the revision that was seen, those that still have it."""
    found = await comments.find(tx, seen)
    return [one for id in seen if (one := found.get(id)) and one.revision == seen[id] and principal.sees(one.site)]


async def act(
    tx: Session,
    principal: Principal,
    chosen: list[Comment],
    decision: str,
    action: str,
    labels: tuple[str, ...],
    note: str,
    now: int,
    reason: str = "",
) -> list[Moved]:
    """A decision on these comments, within a transaction. Raises Conflict."""
    entries, moved = [], []
    for comment in chosen:
        if not await comments.move(tx, comment, STATUS_AFTER[action], decided=True):
            raise changed_meanwhile([comment])
        moved.append(
            Moved(
                id=comment.id,
                site=comment.site,
                article=comment.article,
                status=STATUS_AFTER[action],
                revision=comment.revision + 1,
            )
        )
        entries.append(
            Decision(
                site=comment.site,
                id=decision,
                submission=comment.id,
                judged_revision=comment.judged_revision,
                action=action,
                labels=labels,
                note=note,
                moderator=principal.name,
                before_status=comment.status,
                after_status=STATUS_AFTER[action],
                after_revision=comment.revision + 1,
                created_at=now,
                reason=reason,
            )
        )
    async with rule_health.deciding(tx, [(m.site, m.id) for m in moved], now):
        await decisions.add(tx, entries)
    if action == "spam":
        await duplicates.decided(tx, chosen, now)
    await reports.settle(tx, chosen, action, decision)
    pairs = list(zip(chosen, moved, strict=True))
    await _touch(tx, pairs)
    await _settle(tx, moved)
    await _tell(tx, pairs, decision, action, now)
    await audit.note_many(
        tx, [(m.site, now, principal.name, f"comment:{action}", m.id, {"decision": decision}) for m in moved]
    )
    return moved


async def undo(database: Database, principal: Principal, decision: str, now: int) -> list[Moved]:
    """Restores every comment of a decision. Raises NotFound, or Conflict after a later change; nothing changes then."""
    async with database.transaction() as tx:
        entries = await decisions.find(tx, decision) if is_id(decision) else []
        if not entries or not all(principal.sees(e.site) for e in entries):
            raise NotFound("There is no such decision.")
        if any(e.undone_at for e in entries):
            raise Conflict("This decision is undone already.", code="undone")
        found = await comments.find(tx, [e.submission for e in entries])
        later = [
            found[e.submission]
            for e in entries
            if e.submission in found and found[e.submission].revision != e.after_revision
        ]
        if later or any(e.submission not in found for e in entries):
            raise changed_meanwhile(later)
        moved, others = [], await _standing_beside(tx, entries)
        for entry in entries:
            comment = found[entry.submission]
            before = entry.before_status or comment.status
            if not await comments.move(tx, comment, before, decided=comment.id in others):
                raise changed_meanwhile([comment])
            moved.append(
                Moved(
                    id=comment.id,
                    site=comment.site,
                    article=comment.article,
                    status=before,
                    revision=comment.revision + 1,
                )
            )
        async with rule_health.deciding(tx, [(m.site, m.id) for m in moved], now):
            if not await decisions.undo(tx, decision, principal.name, now):
                raise Conflict("This decision is undone already.", code="undone")
        await reports.reopen(tx, (m.site for m in moved), decision)
        await _touch(tx, [(found[m.id], m) for m in moved])
        await _settle(tx, moved)
        await _tell(tx, [(found[m.id], m) for m in moved], decision, "undo", now)
        await audit.note_many(
            tx, [(m.site, now, principal.name, "decision:undo", decision, {"comment": m.id}) for m in moved]
        )
    return moved


async def _standing_beside(tx: Session, entries: list[Decision]) -> set[str]:
    """The comments of a decision that have another standing one."""
    found = set[str]()
    for site in {e.site for e in entries}:
        ids = [e.submission for e in entries if e.site == site]
        for low in range(0, len(ids), MOST):
            taken = await decisions.of(tx, site, ids[low : low + MOST])
            found |= {
                id for id, some in taken.items() if any(d.id != entries[0].id and d.undone_at is None for d in some)
            }
    return found


async def undo_all(
    database: Database, principal_name: str, since: int, by: str, clock: Callable[[], int]
) -> tuple[int, int]:
    """Undoes the decisions of one moderator or token since a time, on all sites: (undone ones, those left, because somebody
    changed their comments later)."""
    async with database.reading() as session:
        made = [
            (site, decision)
            for site in await sites.sites(session)
            for decision in await decisions.made_by(session, site, principal_name, since)
        ]
    undone = 0
    for site, decision in made:
        principal = Principal(name=by, site=site, scopes=frozenset({"moderate"}))
        with suppress(Conflict, NotFound):
            await undo(database, principal, decision, clock())
            undone += 1
    return undone, len(made) - undone


async def appeal(database: Database, site: str, id: str, text: str, now: int) -> None:
    """The author's appeal against a moderator's decision, once: the comment is pending again, and marked. Raises Invalid,
    Forbidden or NotFound; nothing changes then."""
    text = text.replace("\r\n", "\n").strip()
    if not text or len(text) > MOST_APPEALED or "\0" in text:
        code = "too_long" if len(text) > MOST_APPEALED else "required"
        raise Invalid(FieldError("appeal", code, f"give 1 to {MOST_APPEALED} characters"))
    async with database.transaction() as tx:
        comment = (await comments.of_site(tx, site, [id])).get(id)
        if comment is None:
            raise NotFound("There is no such comment.")
        taken = await decisions.on(tx, site, id)
        if not may_appeal(comment, taken) or await appeals.of(tx, site, [id]):
            raise Forbidden("Only a rejection can be appealed, and only once.", code="no_appeal")
        await appeals.add(tx, site, id, text, now)
        if not await comments.move(tx, comment, "pending", decided=True):
            raise changed_meanwhile([comment])
        # Without the text of the appeal: only moderators read it.
        waits = replace(comment, status="pending", revision=comment.revision + 1)
        await events.emit(tx, "comment.appealed", [waits], now)
        await audit.note_many(tx, [(site, now, "author", "comment:appeal", id, {})])


def may_appeal(comment: Comment, taken: list[Decision]) -> bool:
    """Whether a moderator refused the comment: comments filed automatically show as pending, and cannot be appealed."""
    standing = [d for d in taken if d.undone_at is None and d.after_status == comment.status]
    return comment.status in ("rejected", "spam") and bool(standing)


def changed_meanwhile(stale: list[Comment]) -> Conflict:
    """A Conflict with the newer state of the comments."""
    newer = [{"id": c.id, "status": c.status, "revision": c.revision} for c in stale]
    return Conflict(
        "Somebody else has changed this meanwhile; nothing changed.", code="changed", extra={"comments": newer}
    )


async def _touch(tx: Session, moved: list[tuple[Comment, Moved]]) -> None:
    """Increases the revisions of the changed threads."""
    shown = {(m.site, m.article) for before, m in moved if "approved" in (before.status, m.status)}
    for site in {site for site, _ in shown}:
        await sites.touch(tx, site, (article for s, article in shown if s == site))


async def _settle(tx: Session, moved: list[Moved]) -> None:
    """Adopts or withdraws the proposals of these articles."""
    for site in sorted({m.site for m in moved}):
        await register.settle(tx, site, (m.article for m in moved if m.site == site))


async def _tell(tx: Session, moved: list[tuple[Comment, Moved]], decision: str, action: str, now: int) -> None:
    after = [replace(before, status=m.status, revision=m.revision) for before, m in moved]
    await events.emit(tx, "comment.decided", after, now, decision={"id": decision, "action": action})
    await events.emit_replies(tx, after, now)


def cursor_of(value: Any, id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, id]).encode()).decode().rstrip("=")


def after_cursor(cursor: str) -> tuple[Any, str]:
    """The position of a cursor. Raises Invalid for a malformed one."""
    try:
        value, id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(id, str) or not is_id(id) or not isinstance(value, int | float | str):
            raise ValueError
        if isinstance(value, str) and not is_id(value):
            raise ValueError
        if not isinstance(value, str) and not -(2.0**62) < float(value) < 2.0**62:  # nor not-a-number
            raise ValueError
        return value, id
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise Invalid(FieldError("cursor", "invalid", "must be the `next` of an earlier answer")) from None


async def read_up(database: Database, *, all_: bool = False) -> None:
    """Indexes comments that arrived since the last search. `all_`: all of them, a piece at a time."""
    async with database.reading() as session:
        behind = await search.is_behind(session)
    while behind:
        async with database.transaction() as tx:
            behind = await search.read_up(tx) and all_


def own(principal: Principal, view: View) -> View:
    """The view of the principal's site. Raises Forbidden for another one."""
    if principal.site == EVERYWHERE:
        return view
    if view.site not in (EVERYWHERE, principal.site):
        raise Forbidden("You moderate another site.", code="site")
    return replace(view, site=principal.site)


async def waiting(
    database: Database, principal: Principal, view: View, now: int
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of the queue, without the additions of `explained`, and the cursor of the next page. Raises Forbidden."""
    view = own(principal, view)
    if view.q:
        await read_up(database)
    async with database.reading() as session:
        rows = await queue.waiting(session, replace(view, limit=view.limit + 1, at=now))
        page = rows[: view.limit]
        shown = await documents(session, [(c, v) for c, v, _ in page])
    following = cursor_of(page[-1][2], page[-1][0].id) if len(rows) > view.limit else None
    return shown, following


async def one(database: Database, scorer: Scorer, principal: Principal, id: str) -> dict[str, Any]:
    """A comment with its decisions. Raises NotFound."""
    async with database.reading() as session:
        comment = (await comments.find(session, [id])).get(id) if is_id(id) else None
        if comment is None or not principal.sees(comment.site):
            raise NotFound("There is no such comment.")
        verdict = (await verdicts(session, comment.site, [id])).get(id)
        shown = await documents(session, [(comment, verdict or Verdict(action="hold"))])
        taken = [d.document() for d in await decisions.on(session, comment.site, id)]
    (told,) = await explained(scorer, shown)
    return told | {"decisions": taken}


async def documents(session: Session, found: list[tuple[Comment, Verdict]]) -> list[dict[str, Any]]:
    """The stored data of each comment for moderators."""
    records: dict[str, dict[str, Any]] = {}
    appealed: dict[str, dict[str, Any]] = {}
    reported: dict[str, list[store_reports.Report]] = {}
    noted: dict[str, list[dict[str, Any]]] = {}
    for site in {c.site for c, _ in found}:
        records |= await authors.records(session, site, [c for c, _ in found if c.site == site])
        appealed |= await appealed_decisions(session, site, [c.id for c, _ in found if c.site == site])
        reported |= await store_reports.open_of(session, site, [c.id for c, _ in found if c.site == site])
        noted |= await store_notes.on_each(session, site, [c for c, _ in found if c.site == site])
    snoozed = await snoozes.of(session, [c.id for c, _ in found])
    assigned = await assignments.of(session, [c.id for c, _ in found])
    return [
        {
            "id": c.id,
            "site": c.site,
            "article": c.article,
            "parent": c.parent,
            "status": c.status,
            "revision": c.revision,
            "created_at": iso(c.created_at),
            "edited_at": iso(c.edited_at),
            "author": {
                "name": c.name,
                "email": c.email,
                "url": c.url,
                **({"staff": True} if c.is_staff else {}),
                "record": (r := records.get(c.id, {}))
                | {"first_seen": iso(r.get("first_seen")), "last_seen": iso(r.get("last_seen"))},
            },
            "body": c.body,
            "format": c.format,
            "html": c.html,
            "appeal": appealed.get(c.id),
            "reports": [reports.document(one) for one in reported.get(c.id, ())],
            "notes": noted.get(c.id, []),
            "snoozed_until": iso(one.until) if (one := snoozed.get(c.id)) and one.revision == c.revision else None,
            "assigned_to": (mine.moderator or None) if (mine := assigned.get(c.id)) else None,
            "verdict": {
                "scores": v.scores,
                "action": v.action,
                "reasons": [reason.document() for reason in v.reasons],
                "model": v.model,
            },
        }
        for c, v in found
    ]


async def appealed_decisions(session: Session, site: str, ids: list[str]) -> dict[str, dict[str, Any]]:
    """Comment id → its author's appeal, with the decision that it is `against`."""
    made = await appeals.of(session, site, ids)
    taken = await decisions.of(session, site, made) if made else {}
    for id, one in made.items():
        before = [d.document() for d in taken.get(id, ()) if d.undone_at is None and d.action in ("reject", "spam")]
        earlier = [document for document in before if document["created_at"] <= one["created_at"]]
        one["against"] = earlier[-1] if earlier else None
    return made


async def explained(scorer: Scorer, shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds the words that raised or lowered each score, by the model that gave it.

    This can take seconds, a tenth of a second for the longest text: callers must not hold a database connection.
    """
    told = []
    for one in shown:
        verdict, author = one["verdict"], one["author"]
        if verdict["scores"]:
            by = Author(author["name"], author["url"] or "", author["email"].rpartition("@")[2])
            scored = ScoredText(one["body"], one["format"], by, one["site"], verdict["model"])
            attributions = await scorer.explainer.attributions(scored)
            one = one | {"verdict": verdict | {"reasons": verdict["reasons"] + attributions}}
        told.append(one)
    return told


async def attributions_of(scorer: Scorer, asked: Asked, model: str | None) -> list[dict[str, Any]]:
    """The same for one text that is not stored, and of which nothing is kept."""
    scored = ScoredText(asked.text, formats.MARKDOWN, asked.author, asked.site, model)
    return await scorer.explainer.attributions(scored, keep=False)
