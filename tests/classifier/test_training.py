"""What a fit may see of a row, and what the second stage makes of it."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import combine
from classifier.hashing import LONG, Hasher
from classifier.labels import LABELS
from classifier.linear import Floats
from classifier.serving import Base, open_base
from classifier.structure import NAMES, Structure
from classifier.training import attack, calibrate, estimate
from classifier.training.dataset import FOLDS, REPORT, Rows, load_rows, overlapping, place_of
from classifier.views import Fold, as_written, normalised
from tests.classifier.conftest import table


@pytest.fixture(scope="module")
def rows(corpus: Path) -> Rows:
    return load_rows(corpus, Fold({}), 1)[0]


def test_a_blog_is_left_out_whole(rows: Rows) -> None:
    folds: dict[str, set[int]] = {}
    for example, fold in zip(rows.examples, rows.fold, strict=True):
        if example.source == "blog_comments":
            folds.setdefault(place_of(example), set()).add(int(fold))
    assert {len(fold) for fold in folds.values()} == {1}
    assert len(set.union(*folds.values())) == 2, "two blogs, so that one can judge the other"
    assert set(rows.fold.tolist()) <= set(range(FOLDS))


def test_some_rows_are_unseen_and_copies_are_never_asked(rows: Rows) -> None:
    assert 0 < (rows.part == REPORT).mean() < 0.15
    assert rows.copy.any()
    assert not rows.everyday[rows.copy].any()


def test_bags_of_words_teach_but_not_those_of_a_known_text(corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for file in corpus.glob("*/*.csv.gz"):
        (folder / file.parent.name).mkdir(parents=True, exist_ok=True)
        (folder / file.parent.name / file.name).write_bytes(file.read_bytes())
    known = next(e for e in load_rows(corpus, Fold({}), 1)[0].examples if e.labels.get("toxicity") == 1)
    bags = [known.text.lower(), "numpty wally muppet pillock"]
    table(folder / "jigsaw/toxic_bag_of_words.csv.gz", ["tokens", "toxicity"], [[bag, 1] for bag in bags])
    found = load_rows(folder, Fold({}), 1)[0]
    toxic = [
        e.text
        for e, bias in zip(found.examples, found.bias, strict=True)
        if bias.endswith("bags") and e.labels["toxicity"] == 1
    ]
    assert toxic == ["numpty wally muppet pillock"]


def test_overlap_is_of_words_whatever_their_order() -> None:
    bags = [["numpty", "wally", "muppet"], ["garden", "bread"], ["numpty"]]
    assert overlapping(bags, [["muppet", "numpty", "wally", "again"]]).tolist() == [True, False, False]


@given(word=st.from_regex(r"[a-z]{4,12}", fullmatch=True), seed=st.integers(0, 99))
def test_a_swap_keeps_the_letters(word: str, seed: int) -> None:
    swapped = attack.disguise(" ".join([word] * 8), "swaps", random.Random(seed)).split(" ")
    assert all(sorted(one) == sorted(word) for one in swapped)


def test_what_is_served_is_the_mean_of_the_folds_and_of_few_rows_one_fit_of_all(
    rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    spam = LABELS.index("spam")
    blogs = np.array([example.source == "blog_comments" for example in rows.examples])

    def fitted(small: int) -> tuple[list[np.ndarray], np.ndarray]:
        monkeypatch.setattr(estimate, "SMALL", small)
        folds, served, structure_weights = estimate.fit_tables(
            rows, blogs & (rows.part == 0), Structure(), Fold({}), Hasher(), 1, ("spam",)
        )
        assert served.weights.dtype == np.float16 and len(folds) == FOLDS
        assert (structure_weights is None) == (small == 0)
        if structure_weights is not None:
            assert structure_weights[NAMES.index("link")] > 0
            assert not structure_weights[NAMES.index("author url") :].any()
        mean = np.mean([table.bias[:, spam] for table in folds], axis=0)
        assert (served.bias[:, spam] == pytest.approx(mean, abs=1e-5)) == (small == 0)
        return [table.weights[:, :, spam] for table in folds], served.weights[:, :, spam].astype(np.float32)

    folds, of_many = fitted(0)
    mean = np.mean(folds, axis=0)
    assert (np.abs(of_many - mean) <= np.maximum(2e-3, 2e-3 * np.abs(mean))).all()  # `approx` of it takes ten seconds
    folds, of_few = fitted(10_000)
    seen = [table != 0 for table in folds]
    assert np.abs(of_few - np.mean(folds, axis=0)).max() > 0.01
    only = [seen[n] & ~seen[n - 1] & ~seen[n - 2] for n in range(FOLDS)]
    assert not any(found.any() for found in only), "each row teaches two folds"
    assert of_few[np.logical_or.reduce(seen)].astype(bool).mean() > 0.99


def test_of_few_rows_the_second_stage_only_scales_what_structure_weighs_beside_the_words(rows: Rows) -> None:
    taught = np.array([example.source == "blog_comments" for example in rows.examples]) & (rows.part == 0)
    fitted = estimate.fit_tables(rows, taught, Structure(), Fold({}), Hasher(), 1, ("spam",))
    assert fitted.structure_weights is not None
    found = calibrate.unseen(fitted.folds, rows, taught, Structure(), Fold({}), 1)
    inputs = combine.names("spam")
    of_few = dict(zip(inputs, _spam_weights(rows, found, fitted.structure_weights), strict=True))
    # a link's own weight is lowered afterwards, for few false alarms
    learnt = [name for name in NAMES if not name.startswith("author") and name != "link"]
    told = dict(zip(NAMES, fitted.structure_weights.tolist(), strict=True))
    scale = of_few["whole text"]
    assert scale > 0
    assert [of_few[name] for name in learnt] == pytest.approx([scale * told[name] for name in learnt], abs=1e-3)
    apart = dict(zip(inputs, _spam_weights(rows, found, None), strict=True))
    assert [apart[name] for name in learnt] != pytest.approx([of_few[name] for name in learnt], abs=0.05)


def _spam_weights(rows: Rows, found: calibrate.Unseen, structure_weights: Floats | None) -> list[float]:
    stages = calibrate.fit_stages(rows, found, ("spam",), structure_weights=structure_weights)
    return list(stages["spam"]["weights"])


def test_hidden_units_are_heard_where_many_rows_taught_them(base: Base) -> None:
    shipped, few = open_base(None).combine, base.combine
    assert (shipped.hidden_gain() > 0).all()
    assert few.trained[LABELS.index("spam")] and few.trained[LABELS.index("toxicity")]
    assert not few.hidden_gain().any(), "the tiny corpus has few rows of every label"


def test_a_window_shows_what_padding_hides(base: Base) -> None:
    column = LABELS.index("insult")
    padding = "garden bread bicycle river teacher window summer music kitchen letter " * 9
    texts = ["you nitwit, you dunderhead", f"{padding}you nitwit, you dunderhead {padding}", padding * 2]
    assert len(texts[0]) < LONG < len(texts[2])
    views = [as_written(text) for text in texts], [normalised(text, base.fold) for text in texts]
    linear = base.table.score(views)
    assert not linear.window_excess[0].any()
    assert linear.window_excess[1, column] > linear.window_excess[2, column] + 0.5


@given(st.lists(st.tuples(st.floats(-8, 8), st.booleans()), min_size=1, max_size=300), st.floats(-3, 3))
def test_few_good_comments_come_to_even_odds_and_those_with_links_do_not_move_the_others(
    comments: list[tuple[float, bool]], bias: float
) -> None:
    good, linked = np.array([z for z, _ in comments]), np.array([has for _, has in comments])
    plain, less = calibrate._few_alarms(good, linked, bias)
    assert plain <= bias and less >= 0
    for some, at, share in ((~linked, plain, calibrate.SPAM_ALARMS), (linked, plain - less, calibrate.LINKED_ALARMS)):
        if some.any():
            assert (good[some] + at > 1e-9).mean() <= share + 1 / some.sum()
    assert calibrate._few_alarms(good[~linked], linked[~linked], bias) == (plain, 0.0)
