"""The setting with the origins of pages that may ask for scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moderation.settings import SettingsError, load


@pytest.mark.parametrize(
    "origins", ["*", "https://*.example", "blog.example", "https://a.example b", "ftp://a.example"]
)
def test_an_origin_that_no_browser_sends_is_no_setting(tmp_path: Path, origins: str) -> None:
    with pytest.raises(SettingsError, match="MODERATION_SCORE_ORIGINS"):
        load(database=str(tmp_path / "x"), score_origins=origins)


def test_the_setting_is_for_a_list(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "database": str(tmp_path / "x"),
        "score_origins": " https://a.example ,https://b.example:443/,",
    }
    assert load(**given).scoring_origins == {"https://a.example", "https://b.example"}
