"""A model reads along and decides nothing; its verdicts go when the text goes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from classifier import registry
from classifier.base import open_base
from classifier.hashing import SITE_BUCKETS
from classifier.labels import LABELS
from classifier.serving import Classifier
from moderation.app import create_app
from moderation.db.database import Database
from moderation.learning import store as training_state
from moderation.policy import store_read_along as runs
from moderation.policy.rejudge import Rejudged
from moderation.privacy import data_requests as privacy
from moderation.privacy import retention
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.transfer import store_backup as dump
from tests.conftest import Clock, Server, Service
from tests.html import Page
from tests.policy.test_settings import signed_in
from tests.policy.test_what_if import moves

pytestmark = pytest.mark.anyio
URL = "/api/v1/what-if"
SITE = {"site": "default"}


def candidate(models: Path, version: str, **shift: float) -> str:
    """A correction of the site's that moves whole labels."""
    base = open_base(models)
    arrays = {
        "weights": np.zeros((SITE_BUCKETS, len(LABELS)), np.float16),
        "shift": np.array([shift.get(label, 0.0) for label in LABELS], np.float32),
    }
    card = {"kind": "correction", "date": "2026-01-01", "base": base.checksum, "until": 0.0, "before": "base"}
    registry.write(registry.site_folder(models, "default"), version, card, {}, arrays)
    return version


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """With a model folder of its own, and in it one candidate that finds everything toxic and one that finds nothing new."""
    models = Path(settings.models)
    models.mkdir()
    candidate(models, "stern", toxicity=30.0)
    candidate(models, "same")
    clock, said = Clock(), list[str]()
    app = create_app(settings, classifier=Classifier(models), clock=clock, say=said.append)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.9", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client:
            yield Service(app, client, clock, settings, said)


async def start(service: Service, model: str = "stern") -> Any:
    service.clock.forward(seconds=1)
    answer = await service.client.post(
        URL, json=SITE | {"model": model, "read_along": True}, headers=await service.token()
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(service: Service) -> Any:
    """The report, once everything has been read."""
    await service.services.read_along.read()
    return (await service.client.get(URL, params=SITE, headers=await service.token())).json()


async def decide(service: Service, id: str, action: str) -> None:
    service.clock.forward(seconds=1)
    sent = {"comments": [id], "action": action}
    answer = await service.client.post("/api/v1/decisions", json=sent, headers=await service.token())
    assert answer.status_code == 200, answer.text


async def acts(service: Service) -> list[tuple[str, str]]:
    log = (await service.client.get("/api/v1/audit", headers=await service.token())).json()["entries"]
    return [(e["action"], e["subject"]) for e in log if e["action"].startswith(("read-along:", "model:"))]


async def kept(database: Database, table: str = "read_along_verdicts") -> list[dict[str, Any]]:
    async with database.reading() as session:
        return [dict(zip(dump.TABLES[table], row, strict=True)) async for row in dump.rows(session, table)]


async def test_a_candidate_reads_along_and_decides_nothing(service: Service) -> None:
    before = (await service.post(body="A kind word of before.")).json()["id"]
    begun = await start(service)
    assert begun["run"]["model"] == begun["model"] == "stern" and begun["run"]["running"] and begun["verdicts"] == 0
    assert begun["models"] == ["same", "stern"] and begun["serving"] == service.services.scorer.classifier.version
    first = await service.post(body="A kind word.")
    second = await service.post(body="Another kind word.")
    held = await service.held()
    assert first.status_code == second.status_code == 201, "the one in office decides"
    found = await told(service)
    assert (found["verdicts"], found["changed"], found["unchanged"]) == (3, 2, {"hold": 1})
    assert moves(found) == {("publish", "hold"): 2}
    assert [example["id"] for example in found["examples"]] == [second.json()["id"], first.json()["id"]]
    by = {one["reason"]: (one["from"], one["to"], one["both"]) for one in found["reasons"]}
    assert by == {"label:toxicity": (0, 3, 0), "stranger-with-link": (1, 1, 1)}
    # read once, and what was there before it began is not its affair
    assert (await told(service))["verdicts"] == 3
    ids = {row["id"] for row in await kept(service.services.database)}
    assert ids == {first.json()["id"], second.json()["id"], held} and before not in ids
    assert (await service.thread())["count"] == 3


async def test_it_reads_on_where_the_clock_is_set_back(service: Service) -> None:
    await start(service)
    await service.post(body="A kind word.")
    assert (await told(service))["verdicts"] == 1
    service.clock.forward(hours=-5)
    await service.post(body="Another kind word.")
    assert (await told(service))["verdicts"] == 2


async def test_nothing_of_the_way_in_waits_for_it_or_fails_with_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await start(service)

    def broken(*args: Any) -> Any:
        raise AssertionError("a comment asked the candidate")

    services = service.services
    monkeypatch.setattr(type(services.read_along), "_model", broken)
    monkeypatch.setattr(runs, "add", broken)
    assert (await service.post(body="A kind word.")).status_code == 201
    with pytest.raises(AssertionError):
        await services.read_along.read()
    await services.periodic.due()  # a round that fails is a line in the log
    assert (await service.post(body="Another kind word.")).status_code == 201
    monkeypatch.undo()
    assert (await told(service))["verdicts"] == 2, "made up for"


async def test_it_is_judged_by_the_rules_of_the_time_and_beside_what_moderators_decided(service: Service) -> None:
    await start(service)
    ids = [(await service.post(body=f"A kind word {n}.")).json()["id"] for n in range(3)]
    service.clock.forward(seconds=1)
    listed = await service.client.put(
        "/api/v1/sites/default/rules", json={"hold_at": {"toxicity": 1}}, headers=await service.token("moderate")
    )
    assert listed.status_code == 200
    await service.post(body="A kind word of later.")
    for id, action in zip(ids, ("spam", "approve", "hold"), strict=True):
        await decide(service, id, action)
    found = await told(service)
    assert moves(found) == {("publish", "hold"): 3} and found["unchanged"] == {"publish": 1}
    (move,) = found["changes"]
    assert (move["agree"], move["disagree"]) == (1, 1) and found["decided"] == {"agree": 1, "disagree": 1}
    assert found["labels"]["spam"] == {"decided": 2, "from": 1, "to": 1}
    assert found["labels"]["toxicity"] == {"decided": 1, "from": 1, "to": 0}
    assert found["log_loss"]["to"] > found["log_loss"]["from"] > 0
    headers = await service.token()
    page = (await service.client.get(f"{URL}/comments?site=default&limit=2", headers=headers)).json()
    assert [c["id"] for c in page["comments"]] == ids[:0:-1] and page["next"]
    assert page["comments"][0]["scores"]["to"]["toxicity"] > 0.5 > page["comments"][0]["scores"]["from"]["toxicity"]
    assert page["comments"][0]["to"] == "hold" and [c["agrees"] for c in page["comments"]] == [None, False]
    rest = (await service.client.get(f"{URL}/comments", params=SITE | {"cursor": page["next"]}, headers=headers)).json()
    assert [(c["id"], c["agrees"], c["decided"]) for c in rest["comments"]] == [(ids[0], True, "spam")]
    assert rest["comments"][0]["excerpt"] == "A kind word 0." and rest["next"] is None


async def test_an_edit_is_read_too(service: Service) -> None:
    await start(service)
    sent = (await service.post(body="A kind word.")).json()
    assert (await told(service))["verdicts"] == 1
    service.clock.forward(minutes=10)
    answer = await service.client.patch(
        f"/sites/default/articles/post/comments/{sent['id']}",
        json={"body": "A kinder word."},
        headers={"Edit-Token": sent["edit_token"]},
    )
    assert answer.status_code == 200, answer.text
    assert (await told(service))["verdicts"] == 2


async def test_stop_start_anew_and_who_may(service: Service) -> None:
    await start(service, "same")
    await service.post()
    await start(service)
    await service.post()
    found = await told(service)
    assert found["verdicts"] == 1 and found["run"]["model"] == "stern"
    headers = await service.token()
    stopped = await service.client.post(f"{URL}/stop", json=SITE, headers=headers)
    assert stopped.status_code == 200 and stopped.json()["run"]["outcome"] == "stopped"
    await service.post()
    assert (await told(service))["verdicts"] == 1, "what it has shown stays, and no more comes"
    assert (await service.client.post(f"{URL}/stop", json=SITE, headers=headers)).status_code == 404
    assert await acts(service) == [
        ("read-along:stop", "stern"), ("read-along:start", "stern"), ("read-along:start", "same"),
    ]  # fmt: skip
    for wrong in ("no-such", "../../etc", "", None, 3, service.services.scorer.classifier.version):
        answer = await service.client.post(URL, json=SITE | {"model": wrong, "read_along": True}, headers=headers)
        assert answer.status_code == 422 and [e["field"] for e in answer.json()["errors"]] == ["model"], wrong
    by_other_rules = SITE | {"model": "same", "read_along": True, "rules": {"max_links": 1}}
    answer = await service.client.post(URL, json=by_other_rules, headers=headers)
    assert answer.status_code == 422 and [e["field"] for e in answer.json()["errors"]] == ["rules"]
    assert (await service.client.get(URL, params=SITE)).status_code == 401
    assert (await service.client.get(URL, params={"site": "nowhere"}, headers=headers)).status_code == 404
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="other", name="Other"), service.clock())
    elsewhere = await service.token("moderate", "other")
    for method, path in (("GET", f"{URL}?site=default"), ("GET", f"{URL}/comments?site=default")):
        assert (await service.client.request(method, path, headers=elsewhere)).status_code == 404, path
    for path in (f"{URL}/stop", f"{URL}/promote"):
        assert (await service.client.post(path, json=SITE, headers=elsewhere)).status_code == 404, path
    for query in ("limit=0", "limit=x", "cursor=x", "cursor=1.2"):
        assert (await service.client.get(f"{URL}/comments?site=default&{query}", headers=headers)).status_code == 422, (
            query
        )
    csrf = await signed_in(service, "moderator")
    assert (await service.client.get(URL, params=SITE)).status_code == 200
    started = SITE | {"model": "same", "read_along": True}
    for path, sent in ((URL, started), (f"{URL}/stop", SITE), (f"{URL}/promote", SITE)):
        refused = await service.client.post(path, json=sent, headers={"X-CSRF-Token": csrf})
        assert (refused.status_code, refused.json()["code"]) == (403, "role"), path


async def test_a_promoted_candidate_goes_live_and_back(service: Service) -> None:
    models, headers = Path(service.settings.models), await service.token()
    await start(service)
    await service.post(body="A kind word.")
    await told(service)
    answer = await service.client.post(f"{URL}/promote", json=SITE, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["promoted"] == "stern" and "verdicts 1, changed 1" in answer.json()["why"]
    assert (await service.post(body="Another kind word.")).status_code == 202, "it decides"
    found = await told(service)
    assert found["serving"] == "stern" and found["run"]["outcome"] == "promoted" and found["models"][-1] == "same"
    assert (await acts(service))[0] == ("model:promote", "stern")
    assert registry.history(registry.site_folder(models, "default"))[-1]["forced"] == answer.json()["why"]
    assert (await service.client.post(f"{URL}/promote", json=SITE, headers=headers)).status_code == 404
    # the bare base may be tried, and go live, in its place; and one goes back from there
    await start(service, service.services.scorer.classifier.version)
    assert (await service.client.post(f"{URL}/promote", json=SITE, headers=headers)).status_code == 200
    assert (await service.post(body="A third kind word.")).status_code == 201
    assert registry.roll_back(models, "default") == "stern"


async def test_a_model_that_learnt_from_an_erased_person_is_marked_when_it_goes_live(service: Service) -> None:
    database = service.services.database
    async with database.transaction() as tx:
        await training_state.erased(tx, "default", 1, service.clock())
    await start(service)
    await service.client.post(f"{URL}/promote", json=SITE, headers=await service.token())
    async with database.reading() as session:
        assert await training_state.outdated(session) == ["default"]


async def test_a_candidate_that_is_gone_is_said_and_harms_nobody(service: Service) -> None:
    await start(service)
    folder = registry.site_folder(Path(service.settings.models), "default") / "stern"
    folder.rename(folder.with_name("elsewhere"))
    await service.post()
    found = await told(service)
    assert found["verdicts"] == 0 and "missing" in found["run"]["problem"]
    answer = await service.client.post(f"{URL}/promote", json=SITE, headers=await service.token())
    assert (answer.status_code, answer.json()["code"]) == (409, "model")
    folder.with_name("elsewhere").rename(folder)
    found = await told(service)
    assert found["verdicts"] == 1 and found["run"]["problem"] is None


async def test_what_it_said_goes_with_the_person_and_is_shown_to_them(service: Service) -> None:
    await start(service)
    await service.post(email="ann@example.org", body="A kind word of Ann's.")
    await service.post(email="bob@example.org", body="A kind word of Bob's.")
    await told(service)
    services = service.services
    database, signer = services.database, services.signer
    held = await privacy.export(database, privacy.data_subject_of(signer, "ann@example.org"), 30)
    (said,) = held["read_along"]
    assert (said["model"], said["action"]) == ("stern", "hold") and said["scores"]["toxicity"] > 0.5
    assert "word" not in json.dumps(await kept(database)), "facts only"
    # somebody is erased while the candidate is still thinking
    await service.post(email="ann@example.org", body="Another of Ann's.")
    async with database.reading() as session:
        run = await runs.running_on(session, "default")
        assert run
        (row,) = await runs.unread(session, run, run.started_at, ("", 0), 10)
    await privacy.erase(database, privacy.data_subject_of(signer, "ann@example.org"), "operator", service.clock())
    late = Rejudged(row=row, action="spam", scores={"spam": 1.0})
    async with database.transaction() as tx:
        assert await runs.add(tx, run, [late], service.clock()) == 0
    assert len(await kept(database)) == 1


async def test_what_it_said_is_kept_for_a_while_only(service: Service) -> None:
    await start(service)
    await service.post()
    await told(service)
    await service.client.post(f"{URL}/stop", json=SITE, headers=await service.token())
    database = service.services.database
    service.clock.forward(hours=24 * 89)
    assert (await retention.purge(database, retention.Keep(), service.clock()))["read_along"] == 0
    service.clock.forward(hours=25)
    assert (await retention.purge(database, retention.Keep(read_along=0), service.clock()))["read_along"] == 0
    assert (await retention.purge(database, retention.Keep(), service.clock()))["read_along"] == 1
    assert await kept(database) == [] and await kept(database, "read_along_runs") == []


async def test_what_was_forgotten_before_it_was_read_is_passed_over(service: Service) -> None:
    await start(service)
    id = (await service.post()).json()["id"]
    async with service.services.database.transaction() as tx:
        await tx.execute("UPDATE submissions SET body = '' WHERE site = 'default' AND id = ?", id)
    assert (await told(service))["verdicts"] == 0


async def test_the_page_starts_shows_and_promotes(service: Service) -> None:
    assert (await service.client.get("/moderate/what-if")).status_code == 303
    csrf = await signed_in(service, "moderator")
    page = Page((await service.client.get("/moderate/what-if")).text)
    assert "Only an administrator" in page.text() and not page.has('[value="read-along"]')
    form = {"csrf_token": csrf, "site": "default", "act": "read-along", "model": "stern"}
    assert (await service.client.post("/moderate/what-if", data=form)).status_code == 403
    form["csrf_token"] = await signed_in(service, "administrator")
    forged = await service.client.post("/moderate/what-if", data=form | {"csrf_token": "x"})
    assert forged.status_code == 403
    wrong = await service.client.post("/moderate/what-if", data=form | {"model": "nope"})
    assert wrong.status_code == 422 and Page(wrong.text).has("#what-if-model-wrong")
    answer = await service.client.post("/moderate/what-if", data=form)
    assert answer.status_code == 303 and "done=read-along" in answer.headers["location"]
    await service.post(body="A <b>kind</b> word.", name="Ann <i>")
    await service.services.read_along.read()
    page = Page((await service.client.get(answer.headers["location"])).text)
    text = page.text()
    assert "The model reads along from now on." in text and "Ann <i>" in text and "label toxicity" in text
    assert page.texts('th[scope="row"]:-soup-contains-own("published") + td') == ["held"]
    answer = await service.client.post("/moderate/what-if", data=form | {"act": "promote"})
    assert answer.status_code == 303
    page = (await service.client.get(answer.headers["location"])).text
    assert "is live from the next comment on" in page and "went live" in page
    again = await service.client.post("/moderate/what-if", data=form | {"act": "stop"})
    assert again.status_code == 404 and "No model reads along" in again.text


async def test_metrics_count_what_was_compared(service: Service) -> None:
    await start(service)
    await service.post()
    await told(service)
    lines = (await service.client.get("/metrics")).text.splitlines()
    assert 'moderation_read_along_verdicts{site="default"} 1.0' in lines
    assert 'moderation_read_along_changed{site="default"} 1.0' in lines


async def test_a_retraining_may_run_beside_instead_of_going_live(settings: Settings) -> None:
    from moderation.learning import retrain as learning
    from tests.learning.test_retrain import OFFERS, TALK

    clock, models = Clock(), Path(settings.models)
    app = create_app(settings, classifier=Classifier(models), clock=clock, say=lambda text: None)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://comments.test")
    async with app.router.lifespan_context(app), client:
        service = Service(app, client, clock, settings)
        for n in range(20):
            body = (OFFERS if n % 2 else TALK)[n // 2].format(n=n + 3)
            id = (await service.post(f"post-{n % 4}", body=body, name=f"Writer {n}")).json()["id"]
            clock.forward(minutes=7)
            await decide(service, id, "spam" if n % 2 else "approve")
        found = await learning.retrain(app.services.database, models, "default", clock(), read_along=True)
        version = found["sites"]["default"]["version"]
        assert found["promoted"] is False and version and "not live" in found["why"]
        await service.post(body=OFFERS[0].format(n=99))
        report = await told(service)
        assert report["run"]["model"] == version and report["verdicts"] == 1
        assert sorted(await acts(service)) == [("model:candidate", version), ("read-along:start", version)]


def test_an_operator_tries_a_candidate(server: Server) -> None:
    models = Path(server.environment["MODERATION_MODELS"])
    models.mkdir(parents=True, exist_ok=True)
    candidate(models, "stern", toxicity=30.0)
    assert json.loads(server.run("read-along").stdout)["models"] == ["stern"]
    assert json.loads(server.run("read-along", "start", "--model", "stern").stdout)["run"]["running"]
    assert "stern reads along on default" in server.run("check", check=False).stdout
    assert server.run("read-along", "start", check=False).returncode == 1
    gone = server.run("read-along", "start", "--model", "nope", check=False)
    assert gone.returncode == 1 and "nope" in gone.stderr
    assert json.loads(server.run("read-along", "promote").stdout)["promoted"] == "stern"
    assert server.run("read-along", "stop", check=False).returncode == 1
