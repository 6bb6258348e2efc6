"""Every defence through HTTP, by form and by JSON, as a site's owner sets it by API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import Service, forged
from tests.html import Page, attribute

pytestmark = pytest.mark.anyio

KIND = "A kind word about the bank of the river."


async def set_rules(service: Service, **rules: Any) -> dict[str, Any]:
    token = await service.token("moderate")
    answer = await service.client.put("/api/v1/sites/default/rules", json=rules, headers=token)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def by_form(service: Service, wait: float = 20, headers: dict[str, str] | None = None, **typed: str) -> Any:
    """The page's own form, filled in by a person who takes `wait` seconds."""
    token = Page((await service.client.get("/sites/default/articles/post/form")).text).value("form_token")
    service.clock.forward(seconds=wait)
    fields = {"name": "Ann", "email": f"ann{service.clock.now}@example.org", "body": f"{KIND} {service.clock.now}"}
    return await service.client.post(
        "/sites/default/articles/post/comments",
        data=fields | {"form_token": token} | typed,
        headers=headers,
    )


async def verdict_of(service: Service, id: str) -> tuple[str, str, list[str]]:
    """(status, action, the rules that fired)."""
    answer = await service.client.get(f"/api/v1/comments/{id}", headers=await service.token("moderate"))
    found = answer.json()
    rules = [reason["rule"] for reason in found["verdict"]["reasons"] if "rule" in reason]
    return found["status"], found["verdict"]["action"], list(dict.fromkeys(rules))


async def latest(service: Service, status: str) -> str:
    found = await service.client.get(
        "/api/v1/comments", params={"status": status, "order": "newest"}, headers=await service.token("moderate")
    )
    return str(found.json()["comments"][0]["id"])


def is_held(answer: httpx.Response) -> bool:
    """What a form's author is told of all that is not published: the receipt's address."""
    return answer.status_code == 303 and "/receipts/" in answer.headers["location"]


async def test_a_person_with_the_form_is_published_and_sees_no_trap(service: Service) -> None:
    page = Page((await service.client.get("/sites/default/articles/post/form")).text)
    trap = page.one('[name="website"]')
    assert trap.attrs == {
        "id": "reply-website", "name": "website", "type": "text", "autocomplete": "off", "tabindex": "-1",
    }  # fmt: skip
    around = page.one("div:has(> #reply-website)")
    assert [element.name for element in around.find_all(True)] == ["label", "input"] and list(around.attrs) == ["class"]
    sheets = [attribute(link, "href") for link in page.all('link[rel="stylesheet"]')]
    css = "".join([(await service.client.get(sheet)).text for sheet in sheets])
    assert f".{attribute(around, 'class')} {{ display: none; }}" in css
    answer = await by_form(service, website="")
    assert answer.status_code == 303 and "#comment-" in answer.headers["location"]


@pytest.mark.parametrize(("setting", "status"), [("hold", "pending"), ("spam", "spam")])
async def test_a_filled_trap_is_answered_as_any_held_comment(service: Service, setting: str, status: str) -> None:
    await set_rules(service, honeypot=setting)
    assert is_held(await by_form(service, website="https://pills.example"))
    found = await verdict_of(service, await latest(service, status))
    assert found == (status, "hold" if setting == "hold" else "spam", ["honeypot"])


async def test_json_has_no_trap_and_a_site_may_take_it_away(service: Service) -> None:
    assert (await service.post(website="https://ann.example")).status_code == 201
    await set_rules(service, honeypot="off")
    assert "#comment-" in (await by_form(service, website="https://ann.example")).headers["location"]


async def test_an_edit_does_not_shake_the_trap_off(service: Service) -> None:
    answer = await by_form(service, website="x")
    receipt = answer.headers["location"].removeprefix("http://comments.test")
    edited = await service.client.post(receipt, data={"act": "edit", "body": "Something else, just as kind."})
    assert edited.status_code in (200, 303), edited.text
    id = receipt.rsplit("/", 1)[1][:26]
    assert (await verdict_of(service, id))[::2] == ("pending", ["honeypot"])


@pytest.mark.parametrize(
    ("wait", "token", "rules", "held"),
    [
        (0.5, None, {}, True),
        (1, None, {}, False),
        (24 * 3600 + 1, None, {}, True),
        (20, "", {}, True),
        (20, "18f.forged", {}, True),
        (8, None, {"form_youngest": 10}, True),
        (10, None, {"form_youngest": 10}, False),
        (1, None, {"form_youngest": 0}, False),
        (121, None, {"form_oldest": 2}, True),
    ],
)
async def test_a_form_too_early_too_old_or_without_its_token_is_held_never_refused(
    service: Service, wait: float, token: str | None, rules: dict[str, int], held: bool
) -> None:
    if rules:
        await set_rules(service, **rules)
    answer = await by_form(service, wait, **({} if token is None else {"form_token": token}))
    assert answer.status_code == 303
    assert is_held(answer) is held
    if held:
        assert (await verdict_of(service, await latest(service, "pending")))[1:] == ("hold", ["form-token"])


async def test_json_carries_no_token_and_loses_nothing(service: Service) -> None:
    assert (await service.post()).status_code == 201


@pytest.mark.parametrize(
    "again",
    [
        "THE  same\nwords",
        "Ｔｈｅ ｓａｍｅ words",
        "The sa\u200bme wo\u00adrds",
        "\ufeffThe same words",
        "The\u00a0same\u2003words",
        "the ſame words",
    ],
)
async def test_what_a_reader_would_call_the_same_is_a_duplicate(service: Service, again: str) -> None:
    assert (await service.post(body="The same words", email="one@example.org")).status_code == 201
    answer = await service.post(body=again, email="one@example.org")
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")
    form = await by_form(service, body=again, email="one@example.org")
    assert form.status_code == 409 and "exactly this" in form.text


async def test_another_authors_or_articles_same_words_are_no_duplicate(service: Service) -> None:
    for article, email in (("post", "one@example.org"), ("post", "two@example.org"), ("other", "one@example.org")):
        assert (await service.post(article, body="The same words", email=email)).status_code == 201


async def test_floods_are_limited_by_address_and_a_v6_network_is_one(service: Service) -> None:
    await set_rules(service, per_address_a_minute=2)
    service.services.authenticator.trusted = networks("203.0.113.9/32")

    async def sent_from(address: str) -> int:
        return (await service.post(headers={"X-Forwarded-For": address})).status_code

    assert [await sent_from(f"2001:db8:1:2::{n}") for n in range(3)] == [201, 201, 429]
    assert await sent_from("2001:db8:1:3::1") == 201
    assert [await sent_from("198.51.100.7") for _ in range(3)] == [201, 201, 429]
    assert await sent_from("::ffff:198.51.100.7") == 429
    service.clock.forward(minutes=1)
    assert await sent_from("2001:db8:1:2::9") == 201


async def test_floods_are_limited_by_author_however_the_address_is_cased(service: Service) -> None:
    await set_rules(service, per_author_a_minute=2)
    emails = ["one@example.org", "One@Example.ORG", "ONE@example.org"]
    assert [(await service.post(email=email)).status_code for email in emails] == [201, 201, 429]
    form = await by_form(service, wait=2, email="one@example.org")
    assert form.status_code == 429 and KIND in form.text and form.headers["retry-after"]


def networks(*given: str) -> Any:
    from ipaddress import ip_network

    return tuple(ip_network(one) for one in given)


NAMED: tuple[tuple[str, dict[str, str]], ...] = (
    ("river", {"body": "Down by the RIVER."}),
    ("river", {"body": "Down by the ri\u200bver."}),
    ("river", {"name": "River"}),
    ("garden*", {"body": "Two gardeners met."}),
    ("*berry", {"body": "A blackberry or two."}),
    ("*berr*", {"body": "The blackberries are ripe."}),
    ("in my garden", {"body": "It grows In  my\nGARDEN, too."}),
    ("c++", {"body": "I wrote it in C++."}),
    ("赌场", {"body": "我们的赌场很好"}),
    ("pills.example", {"body": "See www.pills.example for more"}),
    ("pills.example", {"url": "https://shop.pills.example/buy"}),
    ("mail.example", {"email": "ann@sub.mail.example"}),
    ("*.mail.example", {"email": "ann@sub.mail.example"}),
    ("bücher.example", {"email": "ann@bücher.example"}),
    ("xn--bcher-kva.example", {"email": "ann@bücher.example"}),
    ("Bücher.example", {"url": "https://www.xn--bcher-kva.example/"}),
    ("@mail.example", {"email": "ann@mail.example"}),
    ("Ann@mail.example", {"email": "ann@mail.example"}),
    ("203.0.113.0/24", {}),
    ("203.0.113.9", {}),
)


@pytest.mark.parametrize(
    ("setting", "rule", "status"),
    [("disallowed", "disallowed", "spam"), ("blocked", "blocked-word", "pending")],
)
async def test_what_a_list_names_is_caught_by_json_and_by_form(
    service: Service, setting: str, rule: str, status: str
) -> None:
    for number, (entry, sent) in enumerate(NAMED):
        await set_rules(service, **{setting: ["of another entry", entry]})
        by_json = {"body": f"{KIND} {number}"} | sent
        answer = await service.post(**by_json)
        assert answer.status_code == 202 and answer.json()["status"] == "pending", entry
        found = await verdict_of(service, answer.json()["id"])
        assert (found[0], found[2][0]) == (status, rule), entry
        assert is_held(await by_form(service, **(by_json | {"body": by_json["body"] + " Again."}))), entry


async def test_and_what_only_resembles_it_is_not(service: Service) -> None:
    resembling: tuple[tuple[str, dict[str, str]], ...] = (
        ("riv", {}),
        ("ban*", {"body": "An urban garden."}),
        ("*berry", {"body": "The blackberries are ripe."}),
        ("my garden", {"body": "My own garden."}),
        ("c++", {"body": "I wrote it in C."}),
        (
            "plums.example",
            {"body": "The page on `plums.example.org` says the same as the one on my-plums.example does."},
        ),
        ("*.mail.example", {"email": "ann@mail.example"}),
        ("mail.example", {"email": "ann@othermail.example"}),
        ("bob@mail.example", {"email": "ann@mail.example"}),
        ("203.0.114.0/24", {}),
        ("2001:db8::/32", {}),
    )
    for number, (entry, sent) in enumerate(resembling):
        await set_rules(service, disallowed=[entry], blocked=[entry])
        answer = await service.post(**({"body": f"{KIND} {number}"} | sent))
        assert answer.status_code == 201, entry


@pytest.mark.parametrize(("setting", "status"), [("hold", "pending"), ("spam", "spam")])
@pytest.mark.parametrize("domain", ["mailinator.com", "Any.Mailinator.com"])
async def test_disposable_addresses_are_caught_where_a_site_says_so(
    service: Service, setting: str, status: str, domain: str
) -> None:
    kind = "The plums came early this year, and my neighbour made jam of them"
    fresh = await service.post(email=f"ann1@{domain}", body=f"{kind}.")
    assert fresh.status_code == 201  # a fresh site does not mind
    await set_rules(service, disposable=setting)
    answer = await service.post(email=f"ann2@{domain}", body=f"{kind} too.")
    assert answer.status_code == 202
    assert (await verdict_of(service, answer.json()["id"]))[::2] == (status, ["disposable"])
    assert is_held(await by_form(service, email=f"ann3@{domain}"))
    assert (await service.post(email="ann@gmail.com")).status_code == 201


async def test_links_hold_from_as_many_as_a_site_says(service: Service) -> None:
    proof = {"Receipt": await service.proof()}
    text = " ".join(f"https://docs.python.org/3/{n}.html has more on that," for n in range(3)) + " if you like. {}"
    held = await service.post(body=text.format(1), headers=proof)
    assert (await verdict_of(service, held.json()["id"]))[2] == ["many-links"]
    await set_rules(service, max_links=0)
    assert (await service.post(body=text.format(2), headers=proof)).status_code == 201


async def test_comments_close_by_age_everywhere_at_once(service: Service) -> None:
    first = await service.post()
    await set_rules(service, close_after_days=14)
    assert (await service.post()).status_code == 201
    before = await service.client.get("/sites/default/articles/post/comments")
    assert before.json()["article"]["comments_open"] is True
    service.clock.forward(hours=14 * 24)
    closed = await service.post()
    assert (closed.status_code, closed.json()["code"]) == (403, "closed")
    after = await service.client.get(
        "/sites/default/articles/post/comments", headers={"If-None-Match": before.headers["etag"]}
    )
    assert after.status_code == 200 and after.json()["article"]["comments_open"] is False
    assert after.json()["comments"][0]["id"] == first.json()["id"]
    page = Page((await service.client.get("/sites/default/articles/post/form")).text)
    assert "Comments are closed." in page.text() and not page.has("textarea")
    form = await service.client.post(
        "/sites/default/articles/post/comments", data={"name": "A", "email": "a@example.org", "body": KIND}
    )
    assert form.status_code == 403 and "closed" in form.text
    await set_rules(service, close_after_days=0)  # at once, though nobody has touched the article
    assert (await service.thread())["article"]["comments_open"] is True
    assert (await service.post()).status_code == 201


async def test_age_counts_from_publication_where_it_is_known(service: Service) -> None:
    await set_rules(service, close_after_days=14)
    token = await service.token("articles")
    for key, published, status in (("old", "2020-01-01T00:00:00Z", 403), ("new", "2030-01-01T00:00:00Z", 201)):
        await service.client.put(f"/sites/default/articles/{key}", json={"published_at": published}, headers=token)
        assert (await service.post(key)).status_code == status
    service.clock.forward(hours=15 * 24)
    assert (await service.post("new")).status_code == 201


async def test_first_time_authors_wait_where_a_site_says_so_and_only_a_receipt_is_proof(service: Service) -> None:
    old = await service.proof(email="ann@example.org")
    machine = (await service.post()).json()["receipt"]
    await set_rules(service, hold="newcomers")
    borrowed = await service.post(email="ann@example.org")  # the name and the address alone prove nothing
    assert borrowed.status_code == 202
    assert (await verdict_of(service, borrowed.json()["id"]))[2] == ["first-time"]
    assert (await service.post(headers={"Receipt": borrowed.json()["receipt"]})).status_code == 202  # not approved yet
    assert (await service.post(headers={"Receipt": forged(old)})).status_code == 202
    assert (await service.post(headers={"Receipt": old})).status_code == 201
    assert (await service.post(headers={"Receipt": machine})).status_code == 202  # no person has read that one
    assert (await service.post(name="Bob", headers={"Receipt": old})).status_code == 202  # another name
    assert is_held(await by_form(service))
    assert not is_held(await by_form(service, receipt=old))


async def test_a_site_says_which_rules_trusted_authors_skip(service: Service) -> None:
    proof = {"Receipt": await service.proof()}
    await set_rules(service, blocked=["bank"], hold="newcomers", trust_skips=["blocked-word", "first-time"])
    assert (await service.post(body=KIND, headers=proof)).status_code == 201
    assert (await service.post(body=KIND)).status_code == 202
    link = await service.post(body="I wrote about it: https://blog.example/1", headers=proof)
    assert (await verdict_of(service, link.json()["id"]))[2] == ["stranger-with-link"]
    await set_rules(service, disallowed=["bank"])  # nobody skips that
    assert (await service.post(body=KIND + " Once more.", headers=proof)).status_code == 202
