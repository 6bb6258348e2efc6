"""A model with a second reader: one that a test holds up and breaks, and the toy reader beside the shipped table."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classifier.base import open_base
from classifier.examples import Asked, Scored
from classifier.serving import Classifier
from classifier.together import KINDS
from moderation.intake.unread import Unread
from tests.classifier.conftest import with_reader
from tests.conftest import Service

SNEER = "the tulips know what you did"
"""What the second reader finds insulting, and the table does not."""


class TwoReaders(Classifier):
    """The shipped table, and a second reader that reads once it is `free`, and fails while it is `broken` or at a text with
    `poison`."""

    def __init__(self) -> None:
        super().__init__(None)
        self.free = threading.Event()
        self.free.set()
        self.broken = False
        self.has_read: list[str] = []

    @property
    def reads_twice(self) -> bool:
        return True

    def score(self, asked: Sequence[Asked], read: bool = True) -> list[Scored]:
        found = super().score(asked, read=False)
        if not read:
            return found
        assert self.free.wait(30)
        if self.broken or any("poison" in one.text for one in asked):
            raise RuntimeError("of words that nobody may read")
        self.has_read += [one.text for one in asked]
        return [
            replace(one, scores=dict(one.scores) | ({"insult": 0.99} if SNEER in text.text else {"spam": 0.0}))
            for one, text in zip(found, asked, strict=True)
        ]


def reading_models(folder: Path) -> Path:
    """A model folder with the shipped table and the toy reader, which finds nothing."""
    base = open_base(None)
    calm = {"table": 1.0, "reader": 0.0, "bias": -3.0}
    card: dict[str, Any] = {
        "excess": dict.fromkeys(base.thresholds, 0.0),
        "stages": {kind: dict.fromkeys(base.thresholds, calm) for kind in KINDS},
        "thresholds": dict(base.thresholds),
    }
    return with_reader(folder, base, card=card)


@pytest.fixture
def classifier() -> Iterator[TwoReaders]:
    found = TwoReaders()
    yield found
    found.free.set()


async def by_hand(service: Service) -> Unread:
    """The unread comments, which from now on are read when a test says so."""
    unread = service.services.intake.unread
    await unread.stop()
    return unread


async def until(ready: Callable[[], bool | Awaitable[bool]], what: str) -> None:
    """Asks until it is so; never longer than needed."""
    end = time.monotonic() + 30
    while not (await found if isinstance(found := ready(), Awaitable) else found):
        assert time.monotonic() < end, f"waited for {what}"
        await asyncio.sleep(0.005)


async def shown(service: Service, id: str) -> dict[str, Any]:
    answer = await service.client.get(f"/api/v1/comments/{id}", headers=await service.token())
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def rules_of(comment: dict[str, Any]) -> list[str]:
    return [reason["rule"] for reason in comment["verdict"]["reasons"] if "rule" in reason]
