"""Metrics in Prometheus's text format."""

from __future__ import annotations

import hmac
import time
from collections import Counter
from collections.abc import Mapping

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import Response

from moderation.comments.model import AUDIT_SAMPLE
from moderation.comments.verdict import HOLD
from moderation.core.ids import EVERYWHERE
from moderation.core.problem import Unauthorized
from moderation.learning import store as training_state
from moderation.outbox import store as outbox
from moderation.policy import store_read_along as read_along
from moderation.policy import store_rule_health as rule_health
from moderation.policy import store_verdicts as decided_verdicts
from moderation.policy.agreement import Agreement, LabelAgreement
from moderation.queue import store as queue
from moderation.services import services_of
from moderation.sites import store as sites
from moderation.sites.model import DAY
from moderation.web.operations import Media, operation


class Families:
    """The metric families of one scrape, as a collector of `prometheus_client`."""

    def __init__(self) -> None:
        self.families: list[Metric] = []

    def collect(self) -> list[Metric]:
        return self.families

    def gauge(self, name: str, meaning: str, values: float | Mapping[str, float], label: str = "") -> None:
        """`values`: one number, or one for each value of `label`."""
        family = GaugeMetricFamily(f"moderation_{name}", meaning, labels=[label] if label else [])
        self._add(family, values)

    def counter(self, name: str, meaning: str, values: float | Mapping[str, float], label: str = "") -> None:
        """As `gauge`, for a number that only grows while the process runs. The format ends a counter's name in `_total`."""
        family = CounterMetricFamily(f"moderation_{name}", meaning, labels=[label] if label else [])
        self._add(family, values)

    def _add(self, family: GaugeMetricFamily | CounterMetricFamily, values: float | Mapping[str, float]) -> None:
        if isinstance(values, Mapping):
            for key, value in sorted(values.items()):
                family.add_metric([key], value)
        else:
            family.add_metric([], values)
        self.families.append(family)

    def agreement(self, labels: Mapping[str, LabelAgreement]) -> None:
        of = f"of 30 days, the latest {Agreement.MOST:,} decisions, read every ten minutes."
        self.gauge("label_decided", f"Texts of which people said whether the label is right, {of}",
                   {label: one.decided for label, one in labels.items()}, "label")  # fmt: skip
        self.gauge("label_agreed", "Of those, the ones of which the model had said the same at one half.",
                   {label: one.agreed for label, one in labels.items()}, "label")  # fmt: skip
        for name, meaning, key in (
            ("decided", "The same texts by tenths of the model's probability.", "count"),
            ("said", "The mean probability that the model gave these.", "mean"),
            ("share", "The share of these that people called so.", "share"),
        ):
            family = GaugeMetricFamily(f"moderation_reliability_{name}", meaning, labels=["label", "from"])
            for label, one in labels.items():
                for tenth in one.reliability:
                    family.add_metric([label, str(tenth["from"])], round(tenth[key], 4))
            self.families.append(family)


@operation("GET", "/metrics", answers={200: Media("text/plain")}, tag="operations")
async def get_metrics(request: Request) -> Response:
    """Counts, in Prometheus's text format."""
    services = services_of(request)
    if expected := services.settings.metrics_token.get_secret_value():
        kind, _, sent = request.headers.get("authorization", "").partition(" ")
        good = hmac.compare_digest(sent.strip().encode(), expected.encode())
        if kind.lower() != "bearer" or not good:
            raise Unauthorized("MODERATION_METRICS_TOKEN is needed as a bearer token.")
    async with services.database.reading() as session:
        counts = await queue.counts(session, EVERYWHERE)
        caught = await rule_health.counts(session, None)
        muted = Counter(rule for site in (await sites.sites(session)).values() for rule in site.muted)
        since = services.clock() - 30 * DAY
        verdicts = await decided_verdicts.tallied(session, since)
        sampled = await decided_verdicts.tallied(session, since, AUDIT_SAMPLE)
        waiting, outdated = await outbox.counts(session), await training_state.outdated(session)
        read = await read_along.counts(session)
        agreement = await services.agreement.of(session, services.clock())
    families, intake, threads = Families(), services.intake, services.threads
    gauge, counter = families.gauge, families.counter
    gauge("comments", "Stored comments by status.", dict(counts), "status")
    counter("verdicts_total", "Verdicts by action since the start.", dict(intake.counts.actions), "action")
    counter("refused_total", "Submissions refused, by code.", dict(intake.counts.refused), "code")
    counter("decisions_total", "Comments decided by people, by action.", dict(services.decided), "action")
    counter("rule_hits_total", "Comments that a rule caught.", {r: c.hits for r, c in caught.items()}, "rule")
    gauge("rule_decided", "Of those, decided by people.", {r: c.decided for r, c in caught.items()}, "rule")
    gauge("rule_overturned", "Of those, approved all the same.", {r: c.overturned for r, c in caught.items()}, "rule")
    gauge("rule_muted", "Sites on which a rule is muted.", dict(muted), "rule")
    decided, overturned = ({action: pair[n] for action, pair in verdicts.items()} for n in (0, 1))
    gauge("verdicts_decided", "Verdicts of 30 days that people decided on.", decided, "action")
    gauge("verdicts_overturned", "Of those, overturned: the service erred.", overturned, "action")
    decided, overturned = ({a: pair[n] for a, pair in sampled.items() if a != HOLD} for n in (0, 1))
    gauge("audit_sample_decided", "Decided verdicts of the random audit sample.", decided, "action")
    gauge("audit_sample_overturned", "Of those, overturned: the true error rate.", overturned, "action")
    families.agreement(agreement)
    counter("batches_total", "Batches written.", intake.counts.batches)
    gauge("waiting", "Submissions that wait for the writer.", intake.waiting)
    gauge("models_outdated", "Live models that hold what erased persons taught.", len(outdated))
    gauge("read_along_verdicts", "Verdicts of the model that reads along.", {site: n for site, n, _ in read}, "site")
    gauge("read_along_changed", "Of those, unlike the serving one's.", {site: n for site, _, n in read}, "site")
    gauge("outbox", "Mails and webhook messages that wait, or were given up.", dict(waiting), "state")
    counter("outbox_attempts_total", "Attempts to deliver, by result.", dict(services.outbox.results), "result")
    counter("thread_hits_total", "Threads served from memory.", threads.hits)
    counter("thread_builds_total", "Threads built from the database.", threads.builds)
    gauge("model_ok", "1 where the model answers.", 0 if services.scorer.problem else 1)
    gauge("reader_ok", "1 where the second reader reads, or none has to.", 0 if services.scorer.reader.problem else 1)
    gauge("unread", "Comments stored unread that wait for the second reader.", len(intake.unread))
    gauge("up_seconds", "Since the start.", round(time.monotonic() - services.started, 1))
    registry = CollectorRegistry(auto_describe=True)  # for this scrape alone; it refuses two families of one name
    registry.register(families)
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


routes = [get_metrics]
