"""Known spam is known again with other letters, addresses and figures; what quotes it, or is short, is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import registry
from classifier.base import Base, open_base
from classifier.examples import Asked, Example
from classifier.known_spam import FILE, KnownSpam, runs
from classifier.registry import ModelError
from classifier.serving import Classifier
from classifier.training.dataset import STAGE, TRAIN, Rows
from classifier.training.known_spam import measured, remembered
from classifier.views import Fold
from tests.growth import check_growth

FOLD = Fold({"а": "a"})
TEMPLATE = (
    "I lost my savings to a broker and {who} helped me to get all of it back within three days. "
    "Write to them at {where} and you will never regret the decision to trust these experts."
)
SPAM = [TEMPLATE.format(who=who, where=where) for who, where in (("Mr Wizard", "http://a.example"), ("Lady Hack", "b"))]
GOOD = [
    "The tomatoes need a stake and some string before the wind comes, and water in the morning only.",
    "Thanks for the article.",
]


def rows(*parts: int) -> Rows:
    examples = [Example(text, {"spam": 1.0}) for text in SPAM] + [Example(text, {"spam": 0.0}) for text in GOOD]
    count = len(examples)
    part = np.array([parts[0]] * len(SPAM) + [parts[-1]] * len(GOOD), np.int8)
    none = np.zeros(count, bool)
    return Rows(examples, np.ones(count, np.float32), none, part, np.zeros(count, np.int8), [""] * count, none)


@pytest.fixture(scope="module")
def known() -> KnownSpam:
    return KnownSpam(remembered(rows(TRAIN), FOLD), FOLD)


@pytest.mark.parametrize(
    "text",
    [
        TEMPLATE.format(who="Captain Recovery", where="https://other.example/now"),
        TEMPLATE.format(who="x", where="y").replace("savings", "saving5").replace("broker", "br0ker").upper(),
        TEMPLATE.format(who="x", where="y")
        .replace("experts", "expеrts")
        .replace("three", "four")
        .replace("trust", "believe"),
        "<p>" + TEMPLATE.format(who="<b>x</b>", where="<a href='http://z.example'>here</a>") + "</p>",
    ],
)
def test_a_known_template_is_known_again(known: KnownSpam, text: str) -> None:
    assert known.knows(text)


@pytest.mark.parametrize("text", [*GOOD, "", "I lost my savings to a broker.", "😀" * 300, "\ud800" * 50])
def test_other_texts_are_not_known(known: KnownSpam, text: str) -> None:
    assert not known.knows(text)


def test_a_comment_that_quotes_spam_beside_words_of_its_own_is_not_known(known: KnownSpam) -> None:
    own = "Three comments under my last article looked just like this one, and all of them came from the same network."
    assert not known.knows(f"> {SPAM[0]}\n\n{own}")
    more = (
        "Which filter do you use against it? Ours asks a question about the article first, and nobody has complained."
    )
    assert not known.knows(f"{SPAM[0]} {own} {more}")


def test_what_a_good_comment_has_too_is_forgotten() -> None:
    shared = rows(TRAIN)
    shared.examples.append(Example(SPAM[0], {"spam": 0.0}))
    more = Rows(
        shared.examples, np.ones(5, np.float32), np.zeros(5, bool), np.zeros(5, np.int8), np.zeros(5, np.int8), [""] * 5,
        np.zeros(5, bool),
    )  # fmt: skip
    assert not len(remembered(more, FOLD))


def test_the_measure_counts_rows_that_taught_nothing() -> None:
    found = measured(remembered(rows(TRAIN), FOLD), rows(STAGE), FOLD)
    assert (found["spam"], found["spam known"], found["good"], found["good known"]) == (2, 2, 2, 0)
    assert not len(remembered(rows(STAGE), FOLD))


def test_a_known_text_is_certain_whatever_the_model_says(base: Base, tmp_path: Path) -> None:
    arrays = {name: np.array(array) for name, array in base.folder.arrays.items()}
    arrays |= {FILE: remembered(rows(TRAIN), base.fold)}
    registry.write(tmp_path, "knowing", base.folder.card, base.folder.data, arrays, {})
    registry.point(tmp_path, "knowing")
    classifier = Classifier(tmp_path)
    classifier.load()
    told, other = classifier.score([Asked(SPAM[1].replace("Lady", "Sir")), Asked(GOOD[0])])
    assert other.fields == {}
    assert told.scores["spam"] > 0.99
    assert told.fields in ({}, {"spam": "known"})


@pytest.mark.parametrize("array", [np.zeros((2, 2), np.uint32), np.array([3, 1], np.uint32), np.array([1.0, 2.0])])
def test_an_array_of_another_shape_is_refused(base: Base, tmp_path: Path, array: np.ndarray) -> None:
    arrays = {name: np.array(one) for name, one in base.folder.arrays.items()} | {FILE: array}
    registry.write(tmp_path, "odd", base.folder.card, base.folder.data, arrays, {})
    with pytest.raises(ModelError, match="odd/known_spam"):
        open_base(tmp_path, "odd")


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(), max_size=400))
def test_any_text_has_runs(text: str) -> None:
    found = runs(text, FOLD)
    assert (np.diff(found.astype(np.int64)) > 0).all()
    assert found.dtype == np.uint32


def test_the_time_is_in_proportion_to_the_length(known: KnownSpam) -> None:
    whole = "word and word " * 1_400
    check_growth(lambda: known.share(whole), lambda: known.share(whole[: len(whole) // 4]))
