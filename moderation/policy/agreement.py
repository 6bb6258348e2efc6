"""The model against moderators over the last 30 days, for `/metrics`: kept for ten minutes, because it reads decisions one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moderation.core.ids import EVERYWHERE
from moderation.db.database import Session
from moderation.policy import error_rates
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy.store_verdicts import Outcome
from moderation.sites.model import DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgreement:
    """One label: texts that moderators `decided`, and those of them where the model `agreed` at a threshold of one half."""

    decided: int
    agreed: int
    reliability: Sequence[dict[str, Any]]
    """By tenths of the probability: {from, count, mean, share}, as `error_rates.reliability` gives them."""


class Agreement:
    """Label → LabelAgreement, computed at most every ten minutes: scrapers ask every few seconds."""

    EVERY = 600_000
    """Milliseconds."""
    MOST = 5_000
    """The most decisions read; the latest ones count."""

    def __init__(self) -> None:
        self._at: int | None = None
        self._labels: dict[str, LabelAgreement] = {}

    async def of(self, session: Session, now: int) -> dict[str, LabelAgreement]:
        if self._at is None or not 0 <= now - self._at < self.EVERY:
            self._at = now
            outcomes = await decided_verdicts.outcomes(session, EVERYWHERE, now - 30 * DAY, self.MOST)
            self._labels = await asyncio.to_thread(by_label, outcomes)
        return self._labels


def by_label(outcomes: list[Outcome]) -> dict[str, LabelAgreement]:
    return {
        label: LabelAgreement(
            decided=share["count"],
            agreed=share["hits"],
            reliability=error_rates.reliability(outcomes, label),
        )
        for label, share in error_rates.agreement(outcomes).items()
    }
