"""The model can say exactly why: what is laid on the characters adds up to what was added."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import explain
from classifier.examples import Asked, Author
from classifier.hashing import SITE_BUCKETS
from classifier.hidden import UNITS
from classifier.labels import LABELS
from classifier.linear import VIEWS
from classifier.serving import Base
from classifier.views import track_normalised, track_written
from tests.classifier.conftest import FOUL, GOOD

WORDS = st.lists(
    st.sampled_from(
        ["garden", "n.i.t.w.i.t", "you", "gay", "ｂｒｅａｄ", "http://x.example/buy", "日本語", "a$$", "!!", "\u200b"]
    ),
    min_size=1,
    max_size=30,
)
TEXTS = st.one_of(WORDS.map(" ".join), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120))


@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
def test_nothing_gets_lost_on_the_way_back_to_the_characters(base: Base, text: str) -> None:
    tracked = track_written(text), track_normalised(text, base.fold)
    linear = base.table.score([[one.text] for one in tracked])
    for view in range(VIEWS):
        gain = np.eye(len(LABELS), dtype=np.float32)
        laid = explain._laid_out(base, view, tracked[view], len(text), gain, None, None)
        added = linear.whole[0, view] - base.table.bias[view]
        assert laid.sum(axis=0) == pytest.approx(added, abs=2e-3)


@given(text=TEXTS)
@settings(max_examples=30, deadline=None)
def test_a_sites_part_is_laid_out_whole_too(base: Base, text: str) -> None:
    rng = np.random.default_rng(2)
    correction = rng.normal(size=(SITE_BUCKETS, len(LABELS))).astype(np.float32)
    tracked = track_written(text), track_normalised(text, base.fold)
    linear = base.table.score([[one.text] for one in tracked], [correction])
    nothing = np.zeros((len(LABELS), len(LABELS)), np.float32)
    laid = sum(
        explain._laid_out(base, view, tracked[view], len(text), nothing, None, correction).sum(axis=0)
        for view in range(VIEWS)
    )
    assert laid == pytest.approx(linear.site[0], abs=2e-3)


@given(text=TEXTS)
@settings(max_examples=30, deadline=None)
def test_what_the_hidden_units_moved_is_laid_out_whole(base: Base, text: str) -> None:
    hidden, tracked = base.table.hidden, track_normalised(text, base.fold)
    slopes = hidden.slopes(base.table.unit_sums(tracked.text))
    nothing = np.zeros((len(LABELS), len(LABELS)), np.float32)
    laid = explain._laid_out(base, VIEWS - 1, tracked, len(text), nothing, slopes, None)
    linear = base.table.score([[track_written(text).text], [tracked.text]])
    moved = linear.hidden[0] - hidden.log_odds(np.zeros(UNITS, np.float32))
    assert laid.sum(axis=0) == pytest.approx(moved, abs=2e-3)


def test_spans_are_where_the_word_stands(base: Base) -> None:
    text = "My garden, my (nitwit) NITWIT and ｎｉｔｗｉｔ."
    found = {
        attribution.feature: attribution
        for attribution in explain.attributions(base, Asked(text))
        if attribution.label == "toxicity"
    }
    assert [text[low:high] for low, high in found["nitwit"].spans] == ["nitwit", "NITWIT"]
    assert [text[low:high] for low, high in found["ｎｉｔｗｉｔ"].spans] == ["ｎｉｔｗｉｔ"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("what a f u c k, n.i.t.w.i.t!", {"what", "a f u c k", "n.i.t.w.i.t"}),
        ("see a.b.example", {"see", "a.b.example"}),
        ("你是一个白痴，滚出去！", {"你是", "一个", "白痴", "滚出", "去"}),
        ("ばかな人", {"ばか", "な人"}),
    ],
)
def test_spelled_letters_are_one_word_and_a_sentence_without_spaces_is_several(text: str, words: set[str]) -> None:
    found = {text[match.start() : match.end()].strip(explain._EDGES) for match in explain._WORD.finditer(text)}
    assert found - {""} == words


def test_shares_say_how_much_of_it_all_a_clue_is(base: Base) -> None:
    found = explain.attributions(
        base, Asked("you nitwit, order glimmerpills http://x.example", Author(url="http://y.example"))
    )
    for label in {attribution.label for attribution in found}:
        mine = [attribution for attribution in found if attribution.label == label]
        assert sum(attribution.share for attribution in mine) <= 1.001  # each is rounded
        assert all(attribution.share > 0 for attribution in mine)
        strongest = max(mine, key=lambda attribution: abs(attribution.weight))
        assert strongest.share == max(attribution.share for attribution in mine)


def test_markup_moves_no_score_and_spans_are_those_of_the_written_text(base: Base) -> None:
    written = Asked("my <b>ni</b>twit says **nitwit** [here](http://x.example/buy)")
    bare = Asked("my nitwit says nitwit here http://x.example/buy")
    assert (base.log_odds([written]) == base.log_odds([bare])).all()
    found = [one for one in explain.attributions(base, written) if one.label == "toxicity"]
    word = next(one for one in found if "nitwit" in one.feature)
    assert any(written.text[low:high] == "nitwit" for low, high in word.spans)


def test_the_second_readers_phrases_stand_beside_the_tables_words(reading: Base) -> None:
    text = " ".join([*GOOD[:6], FOUL[0], *GOOD[6:]])
    found = [one for one in explain.attributions(reading, Asked(text)) if one.label == "toxicity" and one.weight > 0]
    phrases = [one for one in found if " " in one.feature]
    assert phrases
    assert FOUL[0] in phrases[0].feature
    assert all(text[low:high].lower() == one.feature for one in found for low, high in one.spans)
    assert any(one.feature == FOUL[0] for one in found)


def test_a_text_in_an_unknown_script_is_explained_by_the_table_alone(reading: Base, base: Base) -> None:
    asked = Asked("这是一个很好的花园 nitwit 谢谢 谢谢")
    assert explain.attributions(reading, asked) == explain.attributions(base, asked)
