"""Who may do what: administrators, moderators of all sites and of one; invitations and tokens. Through HTTP."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from moderation.outbox import store as outbox
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.team import access
from moderation.team import store as moderators
from moderation.team.model import Moderator
from tests.conftest import Service
from tests.html import Page

pytestmark = pytest.mark.anyio
PASSWORD = "four unrelated words"
PAGE = "/moderate/moderators"


class Person:
    """Somebody who is signed in, and keeps to their own session."""

    def __init__(self, service: Service, moderator: Moderator, token: str, csrf: str) -> None:
        self.service, self.moderator, self.token, self.csrf = service, moderator, token, csrf

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Cookie": f"moderation_session={self.token}", "X-CSRF-Token": self.csrf}
        self.service.client.cookies.clear()
        return await self.service.client.request(method, path, headers=headers, **more)

    async def act(self, act: str, **fields: str) -> httpx.Response:
        return await self.ask("POST", PAGE, data={"csrf_token": self.csrf, "act": act} | fields)


async def signed_in(service: Service, role: str = "administrator", site: str = "*") -> Person:
    services, email = service.services, f"{role}-{site.replace('*', 'all')}@garden.example"
    async with services.database.transaction() as tx:
        if not await sites.sites(tx, ["other"]):
            await sites.put_site(tx, Site(key="other", name="Other"), service.clock())
        moderator = await access.add_moderator(tx, email, role, site, service.clock())
        moderator = await access.set_password(tx, moderator, PASSWORD, service.clock())
    return await begun(service, moderator)


async def begun(service: Service, moderator: Moderator) -> Person:
    services = service.services
    token = await access.begin_session(services.database, services.signer, moderator, service.clock())
    return Person(service, moderator, token, services.signer.csrf_token(services.signer.token_hash(token)))


async def by_email(service: Service, email: str) -> Moderator | None:
    async with service.services.database.reading() as session:
        return await moderators.by_email(session, email)


def link_of(answer: httpx.Response) -> str:
    (link,) = [said for said in Page(answer.text).texts("code") if "/moderate/set-password/" in said]
    return link.removeprefix("http://comments.test")


# --- who may do what -----------------------------------------------------------------------------------------------------


async def test_what_each_role_may_and_may_not_do(service: Service) -> None:
    chief, all_, here, there, local = [
        await signed_in(service, role, site)
        for role, site in (
            ("administrator", "*"),
            ("moderator", "*"),
            ("moderator", "default"),
            ("moderator", "other"),
            ("administrator", "default"),
        )
    ]
    id = await service.held()
    note = (await chief.ask("POST", f"/api/v1/comments/{id}/notes", json={"body": "Mine."})).json()["id"]
    email = {"email": "ann@example.org"}
    approve = {"comments": [id], "action": "hold"}
    # method, path, JSON, and who of (chief, all, here, there, local) may
    table: list[tuple[str, str, Any, tuple[int, int, int, int, int]]] = [
        ("GET", "/api/v1/comments", None, (200, 200, 200, 200, 200)),
        ("GET", f"/api/v1/comments/{id}", None, (200, 200, 200, 404, 200)),
        ("GET", f"/moderate/comments/{id}", None, (200, 200, 200, 404, 200)),
        ("GET", f"/moderate/comments/{id}/author", None, (200, 200, 200, 404, 200)),
        ("GET", f"/api/v1/comments/{id}/author", None, (200, 200, 200, 404, 200)),
        ("POST", f"/api/v1/comments/{id}/notes", {"body": "Kind."}, (201, 201, 201, 404, 201)),
        ("PATCH", f"/api/v1/notes/{note}", {"body": "Kinder."}, (200, 403, 403, 404, 403)),
        ("POST", f"/api/v1/comments/{id}/block", {"target": "author"}, (200, 200, 200, 404, 200)),
        ("GET", "/api/v1/sites/default/blocks", None, (200, 200, 200, 404, 200)),
        ("GET", "/moderate/blocks?site=default", None, (200, 200, 200, 404, 200)),
        ("POST", "/api/v1/sites/default/blocks/lift", {"entry": "river"}, (404, 404, 404, 404, 404)),
        ("POST", "/api/v1/decisions", approve, (200, 200, 200, 404, 200)),
        ("GET", "/api/v1/comments/revisions", None, (200, 200, 200, 200, 200)),
        ("GET", "/api/v1/comments/revisions?site=default", None, (200, 200, 200, 403, 200)),
        ("GET", "/moderate/matching", None, (200, 200, 200, 200, 200)),
        ("GET", "/moderate/matching?site=default", None, (200, 200, 200, 403, 200)),
        ("GET", "/moderate/filters", None, (200, 200, 200, 200, 200)),
        ("GET", "/api/v1/filters", None, (200, 200, 200, 200, 200)),
        ("GET", f"/moderate/comments/{id}/assign", None, (200, 200, 200, 404, 200)),
        ("POST", "/api/v1/snoozes", {"comments": [id], "until": None}, (200, 200, 200, 404, 200)),
        ("POST", "/api/v1/assignments", {"comments": [id], "to": None}, (200, 200, 200, 404, 200)),
        ("GET", "/api/v1/stats?site=default", None, (200, 200, 200, 403, 200)),
        ("GET", "/moderate/stats?site=default", None, (200, 200, 200, 403, 200)),
        ("GET", "/api/v1/sites/default/rules", None, (200, 200, 200, 404, 200)),
        ("PUT", "/api/v1/sites/default/rules", {"max_links": 2}, (200, 403, 403, 404, 200)),
        ("PUT", "/api/v1/sites/other/rules", {"max_links": 2}, (200, 403, 404, 403, 404)),
        ("PUT", "/sites/default/articles/a", {"title": "A"}, (401, 401, 401, 401, 401)),  # programs only
        ("POST", "/api/v1/privacy/export", email | {"site": "default"}, (200, 403, 403, 403, 200)),
        ("POST", "/api/v1/privacy/erase", email | {"site": "other"}, (200, 403, 403, 403, 403)),
        ("POST", "/api/v1/privacy/export", email, (200, 403, 403, 403, 403)),
        ("GET", PAGE, None, (200, 403, 403, 403, 200)),
        ("GET", "/moderate/account", None, (200, 200, 200, 200, 200)),
        ("GET", "/moderate/rules", None, (200, 200, 200, 200, 200)),
        ("GET", "/moderate/history", None, (200, 200, 200, 200, 200)),
    ]
    wrong = []
    for method, path, sent, expected in table:
        for person, status in zip((chief, all_, here, there, local), expected, strict=True):
            answer = await person.ask(method, path, **({"json": sent} if sent is not None else {}))
            if answer.status_code != status:
                wrong.append((method, path, person.moderator.email, answer.status_code, status))
    assert wrong == []
    for person in (all_, here, there):
        for place in ("/moderate/policy", "/moderate/policy/undo"):
            sent = {"csrf_token": person.csrf, "site": "default", "max_links": "7", "act": "save"}
            assert (await person.ask("POST", place, data=sent)).status_code in (403, 404)
    rules = (await chief.ask("GET", "/api/v1/sites/default/rules")).json()["rules"]
    assert rules["max_links"] == 2
    seen = (await there.ask("GET", "/api/v1/comments")).json()["comments"]
    assert seen == [] and id not in (await there.ask("GET", "/moderate")).text
    history = (await there.ask("GET", "/api/v1/audit")).json()["entries"]
    assert {entry["site"] for entry in history} == {"other"}
    assert PAGE not in (await here.ask("GET", "/moderate")).text  # nor is it offered what it may not do


@pytest.mark.parametrize("role", ["moderator", "token"])
async def test_only_an_administrator_changes_who_moderates(service: Service, role: str) -> None:
    person = await signed_in(service, "moderator", "*")
    if role == "token":  # a program is nobody who signs in, whatever its scopes
        who = await service.token("moderate,privacy,articles,score")
        service.client.cookies.clear()
        assert (await service.client.post(PAGE, headers=who, data={"act": "invite"})).status_code == 303
        return
    chief = await signed_in(service)
    for act, fields in (
        ("invite", {"email": "x@garden.example", "place": "moderator/*"}),
        ("change", {"moderator": person.moderator.id, "place": "administrator/*"}),
        ("remove", {"moderator": chief.moderator.id}),
        ("add-token", {"name": "x", "site": "*", "scope-moderate": "1"}),
        ("revoke-token", {"token": "abcdef"}),
    ):
        assert (await person.act(act, **fields)).status_code == 403
    assert await by_email(service, "x@garden.example") is None
    kept = await by_email(service, person.moderator.email)
    assert kept and kept.role == "moderator"


async def test_the_administrator_of_one_site_reaches_no_further(service: Service) -> None:
    local, chief = await signed_in(service, "administrator", "default"), await signed_in(service)
    other = await signed_in(service, "moderator", "other")
    page = (await local.ask("GET", PAGE)).text
    assert other.moderator.email not in page and chief.moderator.email not in page
    for place in ("administrator/*", "moderator/*", "moderator/other"):
        assert (await local.act("invite", email="x@garden.example", place=place)).status_code == 403
        assert (await local.act("change", moderator=local.moderator.id, place=place)).status_code == 403
    for id in (other.moderator.id, chief.moderator.id):
        assert (await local.act("remove", moderator=id)).status_code == 404
        assert (await local.act("change", moderator=id, place="moderator/default")).status_code == 404
    assert (await local.act("add-token", **{"name": "x", "site": "*", "scope-score": "1"})).status_code == 403
    whole = await service.token("score")
    token = whole["Authorization"].removeprefix("Bearer ")
    assert (await local.act("revoke-token", token=token[:6])).status_code == 404
    assert (await local.act("invite", email="x@garden.example", place="moderator/default")).status_code == 200


# --- invitations ---------------------------------------------------------------------------------------------------------


async def test_an_invitation_is_one_link_for_48_hours(service: Service) -> None:
    chief = await signed_in(service)
    answer = await chief.act("invite", email="Sam@Garden.example", place="moderator/other")
    link = link_of(answer)
    assert answer.headers["cache-control"] == "no-store" and link not in (await chief.ask("GET", PAGE)).text
    fields = {"password": PASSWORD, "repeat": PASSWORD}
    service.clock.forward(hours=47.9)
    assert (await service.client.get(link)).status_code == 200
    assert (await service.client.post(link, data=fields)).status_code == 303
    assert (await service.client.post(link, data=fields)).status_code == 404
    sam = await by_email(service, "sam@garden.example")
    assert sam and (sam.role, sam.site) == ("moderator", "other")
    assert (await chief.act("invite-again", moderator=sam.id)).status_code == 409  # no way to somebody's account

    first = link_of(await chief.act("invite", email="kim@garden.example", place="moderator/*"))
    kim = await by_email(service, "kim@garden.example")
    assert kim
    second = link_of(await chief.act("invite-again", moderator=kim.id))
    assert (await service.client.get(first)).status_code == 404
    service.clock.forward(hours=48)
    assert (await service.client.get(second)).status_code == 404


async def test_an_invitation_changes_nobody_and_names_its_mistakes(service: Service) -> None:
    chief = await signed_in(service)
    for fields, said in (
        ({"email": "not an address", "place": "moderator/*"}, "valid email"),
        ({"email": "x@garden.example", "place": "king/*"}, "administrator, moderator"),
        ({"email": "x@garden.example", "place": "moderator/nowhere"}, "no site"),
        ({"email": "x@garden.example", "place": ""}, "administrator, moderator"),
        ({"email": chief.moderator.email.upper(), "place": "moderator/*"}, "already"),
    ):
        answer = await chief.act("invite", **fields)
        assert answer.status_code == 422 and said in answer.text and "set-password" not in answer.text
    assert await by_email(service, "x@garden.example") is None
    assert await by_email(service, chief.moderator.email) == chief.moderator
    bare = await chief.ask("POST", PAGE, data={"act": "invite", "email": "x@garden.example", "place": "moderator/*"})
    assert bare.status_code == 403  # no CSRF token in the form
    assert (await chief.act("nonsense")).status_code == 422


async def test_the_mail_with_the_link_is_made_when_it_goes(service: Service) -> None:
    from moderation.outbox.letters import Letters

    service.have(mails=True)
    services = service.services
    chief = await signed_in(service)
    link = link_of(await chief.act("invite", email="kim@garden.example", place="moderator/other"))
    async with services.database.reading() as session:
        rows = await session.fetch("SELECT content, id FROM outbox WHERE destination = 'mail'")
        message = await outbox.due(session, outbox.MAIL, service.clock())
    assert message and len(rows) == 1
    assert link.rpartition("/")[2] not in str(rows) and "kim" not in str(rows)  # neither the key nor whose it is
    letter = await Letters(services.database, services.links, {}).write(message)
    assert letter and letter.to == "kim@garden.example"
    assert f"http://comments.test{link}" in [getattr(part, "url", "") for part in letter.parts]
    kim = await by_email(service, "kim@garden.example")
    assert kim
    await chief.act("invite-again", moderator=kim.id)
    assert (
        await Letters(services.database, services.links, {}).write(message) is None
    )  # its link is over: nothing to say
    await chief.act("remove", moderator=kim.id)
    async with services.database.reading() as session:
        rows = await session.fetch("SELECT id FROM outbox WHERE destination = 'mail' AND state = 'waiting'")
    assert len(rows) == 2


# --- roles change --------------------------------------------------------------------------------------------------------


async def test_a_new_role_counts_at_once_and_takes_sessions_and_second_factor_along(service: Service) -> None:
    chief, person = await signed_in(service), await signed_in(service, "moderator", "*")
    await service.held()
    await person.ask("POST", "/moderate/account", data={"csrf_token": person.csrf, "act": "begin-factor", "password": PASSWORD})  # fmt: skip
    assert len((await person.ask("GET", "/api/v1/comments")).json()["comments"]) == 1
    assert (await chief.act("change", moderator=person.moderator.id, place="moderator/other")).status_code == 303
    assert (await person.ask("GET", "/api/v1/comments")).json()["comments"] == []
    assert "otpauth" in (await person.ask("GET", "/moderate/account")).text
    assert (await person.ask("GET", PAGE)).status_code == 403
    assert (await chief.act("change", moderator=person.moderator.id, place="administrator/*")).status_code == 303
    assert (await person.ask("GET", PAGE)).status_code == 200
    assert (await person.act("change", moderator=chief.moderator.id, place="moderator/*")).status_code == 303
    assert (await chief.ask("GET", PAGE)).status_code == 403


async def test_the_last_administrator_stays(service: Service) -> None:
    chief = await signed_in(service)
    await chief.act("invite", email="kim@garden.example", place="administrator/*")  # cannot sign in yet: does not count
    await signed_in(service, "administrator", "default")  # of one site: neither
    for act, place in (("remove", ""), ("change", "moderator/*"), ("change", "administrator/default")):
        answer = await chief.act(act, moderator=chief.moderator.id, place=place)
        assert answer.status_code == 409 and "last administrator" in answer.text
    assert await by_email(service, chief.moderator.email) == chief.moderator
    assert (await chief.ask("GET", PAGE)).status_code == 200

    async with service.services.database.transaction() as tx:
        second = await access.add_moderator(tx, "second@garden.example", "administrator", "*", service.clock())
        second = await access.set_password(tx, second, PASSWORD, service.clock())
    other = await begun(service, second)
    assert (await chief.act("remove", moderator=second.id)).status_code == 303
    assert (await other.ask("GET", "/moderate")).status_code == 303  # signed out everywhere
    assert (await other.ask("GET", "/api/v1/comments")).status_code == 401
    assert (await chief.act("remove", moderator=second.id)).status_code == 404


# --- tokens --------------------------------------------------------------------------------------------------------------


async def test_a_token_is_shown_once_listed_and_revoked(service: Service) -> None:
    chief = await signed_in(service)
    answer = await chief.act(
        "add-token", **{"name": "The  newsroom's script", "site": "default", "scope-moderate": "1"}
    )
    assert answer.status_code == 200
    (token,) = [said for said in Page(answer.text).texts("code") if re.fullmatch(r"[A-Za-z0-9_-]{32}", said)]
    who = {"Authorization": f"Bearer {token}"}
    page = (await chief.ask("GET", PAGE)).text
    text = Page(page).text()
    assert token not in page and token[:6] in text and "The newsroom's script" in text and "never used" in text
    service.client.cookies.clear()
    assert (await service.client.get("/api/v1/comments", headers=who)).status_code == 200
    assert (await service.client.post("/api/v1/score", json={"text": "x"}, headers=who)).status_code == 403
    assert (await service.client.get("/api/v1/stats?site=other", headers=who)).status_code == 403
    assert "last used about" in (await chief.ask("GET", PAGE)).text
    assert (await chief.act("revoke-token", token=token[:6])).status_code == 303
    assert (await service.client.get("/api/v1/comments", headers=who)).status_code == 401
    assert (await chief.act("revoke-token", token=token[:6])).status_code == 404
    for fields in ({"name": "x", "site": "*"}, {"name": "", "site": "*", "scope-score": "1"},
                   {"name": "x", "site": "nowhere", "scope-score": "1"}):  # fmt: skip
        assert (await chief.act("add-token", **fields)).status_code == 422
    entries = (await chief.ask("GET", "/api/v1/audit")).json()["entries"]
    told = {e["action"]: e for e in entries}
    assert told["token:add"]["actor"] == told["token:revoke"]["actor"] == chief.moderator.id
    assert token not in json.dumps(entries) and "newsroom" not in json.dumps(entries)


async def test_the_log_names_every_change_and_no_address_or_link(service: Service) -> None:
    chief = await signed_in(service)
    link = link_of(await chief.act("invite", email="kim@garden.example", place="moderator/*"))
    kim = await by_email(service, "kim@garden.example")
    assert kim
    service.clock.forward(seconds=1)
    await chief.act("change", moderator=kim.id, place="moderator/other")
    service.clock.forward(seconds=1)
    await chief.act("remove", moderator=kim.id)
    entries = (await chief.ask("GET", "/api/v1/audit")).json()["entries"]
    about = [e["action"] for e in entries if e["subject"] == kim.id]
    assert about[0] == "moderator:remove" and {"moderator:add", "moderator:invite", "moderator:change"} <= set(about)
    assert all(e["actor"] == chief.moderator.id for e in entries if e["subject"] == kim.id)
    assert "@" not in json.dumps(entries) and link.rpartition("/")[2] not in json.dumps(entries)


@pytest.mark.parametrize("nasty", ["\0", "a\0b@garden.example", "\U0010ffff", "\u202e", "%00", "x" * 5000, "-1", "*"])
async def test_whatever_is_typed_is_an_answer_and_changes_nothing(service: Service, nasty: str) -> None:
    chief = await signed_in(service)
    async with service.services.database.reading() as session:
        before = await moderators.of_site(session, "*"), len(await moderators.api_tokens(session, "*"))
    for act, fields in (
        ("invite", {"email": nasty, "place": nasty}),
        ("invite", {"email": "x@garden.example", "place": f"moderator/{nasty.replace('*', 'y')}"}),
        ("invite-again", {"moderator": nasty}),
        ("change", {"moderator": nasty, "place": nasty}),
        ("change", {"moderator": chief.moderator.id, "place": f"{nasty}/{nasty}"}),
        ("remove", {"moderator": nasty}),
        ("add-token", {"name": nasty, "site": nasty.replace("*", "y"), "scope-score": nasty}),
        ("revoke-token", {"token": nasty}),
    ):
        assert 400 <= (await chief.act(act, **fields)).status_code < 500, act
    for act in ("begin-factor", "confirm-factor", "stop-factor", "new-codes", "end-session"):
        sent = {"csrf_token": chief.csrf, "act": act, "password": nasty, "code": nasty, "session": nasty}
        assert 400 <= (await chief.ask("POST", "/moderate/account", data=sent)).status_code < 500, act
    sent = {"csrf_token": nasty, "login_token": f"{nasty}/{nasty}/1/x", "code": nasty, "next": nasty}
    answer = await service.client.post("/moderate/login/code", data=sent)
    assert answer.status_code == 401 or answer.headers["location"] == "/moderate/login"  # where U+0000 cannot be read
    assert "set-cookie" not in answer.headers
    async with service.services.database.reading() as session:
        after = await moderators.of_site(session, "*"), len(await moderators.api_tokens(session, "*"))
    assert after == before
