from __future__ import annotations

import numpy as np

from classifier.hashing import BUCKETS, FINGERPRINTS, Hasher
from classifier.training import vocabulary


def counts(**known: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    out = np.zeros(BUCKETS * FINGERPRINTS, np.uint32)
    for mark, count in known.items():
        out[7 * FINGERPRINTS + int(mark[1:])] = count
    return out


def test_a_bucket_is_its_most_frequent_n_grams() -> None:
    found = vocabulary.chosen(counts(m3=40, m9=41), counts(), 10, 3)
    assert found[7] == 9
    assert np.count_nonzero(found) == 1


def test_a_word_comes_before_characters_that_are_ten_times_as_frequent() -> None:
    assert vocabulary.chosen(counts(m3=49), counts(m5=5), 10, 3)[7] == 5
    assert vocabulary.chosen(counts(m3=51), counts(m5=5), 10, 3)[7] == 3


def test_what_is_rare_is_not_known_and_mark_nought_is_nobodys() -> None:
    assert not vocabulary.chosen(counts(m3=18, m0=500), counts(m5=4), 10, 3).any()
    assert vocabulary.chosen(counts(m3=1), counts(), 1, 1)[7] == 3


def test_a_small_corpus_keeps_all_that_it_has() -> None:
    hasher = Hasher()
    fingerprints = vocabulary.bucket_fingerprints(hasher, [["bread and butter"], ["bread and butter"]], 100)
    rows = hasher.with_fingerprints(fingerprints).grams(["bread and butter"])
    asked = hasher.grams(["bread and butter"])
    kept = (rows.chars == asked.chars).mean()
    assert kept > 0.95  # but for one in 256, and for two in one bucket
    assert np.count_nonzero(fingerprints) <= np.unique(np.concatenate([asked.chars.ravel(), asked.words.ravel()])).size
