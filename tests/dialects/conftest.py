"""Languages are told from the first request on."""

from __future__ import annotations

import pytest

from moderation.dialects.api_perspective import DETECTOR


@pytest.fixture(scope="session", autouse=True)
def detector_is_loaded() -> None:
    DETECTOR.load()
