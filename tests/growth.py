"""How the price of reading a text grows with its length: in processor time, compared with itself, never with a clock."""

from __future__ import annotations

import time
from collections.abc import Callable

MOST = 6.0
"""Four times the length may take so many times as long: what is linear takes four, what is quadratic sixteen."""
NOISE = 0.004
"""Seconds of the processor that tell nothing, since a machine has other things to do."""
ROUNDS = 8


def took(read: Callable[[], object]) -> float:
    began = time.process_time()
    read()
    return time.process_time() - began


def check_growth(of_all: Callable[[], object], of_a_quarter: Callable[[], object]) -> None:
    """The best of some rounds of each in turn: only what is slow every time is slow."""
    whole, quarter = [took(of_all)], [took(of_a_quarter)]
    while min(whole) > MOST * max(min(quarter), NOISE):
        assert len(whole) < ROUNDS, f"{min(whole):.4f} s for the whole, {min(quarter):.4f} s for a quarter"
        whole.append(took(of_all))
        quarter.append(took(of_a_quarter))
