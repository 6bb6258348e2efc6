"""Near-duplicates through HTTP, on both databases: found, one row, decided once, and filed as they come."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from moderation.duplicates import duplicates
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.transfer.importing import Importer
from moderation.transfer.records import ImportedArticle, ImportedComment
from tests.conftest import Service
from tests.html import Page, csrf
from tests.queue.test_decide import set_password, sign_in

pytestmark = pytest.mark.anyio
OFFER = "We have written about the old bridge and {n} of its builders at https://bridges.example/{n} with pictures and maps."


async def arrive(service: Service, n: int, **more: Any) -> str:
    """One of a wave: another name, another address, another figure."""
    service.clock.forward(seconds=1)
    answer = await service.post(**({"article": f"post-{n % 7}", "body": OFFER.format(n=n), "name": f"Ann {n}"} | more))
    assert answer.status_code in (201, 202), answer.text
    return str(answer.json()["id"])


async def similar(service: Service, id: str, who: dict[str, str]) -> Any:
    answer = await service.client.get(f"/api/v1/comments/{id}/similar", headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()["comments"]


async def test_near_duplicates_of_any_status_are_found_best_first(service: Service) -> None:
    who = await service.token()
    first, near = await arrive(service, 1), await arrive(service, 22)
    less = await arrive(service, 3, body=OFFER.format(n=3) + " You will see.")
    await service.held(body="Our garden club wrote about the bridge at https://garden.example/bridge last year.")
    decided = {"comments": [near], "action": "spam"}
    assert (await service.client.post("/api/v1/decisions", json=decided, headers=who)).status_code == 200
    found = await similar(service, first, who)
    assert [c["id"] for c in found] == [near, less]
    assert found[0]["status"] == "spam" and set(found[0]) == {"id", "status", "similarity"}
    assert 1 >= found[0]["similarity"] > found[1]["similarity"] >= 0.7


async def test_what_was_published_at_once_is_found_too_though_it_has_no_keys(service: Service) -> None:
    who = await service.token()
    said = "A lovely piece on the old bridge; my grandfather helped to paint it when he was young."
    one = (await service.post(body=said)).json()
    two = (await service.post(body=said.replace("lovely", "good"))).json()
    assert one["status"] == "approved"
    assert [c["id"] for c in await similar(service, one["id"], who)] == [two["id"]]
    async with service.services.database.reading() as session:
        assert await session.fetch("SELECT * FROM duplicate_keys") == []


async def test_another_sites_comment_is_unknown_and_never_similar(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="garden", name="Garden"), service.clock())
    here, there = await arrive(service, 1), await arrive(service, 2, site="garden")
    everywhere, gardener = await service.token(), await service.token(site="garden")
    assert await similar(service, here, everywhere) == []
    assert (await service.client.get(f"/api/v1/comments/{here}/similar", headers=gardener)).status_code == 404
    assert await similar(service, there, gardener) == []
    assert (await service.client.get("/api/v1/comments/nothing/similar", headers=gardener)).status_code == 404
    assert (await service.client.get(f"/api/v1/comments/{here}/similar")).status_code == 401
    scores = await service.token("score")
    assert (await service.client.get(f"/api/v1/comments/{here}/similar", headers=scores)).status_code == 403


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
    await service.client.post("/api/v1/privacy/erase", json={"email": "bob@b.example"}, headers=eraser)
    assert await similar(service, first, who) == []
    async with service.services.database.reading() as session:
        assert await session.fetch("SELECT * FROM duplicate_keys WHERE id = ?", told["id"]) == []


async def decide(service: Service, who: dict[str, str], ids: list[str], action: str) -> str:
    answer = await service.client.post("/api/v1/decisions", json={"comments": ids, "action": action}, headers=who)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def seen(service: Service, id: str, who: dict[str, str]) -> Any:
    return (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()


async def test_who_comes_after_a_wave_was_filed_is_filed_too_until_the_decision_is_undone(service: Service) -> None:
    who = await service.token()
    wave = [await arrive(service, n) for n in range(3)]
    decision = await decide(service, who, wave, "spam")
    late = await seen(service, await arrive(service, 50), who)
    assert late["status"] == "spam" and late["verdict"]["action"] == "spam"
    assert [r["note"] for r in late["verdict"]["reasons"] if r.get("rule") == "wave"] == [
        f"alike to a wave filed by decision {decision}"
    ]
    other = await service.held(body="We keep bees near the bridge, see https://bees.example/ for how that goes.")
    assert (await seen(service, other, who))["status"] == "pending"
    assert (await service.client.post(f"/api/v1/decisions/{decision}/undo", headers=who)).status_code == 200
    assert (await seen(service, await arrive(service, 51), who))["status"] == "pending"


@pytest.mark.parametrize("action", ["approve", "reject", "delete"])
async def test_another_decision_on_a_wave_files_nobody(service: Service, action: str) -> None:
    who = await service.token()
    await decide(service, who, [await arrive(service, n) for n in range(3)], action)
    # three approved authors make a host known
    status = "approved" if action == "approve" else "pending"
    assert (await seen(service, await arrive(service, 50), who))["status"] == status


async def test_two_are_no_wave_and_a_wave_is_over_after_some_hours(service: Service) -> None:
    who = await service.token()
    await decide(service, who, [await arrive(service, n) for n in range(2)], "spam")
    third = await arrive(service, 3)
    assert (await seen(service, third, who))["status"] == "pending"
    await decide(service, who, [third, await arrive(service, 4), await arrive(service, 5)], "spam")
    service.clock.forward(hours=5)
    assert (await seen(service, await arrive(service, 6), who))["status"] == "spam"
    service.clock.forward(hours=2)
    assert (await seen(service, await arrive(service, 7), who))["status"] == "pending"


async def test_what_followed_a_wave_is_no_wave_itself_and_an_approval_counts(service: Service) -> None:
    """Only those that people decided are compared with, and only while they are still spam."""
    who = await service.token()
    wave = [await arrive(service, n) for n in range(3)]
    await decide(service, who, wave, "spam")
    assert (await seen(service, await arrive(service, 8), who))["status"] == "spam"
    await decide(service, who, wave[:1], "approve")
    assert (await seen(service, await arrive(service, 9), who))["status"] == "pending"


async def test_an_edit_into_a_wave_is_filed(service: Service) -> None:
    who = await service.token()
    await decide(service, who, [await arrive(service, n) for n in range(3)], "spam")
    told = (await service.post(body="A kind remark on the bridge and on those who built it.")).json()
    changed = await service.client.patch(
        f"/sites/default/articles/post/comments/{told['id']}",
        json={"body": OFFER.format(n=9)},
        headers={"Edit-Token": told["edit_token"]},
    )
    assert changed.status_code == 202
    assert (await seen(service, told["id"], who))["status"] == "spam"


async def test_imported_comments_fold_into_waves_like_posted_ones(service: Service) -> None:
    now = service.clock()
    past = [
        ImportedComment(
            where=f"{n}",
            foreign=f"{n}",
            article="post",
            parent="",
            status="pending",
            name=f"Ann {n}",
            email="",
            url="",
            body=OFFER.format(n=n),
            format="markdown",
            created_at=now,
        )
        for n in range(3)
    ]
    past.append(
        ImportedComment(
            where="9",
            foreign="9",
            article="post",
            parent="",
            status="approved",
            name="Bo",
            email="",
            url="",
            body="A kind word.",
            format="markdown",
            created_at=now,
        )
    )
    services = service.services
    importer = Importer(services.database, services.signer, "default", "wordpress", service.clock())
    told = await importer.run(iter([ImportedArticle(foreign="post", key="post"), *past]))
    assert told.comments == {"pending": 3, "approved": 1}
    posted = await arrive(service, 7)
    await session(service)
    page = (await service.client.get("/moderate")).text
    assert len(rows(page)) == 1 and "A wave of 4" in page
    found = await similar(service, posted, await service.token())
    assert len(found) == 3 and {c["status"] for c in found} == {"pending"}
    async with services.database.reading() as look:
        assert len(await look.fetch("SELECT DISTINCT id FROM duplicate_keys")) == 4, (
            "none for what was published without a link"
        )


async def test_what_waits_without_keys_gets_them_in_pieces_and_is_one_row(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "AT_ONCE", 2)
    database = service.services.database
    ids = [await arrive(service, n) for n in range(5)]
    gone = ids.pop()
    async with database.transaction() as tx:  # as they came before there were keys
        await tx.execute("DELETE FROM duplicate_keys")
        await tx.execute("UPDATE comments SET status = 'approved' WHERE id = ?", gone)
    await session(service)
    assert "A wave of" not in (await service.client.get("/moderate")).text
    assert await duplicates.catch_up(database) == 4
    page = (await service.client.get("/moderate")).text
    assert len(rows(page)) == 1 and "A wave of 4" in page
    assert await duplicates.catch_up(database) == 0, "once"
    async with database.reading() as look:
        assert {row[0] for row in await look.fetch("SELECT DISTINCT id FROM duplicate_keys")} == set(ids)


async def test_plain_comments_decided_as_a_wave_get_their_keys_then(service: Service) -> None:
    who = await service.token()
    said = "A lovely piece on the old bridge, number {n}; my grandfather helped to paint it when he was young."
    ids = [(await service.post(body=said.format(n=n))).json()["id"] for n in range(3)]
    await decide(service, who, ids, "spam")
    late = await service.post(body=said.format(n=4))
    assert late.status_code == 202 and (await seen(service, late.json()["id"], who))["status"] == "spam"


async def session(service: Service) -> str:
    """Signs the client in; the CSRF token."""
    await set_password(service)
    assert (await sign_in(service)).status_code == 303
    return csrf((await service.client.get("/moderate")).text)


def rows(page: str) -> list[str]:
    return [id.removeprefix("row-") for id in Page(page).attributes("[data-row]", "id")]


async def test_a_wave_of_200_is_one_row_within_a_second_and_decided_once(service: Service) -> None:
    token = await session(service)
    first = await arrive(service, 1)
    lone = await service.held(body="We keep bees near the bridge, see https://bees.example/ for how that goes.")
    for n in range(2, 201):
        await arrive(service, n)
    began = time.perf_counter()
    page = (await service.client.get("/moderate")).text
    took = time.perf_counter() - began
    assert rows(page) == [first, lone]
    assert "A wave of 200" in page and "Spam all 200" in page and "Next" not in page and took < 1
    packed = Page(page).value(f"wave-{first}")
    form = {"csrf_token": token, "one": f"spam:{first}", f"seen-{first}": "1", f"wave-{first}": packed}
    done = await service.client.post("/moderate/decisions", data=form)
    assert done.status_code == 303 and "count=200" in done.headers["location"]
    assert rows((await service.client.get("/moderate")).text) == [lone]
    assert (await service.client.post("/moderate/decisions", data=form)).status_code == 409
    decision = httpx.URL(done.headers["location"]).params["decision"]
    undo = await service.client.post(f"/moderate/decisions/{decision}/undo", data={"csrf_token": token})
    assert undo.status_code == 303
    assert rows((await service.client.get("/moderate")).text) == [first, lone]


async def test_one_of_a_wave_that_changed_meanwhile_keeps_all_where_they_are(service: Service) -> None:
    token, who = await session(service), await service.token()
    ids = [await arrive(service, n) for n in range(3)]
    packed = Page((await service.client.get("/moderate")).text).value(f"wave-{ids[0]}")
    await decide(service, who, ids[2:], "approve")
    form = {"csrf_token": token, "action": "spam", "comments": ids[0], f"wave-{ids[0]}": packed}
    assert (await service.client.post("/moderate/decisions", data=form)).status_code == 409
    assert [(await seen(service, id, who))["status"] for id in ids] == ["pending", "pending", "approved"]
    assert rows((await service.client.get("/moderate")).text) == ids[:2], "two are no wave"
