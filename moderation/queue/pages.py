"""The moderators' pages: the queue, one comment, the history. Every act is a form; no page needs JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from classifier.labels import LABELS
from moderation.articles import store_openings as openings
from moderation.comments import decision, store_reports
from moderation.comments import store as comments
from moderation.core.ids import EVERYWHERE, first_id_at, is_id
from moderation.core.problem import Problem
from moderation.core.times import iso
from moderation.db import audit
from moderation.db.database import Database
from moderation.duplicates.pages import folded, unpacked
from moderation.policy import settings_history
from moderation.policy.pages_hold import unanswered
from moderation.queue import assign, block, store_assignments, store_matching, store_snoozes
from moderation.queue import decide as queue
from moderation.queue import filters as list_filters
from moderation.queue import store as stored_queue
from moderation.queue.api import view_of
from moderation.queue.api_filters import counted
from moderation.queue.pages_card import BLOCKS, Called, card, said_of_block
from moderation.queue.schemas import RULE_NAMES, CommentQuery
from moderation.services import Services, services_of
from moderation.sites import store as sites
from moderation.sites.pages import without_origin
from moderation.team import store as moderators
from moderation.team import store_failures as failures
from moderation.team.model import Moderator, Principal
from moderation.text import locales
from moderation.web.bodies import Form
from moderation.web.guard import sent_form, signed_in
from moderation.web.params import query_of

PAGE = 20
DONE = {"approve": "approved", "spam": "filed as spam", "reject": "rejected", "delete": "deleted", "hold": "held",
        "reply": "published"}  # fmt: skip


async def page(request: Request, principal: Principal, template: str, status: int = 200, **told: Any) -> Response:
    services = services_of(request)
    database = services.database
    pages = services.pages
    began = first_id_at(services.clock())
    async with database.reading() as session:
        counts = await stored_queue.counts(session, principal.site, services.clock())
        account = services.authenticator.account(principal.moderator.email) if principal.moderator else ""
        failed = (await failures.of(session, account)).unseen
    done, count, decided = (request.query_params.get(name, "") for name in ("done", "count", "decision"))
    undo = None
    if done in DONE and decided.isalnum() and count.isdigit():
        undo = {"label": f"{count} {'comment' if count == '1' else 'comments'} {DONE[done]}"}
        if done == "reply":
            undo["label"] = "Your reply is published" + (", and what it answers" if count == "2" else "")
        undo["action"] = f"/moderate/decisions/{decided}/undo"
    undo = undo or block_done(request.query_params) or shared_done(request.query_params)
    shown = {
        "notice": {
            "undone": "The decision is undone.",
            "taken-back": "It is undone.",
            "emptied": "The spam folder was emptied.",
            "redacted": "It is removed, and nothing of it is kept.",
        }.get(done),
        "undo": undo,
        "counts": counts,
        "labels": LABELS,
        "reasons_to_reject": decision.REASONS,
        "moderator": principal.moderator,
        "failed_signins": failed,
        "csrf_token": services.signer.csrf_token(principal.session),
        "live_since": began,
    }
    return pages.answer(template, status, **(shown | told))


def block_done(asked: Mapping[str, str]) -> dict[str, str] | None:
    """The block that was just made, with its undo button."""
    done, target, id = asked.get("done", ""), asked.get("target", "")[:300], asked.get("comment", "")
    if done not in ("blocked", "unblocked") or not is_id(id) or not (target in BLOCKS or target.startswith("domain:")):
        return None
    action = f"/moderate/comments/{id}/{'unblock' if done == 'blocked' else 'block'}"
    return {"action": action, "target": target, "label": said_of_block(target, lifted=done == "unblocked")}


SHARED = {"snoozed": ("snoozed", "snoozes"), "woken": ("back in the queue", "snoozes"),
          "assigned": ("assigned", "assignments"), "unassigned": ("assigned to nobody", "assignments")}  # fmt: skip


def shared_done(asked: Mapping[str, str]) -> dict[str, str] | None:
    """The snooze or the assignment that was just made, with its undo button."""
    done, count, act = (asked.get(name, "") for name in ("done", "count", "decision"))
    if done not in SHARED or not count.isdigit() or not is_id(act):
        return None
    words, kind = SHARED[done]
    label = f"{count} {'comment' if count == '1' else 'comments'} {words}"
    return {"action": f"/moderate/{kind}/{act}/undo", "label": label}


async def blockable(database: Database, shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds each comment's blocks."""
    async with database.reading() as session:
        found = await comments.find(session, [c["id"] for c in shown]) if shown else {}
        blocks = await block.offered(session, list(found.values()))
    return [c | {"blocks": blocks.get(c["id"], {})} for c in shown]


EXCERPT = 140


async def answering(database: Database, shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds, for replies, the author and the beginning of the comment above."""
    async with database.reading() as session:
        above = {c["parent"] for c in shown if c["parent"]}
        found = await comments.find(session, above) if above else {}
    told = {
        p.id: {"id": p.id, "name": p.name or "Anonymous", "status": p.status, "text": " ".join(p.text.split())}
        for p in found.values()
    }
    for one in told.values():
        if len(one["text"]) > EXCERPT:
            one["text"] = one["text"][:EXCERPT].rstrip() + "…"
    return [c | {"above": told.get(c["parent"] or "")} for c in shown]


async def titles_of(database: Database, shown: list[dict[str, Any]]) -> dict[tuple[str, str], Called]:
    """(site, key) → the article's title and address."""
    found: dict[tuple[str, str], Called] = {}
    async with database.reading() as session:
        for site in {c["site"] for c in shown}:
            known = await sites.articles(session, site, {c["article"] for c in shown if c["site"] == site})
            found |= {(site, key): Called(article.title, article.url) for key, article in known.items()}
            if bare := [article.key for article in known.values() if not article.title and not article.url]:
                for one in await openings.proposals(session, site, bare):
                    said = " · ".join(filter(None, (one.title, one.url)))
                    found[site, one.article] = Called(proposed=said)
    return found


async def cards(services: Services, principal: Principal, shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Documents as cards: with what each answers, its blocks, its article, and today's thresholds."""
    database = services.database
    shown = await answering(database, await blockable(database, shown))
    titles = await titles_of(database, shown)
    async with database.reading() as session:
        known = {key: site for key, site in (await sites.sites(session)).items() if principal.sees(key)}
        is_named = any(one["appeal"] or one["notes"] or one["assigned_to"] for one in shown)
        names = await moderators.names(session) if is_named else {}
    for one in shown:
        one["notes"] = with_names(one["notes"], names, principal)
        one["shared"] = shared_in_words(one, principal.name, names, services.clock())
        if against := (one["appeal"] or {}).get("against"):
            against["moderator"] = names.get(against["moderator"], against["moderator"])
    today = services.scorer.thresholds()
    return [
        card(
            one,
            titles.get((one["site"], one["article"]), Called()),
            today | dict(site.settings.hold_at) if (site := known.get(one["site"])) else today,
            (site.name or site.key) if site and len(known) > 1 else "",
        )
        for one in shown
    ]


def with_names(some: list[dict[str, Any]], names: dict[str, str], principal: Principal) -> list[dict[str, Any]]:
    """Notes with who wrote them, and whether it was this moderator."""
    return [
        note
        | {"moderator": names.get(note["moderator"], note["moderator"]), "own": note["moderator"] == principal.name}
        for note in some
    ]


def shared_in_words(shown: Mapping[str, Any], me: str, names: Mapping[str, str], now: int) -> dict[str, Any]:
    """Whose a comment is, and until when it is set aside."""
    until, to = shown["snoozed_until"], shown["assigned_to"]
    is_snoozed = bool(until) and until > (iso(now) or "")
    snoozed = f"Snoozed until {locales.written_briefly(until)}" if is_snoozed else "Back from a snooze" if until else ""
    return {
        "is_snoozed": is_snoozed,
        "is_mine": to == me,
        "snoozed": snoozed if shown["status"] == "pending" else "",
        "assigned": "For you" if to == me else f"For {names.get(to, 'a former member')}" if to else "",
    }


async def team_of(services: Services, principal: Principal) -> list[Moderator]:
    """The other members that a moderator may assign comments to."""
    async with services.database.reading() as session:
        found = await assign.members(session, principal.site)
    return [one for one in found if one.id != principal.name]


@signed_in
async def get_queue(request: Request, principal: Principal) -> Response:
    """The queue."""
    services = services_of(request)
    asked = query_of(CommentQuery, request.query_params)
    view = replace(view_of(asked, principal), limit=PAGE)
    shown, following = await folded(services, principal, view)
    async with services.database.reading() as session:
        known = [s for s in (await sites.sites(session)).values() if principal.sees(s.key)]
        counts = await stored_queue.counts(session, principal.site, services.clock())
        reported = await store_reports.counts(session)
        site = "" if view.site == EVERYWHERE else view.site
        shared = {
            "snoozed": await store_snoozes.count(session, principal.site, services.clock()),
            "mine": await store_assignments.count(session, principal.site, principal.name),
        }
        matches = await store_matching.count(session, replace(queue.own(principal, view), at=services.clock()))
        unset = await unanswered(session, principal, known, site) if view.status == "pending" else None
    filters = {"status": view.status, "site": site, "article": view.article, "label": view.label, "rule": view.rule,
               "author": view.author, "order": view.order, "q": view.q, "assigned": asked.assigned}  # fmt: skip
    filters |= ({"sample": "1"} if view.sample else {}) | ({"snoozed": view.snoozed} if view.snoozed else {})
    saved = await counted(services, principal)
    next_url = "/moderate?" + urlencode(filters | {"cursor": following}) if following else None
    return await page(
        request,
        principal,
        "queue/queue.html",
        comments=await cards(services, principal, shown),
        here_now=sum(len(c["wave"]) if "wave" in c else 1 for c in shown),
        filters=filters | {"cursor": asked.cursor},
        sites=known,
        unanswered=unset,
        without_origin=without_origin(principal, known, site) if view.status == "pending" else None,
        rules=RULE_NAMES,
        reported=sum(count for key, count in reported.items() if principal.sees(key) and site in ("", key)),
        next_url=next_url,
        matches=matches,
        shared=shared,
        saved=saved,
        current=next((one["id"] for one in saved if one["query"] == list_filters.canonical(filters)), ""),
        may_save=list_filters.is_worth_a_tab(filters),
        may_save_for_team=principal.administers(site or principal.site),
        members={one.id: one.name or one.email for one in await team_of(services, principal)},
        total=sum(counts[status] for status in stored_queue.statuses_of(view.status)),
        back=None,
    )


@signed_in
async def get_comment(request: Request, principal: Principal) -> Response:
    """One comment, its verdict and its decisions."""
    services = services_of(request)
    shown = await queue.one(services.database, services.scorer, principal, request.path_params["id"])
    taken = shown.pop("decisions")
    (comment,) = await cards(services, principal, [shown])
    last = taken[-1]["id"] if taken else ""
    async with services.database.reading() as session:
        names = await moderators.names(session)
    for entry in taken:
        entry["undoable"] = entry["id"] == last and not entry["undone_at"]
        entry["moderator"] = names.get(entry["moderator"], entry["moderator"])
    return await page(request, principal, "queue/comment.html", comment=comment, decisions=taken, back=None)


@sent_form
async def post_decisions(request: Request, principal: Principal, typed: Form) -> Response:
    """Decide on one comment, or on all ticked ones."""
    services = services_of(request)
    action, ids = typed.get("action", ""), typed.all("comments")
    if one := typed.get("one"):
        action, _, id = one.partition(":")
        ids = [id]
    back = back_of(typed)
    if not ids or not action:  # nothing ticked, or Enter in a checkbox: no decision
        return RedirectResponse(back, 303)
    labels = typed.all("labels")
    reason = decision.checked_reason(typed.get("reason"), action) if action == "reject" else ""
    checked = decision.checked(action, decision.labels_said(labels or None, reason), typed.get("note", ""))
    whole = unpacked(ids, typed)
    ids += whole  # a wave is decided as a whole
    revisions = whole | {id: int(s) for id in ids if (s := typed.get(f"seen-{id}", "")).isdigit() and len(s) < 15}
    decided, moved = await queue.decide(
        services.database, principal, ids, *checked, revisions, services.clock(), reason
    )
    services.decided[action] += len(moved)
    told = urlencode({"done": action, "count": len(moved), "decision": decided})
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{told}", 303)


def revision_of(typed: dict[str, str]) -> int | None:
    """The revision that the moderator saw; None, without a check, if the form has no number."""
    seen = typed.get("seen", "")
    return int(seen) if seen.isdecimal() and len(seen) < 15 else None


def back_of(typed: dict[str, str]) -> str:
    """The address of the moderator's list, without the notice of the previous decision."""
    back = typed.get("back", "")
    if not back.startswith("/moderate") or "\\" in back or not back.isprintable():
        return "/moderate"
    path, _, query = back.partition("?")
    kept = [
        part
        for part in query.split("&")
        if part and part.split("=")[0] not in ("done", "count", "decision", "target", "comment")
    ]
    return path + ("?" + "&".join(kept) if kept else "")


@sent_form
async def post_undo(request: Request, principal: Principal, typed: Form) -> Response:
    """Undo a decision."""
    services = services_of(request)
    await queue.undo(services.database, principal, request.path_params["id"], services.clock())
    back = back_of(typed)
    return RedirectResponse(f"{back}{'&' if '?' in back else '?'}done=undone", 303)


def detail_in_words(action: str, detail: dict[str, Any], names: Mapping[str, str]) -> str:
    """A change of settings as sentences: each setting's old and new value."""
    is_change = action in ("rules:change", "rules:undo")
    told = {
        name: settings_history.moved(value)
        if is_change
        else settings_history.said(names.get(value, value) if name == "to" else value)
        for name, value in detail.items()
    }
    return ", ".join(f"{name} {words}" for name, words in told.items() if words)


@signed_in
async def get_history(request: Request, principal: Principal) -> Response:
    """The audit log."""
    services = services_of(request)
    async with services.database.reading() as session:
        found = await audit.read(session, principal.site, before=request.query_params.get("cursor", "")[:26], limit=101)
        names = await moderators.names(session)
    entries = [
        e | {"actor": names.get(e["actor"], e["actor"]), "detail": detail_in_words(e["action"], e["detail"], names)}
        for e in found[:100]
    ]
    next_url = "/moderate/history?" + urlencode({"cursor": found[99]["id"]}) if len(found) > 100 else None
    return await page(request, principal, "queue/history.html", entries=entries, next_url=next_url)


async def problem_page(request: Request, problem: Problem) -> Response:
    """A problem as a page of the console, with a link to the newer state of a comment."""
    principal = await services_of(request).authenticator.session(request)
    newer = problem.extra.get("comments", [])
    if principal is None:
        return RedirectResponse("/moderate/login", 303)
    return await page(request, principal, "web/console-problem.html", problem.status, problem=problem, newer=newer)


routes = [
    Route("/moderate", get_queue, methods=["GET"]),
    Route("/moderate/comments/{id}", get_comment, methods=["GET"]),
    Route("/moderate/decisions", post_decisions, methods=["POST"]),
    Route("/moderate/decisions/{id}/undo", post_undo, methods=["POST"]),
    Route("/moderate/history", get_history, methods=["GET"]),
]
