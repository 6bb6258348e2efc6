"""Twenty decisions help, none wreck the base."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from classifier.examples import Asked, Example
from classifier.labels import LABELS
from classifier.serving import Classifier, open_base
from classifier.training import train
from classifier.training.train import learn

ELSEWHERE = (
    "The council should fix the road before winter, my bike broke twice.",
    "Does it also run on the older version? Mine stops at the second step.",
    "I planted garlic in October and the first leaves are already out.",
)
WORDS = (
    "zither",
    "quintet",
    "rehearsal",
    "bassoon",
    "choir",
    "encore",
    "tempo",
    "violin",
    "sonata",
    "rosin",
    "strings",
)
GOODS = ("glimmerwax", "candles", "beeswax", "scented", "ladles", "tapers", "cartons", "wicks", "tealight")


def spoken(words: tuple[str, ...], count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choice(words) for _ in range(9)) for _ in range(count)]


def approved(count: int = 10, start: float = 0.0) -> list[Example]:
    texts = spoken(WORDS, count, 1)
    return [Example(text, {"spam": 0.0, "toxicity": 0.0}, when=start + n) for n, text in enumerate(texts)]


def spam(count: int = 10, start: float = 0.5) -> list[Example]:
    return [Example(text, {"spam": 1.0}, when=start + n) for n, text in enumerate(spoken(GOODS, count, 2))]


def spam_scores(models: Path, texts: tuple[str, ...] | list[str], site: str = "") -> list[float]:
    classifier = Classifier(models)
    classifier.load()
    return [one.scores["spam"] for one in classifier.score([Asked(text, site=site) for text in texts])]


@pytest.mark.parametrize("order", ["mixed", "one after the other", "at once"])
def test_twenty_decisions_help(tmp_path: Path, order: str) -> None:
    taught = approved() + spam(start=0.5 if order == "mixed" else 100.0)
    if order == "at once":
        taught = [Example(e.text, e.labels) for e in taught]
    new = spoken(GOODS, 5, 3)
    before = spam_scores(tmp_path, new)
    outcome = learn(tmp_path, "music", taught)
    assert outcome.promoted, outcome
    assert outcome.version
    after = spam_scores(tmp_path, new, "music")
    assert min(a - b for a, b in zip(after, before, strict=True)) > 0.2
    assert spam_scores(tmp_path, new, "another") == before


@pytest.mark.parametrize(
    "taught",
    [
        pytest.param([Example(e.text, {"spam": 1.0}, when=e.when) for e in approved(40)], id="all spam"),
        pytest.param(approved(40), id="all approved"),
        pytest.param(
            [Example(e.text, {"spam": float(n % 2)}, when=e.when) for n, e in enumerate(approved(60))],
            id="contradictory",
        ),
        pytest.param([Example(e.text, {"spam": 0.0}, when=e.when) for e in spam(60)], id="poisoned"),
    ],
)
def test_no_decisions_wreck_the_base(tmp_path: Path, taught: list[Example]) -> None:
    known = "Buy cheap viagra online http://pills.example BEST PRICE!!! casino loans"
    before = spam_scores(tmp_path, [*ELSEWHERE, known])
    learn(tmp_path, "music", taught)
    after = spam_scores(tmp_path, [*ELSEWHERE, known], "music")
    assert after == pytest.approx(before, abs=0.1)


def test_a_place_may_grow_stricter_by_spam_alone_but_never_more_lenient_by_approvals_alone() -> None:
    def shift(labels: dict[str, float], count: int) -> dict[str, float]:
        base = open_base(None)
        examples = [Example(text, labels) for text in spoken(GOODS, count, 4)]
        lesson = train._lesson(base, examples, train.features(base, [e.text for e in examples]))
        taught = np.arange(count)
        return dict(zip(LABELS, train._shift(lesson, taught, train._dual(lesson, taught)).tolist(), strict=True))

    assert shift({"spam": 1.0}, 9)["spam"] == 0
    assert 0 < shift({"spam": 1.0}, 10)["spam"] <= 0.67
    assert 0 < shift({"spam": 1.0}, 40)["spam"] <= 0.67
    approvals = shift({"spam": 0.0, "toxicity": 0.0}, 40)
    assert not any(approvals.values()), approvals


def test_one_decision_foreseen_far_better_is_no_risk_and_one_foreseen_far_worse_is() -> None:
    little_better = np.full(14, -0.002)
    for gain in (0.0, 0.05, 0.5, 5.0):
        assert train._bound(np.append(little_better, -gain)) <= 0
        assert train._bound(np.append(little_better, max(gain, 0.3))) > train.HARM
    assert train._bound(np.array([-1.0])) > train.HARM, "one alone says nothing"


def test_too_few_says_how_many_are_missing(tmp_path: Path) -> None:
    outcome = learn(tmp_path, "music", approved(4))
    assert not outcome.promoted
    assert outcome.version is None
    assert "6 more" in outcome.why
    assert not (tmp_path / "sites").exists()


def test_the_same_decisions_again_change_nothing(tmp_path: Path) -> None:
    assert learn(tmp_path, "music", approved() + spam()).promoted
    again = learn(tmp_path, "music", approved() + spam())
    assert not again.promoted
    assert "since" in again.why


def test_later_decisions_are_learnt_on_top(tmp_path: Path) -> None:
    first = approved() + spam()
    assert learn(tmp_path, "music", first).promoted
    texts = spoken(("harpsichord", "lute", "glimmerwax", "madrigal", "viol", "theorbo", *WORDS), 16, 5)
    later = [Example(text, {"spam": float(n % 2)}, when=1_000.0 + n) for n, text in enumerate(texts)]
    later = [Example(f"{e.text} {'discount' if e.labels['spam'] else 'evening'}", e.labels, when=e.when) for e in later]
    outcome = learn(tmp_path, "music", first + later)
    assert outcome.figures["compared on"] == 16


def test_hygiene() -> None:
    flood = [Example(f"{n}", {"spam": 1.0}, author_key="one", when=n) for n in range(50)]
    assert len(train._per_author(flood)) == 20
    assert len(train._per_author([Example(f"{n}", {"spam": 1.0}) for n in range(50)])) == 50


def test_a_wave_counts_once(tmp_path: Path) -> None:
    wave = [Example(f"visit the shinywax shop in our village, offer {n}", {"spam": 1.0}, when=n) for n in range(30)]
    outcome = learn(tmp_path, "music", wave)
    assert outcome.figures["after hygiene"] == 1
