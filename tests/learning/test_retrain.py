"""Decisions teach: a candidate goes live where it is better, the running service takes it up, and roll-back returns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from classifier.examples import Asked, Author
from classifier.serving import Classifier
from moderation.app import create_app
from moderation.comments.decision import teaches
from moderation.comments.store_decisions import Taught
from moderation.learning import retrain as learning
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import DAY
from tests.conftest import Clock, Service

pytestmark = pytest.mark.anyio

OFFERS = [
    "I help bloggers grow; my rates for guest posts are on my page {n}, ask for the spring bundle",
    "Our agency places guest posts on {n} partner blogs, ask for the spring bundle and rates",
    "Looking for guest post slots on blogs like this one, bundle of {n}, ask for rates",
    "Do you sell guest posts here? Our clients pay {n} for a bundle, write me your rates",
    "Ask for our spring rates: {n} guest posts by native writers on blogs of your subject",
    "We would love to place one sponsored article, what are your rates for a bundle of {n} posts?",
    "My team writes guest posts for agencies, bundle prices start at {n}, ask away",
    "Bloggers earn {n} a month by our guest post network, the bundle is on my page",
    "Your blog fits our clients. Guest post bundle with {n} links, tell me the rates",
    "Spring offer from a content agency: {n} guest posts, one bundle, fair rates",
]
TALK = [
    "We moved the beans to the sunny wall and lost {n} plants to slugs before June",
    "The part about the hinge made me laugh, ours has squeaked for {n} years",
    "I disagree about fences, but {n} neighbours of mine would side with you",
    "After {n} dry weeks the pond was a puddle, and still the newts came back",
    "Could you show the joint from below? I have tried it {n} times without glue",
    "My grandmother kept {n} hens and swore by oyster shells in their feed",
    "It took us {n} evenings to read the whole series aloud to the children",
    "The recipe needs more salt than that, I baked {n} loaves to be sure",
    "Thank you for the map, we found the ferry and waited only {n} minutes",
    "Our library lends seeds now, {n} packets went on the first morning",
]
"""No two of them are near-duplicates: of those only one is learnt."""


def test_the_last_word_on_a_text_is_what_it_teaches() -> None:
    def taught(action: str, at: int, labels: tuple[str, ...] = ()) -> Taught:
        return Taught(
            submission="one",
            action=action,
            labels=labels,
            body="Text",
            article="post",
            author_name="Ann",
            author_url="",
            email_domain="example.org",
            author_key="key",
            created_at=at,
            format="markdown",
        )

    assert learning.examples_of([taught("approve", 1), taught("spam", 2)], "s")[0].labels == {"spam": 1.0}
    assert learning.examples_of([taught("spam", 1), taught("hold", 2)], "s") == []
    assert teaches("reject", ["insult"]) == {"insult": 1.0}
    assert teaches("reject", []) == {} and teaches("delete", []) == {} and teaches("hold", []) == {}
    assert teaches(None, ["threat"]) == {"threat": 1.0}


async def test_decisions_make_a_better_model_that_goes_live_and_back(settings: Settings) -> None:
    clock = Clock()
    classifier = Classifier(Path(settings.models))
    app = create_app(settings, classifier=classifier, clock=clock, say=lambda text: None)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://comments.test")
    async with app.router.lifespan_context(app), client:
        service = Service(app, client, clock, settings)
        who = await service.token()

        async def decide(texts: list[str], action: str, n: int) -> None:
            body = texts[n // 2].format(n=n + 3)
            id = (await service.post(f"post-{n % 4}", body=body, name=f"Writer {n}")).json()["id"]
            clock.forward(minutes=7)
            answer = await client.post("/api/v1/decisions", json={"comments": [id], "action": action}, headers=who)
            assert answer.status_code == 200, answer.text

        async def judged(body: str) -> tuple[float, str]:
            id = (await service.post(body=body)).json()["id"]
            shown = (await client.get(f"/api/v1/comments/{id}", headers=who)).json()["verdict"]
            return shown["scores"]["spam"], shown["model"]

        early = await learning.retrain(app.services.database, Path(settings.models), "default", clock())
        assert early["promoted"] is False and early["why"]
        before, base = await judged("Ask me about the spring bundle of guest posts and my rates for 77 blogs")
        for n in range(20):
            await decide(OFFERS if n % 2 else TALK, "spam" if n % 2 else "approve", n)
        told = await learning.retrain(app.services.database, Path(settings.models), "default", clock())
        assert told["promoted"], told["why"]
        assert "published comments of the last 60 days it would hold" in told["why"]
        assert told["sites"]["default"]["published comments"] >= 10, "those that a person approved"
        after, corrected = await judged("Ask me about the spring bundle of guest posts and my rates for 77 blogs")
        assert corrected != base and after > before
        back = await learning.roll_back(app.services.database, Path(settings.models), "default", clock())
        assert back["rolled_back"] and back["promoted"] is False and "shipped model" in back["why"]
        again, model = await judged("Ask me about the spring bundle of guest posts and my rates for 77 blogs")
        assert model == base and again == pytest.approx(before, abs=1e-6)


async def test_a_model_that_would_hold_what_is_published_is_refused(service: Service) -> None:
    database, models = service.services.database, Path(service.settings.models)
    for n in range(20):
        body = (OFFERS if n % 2 else TALK)[n // 2].format(n=n + 3)
        made = (await service.post(f"post-{n % 4}", body=body, name=f"Writer {n}")).json()["id"]
        await service.decide(made, "spam" if n % 2 else "approve")
    overlooked = "Ask me about the spring bundle of guest posts and my rates for 77 blogs"
    made = (await service.post(body=overlooked)).json()["id"]
    classifier = Classifier(models)
    classifier.load()
    p = classifier.score([Asked(overlooked, Author("Ann", "", "example.org"))])[0].scores["spam"]
    async with database.transaction() as tx:
        await tx.execute("UPDATE comments SET status = 'approved' WHERE id = ?", made)
        site = (await sites.sites(tx, ["default"]))["default"]
        settings = site.settings.model_copy(update={"hold_at": {"spam": p + 1e-4}})
        await sites.put_site(tx, replace(site, settings=settings), service.clock())
    refused = await learning.retrain(database, models, "default", service.clock(), newly_held=0.0)
    assert not refused["promoted"]
    assert "but refused: of 11 published comments of the last 60 days" in refused["why"]
    assert not (models / "sites").exists()
    told = await learning.retrain(database, models, "default", service.clock(), newly_held=1.0)
    assert told["promoted"] and told["sites"]["default"]["newly held"] >= 1


async def test_published_is_what_readers_see_and_no_person_objected_to(service: Service) -> None:
    async def post(kind: str) -> str:
        made = (await service.post(body=f"A kind word about the garden, {kind}.", name=kind)).json()["id"]
        async with service.services.database.transaction() as tx:  # whatever the model makes of such words
            await tx.execute("UPDATE comments SET status = 'approved' WHERE id = ?", made)
        return str(made)

    async def decided(kind: str, *acts: str) -> str:
        made = await post(kind)
        decision = ""
        for act in acts:
            decision = await service.decide(made, act)
        return decision

    async def names(now: int) -> list[str]:
        database = service.services.database
        async with database.reading() as session:
            site = (await sites.sites(session, ["default"]))["default"]
        published = await learning.published_on(database, site, now, 0.02)
        assert published.hold_at == site.settings.hold_at and published.spam_at == site.settings.spam_at
        return [asked.author.name for asked in published.comments]

    await post("early")
    service.clock.forward(hours=24 * 61)
    first = await post("seen by nobody")
    await decided("approved", "approve")
    await decided("filed", "spam")
    await decided("filed and approved", "spam", "approve")
    undone = await decided("filed by mistake", "spam")
    answer = await service.client.post(f"/api/v1/decisions/{undone}/undo", headers=await service.token())
    assert answer.status_code == 200, answer.text
    answer = await service.client.post(
        f"/api/v1/comments/{first}/replies", json={"body": "Thank you.", "name": "staff"}, headers=await service.token()
    )
    assert answer.status_code == 201, answer.text
    assert await names(service.clock()) == ["filed by mistake", "approved", "seen by nobody"]
    assert "early" in await names(service.clock() - 30 * DAY)
