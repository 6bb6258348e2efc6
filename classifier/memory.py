"""Memory for tables that every comment reads all over, in large pages where the system has them.

A comment reads some three thousand rows, hardly two of them on one page of 4 kB, and the processor does not remember where that
many pages are: it looks most of them up again. Of 2 MB there are only a dozen. Linux gives them to who asks (`madvise`).
"""

from __future__ import annotations

import contextlib
import math
import mmap
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

PAGE = 2 << 20


def zeros(shape: tuple[int, ...], kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros of this shape and kind, at the beginning of a large page."""
    kind = np.dtype(kind)
    size = math.prod(shape) * kind.itemsize
    if sys.platform == "linux":
        room = mmap.mmap(-1, size + PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # what is shared has none, as a rule
        with contextlib.suppress(OSError):  # a kernel without them
            room.madvise(mmap.MADV_HUGEPAGE)
    else:
        room = mmap.mmap(-1, size + PAGE)
    every = np.frombuffer(room, np.uint8)
    skipped = -every.ctypes.data % PAGE
    return every[skipped : skipped + size].view(kind).reshape(shape)
