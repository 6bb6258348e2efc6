"""The policy page: every rule of a site with its meaning, thresholds as numbers and as error_budget, each change undoable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from classifier import thresholds
from classifier.labels import LABELS
from moderation.core.problem import FieldError, Invalid, NotFound
from moderation.policy import settings_history
from moderation.policy import store_settings_history as past_settings
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy import thresholds as error_budget
from moderation.queue.pages import page
from moderation.services import services_of
from moderation.sites import site_settings as rules
from moderation.sites import store as sites
from moderation.sites.assignments import number
from moderation.sites.model import DAY, Site, is_site_key
from moderation.sites.site_settings import SKIPPABLE, SiteSettings
from moderation.team import store as moderators
from moderation.team.model import Principal
from moderation.web.bodies import Form
from moderation.web.guard import check_administrator, sent_form, signed_in

Typed = dict[str, Any]
"""A form's fields by name: texts, except `trust_skips`, a list."""

GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Words, people and addresses",
        (
            ("disallowed", "File as spam what names", "A line each: words (casin* for its endings), domains, networks "
             "(203.0.113.0/24), email addresses. An email address is kept as a key that nobody can read."),
            ("blocked", "Hold what names", "The same kinds of entries; a moderator sees the comment first."),
        ),
    ),
    (
        "What else holds a comment",
        (
            ("max_links", "Links that hold it", "So many links or more; 0 turns the rule off."),
            ("hold", "What waits for a person", "Suspects: what a rule holds. Newcomers: also comments without proof of an earlier "
             "approved one. All: every comment."),
            ("reports_hold", "Readers who report it until it waits", "A comment that nobody has decided on; 0: never."),
            ("honeypot", "A program filled the hidden field", "Of our own form."),
            ("disposable", "A disposable email address", "Of a service that lends addresses for minutes."),
            ("form_youngest", "Seconds before the form may come back", "Faster than that is no person."),
            ("form_oldest", "Minutes until the form is too old", "A form kept longer than that is held."),
        ),
    ),
    (
        "Trust",
        (("trust_skips", "Rules that a trusted author is not asked", "Trusted is who proves an earlier approved comment "
          "on this site by its receipt. A name and an address can be borrowed, and prove nothing."),),
    ),
    (
        "Limits",
        (
            ("per_author_a_minute", "Comments a minute by one author", "From one network address; 0 turns the limit off."),
            ("per_address_a_minute", "Comments a minute from one address", "An IPv6 /64 is one; refused ones count too; 0 turns "
             "it off."),
            ("new_articles_an_hour", "New articles an hour from one address", "Articles that exist from their first comment."),
            ("max_body", "Longest comment, in characters", "65,525 bytes at the most whatever this says."),
        ),
    ),
    (
        "Who may comment, and on what",
        (
            ("require_name", "A name is required", ""),
            ("require_email", "An email address is required", "It is never published."),
            ("author_links", "Authors' websites are links", "After approval: once a person has approved the comment, or its author "
             "has proved an approved one by its receipt."),
            ("privacy_url", "Address of the privacy policy", "Every form of this site links to it, the embed's too. Empty: no "
             "link."),
            ("language", "Language of mails", "Mails to readers of this site and to its moderators."),
            ("articles", "Articles", "Open: an article exists from its first comment. Registered: only what you have put."),
            ("close_after_days", "Days until comments close", "From publication, or else the first comment; 0: never."),
        ),
    ),
)  # fmt: skip
"""All settings besides the thresholds and those of ELSEWHERE; together they are SiteSettings (a test holds them equal)."""
ELSEWHERE = ("disallowed_until",)
"""Settings that are not typed: blocking sets until when an entry counts."""
SETTINGS = ("spam_at", "hold_at", *(name for _, some in GROUPS for name, _, _ in some))
LONGEST_SHOWN = 90_000
"""Bytes of a list in a form: two of them and the other fields fit into one request."""
LOOK_BACK = 365 * DAY


def kind(name: str) -> str:
    default = rules.DEFAULTS[name]
    if name == "trust_skips":
        return "skips"
    if name == "privacy_url":
        return "text"
    return {bool: "tick", int: "number", str: "choice", tuple: "list"}[type(default)]


def typed_of(house: SiteSettings) -> Typed:
    """The settings as form fields."""
    found: Typed = {f"hold_at.{label}": spelled(house.hold_at.get(label)) for label in LABELS}
    for name in SETTINGS:
        value = getattr(house, name)
        if rules.is_list(name):
            found[name] = "\n".join(value)
        elif name == "trust_skips" or isinstance(value, bool):
            found[name] = value
        elif name != "hold_at":
            found[name] = spelled(value)
    return found


def spelled(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def too_long(house: SiteSettings) -> list[str]:
    """Lists too long for a form: they stay unchanged, and the page names the command for them."""
    return [n for n in SETTINGS if rules.is_list(n) and len(quote_plus("\r\n".join(getattr(house, n)))) > LONGEST_SHOWN]


def given_of(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, Any], Typed, list[FieldError]]:
    """A sent form: the settings as in JSON, the texts to show again, and the errors so far."""
    fields = list(pairs)
    typed: Typed = dict(fields)
    wrong = list[FieldError]()
    given: dict[str, Any] = {}
    for name in dict.fromkeys(typed.get("fields", "").split(",")):
        if name == "hold_at":
            given[name] = {}
            for label in LABELS:
                if text := typed.setdefault(f"hold_at.{label}", "").strip():
                    try:
                        given[name][label] = rules.share(number(text))
                    except ValueError as error:
                        wrong.append(FieldError(f"hold_at.{label}", "invalid", str(error)))
        elif name in SETTINGS:
            given[name] = typed[name] = read(name, fields)
            if name != "trust_skips" and rules.is_list(name):
                typed[name] = "\n".join(given[name])
            elif kind_is_number(name):
                typed[name] = dict(fields).get(name, "")
    return given, typed, wrong


def kind_is_number(name: str) -> bool:
    return isinstance(rules.DEFAULTS[name], int | float) and not isinstance(rules.DEFAULTS[name], bool)


def read(name: str, fields: list[tuple[str, str]]) -> Any:
    """One setting of a sent form. An empty number is the default; a missing checkbox is false."""
    values = [value for key, value in fields if key == name]
    if name == "trust_skips":
        return values
    if rules.is_list(name):
        return [line.strip() for line in "\n".join(values).splitlines() if line.strip()]
    if isinstance(rules.DEFAULTS[name], bool):
        return bool(values)
    text = values[0].strip() if values else ""
    return (number(text) if text else None) if kind_is_number(name) else text


@dataclass
class Shown:
    """One rendering of the page."""

    site: Site
    typed: Typed
    errors: dict[str, str] = field(default_factory=dict)
    notice: str | None = None
    problem: str = ""
    filled: bool = False
    """Thresholds from the promises stand in the form, unsaved."""
    more: dict[str, Any] = field(default_factory=dict)


async def seen_sites(request: Request, principal: Principal) -> list[Site]:
    async with services_of(request).database.reading() as session:
        return [site for site in (await sites.sites(session)).values() if principal.sees(site.key)]


def chosen(known: list[Site], wanted: str) -> Site:
    """The chosen site, or the first. Raises NotFound."""
    found = next((site for site in known if site.key == wanted), None) if wanted else next(iter(known), None)
    if found is None:
        raise NotFound("There is no such site.")
    return found


async def show(
    request: Request,
    principal: Principal,
    shown: Shown,
    known: list[Site],
    template: str = "policy/policy.html",
    status: int = 200,
) -> Response:
    """The page: the form with its values, and recent changes."""
    services = services_of(request)
    async with services.database.reading() as session:
        changes = await settings_history.changes(session, shown.site)
        names = await moderators.names(session)
    for change in changes:
        change["actor"] = names.get(change["actor"], change["actor"])
        change["differs"] = {name: settings_history.moved(pair) for name, pair in change["differs"].items()}
    long = too_long(shown.site.settings)
    return await page(
        *(request, principal, template, status),
        site=shown.site,
        sites=known,
        typed=typed_of(shown.site.settings) | shown.typed,
        errors=shown.errors,
        problem=shown.problem,
        notice=shown.notice,
        filled=shown.filled,
        groups=[
            (title, [(name, label, hint, kind(name)) for name, label, hint in some if name not in long])
            for title, some in GROUPS
        ],
        long=long,
        fields=",".join(name for name in SETTINGS if name not in long),
        choices=rules.CHOICES,
        skippable=SKIPPABLE,
        shipped=services.scorer.thresholds(),
        reader=services.scorer.reader.notice,
        changes=changes,
        seen=changes[0]["id"] if changes else "",
        may_change=principal.is_administrator,
        **shown.more,
    )


async def promises_of(request: Request, site: Site, filed: float, published: float) -> dict[str, Any]:
    services = services_of(request)
    async with services.database.reading() as session:
        decided = await decided_verdicts.outcomes(session, site.key, services.clock() - LOOK_BACK)
    version, shipped = services.scorer.classifier.version, services.scorer.thresholds()
    return await asyncio.to_thread(error_budget.promised, decided, version, site.settings, shipped, filed, published)


def share_of(asked: str, otherwise: str, name: str, errors: dict[str, str]) -> tuple[float, str]:
    """The share, and its text."""
    asked = asked.strip()
    try:
        return thresholds.parse(f"{asked[:-1]}/100" if asked.endswith("%") else asked), asked
    except ValueError as error:
        errors[name] = str(error)
        return thresholds.parse(otherwise), otherwise


@signed_in
async def get_page(request: Request, principal: Principal) -> Response:
    """A site's policy: thresholds, promises, rules, lists, limits, and what was changed of late."""
    asked = request.query_params
    known = await seen_sites(request, principal)
    site = chosen(known, asked.get("site", ""))
    errors: dict[str, str] = {}
    wishes = {
        "filed": asked.get("filed") or error_budget.FILED,
        "published": asked.get("published") or error_budget.PUBLISHED,
    }
    filed, said_filed = share_of(wishes["filed"], error_budget.FILED, "filed", errors)
    published, said_published = share_of(wishes["published"], error_budget.PUBLISHED, "published", errors)
    told = await promises_of(request, site, filed, published)
    typed: Typed = {}
    if fill := asked.get("fill") == "1":
        if told["filed"]["at"] is not None:
            typed["spam_at"] = spelled(told["filed"]["at"])
        if told["published"]["at"] is not None:
            typed |= dict.fromkeys((f"hold_at.{label}" for label in LABELS), spelled(told["published"]["at"]))
    said = {"saved": "The policy is saved; it holds from the next comment on.",
            "same": "Nothing was different, so nothing has changed.",
            "undone": "The rules are as they were before that change."}  # fmt: skip
    more = {"told": told, "wishes": wishes, "kept": {"filed": said_filed, "published": said_published}}
    notice = said.get(asked.get("done", ""))
    return await show(
        request, principal, Shown(site, typed, errors, notice, filled=fill and bool(typed), more=more), known
    )


def site_asked(typed: Typed, principal: Principal) -> str:
    key = str(typed.get("site", ""))
    if not is_site_key(key) or not principal.sees(key):
        raise NotFound("There is no such site.")
    return key


def said_of(errors: Iterable[FieldError]) -> dict[str, str]:
    return {error.field: error.message for error in errors}


CHANGED = "Somebody else has changed the rules meanwhile (see below). Save again to put yours in place of theirs."


@sent_form
async def post_page(request: Request, principal: Principal, form: Form) -> Response:
    """Save the policy; errors appear at their fields, with the values kept."""
    services = services_of(request)
    given, typed, wrong = given_of(form.pairs)
    key = site_asked(typed, principal)
    check_administrator(principal)
    problem, status, differs, values = "", 422, dict[str, Any](), dict[str, Any]()
    try:
        values = await settings_history.checked(given, services.signer)
    except Invalid as invalid:
        wrong += invalid.errors
    async with services.database.transaction() as tx:
        site = await settings_history.site_of(tx, key)
        newest = await past_settings.latest(tx, key)
        if (newest.id if newest else "") != typed.get("seen", ""):
            problem, status = CHANGED, 409
        elif not wrong:
            differs = await settings_history.apply(tx, key, values, principal.name, services.clock())
    if wrong or problem:
        told = await promises_of(
            request, site, thresholds.parse(error_budget.FILED), thresholds.parse(error_budget.PUBLISHED)
        )
        wishes = {"filed": error_budget.FILED, "published": error_budget.PUBLISHED}
        more = {"told": told, "wishes": wishes, "kept": wishes}
        shown = Shown(site, typed, said_of(wrong), problem=problem, more=more)
        return await show(request, principal, shown, await seen_sites(request, principal), status=status)
    services.directory.forget()
    query = urlencode({"site": key, "done": "saved" if differs else "same"})
    return RedirectResponse(f"/moderate/policy?{query}", 303)


async def errors_in(check: Awaitable[Any]) -> list[FieldError]:
    try:
        await check
    except Invalid as invalid:
        return list(invalid.errors)
    return []


@sent_form
async def post_undo(request: Request, principal: Principal, typed: Form) -> Response:
    """Restore the settings from before a change."""
    services = services_of(request)
    key = site_asked(typed, principal)
    check_administrator(principal)
    async with services.database.transaction() as tx:
        differs = await settings_history.put_back(tx, key, typed.get("version", ""), principal.name, services.clock())
    services.directory.forget()
    query = urlencode({"site": key, "done": "undone" if differs else "same"})
    return RedirectResponse(f"/moderate/policy?{query}", 303)


routes = [
    Route("/moderate/policy", get_page, methods=["GET"]),
    Route("/moderate/policy", post_page, methods=["POST"]),
    Route("/moderate/policy/undo", post_undo, methods=["POST"]),
]
