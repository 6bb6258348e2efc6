"""Scoring in C: the same numbers as `linear.Table` and `combine.Combine` make with numpy, in a fraction of the time.

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
from classifier.combine import LIMIT, Combine
from classifier.hidden import UNITS
from classifier.labels import LABELS
from classifier.linear import VIEWS, Floats, Linear, Table
from classifier.structure import NAMES
from classifier.views import LONGEST, Fold, as_written

SOURCE = Path(__file__).with_name("kernel.c")
LIBRARY = Path(__file__).with_name("libkernel.so")
_COUNT = len(LABELS)
_FOUND = (VIEWS + 4) * _COUNT
BUILD = "`python -m classifier.kernel` builds it, with a C compiler"


def flags() -> list[str]:
    """The constants, from where they are at home, and the mark by which a library is known to be of these sources."""
    defined = {
        "LABELS": len(LABELS),
        "UNITS": UNITS,
        "VIEWS": VIEWS,
        "BUCKETS": f"{hashing.BUCKETS}u",
        "SITE_BUCKETS": f"{hashing.SITE_BUCKETS}u",
        "STRANGE": f"{hashing.STRANGE}u",
        "OUT_OF_VOCABULARY": linear.OUT_OF_VOCABULARY,
        "LONG": hashing.LONG,
        "SEGMENT": hashing.SEGMENT,
        "WINDOW": linear.WINDOW,
        "CHANCE": linear.CHANCE,
        "WORDS": linear.WORDS,
        "SITE_SCALE": repr(linear.SITE_SCALE),
        "SHAPE": len(NAMES),
        "LIMIT": f"{LIMIT}f",
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
    pointer = ctypes.c_void_p
    found.leave_kernel_score.argtypes = [pointer, ctypes.c_char_p, pointer, pointer, ctypes.c_int64, pointer]
    found.leave_kernel_score.restype = ctypes.c_int
    return found


class Model(ctypes.Structure):
    """`Model` of kernel.c."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("table", "owners", "bias", "terms")),
        ("count", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("correction", "shift", "stage", "stage_bias")),
        *((name, ctypes.c_void_p) for name in ("hidden", "unit_scale", "unit_bias", "unit_out", "unit_start")),
    ]


class Kernel:
    """Scores texts with one base and one site's correction, or none. Safe to call from several threads: it keeps nothing, and
    works with the lock released.

    correction: [SITE_BUCKETS, labels]; shift: [labels]. Raises TypeError where the hidden units are not as a folder keeps them."""

    def __init__(
        self,
        built: ctypes.CDLL,
        table: Table,
        fold: Fold,
        combine: Combine,
        correction: Floats | None = None,
        shift: Floats | None = None,
    ) -> None:
        self._score, self._fold = built.leave_kernel_score, fold
        hasher, hidden = table.hasher, table.hidden
        if hidden.rows.dtype != np.int8:
            raise TypeError("the kernel reads hidden units as a folder keeps them: a byte a weight")
        arrays = (
            *(table.both(), hasher.owners, table.bias, hasher.identity),
            *(correction, shift, combine.weights, combine.bias),
            *(hidden.rows, hidden.scale, hidden.bias, hidden.out, hidden.start),
        )
        # Kept, because the addresses are only good as long as these are.
        self._arrays = [None if array is None else np.ascontiguousarray(array) for array in arrays]
        at = [None if array is None else array.ctypes.data for array in self._arrays]
        self._model = Model(*at[:4], len(hasher.identity), *at[4:])
        self._at = ctypes.addressof(self._model)

    def log_odds(self, texts: Sequence[str], shape: Floats) -> Floats:
        """`Combine.log_odds` of texts as they came. shape: [texts, structure numbers]."""
        return self._found(texts, shape)[:, -_COUNT:]

    def linear(self, texts: Sequence[str]) -> Linear:
        """`Table.score` of them."""
        found = self._found(texts, np.zeros((len(texts), len(NAMES)), np.float32)).reshape(len(texts), -1, _COUNT)
        return Linear(found[:, :VIEWS], *(found[:, VIEWS + block] for block in range(3)))

    def _found(self, texts: Sequence[str], shape: Floats) -> Floats:
        """[texts, numbers of `Found`]"""
        both = [*map(as_written, texts), *(text[:LONGEST].translate(self._fold) for text in texts)]
        bounds = array("q", accumulate(map(len, both), initial=0))
        found = np.zeros((len(texts), _FOUND), np.float32)
        points = "".join(both).encode("utf-32-le", "surrogatepass")
        where, shapes, into = bounds.buffer_info()[0], shape.ctypes.data, found.ctypes.data
        if self._score(self._at, points, where, shapes, len(texts), into):
            raise MemoryError
        return found


def main() -> int:
    try:
        print(f"Built {build().name}.")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Not built ({error}): comments are scored by numpy, some times slower.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
