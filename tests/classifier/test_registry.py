"""A model folder is refused by name when anything about it is wrong, and the pointer moves last."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from classifier import registry
from classifier.registry import ModelError


def made(models: Path, site: str, version: str, before: str = registry.BARE, moment: str = "2026-01-01") -> None:
    folder = registry.site_folder(models, site)
    card = {"date": moment, "before": before}
    registry.write(folder, version, card, {}, {"weights": np.zeros((2, 2), np.float16)})
    registry.point(folder, version)
    registry.prune(folder)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    made(tmp_path, "blog", "v1")
    found = registry.read(registry.site_folder(tmp_path, "blog"), "v1")
    assert found.arrays["weights"].shape == (2, 2)
    assert isinstance(found.arrays["weights"], np.memmap)


@pytest.mark.parametrize("name", ["weights.npy", "card.json", "data.json", "sums.json"])
@pytest.mark.parametrize("harm", ["missing", "truncated", "altered"])
def test_harm_is_named(tmp_path: Path, name: str, harm: str) -> None:
    made(tmp_path, "blog", "v1")
    folder = registry.site_folder(tmp_path, "blog")
    path = folder / "v1" / name
    content = path.read_bytes()
    if harm == "missing":
        path.unlink()
    elif harm == "truncated":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
    with pytest.raises(ModelError, match="v1"):
        registry.read(folder, "v1")


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    made(tmp_path, "blog", "v1")
    path = registry.site_folder(tmp_path, "blog") / "v1/sums.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(ModelError, match="format"):
        registry.read(path.parent.parent, "v1")


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    folder = registry.site_folder(tmp_path, "blog")
    with pytest.raises(ValueError, match="pickle"):
        registry.write(folder, "v1", {}, {}, {"weights": np.array([{}], dtype=object)})
    assert not folder.exists() or list(folder.iterdir()) == []


@pytest.mark.parametrize("text", ["../v1", "a/b", "", "x\ny", "."])
def test_a_pointer_names_a_version_and_nothing_else(tmp_path: Path, text: str) -> None:
    (tmp_path / "current").write_text(text)
    with pytest.raises(ModelError):
        registry.pointer(tmp_path)


@pytest.mark.parametrize("site", ["..", "a/b", "über", "", "x" * 60, ".hidden"])
def test_any_site_key_stays_in_its_folder(tmp_path: Path, site: str) -> None:
    assert registry.site_folder(tmp_path, site).resolve().parent == (tmp_path / "sites").resolve()


def test_roll_back_goes_to_what_was_live_before(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing"):
        registry.roll_back(tmp_path, "blog")
    made(tmp_path, "blog", "v1", moment="2026-01-01")
    made(tmp_path, "blog", "v2", "v1", "2026-01-02")
    assert registry.roll_back(tmp_path, "blog") == "v1"
    made(tmp_path, "blog", "v3", "v1", "2026-01-03")
    assert registry.roll_back(tmp_path, "blog") == "v1"
    assert registry.roll_back(tmp_path, "blog") is None
    with pytest.raises(ModelError, match="nothing"):
        registry.roll_back(tmp_path, "blog")


def test_roll_back_refuses_a_broken_predecessor(tmp_path: Path) -> None:
    made(tmp_path, "blog", "v1", moment="2026-01-01")
    made(tmp_path, "blog", "v2", "v1", "2026-01-02")
    (registry.site_folder(tmp_path, "blog") / "v1/weights.npy").unlink()
    with pytest.raises(ModelError, match="v1"):
        registry.roll_back(tmp_path, "blog")
    assert registry.pointer(registry.site_folder(tmp_path, "blog")) == "v2"


def test_five_versions_are_kept(tmp_path: Path) -> None:
    for number in range(8):
        made(tmp_path, "blog", f"v{number}", moment=f"2026-01-0{number + 1}")
    assert [kept.version for kept in registry.versions(tmp_path, "blog")] == ["v3", "v4", "v5", "v6", "v7"]
    assert [kept.current for kept in registry.versions(tmp_path, "blog")][-1]
    shutil.rmtree(tmp_path / "sites")
    assert registry.versions(tmp_path, "blog") == []
