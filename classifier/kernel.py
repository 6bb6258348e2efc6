"""Scoring in C: the same numbers as `linear.Table` and `combine.Combine` make with numpy, in a fraction of the time.

The extension `classifier._kernel` is built with the package (`setup.py`), in a checkout by `make kernel`. Where it is missing,
or differs from this package in its sources or constants, numpy scores. `benchmarks/scoring.py` measures both side by side.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from classifier import hashing, linear
from classifier.combine import LIMIT, Combine
from classifier.hidden import UNITS
from classifier.labels import LABELS
from classifier.linear import VIEWS, Floats, Linear, Table
from classifier.structure import NAMES
from classifier.views import LONGEST, Fold, as_written

CONSTANTS: Mapping[str, float] = {
    "LABELS": len(LABELS),
    "UNITS": UNITS,
    "VIEWS": VIEWS,
    "SHAPE": len(NAMES),
    "BUCKETS": hashing.BUCKETS,
    "ROWS": hashing.ROWS,
    "SITE_BUCKETS": hashing.SITE_BUCKETS,
    "OUT_OF_VOCABULARY_ROWS": hashing.OUT_OF_VOCABULARY_ROWS,
    "LONG": hashing.LONG,
    "SEGMENT": hashing.SEGMENT,
    "OUT_OF_VOCABULARY": linear.OUT_OF_VOCABULARY,
    "WINDOW": linear.WINDOW,
    "CHANCE": linear.CHANCE,
    "WORDS": linear.WORDS,
    "SITE_SCALE": linear.SITE_SCALE,
    "LIMIT": LIMIT,
    **hashing.CONSTANTS,
}
"""Those of kernel.h, from their homes."""
BUILD = "`make kernel`, or a reinstallation, builds it with a C compiler and Python's header files"
_COUNT = len(LABELS)
_RESULT = (VIEWS + 4) * _COUNT


@cache
def problem() -> str:
    """Why the extension cannot be used; "" where it can."""
    try:
        from classifier import _kernel
    except ImportError as error:
        return f"the compiled kernel is missing ({error})"
    return differences(_kernel.CONSTANTS, _kernel.SOURCES, Path(__file__).parent)


def differences(constants: Mapping[str, float], sources: str, folder: Path) -> str:
    """How an extension differs from this package; "" where it does not. folder: where its sources stand, if anywhere; an
    installed package has none."""
    if names := sorted(name for name, _ in constants.items() ^ CONSTANTS.items()):
        return f"the compiled kernel has other constants ({', '.join(dict.fromkeys(names))})"
    files = sorted(folder.glob("kernel*.[ch]"))
    if files and f"{crc32(b''.join(file.read_bytes() for file in files)):08x}" != sources:
        return "the compiled kernel is of other sources"
    return ""


class Kernel:
    """Scores texts with one base and one site's correction, or none. Safe to call from several threads: it keeps nothing, and
    works with the interpreter unlocked. Only where there is no `problem`.

    correction: [SITE_BUCKETS, labels]; shift: [labels]. Raises TypeError where the hidden units are not as a folder keeps them."""

    def __init__(
        self,
        table: Table,
        fold: Fold,
        combine: Combine,
        correction: Floats | None = None,
        shift: Floats | None = None,
    ) -> None:
        from classifier import _kernel

        hasher, hidden = table.hasher, table.hidden
        if hidden.rows.dtype != np.int8:
            raise TypeError("the kernel reads hidden units as a folder keeps them: a byte a weight")

        def floats(values: npt.NDArray[np.floating]) -> Floats:
            return np.ascontiguousarray(values, np.float32)

        self._fold = fold
        self._model = _kernel.Model(
            table.both(),
            hasher.bucket_fingerprints,
            floats(table.bias),
            hasher.identity,
            None if correction is None else floats(correction),
            None if shift is None else floats(shift),
            floats(combine.weights),
            floats(combine.bias),
            np.ascontiguousarray(hidden.rows),
            floats(hidden.scale),
            floats(hidden.bias),
            floats(hidden.out),
            floats(hidden.start),
        )

    def log_odds(self, texts: Sequence[str], shape: Floats) -> Floats:
        """`Combine.log_odds` of texts as they came. shape: [texts, structure numbers]."""
        return self._results(texts, shape)[:, -_COUNT:]

    def linear(self, texts: Sequence[str]) -> Linear:
        """`Table.score` of them."""
        shape = np.zeros((len(texts), len(NAMES)), np.float32)
        results = self._results(texts, shape).reshape(len(texts), -1, _COUNT)
        return Linear(results[:, :VIEWS], *(results[:, VIEWS + block] for block in range(3)))

    def _results(self, texts: Sequence[str], shape: Floats) -> Floats:
        """[texts, numbers of `Result` in kernel.h]"""
        both = [*map(as_written, texts), *(text[:LONGEST].translate(self._fold) for text in texts)]
        bounds = array("q", accumulate(map(len, both), initial=0))
        results = np.zeros((len(texts), _RESULT), np.float32)
        self._model.score("".join(both).encode("utf-32-le", "surrogatepass"), bounds, shape, results)
        return results
