"""Tables in large pages are arrays like any other."""

from __future__ import annotations

import gc
import re
from pathlib import Path

import numpy as np
import pytest

from classifier import memory
from tests.conftest import missing


@pytest.mark.parametrize("shape", [(1,), (300, 7), (memory.PAGE // 4 + 1,)])
def test_it_is_zeros_of_its_own_that_begin_a_page(shape: tuple[int, ...]) -> None:
    one, other = memory.zeros(shape, np.float32), memory.zeros(shape, np.float32)
    assert one.shape == shape and one.dtype == np.float32
    assert one.ctypes.data % memory.PAGE == 0
    one += 1
    assert (one == 1).all() and not other.any()


def test_it_lasts_as_long_as_anything_looks_at_it() -> None:
    part = memory.zeros((1000, 3), np.int8)[500:]
    gc.collect()
    part[:] = 7
    assert part.sum() == 7 * 1500


def test_linux_is_asked_for_large_pages() -> None:
    if not Path("/sys/kernel/mm/transparent_hugepage").exists():
        missing("This system has no transparent large pages.")
    kept = memory.zeros((memory.PAGE,), np.int8)
    flags, kind, inside = "", "", False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line):
            inside = int(found[1], 16) <= kept.ctypes.data < int(found[2], 16)
            kind = found[3] if inside else kind
        elif inside and line.startswith("VmFlags:"):
            flags = line
    assert " hg" in flags
    assert kind == "rw-p", "what is shared gets none, as most systems are set up"
