"""Scoring by tokens is scoring by characters: the lexicon beside the table, for any text and in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classifier import lexicon as module
from classifier.examples import Asked, Author
from classifier.labels import LABELS
from classifier.lexicon import Lexicon
from classifier.linear import SITE_BUCKETS, Floats
from classifier.serving import Base
from classifier.views import as_written, normalised

PIECES = st.one_of(
    st.sampled_from(
        [
            "you",
            "nitwit",
            "n1tw1t",
            "f.o.o.l",
            "f",
            "o",
            "o",
            "l",
            "gay",
            "muslim's",
            "women,",
            "don't",
            "--",
            ".",
            "I",
            "a",
            "b",
            "c.",
            "_x",
            "y-",
            "it’s",
            "ｆｕｌｌ",
            "ﷺ",
            "Ⓐ",
            "İstanbul",
            "ΟΔΟΣ",
            "http://a.example/?q=1",
            "[url=x]",
            "\u200b",
            "zero\u200bwidth",
            "\ue000",
            "br\ue000k",
            "\x01",
            "a\x01b",
            "你好世界",
            "soooo!!!",
            "@$$",
            "é",
            "🙂",
        ]
    ),
    st.text(max_size=12),
    st.text("ab .-_*1@!'\u00a0\n", max_size=12),
)
TEXTS = st.lists(
    st.lists(PIECES, max_size=30).flatmap(
        lambda parts: st.sampled_from([" ", "\n", "  ", ". "]).map(lambda gap: gap.join(parts))
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def correction() -> Floats:
    return np.random.default_rng(3).normal(0, 0.3, (SITE_BUCKETS, len(LABELS))).astype(np.float32)


@given(texts=TEXTS, corrected=st.booleans())
@example(texts=["a b c", "a", "b c d e", "x a. b", "I a", "it's a b", "it's a -b", "f.o o"], corrected=False)
@example(texts=["gay teacher " * 40 + "x", "word " * 200, "h" * 700, "ﷺ" * 60], corrected=True)
@settings(max_examples=150, deadline=None)
def test_by_tokens_is_by_characters(base: Base, correction: Floats, texts: list[str], corrected: bool) -> None:
    lexicon = Lexicon(base.table, base.fold, correction if corrected else None)
    views = [as_written(t) for t in texts], [normalised(t, base.fold) for t in texts]
    slow = base.table.score(views, [correction] * len(texts) if corrected else ())
    for _ in range(2):  # what is learnt from the first time must not matter the second
        whole, site, good = lexicon.score(texts)
        assert whole[good] == pytest.approx(slow.whole[good], abs=2e-5)
        assert not slow.rise[good].any(), "it has windows, which tokens do not know"
        assert (site is not None) == corrected
        if site is not None:
            assert site[good] == pytest.approx(slow.site[good], abs=2e-4)


@given(texts=TEXTS)
@settings(max_examples=60, deadline=None)
def test_the_quick_way_says_what_the_long_way_says(base: Base, texts: list[str]) -> None:
    asked = [Asked(text, Author("Ann 7", "http://x.example")) for text in texts]
    views = [as_written(t) for t in texts], [normalised(t, base.fold) for t in texts]
    shape = base.structure.rows(texts, [one.author for one in asked])
    plain = base.combine.log_odds(base.table.score(views), shape)
    assert base.log_odds(asked) == pytest.approx(plain, abs=2e-4)
    for one, row in zip(asked, plain, strict=True):
        assert base.log_odds([one])[0] == pytest.approx(row, abs=2e-4)


def test_ordinary_comments_are_scored_by_their_tokens(base: Base) -> None:
    texts = ["Thank you, I don't think it's a bad idea; my e-mail is on the page!", "Great post.\n\nKeep it up :-)"]
    assert all(base.lexicon.score(texts)[2])


def test_letters_spaced_out_over_tokens_are_not(base: Base) -> None:
    assert base.lexicon.score(["you f o o l", "you f.o o l", "you'd a b", "it's a day"])[2] == [
        *(False, False, False, True)
    ]


def test_too_many_tokens_are_forgotten_and_learnt_anew(base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 16)
    small = Lexicon(base.table, base.fold)
    for number in range(20):
        text = f"garden{number} bread nitwit{number} river"
        whole, _, good = small.score([text])
        assert good[0]
        assert whole[0] == pytest.approx(base.table.score([[text], [normalised(text, base.fold)]]).whole[0], abs=2e-5)
    assert not small.score([" ".join(f"t{i}" for i in range(40))])[2][0], "more tokens than it can hold"
    assert small.score(["garden bread"])[2][0]
