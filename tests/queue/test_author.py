"""An author's page: everything that somebody wrote here, whatever its status; on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Service
from tests.html import Page, csrf
from tests.intake.test_reports import report
from tests.queue.test_decide import set_password, sign_in
from tests.team.test_roles import signed_in

pytestmark = pytest.mark.anyio
EVE = "eve@mail.example"


async def decide(service: Service, who: dict[str, str], id: str, action: str, **more: Any) -> None:
    sent = {"comments": [id], "action": action} | more
    assert (await service.client.post("/api/v1/decisions", json=sent, headers=who)).status_code == 200


async def author(service: Service, who: dict[str, str], id: str, **query: Any) -> Any:
    answer = await service.client.get(f"/api/v1/comments/{id}/author", params=query, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def written(service: Service, who: dict[str, str]) -> dict[str, str]:
    """Status → the id of a comment of Eve's, in the order of writing; and one of somebody else's."""
    found = {}
    for action, status in (("approve", "approved"), ("hold", "pending"), ("spam", "spam"), ("reject", "rejected"), ("delete", "deleted")):  # fmt: skip
        found[status] = await service.held(email=EVE, name=f"Eve {status}")
        await decide(service, who, found[status], action, note=f"why {status}")
    await service.held(name="Somebody")
    return found


async def test_everything_of_one_author_is_there_newest_first(service: Service) -> None:
    who = await service.token()
    ids = await written(service, who)
    for id in ids.values():
        told = await author(service, who, id)
        assert [(one["id"], one["status"]) for one in told["comments"]] == [(i, s) for s, i in reversed(ids.items())]
    assert told["names"] == [f"Eve {status}" for status in reversed(ids)] and told["email"] == EVE
    assert [one["decisions"][0]["note"] for one in told["comments"]] == [f"why {status}" for status in reversed(ids)]
    first, last = told["comments"][-1]["created_at"], told["comments"][0]["created_at"]
    assert told["record"] == dict.fromkeys(ids, 1) | {"first_seen": first, "last_seen": last}
    assert told["comments"][0]["author"]["record"] == told["record"], "the card says the same"
    assert service.services.signer.author_key(EVE, "") not in str(told)


async def test_its_pages_are_read_by_cursor(service: Service) -> None:
    who = await service.token()
    ids = [await service.held(email=EVE) for _ in range(5)][::-1]
    seen, cursor = list[str](), ""
    for _ in range(3):
        told = await author(service, who, ids[2], limit=2, cursor=cursor)
        seen += [one["id"] for one in told["comments"]]
        cursor = told["next"]
    assert seen == ids and cursor is None
    wrong = await service.client.get(f"/api/v1/comments/{ids[0]}/author?cursor=x", headers=who)
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["field"] == "cursor"


async def test_without_an_address_a_comment_stands_alone(service: Service) -> None:
    who = await service.token()
    await service.client.put("/api/v1/sites/default/rules", json={"require_email": False}, headers=who)
    one, _ = [await service.held(email="", name="Nobody") for _ in range(2)]
    told = await author(service, who, one)
    assert [each["id"] for each in told["comments"]] == [one] and told["record"]["pending"] == 1
    await set_password(service)
    await sign_in(service)
    page = Page((await service.client.get("/moderate")).text)
    assert not page.has("a[data-author]")
    assert (
        "Without an email address" in Page((await service.client.get(f"/moderate/comments/{one}/author")).text).text()
    )


async def test_a_moderator_of_another_site_sees_nothing(service: Service) -> None:
    id = await service.held(email=EVE)
    there = await signed_in(service, "moderator", "other")
    for path in (f"/api/v1/comments/{id}/author", f"/moderate/comments/{id}/author"):
        answer = await there.ask("GET", path)
        assert answer.status_code == 404 and EVE not in answer.text
    assert (
        await service.client.get("/api/v1/comments/nothing/author", headers=await service.token())
    ).status_code == 404


async def test_what_one_site_knows_of_an_author_the_other_does_not(service: Service) -> None:
    who = await service.token()
    await signed_in(service)  # which makes the other site
    service.services.directory.forget()
    here = await service.held(email=EVE)
    await service.post(site="other", email=EVE, body="A word over there.")
    told = await author(service, who, here)
    assert [one["site"] for one in told["comments"]] == ["default"]


async def test_the_page_has_reports_blocks_notes_and_counts_and_decides(service: Service) -> None:
    who = await service.token()
    ids = await written(service, who)
    await report(service, ids["approved"], "insult", "Look at this.")
    blocked = {"target": "author", "reason": "A ring", "lasts": "week"}
    await service.client.post(f"/api/v1/comments/{ids['spam']}/block", json=blocked, headers=who)
    for on in ("author", "comment"):
        sent = {"body": f"A note on the {on}", "on": on}
        await service.client.post(f"/api/v1/comments/{ids['spam']}/notes", json=sent, headers=who)
    await set_password(service)
    await sign_in(service)
    queue = Page((await service.client.get("/moderate")).text)
    address = f"/moderate/comments/{ids['pending']}/author"
    assert queue.attributes(f"#row-{ids['pending']} a[data-author]", "href") == [address]
    assert address in Page((await service.client.get(f"/moderate/comments/{ids['pending']}")).text).attributes(
        "a", "href"
    )
    source = (await service.client.get(address)).text
    page = Page(source)
    assert page.texts(".counts > div")[:5] == ["Published 1", "Held 1", "Spam 1", "Rejected 1", "Deleted 1"]
    assert [row["id"] for row in page.all("[data-row]")] == [f"row-{ids[s]}" for s in reversed(list(ids))]
    assert page.texts("[data-row] .status") == ["Deleted", "Rejected", "Spam", "Pending", "Approved"]
    assert "A ring" in page.text(".hits") and "until" in page.text(".hits")
    assert "A note on the author" in page.text("#notes") and page.texts(".noted")[0].endswith("A note on the comment")
    assert "reported as insult" in page.text(f"#row-{ids['approved']} .past") and "open" in page.text(
        f"#row-{ids['approved']} .past"
    )
    assert "why rejected" in page.text(f"#row-{ids['rejected']} .past")
    form = {
        "csrf_token": csrf(source),
        "back": address,
        "one": f"approve:{ids['spam']}",
        f"seen-{ids['spam']}": page.value(f"seen-{ids['spam']}"),
    }
    done = await service.client.post("/moderate/decisions", data=form)
    after = Page((await service.client.get(done.headers["location"])).text)
    assert "1 comment approved" in after.text() and after.texts(".counts > div")[0] == "Published 2"
    told = await author(service, who, ids["approved"])
    assert [one["outcome"] for one in told["comments"][-1]["all_reports"]] == [None]


async def test_the_same_author_and_a_search_reach_every_status(service: Service) -> None:
    who = await service.token()
    ids = await written(service, who)
    query = {"status": "any", "author": ids["spam"], "order": "newest"}
    rows = (await service.client.get("/api/v1/comments", params=query, headers=who)).json()["comments"]
    assert [row["id"] for row in rows] == list(ids.values())[::-1]
    rows = (await service.client.get("/api/v1/comments?status=any&q=mail.example", headers=who)).json()["comments"]
    assert {row["id"] for row in rows} == set(ids.values())
    await set_password(service)
    await sign_in(service)
    nothing = Page((await service.client.get("/moderate?status=approved&q=rejected")).text)
    found = await service.client.get(nothing.link("Look in every status"))
    assert [row["id"] for row in Page(found.text).all("[data-row]")] == [f"row-{ids['rejected']}"]
