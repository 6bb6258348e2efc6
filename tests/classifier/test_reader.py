"""The second reader: read with and joined with the table, the same alone and in company, and refused when it was altered.

The toy reader is one layer of sixteen numbers, made by `python -m tests.classifier.make_toy_reader`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.base import Base, open_base
from classifier.examples import Asked, Example
from classifier.identity import TERMS
from classifier.labels import LABELS
from classifier.reader import GRAPH_FILE, TOKENIZER_FILE, Reader
from classifier.reader_input import OVERLAP, WINDOW, Masker, known_script, known_words, windows
from classifier.registry import ModelError
from classifier.serving import Classifier
from classifier.training.train import learn
from classifier.views import Fold
from tests.classifier.conftest import CARD, FILES, FOREIGN, FOUL, GOOD, KNOWN, with_reader
from tests.growth import check_growth

TOXICITY, INSULT = LABELS.index("toxicity"), LABELS.index("insult")
OTHERS = [n for n, label in enumerate(LABELS) if label != "identity_attack"]
CALM = " ".join(GOOD)


@pytest.fixture(scope="session")
def reader(reading: Base) -> Reader:
    assert reading.reader is not None
    return reading.reader


def test_a_version_without_a_reader_serves_as_ever(trained: Path, base: Base) -> None:
    asked = [Asked(f"{CALM} {FOUL[0]}"), Asked(CALM)]
    assert base.reader is None
    assert (base.read(asked) == base.log_odds(asked)).all()
    classifier = Classifier(trained)
    classifier.load()
    assert not classifier.reads_twice
    assert classifier.thresholds == classifier.table_thresholds
    assert classifier.score(asked) == classifier.score(asked, read=False)


def test_a_table_alone_imports_no_package_of_the_reader() -> None:
    code = (
        "import sys\nfrom classifier.serving import Classifier\nfrom classifier.examples import Asked\n"
        "c = Classifier(reader=False); c.load(); c.score([Asked('hello')])\n"
        "print([m for m in ('onnxruntime', 'tokenizers', 'torch', 'onnx') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_both_are_the_lines_of_the_card_mixed_by_how_far_the_words_are_known(reading: Base, reader: Reader) -> None:
    texts = [f"{CALM} {FOUL[0]}", CALM, "thanks", "vielen dank", f"vielen {CALM}", f"{' '.join(GOOD[:6])} guten"]
    asked = [Asked(text) for text in texts]
    known = reader.read(texts).known[:, None]
    assert set(known[:4, 0].tolist()) == {0, 1}
    assert 0 < known[5, 0] < 1
    line, other = (
        one["table"] * reading.log_odds(asked) + one["reader"] * reader.log_odds(texts) + one["bias"]
        for one in (KNOWN, FOREIGN)
    )
    assert np.allclose(reading.read(asked), known * line + (1 - known) * other, atol=1e-5)


def test_words_that_fall_into_pieces_are_foreign() -> None:
    assert known_words(["the", "garden", ",", "is", "open", "##ed", "12"]) == 1
    assert known_words(["vie", "##len", "dan", "##k"]) == 0
    assert 0 < known_words(["the", "gar", "##ten"]) < 1
    assert known_words([]) == known_words(["!", "?"]) == 1


def test_one_scores_comes_out_and_the_table_alone_on_demand(reading_models: Path, trained: Path) -> None:
    both, table = Classifier(reading_models), Classifier(trained)
    both.load()
    table.load()
    asked = [Asked(f"{CALM} {FOUL[0]}")]
    assert both.reads_twice
    assert set(both.score(asked)[0].scores) == set(LABELS)
    assert both.score(asked)[0].scores != both.score(asked, read=False)[0].scores
    assert both.score(asked, read=False)[0].scores == table.score(asked)[0].scores
    assert both.thresholds == CARD["thresholds"]
    assert both.table_thresholds == table.thresholds
    off = Classifier(reading_models, reader=False)
    off.load()
    assert not off.reads_twice
    assert off.score(asked)[0].scores == table.score(asked)[0].scores
    assert off.thresholds == table.thresholds


def test_it_knows_an_insult_from_a_calm_sentence(reader: Reader) -> None:
    insult, calm = reader.log_odds([f"{CALM} {FOUL[0]}", CALM])
    assert insult[TOXICITY] > 2 > -2 > calm[TOXICITY]
    assert insult[INSULT] > calm[INSULT]


def test_padding_of_any_length_hides_nothing(reader: Reader) -> None:
    padding = f"{CALM} " * 60
    lone = reader.log_odds([f"{CALM} {FOUL[0]}"])[0, TOXICITY]
    for text in (f"{padding} {FOUL[0]} {padding}", f"{padding} {padding} {FOUL[0]}", f"{FOUL[0]} {padding}"):
        assert reader.windows(text) > 4
        assert reader.log_odds([text])[0, TOXICITY] > lone - 4 > 0
    assert reader.log_odds([padding])[0, TOXICITY] < 0


def test_long_texts_are_corrected_by_the_logarithm_of_their_windows(reader: Reader, reading: Base) -> None:
    masker = Masker(TERMS, Fold({}))
    less = Reader(FILES[GRAPH_FILE], FILES[TOKENIZER_FILE].decode(), masker, reading.badness, {"toxicity": 0.5})
    none = Reader(FILES[GRAPH_FILE], FILES[TOKENIZER_FILE].decode(), masker, reading.badness, {})
    long, short = f"{CALM} " * 60, CALM
    fall = none.log_odds([long, short]) - less.log_odds([long, short])
    assert np.allclose(fall[0, TOXICITY], 0.5 * np.log(none.windows(long)))
    assert (fall[1] == 0).all()
    assert (np.delete(fall[0], TOXICITY) == 0).all()


def test_company_changes_nothing(reader: Reader) -> None:
    texts = [CALM, f"{FOUL[1]} {CALM}", "", "all muslims", f"{CALM} " * 40]
    whole = reader.read(texts)
    for number, text in enumerate(texts):
        alone = reader.read([text])
        assert (alone.log_odds[0] == whole.log_odds[number]).all()
        assert (alone.vectors[0] == whole.vectors[number]).all()


def test_threads_may_read_at_once(reader: Reader) -> None:
    texts = [f"{GOOD[n % 10]} {FOUL[n % 3]} {n}" for n in range(40)]
    alone = reader.log_odds(texts)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: reader.log_odds([text])[0], texts * 3))
    assert (np.array(found).reshape(3, *alone.shape) == alone).all()


@pytest.mark.parametrize("template", ["all {} hate bread", "the {} teacher", "I hate {}"])
def test_only_identity_attack_tells_groups_apart(reader: Reader, template: str) -> None:
    texts = [template.format(term) for term in ("gay", "muslims", "women", "old", "jüdisch")]
    found = reader.read(texts)
    assert (found.log_odds[:, OTHERS] == found.log_odds[0, OTHERS]).all()
    assert (found.vectors == found.vectors[0]).all()
    identity = found.log_odds[:, LABELS.index("identity_attack")]
    assert len(set(identity.tolist())) > 1


def test_vectors_are_of_the_masked_text(reader: Reader) -> None:
    found = reader.vectors([CALM, f"{FOUL[0]} {CALM}"])
    assert found.shape == (2, reader.width)
    assert np.abs(found[0] - found[1]).max() > 0.01


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=300))
def test_any_text_is_legal(reading: Base, text: str) -> None:
    assert np.isfinite(reading.read([Asked(text)])).all()


@pytest.mark.parametrize(
    "text", ["", " ", "\ud800 x", "\x00", "a" * 20_001, "漢字" * 9000, "‮".join("abc"), "[MASK] [CLS] [SEP]"]
)
def test_hostile_texts_are_read(reading: Base, reader: Reader, text: str) -> None:
    assert np.isfinite(reading.read([Asked(text)])).all()
    assert np.isfinite(reader.vectors([text])).all()


@pytest.mark.parametrize(
    "piece", ["word ", "<", "[url=", "<a href=", "muslim ", "http://x.example/", "漢", "é", "ก็", "["]
)
def test_reading_takes_time_in_proportion_to_the_length(reader: Reader, piece: str) -> None:
    whole = piece * (20_000 // len(piece))
    check_growth(lambda: reader.log_odds([whole]), lambda: reader.log_odds([whole[:5000]]))


def test_an_unknown_script_is_left_to_the_table(reading: Base) -> None:
    foreign, known = [Asked("这是一个很好的花园，谢谢")], [Asked("спасибо за статью")]
    assert (reading.read(foreign) == reading.log_odds(foreign)).all()
    assert (reading.read(known) != reading.log_odds(known)).any()
    assert not known_script("") and not known_script("\U0001f600")


def test_an_address_is_read_as_words() -> None:
    text = "see <b>my</b> site https://www.shop.example/buy-now"
    assert Masker(TERMS, Fold({})).read(text) == ("see my site link shop example buy now", None)


@given(st.integers(0, 5000))
def test_windows_cover_every_token_and_overlap(tokens: int) -> None:
    found = windows(tokens)
    assert found[0][0] == 0
    assert found[-1][1] == tokens
    assert all(end - first <= WINDOW for first, end in found)
    assert all(after[0] <= before[1] - OVERLAP for before, after in pairwise(found))


def test_a_sites_correction_is_added_to_both(reading_models: Path, tmp_path: Path) -> None:
    models = Path(shutil.copytree(reading_models, tmp_path / "models"))
    good = [Example(f"the zither tuning of page {n} {n * 7}", {"spam": 0.0, "toxicity": 0.0}) for n in range(10)]
    bad = [Example(f"order shinywax {n} candles wholesale {n * 3} now", {"spam": 1.0}) for n in range(10)]
    assert learn(models, "blog", [*good, *bad]).promoted
    classifier = Classifier(models)
    classifier.load()
    text = "order shinywax candles wholesale"
    site, bare = classifier.score([Asked(text, site="blog"), Asked(text)])
    assert site.scores["spam"] > bare.scores["spam"]
    base = open_base(models)
    live = classifier._loaded().sites["blog"]
    asked = [Asked(text, site="blog")]
    moved = base.log_odds(asked, [live]) - base.log_odds(asked)
    assert np.allclose(base.read(asked, [live]), base.read(asked) + moved, atol=1e-5)


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("harm", ["missing", "truncated", "altered"])
def test_a_harmed_reader_is_refused_by_name_and_the_last_version_serves(
    base: Base, tmp_path: Path, name: str, harm: str
) -> None:
    models = with_reader(tmp_path / "models", base)
    classifier = Classifier(models)
    classifier.load()
    before = classifier.score([Asked(CALM)])
    with_reader(models, base, "harmed")
    path = models / "harmed" / name
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-9] if harm == "truncated" else content[:-9] + b"x" + content[-8:])
    with pytest.raises(ModelError, match=f"harmed/{name}"):
        open_base(models)
    assert not classifier.refresh()
    assert classifier.problem is not None
    assert name in classifier.problem
    assert classifier.score([Asked(CALM)]) == before


@pytest.mark.parametrize(
    "card",
    [
        {name: value for name, value in CARD.items() if name != "stages"},
        {name: value for name, value in CARD.items() if name != "thresholds"},
        {name: value for name, value in CARD.items() if name != "excess"},
        CARD | {"stages": {"known": {}}},
        CARD | {"stages": {"known": {}, "foreign": {"toxicity": {"table": 1.0}}}},
        CARD | {"stages": {"known": {"rudeness": KNOWN}, "foreign": {}}},
        CARD | {"stages": {"known": {}, "foreign": {"toxicity": KNOWN | {"bias": "nan"}}}},
        CARD | {"excess": {"toxicity": "inf"}},
    ],
)
def test_a_card_that_lacks_something_is_refused(base: Base, tmp_path: Path, card: dict[str, object]) -> None:
    models = with_reader(tmp_path / "models", base, card=card)
    with pytest.raises(ModelError, match="with-reader"):
        open_base(models)
    assert open_base(models, reader=False).reader is None


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_that_is_no_reader_is_refused(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(FILES, name, b'{"version": "1.0"}')
    models = with_reader(tmp_path / "models", base)
    with pytest.raises(ModelError, match=r"with-reader/reader\.onnx"):
        open_base(models)


def test_a_copy_of_a_version_takes_its_reader_along(reading: Base, tmp_path: Path) -> None:
    folder = reading.folder
    assert folder.kept_files() == FILES
    with pytest.raises(ModelError, match="elsewhere"):
        replace(folder, version="elsewhere", home=tmp_path).content(GRAPH_FILE)
