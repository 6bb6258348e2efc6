"""Counts for those who watch the service, in Prometheus's text format."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import Counter
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from moderation.comments.model import AUDIT_SAMPLE
from moderation.comments.verdict import HOLD
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Unauthorized
from moderation.db.database import Session
from moderation.learning import store as training_state
from moderation.learning import store_shadow as shadows
from moderation.outbox import store as outbox
from moderation.policy import error_rates
from moderation.policy import store_rule_health as rule_health
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy.store_verdicts import Outcome
from moderation.queue import store as queue
from moderation.sites import store as sites
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


async def metrics(request: Request) -> Response:
    """Counts, in Prometheus's text format."""
    state = request.app.state
    if state.metrics_token:
        kind, _, sent = request.headers.get("authorization", "").partition(" ")
        good = hmac.compare_digest(sent.strip().encode(), state.metrics_token.encode())
        if kind.lower() != "bearer" or not good:
            raise Unauthorized("MODERATION_METRICS_TOKEN is needed as a bearer token.")
    async with state.database.reading() as session:
        counts = await queue.counts(session, EVERYWHERE)
        caught = await rule_health.counts(session, None)
        muted = Counter(rule for site in (await sites.sites(session)).values() for rule in site.muted)
        since = state.clock() - 30 * DAY
        turned, looked = (
            await decided_verdicts.tallied(session, since),
            await decided_verdicts.tallied(session, since, AUDIT_SAMPLE),
        )
        untold, outdated = await outbox.counts(session), await training_state.outdated(session)
        beside = await shadows.counts(session)
        told = await state.agreement.of(session, state.clock())
    lines: list[str] = []

    def family(name: str, kind: str, meaning: str, values: Mapping[str, float], label: str = "") -> None:
        lines.extend([f"# HELP moderation_{name} {meaning}", f"# TYPE moderation_{name} {kind}"])
        for key, value in sorted(values.items()):
            lines.append(f'moderation_{name}{{{label}="{key}"}} {value}' if label else f"moderation_{name} {value}")

    intake, threads = state.intake, state.threads
    family("comments", "gauge", "Stored comments by status.", dict(counts), "status")
    family("verdicts_total", "counter", "Verdicts by action since the start.", dict(intake.counts.actions), "action")
    family("refused_total", "counter", "Submissions refused, by code.", dict(intake.counts.refused), "code")
    family("decisions_total", "counter", "Comments decided by people, by action.", dict(state.decided), "action")
    family("rule_hits_total", "counter", "Comments that a rule caught.", {r: c.hits for r, c in caught.items()}, "rule")
    decided, overturned = ({r: getattr(c, what) for r, c in caught.items()} for what in ("decided", "overturned"))
    family("rule_decided", "gauge", "Of those, decided by people.", decided, "rule")
    family("rule_overturned", "gauge", "Of those, approved all the same.", overturned, "rule")
    family("rule_muted", "gauge", "Sites on which a rule is muted.", dict(muted), "rule")
    after, round_ = ({action: pair[n] for action, pair in turned.items()} for n in (0, 1))
    family("verdicts_decided", "gauge", "Verdicts of 30 days that people decided on.", after, "action")
    family("verdicts_overturned", "gauge", "Of those, turned round: the service erred.", round_, "action")
    after, round_ = ({a: pair[n] for a, pair in looked.items() if a != HOLD} for n in (0, 1))
    family("second_look_decided", "gauge", "Of these, those that the random second look picked.", after, "action")
    family("second_look_overturned", "gauge", "Of those, turned round: the true rate of errors.", round_, "action")
    lines += told
    family("batches_total", "counter", "Batches written.", {"": intake.counts.batches})
    family("waiting", "gauge", "Submissions that wait for the writer.", {"": intake.waiting})
    family("models_outdated", "gauge", "Live models that hold what erased persons taught.", {"": len(outdated)})
    compared, differ = {site: n for site, _, n, _ in beside}, {site: n for site, _, _, n in beside}
    family("shadow_compared", "gauge", "Verdicts that the running candidate has given too.", compared, "site")
    family("shadow_differ", "gauge", "Of those, on which the two differ.", differ, "site")
    family("outbox", "gauge", "Mails and webhook messages that wait, or were given up.", dict(untold), "state")
    family("outbox_tries_total", "counter", "Tries to deliver, by how they went.", dict(state.outbox.results), "result")
    family("thread_hits_total", "counter", "Threads served from memory.", {"": threads.hits})
    family("thread_builds_total", "counter", "Threads built from the database.", {"": threads.builds})
    family("model_ok", "gauge", "1 where the model answers.", {"": 0 if state.scorer.problem else 1})
    family("up_seconds", "gauge", "Since the start.", {"": round(time.monotonic() - state.started, 1)})
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


routes = [Route("/metrics", metrics, methods=["GET"])]
