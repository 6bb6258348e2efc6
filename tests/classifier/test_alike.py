"""Likeness of texts, and the keys under which those alike meet."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from classifier import similar as alike

SPAM = (
    "Make money from home with our proven system, {n} people started this week. Visit https://{host}/offer/{n} today!"
)


def met(one: alike.Shingles, other: alike.Shingles) -> bool:
    return bool(set(alike.keys(one)) & set(alike.keys(other)))


def test_a_wave_is_alike_and_two_remarks_are_not() -> None:
    first = alike.shingles(SPAM.format(n=1, host="win.example"), "Ann")
    second = alike.shingles(SPAM.format(n=27, host="win.example").upper().replace("MONEY", "MO\u200bNEY"), "Bob")
    assert alike.likeness(first, second) >= 0.9 and met(first, second)
    remark = alike.shingles("I grew up next to that bridge and never knew who built it.", "Ann")
    assert alike.likeness(first, remark) < 0.1 and not met(first, remark)
    assert alike.likeness(alike.shingles("Great!", "Ann"), alike.shingles("Great!", "Bob")) < 0.7


def test_keys_are_what_they_were() -> None:
    """They are stored: another number would find nothing of what is there. Change VERSION and write a migration."""
    assert alike.keys(alike.shingles("A kind word about bridges.", "Ann", "https://ann.example/"))[:3] == GOLDEN
    assert alike.keys(alike.shingles("")) == [] and alike.VERSION == 1


GOLDEN = [7828893379552178353, 5245877937816873446, 4211252097849478701]


def test_of_those_alike_hardly_a_pair_is_missed() -> None:
    """Pairs with a likeness just above 0.7: 99 in 100 share a key (1 - (1 - 0.7³)¹²)."""
    chance = random.Random(7)
    pairs = missed = 0
    while pairs < 400:
        letters = [chance.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(300)]
        changed = letters.copy()
        for at in chance.sample(range(300), 10):
            changed[at] = chance.choice("abcdefghijklmnopqrstuvwxyz")
        one, other = alike.shingles("".join(letters)), alike.shingles("".join(changed))
        if 0.7 <= alike.likeness(one, other) <= 0.78:
            pairs += 1
            missed += not met(one, other)
    assert missed <= 10


@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_like_itself(text: str, name: str, url: str) -> None:
    found = alike.shingles(text, name, url)
    assert alike.likeness(found, found) == (1.0 if len(found) else 0.0)
    assert all(-(2**63) <= key < 2**63 for key in alike.keys(found))
