"""The model of an answer, the kept versions with their cards, and requests that name the version that is to judge."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from classifier import registry
from classifier.hashing import SITE_BUCKETS
from classifier.labels import LABELS
from classifier.serving import Classifier
from moderation.app import create_app
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import Site
from tests.conftest import Clock, Service

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("address", ["sqlite"], indirect=True)]

HEADER = "X-Model-Version"
OTHER = "20250101-0ther"
TEXT = "A calm remark about beans."
ANALYZE = "/v1alpha1/comments:analyze"
ASKED = {"comment": {"text": TEXT}, "requestedAttributes": {"TOXICITY": {}}}


def shift(labels: list[str], by: float) -> Any:
    return np.array([by if label in labels else 0.0 for label in LABELS], np.float32)


def write_correction(models: Path, site: str, version: str, base: registry.Folder, by: float) -> None:
    """A correction that raises every toxicity of a site."""
    card = {
        "kind": "correction", "date": f"2026-01-0{version[-1]}T00:00:00+00:00", "base": base.checksum, "base version": base.version,
        "labels": list(LABELS), "figures": {"decisions": 20}, "until": 1.0, "before": "base",
    }  # fmt: skip
    arrays = {"weights": np.zeros((SITE_BUCKETS, len(LABELS)), np.float16), "shift": shift(["toxicity"], by)}
    registry.write(registry.site_folder(models, site), version, card, {}, arrays)


@dataclass
class Kept:
    service: Service
    classifier: Classifier
    models: Path
    base: registry.Folder

    async def models_of(self, site: str = "default") -> list[dict[str, Any]]:
        answer = await self.service.client.get("/api/v1/models", headers=await self.service.token("score", site))
        assert answer.status_code == 200, answer.text
        models: list[dict[str, Any]] = answer.json()["models"]
        return models

    async def score(self, version: str = "", site: str = "default", **body: Any) -> httpx.Response:
        headers = await self.service.token("score", site) | ({HEADER: version} if version else {})
        return await self.service.client.post("/api/v1/score", json=body or {"text": TEXT}, headers=headers)

    async def analyze(self, version: str = "", site: str = "default") -> httpx.Response:
        key = (await self.service.token("score", site))["Authorization"].removeprefix("Bearer ")
        headers = {HEADER: version} if version else {}
        return await self.service.client.post(ANALYZE, params={"key": key}, json=ASKED, headers=headers)

    async def toxicity(self, version: str = "", site: str = "default") -> float:
        """The same by both ways of asking, which name the same model."""
        scored, analyzed = await self.score(version, site), await self.analyze(version, site)
        assert scored.status_code == analyzed.status_code == 200, scored.text + analyzed.text
        assert scored.headers[HEADER] == analyzed.headers[HEADER] == scored.json()["model"]
        if version:
            assert scored.json()["model"] == version
        value = analyzed.json()["attributeScores"]["TOXICITY"]["summaryScore"]["value"]
        assert value == pytest.approx(scored.json()["scores"]["toxicity"])
        return float(value)


@pytest.fixture
async def kept(settings: Settings, tmp_path: Path) -> AsyncIterator[Kept]:
    """A service with the shipped base, another one, and two corrections of its site `blog`, one of them live."""
    models = tmp_path / "models"
    base = registry.read(registry.SHIPPED, registry.pointer(registry.SHIPPED) or "")
    bias = np.array(base.arrays["bias"])
    bias[:, LABELS.index("toxicity")] += 3
    registry.write(
        models, OTHER, base.card | {"date": "2025-01-01T00:00:00+00:00"}, base.data, base.arrays | {"bias": bias}
    )
    write_correction(models, "blog", "c1", base, 1.0)
    write_correction(models, "blog", "c2", base, 2.0)
    registry.point(registry.site_folder(models, "blog"), "c2")
    classifier, clock = Classifier(models, reader=False), Clock()
    app = create_app(settings, classifier=classifier, clock=clock, say=None)
    async with app.router.lifespan_context(app):
        async with app.services.database.transaction() as tx:
            for site in ("default", "blog"):
                await sites.put_site(tx, Site(key=site, name=site), clock())
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.9", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client:
            yield Kept(Service(app, client, clock, settings), classifier, models, base)


async def test_the_kept_versions_are_listed_with_their_cards(kept: Kept) -> None:
    base = kept.base.version
    assert [(one["version"], one["current"], one["kind"]) for one in await kept.models_of()] == [
        (OTHER, False, "base"), (base, True, "base"),
    ]  # fmt: skip
    for site in ("default", "*"):
        assert {one["version"] for one in await kept.models_of(site)} == {OTHER, base}
    blog = {one["version"]: one for one in await kept.models_of("blog")}
    assert set(blog) == {OTHER, base, f"{base}+blog.c1", f"{base}+blog.c2"}
    assert [version for version, one in blog.items() if one["current"]] == [f"{base}+blog.c2"]
    assert blog[base]["date"] == kept.base.card["date"]
    assert blog[base]["card"]["metrics"]["languages"] == kept.base.card["metrics"]["languages"]
    assert blog[base]["card"]["thresholds"] == kept.base.card["thresholds"]
    assert "false alarms" in kept.base.card["metrics"] and "false alarms" not in blog[base]["card"]["metrics"]
    assert blog[f"{base}+blog.c1"]["card"] == {
        "kind": "correction", "date": "2026-01-01T00:00:00+00:00", "base version": base, "labels": list(LABELS),
        "figures": {"decisions": 20}, "before": "base",
    }  # fmt: skip


async def test_the_list_needs_the_scope(kept: Kept) -> None:
    client = kept.service.client
    assert (await client.get("/api/v1/models")).status_code == 401
    assert (await client.get("/api/v1/models", headers=await kept.service.token("moderate"))).status_code == 403


async def test_a_request_gets_the_version_that_it_names(kept: Kept) -> None:
    base = kept.base.version
    plain = await kept.toxicity()
    assert plain == await kept.toxicity(base) < await kept.toxicity(OTHER)
    live = await kept.toxicity(site="blog")
    by_name = {one["version"]: await kept.toxicity(one["version"], "blog") for one in await kept.models_of("blog")}
    assert by_name[f"{base}+blog.c2"] == pytest.approx(live)
    assert by_name[base] == pytest.approx(plain)
    assert plain < by_name[f"{base}+blog.c1"] < live
    assert await kept.toxicity(site="blog") == live


async def test_a_version_judges_by_its_own_thresholds(kept: Kept) -> None:
    data = kept.base.data
    strict = {**kept.base.card, "thresholds": dict.fromkeys(LABELS, 1e-9)}
    registry.write(kept.models, "strict", strict, data, kept.base.arrays)
    assert (await kept.score()).json()["action"] == "publish"
    assert (await kept.score("strict")).json()["action"] == "hold"


async def test_many_texts_are_scored_by_the_named_version(kept: Kept) -> None:
    texts = [TEXT] * 70
    answer = await kept.score(OTHER, texts=texts)
    assert answer.json()["model"] == answer.headers[HEADER] == OTHER and len(answer.json()["results"]) == 70
    empty = await kept.score(site="blog", texts=[])
    assert empty.json() == {"results": [], "model": f"{kept.base.version}+blog.c2"}


@pytest.mark.parametrize("version", [
    "nobody", "..", "../secret", "current", "x" * 9_000, "c1", "+", "+blog.c1", "{base}+", "{base}+blog.c3", "{base}+default.c1",
    "{base}+blog.{base}", "{other}+blog.c1", "{base}+blog./../c1",
])  # fmt: skip
async def test_any_other_name_is_an_error_in_the_form_of_its_path(kept: Kept, version: str) -> None:
    named = version.format(base=kept.base.version, other=OTHER)
    for site in ("default", "blog"):
        scored, analyzed = await kept.score(named, site), await kept.analyze(named, site)
        assert scored.status_code == analyzed.status_code == 400
        assert scored.headers["content-type"] == "application/problem+json" and scored.json()["code"] == "model"
        assert analyzed.json()["error"]["details"][0]["errorType"] == "INVALID_REQUEST"
        assert analyzed.json()["error"]["message"].startswith("X-Model-Version names no version")


async def test_a_sites_correction_is_no_other_sites(kept: Kept) -> None:
    assert (await kept.score(f"{kept.base.version}+blog.c2", "default")).status_code == 400


async def test_a_correction_goes_with_its_base(kept: Kept) -> None:
    before = f"{kept.base.version}+blog.c1"
    await kept.toxicity(before, "blog")
    registry.point(kept.models, OTHER)
    await kept.score()  # the pointer is read with the next text
    assert (await kept.score(site="blog")).json()["model"] == OTHER
    assert (await kept.score(before, "blog")).status_code == 400
    assert {one["version"]: one["current"] for one in await kept.models_of("blog")} == {
        OTHER: True,
        kept.base.version: False,
    }
    assert (await kept.score(kept.base.version, "blog")).json()["model"] == kept.base.version


async def test_one_version_is_open_at_a_time_and_nobody_waits_for_it(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, may_go_on, real = list[str](), threading.Event(), kept.classifier.at

    def slow(version: str, site: str = "") -> Classifier:
        opened.append(version)
        assert may_go_on.wait(30)
        return real(version, site)

    monkeypatch.setattr(kept.classifier, "at", slow)
    waiting = [asyncio.create_task(kept.score(OTHER)) for _ in range(3)]
    while not opened:
        await asyncio.sleep(0.01)
    assert (await kept.score()).status_code == (await kept.analyze()).status_code == 200
    assert (await kept.service.post()).status_code == 201
    assert not any(task.done() for task in waiting)
    may_go_on.set()
    assert {(await task).json()["model"] for task in waiting} == {OTHER}
    assert opened == [OTHER]
    await kept.score(f"{kept.base.version}+blog.c1", "blog")
    await kept.score(OTHER)
    assert opened == [OTHER, "c1", OTHER]
