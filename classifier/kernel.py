"""Scoring in C: the same sums as `linear.Table` makes with numpy, in a fraction of the time.

    python -m classifier.kernel     builds it with the machine's C compiler; `make` does

Where it was not built, or from other sources than these, everything is scored by numpy: the same numbers, some times slower.
On a quiet machine both stand beside each other in `benchmarks/scoring.py`.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from array import array
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from zlib import crc32

import numpy as np

from classifier import hashing, linear
from classifier.labels import LABELS
from classifier.linear import VIEWS, WINDOWS, Floats, Linear, Table
from classifier.views import LONGEST, Fold, as_written

SOURCE = Path(__file__).with_name("kernel.c")
LIBRARY = Path(__file__).with_name("libkernel.so")
_COUNT = len(LABELS)
_WHOLE, _RISE = VIEWS * _COUNT, len(WINDOWS) * _COUNT
_WIDE = _WHOLE + _RISE + _COUNT
BUILD = "`python -m classifier.kernel` builds it, with a C compiler"


def flags() -> list[str]:
    """The constants, from where they are at home, and the mark by which a library is known to be of these sources."""
    defined = {
        "LABELS": len(LABELS),
        "VIEWS": VIEWS,
        "BUCKETS": f"{hashing.BUCKETS}u",
        "SITE_BUCKETS": f"{linear.SITE_BUCKETS}u",
        "LONG": hashing.LONG,
        "SEGMENT": hashing.SEGMENT,
        "WINDOW_SHORT": WINDOWS[0],
        "WINDOW_LONG": WINDOWS[1],
        "WORDS": linear.WORDS,
        "SITE_SCALE": repr(linear.SITE_SCALE),
        **{name: f"{value}u" for name, value in hashing.CONSTANTS.items()},
    }
    said = [f"-D{name}={value}" for name, value in defined.items()]
    mark = crc32(SOURCE.read_bytes() + " ".join(said).encode())
    return [*said, f'-DMARK="{mark:08x}"']


def build() -> Path:
    """Compiles it in place. Raises OSError or CalledProcessError where there is no compiler, or it will not."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[:1]
    with tempfile.TemporaryDirectory(dir=LIBRARY.parent) as folder:
        made = Path(folder) / LIBRARY.name
        # -ffp-contract=off: what is rounded must not depend on the processor
        options = ["-O3", "-std=c99", "-ffp-contract=off", "-shared", "-fPIC", *flags()]
        subprocess.run([*compiler, *options, "-o", made, SOURCE, "-lm"], check=True)  # noqa: S603
        os.replace(made, LIBRARY)  # a service that runs keeps the one that it has
    return LIBRARY


@cache
def library() -> ctypes.CDLL | None:
    """Built from these very sources, or None."""
    try:
        found = ctypes.CDLL(str(LIBRARY))
        mark = ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(found, "leave_kernel_mark"))).decode()
        if flags()[-1] != f'-DMARK="{mark}"':
            return None
    except (OSError, ValueError):
        return None
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    found.leave_kernel_score.argtypes = [
        *(ctypes.c_char_p, pointer, number, pointer, pointer, pointer, number),
        pointer,
        pointer,
    ]
    found.leave_kernel_score.restype = ctypes.c_int
    return found


class Kernel:
    """Scores texts with one table. Safe to call from several threads: it keeps nothing, and works with the lock released."""

    def __init__(self, built: ctypes.CDLL, table: Table, fold: Fold) -> None:
        self._score, self._fold = built.leave_kernel_score, fold
        # Kept, because the addresses below are only good as long as these are.
        self._rows = table.both()
        self._bias = np.ascontiguousarray(table.bias, np.float32)
        self._terms = np.ascontiguousarray(table.hasher.identity, np.uint32)
        self._at = tuple(array.ctypes.data for array in (self._rows, self._bias, self._terms))

    def score(self, texts: Sequence[str], correction: Floats | None = None) -> Linear:
        """`Table.score` of texts as they came. correction: [SITE_BUCKETS, labels] float32, for all of them."""
        count = len(texts)
        both = [*map(as_written, texts), *(text[:LONGEST].translate(self._fold) for text in texts)]
        bounds = array("q", accumulate(map(len, both), initial=0))
        out = np.zeros(
            (count, _WIDE), np.float32
        )  # one array: each look-up of an address costs as much as forty characters
        rows, bias, terms = self._at
        failed = self._score(
            "".join(both).encode("utf-32-le", "surrogatepass"),
            bounds.buffer_info()[0],
            count,
            rows,
            bias,
            terms,
            len(self._terms),
            None if correction is None else correction.ctypes.data,
            out.ctypes.data,
        )
        if failed:
            raise MemoryError
        whole, rise, site = out[:, :_WHOLE], out[:, _WHOLE : _WHOLE + _RISE], out[:, _WHOLE + _RISE :]
        return Linear(whole.reshape(count, VIEWS, _COUNT), rise.reshape(count, len(WINDOWS), _COUNT), site)


def main() -> int:
    try:
        print(f"Built {build().name}.")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Not built ({error}): comments are scored by numpy, some times slower.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
