"""What a person would expect of the shipped model. The texts are our own."""

from __future__ import annotations

import pytest

from classifier.examples import Asked, Author
from classifier.labels import LABELS
from classifier.serving import Classifier


@pytest.fixture(scope="module")
def shipped() -> Classifier:
    classifier = Classifier()
    classifier.load()
    return classifier


def scores(shipped: Classifier, text: str, url: str = "") -> dict[str, float]:
    return shipped.score([Asked(text, Author("Ann", url))])[0].scores


GOOD = (
    "Great article, thanks! I had the same problem with my garden last spring.",
    "The council should fix the road before winter, my bike broke twice.",
    "I disagree completely. The author has not read the report, and the numbers in the second table are wrong.",
    "We baked this on Sunday and even my brother asked for more.",
    "Does it also run on the older version? Mine stops at the second step.",
)


@pytest.mark.parametrize("text", GOOD)
@pytest.mark.parametrize("url", ["", "https://ann.example"])
def test_good_comments_are_not_held(shipped: Classifier, text: str, url: str) -> None:
    found = scores(shipped, text, url)
    assert [label for label in LABELS if found[label] >= shipped.thresholds[label]] == []


def test_blatant_spam(shipped: Classifier) -> None:
    text = "Buy cheap viagra online http://pills.example BEST PRICE!!! casino loans"
    assert scores(shipped, text)["spam"] >= 0.99


@pytest.mark.parametrize("label", ["toxicity", "insult"])
def test_direct_insult(shipped: Classifier, label: str) -> None:
    found = scores(shipped, "You are a stupid idiot and everyone hates you")
    assert found[label] >= shipped.thresholds[label]
