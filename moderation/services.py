"""Services: the open resources of a running program. `app` opens them, edges read them, and slices do not import them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request

from moderation.articles.related import Related
from moderation.comments.thread_cache import Threads
from moderation.core.signing import Signer
from moderation.core.urls import Links
from moderation.db.database import Database
from moderation.db.files import Look
from moderation.db.periodic import Periodic
from moderation.dialects.checks import Checks
from moderation.dialects.keys import Keys
from moderation.dialects.usage import KeyUsage
from moderation.intake.intake import Intake
from moderation.outbox.delivery import Deliverer
from moderation.outbox.mail_check import MailCheck
from moderation.policy.agreement import Agreement
from moderation.policy.read_along import ReadAlong
from moderation.policy.scorer import Scorer
from moderation.policy.what_if import WhatIf
from moderation.privacy.retention import Keep
from moderation.queue.live import Live
from moderation.settings import Settings
from moderation.sites.cache import Directory
from moderation.team.access import Authenticator
from moderation.web.middleware import ProxyWatch
from moderation.web.templating import Pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One for each process, created at its start."""

    settings: Settings
    clock: Callable[[], int]
    """Unix milliseconds."""
    started: float
    """Seconds of the monotonic clock."""
    database: Database
    links: Links
    directory: Directory
    authenticator: Authenticator
    threads: Threads
    related: Related
    scorer: Scorer
    what_if: WhatIf
    models: Path
    """The folder of the sites' corrections."""
    models_room: Look
    read_along: ReadAlong
    intake: Intake
    checks: Checks
    keys: Keys
    outbox: Deliverer
    mails: bool
    """Mail is set up."""
    mail_check: MailCheck
    live: Live
    periodic: Periodic
    keep: Keep
    agreement: Agreement
    pages: Pages
    openapi: dict[str, Any]
    proxy: ProxyWatch
    key_usage: KeyUsage
    decided: Counter[str] = field(default_factory=Counter)
    """Comments that moderators have decided since the start, by action."""

    @property
    def signer(self) -> Signer:
        return self.links.signer


class Application(Starlette):
    """The program as a server runs it."""

    services: Services
    """Once it has started."""


def services_of(request: Request) -> Services:
    """The services of the process."""
    application: Application = request.scope["app"]
    return application.services
