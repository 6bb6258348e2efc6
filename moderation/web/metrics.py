"""Counts for those who watch the service, in Prometheus's text format."""

from __future__ import annotations

import hmac
import time
from collections import Counter
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from moderation.comments.model import AUDIT_SAMPLE
from moderation.comments.verdict import HOLD
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Unauthorized
from moderation.learning import store as training_state
from moderation.learning import store_shadow as shadows
from moderation.outbox import store as outbox
from moderation.policy import store_rule_health as rule_health
from moderation.policy import store_verdicts as decided_verdicts
from moderation.queue import store as queue
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import DAY
from moderation.web.operations import Media, operation


@operation("GET", "/metrics", answers={200: Media("text/plain")}, tag="operations")
async def get_metrics(request: Request) -> Response:
    """Counts, in Prometheus's text format."""
    services = services_of(request)
    if services.settings.metrics_token:
        kind, _, sent = request.headers.get("authorization", "").partition(" ")
        good = hmac.compare_digest(sent.strip().encode(), services.settings.metrics_token.encode())
        if kind.lower() != "bearer" or not good:
            raise Unauthorized("MODERATION_METRICS_TOKEN is needed as a bearer token.")
    async with services.database.reading() as session:
        counts = await queue.counts(session, EVERYWHERE)
        caught = await rule_health.counts(session, None)
        muted = Counter(rule for site in (await sites.sites(session)).values() for rule in site.muted)
        since = services.clock() - 30 * DAY
        turned, looked = (
            await decided_verdicts.tallied(session, since),
            await decided_verdicts.tallied(session, since, AUDIT_SAMPLE),
        )
        untold, outdated = await outbox.counts(session), await training_state.outdated(session)
        beside = await shadows.counts(session)
        told = await services.agreement.of(session, services.clock())
    lines: list[str] = []

    def family(name: str, kind: str, meaning: str, values: Mapping[str, float], label: str = "") -> None:
        lines.extend([f"# HELP moderation_{name} {meaning}", f"# TYPE moderation_{name} {kind}"])
        for key, value in sorted(values.items()):
            lines.append(f'moderation_{name}{{{label}="{key}"}} {value}' if label else f"moderation_{name} {value}")

    intake, threads = services.intake, services.threads
    family("comments", "gauge", "Stored comments by status.", dict(counts), "status")
    family("verdicts_total", "counter", "Verdicts by action since the start.", dict(intake.counts.actions), "action")
    family("refused_total", "counter", "Submissions refused, by code.", dict(intake.counts.refused), "code")
    family("decisions_total", "counter", "Comments decided by people, by action.", dict(services.decided), "action")
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
    family(
        "outbox_tries_total", "counter", "Tries to deliver, by how they went.", dict(services.outbox.results), "result"
    )
    family("thread_hits_total", "counter", "Threads served from memory.", {"": threads.hits})
    family("thread_builds_total", "counter", "Threads built from the database.", {"": threads.builds})
    family("model_ok", "gauge", "1 where the model answers.", {"": 0 if services.scorer.problem else 1})
    family("up_seconds", "gauge", "Since the start.", {"": round(time.monotonic() - services.started, 1)})
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


routes = [get_metrics]
