"""Two budgets: some cases are tried every day (`make test`), all of them in the long job (`make test-all`, `.ci/run`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

long = pytest.mark.long


def daily(values: Sequence[Any], count: int) -> list[Any]:
    """All values as parameters of a test: so many of them, evenly spread, every day, and the others in the long job."""
    step = len(values) / count
    everyday = {int(number * step) for number in range(count)}
    return [value if place in everyday else pytest.param(value, marks=long) for place, value in enumerate(values)]
