"""Other systems' texts are read by table and second reader; where that does not answer in time, the answer says so."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.policy import scorer
from tests.conftest import Service
from tests.dialects import test_coral as coral
from tests.dialects.test_akismet_checks import HAM, Real
from tests.dialects.test_akismet_checks import real as real
from tests.reading import SNEER, TwoReaders, by_hand, classifier, rules_of, shown

__all__ = ["classifier", "real"]
pytestmark = pytest.mark.anyio
CHECKS = "/api/v1/sites/default/checks"


@pytest.fixture
def held_up(service: Service, classifier: TwoReaders, monkeypatch: pytest.MonkeyPatch) -> TwoReaders:
    """A reader that answers nobody."""
    monkeypatch.setattr(scorer, "QUICK", 0.02)
    monkeypatch.setattr(scorer, "PATIENCE", 0.02)
    service.services.intake.reader_wait = 0.02
    classifier.free.clear()
    return classifier


async def score(service: Service, **body: Any) -> dict[str, Any]:
    answer = await service.client.post("/api/v1/score", json=body, headers=await service.token("score"))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def is_marked(result: dict[str, Any]) -> bool:
    return any(reason.get("rule") == "unread" for reason in result["reasons"])


async def test_score_reads_with_both(service: Service) -> None:
    one = await score(service, text=f"I think {SNEER}.")
    assert one["scores"]["insult"] == 0.99 and one["action"] == "hold" and not is_marked(one)
    many = await score(service, texts=[f"I think {SNEER}.", "A garden."])
    assert [result["action"] for result in many["results"]] == ["hold", "publish"]


async def test_score_by_the_table_alone_is_marked(service: Service, held_up: TwoReaders) -> None:
    one = await score(service, text=f"I think {SNEER}.")
    assert one["action"] == "publish" and is_marked(one)
    many = await score(service, texts=["A garden.", f"I think {SNEER}."])
    assert [is_marked(result) for result in many["results"]] == [True, True]


async def perspective(service: Service, text: str) -> Any:
    token = (await service.token("score"))["Authorization"].removeprefix("Bearer ")
    body = {"comment": {"text": text}, "requestedAttributes": {"INSULT": {}}, "languages": ["en"]}
    answer = await service.client.post(f"/v1alpha1/comments:analyze?key={token}", json=body)
    assert answer.status_code == 200, answer.text
    return answer


async def test_perspective_reads_with_both(service: Service) -> None:
    answer = await perspective(service, f"I think {SNEER}.")
    assert answer.json()["attributeScores"]["INSULT"]["summaryScore"]["value"] == pytest.approx(0.99)
    assert "x-second-reader" not in answer.headers


async def test_perspective_by_the_table_alone_is_marked(
    service: Service, held_up: TwoReaders, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await perspective(service, f"I think {SNEER}.")
    assert answer.json()["attributeScores"]["INSULT"]["summaryScore"]["value"] < 0.5
    assert answer.headers["x-second-reader"] == "unread"


async def test_a_check_that_is_only_judged_is_marked(service: Service, held_up: TwoReaders) -> None:
    given = {"text": "A garden.", "name": "Ann", "store": False}
    answer = await service.client.post(CHECKS, json=given, headers=await service.token("score"))
    assert answer.json()["action"] == "publish" and rules_of({"verdict": answer.json()}) == ["unread"]


async def test_a_stored_check_is_held_unread_and_released(service: Service, held_up: TwoReaders) -> None:
    unread = await by_hand(service)
    headers = await service.token("score,teach")
    given = {"id": "c1", "text": "A garden.", "name": "Ann", "email": "ann@example.org", "article": "a"}
    answer = (await service.client.post(CHECKS, json=given, headers=headers)).json()
    assert (answer["action"], rules_of({"verdict": answer})) == ("hold", ["unread"])
    held_up.free.set()
    assert await unread.step()
    stored = (await service.client.get(f"{CHECKS}/c1", headers=headers)).json()
    assert (stored["action"], stored["status"]) == ("publish", "approved")
    assert (await service.thread("a"))["count"] == 0, "it is never public"


async def test_akismet_reads_with_both_and_asks_to_come_again(
    real: Real, service: Service, held_up: TwoReaders
) -> None:
    unread = await by_hand(service)
    answer = await real.check(comment_content=HAM)
    assert answer.status_code == 503 and answer.headers["retry-after"]
    held_up.free.set()
    assert await unread.step()
    held_up.free.clear()
    assert await real.word(comment_content=HAM) == "false", "it was read since"
    held_up.free.set()
    service.services.intake.reader_wait = 30.0
    assert await real.word(comment_content=f"I think {SNEER}.") == "true"
    assert len(await real.queue()) == 2


async def test_coral_has_the_tables_answer_and_the_comment_is_read_here(service: Service, held_up: TwoReaders) -> None:
    unread = await by_hand(service)
    await coral.with_secret(service)
    assert (await coral.send(service, coral.asked())).status_code == 204
    (kept,) = await coral.queue(service)
    assert (kept["status"], rules_of(kept)) == ("pending", ["unread"])
    held_up.free.set()
    assert await unread.step()
    assert (await shown(service, kept["id"]))["status"] == "approved"


async def test_coral_withholds_what_the_reader_holds(service: Service, classifier: TwoReaders) -> None:
    await coral.with_secret(service)
    answer = await coral.send(service, coral.asked(f"<div>I think {SNEER}.</div>"))
    assert answer.json()["status"] == "SYSTEM_WITHHELD"
