from __future__ import annotations

import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import registry
from classifier.examples import Asked, Author, Example
from classifier.labels import LABELS
from classifier.serving import Base, Classifier, ModelError
from classifier.training.train import learn

ASKED = Asked("you nitwit, buy glimmerpills at http://x.example", Author("Ann", "http://ann.example"), "blog")


@pytest.fixture
def models(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "models"))


def decisions(word: str = "zither") -> list[Example]:
    good = [Example(f"the {word} tuning of page {n} {n * 7}", {"spam": 0.0, "toxicity": 0.0}) for n in range(10)]
    bad = [Example(f"order shinywax {n} candles wholesale {n * 3} now", {"spam": 1.0}) for n in range(10)]
    return good + bad


def test_serving_needs_numpy_and_nothing_else() -> None:
    code = (
        "import sys\nfrom classifier.serving import Classifier\nfrom classifier.examples import Asked\n"
        "c = Classifier(); c.load(); c.score([Asked('hello')]); c.explain(Asked('hello'))\n"
        "print([m for m in ('sklearn', 'scipy', 'joblib', 'pickle5', 'moderation') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_nothing_happens_before_load() -> None:
    classifier = Classifier()
    with pytest.raises(ModelError):
        classifier.score([ASKED])


def test_every_label_every_text_in_order(trained: Path) -> None:
    classifier = Classifier(trained)
    classifier.load()
    classifier.load()
    found = classifier.score([ASKED, Asked("garden bread river")])
    assert [list(one.scores) for one in found] == [list(LABELS)] * 2
    assert found[0].scores["spam"] > found[1].scores["spam"]
    assert found[0].scores["toxicity"] > found[1].scores["toxicity"]
    assert found[0].model == classifier.version
    assert classifier.score([]) == []


ODD = st.one_of(
    st.text(st.characters(), max_size=400),
    st.sampled_from(
        ["", " ", "\0", "\ud800", "\u200b" * 40, "😀" * 50, "\u202eabc", "a" * 1_000_000, "x y " * 200_000]
    ),
)


@given(texts=st.lists(ODD, max_size=4))
@settings(max_examples=40, deadline=None)
def test_any_text_has_a_finite_answer(base: Base, trained: Path, texts: list[str]) -> None:
    classifier = Classifier(trained)
    classifier.load()
    for one in classifier.score([Asked(text, Author(text[:50], text[:50], text[:50])) for text in texts]):
        assert all(0 <= p <= 1 and math.isfinite(p) for p in one.scores.values())


@given(text=ODD)
@settings(max_examples=25, deadline=None)
def test_clues_point_into_the_text(base: Base, trained: Path, text: str) -> None:
    classifier = Classifier(trained)
    classifier.load()
    for attribution in classifier.explain(Asked(text[:3000])):
        assert attribution.label in LABELS
        assert math.isfinite(attribution.weight)
        assert all(0 <= low < high <= len(text) for low, high in attribution.spans)


def test_the_word_that_counted_is_underlined_where_it_stands(trained: Path) -> None:
    classifier = Classifier(trained)
    classifier.load()
    text = "my garden and n.i.t.w.i.t friends"
    best = next(attribution for attribution in classifier.explain(Asked(text)) if attribution.label == "toxicity")
    assert best.weight > 0
    assert text[slice(*best.spans[0])] == "n.i.t.w.i.t"


def test_a_moved_pointer_is_taken_up_and_back(models: Path) -> None:
    classifier = Classifier(models)
    classifier.load()
    before = classifier.score([ASKED])[0]
    assert classifier.refresh() is False
    outcome = learn(models, "blog", decisions())
    assert outcome.promoted, outcome
    assert classifier.refresh() is True
    after = classifier.score([Asked("order shinywax candles wholesale", site="blog"), ASKED, Asked(ASKED.text)])
    assert after[0].model == f"{classifier.version}+blog.{outcome.version}"
    assert after[2].model == classifier.version
    registry.roll_back(models, "blog")
    assert classifier.refresh() is True
    assert classifier.score([ASKED])[0] == before
    assert classifier.explain(ASKED, after[0].model) != classifier.explain(ASKED)


def test_a_broken_correction_leaves_the_last_good_one(models: Path) -> None:
    assert learn(models, "blog", decisions()).promoted
    classifier = Classifier(models)
    classifier.load()
    good = classifier.score([ASKED])[0]
    folder = registry.site_folder(models, "blog")
    registry.point(folder, "no-such-version")
    assert classifier.refresh() is False
    assert "no-such-version" in (classifier.problem or "")
    assert classifier.score([ASKED])[0] == good


def test_a_broken_base_leaves_the_last_good_one(models: Path) -> None:
    classifier = Classifier(models)
    classifier.load()
    good = classifier.score([ASKED])[0]
    broken = models / "broken"
    shutil.copytree(models / classifier.version, broken)
    (broken / "weights.npy").write_bytes(b"\x93NUMPY")
    registry.point(models, "broken")
    assert classifier.refresh() is False
    assert "broken/weights.npy" in (classifier.problem or "")
    assert classifier.score([ASKED])[0] == good
    with pytest.raises(ModelError, match="weights"):
        Classifier(models).load()


def test_another_base_ignores_the_correction_loudly(models: Path) -> None:
    outcome = learn(models, "blog", decisions())
    assert outcome.version
    (models / "current").unlink()
    classifier = Classifier(models)  # now the shipped base
    classifier.load()
    assert "another base" in (classifier.problem or "")
    assert classifier.score([ASKED])[0].model == classifier.version


def test_the_shipped_model_is_enough(tmp_path: Path) -> None:
    classifier = Classifier(tmp_path / "not there yet")
    classifier.load()
    assert set(classifier.thresholds) == set(LABELS)
    assert classifier.refresh() is False
