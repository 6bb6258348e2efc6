"""Setting a site's rules: by API, by command, on the console's page; what is refused, and what the log keeps of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from moderation.__main__ import main
from moderation.core.problem import Invalid
from moderation.core.signing import Signer
from moderation.sites import site_settings as rules
from moderation.sites.assignments import parsed
from moderation.sites.site_settings import SiteSettings
from moderation.team import access
from tests.conftest import ROOT, Server, Service
from tests.html import Page

URL = "/api/v1/sites/default/rules"
SEAL = Signer(b"sixteen bytes and more")


async def put(service: Service, given: Any, headers: dict[str, str] | None = None) -> Any:
    return await service.client.put(URL, json=given, headers=headers or await service.token("moderate"))


@pytest.mark.anyio
async def test_what_is_not_given_stays_and_null_is_the_default(service: Service) -> None:
    assert (await put(service, {"max_links": 5, "blocked": ["  bank ", "bank", "", "two\t words"]})).status_code == 200
    told = (await put(service, {"hold_at": {"insult": 0.3}, "spam_at": 1})).json()["rules"]
    assert told["max_links"] == 5 and told["blocked"] == ["bank", "two words"]
    assert told["hold_at"] == {"insult": 0.3} and told["spam_at"] == 1.0
    told = (await put(service, {"max_links": None})).json()["rules"]
    assert told["max_links"] == 3 and told["blocked"] == ["bank", "two words"]
    read = await service.client.get(URL, headers=await service.token("moderate"))
    assert read.json()["rules"] == told


@pytest.mark.anyio
async def test_every_wrong_setting_is_named_and_nothing_changes(service: Service) -> None:
    before = (await service.client.get(URL, headers=await service.token())).json()
    wrong: dict[str, Any] = {
        "max_links": -1,
        "max_body": 70_000,
        "spam_at": 1.5,
        "hold": "yes",
        "honeypot": "delete",
        "blocked": "bank",
        "disallowed": ["***"],
        "trust_skips": ["certain-spam"],
        "hold_at": {"rudeness": 0.5},
        "close_after_days": True,
        "no_such": 1,
    }
    answer = await put(service, wrong | {"per_author_a_minute": 3})
    assert answer.status_code == 422
    assert {e["field"] for e in answer.json()["errors"]} == wrong.keys()
    assert (await service.client.get(URL, headers=await service.token())).json() == before


@pytest.mark.anyio
@pytest.mark.parametrize(
    "given",
    [
        {"\ud800": 1}, {"blocked": ["\ud800"]}, {"blocked": ["a\u0000b"]}, {"blocked": ["x" * 201]}, {"blocked": ["ca*no"]},
        {"blocked": [str(n) for n in range(10_001)]}, {"blocked": [1]}, {"hold_at": {"insult": "x"}}, {"max_links": 1e3},
        {"spam_at": True}, {"articles": ["open"]}, {"": 1}, {"x" * 1000: 1}, {"max_links": 10**30},
    ],
)  # fmt: skip
async def test_hostile_settings_are_refused(service: Service, given: dict[str, Any]) -> None:
    answer = await service.client.put(
        URL,
        content=json.dumps(given),
        headers=await service.token() | {"Content-Type": "application/json"},
    )
    assert answer.status_code in (400, 422), answer.text


@pytest.mark.anyio
async def test_a_change_is_in_the_log_without_what_a_list_names(service: Service) -> None:
    await put(service, {"disallowed": ["203.0.113.0/24", "ann@example.org"], "max_links": 2})
    service.clock.forward(seconds=1)
    await put(service, {"disallowed": ["203.0.113.0/24", "bob@example.org"], "max_links": 2})
    await put(service, {"max_links": 2})  # nothing differs, nothing to log
    log = (await service.client.get("/api/v1/audit", headers=await service.token())).json()["entries"]
    changes = [e for e in log if e["action"] == "rules:change"]
    assert [e["detail"] for e in changes] == [{"disallowed": [2, 2]}, {"disallowed": [0, 2], "max_links": [3, 2]}]
    assert changes[0]["actor"].startswith("token:")
    assert "example.org" not in str(log) and "203.0.113" not in str(log)


@pytest.mark.anyio
async def test_an_address_on_a_list_is_kept_as_a_key_that_nobody_can_read(service: Service) -> None:
    told = (await put(service, {"blocked": ["Ann@Example.org", "@mail.example", "a@b c"]})).json()["rules"]["blocked"]
    assert re.fullmatch("author:[0-9a-f]{32}", told[0]) and told[1:] == ["@mail.example", "a@b c"]
    assert (await put(service, {"blocked": told})).json()["rules"]["blocked"] == told
    assert (await service.post(email="ann@example.org")).status_code == 202
    known, signer = SiteSettings(blocked=tuple(told)), service.services.signer
    without = rules.changed(known, parsed(["blocked-=ann@EXAMPLE.org"], known, signer), signer)
    assert without.blocked == ("@mail.example", "a@b c")


@pytest.mark.anyio
async def test_who_may_read_and_who_may_set(service: Service) -> None:
    assert (await service.client.get(URL)).status_code == 401
    assert (await put(service, {}, await service.token("score"))).status_code == 403
    for method in (service.client.get, service.client.put):
        more: dict[str, Any] = {} if method == service.client.get else {"json": {}}
        other = await method("/api/v1/sites/elsewhere/rules", headers=await service.token(), **more)
        assert other.status_code == 404
    csrf = await signed_in(service, "moderator")
    assert (await service.client.get(URL)).status_code == 200
    refused = await put(service, {"max_links": 9}, {"X-CSRF-Token": csrf})
    assert (refused.status_code, refused.json()["code"]) == (403, "role")
    csrf = await signed_in(service, "administrator")
    assert (await service.client.put(URL, json={"max_links": 9})).status_code == 403  # without the token of the page
    assert (await put(service, {"max_links": 9}, {"X-CSRF-Token": csrf})).status_code == 200


async def signed_in(service: Service, role: str) -> str:
    """The client holds their session; its CSRF token."""
    services, email = service.services, f"{role}@garden.example"
    async with services.database.transaction() as tx:
        moderator = await access.add_moderator(tx, email, role, "*", service.clock())
        await access.set_password(tx, moderator, "four unrelated words", service.clock())
    token = await access.begin_session(services.database, services.signer, moderator, service.clock())
    service.client.cookies.set("moderation_session", token)
    found: str = services.signer.csrf_token((await access.of_session(services.database, services.signer, token, service.clock())).session)  # type: ignore[union-attr]  # fmt: skip
    return found


@pytest.mark.anyio
async def test_the_page_shows_each_rule_and_ends_a_muting(service: Service) -> None:
    await put(service, {"disallowed": ["river"]})
    ids = [(await service.post(body=f"Down by the river {n}.")).json()["id"] for n in range(20)]
    await service.client.post(
        "/api/v1/decisions", json={"comments": ids, "action": "approve"}, headers=await service.token()
    )
    csrf = await signed_in(service, "moderator")
    page = Page((await service.client.get("/moderate/rules")).text)
    (row,) = [row for row in page.texts("tr") if row.startswith("disallowed ")]
    assert "muted, so it holds" in row and "100%" in row
    (muted,) = page.texts("form.muted")
    assert "is muted, so it only holds," in muted and "moderators mostly overturn it" in muted
    assert page.attributes('[aria-current="page"]', "href") == ["/moderate/rules"]
    form = {"site": "default", "rule": "disallowed", "csrf_token": "forged"}
    assert (await service.client.post("/moderate/rules/unmute", data=form)).status_code == 403
    answer = await service.client.post("/moderate/rules/unmute", data=form | {"csrf_token": csrf})
    assert answer.status_code == 303
    text = Page((await service.client.get(answer.headers["location"])).text).text()
    assert "back at work" in text and "muted, so" not in text
    assert (await service.post(body="Down by the river once more.")).status_code == 202
    elsewhere = await service.client.post(
        "/moderate/rules/unmute", data={"site": "nowhere", "rule": "disallowed", "csrf_token": csrf}
    )
    assert elsewhere.status_code == 303  # done twice is done, on a site that is none too


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ("max_links=5", "max_links", 5),
        ("spam_at=0.95", "spam_at", 0.95),
        ("hold=newcomers", "hold", "newcomers"),
        ("hold=suspects", "hold", "suspects"),
        ("honeypot=spam", "honeypot", "spam"),
        ("blocked=casino, two words ,*coin*", "blocked", ("casino", "two words", "*coin*")),
        ("blocked=", "blocked", ()),
        ("blocked+=casino", "blocked", ("bank", "loan", "casino")),
        ("blocked-=bank", "blocked", ("loan",)),
        ("blocked=default", "blocked", ()),
        ("blocked=# a remark\ncasino, bets\n\n", "blocked", ("casino, bets",)),
        ("hold_at=insult:0.4, spam:0.8", "hold_at", {"insult": 0.4, "spam": 0.8}),
        ("hold_at=default", "hold_at", {}),
        ("trust_skips=", "trust_skips", ()),
    ],
)
def test_a_command_lines_value(given: str, name: str, value: Any) -> None:
    known = SiteSettings(blocked=("bank", "loan"), hold_at={"insult": 0.1})
    assert getattr(rules.changed(known, parsed([given], known, SEAL), SEAL), name) == value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("max_links", "NAME=VALUE"), ("no_such=1", "max_links"), ("max_links=many", "whole number from 0 to 1000"), ("max_links+=1", "no list"),
        ("blocked-=unheard", "show-rules"), ("hold=perhaps", "suspects, newcomers, all"), ("honeypot=delete", "hold, spam, off"),
        ("hold_at=insult", "number"), ("max_links=1.5", "whole number"),
    ],
)  # fmt: skip
def test_a_wrong_one_says_what_it_must_be(given: str, said: str) -> None:
    with pytest.raises(Invalid, match=re.escape(said)):
        rules.changed(SiteSettings(), parsed([given], SiteSettings(), SEAL), SEAL)


def test_the_commands_change_a_running_service_at_once(server: Server, tmp_path: Path) -> None:
    import httpx

    file = tmp_path / "words.txt"
    file.write_text("# ours\nriver\nin the bank\n")
    form = f"{server.url}/sites/default/articles/post/form"
    comment = {"name": "Ann", "email": "a@example.org", "body": "Down by the river, a kind word."}
    assert Page(httpx.get(form).text).has("#reply-email")
    done = server.run(
        "set-rules", "default", f"disallowed=@{file}", "blocked+=ann@example.org", "max_body=20", "require_email=no"
    )
    assert done.stdout == "" and "disallowed: 0 → 2 entries" in done.stderr and "max_body: 10000 → 20" in done.stderr
    answer = httpx.post(f"{server.url}/sites/default/articles/post/comments", json=comment)
    assert answer.status_code == 422 and answer.json()["errors"][0]["code"] == "too_long"
    server.run("set-rules", "default", "max_body=default")
    answer = httpx.post(f"{server.url}/sites/default/articles/post/comments", json=comment | {"email": ""})
    assert answer.status_code == 202
    shown = json.loads(server.run("show-rules", "default").stdout)
    assert shown["rules"]["disallowed"] == ["river", "in the bank"]
    assert next(e for e in shown["counts"] if e["rule"] == "disallowed")["hits"] == 1
    assert "Nothing differs" in server.run("set-rules", "default", "max_links=3").stderr
    assert "rules: none is muted" in server.run("check", check=False).stdout
    wrong = server.run("set-rules", "default", "max_links=many", "honeypot=x", check=False)
    assert (wrong.returncode, wrong.stdout) == (1, "") and "max_links" in wrong.stderr and "honeypot" in wrong.stderr
    assert "nowhere" in server.run("show-rules", "nowhere", check=False).stderr
    assert "no-such-file" in server.run("set-rules", "default", "blocked=@no-such-file", check=False).stderr


def test_check_says_what_is_muted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    import asyncio

    from moderation.db import connect
    from moderation.policy import store_rule_health as rule_health
    from moderation.sites.model import Mute

    monkeypatch.setenv("MODERATION_DATABASE", str(tmp_path / "db"))
    main(["set-rules", "default", "disallowed=river"])

    async def mute() -> None:
        database = connect(str(tmp_path / "db"))
        await database.open()
        async with database.transaction() as tx:
            mutes = {
                "disallowed": Mute(why="overturned", since=1_800_000_000_000),
                "label:insult": Mute(why="sudden", since=1, ended=2),
            }
            await rule_health.set_mutes(tx, "default", mutes)
        await database.close()

    asyncio.run(mute())
    capsys.readouterr()
    main(["check"])
    told = capsys.readouterr().out
    assert "rules: default: disallowed only holds, since 2027-01-15: moderators mostly overturn it" in told
    assert "label:insult" not in told


def test_every_setting_is_explained_and_has_a_schema() -> None:
    page = (ROOT / "docs" / "defences.md").read_text("utf-8")
    assert rules.table() in page, (
        "print the table anew: python -c 'from moderation.sites.site_settings import table; print(table(), end=\"\")'"
    )
    prose = page.replace(rules.table(), "")
    for name in rules.DEFAULTS:
        assert f"`{name}`" in prose, f"docs/defences.md does not say what {name} is for"
    change = rules.SiteSettingsIn.model_json_schema()
    assert change["properties"].keys() == rules.schema().keys() == rules.DEFAULTS.keys()
    assert not change["additionalProperties"] and "required" not in change
    for name, told in change["properties"].items():
        whole = {
            key: value for key, value in rules.schema()[name].items() if key not in ("default", "description", "title")
        }
        assert told["anyOf"] == [whole, {"type": "null"}] and "default" not in told, "what is left out stays"


def test_every_default_is_a_value_that_may_be_set() -> None:
    assert rules.changed(SiteSettings(), SiteSettings().stored(), SEAL) == SiteSettings()
    assert SiteSettings.of(json.loads(json.dumps(SiteSettings().stored()))) == SiteSettings()
