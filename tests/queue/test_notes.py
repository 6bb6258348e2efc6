"""Notes on a comment and an author: for the team alone, erased and exported with their author, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.privacy import retention
from tests.conftest import Service
from tests.html import Page, csrf
from tests.queue.test_decide import set_password, sign_in
from tests.team.test_roles import signed_in

pytestmark = pytest.mark.anyio
ANN = "ann@mail.example"
WORDS = "zqnote: she rang us up"


async def note(service: Service, who: dict[str, str], id: str, body: str = WORDS, on: str = "comment") -> Any:
    service.clock.forward(seconds=1)
    sent = {"body": body, "on": on}
    return await service.client.post(f"/api/v1/comments/{id}/notes", json=sent, headers=who)


async def notes(service: Service, who: dict[str, str], id: str) -> list[tuple[str, str]]:
    shown = (await service.client.get(f"/api/v1/comments/{id}", headers=who)).json()
    return [(one["on"], one["body"]) for one in shown["notes"]]


async def published(service: Service, **more: Any) -> str:
    told = (await service.post(**more)).json()
    assert told["status"] == "approved"
    return str(told["id"])


async def test_a_note_is_on_one_comment_or_on_all_of_its_author(service: Service) -> None:
    who = await service.token()
    first, second = [await published(service, email=ANN) for _ in range(2)]
    other = await published(service)
    made = await note(service, who, first, "  On the comment.\r\nTwo lines. ")
    assert made.status_code == 201 and made.json()["body"] == "On the comment.\nTwo lines."
    assert (await note(service, who, second, "On her.", "author")).status_code == 201
    assert await notes(service, who, first) == [("comment", "On the comment.\nTwo lines."), ("author", "On her.")]
    assert await notes(service, who, second) == [("author", "On her.")]
    assert await notes(service, who, other) == []
    rows = (await service.client.get("/api/v1/comments?status=any", headers=who)).json()["comments"]
    assert {row["id"]: len(row["notes"]) for row in rows} == {first: 2, second: 1, other: 0}
    key = service.services.signer.author_key(ANN, "")
    assert key not in str(rows)
    for body in ("", "  ", "x" * 1001):
        assert (await note(service, who, first, body)).status_code == 422
    assert (await note(service, who, first, on="site")).status_code == 422
    assert (await note(service, who, "0" * 26)).status_code == 404


async def test_without_an_address_there_is_no_author_to_note(service: Service) -> None:
    who = await service.token()
    rules = {"require_email": False}
    assert (await service.client.put("/api/v1/sites/default/rules", json=rules, headers=who)).status_code == 200
    id = await published(service, email="")
    assert (await note(service, who, id, on="author")).status_code == 422
    assert (await note(service, who, id)).status_code == 201
    assert (await service.client.get(f"/moderate/comments/{id}/author")).status_code == 303  # nobody is signed in


async def test_who_wrote_a_note_changes_and_deletes_it_and_nobody_else(service: Service) -> None:
    mine, id = await service.token(), await published(service, email=ANN)
    one = (await note(service, mine, id)).json()
    path = f"/api/v1/notes/{one['id']}"
    here, there = await signed_in(service, "moderator", "default"), await signed_in(service, "moderator", "other")
    for method, sent in (("PATCH", {"json": {"body": "x"}}), ("DELETE", {})):
        assert (await here.ask(method, path, **sent)).status_code == 403
        assert (await there.ask(method, path, **sent)).status_code == 404
        assert (await here.ask(method, f"/api/v1/notes/{'0' * 26}", **sent)).status_code == 404
    assert (await there.ask("POST", f"/api/v1/comments/{id}/notes", json={"body": "x"})).status_code == 404
    assert (await service.client.post("/api/v1/comments/x/notes", json={"body": "x"})).status_code == 401
    service.clock.forward(minutes=5)
    service.client.cookies.clear()
    changed = (await service.client.patch(path, json={"body": "Better."}, headers=mine)).json()
    assert changed["body"] == "Better." and changed["edited_at"] > changed["created_at"]
    assert await notes(service, mine, id) == [("comment", "Better.")]
    service.clock.forward(minutes=5)
    assert (await service.client.delete(path, headers=mine)).status_code == 204
    assert await notes(service, mine, id) == [] and (await service.client.delete(path, headers=mine)).status_code == 404
    log = (await service.client.get("/api/v1/audit", headers=mine)).json()["entries"]
    assert [e["action"] for e in log if e["action"].startswith("note:")] == ["note:delete", "note:change", "note:add"]
    assert "zqnote" not in str(log)


async def test_no_public_answer_has_a_note(service: Service) -> None:
    who = await service.token()
    made = (await service.post(email=ANN)).json()
    for on in ("comment", "author"):
        assert (await note(service, who, made["id"], on=on)).status_code == 201
    receipt = made["receipt"].removeprefix("http://comments.test")
    place = "/sites/default/articles/post"
    for path in (
        f"{place}/comments", f"{place}/comments?view=flat", f"{place}/feed", "/sites/default/feed", f"{place}/form",
        f"{place}/fragment", "/sites/default/counts?article=post", receipt, f"{receipt}/data",
        f"{place}/comments/{made['id']}/report", "/openapi.json", "/metrics",
    ):  # fmt: skip
        answer = await service.client.get(path)
        assert "zqnote" not in answer.text, path
    edited = await service.client.patch(
        f"{place}/comments/{made['id']}", json={"body": "Other words."}, headers={"Edit-Token": made["edit_token"]}
    )
    assert edited.status_code == 200 and "zqnote" not in edited.text


async def test_an_erasure_takes_the_notes_and_an_export_has_them(service: Service) -> None:
    who = await service.token("moderate,privacy")
    id = await published(service, email=ANN)
    for on in ("comment", "author"):
        await note(service, who, id, f"{WORDS} {on}", on)
    blocked = {"target": "author", "reason": "zqreason"}
    assert (await service.client.post(f"/api/v1/comments/{id}/block", json=blocked, headers=who)).status_code == 200
    answer = await service.client.post("/api/v1/privacy/export", json={"email": ANN}, headers=who)
    told = answer.json()
    assert [(one["id"], one["body"]) for one in told["notes"]] == [("", f"{WORDS} author"), (id, f"{WORDS} comment")]
    assert [one["reason"] for one in told["blocks"]] == ["zqreason"] and "moderator" not in str(told["notes"])
    await service.client.post("/api/v1/privacy/erase", json={"email": ANN}, headers=who)
    async with service.services.database.reading() as session:
        assert await session.fetch("SELECT 1 FROM notes") == []
        (row,) = await session.fetch("SELECT reason, comment, entry FROM blocks")
    assert tuple(row)[:2] == ("", None)
    rules = (await service.client.get("/api/v1/sites/default/rules", headers=who)).json()["rules"]
    assert rules["disallowed"] == [row[2]], "what is blocked stays blocked"


async def test_notes_on_an_author_go_when_nothing_of_theirs_is_left(service: Service) -> None:
    who, id = await service.token(), await published(service, email=ANN)
    await note(service, who, id, on="author")
    await service.client.post("/api/v1/decisions", json={"comments": [id], "action": "spam"}, headers=who)
    await retention.purge(service.services.database, retention.Keep(), service.clock())
    assert await notes(service, who, id) == [("author", WORDS)]
    service.clock.forward(hours=24 * 31)
    await retention.purge(service.services.database, retention.Keep(), service.clock())
    async with service.services.database.reading() as session:
        assert await session.fetch("SELECT 1 FROM notes") == []


async def test_a_redaction_reaches_the_notes_on_the_comment(service: Service) -> None:
    who, id = await service.token(), await service.held(email=ANN, body="Ring me at 555 0199: https://a.example/x")
    await note(service, who, id, "The number 555 0199 is real.")
    done = await service.client.post(f"/api/v1/comments/{id}/redact", json={"text": "555 0199"}, headers=who)
    assert done.status_code == 200
    assert await notes(service, who, id) == [("comment", "The number [removed] is real.")]


async def test_the_pages_show_a_note_on_the_card_and_let_its_author_change_it(service: Service) -> None:
    await set_password(service)
    await sign_in(service)
    id = await service.held(email=ANN)
    page = (await service.client.get(f"/moderate/comments/{id}")).text
    form = {"csrf_token": csrf(page), "back": f"/moderate/comments/{id}", "on": "comment", "body": WORDS}
    done = await service.client.post(f"/moderate/comments/{id}/notes", data=form)
    assert done.headers["location"] == f"/moderate/comments/{id}#notes"
    assert (
        await service.client.post(f"/moderate/comments/{id}/notes", data=form | {"csrf_token": "x"})
    ).status_code == 403
    (short,) = Page((await service.client.get("/moderate")).text).texts(".noted")
    assert short == f"Note moderator@example.org: {WORDS}"
    shown = Page((await service.client.get(f"/moderate/comments/{id}")).text)
    (action,) = shown.attributes('form[action^="/moderate/notes/"]', "action")
    await service.client.post(action, data=form | {"act": "save", "body": "Other words"})
    assert "Other words" in (await service.client.get("/moderate")).text
    await service.client.post(action, data=form | {"act": "delete"})
    assert not Page((await service.client.get("/moderate")).text).has(".noted")
