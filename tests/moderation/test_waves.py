"""Near-duplicates through HTTP, on both databases: found, one row, decided once, and filed as they come."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.site import Site
from moderation.storage import sites
from tests.conftest import Service

pytestmark = pytest.mark.anyio
OFFER = (
    "Make money from home with our proven system, {n} people started this week. Visit https://win.example/{n} today!"
)


async def arrive(service: Service, n: int, **more: Any) -> str:
    """One of a wave: another name, another address, another figure."""
    answer = await service.post(**({"article": f"post-{n % 7}", "body": OFFER.format(n=n), "name": f"Ann {n}"} | more))
    assert answer.status_code in (201, 202), answer.text
    return str(answer.json()["id"])


async def similar(service: Service, id: str, who: dict[str, str]) -> Any:
    answer = await service.client.get(f"/api/comments/{id}/similar", headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()["comments"]


async def test_near_duplicates_of_any_status_are_found_best_first(service: Service) -> None:
    who = await service.token()
    first, near = await arrive(service, 1), await arrive(service, 22)
    less = await arrive(service, 3, body=OFFER.format(n=3) + " You will see.")
    await service.held(body="Our garden club wrote about the bridge at https://garden.example/bridge last year.")
    decided = {"comments": [near], "action": "spam"}
    assert (await service.client.post("/api/decisions", json=decided, headers=who)).status_code == 200
    found = await similar(service, first, who)
    assert [c["id"] for c in found] == [near, less]
    assert found[0]["status"] == "spam" and set(found[0]) == {"id", "status", "likeness"}
    assert 1 >= found[0]["likeness"] > found[1]["likeness"] >= 0.7


async def test_what_was_published_at_once_is_found_too_though_it_has_no_keys(service: Service) -> None:
    who = await service.token()
    said = "A lovely piece on the old bridge; my grandfather helped to paint it when he was young."
    one = (await service.post(body=said)).json()
    two = (await service.post(body=said.replace("lovely", "good"))).json()
    assert one["status"] == "approved"
    assert [c["id"] for c in await similar(service, one["id"], who)] == [two["id"]]
    async with service.app.state.database.reading() as session:
        assert await session.fetch("SELECT * FROM alike") == []


async def test_another_sites_comment_is_unknown_and_never_similar(service: Service) -> None:
    async with service.app.state.database.transaction() as tx:
        await sites.put_site(tx, Site("garden", "Garden"), service.clock())
    here, there = await arrive(service, 1), await arrive(service, 2, site="garden")
    everywhere, gardener = await service.token(), await service.token(site="garden")
    assert await similar(service, here, everywhere) == []
    assert (await service.client.get(f"/api/comments/{here}/similar", headers=gardener)).status_code == 404
    assert await similar(service, there, gardener) == []
    assert (await service.client.get("/api/comments/nothing/similar", headers=gardener)).status_code == 404
    assert (await service.client.get(f"/api/comments/{here}/similar")).status_code == 401
    scores = await service.token("score")
    assert (await service.client.get(f"/api/comments/{here}/similar", headers=scores)).status_code == 403


async def test_an_edited_comment_is_found_by_its_new_text_and_an_erased_one_is_gone(service: Service) -> None:
    who = await service.token()
    first = await arrive(service, 1)
    told = (
        await service.post(body="I wrote about the bridge at https://blog.example/bridge", email="bob@b.example")
    ).json()
    assert await similar(service, first, who) == []
    changed = await service.client.patch(
        f"/sites/default/articles/post/comments/{told['id']}",
        json={"body": OFFER.format(n=9)},
        headers={"Edit-Token": told["edit_token"]},
    )
    assert changed.status_code == 202, changed.text
    assert [c["id"] for c in await similar(service, first, who)] == [told["id"]]
    eraser = await service.token("privacy")
    await service.client.post("/api/privacy/erase", json={"email": "bob@b.example"}, headers=eraser)
    assert await similar(service, first, who) == []
    async with service.app.state.database.reading() as session:
        assert await session.fetch("SELECT * FROM alike WHERE id = ?", told["id"]) == []
