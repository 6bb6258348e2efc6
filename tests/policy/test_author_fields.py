"""The author's name and website, judged alone."""

from __future__ import annotations

from typing import Any

import pytest

from classifier.examples import Asked, Author
from classifier.serving import Classifier
from tests.conftest import Service

HARMLESS = "Thank you, this helped me with my beans."


async def judged(service: Service, **fields: Any) -> tuple[str, dict[str, Any]]:
    answer = await service.post(**({"body": f"{HARMLESS} {service.clock.now}"} | fields))
    assert answer.status_code in (201, 202), answer.text
    shown = (await service.client.get(f"/api/v1/comments/{answer.json()['id']}", headers=await service.token())).json()
    return shown["status"], shown["verdict"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Buy Cheap Viagra Online"}, {"name": "Best Online Casino Bonus"}, {"name": "Cheap Nike Shoes Outlet"},
        {"name": "Payday Loans"}, {"name": "SEO Services"}, {"url": "https://best-casino-bonus.example/win"},
        {"url": "http://buy-viagra-cheap.example"}, {"name": "You Idiot"}, {"name": "Fuck You"},
    ],
)  # fmt: skip
async def test_an_advertisement_or_an_insult_in_name_or_website_is_not_published(
    service: Service, fields: dict[str, str]
) -> None:
    status, verdict = await judged(service, **fields)
    assert status in ("pending", "spam")
    by = "by the name alone" if "name" in fields else "by the website alone"
    assert any(by in reason.get("note", "") for reason in verdict["reasons"])


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Ann"}, {"name": "Dr. Anna Müller-Lüdenscheidt"}, {"name": "Loan Nguyen"},
        {"name": "王小明"}, {"name": "Анна Петрова"}, {"name": "ann83"}, {"name": "A grateful reader"}, {"name": "Bob the Builder"},
        {"url": "https://annas-garden.example/blog"}, {"url": "https://github.com/ann"}, {"url": "https://mastodon.social/@ann"},
        {"url": "https://müller-gärten.example/über-uns"}, {"url": "https://пример.example/"},
    ],
)  # fmt: skip
async def test_people_and_their_pages_are(service: Service, fields: dict[str, str]) -> None:
    assert (await judged(service, **fields))[0] == "approved"


@pytest.mark.anyio
async def test_a_link_in_the_name_is_a_strangers_link(service: Service) -> None:
    for name in ("Ann https://ann.example/x", "www.anns-page.example", "anns-page.com", "Ann (anns-page dot com)"):
        status, verdict = await judged(service, name=name)
        assert status != "approved" and "stranger-with-link" in [r.get("rule") for r in verdict["reasons"]], name


@pytest.mark.anyio
async def test_scores_by_the_api_take_the_author_along(service: Service) -> None:
    asked = {"text": HARMLESS, "author": {"name": "Buy Cheap Viagra Online"}}
    headers = await service.token("score")
    alone = (await service.client.post("/api/v1/score", json={"text": HARMLESS}, headers=headers)).json()
    named = (await service.client.post("/api/v1/score", json=asked, headers=headers)).json()
    assert alone["action"] == "publish" and named["action"] in ("hold", "spam")
    assert named["scores"]["spam"] > 0.5 > alone["scores"]["spam"]


def test_a_labels_score_is_the_highest_of_the_three(classifier: Classifier) -> None:
    authors = (
        Author(),
        Author("Buy Cheap Viagra Online"),
        Author("Ann", "https://best-casino-bonus.example/win"),
        Author("Ann"),
    )
    alone, named, linked, harmless = classifier.score([Asked(HARMLESS, author) for author in authors])
    assert alone.fields == {} and named.fields["spam"] == "name" and linked.fields["spam"] == "url"
    assert min(named.scores["spam"], linked.scores["spam"]) > 0.9 > 0.1 > harmless.scores["spam"]
    assert all(named.scores[label] >= p - 1e-6 for label, p in alone.scores.items())
    (again,) = classifier.score([Asked(HARMLESS, authors[1])])
    assert again == named, "a kept score is the same"
