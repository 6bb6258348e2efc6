"""With a second reader, decisions teach a kind of comment: a paraphrase in other words moves too, and nothing of a text is kept."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from classifier import registry
from classifier.__main__ import main
from classifier.base import Base, open_base, open_correction
from classifier.evaluation import first_decisions
from classifier.examples import Asked, Example
from classifier.identity import TERMS
from classifier.labels import LABELS
from classifier.reader import GRAPH_FILE, TOKENIZER_FILE, Reader
from classifier.reader_input import Masker
from classifier.registry import ModelError
from classifier.sentences import FILE, WEIGHT, Sentences
from classifier.serving import Classifier
from classifier.training import anchors
from classifier.training.dataset import LEFT_OUT, load_rows
from classifier.training.published import Published
from classifier.training.train import Outcome, learn
from tests.classifier.conftest import CARD, FILES, FOUL, GOOD, table, with_reader, write_corpus
from tests.classifier.conftest import SPAM as SPAM_WORDS
from tests.classifier.test_published import TALK, WAXES, spoken

SPAM = LABELS.index("spam")
TAUGHT, OTHERS = FOUL[1], (FOUL[0], FOUL[2])
"""One insult, and two that share no run of three letters with it; the toy reader knows them for one kind."""


@pytest.fixture(scope="session")
def kept_anchors(base: Base, reading: Base, corpus: Path) -> dict[str, registry.Array]:
    """As `train-reader` writes them."""
    rows, _ = load_rows(corpus, base.fold, 3)
    assert reading.reader is not None
    return anchors.of_both(base, reading.reader, CARD["stages"], rows.examples, 1)  # type: ignore[arg-type]


@pytest.fixture
def models(base: Base, kept_anchors: dict[str, registry.Array], tmp_path: Path) -> Path:
    """A base with the toy reader and its own anchors is live; beside it stands one whose anchors have no vectors."""
    models = with_reader(tmp_path / "models", base)
    plain = registry.read(models, "with-reader")
    words = {name: np.array(one) for name, one in (plain.arrays | kept_anchors).items() if name != FILE}
    registry.write(models, "words", plain.card, plain.data, words, FILES)
    registry.write(models, "both", plain.card, plain.data, words | {FILE: kept_anchors[FILE]}, FILES)
    registry.point(models, "both")
    return models


def calm(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choice(GOOD) for _ in range(9)) for _ in range(count)]


def decisions() -> list[Example]:
    """A site that files insults as spam."""
    good = [Example(text, {"spam": 0.0, "toxicity": 0.0}, when=n) for n, text in enumerate(calm(12, 1))]
    bad = [Example(f"{text} {TAUGHT}", {"spam": 1.0}, when=n + 0.5) for n, text in enumerate(calm(12, 2))]
    return good + bad


def learnt(models: Path) -> Outcome:
    outcome = learn(models, "blog", decisions())
    assert outcome.promoted, outcome
    return outcome


def moved(models: Path, texts: list[str]) -> list[float]:
    """How far the site's correction moves the log-odds of spam."""
    base = open_base(models)
    folder = registry.site_folder(models, "blog")
    correction = open_correction(folder, registry.pointer(folder) or "", base)
    asked = [Asked(text) for text in texts]
    found: list[float] = (base.read(asked, [correction] * len(asked)) - base.read(asked))[:, SPAM].tolist()
    return found


def test_a_kind_is_learnt_beyond_its_words(models: Path) -> None:
    paraphrases = [f"{text} {word}" for word in OTHERS for text in calm(5, 3)]
    others = calm(10, 4)
    learnt(models)
    both, calm_by_both = moved(models, paraphrases), moved(models, others)
    registry.point(models, "words")
    shutil.rmtree(registry.site_folder(models, "blog"))
    learnt(models)
    words, calm_by_words = moved(models, paraphrases), moved(models, others)
    assert np.mean(both) > np.mean(words) + 1
    assert np.mean(both) - np.mean(calm_by_both) > np.mean(words) - np.mean(calm_by_words) + 1


@pytest.mark.parametrize("label", [{"spam": 1.0}, {"spam": 0.0, "toxicity": 0.0}], ids=["spam", "approved"])
def test_one_sided_decisions_on_a_kind_leave_calm_texts_and_known_spam_as_they_are(
    models: Path, label: dict[str, float]
) -> None:
    others = [
        *calm(6, 4),
        *(f"{word} {text} http://x.example/buy" for word, text in zip(SPAM_WORDS, calm(4, 5), strict=True)),
    ]
    classifier = Classifier(models)
    classifier.load()
    before = [one.scores["spam"] for one in classifier.score([Asked(text, site="blog") for text in others])]
    assert max(before[:6]) < 0.1 < 0.9 < min(before[6:])
    taught = [Example(f"{text} {TAUGHT}", label, when=n) for n, text in enumerate(calm(40, 2))]
    assert learn(models, "blog", taught).promoted or not label["spam"]
    classifier.refresh()
    after = [one.scores["spam"] for one in classifier.score([Asked(text, site="blog") for text in others])]
    assert after == pytest.approx(before, abs=0.1)


def test_erasing_the_correction_gives_the_base_back_bit_for_bit(models: Path) -> None:
    texts = [*calm(4, 5), *(f"{text} {TAUGHT}" for text in calm(4, 6))]
    classifier = Classifier(models)
    classifier.load()
    before = classifier.score([Asked(text, site="blog") for text in texts])
    learnt(models)
    assert classifier.refresh()
    after = classifier.score([Asked(text, site="blog") for text in texts])
    assert all(a.scores != b.scores for a, b in zip(after, before, strict=True))
    assert [one.scores for one in classifier.score([Asked(text) for text in texts])] == [one.scores for one in before]
    registry.roll_back(models, "blog")
    assert classifier.refresh()
    assert classifier.score([Asked(text, site="blog") for text in texts]) == before


def test_the_table_alone_keeps_the_part_of_the_words(models: Path) -> None:
    learnt(models)
    off, on = Classifier(models, reader=False), Classifier(models)
    off.load()
    on.load()
    asked = [Asked(f"{text} {TAUGHT}", site="blog") for text in calm(4, 6)]
    assert off.problem is None
    assert off.score(asked) == on.score(asked, read=False)
    assert off.score(asked) != on.score(asked)


def test_a_texts_score_depends_on_no_neighbour(models: Path) -> None:
    learnt(models)
    classifier = Classifier(models)
    classifier.load()
    asked = [Asked(text, site=site) for text in (*calm(3, 7), f"{GOOD[0]} {TAUGHT}") for site in ("blog", "")]
    whole = classifier.score(asked)
    assert whole == [classifier.score([one])[0] for one in asked]


def test_a_correction_holds_sums_and_neither_texts_nor_vectors_of_them(models: Path) -> None:
    version = learnt(models).version
    assert version
    read = registry.read(registry.site_folder(models, "blog"), version)
    width = open_base(models).reader.width  # type: ignore[union-attr]
    assert {name: one.shape for name, one in read.arrays.items()} == {
        "weights": read.arrays["weights"].shape,
        "shift": (len(LABELS),),
        "vector_weights": (width, len(LABELS)),
    }
    assert TAUGHT not in str(read.card)


def test_published_comments_are_asked_about_with_both(models: Path) -> None:
    base = open_base(models)
    texts = [f"{text} {word}" for word in OTHERS for text in calm(20, 8)]
    p = 1 / (1 + np.exp(-base.read([Asked(text) for text in texts])[:, SPAM]))
    asked = dict.fromkeys(LABELS, 1.0) | {"spam": 1.01 * float(p.max())}
    published = Published([Asked(text) for text in texts], hold_at=asked)
    outcome = learn(models, "blog", decisions(), published=published)
    assert not outcome.promoted
    assert outcome.figures["newly held"] > 10


def test_anchors_of_both_are_texts_that_keep_their_scores(
    models: Path, kept_anchors: dict[str, registry.Array]
) -> None:
    score, start = kept_anchors["anchor_score"], kept_anchors["anchor_start"]
    assert len(score) == len(start) - 1 == len(kept_anchors[FILE])
    learnt(models)
    base = open_base(models)
    assert base.sentences is not None
    folder = registry.site_folder(models, "blog")
    correction = open_correction(folder, registry.pointer(folder) or "", base)
    assert correction.vector_weights is not None
    assert np.allclose(np.linalg.norm(base.sentences.anchors, axis=1), WEIGHT**0.5, atol=1e-3)
    assert np.abs(np.mean(base.sentences.anchors @ correction.vector_weights, axis=0)).max() < 1


def test_a_script_that_the_reader_does_not_know_is_read_by_words_alone(reading: Base) -> None:
    assert reading.reader is not None
    read = reading.reader.read(["这是一个很好的花园", *calm(3, 1)])
    vectors = np.where(read.scripted[:, None], read.vectors, 0).astype(np.float16)
    features = Sentences(vectors).features(read.vectors, read.scripted)
    assert not features[0].any()
    assert features[1:].any(axis=1).all()


@pytest.mark.parametrize(
    "vectors",
    [np.ones((3, 16), np.float16), np.ones(16, np.float16), np.ones((0, 16), np.float16)],
    ids=["too few", "one axis", "none"],
)
def test_anchors_of_another_shape_are_refused(models: Path, vectors: registry.Array) -> None:
    folder = registry.read(models, "both")
    arrays = {name: np.array(one) for name, one in folder.arrays.items()} | {FILE: vectors}
    registry.write(models, "odd", folder.card, folder.data, arrays, FILES)
    registry.point(models, "odd")
    with pytest.raises(ModelError, match=r"odd/anchor_vectors\.npy"):
        open_base(models)


@pytest.mark.parametrize("kind", ["width", "type", "finite"])
def test_anchors_that_the_reader_cannot_have_made_are_refused(models: Path, kind: str) -> None:
    folder = registry.read(models, "both")
    good = np.array(folder.arrays[FILE])
    odd = {"width": good[:, :-1], "type": good.astype(np.float32), "finite": np.where(good == good[0, 0], np.inf, good)}
    arrays = {name: np.array(one) for name, one in folder.arrays.items()} | {FILE: odd[kind]}
    registry.write(models, "odd", folder.card, folder.data, arrays, FILES)
    registry.point(models, "odd")
    with pytest.raises(ModelError, match=r"odd/anchor_vectors\.npy"):
        open_base(models)


@pytest.mark.parametrize("kind", ["width", "labels", "finite"])
def test_vector_weights_of_another_shape_are_refused(models: Path, kind: str) -> None:
    version = learnt(models).version
    assert version
    folder, base = registry.site_folder(models, "blog"), open_base(models)
    read = registry.read(folder, version)
    good = np.array(read.arrays["vector_weights"])
    odd = {"width": good[1:], "labels": good[:, 1:], "finite": np.full_like(good, np.nan)}[kind]
    arrays = {name: np.array(one) for name, one in read.arrays.items()} | {"vector_weights": odd}
    registry.write(folder, "odd", read.card, {}, arrays)
    with pytest.raises(ModelError, match=r"odd/vector_weights\.npy"):
        open_correction(folder, "odd", base)


def test_a_text_that_is_asked_about_twice_is_read_once(reading: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(FILES[GRAPH_FILE], FILES[TOKENIZER_FILE].decode(), Masker(TERMS, reading.fold), reading.badness, {})
    texts = [*calm(3, 9), "all muslims"]
    alone = reader.read(texts)
    asked = []
    whole = reader._whole
    monkeypatch.setattr(reader, "_whole", lambda text: (asked.append(text), whole(text))[1])
    twice = reader.read([*texts, *texts])
    assert len(asked) == len(texts) + 1, "identity terms are a second pass"
    for name in ("log_odds", "vectors", "scripted", "known"):
        assert (getattr(twice, name) == np.concatenate([getattr(alone, name)] * 2)).all()


def test_the_error_after_a_places_first_decisions_by_words_and_by_both(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_decisions, "DRAWS", 2)
    data, blog = write_corpus(tmp_path / "data"), min(LEFT_OUT)
    texts = [text for both in zip(spoken(TALK, 30, 11), spoken(WAXES, 30, 12), strict=True) for text in both]
    posts = [[text, n % 2, blog.partition("/")[2]] for n, text in enumerate(texts)]
    table(data / "pull_request_blogs/all.csv.gz", ["text", "spam", "blog"], posts)
    figures = tmp_path / "figures.json"
    command = ["evaluate", "--data", str(data), "--models", str(models), "--first-decisions"]
    assert main([*command, "--json", str(figures)]) == 0
    shown = capsys.readouterr().out
    by = json.loads(figures.read_text("utf-8"))["first decisions"]
    assert set(by) == {blog}
    words, both = (by[blog][what]["20 decisions"] for what in (first_decisions.WORDS, first_decisions.BOTH))
    assert words["error of the base"] == both["error of the base"] > 0.2
    assert max(words["error after"], both["error after"]) < 0.1
    assert blog in shown
    assert f"error after, {first_decisions.BOTH}" in shown
    assert main([*command, "--version", "words"]) == 1
    assert "anchors" in capsys.readouterr().err


def test_the_mean_over_places_stands_below_them() -> None:
    def figures(after: float) -> dict[str, dict[str, float]]:
        shown = {"error after": after, "fall": 0.5, "fall, worst draw": 0.0}
        return {"20 decisions": {"error of the base": 0.4} | shown}

    by = {
        name: {first_decisions.WORDS: figures(0.3), first_decisions.BOTH: figures(0.1 * n)}
        for n, name in ((1, "a"), (2, "b"))
    }
    shown = first_decisions.lines(by)
    assert "| mean | 20 decisions | 0.4 | 0.3 | 0.5 | 0.0 | 0.15 | 0.5 | 0.0 |" in shown
