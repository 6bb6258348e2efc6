"""Likeness of texts, and the keys under which those alike meet."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from classifier import similar

SPAM = (
    "Make money from home with our proven system, {n} people started this week. Visit https://{host}/offer/{n} today!"
)


def met(one: similar.Shingles, other: similar.Shingles) -> bool:
    return bool(set(similar.keys(one)) & set(similar.keys(other)))


def test_a_wave_is_alike_and_two_remarks_are_not() -> None:
    first = similar.shingles(SPAM.format(n=1, host="win.example"), "Ann")
    second = similar.shingles(SPAM.format(n=27, host="win.example").upper().replace("MONEY", "MO\u200bNEY"), "Bob")
    assert similar.similarity(first, second) >= 0.9 and met(first, second)
    remark = similar.shingles("I grew up next to that bridge and never knew who built it.", "Ann")
    assert similar.similarity(first, remark) < 0.1 and not met(first, remark)
    assert similar.similarity(similar.shingles("Great!", "Ann"), similar.shingles("Great!", "Bob")) < 0.7


def test_keys_are_what_they_were() -> None:
    """They are stored: another number would find nothing of what is there. Change VERSION and write a migration."""
    assert similar.keys(similar.shingles("A kind word about bridges.", "Ann", "https://ann.example/"))[:3] == GOLDEN
    assert similar.keys(similar.shingles("")) == [] and similar.VERSION == 1


GOLDEN = [7828893379552178353, 5245877937816873446, 4211252097849478701]


def test_of_those_alike_hardly_a_pair_is_missed() -> None:
    """Pairs with a similarity just above 0.7: 99 in 100 share a key (1 - (1 - 0.7³)¹²)."""
    chance = random.Random(7)
    pairs = missed = 0
    while pairs < 400:
        letters = [chance.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(300)]
        changed = letters.copy()
        for at in chance.sample(range(300), 10):
            changed[at] = chance.choice("abcdefghijklmnopqrstuvwxyz")
        one, other = similar.shingles("".join(letters)), similar.shingles("".join(changed))
        if 0.7 <= similar.similarity(one, other) <= 0.78:
            pairs += 1
            missed += not met(one, other)
    assert missed <= 10


@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_like_itself(text: str, name: str, url: str) -> None:
    found = similar.shingles(text, name, url)
    assert similar.similarity(found, found) == (1.0 if len(found) else 0.0)
    assert all(-(2**63) <= key < 2**63 for key in similar.keys(found))
