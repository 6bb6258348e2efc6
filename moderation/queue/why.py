"""Why a comment waits, in one sentence: from the document that moderators see to the words of its reasons. Pure.

The first sentence is the one for the card: an appeal, then a label that decided, then the rules in their order. The words in
`quote` are the author's own, so a page shows them as quoted text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from moderation.policy.rules import FIELDS, REMARKS, RULES
from moderation.text import disguised

QUOTE = 60
"""Characters of the author's text in a sentence."""
HOSTS = 3
CERTAIN = 0.5
"""The part of the way from its threshold to 1 from which a held label is shown as certain."""
DEFAULT = 0.5
"""The threshold of a label that neither the site nor the model card names, as in `policy/rules.py`."""

LABELS = {
    "spam": "Looks like spam",
    "toxicity": "Reads as hostile",
    "severe_toxicity": "Reads as very hostile",
    "obscene": "Looks obscene",
    "threat": "Reads like a threat",
    "insult": "Looks like an insult",
    "identity_attack": "Looks like an attack on a group of people",
}
GRAVE = ("threat", "identity_attack")
"""Labels that are named before all others that were held."""
GENERAL = ("toxicity", "severe_toxicity")
"""Labels that are named only where no more exact one was held."""
LOOKS = {
    "link": "has a link", "links": "number of links", "link share": "much of the text is links", "link hosts": "links to several hosts",
    "known spam": "nearly known spam", "shortener": "a link shortener", "bare domain": "a bare domain", "phone": "a telephone number",
    "messenger": "a messenger's contact", "capitals": "capital letters", "shouting words": "words in capitals", "digits": "digits",
    "exclamation": "exclamation marks", "money": "sums of money", "not ascii": "letters beyond ASCII", "styled letters": "styled letters",
    "length": "length of the text", "short": "a short text", "repetition": "repeated words", "lines": "number of lines",
    "author url": "the author's website", "author name long": "a long name", "author name digits": "digits in the name",
    "author mail disposable": "a disposable address",
}  # fmt: skip
"""The look of a text (`classifier/structure.py`), in words: these are no words of the author's."""

_HELD_FROM = re.compile(r"held from (\d\.\d+)")
_BROKEN = re.compile(r"the rule could not run")
_REMARK = re.compile("; (?:muted, so it only holds: .*|" + "|".join(map(re.escape, REMARKS.values())) + ")$")
_HREF = re.compile(r'href="(https?://[^"]+)"', re.I)
_ORDER = {name: at for at, (name, _, _) in enumerate(RULES)}
_LAST = ("review-all", "first-time")
"""Rules that say nothing about the comment: every other reason says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """One reason as a sentence. `quote` holds words of the author, or hosts; `label` the label that it is about."""

    text: str
    quote: str = ""
    label: str = ""
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.quote}" if self.quote else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A label's probability beside the threshold that decides. `state`: `calm`, `held`, or `certain`."""

    label: str
    p: float
    held_from: float
    state: str

    @property
    def percent(self) -> str:
        return percent(self.p)

    @property
    def from_percent(self) -> str:
        return percent(self.held_from)


def percent(p: float) -> str:
    if p >= 0.995:
        return ">\xa099\xa0%"
    return "<\xa01\xa0%" if p < 0.005 else f"{round(p * 100)}\xa0%"


def sentences(shown: Mapping[str, Any]) -> list[Because]:
    """All reasons of a comment's document; the first one is for the card. Never empty."""
    verdict = shown["verdict"]
    rules = [reason for reason in verdict["reasons"] if "rule" in reason]
    kept = next((reason for reason in rules if reason["rule"] == "imported"), None)
    if shown["author"].get("staff"):
        return [Because(text="Written by a moderator")]
    found = [because for reason in rules if (because := _of_rule(reason, shown))]
    held = held_first(shown)
    found.sort(key=lambda because: _place(because, held))
    if told := shown.get("reports"):
        found[:0] = _reported(told)
    if appeal := shown.get("appeal"):
        against = appeal.get("against") or {}
        what = "filing it as spam" if against.get("action") == "spam" else "its rejection"
        found.insert(0, Because(text=f"Its author appeals against {what}", rule="appeal"))
    if found:
        return found
    if kept is not None:
        return [Because(text=f"Imported from {kept.get('note') or 'elsewhere'}, and judged there")]
    if not verdict["scores"]:
        return [Because(text="No model has judged it")]
    return [Because(text="Nothing spoke against it")]


REPORTED = {"spam": "as spam", "insult": "as an insult", "hate": "as hateful", "threat": "as a threat",
            "personal-data": "for personal data"}  # fmt: skip


def _reported(told: list[Mapping[str, Any]]) -> list[Because]:
    """Readers' reports: first what most of them say, weighed by how often each was right, with the words of one; then the words of
    the others."""
    weights: dict[str, float] = {}
    for one in told:
        weights[one["reason"]] = weights.get(one["reason"], 0.0) + one["weight"]
    reason = max(weights, key=lambda name: weights[name])
    many = "a reader" if len(told) == 1 else f"{len(told)} readers"
    notes = [cut(" ".join(one["note"].split())) for one in sorted(told, key=lambda one: one["reason"] != reason)]
    notes = list(dict.fromkeys(note for note in notes if note)) or [""]
    what = f" {REPORTED[reason]}" if reason in REPORTED else ""
    first = Because(text=f"Reported by {many}{what}", quote=notes[0], rule="report")
    return [first, *(Because(text="Reported", quote=note, rule="report") for note in notes[1:])]


def _place(because: Because, held: list[str]) -> tuple[int, int]:
    if because.rule in ("disallowed", "wave"):
        return 0, _ORDER[because.rule]
    if because.label:
        return 1, held.index(because.label) if because.label in held else len(held)
    return 3 if because.rule in _LAST else 2, _ORDER.get(because.rule, len(_ORDER))


def thresholds(shown: Mapping[str, Any], others: Mapping[str, float] = {}) -> dict[str, float]:
    """Label → the score from which it was held: as the verdict says, else as in `others`, today's."""
    found = dict(others)
    for reason in shown["verdict"]["reasons"]:
        if reason.get("rule") == "label" and (said := _HELD_FROM.search(reason.get("note", ""))):
            found[reason["label"]] = float(said[1])
    return found


def held_first(shown: Mapping[str, Any]) -> list[str]:
    """The labels that held or filed a comment, the one that tells most first: certain spam, what is grave, and then by the
    part of the way from the threshold to 1; what is general comes last."""
    scores, from_ = shown["verdict"]["scores"] or {}, thresholds(shown)
    rules = [reason for reason in shown["verdict"]["reasons"] if reason.get("rule") in ("label", "certain-spam")]
    certain = any(reason["rule"] == "certain-spam" for reason in rules)

    def place(label: str) -> tuple[bool, bool, bool, float]:
        return (
            not (certain and label == "spam"),
            label not in GRAVE,
            label in GENERAL,
            -excess(scores.get(label, 0.0), from_.get(label, DEFAULT)),
        )

    return sorted({str(reason["label"]) for reason in rules if reason.get("label")}, key=place)


def excess(p: float, held_from: float) -> float:
    """The part of the way from a threshold to 1; negative below it."""
    return (p - held_from) / max(1 - held_from, 0.01)


def levels(shown: Mapping[str, Any], others: Mapping[str, float] = {}) -> list[Level]:
    """Every label: those that decided first, then by their distance from the threshold."""
    scores: Mapping[str, float] = shown["verdict"]["scores"] or {}
    from_, held = thresholds(shown, others), held_first(shown)
    found = []
    for label, p in scores.items():
        at = from_.get(label, DEFAULT)
        over = excess(p, at)
        state = "calm" if over < 0 and label not in held else "certain" if over >= CERTAIN else "held"
        found.append(Level(label=label, p=p, held_from=at, state=state))
    found.sort(
        key=lambda one: (held.index(one.label) if one.label in held else len(held), -excess(one.p, one.held_from))
    )
    return found


def expected(shown: Mapping[str, Any]) -> str:
    """The decision that the queue expects, for the main button: `spam` where the model or a rule says so, `approve` where no
    label was held. Empty for a held text, since a person alone says whether it is hostile, and for a comment that does not wait."""
    if shown["status"] != "pending":
        return ""
    rules = {reason["rule"] for reason in shown["verdict"]["reasons"] if "rule" in reason}
    held = held_first(shown)
    if rules & {"certain-spam", "wave", "disallowed"} or held[:1] == ["spam"]:
        return "spam"
    if held or shown.get("appeal") or not shown["verdict"]["scores"]:
        return ""
    return "approve"


def _of_rule(reason: Mapping[str, Any], shown: Mapping[str, Any]) -> Because | None:
    rule, note = str(reason["rule"]), _REMARK.sub("", reason.get("note", ""))
    if rule == "imported":
        return None
    if _BROKEN.search(note):
        return Because(text=f"The rule “{rule.replace('-', ' ')}” could not run", rule=rule)
    if rule in ("label", "certain-spam"):
        return _of_label(rule, str(reason.get("label", "")), note, shown)
    if rule in ("disallowed", "blocked-word"):
        return _of_list(rule, note)
    text, quote = _SAID.get(rule, _unnamed)(rule, note, shown)
    return Because(text=text, quote=quote, rule=rule)


def _of_label(rule: str, label: str, note: str, shown: Mapping[str, Any]) -> Because:
    said = f"{LABELS.get(label, label.replace('_', ' ').capitalize())} ({percent((shown['verdict']['scores'] or {}).get(label, 0.0))})"
    lower = said[0].lower() + said[1:]
    if FIELDS["name"] in note:
        return Because(text=f"The author’s name {lower}", quote=cut(shown["author"]["name"]), label=label, rule=rule)
    if FIELDS["known"] in note:
        return Because(text="Nearly the same as known spam", label=label, rule=rule)
    if FIELDS["url"] in note:
        return Because(
            text=f"The author’s website {lower}", quote=host(shown["author"]["url"] or ""), label=label, rule=rule
        )
    return Because(text=said, quote=quoted(shown, label), label=label, rule=rule)


LISTED = {"word": "A word of your list", "word in name": "A word of your list in the name", "word in link": "A word of your list in the website",
          "domain": "A domain of your list", "author": "By a blocked author", "address": "From a blocked network"}  # fmt: skip


def _of_list(rule: str, note: str) -> Because:
    kind, _, entry = note.partition(": ")
    return Because(text=LISTED.get(kind, "An entry of your list"), quote=cut(entry), rule=rule)


def _link(rule: str, note: str, shown: Mapping[str, Any]) -> tuple[str, str]:
    what = "A website" if note.startswith("a website") else "A link"
    hosts = [host(shown["author"]["url"] or "")] if what == "A website" else hosts_of(shown)
    approved = (shown["author"].get("record") or {}).get("approved", 0)
    by = "without proof that it is the known author" if approved else "from somebody new"
    return f"{what} {by}", listed(hosts)


def _fixed(text: str) -> Any:
    return lambda rule, note, shown: (text, "")


def _unnamed(rule: str, note: str, shown: Mapping[str, Any]) -> tuple[str, str]:
    said = rule.replace("-", " ")
    return (f"{said}: {note}" if note else said).capitalize(), ""


def _form(rule: str, note: str, shown: Mapping[str, Any]) -> tuple[str, str]:
    return {
        "no form token": "Sent without the form’s token",
        "the form was too old": "Sent from a form that was too old",
    }.get(note, "Sent faster than a person types"), ""


def _many(rule: str, note: str, shown: Mapping[str, Any]) -> tuple[str, str]:
    return note.capitalize(), listed(hosts_of(shown))


def _disposable(rule: str, note: str, shown: Mapping[str, Any]) -> tuple[str, str]:
    return "A disposable email address", shown["author"]["email"].rpartition("@")[2]


_SAID: Mapping[str, Any] = {
    "wave": _fixed("Like a wave that a moderator filed as spam"),
    "unscored": _fixed("No model answered in time"),
    "honeypot": _fixed("Filled in a field that only programs see"),
    "disposable": _disposable,
    "too-long": _fixed("Longer than can be kept: its end is cut"),
    "many-links": _many,
    "form-token": _form,
    "new-article": _fixed("Opens a page, one of very many in an hour"),
    "first-time": _fixed("By somebody new here"),
    "review-all": _fixed("Every comment waits here"),
    "stranger-with-link": _link,
    "unread": _fixed("The second reader has not read it yet"),
}


def quoted(shown: Mapping[str, Any], label: str) -> str:
    """The piece of the body that raised a label most; for a label without words of its own, that of any other held label."""
    attributions = [reason for reason in shown["verdict"]["reasons"] if "rule" not in reason]
    for name in dict.fromkeys([label, *held_first(shown)]):
        if name != label and "spam" in (name, label):
            continue
        pieces = [
            (start, end, reason["weight"] / len(reason["spans"]))
            for reason in attributions
            if reason["label"] == name and reason["weight"] > 0
            for start, end in reason["spans"]
        ]
        if pieces:
            return strongest(shown["body"], pieces, REACH.get(label, 1))
    return ""


REACH = {"threat": 3}
"""Words between two pieces that still read as one, where not 1: a threat is a sentence, an insult a word."""


def strongest(body: str, pieces: Iterable[tuple[int, int, float]], reach: int = 1) -> str:
    """The run of neighbouring pieces (start, end, weight) around the heaviest one, as one line."""
    pieces = list(pieces)
    most = max(weight for _, _, weight in pieces)
    runs: list[tuple[int, int, float, float]] = []  # start, end, the heaviest of its pieces, their sum
    for start, end, weight in sorted(piece for piece in pieces if piece[2] >= most / 4):
        low, high, heaviest, total = runs[-1] if runs else (0, 0, 0.0, 0.0)
        if runs and are_neighbours(body[high:start], reach) and end - low <= QUOTE:
            runs[-1] = low, max(end, high), max(heaviest, weight), total + weight
        else:
            runs.append((start, end, weight, weight))
    start, end, _, _ = max(runs, key=lambda run: run[2:])
    return cut(body[start:end])


def are_neighbours(between: str, reach: int) -> bool:
    """Whether two pieces read as one: nothing but a space, a sign or so many short words lie between them."""
    few = len(between) <= 5 * reach + 1 and len(between.split()) <= reach
    return few and "\n" not in between and not re.search(r"[.!?]\s", between)


def cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= QUOTE else text[: QUOTE - 1].rstrip() + "…"


def host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def hosts_of(shown: Mapping[str, Any]) -> list[str]:
    """The hosts of a comment's links, also of addresses that no page links."""
    found = [host(url) for url in _HREF.findall(shown["html"])]
    found += [one.removeprefix("www.") for one in disguised.hosts(shown["body"])]
    return list(dict.fromkeys(filter(None, found)))


def listed(hosts: list[str]) -> str:
    more = f" and {len(hosts) - HOSTS} elsewhere" if len(hosts) > HOSTS else ""
    return ", ".join(cut(one) for one in hosts[:HOSTS]) + more
