"""Names and websites → the base's correction for them: `author_spam`, weights for `spam`, and `author_shift`, one for each label.

Spam is taught by the link texts and addresses of spam comments, harmlessness by people's names, by addresses and link texts of
good comments, and by runs of one to three words of good comments. The shift is set on names that the weights were not fitted
on: of these at most FALSE_ALARMS reach a label's hold threshold.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize

from classifier.author import website_words
from classifier.base import Base
from classifier.combine import LIMIT
from classifier.examples import Asked, Example
from classifier.hashing import SITE_BUCKETS
from classifier.labels import LABELS
from classifier.progress import log
from classifier.training import corpora
from classifier.training.train import features

SPAM_SOURCES = ("blog_comments/all", "blog_comments_modern/all", "pull_request_blogs/all")
GOOD_SOURCES = (*SPAM_SOURCES, "wiki_context/all", "ru_vk/all", "telegram_ru/all")
FOLDS = 5
FALSE_ALARMS = 0.0001
"""The share of names that reach the hold threshold of one label: seven labels together stay below a tenth of a percent."""
PULL = 0.3
"""L2 regularisation."""
PHRASES, PHRASE_WEIGHT = 2, 0.7
"""Runs of words of one good comment, and the weight of one."""
OF_ONE_HOST = 3
SEEN = 4
"""Link texts of one word teach spam if so many comments have them: the other ones are often people's names."""
BATCH = 512
COMMON_HOSTS = frozenset(
    [
        "bit.ly",
        "blogspot.com",
        "facebook.com",
        "github.com",
        "goo.gl",
        "google.com",
        "instagram.com",
        "linkedin.com",
        "medium.com",
        "t.co",
        "tinyurl.com",
        "twitter.com",
        "vk.com",
        "wikipedia.org",
        "wordpress.com",
        "youtube.com",
    ]
)
"""Hosts that everybody links to, so that spam that links to them says nothing of them."""

_LINK_TEXTS = (
    re.compile(r"<a\s[^>]*href=[^>]*>(.{1,80}?)</a>", re.I | re.S),
    re.compile(r"\[url=[^\]]*\](.{1,80}?)\[/url\]", re.I | re.S),
    re.compile(r"(?<!!)\[([^\]\[]{1,80})\]\(https?:"),
)
_ADDRESS = re.compile(r"https?://[^\s<>\"'\])]+", re.I)
_MARKUP = re.compile(r"<[^>]*>|\[[^\]]*\]")
_WORD = re.compile(r"\w[\w'’-]*")
_WRONGLY_DECODED = re.compile("[ÐÑ]|Р[Ѐ-Џѐ-џ]|РЅ|Рѕ")

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """A name or a website in words. group: rows of one group stand in one fold."""

    text: str
    spam: bool
    group: str
    kind: str
    """`name`, `website` or `phrase`."""


class Fitted(NamedTuple):
    """The arrays of a version, and what its card says."""

    arrays: dict[str, npt.NDArray[Any]]
    card: dict[str, Any]


def fit_author(base: Base, data: Path, names: Sequence[str], seed: int = 1) -> Fitted:
    """The correction of `base`. names: people's names, a few ten thousand. Raises ValueError without any, or without corpora."""
    if len(set(names)) < 1_000:
        raise ValueError("a list of people's names is needed, one a line, some ten thousand: see docs/classifier.md")
    rows = load_rows(data, names, random.Random(seed))  # noqa: S311 - a sample, not a secret
    if not any(row.spam for row in rows):
        raise ValueError(f"no link texts of spam in {data.name}: see docs/classifier.md for the files it wants")
    texts = [row.text for row in rows]
    log(f"names and websites: {len(texts)} texts")
    phi = features(base, texts)
    before = np.vstack([base.log_odds([Asked(text) for text in part]) for part in batches(texts)]).astype(np.float64)
    target = np.array([row.spam for row in rows], np.float64)
    weight = np.array([PHRASE_WEIGHT if row.kind == "phrase" else 1.0 for row in rows])
    fold = np.array([int(hashlib.blake2b(row.group.encode(), digest_size=2).hexdigest(), 16) % FOLDS for row in rows])
    spam = LABELS.index("spam")
    offset = np.clip(before[:, spam], -LIMIT, LIMIT)
    after = before.copy()
    for left_out in range(FOLDS):
        log(f"names and websites: fold {left_out + 1} of {FOLDS}")
        seen, unseen = fold != left_out, fold == left_out
        weights, bias = solve(phi[seen], target[seen], offset[seen], weight[seen])
        after[unseen, spam] = before[unseen, spam] + np.clip(phi[unseen] @ weights + bias, -LIMIT, LIMIT)
    weights, bias = solve(phi, target, offset, weight)
    is_name = np.array([row.kind == "name" and not row.spam for row in rows])
    held_from = {label: min(base.thresholds[label], base.read_thresholds[label]) for label in LABELS}
    shift = np.zeros(len(LABELS))
    for column, label in enumerate(LABELS):
        at = held_from[label]
        highest = float(np.quantile(after[is_name, column], 1 - FALSE_ALARMS))
        shift[column] = min(float(np.log(at / (1 - at))) - highest, 0.0)
    moved = after + shift
    held = moved >= [np.log(held_from[label] / (1 - held_from[label])) for label in LABELS]
    kinds = {kind: np.array([row.kind == kind for row in rows]) for kind in ("name", "website", "phrase")}
    is_spam = target == 1

    def share(which: npt.NDArray[np.bool_]) -> dict[str, Any]:
        return {"count": int(which.sum()), "held": round(float(held[which].any(axis=1).mean()), 5)}

    card = {
        "split": f"{FOLDS} folds, blogs as groups; the shares are of texts that the fit did not see",
        "harmless names": share(kinds["name"] & ~is_spam),
        "harmless websites": share(kinds["website"] & ~is_spam),
        "word runs of good comments": share(kinds["phrase"]),
        "link texts of spam": share(kinds["name"] & is_spam),
        "addresses of spam": share(kinds["website"] & is_spam),
        "shift": {label: round(float(value), 3) for label, value in zip(LABELS, shift, strict=True)},
    }
    shift[spam] += bias
    arrays: dict[str, npt.NDArray[Any]] = {
        "author_spam": np.clip(weights, -6e4, 6e4).astype(np.float16),
        "author_shift": shift.astype(np.float32),
    }
    return Fitted(arrays, card)


def solve(phi: sparse.csr_matrix, target: Reals, offset: Reals, weight: Reals) -> tuple[Reals, float]:
    """Logistic regression beside a fixed offset: [SITE_BUCKETS] weights and a bias."""

    def loss(solution: Reals) -> tuple[float, Reals]:
        weights, z = solution[:-1], offset + phi @ solution[:-1] + solution[-1]
        value = float((weight * (np.logaddexp(0, z) - target * z)).sum() + PULL / 2 * (weights @ weights))
        slope = weight * (1 / (1 + np.exp(-np.clip(z, -30, 30))) - target)
        return value, np.append(phi.T @ slope + PULL * weights, slope.sum())

    found = minimize(loss, np.zeros(SITE_BUCKETS + 1), jac=True, method="L-BFGS-B", options={"maxiter": 120})
    return np.asarray(found.x[:-1], np.float64), float(found.x[-1])


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for low in range(0, len(texts), BATCH):
        yield texts[low : low + BATCH]


def load_rows(data: Path, names: Sequence[str], rng: random.Random) -> list[Row]:
    """The rows without repeats; a text that good comments have too is good."""
    examples = [(source, example) for source in SPAM_SOURCES for example in examples_of(data, source)]
    good = [(s, e) for s in GOOD_SOURCES for e in examples_of(data, s) if harmless(e)]
    spam = [(s, e) for s, e in examples if e.labels.get("spam", 0) >= 0.5]
    harmless_rows = [row for s, e in good for row in links(s, e, spam=False)]
    people = [Row(name, False, name, "name") for name in sorted(set(names))]
    websites = [
        Row(site, False, site, "website")
        for name in rng.sample(people, len(people) // 4)
        if (site := own_site(name.text, rng))
    ]
    phrases = [row for s, e in good for row in word_runs(s, e, rng)]
    spam_rows = [row for s, e in spam for row in links(s, e, spam=True)]
    often = Counter(row.text.lower() for row in spam_rows)
    hosts = Counter[str]()
    kept: dict[str, Row] = {}
    for row in [*harmless_rows, *people, *websites, *phrases, *spam_rows]:
        key = row.text.lower()
        if key in kept:
            continue
        if row.spam and row.kind == "name" and " " not in row.text and often[key] < SEEN:
            continue
        if row.spam and row.kind == "website":
            host = " ".join(row.text.split()[:2])
            hosts[host] += 1
            if hosts[host] > OF_ONE_HOST:
                continue
        kept[key] = row
    return list(kept.values())


def examples_of(data: Path, source: str) -> Iterable[Example]:
    path = data / f"{source}.csv.gz"
    return corpora.rows(path, path.parent.name) if path.is_file() else ()


def harmless(example: Example) -> bool:
    return bool(example.labels) and all(value < 0.5 for value in example.labels.values())


def links(source: str, example: Example, *, spam: bool) -> Iterator[Row]:
    """The link texts and addresses of a comment."""
    group = example.group or source
    for pattern in _LINK_TEXTS:
        for given in pattern.findall(example.text):
            text = " ".join(_MARKUP.sub(" ", given).split())
            if len(text) >= 3 and not _WRONGLY_DECODED.search(text) and not re.match(r"https?:|www\.", text, re.I):
                yield Row(text, spam, group if spam else text, "name")
    for address in _ADDRESS.findall(example.text):
        try:
            host = (urlsplit(address).hostname or "").removeprefix("www.")
        except ValueError:
            continue
        if "." in host and not (spam and host in COMMON_HOSTS) and (words := website_words(address)):
            yield Row(words, spam, group, "website")


def word_runs(source: str, example: Example, rng: random.Random) -> Iterator[Row]:
    """A few runs of one to three words."""
    words = _WORD.findall(example.text)
    for _ in range(PHRASES if len(words) > 4 else 0):
        size = rng.choice((1, 1, 2, 2, 3))
        start = rng.randrange(len(words) - size)
        run = " ".join(words[start : start + size])
        yield Row(run if rng.random() < 0.5 else run.title(), False, example.group or source, "phrase")


def own_site(name: str, rng: random.Random) -> str:
    """A website as somebody of this name has it, in words; "" for a name in another script."""
    words = [word for word in re.split(r"\W+", name.lower()) if word]
    if not words or not all(word.isascii() for word in words):
        return ""
    host = rng.choice(("", " ")).join(words[:2])
    ending = rng.choice(("com", "net", "org", "de", "io", "dev", "me", "blog", "co uk", "fr", "example"))
    return f"{host} {ending} {rng.choice(('', '', '', 'blog', 'about', 'me', 'posts 2024', 'index html'))}".strip()
