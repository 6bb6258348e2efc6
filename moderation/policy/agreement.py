"""The model against moderators, in Prometheus's text format: kept for some minutes, since it reads decisions one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from moderation.core.ids import EVERYWHERE
from moderation.db.database import Session
from moderation.policy import error_rates
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy.store_verdicts import Outcome
from moderation.sites.model import DAY


class Agreement:
    """The model against moderators, of 30 days. It reads decisions one by one, and whoever scrapes comes every few seconds."""

    EVERY = 600_000
    MOST = 5_000

    def __init__(self) -> None:
        self._at: int | None = None
        self._lines: list[str] = []

    async def of(self, session: Session, now: int) -> list[str]:
        if self._at is None or not 0 <= now - self._at < self.EVERY:
            self._at = now
            found = await decided_verdicts.outcomes(session, EVERYWHERE, now - 30 * DAY, self.MOST)
            self._lines = await asyncio.to_thread(in_lines, found)
        return self._lines


def in_lines(found: list[Outcome]) -> list[str]:
    lines: list[str] = []

    def family(name: str, meaning: str, values: Mapping[str, float]) -> None:
        lines.extend([f"# HELP moderation_{name} {meaning}", f"# TYPE moderation_{name} gauge"])
        lines.extend(f"moderation_{name}{{{labels}}} {value}" for labels, value in values.items())

    agreed = error_rates.agreement(found)
    of = f"of 30 days, the latest {Agreement.MOST:,} decisions, read every ten minutes."
    family("label_decided", f"Texts of which people said whether the label is right, {of}",
           {f'label="{label}"': one["count"] for label, one in agreed.items()})  # fmt: skip
    family("label_agreed", "Of those, the ones of which the model had said the same at one half.",
           {f'label="{label}"': one["hits"] for label, one in agreed.items()})  # fmt: skip
    curve = {
        f'label="{label}",from="{one["from"]}"': one
        for label in agreed
        for one in error_rates.reliability(found, label)
    }
    family("reliability_decided", "The same texts by tenths of what the model said.",
           {key: one["count"] for key, one in curve.items()})  # fmt: skip
    family("reliability_said", "The mean probability that the model gave these.",
           {key: round(one["mean"], 4) for key, one in curve.items()})  # fmt: skip
    family("reliability_share", "The share of these that people called so.",
           {key: round(one["share"], 4) for key, one in curve.items()})  # fmt: skip
    return lines
