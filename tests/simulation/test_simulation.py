"""Intake, decisions and outbox hold their promises in simulated trouble, for every seed (`tests/simulation/world.py`)."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.budget import long
from tests.conftest import ROOT
from tests.simulation.machine import torn
from tests.simulation.world import FAULTS, simulate

SEEDS = int(os.environ.get("SEEDS", "500"))
"""How many are run; `make long` asks for 10,000."""
PARTS = 10


@long
@pytest.mark.repeated
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_acknowledged_is_lost_nothing_is_stored_twice_and_all_is_told(part: int) -> None:
    happened = simulate(range(SEEDS * part // PARTS, SEEDS * (part + 1) // PARTS))
    assert sum(happened[fault] > 0 for fault in FAULTS) > 10, happened


def test_a_seed_is_the_same_story_each_time() -> None:
    """Whatever order a process gives to its sets."""

    def story(dice: str) -> str:
        run = [sys.executable, "-m", "tests.simulation", "7"]
        told = subprocess.run(
            run, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": dice}, capture_output=True, text=True, check=True
        )
        return told.stdout.rpartition("1 seeds")[0]

    assert story("1") == story("2") != ""


def test_a_commit_that_a_crash_cuts_short_is_there_or_not(tmp_path: Path) -> None:
    """The simulated disk does to SQLite what a real one may do: both ends come about, and nothing between them."""
    found = set()
    for number in range(60):
        whole = tmp_path / f"{number}"
        with closing(sqlite3.connect(whole, isolation_level=None)) as writer:
            writer.execute("PRAGMA journal_mode = WAL")
            writer.execute("CREATE TABLE t (n)")
            log = Path(f"{whole}-wal")
            before = log.read_bytes()
            writer.execute("BEGIN")
            writer.executemany("INSERT INTO t VALUES (?)", [("x" * 100,)] * 200)
            writer.execute("COMMIT")
            cut = tmp_path / f"{number}-cut"
            cut.write_bytes(whole.read_bytes())
            Path(f"{cut}-wal").write_bytes(torn(random.Random(number), before, log.read_bytes(), 32))
        with closing(sqlite3.connect(cut)) as reader:
            found.add(reader.execute("SELECT count(*) FROM t").fetchone()[0])
            assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert found == {0, 200}
