"""What a database knows of its own shape, as texts that two databases can be compared by."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

Ask = Callable[[str], Awaitable[list[tuple[Any, ...]]]]

POSTGRES = {
    "columns": "SELECT table_name, column_name, row_number() OVER (PARTITION BY table_name ORDER BY ordinal_position), data_type, "
    "udt_name, is_nullable, column_default, collation_name FROM information_schema.columns WHERE table_schema = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}


async def of(ask: Ask, kind: str) -> dict[str, list[Any]]:
    """Tables with their columns, types, defaults and constraints; indexes; triggers; functions."""
    if kind == "postgres":
        return {name: sorted(map(repr, await ask(sql))) for name, sql in POSTGRES.items()}
    found: dict[str, list[Any]] = {}
    made = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master ORDER BY name"
    for kind, name, table, sql in await ask(made):
        found[f"{kind} {name}"] = [table, parts(sql) if kind == "table" else plain(sql)]
        if kind == "table":
            for pragma in ("table_xinfo", "foreign_key_list", "index_list"):
                rows = await ask(f"SELECT * FROM pragma_{pragma}('{name}')")
                found[f"{kind} {name}"].append(sorted(row[1:] if pragma == "index_list" else row for row in rows))
        elif kind == "index":
            found[f"{kind} {name}"].append(await ask(f"SELECT * FROM pragma_index_xinfo('{name}')"))
    return found


def plain(sql: str) -> str:
    """Without comments, and with one way to put spaces and quotes."""
    without = re.sub(r"--.*|\"|(?<=TABLE )'|'(?=\()|IF NOT EXISTS ", "", sql)
    return re.sub(r" ?([(),;]) ?", r"\1", " ".join(without.split()))


def parts(sql: str) -> list[str]:
    """Columns and constraints of a table, wherever they stand in the statement; the columns' order is asked of the database."""
    head, _, rest = plain(sql).partition("(")
    found, depth, start = [head], 0, 0
    for at, letter in enumerate(rest):
        depth += (letter == "(") - (letter == ")")
        if (letter == "," and depth == 0) or depth < 0:
            found.append(rest[start:at])
            start = at + 1
            if depth < 0:
                break
    return [found[0], *sorted(found[1:]), rest[start:]]
