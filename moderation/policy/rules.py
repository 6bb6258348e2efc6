"""Policy: (what was sent, its scores, the author's record) → Verdict. Pure; the rules are one ordered list.

Every rule is asked, every one that fires is a reason, and the first in the order decides. A rule that cannot run holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from classifier.labels import LABELS, Scores
from moderation.comments.submission import Submission
from moderation.comments.verdict import HOLD, PUBLISH, SPAM, Reason, Verdict
from moderation.sites.model import Mute, SiteSettings
from moderation.text import body as formats
from moderation.text.wordlist import Listed, ascii_domain, is_disposable


@dataclass(frozen=True, slots=True)
class Case:
    """All that the rules may look at. `form` is `ok`, `missing`, `early`, `old`, or empty where none is asked for."""

    submission: Submission
    settings: SiteSettings
    scores: Scores | None
    model: str | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    links: int = 0
    trusted: bool = False
    """Its author proved, by a receipt, an earlier approved comment on this site."""
    form: str = ""
    honeypot: bool = False
    address: str = ""
    """The address it came from. Looked at, never stored."""
    author: str = ""
    """The key that its author is known by."""
    network_key: str = ""
    """The key of that address."""
    muted: Mapping[str, Mute] = field(default_factory=dict)
    wave: str = ""
    """The decision on a wave of spam that it is alike to."""
    new_article: bool = False
    """It opens an article where comments have opened too many within the hour."""


Rule = Callable[[Case], list[Reason]]


def disallowed(case: Case) -> list[Reason]:
    """A disallowed word, address, domain or person."""
    return listed("disallowed", case.settings.disallows, case)


def listed(rule: str, named: Listed, case: Case) -> list[Reason]:
    """What of a list stands in the text, the name or the author's link, or is where the comment comes from."""
    if not named:
        return []
    sent = case.submission
    found = []
    for entry in named.in_text(sent.text):
        spans = formats.in_body(sent.body, sent.format, named.spans(entry, sent.text))
        found.append(Reason(rule, note=f"word: {entry}", spans=spans))
    found += [Reason(rule, note=f"word in name: {entry}") for entry in named.in_text(sent.name)]
    if sent.url:
        found += [Reason(rule, note=f"word in link: {entry}") for entry in named.in_text(sent.url)]
    for host in {ascii_domain(sent.email_domain), urlsplit(sent.url or "").hostname or ""}:
        if domain := named.domain(host):
            found.append(Reason(rule, note=f"domain: {domain}"))
    if named.author(case.author):
        found.append(Reason(rule, note="author"))
    if named.address(case.address) or named.network(case.network_key):
        found.append(Reason(rule, note="address"))
    return found


def wave(case: Case) -> list[Reason]:
    """Nearly the same as what a moderator has just decided to be spam."""
    return [Reason("wave", note=f"alike to a wave filed by decision {case.wave}")] if case.wave else []


def unscored(case: Case) -> list[Reason]:
    """No model answered."""
    return [Reason("unscored", note="no model answered in time")] if case.scores is None else []


def certain_spam(case: Case) -> list[Reason]:
    """The classifier is all but certain."""
    p = (case.scores or {}).get("spam", 0.0)
    return [Reason("certain-spam", "spam", p)] if p >= case.settings.spam_at else []


def honeypot(case: Case) -> list[Reason]:
    """The field of our own form that nobody can see came back filled."""
    return [Reason("honeypot", note="a field that only programs see was filled")] if case.honeypot else []


def disposable(case: Case) -> list[Reason]:
    """An address that its author will not have tomorrow."""
    if case.settings.disposable == "off" or not is_disposable(case.submission.email_domain):
        return []
    return [Reason("disposable", note="a disposable email address")]


def blocked_word(case: Case) -> list[Reason]:
    """A word, address, domain or person that this site wants to see first."""
    return listed("blocked-word", case.settings.blocks, case)


def many_links(case: Case) -> list[Reason]:
    """Three links or more, by default."""
    most = case.settings.max_links
    return [Reason("many-links", weight=case.links, note=f"{case.links} links")] if 0 < most <= case.links else []


def form_token(case: Case) -> list[Reason]:
    """Our own form came back without its token, too early for a person, or too old."""
    said = {"missing": "no form token", "early": "sent faster than a person types", "old": "the form was too old"}
    return [Reason("form-token", note=said[case.form])] if case.form in said else []


def new_article(case: Case) -> list[Reason]:
    """The first comment on a key that nobody has registered, while such keys come in a flood."""
    return [Reason("new-article", note="one of very many new articles in an hour")] if case.new_article else []


def label_above(case: Case) -> list[Reason]:
    """A label above its threshold: the site's own, else the one in the model's card (from held-out data)."""
    found = []
    for label in LABELS:
        at = case.settings.hold_at.get(label, case.thresholds.get(label, 0.5))
        p = (case.scores or {}).get(label, 0.0)
        if p >= at:
            found.append(Reason("label", label, p, f"{label} {p:.2f}, held from {at:.2f}"))
    return found


def first_time(case: Case) -> list[Reason]:
    """An author without proof of an earlier approved comment, where a site wants to see those first."""
    return [Reason("first-time", note="no proof of an earlier approved comment")] if case.settings.hold_first else []


def stranger_with_link(case: Case) -> list[Reason]:
    """A link in the text. Whoever proves an earlier approved comment is not asked."""
    if not case.links:
        return []
    return [Reason("stranger-with-link", note="a link from an author without an approved comment")]


RULES: tuple[tuple[str, Rule, str], ...] = (
    ("disallowed", disallowed, SPAM),
    ("wave", wave, SPAM),
    ("unscored", unscored, HOLD),
    ("certain-spam", certain_spam, SPAM),
    ("honeypot", honeypot, HOLD),
    ("disposable", disposable, HOLD),
    ("blocked-word", blocked_word, HOLD),
    ("many-links", many_links, HOLD),
    ("form-token", form_token, HOLD),
    ("new-article", new_article, HOLD),
    ("label", label_above, HOLD),
    ("first-time", first_time, HOLD),
    ("stranger-with-link", stranger_with_link, HOLD),
)
"""Name, question, and what happens where it is the first to fire. Rejecting by itself is not among them: a site's own
decisions have to earn that."""


def judge(case: Case, rules: tuple[tuple[str, Rule, str], ...] = RULES) -> Verdict:
    """Ask every rule; the first in order that fires decides; none: publish.

    One that is muted holds at most, and leaves it to those after it to say more.
    """
    action, muted, reasons = "", False, list[Reason]()
    skipped = case.settings.trust_skips if case.trusted else ()
    for name, rule, leads_to in rules:
        if name in skipped:
            continue
        if name in ("honeypot", "disposable"):
            leads_to = getattr(case.settings, name)
        try:
            found = rule(case) if leads_to != "off" else []
        except Exception as broken:  # a rule that cannot run holds, and says so by its name
            found, leads_to = [Reason(name, note=f"the rule could not run ({type(broken).__name__})")], HOLD
        if not found:
            continue
        if case.muted:
            found = [with_remark(reason, case.muted, leads_to) for reason in found]
        if leads_to == SPAM and name in case.muted:
            muted = True
        elif not action:
            action = leads_to
        reasons += found
    return Verdict(action or (HOLD if muted else PUBLISH), tuple(reasons), case.scores, case.model, facts(case))


AT_ONCE = 10_000
"""Characters that lists may look at on the event loop: some two milliseconds."""


def is_quick(case: Case) -> bool:
    """`judge` takes no longer than anything else that is done at once. Only the lists read, and only where there are any."""
    sent, rules = case.submission, case.settings
    if not rules.are_compiled:
        return False
    work = rules.reading(len(sent.body) + len(sent.name) + len(sent.url or ""))
    return work == 0 or (work <= AT_ONCE and formats.is_light(sent.body, sent.format))


def counted_as(reason: Reason) -> str:
    """The name that a reason is counted under: of the labels' rule each label by itself."""
    return f"label:{reason.label}" if reason.rule == "label" else reason.rule


REMARKS = {"overturned": "moderators mostly overturn it", "sudden": "it suddenly catches nearly everything"}


def with_remark(reason: Reason, muted: Mapping[str, Mute], leads_to: str) -> Reason:
    """What is muted says so wherever its reason is shown."""
    mute = muted.get(counted_as(reason))
    if mute is None:
        return reason
    remark = REMARKS.get(mute.why, mute.why)
    if leads_to == SPAM:
        remark = f"muted, so it only holds: {remark}"
    return replace(reason, note=f"{reason.note}; {remark}" if reason.note else remark)


def facts(case: Case) -> dict[str, Any]:
    """What the rules used beside the text and the scores; neither email nor address."""
    told: dict[str, Any] = {
        "links": case.links,
        "trusted": case.trusted,
        "form": case.form,
        "spam_at": case.settings.spam_at,
    }
    if case.honeypot:
        told["honeypot"] = True
    if case.wave:
        told["wave"] = case.wave
    if case.new_article:
        told["new_article"] = True
    if case.muted:
        told["muted"] = sorted(case.muted)
    return told
