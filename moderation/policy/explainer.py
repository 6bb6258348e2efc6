"""Explanations of scores: computed off the event loop, once for each text, and cached without its words."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from classifier.examples import Asked, Attribution, Author
from classifier.serving import Classifier
from moderation.text import body as formats

SHOWN = 12
"""The most attributions shown for a verdict."""
KEPT = 4096
"""Texts whose attributions stay in memory, at most 4 KB each: the pages that a team of moderators has open."""


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A text with the other inputs of its score."""

    body: str
    format: str
    author: Author
    site: str
    model: str | None


class Explainer:
    """One thread for all requests. It explains one text at a time, so a request never waits for another's whole page.

    The cache contains no text and no word: labels, weights and positions, under a hash keyed by a secret of this process.
    So nothing of an erased or redacted text remains here.
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        """Used by the thread only."""
        self._key = secrets.token_bytes(32)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="explainer")

    async def attributions(self, scored: ScoredText, *, keep: bool = True) -> list[dict[str, Any]]:
        """The strongest attributions first, with spans of the body. Empty if the model no longer exists; the stored verdict
        stays as it is."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._told, scored, keep)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _told(self, scored: ScoredText, keep: bool) -> list[dict[str, Any]]:
        text = formats.plain(scored.body, scored.format)
        found = self._found(scored, text, keep and scored.model is not None)
        return [document(attribution, scored) for attribution in found]

    def _found(self, scored: ScoredText, text: str, keep: bool) -> list[Attribution]:
        name = blake2b(repr(scored).encode("utf-8", "backslashreplace"), key=self._key, digest_size=16).digest()
        if kept := self._kept.get(name):
            self._kept.move_to_end(name)
            return with_words(kept, text)
        try:
            found = self.classifier.explain(Asked(text, scored.author, scored.site), scored.model)
        except Exception:  # its files may return: the next request tries again
            return []
        found = sorted(found, key=lambda attribution: -abs(attribution.weight))[:SHOWN]
        if keep and (bare := without_words(found, text)) is not None:
            self._kept[name] = bare
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def word_at(text: str, spans: tuple[tuple[int, int], ...]) -> str:
    """The feature of an attribution with these spans."""
    ((start, end), *_) = spans
    return text[start:end].lower()


def without_words(attributions: list[Attribution], text: str) -> bytes | None:
    """Attributions with positions in place of words. None if a word cannot be restored from its position: not cached then."""
    if any(
        attribution.spans and word_at(text, attribution.spans) != attribution.feature for attribution in attributions
    ):
        return None
    return orjson.dumps([(c.label, c.weight, "" if c.spans else c.feature, c.spans) for c in attributions])


def with_words(kept: bytes, text: str) -> list[Attribution]:
    found = []
    for label, weight, name, pairs in orjson.loads(kept):
        spans = tuple((start, end) for start, end in pairs)
        found.append(Attribution(label, name or word_at(text, spans), weight, spans))
    return found


def document(attribution: Attribution, scored: ScoredText) -> dict[str, Any]:
    spans = formats.in_body(scored.body, scored.format, attribution.spans)
    return {
        "label": attribution.label,
        "feature": attribution.feature.encode("utf-8", "replace").decode(),  # may have lone surrogates
        "weight": round(attribution.weight, 4),
        "spans": [list(s) for s in spans],
    }
