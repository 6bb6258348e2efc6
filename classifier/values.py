"""Values: dataclasses that nobody changes. mypy holds that; at run time they are not frozen.

A frozen dataclass sets each field by `object.__setattr__`: eight fields take 2.4 µs, of a plain one 0.4 µs, and a comment passes
through a dozen of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:

    def value(*, frozen: bool, **options: Any) -> Any:
        """`dataclass(frozen=True, …)` for a class whose instances are made for every comment."""
        assert frozen
        return dataclasses.dataclass(unsafe_hash=True, **options)


__all__ = ["value"]
