"""The dialects in this process: languages are told from the first request on; of Akismet a key, and a stand-in for the checks whose
verdict the test sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from moderation.comments.decision import STATUS_AFTER
from moderation.comments.model import Comment
from moderation.comments.verdict import HOLD, PUBLISH, SPAM, Reason, Verdict
from moderation.dialects.api_perspective import DETECTOR
from moderation.dialects.checks import Checks
from moderation.dialects.model import Check, CheckResult
from moderation.team import access
from moderation.team.model import Principal
from tests.conftest import Service


@pytest.fixture(scope="session", autouse=True)
def detector_is_loaded() -> None:
    DETECTOR.load()


PUBLISHED = Verdict(action=PUBLISH)
FILED = Verdict(action=SPAM, reasons=(Reason(rule="certain-spam", label="spam"),))
UNSCORED = Verdict(action=HOLD, reasons=(Reason(rule="unscored"),))


@dataclass
class SetChecks(Checks):
    """Checks with a set verdict. It notes what it was given."""

    verdict: Verdict = PUBLISHED
    error: Exception | None = None
    judged: list[Check] = field(default_factory=list)
    stored: dict[tuple[str, str, str], Comment] = field(default_factory=dict)
    decisions: list[tuple[str, str]] = field(default_factory=list)

    async def judge(self, site: str, checks: Sequence[Check]) -> list[CheckResult]:
        if self.error:
            raise self.error
        self.judged += checks
        return [CheckResult(verdict=self.verdict) for _ in checks]

    async def submit(self, site: str, check: Check) -> CheckResult:
        [judgement] = await self.judge(site, [check])
        key = (site, check.email or check.name, check.text)
        made = Comment(
            id=f"{len(self.stored):026}", site=site, article=check.article, parent=None, path="", status=self.verdict.status,
            revision=1, name=check.name, email=check.email, url=check.url or None, body=check.text, html="", created_at=0,
        )  # fmt: skip
        comment = self.stored.setdefault(key, made)
        return replace(judgement, comment=comment)

    async def find(self, site: str, check: Check) -> Comment | None:
        return self.stored.get((site, check.email or check.name, check.text))

    async def decide(
        self, principal: Principal, comment: Comment, action: str, labels: tuple[str, ...] = (), note: str = ""
    ) -> str:
        if self.error:
            raise self.error
        self.decisions.append((comment.body, action))
        for key, one in self.stored.items():
            if one.id == comment.id:
                self.stored[key] = replace(one, status=STATUS_AFTER[action], is_decided=True)
        return "decision"


@dataclass
class Akismet:
    """A client with a key of its own."""

    service: Service
    checks: SetChecks
    key: str
    blog: str = "https://blog.example.com"

    async def call(
        self, path: str, method: str = "POST", headers: dict[str, str] | None = None, **values: Any
    ) -> httpx.Response:
        """A call by `api_key` with a blog; a value of None leaves a parameter out."""
        every = {"api_key": self.key, "blog": self.blog} | values
        sent = {name: value for name, value in every.items() if value is not None}
        more: dict[str, Any] = {"params": sent} if method == "GET" else {"data": sent}
        return await self.service.client.request(method, path, headers=headers, **more)

    async def check(self, **values: Any) -> httpx.Response:
        comment = {
            "comment_author": "Ann", "comment_author_email": "ann@example.org", "comment_content": "Kind words.",
            "permalink": f"{self.blog}/post", "user_ip": "203.0.113.7",
        }  # fmt: skip
        return await self.call("/1.1/comment-check", **comment | values)

    async def submit(self, what: str, **values: Any) -> httpx.Response:
        comment = {
            "comment_author": "Ann", "comment_author_email": "ann@example.org", "comment_content": "Kind words.",
            "permalink": f"{self.blog}/post",
        }  # fmt: skip
        return await self.call(f"/1.1/submit-{what}", **comment | values)

    async def sites(self, **values: Any) -> Any:
        return (await self.call("/1.2/key-sites", **values)).json()

    async def counts(self) -> dict[str, str]:
        """The counts of the only client's site in this month."""
        document = await self.sites()
        [[site]] = [rows for rows in document.values() if isinstance(rows, list)]
        return {name: count for name, count in site.items() if isinstance(count, str) and name != "site"}


async def new_key(service: Service, scopes: str = "score,teach", site: str = "*") -> str:
    services = service.services
    async with services.database.transaction() as tx:
        return await access.add_token(
            tx, services.signer, site, frozenset(scopes.split(",")), service.clock(), akismet=scopes != "moderate"
        )


@pytest.fixture
async def akismet(service: Service) -> Akismet:
    checks = SetChecks()
    service.have(checks=checks)
    return Akismet(service, checks, await new_key(service))
