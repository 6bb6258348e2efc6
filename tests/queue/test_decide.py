"""Deciding, undoing, the queue and the audit log, through the API and the pages, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Service, forged
from tests.html import Page, csrf

pytestmark = pytest.mark.anyio


async def decide(service: Service, who: dict[str, str], ids: list[str], action: str, **more: Any) -> Any:
    return await service.client.post("/api/v1/decisions", json={"comments": ids, "action": action} | more, headers=who)


async def test_a_held_comment_is_seen_with_its_reasons_and_approved(service: Service) -> None:
    who = await service.token()
    id = await service.held()
    (shown,) = (await service.client.get("/api/v1/comments", headers=who)).json()["comments"]
    assert shown["id"] == id and shown["author"]["email"].startswith("ann")
    assert "stranger-with-link" in [r.get("rule") for r in shown["verdict"]["reasons"]]
    assert shown["verdict"]["model"] and 0 <= shown["verdict"]["scores"]["spam"] <= 1
    answer = await decide(service, who, [id], "approve", expected_revision=shown["revision"])
    assert answer.status_code == 200
    assert answer.json()["comments"] == [{"id": id, "status": "approved", "revision": 2}]
    assert (await service.thread())["count"] == 1
    assert (await service.client.get("/api/v1/comments", headers=who)).json()["comments"] == []


async def test_two_moderators_do_not_overwrite_each_other(service: Service) -> None:
    who = await service.token()
    id, other = await service.held(), await service.held()
    assert (await decide(service, who, [id], "spam", expected_revision=1)).status_code == 200
    late = await decide(service, who, [other, id], "approve", expected_revision={id: 1, other: 1})
    assert late.status_code == 409
    assert late.json()["comments"] == [{"id": id, "status": "spam", "revision": 2}]
    assert (await service.client.get(f"/api/v1/comments/{other}", headers=who)).json()["status"] == "pending"


async def test_an_unknown_id_changes_nothing(service: Service) -> None:
    who = await service.token()
    id = await service.held()
    assert (await decide(service, who, [id, "0" * 26], "approve")).status_code == 404
    assert (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()["status"] == "pending"


async def test_undo_puts_every_comment_back_once(service: Service) -> None:
    who = await service.token()
    ids = [await service.held() for _ in range(3)]
    done = (await decide(service, who, ids, "approve")).json()
    assert (await service.thread())["count"] == 3
    undone = await service.client.post(f"/api/v1/decisions/{done['id']}/undo", headers=who)
    assert {c["status"] for c in undone.json()["comments"]} == {"pending"}
    assert (await service.thread())["count"] == 0
    assert (await service.client.post(f"/api/v1/decisions/{done['id']}/undo", headers=who)).status_code == 409


async def test_undo_is_refused_when_somebody_came_later(service: Service) -> None:
    who = await service.token()
    id = await service.held()
    first = (await decide(service, who, [id], "approve")).json()
    await decide(service, who, [id], "spam")
    assert (await service.client.post(f"/api/v1/decisions/{first['id']}/undo", headers=who)).status_code == 409
    assert (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()["status"] == "spam"


async def test_the_audit_log_has_ids_and_no_texts_and_cannot_be_changed(service: Service) -> None:
    who = await service.token()
    id = await service.held()
    await decide(service, who, [id], "reject", labels=["insult"], note="a note that stays inside")
    entries = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    assert entries[0]["action"] == "comment:reject" and entries[0]["subject"] == id
    assert "note" not in str(entries) and "@" not in str(entries)
    for sql in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="append-only"):
            async with service.services.database.transaction() as tx:
                await tx.execute(sql)


async def test_a_token_of_one_site_sees_and_decides_only_there(service: Service) -> None:
    from moderation.sites import store as sites
    from moderation.sites.model import Site

    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="other", name="Other"), 1)
    service.services.directory.forget()
    here, there = await service.held(), await service.held(site="other")
    who = await service.token(site="other")
    shown = (await service.client.get("/api/v1/comments", headers=who)).json()["comments"]
    assert [c["id"] for c in shown] == [there]
    assert (await decide(service, who, [here], "approve")).status_code == 404
    assert (await service.client.get(f"/api/v1/comments/{here}", headers=who)).status_code == 404
    assert (await service.client.get("/api/v1/comments?site=default", headers=who)).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Bearer nonsense"}, 401), ({"Authorization": "Basic eDp5"}, 401)],
)
async def test_who_is_nobody_sees_nothing(service: Service, headers: dict[str, str], status: int) -> None:
    for path in ("/api/v1/comments", "/api/v1/audit", f"/api/v1/comments/{'0' * 26}"):
        answer = await service.client.get(path, headers=headers)
        assert answer.status_code == status and "www-authenticate" in answer.headers


async def test_a_token_without_the_scope_is_refused(service: Service) -> None:
    answer = await service.client.get("/api/v1/comments", headers=await service.token("score"))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope")


@pytest.mark.parametrize("order", ["oldest", "newest", "uncertain", "worst"])
async def test_every_order_pages_through_the_whole_queue_once(service: Service, order: str) -> None:
    who = await service.token()
    ids = {await service.held() for _ in range(7)}
    seen, cursor = list[str](), ""
    while True:
        query = {"order": order, "limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await service.client.get("/api/v1/comments", params=query, headers=who)).json()
        seen += [c["id"] for c in page["comments"]]
        if not (cursor := page["next"]):
            break
    assert len(seen) == 7 and set(seen) == ids


async def test_filters_narrow_the_queue(service: Service) -> None:
    who = await service.token()
    one = await service.held("first", name="Zoë")
    two = await service.held("second")
    for query, wanted in (
        ({"article": "second"}, [two]),
        ({"q": "zoë"}, [one]),
        ({"q": "100%"}, []),
        ({"status": "spam"}, []),
    ):
        page = (await service.client.get("/api/v1/comments", params=query, headers=who)).json()
        assert [c["id"] for c in page["comments"]] == wanted, query
    assert (await service.client.get("/api/v1/comments?order=random&status=odd", headers=who)).status_code == 422


# --- pages -------------------------------------------------------------------------------------------------------------

PASSWORD = "four calm garden words"


async def sign_in(service: Service, password: str = PASSWORD) -> Any:
    form = (await service.client.get("/moderate/login")).text
    return await service.client.post(
        "/moderate/login", data={"email": "moderator@example.org", "password": password, "csrf_token": csrf(form)}
    )


async def set_password(service: Service) -> str:
    link = service.said[0].split()[-1].removeprefix("http://comments.test")
    answer = await service.client.post(link, data={"password": PASSWORD, "repeat": PASSWORD})
    assert answer.status_code == 303, answer.text
    return link


async def test_the_first_moderator_signs_in_decides_and_undoes_without_javascript(service: Service) -> None:
    link = await set_password(service)
    assert (await service.client.get(link)).status_code == 404  # works once
    signed = await sign_in(service)
    assert signed.status_code == 303 and "httponly" in signed.headers["set-cookie"].lower()
    ids = [await service.held(body=f"<script>alert(1)</script> https://blog.example/{i}") for i in range(2)]
    page = (await service.client.get("/moderate")).text
    assert "<script>alert" not in page
    assert Page(page).texts(".body") == [f"<script>alert(1)</script> https://blog.example/{i}" for i in range(2)]
    form = {"csrf_token": csrf(page), "comments": ids, "action": "approve", **{f"seen-{i}": "1" for i in ids}}
    done = await service.client.post("/moderate/decisions", data=form)
    assert done.status_code == 303, done.text
    assert (await service.thread())["count"] == 2
    page = (await service.client.get(done.headers["location"])).text
    (undo,) = Page(page).attributes('form[action$="/undo"]', "action")
    assert (await service.client.post(undo, data={"csrf_token": csrf(page)})).status_code == 303
    assert (await service.thread())["count"] == 0
    late = await service.client.post("/moderate/decisions", data=form)
    assert late.status_code == 409 and "See its current state" in late.text
    assert "comment:approve" in (await service.client.get("/moderate/history")).text
    assert (await service.client.get(f"/moderate/comments/{ids[0]}")).status_code == 200


async def test_a_session_needs_its_csrf_token(service: Service) -> None:
    await set_password(service)
    await sign_in(service)
    id = await service.held()
    form = {"csrf_token": "forged", "comments": id, "action": "approve"}
    assert (await service.client.post("/moderate/decisions", data=form)).status_code == 403
    api = {"comments": [id], "action": "approve"}
    assert (await service.client.post("/api/v1/decisions", json=api)).status_code == 403
    token = csrf((await service.client.get("/moderate")).text)
    assert (
        await service.client.post("/api/v1/decisions", json=api, headers={"X-CSRF-Token": token})
    ).status_code == 200


async def test_wrong_passwords_are_limited_from_the_database(service: Service) -> None:
    await set_password(service)
    answers = [await sign_in(service, f"wrong guess number {i}") for i in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert all(answer.headers["www-authenticate"] for answer in answers[:5])
    assert int(answers[5].headers["retry-after"]) == 15 * 60
    assert (await sign_in(service)).status_code == 429
    service.clock.forward(minutes=16)
    assert (await sign_in(service)).status_code == 303


async def test_who_is_not_signed_in_is_sent_to_sign_in(service: Service) -> None:
    for method in ("GET", "HEAD"):
        answer = await service.client.request(method, "/moderate?order=newest")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/moderate/login?next=%2Fmoderate%3Forder%3Dnewest"


async def test_signing_out_ends_the_session(service: Service) -> None:
    await set_password(service)
    await sign_in(service)
    cookie = service.client.cookies["moderation_session"]
    page = (await service.client.get("/moderate")).text
    await service.client.post("/moderate/logout", data={"csrf_token": csrf(page)})
    service.client.cookies.set("moderation_session", cookie, domain="comments.test")
    answer = await service.client.get("/moderate")
    assert answer.status_code == 303 and answer.headers["location"].startswith("/moderate/login")


async def test_a_password_that_is_too_short_is_refused_with_the_reason(service: Service) -> None:
    link = service.said[0].split()[-1].removeprefix("http://comments.test")
    answer = await service.client.post(link, data={"password": "short", "repeat": "short"})
    assert answer.status_code == 422 and "at least 10 characters" in answer.text
    assert (await service.client.get(link)).status_code == 200


async def test_a_receipt_tells_a_person_s_rejection_and_only_that(service: Service) -> None:
    who = await service.token()
    told = (await service.post(body="See https://blog.example/one")).json()
    path = told["receipt"].removeprefix("http://comments.test")
    read = {"Accept": "application/json"}
    assert (await service.client.get(path, headers=read)).json()["status"] == "pending"
    await decide(service, who, [told["id"]], "reject", note="Please, no advertising.")
    receipt = (await service.client.get(path, headers=read)).json()
    assert (receipt["status"], receipt["reason"]) == ("rejected", "Please, no advertising.")
    assert (await service.client.get(forged(path))).status_code == 404
    assert "no advertising" in (await service.client.get(path, headers={"Accept": "text/html"})).text


async def test_editing_by_the_receipt_does_not_get_round_what_held_it(service: Service) -> None:
    form = {"name": "Bot", "email": "bot@example.org", "body": "Quite a harmless comment about gardens."}
    answer = await service.client.post("/sites/default/articles/post/comments", data=form)  # no form token
    path = answer.headers["location"].removeprefix("http://comments.test")
    assert path.startswith("/receipts/")
    saved = await service.client.post(path, data={"act": "edit", "body": "Another harmless comment about gardens."})
    assert saved.status_code == 303
    assert (await service.thread())["count"] == 0
    assert (await service.client.post(path, data={"act": "withdraw"})).status_code == 303
    assert "withdrawn" in (await service.client.get(path)).text
