"""Model folders: a folder per version, arrays and JSON, a checksum over each file, a pointer that moves last.

    models/current                     one line: the version of the base
    models/history.jsonl               a line per promotion and roll-back: when, what, before, why
    models/<version>/                  a base; with `reader.onnx` and `tokenizer.json` where it has a second reader
    models/<version>.compared.json     how it did beside what was current, written by `compare`
    models/sites/KEY/current           one line: the correction that is live for this site, or `base`
    models/sites/KEY/<version>/        a correction

Files cannot run code: arrays are read without pickle, the reader's graph has standard operators and no files beside it, the rest
is JSON. A file that is missing, truncated, altered or of an
unknown format is refused by name.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

FORMAT = 1
KEPT = 5
BARE = "base"
"""The pointer of a site without a live correction."""
SHIPPED = Path(__file__).parent / "models"

KEPT_FILES = ("reader.onnx", "tokenizer.json")
"""Files that a version may have beside arrays, card and data. They stay as they are until they are used."""

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
Array = npt.NDArray[Any]


class ModelError(Exception):
    """A model cannot be used. The message names the file and the fault, without any text."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A version, read and checked."""

    version: str
    card: dict[str, Any]
    data: dict[str, Any]
    arrays: dict[str, Array]
    checksum: str
    """SHA-256 over the checksums of all files."""
    home: Path
    sums: dict[str, str]
    """File name → SHA-256."""

    def content(self, name: str) -> bytes:
        """A file as it is, checked once more. Raises ModelError."""
        if name not in self.sums:
            raise ModelError(f"{self.version}/{name} is missing")
        content = _bytes(self.home, name, self.version)
        if _sha(content) != self.sums[name]:
            raise ModelError(f"{self.version}/{name} is truncated or was altered")
        return content

    def kept_files(self) -> dict[str, bytes]:
        """The files that are neither arrays nor read here: a copy of the version takes them along."""
        return {name: self.content(name) for name in self.sums if name in KEPT_FILES}


@dataclass(frozen=True, slots=True)
class Kept:
    """One version in a list."""

    version: str
    current: bool
    card: dict[str, Any]


def is_version(name: str) -> bool:
    return _VERSION.fullmatch(name) is not None


def site_folder(models: Path, site: str) -> Path:
    """The folder of a site's corrections. Any key becomes a safe name."""
    name = quote(site, safe="")
    return models / "sites" / (name.replace(".", "%2E") or "%00")


def pointer(folder: Path) -> str | None:
    """The version that `folder/current` names, None without a pointer. Raises ModelError."""
    try:
        text = (folder / "current").read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder.name}/current cannot be read: {type(error).__name__}") from None
    if not _VERSION.fullmatch(text):
        raise ModelError(f"{folder.name}/current does not name a version")
    return text


def point(folder: Path, version: str) -> None:
    """Moves the pointer atomically."""
    beside = folder / f".current-{secrets.token_hex(4)}"
    with open(beside, "w", encoding="utf-8") as file:
        file.write(version + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, folder / "current")


def write(
    folder: Path,
    version: str,
    card: Mapping[str, Any],
    data: Mapping[str, Any],
    arrays: Mapping[str, Array],
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    """Writes a version beside the others and renames it into place; the pointer stays. files: some of KEPT_FILES. Raises
    ModelError."""
    if not _VERSION.fullmatch(version):
        raise ModelError("a version is letters, digits, - and _")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / version
    if target.exists():
        raise ModelError(f"{version} exists already")
    beside = folder / f".writing-{secrets.token_hex(4)}"
    beside.mkdir()
    try:
        for name, array in arrays.items():
            np.save(beside / f"{name}.npy", array, allow_pickle=False)
        for name, content in files.items():
            (beside / name).write_bytes(content)
        _json(beside / "card.json", card)
        _json(beside / "data.json", data)
        sums = {file.name: _sha(file.read_bytes()) for file in sorted(beside.iterdir())}
        _json(beside / "sums.json", {"format": FORMAT, "files": sums})
        for file in beside.iterdir():
            with open(file, "rb") as handle:
                os.fsync(handle.fileno())
        os.rename(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return target


def read(folder: Path, version: str) -> Folder:
    """Reads and checks one version. Raises ModelError."""
    if not _VERSION.fullmatch(version):
        raise ModelError("that is not the name of a version")
    home = folder / version
    if not home.is_dir():
        raise ModelError(f"the model {version} is missing")
    raw = _bytes(home, "sums.json", version)
    sums = _parse(raw, version, "sums.json")
    if sums.get("format") != FORMAT:
        raise ModelError(f"{version} has a format this program does not know")
    files = sums.get("files")
    if not isinstance(files, dict) or not {"card.json", "data.json"} <= set(files):
        raise ModelError(f"{version}/sums.json is not complete")
    arrays: dict[str, Array] = {}
    parsed: dict[str, Any] = {}
    for name, expected in files.items():
        if name not in KEPT_FILES and not re.fullmatch(r"[a-z_]+\.(json|npy)", name):
            raise ModelError(f"{version}/sums.json names a file that no model has")
        content = _bytes(home, name, version)
        if _sha(content) != expected:
            raise ModelError(f"{version}/{name} is truncated or was altered")
        if name.endswith(".npy"):
            try:
                arrays[name[:-4]] = np.load(home / name, mmap_mode="r", allow_pickle=False)
            except (ValueError, OSError):
                raise ModelError(f"{version}/{name} is not an array") from None
        elif name not in KEPT_FILES:
            parsed[name] = _parse(content, version, name)
    return Folder(version, parsed["card.json"], parsed["data.json"], arrays, _sha(raw), home, files)


def versions(models: Path, site: str) -> list[Kept]:
    """The kept corrections of a site, oldest first."""
    return listed(site_folder(models, site))


def listed(folder: Path) -> list[Kept]:
    """The versions in one folder, oldest first, by the moment in their card."""
    current = pointer(folder)
    versions = []
    if folder.is_dir():
        for home in folder.iterdir():
            if home.is_dir() and _VERSION.fullmatch(home.name) and (home / "sums.json").is_file():
                try:
                    card = _parse(_bytes(home, "card.json", home.name), home.name, "card.json")
                except ModelError:
                    card = {"problem": "its card cannot be read"}
                versions.append(Kept(home.name, home.name == current, card))
    return sorted(versions, key=lambda kept: (str(kept.card.get("date", "")), kept.version))


def prune(folder: Path) -> None:
    """Removes all but the last KEPT versions and the current one."""
    for kept in listed(folder)[:-KEPT]:
        if not kept.current:
            shutil.rmtree(folder / kept.version, ignore_errors=True)
            (folder / f"{kept.version}.compared.json").unlink(missing_ok=True)


def roll_back(models: Path, site: str) -> str | None:
    """Back to the version before the site's current correction; None is the bare base. Raises ModelError."""
    folder = site_folder(models, site)
    now = pointer(folder)
    if now is None or (now == BARE and _before(folder, now) is None):
        raise ModelError("nothing to roll back: this site uses the base as it is")
    kept = {one.version: one.card for one in listed(folder)}
    before = _before(folder, now) or kept.get(now, {}).get("before")
    if not isinstance(before, str) or before not in kept:
        before = BARE
    if before != BARE:
        read(folder, before)
    point(folder, before)
    return None if before == BARE else before


def promote(
    folder: Path, version: str, comparison: Mapping[str, Any] | None, current: str, force: str = ""
) -> dict[str, Any]:
    """Moves the pointer to a version that a comparison with the current one does not call worse. Raises ModelError.

    current: the checksum of the current version, by which an outdated comparison is refused; force: a reason that replaces a
    comparison. Returns the new line of the history."""
    now = pointer(folder)
    if version == now:
        raise ModelError(f"{version} is current already")
    checksum = read(folder, version).checksum
    line: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "act": "promote",
        "version": version,
        "before": now,
    }
    if comparison is not None:
        compared = [comparison.get(side, {}).get("checksum") for side in ("candidate", "current")]
        comparison = comparison if compared == [checksum, current] else None
    if comparison is not None:
        line |= {name: comparison.get(name) for name in ("verdict", "why", "rows", "figures", "current")}
    if force.strip():
        line["forced"] = force.strip()
    elif comparison is None:
        raise ModelError(
            f"{version} was never compared with what is current: run compare, or give a reason with --force"
        )
    elif comparison.get("verdict") not in ("better", "same"):
        raise ModelError(f"the comparison calls {version} worse: {comparison.get('why')}; --force takes a reason")
    _move(folder, version, line)
    prune(folder)
    return line


def promote_base(folder: Path, why: str) -> None:
    """Ends a site's correction: the bare base serves it. Raises ModelError."""
    now = pointer(folder)
    if now is None or now == BARE:
        raise ModelError("the base serves this site as it is already")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    _move(folder, BARE, {"at": at, "act": "promote", "version": BARE, "before": now, "forced": why})


def roll_back_base(models: Path) -> str | None:
    """Back to the base before the current one; None is the shipped one. Raises ModelError."""
    now = pointer(models)
    before = _before(models, now) if now else None
    if now is None or (before is None and models.resolve() == SHIPPED.resolve()):
        raise ModelError("nothing to roll back: the shipped base is current")
    if before is not None:
        read(models, before)
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "act": "roll back", "version": before, "before": now}
    _move(models, before, line)
    return before


def _before(folder: Path, now: str) -> str | None:
    """The version before `now`, by the history."""
    for line in reversed(history(folder)):
        if line.get("act") == "promote" and line.get("version") == now:
            before = line.get("before")
            return before if isinstance(before, str) else None
    return None


def history(folder: Path) -> list[dict[str, Any]]:
    """Promotions and roll-backs, oldest first."""
    path = folder / "history.jsonl"
    if not path.is_file():
        return []
    return [_parse(raw, folder.name, path.name) for raw in path.read_bytes().splitlines() if raw.strip()]


def _move(folder: Path, version: str | None, line: Mapping[str, Any]) -> None:
    """Writes the history first and moves the pointer last: a line without a move is harmless."""
    with open(folder / "history.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    if version is None:
        (folder / "current").unlink()
    else:
        point(folder, version)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes atomically: beside, then renamed."""
    beside = path.with_name(f".writing-{secrets.token_hex(4)}")
    _json(beside, content)
    os.replace(beside, path)


def _json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False) + "\n", "utf-8")


def _bytes(home: Path, name: str, version: str) -> bytes:
    try:
        return (home / name).read_bytes()
    except OSError:
        raise ModelError(f"{version}/{name} is missing") from None


def _parse(raw: bytes, version: str, name: str) -> dict[str, Any]:
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        raise ModelError(f"{version}/{name} is not JSON") from None
    if not isinstance(parsed, dict):
        raise ModelError(f"{version}/{name} is not what a model has")
    return parsed


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
