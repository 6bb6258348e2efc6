"""The lock files: every package pinned and hashed, and nothing else, so that an installation depends on no other machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = sorted(
    path for path in ROOT.rglob("*.lock") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[0-9][A-Za-z0-9.!+_-]*)(?: ?; [a-z_]+ [!=<>]+ \"\S+\"(?: (?:and|or) [a-z_]+ [!=<>]+ \"\S+\")*)?"
)
LONG = "--"
"""Begins an option; apart, so that no line here reads as one that names an index."""
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def requirements(text: str) -> list[list[str]]:
    """Each logical line of a requirements file: the requirement, then its options, as pip joins and splits them."""
    joined = re.sub(r"\\\n", "", "\n".join(re.sub(r"(^|\s)#.*$", "", line) for line in text.splitlines()))
    return [re.split(r"\s+(?=--)", line.strip()) for line in joined.splitlines() if line.strip()]


def wrong_in(text: str) -> list[str]:
    """Every line that is not one pinned package with its hashes."""
    return [
        " ".join(parts)[:120]
        for parts in requirements(text)
        if not PIN.fullmatch(parts[0]) or not parts[1:] or not all(HASH.fullmatch(option) for option in parts[1:])
    ]


def test_there_are_lock_files_to_look_at() -> None:
    assert {"requirements.lock", "requirements-test.lock", "requirements-train.lock", "requirements-build.lock"} <= {
        path.name for path in LOCKS
    }


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_lock_names_packages_and_hashes_and_no_path_or_index(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not wrong_in(text)
    names = [re.sub(r"[-_.]+", "-", parts[0].partition("==")[0]).lower() for parts in requirements(text)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "line",
    [
        f"{LONG}find-links /some/wheels", "-f wheels", "-i https://index.example/simple", f"{LONG}index-url=https://index.example",
        f"{LONG}extra-index-url https://index.example", f"{LONG}no-index", "-r other.lock", "-e .", "./wheels/one.whl",
        "--trusted-host index.example", "one @ file:///wheels/one.whl", "one @ https://files.example/one.whl",
        "https://files.example/one.whl", "one==1.0", "one>=1.0 --hash=sha256:" + "a" * 64, "one==1.0 --hash=md5:" + "a" * 32,
    ],
)  # fmt: skip
def test_whatever_else_a_requirements_file_may_say_is_found(line: str) -> None:
    fine = 'two==2.0 ; sys_platform != "win32" \\\n    --hash=sha256:' + "b" * 64 + "\n"
    assert wrong_in(fine + line + "\n") == [line]
    assert not wrong_in(fine)
