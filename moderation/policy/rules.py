"""The policy: (submission, scores, author's record) → Verdict. Pure; the rules are one ordered list.

Every rule is applied, every rule that fires is a reason, and the first in the order decides. A rule that fails holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any
from urllib.parse import urlsplit

from classifier.labels import LABELS, Scores
from classifier.values import value
from moderation.comments.submission import Submission
from moderation.comments.verdict import HOLD, PUBLISH, SPAM, Reason, Verdict
from moderation.sites.model import Mute
from moderation.sites.site_settings import SiteSettings
from moderation.text import body as formats
from moderation.text.wordlist import Listed, ascii_domain, is_disposable


@value(frozen=True, slots=True, kw_only=True)
class Case:
    """The inputs of the rules. `form`, the state of the form token, is `ok`, `missing`, `early`, `old`, or empty if not
    required."""

    submission: Submission
    settings: SiteSettings
    scores: Scores | None
    model: str | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    """Label → `name` or `url`, where the score is that field's and not the text's; `known`, where the text is known spam."""
    links: int = 0
    strange_links: int = 0
    """Those of `links` that lead to hosts which no person has approved often enough (`known_hosts`)."""
    strange_website: bool = False
    """There is a website, and its host is none that is known."""
    trusted: bool = False
    """The author has proved, by a receipt, an earlier comment on this site that a person approved under the same name."""
    form: str = ""
    honeypot: bool = False
    address: str = ""
    """The network address. It is used here and never stored."""
    author: str = ""
    """The author's key."""
    network_key: str = ""
    """The network address's key."""
    muted: Mapping[str, Mute] = field(default_factory=dict)
    wave: str = ""
    """The decision on a similar wave of spam."""
    new_article: bool = False
    """The comment opens an article after comments have opened too many within the hour."""
    unread: bool = False
    """The model's second reader has not read it yet, and without it nothing is published."""


Rule = Callable[[Case], list[Reason]]


def disallowed(case: Case) -> list[Reason]:
    """A disallowed word, address, domain or author."""
    return listed("disallowed", case.settings.disallows, case)


def listed(rule: str, named: Listed, case: Case) -> list[Reason]:
    """The entries of a list that match the text, the name, the author's link, the author or the network."""
    if not named:
        return []
    sent = case.submission
    found = []
    for entry in named.in_text(sent.text):
        spans = formats.in_body(sent.body, sent.format, named.spans(entry, sent.text))
        found.append(Reason(rule=rule, note=f"word: {entry}", spans=spans))
    found += [Reason(rule=rule, note=f"word in name: {entry}") for entry in named.in_text(sent.name)]
    if sent.url:
        found += [Reason(rule=rule, note=f"word in link: {entry}") for entry in named.in_text(sent.url)]
    for host in {ascii_domain(sent.email_domain), urlsplit(sent.url or "").hostname or "", *sent.link_hosts}:
        if domain := named.domain(host):
            found.append(Reason(rule=rule, note=f"domain: {domain}"))
    if case.submission.email_domain and named.author(case.author):
        found.append(Reason(rule=rule, note="author"))
    if named.address(case.address) or named.network(case.network_key):
        found.append(Reason(rule=rule, note="address"))
    return found


def wave(case: Case) -> list[Reason]:
    """Similar to a wave that a moderator has just filed as spam."""
    return [Reason(rule="wave", note=f"alike to a wave filed by decision {case.wave}")] if case.wave else []


def unscored(case: Case) -> list[Reason]:
    """No model answered."""
    return [Reason(rule="unscored", note="no model answered in time")] if case.scores is None else []


def certain_spam(case: Case) -> list[Reason]:
    """A spam score of at least the site's `spam_at`."""
    p = (case.scores or {}).get("spam", 0.0)
    return (
        [Reason(rule="certain-spam", label="spam", weight=p, note=by_field(case, "spam"))]
        if p >= case.settings.spam_at
        else []
    )


FIELDS = {"name": "by the name alone", "url": "by the website alone", "known": "nearly as known spam"}


def by_field(case: Case, label: str) -> str:
    """What a label's score is of beside the words of the text, in words; "" for these."""
    return FIELDS.get(case.fields.get(label, ""), "")


def honeypot(case: Case) -> list[Reason]:
    """A value in the form's hidden field."""
    return [Reason(rule="honeypot", note="a field that only programs see was filled")] if case.honeypot else []


def disposable(case: Case) -> list[Reason]:
    """An address of a disposable mail service."""
    if case.settings.disposable == "off" or not is_disposable(case.submission.email_domain):
        return []
    return [Reason(rule="disposable", note="a disposable email address")]


def blocked_word(case: Case) -> list[Reason]:
    """A word, address, domain or author that the site reviews first."""
    return listed("blocked-word", case.settings.blocks, case)


def too_long(case: Case) -> list[Reason]:
    """A text whose end could not be kept."""
    return [Reason(rule="too-long", note="longer than can be kept: its end is cut")] if case.submission.is_cut else []


def many_links(case: Case) -> list[Reason]:
    """As many links as the site's `max_links`, or more."""
    most = case.settings.max_links
    return [Reason(rule="many-links", weight=case.links, note=f"{case.links} links")] if 0 < most <= case.links else []


def form_token(case: Case) -> list[Reason]:
    """A form without its token, or with one that is too young for a person or too old."""
    said = {"missing": "no form token", "early": "sent faster than a person types", "old": "the form was too old"}
    return [Reason(rule="form-token", note=said[case.form])] if case.form in said else []


def new_article(case: Case) -> list[Reason]:
    """The first comment on an unregistered article, during a flood of new articles."""
    return [Reason(rule="new-article", note="one of very many new articles in an hour")] if case.new_article else []


AT_HALF = dict.fromkeys(LABELS, 0.5)


def label_above(case: Case) -> list[Reason]:
    """A label above its threshold: the site's, else the model card's (from held-out data)."""
    if case.scores is None:
        return []
    hold_from = {**AT_HALF, **case.thresholds, **case.settings.hold_at}
    found = []
    for label, p in case.scores.items():
        if p >= (at := hold_from.get(label, 0.5)):
            of = f" {field_name}" if (field_name := by_field(case, label)) else ""
            found.append(Reason(rule="label", label=label, weight=p, note=f"{label} {p:.2f}{of}, held from {at:.2f}"))
    return found


def first_time(case: Case) -> list[Reason]:
    """An author without proof of an approved comment, if the site holds newcomers."""
    is_held = case.settings.hold == "newcomers"
    return [Reason(rule="first-time", note="no proof of an earlier approved comment")] if is_held else []


def review_all(case: Case) -> list[Reason]:
    """Every comment, if the site holds all."""
    return [Reason(rule="review-all", note="every comment waits here")] if case.settings.hold == "all" else []


def stranger_with_link(case: Case) -> list[Reason]:
    """A link by an author without proof of an approved comment, to a host that is not known here; the website counts where it
    is a link at once."""
    if case.strange_links:
        note = "a link from an author without an approved comment"
    elif case.strange_website and case.settings.author_links == "always":
        note = "a website of an author without an approved comment"
    else:
        return []
    return [Reason(rule="stranger-with-link", note=note)]


UNREAD = Reason(rule="unread", note="the second reader has not read it yet")


def unread(case: Case) -> list[Reason]:
    """The second reader has not read it yet. Read, it is judged again."""
    return [UNREAD] if case.unread else []


RULES: tuple[tuple[str, Rule, str], ...] = (
    ("disallowed", disallowed, SPAM),
    ("wave", wave, SPAM),
    ("unscored", unscored, HOLD),
    ("certain-spam", certain_spam, SPAM),
    ("honeypot", honeypot, HOLD),
    ("disposable", disposable, HOLD),
    ("blocked-word", blocked_word, HOLD),
    ("too-long", too_long, HOLD),
    ("many-links", many_links, HOLD),
    ("form-token", form_token, HOLD),
    ("new-article", new_article, HOLD),
    ("label", label_above, HOLD),
    ("first-time", first_time, HOLD),
    ("review-all", review_all, HOLD),
    ("stranger-with-link", stranger_with_link, HOLD),
    ("unread", unread, HOLD),
)
"""Name, rule, and the action if it is the first to fire. No rule rejects: a site's own decisions must justify that
first."""


def judge(case: Case, rules: tuple[tuple[str, Rule, str], ...] = RULES) -> Verdict:
    """Applies every rule; the first in order that fires decides; without any: publish.

    A muted rule only holds, and a later rule can still file the comment.
    """
    action, muted, reasons = "", False, list[Reason]()
    skipped = case.settings.trust_skips if case.trusted else ()
    for name, rule, leads_to in rules:
        try:
            found = rule(case)
        except Exception as broken:  # a rule that cannot run holds, and says so by its name
            found, leads_to = [Reason(rule=name, note=f"the rule could not run ({type(broken).__name__})")], HOLD
            if name in skipped or is_off(name, case.settings):
                continue
        else:
            if not found or name in skipped:
                continue
            if name in CHOSEN:
                leads_to = getattr(case.settings, name)
                if leads_to == "off":
                    continue
        if case.muted:
            found = [with_remark(reason, case.muted, leads_to) for reason in found]
        if leads_to == SPAM and name in case.muted:
            muted = True
        elif not action:
            action = leads_to
        reasons += found
    return Verdict(
        action=action or (HOLD if muted else PUBLISH),
        reasons=tuple(reasons),
        scores=case.scores,
        model=case.model,
        facts=facts(case),
    )


CHOSEN = ("honeypot", "disposable")
"""Rules whose action is a site setting of the same name."""


def is_off(name: str, settings: SiteSettings) -> bool:
    return name in CHOSEN and getattr(settings, name) == "off"


AT_ONCE = 10_000
"""Characters that lists may read on the event loop: about two milliseconds."""


def is_quick(case: Case) -> bool:
    """Whether `judge` is fast enough for the event loop. Only lists read the text, so only their lengths count."""
    sent, rules = case.submission, case.settings
    if not rules.are_compiled:
        return False
    work = rules.reading(len(sent.body) + len(sent.name) + len(sent.url or ""))
    return work == 0 or (work <= AT_ONCE and formats.is_light(sent.body, sent.format))


def counted_as(reason: Reason) -> str:
    """The name that a reason is counted under; the rule `label` counts each label separately."""
    return f"label:{reason.label}" if reason.rule == "label" else reason.rule


REMARKS = {"overturned": "moderators mostly overturn it", "sudden": "it suddenly catches nearly everything"}


def with_remark(reason: Reason, muted: Mapping[str, Mute], leads_to: str) -> Reason:
    """The reasons, with a remark on those of muted rules."""
    mute = muted.get(counted_as(reason))
    if mute is None:
        return reason
    remark = REMARKS.get(mute.why, mute.why)
    if leads_to == SPAM:
        remark = f"muted, so it only holds: {remark}"
    return replace(reason, note=f"{reason.note}; {remark}" if reason.note else remark)


def facts(case: Case) -> dict[str, Any]:
    """The rules' inputs besides text and scores; neither email nor network address."""
    told: dict[str, Any] = {
        "links": case.links,
        "strange_links": case.strange_links,
        "trusted": case.trusted,
        "form": case.form,
        "spam_at": case.settings.spam_at,
    }
    if case.strange_website:
        told["strange_website"] = True
    if case.fields:
        told["fields"] = dict(case.fields)
    if case.honeypot:
        told["honeypot"] = True
    if case.wave:
        told["wave"] = case.wave
    if case.new_article:
        told["new_article"] = True
    if case.unread:
        told["unread"] = True
    if case.muted:
        told["muted"] = sorted(case.muted)
    return told
