"""Tables, each declared in the store of the slice that owns it: backups and secure deletes collect the declarations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from moderation.db.database import placeholders


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    name: str
    columns: tuple[str, ...] = ()
    """Those of a backup's rows, in the order of the schema. A table without any is in no backup."""
    key: int = 2
    """How many leading columns name a row."""
    holds_text: bool = False
    """Words of readers stand in it, or moderators' words on theirs: secure deletes overwrite what its rows held."""

    @property
    def insert(self) -> str:
        """One row, with a value for each column."""
        return f"INSERT INTO {self.name} ({listed(self.columns)}) VALUES ({placeholders(len(self.columns))})"


def listed(columns: Iterable[str], of: str = "") -> str:
    """`site, id`; or `c.site, c.id` of the alias `c`."""
    return ", ".join(f"{of}.{name}" if of else name for name in columns)
