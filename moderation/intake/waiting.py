"""Arrivals in the writer's queue, and what a batch makes of each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from moderation.core.problem import Problem
from moderation.intake.admission import Accepted, Arrival
from moderation.policy.answer import Answer
from moderation.sites.site_settings import SiteSettings


@dataclass(frozen=True, slots=True)
class Waiting:
    """An arrival in the queue; with `answer`, after it was set aside for the second reader; with `is_compiled`, after it was set
    aside for its site's lists."""

    arrival: Arrival
    future: asyncio.Future[Accepted]
    answer: Answer | None = None
    is_compiled: bool = False


@dataclass(frozen=True, slots=True)
class ToRead:
    """The result of an arrival that the second reader reads before it is stored."""

    by_table: Answer


@dataclass(frozen=True, slots=True)
class ToCompile:
    """The result of an arrival whose site's lists are compiled before it is judged."""

    settings: SiteSettings


Result = Accepted | ToRead | ToCompile | Problem
