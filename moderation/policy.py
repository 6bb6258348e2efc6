"""Policy: (what was sent, its scores, the author's record) → Verdict. Pure; the rules are one ordered list.

Every rule is asked, every one that fires is a reason, and the first in the order decides. A rule that cannot run holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from classifier.labels import LABELS, Scores
from moderation import prose
from moderation.site import HouseRules
from moderation.submission import Submission
from moderation.verdict import HOLD, PUBLISH, SPAM, Reason, Verdict


@dataclass(frozen=True, slots=True)
class Case:
    """All that the rules may look at. `form` is `ok`, `missing`, `early`, `old`, or empty where none is asked for."""

    submission: Submission
    rules: HouseRules
    scores: Scores | None
    model: str | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    links: int = 0
    trusted: bool = False
    """Its author proved, by a receipt, an earlier approved comment on this site."""
    form: str = ""
    address: str = ""
    """The address it came from. Looked at, never stored."""


Rule = Callable[[Case], list[Reason]]


def words_in(text: str, listed: tuple[str, ...]) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    """Which listed words stand in the text, as whole words in any case, with their code-point spans."""
    found = []
    for word in listed:
        bounded = r"(?<!\w)" + re.escape(word.strip()) + r"(?!\w)"
        if word.strip():
            spans = tuple(m.span() for m in re.finditer(bounded, text, re.IGNORECASE))
            if not spans:  # nothing as written: look once more at what a reader sees (full-width letters and such)
                seen = unicodedata.normalize("NFKC", text)
                spans = ((0, 0),) if re.search(bounded, seen, re.IGNORECASE) else ()
            if spans:
                found.append((word, tuple(s for s in spans if s[1])))
    return found


def in_text(sent: Submission, listed: tuple[str, ...]) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    """The same for what readers read of a body; the spans are the body's."""
    return [(word, prose.in_body(sent.body, sent.format, spans)) for word, spans in words_in(sent.text, listed)]


def disallowed(case: Case) -> list[Reason]:
    """A disallowed word, address or domain."""
    sent, listed = case.submission, case.rules.disallowed
    found = [Reason("disallowed", note=f"word: {w}", spans=s) for w, s in in_text(sent, listed)]
    found += [Reason("disallowed", note=f"word in name: {w}") for w, _ in words_in(sent.name, listed)]
    hosts = {sent.email_domain.casefold(), (urlsplit(sent.url or "").hostname or "")}
    for entry in listed:
        plain = entry.strip().casefold()
        if any(h == plain or h.endswith("." + plain) for h in hosts if h and "." in plain):
            found.append(Reason("disallowed", note=f"domain: {entry}"))
        if case.address and is_within(case.address, plain):
            found.append(Reason("disallowed", note="address"))
    return found


def is_within(address: str, network: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False  # the entry is a word or a domain


def unscored(case: Case) -> list[Reason]:
    """No model answered."""
    return [Reason("unscored", note="no model answered in time")] if case.scores is None else []


def certain_spam(case: Case) -> list[Reason]:
    """The classifier is all but certain."""
    p = (case.scores or {}).get("spam", 0.0)
    return [Reason("certain-spam", "spam", p)] if p >= case.rules.spam_at else []


def blocked_word(case: Case) -> list[Reason]:
    """A word that this site wants to see first."""
    both = in_text(case.submission, case.rules.blocked)
    found = [Reason("blocked-word", note=f"word: {w}", spans=s) for w, s in both]
    return found + [
        Reason("blocked-word", note=f"word in name: {w}") for w, _ in words_in(case.submission.name, case.rules.blocked)
    ]


def many_links(case: Case) -> list[Reason]:
    """Three links or more, by default."""
    most = case.rules.max_links
    return [Reason("many-links", weight=case.links, note=f"{case.links} links")] if 0 < most <= case.links else []


def form_token(case: Case) -> list[Reason]:
    """Our own form came back without its token, too early for a person, or too old."""
    said = {"missing": "no form token", "early": "sent faster than a person types", "old": "the form was too old"}
    return [Reason("form-token", note=said[case.form])] if case.form in said else []


def label_above(case: Case) -> list[Reason]:
    """A label above its threshold: the site's own, else the one in the model's card (from held-out data)."""
    found = []
    for label in LABELS:
        at = case.rules.hold_at.get(label, case.thresholds.get(label, 0.5))
        p = (case.scores or {}).get(label, 0.0)
        if p >= at:
            found.append(Reason("label", label, p, f"{label} {p:.2f}, held from {at:.2f}"))
    return found


def stranger_with_link(case: Case) -> list[Reason]:
    """An author without proof of an earlier approved comment, with a link in the text."""
    if case.trusted or not case.links:
        return []
    return [Reason("stranger-with-link", note="a link from an author without an approved comment")]


RULES: tuple[tuple[str, Rule, str], ...] = (
    ("disallowed", disallowed, SPAM),
    ("unscored", unscored, HOLD),
    ("certain-spam", certain_spam, SPAM),
    ("blocked-word", blocked_word, HOLD),
    ("many-links", many_links, HOLD),
    ("form-token", form_token, HOLD),
    ("label", label_above, HOLD),
    ("stranger-with-link", stranger_with_link, HOLD),
)
"""Name, question, and what happens where it is the first to fire. Rejecting by itself is not among them: a site's own
decisions have to earn that."""


def judge(case: Case, rules: tuple[tuple[str, Rule, str], ...] = RULES) -> Verdict:
    """Ask every rule; the first in order that fires decides; none: publish."""
    action, reasons = "", list[Reason]()
    for name, rule, leads_to in rules:
        try:
            found = rule(case)
        except Exception as broken:  # a rule that cannot run holds, and says so by its name
            found, leads_to = [Reason(name, note=f"the rule could not run ({type(broken).__name__})")], HOLD
        if found and not action:
            action = leads_to
        reasons += found
    return Verdict(action or PUBLISH, tuple(reasons), case.scores, case.model, facts(case))


def facts(case: Case) -> dict[str, Any]:
    """What the rules used beside the text and the scores; neither email nor address."""
    return {"links": case.links, "trusted": case.trusted, "form": case.form, "spam_at": case.rules.spam_at}
