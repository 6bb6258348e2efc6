"""Figures → the cells and lines of a Markdown table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Report = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of one table; None is a dash."""
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = ("–" if cell is None else str(cell).replace("|", "\\|") for cell in row)
        out.append("| " + " | ".join(cells) + " |")
    return [*out, ""]


def with_interval(figures: Report, name: str, digits: int = 3) -> str:
    """`0.981 (0.974–0.987)`"""
    value = figures.get(name)
    if value is None:
        return "–"
    bounds = figures.get(f"{name} 95 %") or []
    return f"{value:.{digits}f}" + (f" ({bounds[0]:.{digits}f}–{bounds[1]:.{digits}f})" if bounds else "")
