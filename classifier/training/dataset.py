"""Corpora → rows to fit on: cleaned, without duplicates and test texts, dealt into folds."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from classifier.examples import Example
from classifier.markup import plain
from classifier.training import attack, corpora, synthetic
from classifier.views import Fold, normalised

Floats = npt.NDArray[np.float32]

FOLDS = 3
TRAIN, STAGE, REPORT = 0, 1, 2
"""Parts: rows that table and reader are fitted on; rows that neither saw, for the stage that joins them and its thresholds; rows for
reports only."""
STAGE_SHARE, REPORT_SHARE = 5, 3
"""Percent of the groups of a source."""
LEFT_OUT: frozenset[str] = frozenset(
    f"pull_request_blogs/{blog}"
    for blog in (
        "astrotime", "EdwinWenink", "mmistakes", "cinetimes", "bryankaraffa", "lazysquirrellabs", "prutonis",
        "papagamedev", "fraulyoner", "BloggerBust", "wouterbulten",
    )
)  # fmt: skip
"""Blogs for reports only: programming, astronomy, literature and cinema, English, French, Spanish and German, spam of 2016–2026."""
FOR_STAGE: frozenset[str] = frozenset(
    f"pull_request_blogs/{blog}"
    for blog in (
        "willymcallister", "julien731", "maxandersen", "vplauzon", "DawnPaladin", "donde-la-cocina-nos-lleve",
        "buildtimes", "hajekj", "ngehlert", "dancwilliams", "zongren", "maxime-michel", "HiemSword",
    )
)  # fmt: skip
"""Blogs for the stage and the thresholds."""
SYNTHETIC_WEIGHT = 2.0
"""Of good comments and spam. Toxic templates have a quarter of it: at full weight a few patterns displaced real threats."""
FEW, SYNTHETIC_OF_FEW = 5_000, 0.05
"""A corpus of fewer texts gets this share of the synthetic ones: all of them would dominate."""
SWAPPED = 0.25
SWAPPED_WEIGHT = 0.5
"""The share of rows that are added once more with swapped letters, and their weight; measured in docs/classifier.md."""
BAGS_WEIGHT = 0.5
"""Of Jigsaw's toxic comments that are available only as bags of words, and of good comments in the same form, which share a bias;
measured in docs/classifier.md."""
ALIKE = 0.5
"""Share of common words (Jaccard) from which a bag counts as a text of the corpora or of a test file."""
_BY_GROUP = (
    "blog_comments", "blog_comments_modern", "youtube_uci", "youtube_gambling_id", "reddit_ads", "sms", "pull_request_blogs",
)  # fmt: skip
_WHOLE = ("paradetox", "synthetic", "dynahate", "hatemojibuild", "de_gahd")
"""Sources whose groups are texts made from one another, which stand on one side; other groups are places."""
_MARKS = str.maketrans("", "", ".,!?'\":;()[]=&#@%$/\\<>`_+^0123456789")


@dataclass(frozen=True, slots=True)
class Rows:
    """The corpus after cleaning. part: TRAIN, STAGE or REPORT; fold: the fit that leaves the row out;
    bias: the name of its source's own bias; copy: a bag or a disguised copy, for training only."""

    examples: list[Example]
    weight: Floats
    everyday: npt.NDArray[np.bool_]
    part: npt.NDArray[np.int8]
    fold: npt.NDArray[np.int8]
    bias: list[str]
    copy: npt.NDArray[np.bool_]

    def of(self, part: int) -> list[int]:
        """The places of a part's rows, without copies."""
        return np.flatnonzero((self.part == part) & ~self.copy).tolist()


def key(text: str, fold: Fold) -> str:
    """The normalised letters of a text, without digits and punctuation: equal for duplicates."""
    letters = "".join(filter(str.isalpha, normalised(plain(text), fold)))
    return letters or text.strip()


def load_rows(data: Path, fold: Fold, seed: int) -> tuple[Rows, list[dict[str, Any]]]:
    """All rows, and the card's line on each source."""
    tests = [e for path in corpora.test_files(data) for e in corpora.rows(path, path.parent.name)]
    seen = {key(e.text, fold) for e in [*tests, *synthetic.kept_back()]}
    examples: list[Example] = []
    weight: list[float] = []
    everyday: list[bool] = []
    told = []

    again = corpora.JUDGED_AGAIN
    judged: dict[str, Example] = {}
    if (data / again.file).is_file():
        judged = {key(e.text, fold): e for e in corpora.read(data, again)}
        told.append(_told(data, again, again.weight, len(judged)))

    def take(example: Example, worth: float, daily: bool) -> None:
        example = replace(example, text=plain(example.text))
        this = key(example.text, fold)
        if this in seen:
            return
        seen.add(this)
        if example.source == "olid" and this in judged:
            # Without `obscene`: it is 1 for all of them, and unknown for other tweets, so it would teach what a tweet is.
            labels = {label: value for label, value in judged[this].labels.items() if label != "obscene"}
            example, worth = replace(example, labels=labels or example.labels), again.weight
        examples.append(example)
        weight.append(worth)
        everyday.append(daily)

    for source in corpora.present(data):
        before = len(examples)
        for example in corpora.read(data, source):
            take(example, source.weight * corpora.worth(example), source.everyday)
        told.append(_told(data, source, source.weight, len(examples) - before))
    before = len(examples)
    for example in synthetic.texts(seed, 1.0 if len(examples) > FEW else SYNTHETIC_OF_FEW):
        take(example, SYNTHETIC_WEIGHT if example.labels.get("toxicity") == 0 else SYNTHETIC_WEIGHT / 4, False)
    told.append(
        {
            "file": "classifier/training/synthetic.toml",
            "origin": "templates of our own writing: synthetic",
            "licence": "MIT",
            "weight": SYNTHETIC_WEIGHT,
            "rows": len(examples) - before,
        }
    )
    own = len(examples)
    folds = _folds(examples, seed)
    bias = [e.source for e in examples]
    tested = {source.name for source in corpora.SOURCES if (data / f"{source.name}/test.csv.gz").is_file()}
    parts = [_part(e, seed, e.source in tested) for e in examples]
    bags, of = _bags(data, examples, tests)
    for example, place in zip(bags, of, strict=True):
        examples.append(example)
        folds.append(hashed(example.text, seed) if place is None else folds[place])
        parts.append(0 if place is None else parts[place])
    bias += [f"{corpora.BAGS.name} bags"] * len(bags)
    if bags:
        told.append(_told(data, corpora.BAGS, BAGS_WEIGHT, sum(place is None for place in of)))
    weight += [BAGS_WEIGHT] * len(bags)
    rng = random.Random(seed)  # noqa: S311 - which rows are disguised, not a secret
    for place in range(own):
        if rng.random() < SWAPPED:
            example = examples[place]
            text = attack.disguise(example.text[:1500], "swaps", rng)
            if text == example.text[:1500]:
                continue
            examples.append(Example(text, example.labels, example.author, example.source, example.group))
            weight.append(SWAPPED_WEIGHT * weight[place])
            folds.append(folds[place])
            parts.append(parts[place])
            bias.append(bias[place])
    copies = len(examples) - own
    rows = Rows(
        examples,
        np.array(weight, np.float32),
        np.array(everyday + [False] * copies, bool),
        np.array(parts, np.int8),
        np.array(folds, np.int8),
        bias,
        np.arange(len(examples)) >= own,
    )
    return rows, told


def _told(data: Path, source: corpora.Source, weight: float, rows: int) -> dict[str, Any]:
    return {
        "file": source.file,
        "origin": source.origin,
        "licence": source.licence,
        "sha256": corpora.checksum(data / source.file),
        "weight": weight,
        "rows": rows,
    }


def _folds(examples: Sequence[Example], seed: int) -> list[int]:
    """[examples] fold numbers. Spam is dealt by blog, video and collection, so that a fold holds places that the other folds lack;
    the rest by text, with pairs and templates as groups."""
    groups = sorted({place_of(e) for e in examples if e.source in _BY_GROUP})
    place = {group: number % FOLDS for number, group in enumerate(groups)}
    return [place[place_of(e)] if e.source in _BY_GROUP else hashed(_whole(e), seed) for e in examples]


def _part(example: Example, seed: int, tested: bool) -> int:
    if example.source == "pull_request_blogs":
        return REPORT if example.group in LEFT_OUT else STAGE if example.group in FOR_STAGE else TRAIN
    place = hashed(_whole(example), seed + 1, 100)
    if example.source == "synthetic" or place >= STAGE_SHARE + REPORT_SHARE:
        return TRAIN
    return STAGE if place < STAGE_SHARE else TRAIN if tested else REPORT


def place_of(example: Example) -> str:
    """The blog, video or collection of a text."""
    places = ("blog_comments", "youtube_uci", "youtube_gambling_id", "pull_request_blogs")
    return example.group if example.source in places else example.source


def _whole(example: Example) -> str:
    return example.group if example.source in _WHOLE else example.text


def hashed(name: str, seed: int, kinds: int = FOLDS) -> int:
    """0 … kinds - 1, the same for the same name and seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode("utf-8", "replace")).digest()[:4], "big") % kinds


def _bags(data: Path, examples: Sequence[Example], tests: Iterable[Example]) -> tuple[list[Example], list[int | None]]:
    """Bags of words that equal no row and no test text, with None; then good rows in the same form, with their places."""
    raw = [_words(bag) for bag in corpora.bags(data)]
    if not raw:
        return [], []
    here = [place for place, e in enumerate(examples) if e.source == corpora.BAGS.name]
    in_bags = Counter(word for words in raw for word in set(words))
    in_texts = Counter(word for place in here for word in set(_words(examples[place].text)))
    # The source has removed stop words: words that are common in the texts and rare in the bags.
    stop = {word for word, count in in_texts.items() if count >= 150 and in_bags[word] * 100 < count}

    def bag(text: str) -> list[str]:
        return [word for word in _words(text) if word not in stop]

    bags = [[word for word in words if word not in stop] for words in raw]
    known = [bag(examples[place].text) for place in here]
    known += [bag(e.text) for e in tests if e.source == corpora.BAGS.name]
    old = overlapping(bags, known)
    out = [" ".join(words) for words, held in zip(bags, old, strict=True) if words and not held]
    toxic = [Example(text, {"toxicity": 1.0}, source=corpora.BAGS.name) for text in dict.fromkeys(out)]
    good, of = [], []
    for place, example in enumerate(examples):
        if example.source in (corpora.BAGS.name, "wiki_context") and example.labels.get("toxicity", 1.0) < 0.5:
            words = bag(example.text)
            if words:
                good.append(Example(" ".join(words), {"toxicity": 0.0}, source=corpora.BAGS.name))
                of.append(place)
    return toxic + good, [None] * len(toxic) + of


def _words(text: str) -> list[str]:
    return [word for word in text.lower().translate(_MARKS).split() if len(word) > 3]


def overlapping(bags: Sequence[Sequence[str]], known: Sequence[Sequence[str]]) -> npt.NDArray[np.bool_]:
    """[bags] whether the words are nearly those of one of `known`."""
    number: dict[str, int] = {}

    def matrix(lists: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        index: list[int] = []
        start = [0]
        for words in lists:
            index += sorted({number.setdefault(word, len(number)) for word in words})
            start.append(len(index))
        return sparse.csr_matrix((np.ones(len(index), np.float32), index, start), shape=(len(lists), 1 << 22))

    ours, theirs = matrix(bags), matrix(known)
    size, other = (np.asarray(m.sum(axis=1)).ravel() for m in (ours, theirs))
    hit = np.zeros(len(bags), bool)
    for low in range(0, len(bags), 500):
        common = (ours[low : low + 500] @ theirs.T).tocoo()
        share = common.data / (size[low + common.row] + other[common.col] - common.data)
        hit[low + common.row[share >= ALIKE]] = True
    return hit
