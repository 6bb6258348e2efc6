"""A moderator's own reply: published as staff's, with what it answers, by one decision with one undo, on both databases."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from moderation.comments import store_decisions as decisions
from moderation.outbox import store_subscriptions as subscriptions
from moderation.outbox.store_subscriptions import Subscription
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.transfer import exporting, normalise
from moderation.transfer.formats import own
from moderation.transfer.records import ImportedComment
from tests.conftest import Service
from tests.html import Page, csrf, words
from tests.queue.test_decide import decide, set_password, sign_in

pytestmark = pytest.mark.anyio
WORDS = {"name": "Marta", "body": "Thank you: I *corrected* the date."}


async def reply(service: Service, who: dict[str, str], id: str, **more: Any) -> Any:
    return await service.client.post(f"/api/v1/comments/{id}/replies", json=WORDS | more, headers=who)


async def test_a_reply_is_published_as_staff_and_shown_so(service: Service) -> None:
    who, told = await service.token(), (await service.post()).json()
    answer = await reply(service, who, told["id"], expected_revision=1)
    assert answer.status_code == 201, answer.text
    shown = answer.json()["reply"]
    assert shown["author"]["mark"] == "staff" and shown["author"]["name"] == "Marta" and shown["status"] == "approved"
    (first,) = (await service.thread())["comments"]
    assert first["author"]["mark"] is None
    (below,) = first["replies"]
    assert below["author"]["mark"] == "staff" and "<em>corrected</em>" in below["html"]
    fragment = Page((await service.client.get("/sites/default/articles/post/fragment")).text)
    staff = fragment.one("strong")  # one of two comments
    assert words(staff) == "Staff" and words(fragment.one("[itemprop=author]:has(+ strong)")) == "Marta"
    one = (await service.client.get(f"/api/v1/comments/{shown['id']}", headers=who)).json()
    assert (one["author"]["staff"], one["author"]["email"], one["verdict"]["scores"]) == (True, "", None)
    (entry,) = one["decisions"]
    assert entry["action"] == "reply"


async def test_what_staff_wrote_is_staffs_still_after_moving(service: Service) -> None:
    who, told = await service.token(), (await service.post()).json()
    await reply(service, who, told["id"])
    out: list[bytes] = []
    async with service.services.database.reading() as session:
        site = (await sites.sites(session))["default"]
    await exporting.write_jsonl(service.services.database, site, service.clock(), out.append)
    rows = [orjson.loads(line)["comment"] for line in b"".join(out).splitlines() if b'"comment"' in line[:12]]
    assert [row["is_staff"] for row in rows] == [False, True]
    past = [own.comment(row, "here") for row in rows]
    signer, now = service.services.signer, service.clock()
    assert [
        normalise.ready(p, signer, "other", now, p.created_at).comment.is_staff
        for p in past
        if isinstance(p, ImportedComment)
    ] == [
        False,
        True,
    ]


async def test_approve_and_reply_is_one_transaction_with_one_undo(service: Service) -> None:
    who, id = await service.token(), await service.held()
    refused = await reply(service, who, id)
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "approve"
    assert (await reply(service, who, id, approve=True, expected_revision=7)).status_code == 409
    assert (await service.thread())["count"] == 0
    done = (await reply(service, who, id, approve=True, expected_revision=1)).json()
    assert [(c["status"], c["revision"]) for c in done["comments"]] == [("approved", 2), ("approved", 1)]
    assert (await service.thread())["count"] == 2
    entries = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    assert ("comment:reply", done["reply"]["id"]) in [(e["action"], e["subject"]) for e in entries]
    assert ("comment:approve", id) in [(e["action"], e["subject"]) for e in entries]
    assert "corrected" not in str(entries)
    undone = await service.client.post(f"/api/v1/decisions/{done['id']}/undo", headers=who)
    assert {c["status"] for c in undone.json()["comments"]} == {"pending", "deleted"}
    assert (await service.thread())["count"] == 0


async def test_it_is_judged_by_nobody_and_teaches_nothing(service: Service) -> None:
    who, told = await service.token(), (await service.post()).json()
    insult = "What a stupid, pathetic idiot, see https://a.example/ and https://b.example/ and https://c.example/"
    answer = (await reply(service, who, told["id"], body=insult)).json()
    assert answer["reply"]["status"] == "approved"
    await decide(service, who, [answer["reply"]["id"]], "spam")
    async with service.services.database.reading() as session:
        assert await decisions.taught(session, "default") == []
    stats = (await service.client.get("/api/v1/stats?since=1d", headers=who)).json()
    assert stats["submissions"]["total"] == 1


async def test_it_is_told_to_the_author_above_as_any_reply_is(service: Service) -> None:
    who = await service.token()
    told = (await service.post(email="ann@example.org", notify=True)).json()
    services = service.services
    person = services.signer.author_key("ann@example.org", "")
    async with services.database.transaction() as tx:
        await tx.execute("UPDATE comments SET notify = 1")
        await subscriptions.put(
            tx, Subscription(site="default", author_key=person, id=told["id"], state="confirmed", asked_at=1), 1
        )
    answer = (await reply(service, who, told["id"])).json()
    async with services.database.reading() as session:
        rows = await session.fetch("SELECT id, subject FROM outbox WHERE destination = 'mail'")
    assert [tuple(row) for row in rows] == [(f"reply.{answer['reply']['id']}", told["id"])]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"body": ""}, "body"),
        ({"body": "x" * 10_001}, "body"),
        ({"approve": "yes"}, "approve"),
        ({"expected_revision": "1"}, "expected_revision"),
    ],
)
async def test_a_wrong_reply_changes_nothing(service: Service, wrong: dict[str, Any], field: str) -> None:
    who, told = await service.token(), (await service.post()).json()
    answer = await reply(service, who, told["id"], **wrong)
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == field
    assert (await service.thread())["count"] == 1


async def test_who_may_not_and_what_is_not(service: Service) -> None:
    told = (await service.post()).json()
    assert (await reply(service, {}, told["id"])).status_code == 401
    assert (await reply(service, await service.token("score"), told["id"])).status_code == 403
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="other", name="Other"), 1)
    assert (await reply(service, await service.token(site="other"), told["id"])).status_code == 404
    who = await service.token()
    assert (await reply(service, who, "0" * 26)).status_code == 404
    assert (await reply(service, who, told["id"])).status_code == 201
    assert (await reply(service, who, told["id"])).json()["code"] == "duplicate"


async def test_by_the_page_nothing_that_was_typed_is_lost_and_the_name_is_kept(service: Service) -> None:
    await set_password(service)
    await sign_in(service)
    id = await service.held()
    (link,) = Page((await service.client.get("/moderate")).text).attributes("a[data-reply]", "href")
    page = (await service.client.get(link)).text
    form = {
        "csrf_token": csrf(page),
        "seen": "1",
        "approve": "1",
        "back": "/moderate",
        "name": "",
        "body": "Thank you.",
    }
    wrong = await service.client.post(f"/moderate/comments/{id}/reply", data=form)
    assert wrong.status_code == 422 and "Thank you." in wrong.text and "Please give a name" in wrong.text
    late = await service.client.post(f"/moderate/comments/{id}/reply", data=form | {"name": "Marta", "seen": "9"})
    assert late.status_code == 409 and "Thank you." in late.text
    done = await service.client.post(f"/moderate/comments/{id}/reply", data=form | {"name": "Marta"})
    assert done.status_code == 303, done.text
    page = (await service.client.get(done.headers["location"])).text
    assert "Your reply is published, and what it answers" in page
    assert (await service.thread())["count"] == 2
    (undo,) = Page(page).attributes('form[action$="/undo"]', "action")
    await service.client.post(undo, data={"csrf_token": csrf(page)})
    assert (await service.thread())["count"] == 0
    other = (await service.post()).json()["id"]
    assert Page((await service.client.get(f"/moderate/comments/{other}/reply")).text).value("name") == "Marta"
    forged = await service.client.post(f"/moderate/comments/{other}/reply", data=form | {"csrf_token": "x"})
    assert forged.status_code == 403
    page = (await service.client.get("/moderate/account")).text
    data = {"csrf_token": csrf(page), "act": "call-me", "name": "Marta L."}
    assert (await service.client.post("/moderate/account", data=data)).status_code == 303
    assert Page((await service.client.get(f"/moderate/comments/{other}/reply")).text).value("name") == "Marta L."
