"""A comment as a card of the queue: its document with sentences, marks and the words of its buttons. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from moderation.duplicates.pages import packed
from moderation.queue import why
from moderation.queue.block import Offer
from moderation.sites.model import CHECKS
from moderation.text import body as formats

SPEAKS = 0.1
"""The probability below which a label's words are not shown: they would only distract."""
LONG, LINES = 900, 9
"""Characters and lines from which a text scrolls within its card."""


class Called(NamedTuple):
    """An article's title and address; or a comment's proposal of them, until a moderator's approval makes it public."""

    title: str = ""
    url: str | None = None
    proposed: str = ""


Piece = tuple[int, int, str]
"""Start, end, and the words that its mark says."""


def marked(text: str, pieces: Iterable[Piece], format: str = formats.MARKDOWN) -> Markup:
    """The text as HTML with these pieces marked. Spans are code points; overlapping ones are joined. A mark can be focused, and
    says its words."""
    # HTML without a `<` is a plain text of a check, stored escaped: shown as it was written. Nothing in it can become an element.
    shown = Markup if format == formats.HTML and "<" not in text else escape
    said: dict[tuple[int, int], list[str]] = {}
    for start, end, words in pieces:
        said.setdefault((start, end), []).append(words)
    out, at = [], 0
    for (start, end), each in sorted(said.items()):
        start, end = max(start, at), min(end, len(text))
        if start < end:
            told = " · ".join(dict.fromkeys(filter(None, each)))
            mark = Markup('<mark tabindex="0" data-weight="{}">{}</mark>') if told else Markup("<ins>{1}</ins>")
            out += [shown(text[at:start]), mark.format(told, shown(text[start:end]))]
            at = end
    out.append(shown(text[at:]))
    return Markup("").join(out)


def weighed(reasons: Iterable[Mapping[str, Any]]) -> list[Piece]:
    """The pieces that raised a score, each with its weight; the entries of lists."""
    found = []
    for reason in sorted(reasons, key=lambda reason: -float(reason.get("weight", 0))):
        if reason.get("weight", 0) <= 0:
            continue
        words = (
            "on your list" if "rule" in reason else f"{reason['label'].replace('_', ' ')} {signed(reason['weight'])}"
        )
        found += [(start, end, words) for start, end in reason.get("spans", []) if start < end]
    return found


def signed(weight: float) -> str:
    return f"{weight:+.1f}".replace("-", "−")


def that_matter(shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All rules, and the words of labels with a probability of at least SPEAKS."""
    scores = shown["verdict"]["scores"] or {}
    return [r for r in shown["verdict"]["reasons"] if "rule" in r or scores.get(r["label"], 0) >= SPEAKS]


def words_of(shown: Mapping[str, Any], matter: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What raised or lowered a score: words of the text, or its look."""
    found = []
    for reason in matter:
        if "rule" in reason:
            continue
        look = why.LOOKS.get(reason["feature"].strip("()")) if not reason["spans"] else None
        words = (
            look or " … ".join(dict.fromkeys(shown["body"][a:b] for a, b in reason["spans"]))[:80] or reason["feature"]
        )
        label = reason["label"].replace("_", " ")
        found.append({"kind": "look" if look else "word", "label": label, "text": words, "weight": reason["weight"]})
    return found


def kept_elsewhere(shown: Mapping[str, Any], called: Called) -> str:
    """The page of a comment that another system keeps; empty for one of ours."""
    if not shown["article"].startswith(CHECKS):
        return ""
    return called.title or called.proposed or shown["article"].removeprefix(CHECKS) or "no page named"


def card(shown: dict[str, Any], called: Called, thresholds: Mapping[str, float], site_name: str = "") -> dict[str, Any]:
    """The document of one comment, ready for the templates. `thresholds`: today's, for labels that did not decide."""
    matter = that_matter(shown)
    sentences = why.sentences(shown)
    wave = shown.get("wave")
    long = len(shown["body"]) > LONG or shown["body"].count("\n") >= LINES
    levels = why.levels(shown, thresholds)
    told = shown | {
        "article_title": called.title or shown["article"],
        "article_url": called.url,
        "article_proposed": called.proposed,
        "elsewhere": kept_elsewhere(shown, called),
        "site_name": site_name,
        "blocks": [block_in_words(target, offer) for target, offer in shown.get("blocks", {}).items()],
        "wave": {"count": len(wave), "all": packed(wave)} if wave else None,
        "marked": marked(shown["body"], weighed(matter), shown["format"]),
        "long": long,
        "sentences": sentences,
        "state": levels[0].state if sentences[0].label and levels else "",
        "expected": why.expected(shown),
        "levels": levels,
        "words": words_of(shown, matter),
        "website": why.host(shown["author"]["url"] or ""),
    }
    return alike(told) if wave else told


def differing(card: dict[str, Any], first: str) -> dict[str, Any]:
    """A card of a wave's member: marked is what differs from the first one's text, not what weighs."""
    return alike(card) | {"marked": marked(card["body"], differences(first, card["body"]), card["format"])}


def alike(card: dict[str, Any]) -> dict[str, Any]:
    """A card of a wave: among so many alike, approval is expected of none."""
    return card | {"expected": "spam" if card["expected"] == "spam" else ""}


def differences(first: str, other: str) -> list[Piece]:
    """The words of a text that the first one does not have, or has less often."""
    left = Counter(match.group() for match in _TOKEN.finditer(first))
    found: list[Piece] = []
    for match in _TOKEN.finditer(other):
        if left[match.group()] > 0:
            left[match.group()] -= 1
        elif found and not other[found[-1][1] : match.start()].strip():
            found[-1] = found[-1][0], match.end(), ""
        else:
            found.append((match.start(), match.end(), ""))
    return found


_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+|[^\w\s]")

BLOCKS = {
    "article": ("Close the article", "Open the article again", "closed", "open again"),
    "author": ("Block the author", "Let the author in again", "blocked", "let in again"),
    "network": ("Block the network it came from", "Let its network in again", "blocked", "let in again"),
}


def block_in_words(target: str, offer: Offer) -> dict[str, Any]:
    domain = target.removeprefix("domain:")
    words = BLOCKS.get(target, (f"Block {domain}", f"Let {domain} in again"))[offer.on]
    if offer.on and offer.until:
        words += f" (blocked until {offer.until[:10]})"
    elif offer.reaches and not offer.on:
        words += ": all who share it" if target == "network" else ": approved comments name it"
    return {
        "target": target,
        "on": offer.on,
        "words": words,
        "reaches": offer.reaches and not offer.on,
        "done": said_of_block(target, lifted=offer.on),
    }


def said_of_block(target: str, *, lifted: bool) -> str:
    what = {"article": "The article", "author": "The author", "network": "The network"}
    said = BLOCKS.get(target, ("", "", "blocked", "let in again"))[2 + lifted]
    return f"{what.get(target, target.removeprefix('domain:'))} is {said}"
