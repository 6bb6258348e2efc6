"""Decisions in the queue without loading the page: nothing that is pressed is lost, and what cannot be kept comes back."""

from __future__ import annotations

import random

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests import browser as browsers
from tests.conftest import Server, wait_until
from tests.contract.looks import look
from tests.contract.test_pages_browser import post, signed_in
from tests.contract.test_queue_browser import SYLLABLES


def held(server: Server, count: int) -> list[str]:
    """So many that have nothing in common: those alike would be one row."""
    chance, ids = random.Random(count), []
    for n in range(count):
        words = " ".join("".join(chance.choices(SYLLABLES, k=2)) for _ in range(12))
        ids.append(post(server, f"{words} https://{words[:4]}{n}.example/", name=f"Reader {n}")["id"])
    return ids


def statuses(server: Server, ids: list[str]) -> list[str]:
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as client:
        return [client.get(f"/api/v1/comments/{id}").json()["status"] for id in ids]


def opened(server: Server, browser: Browser) -> tuple[Page, list[str]]:
    page = browser.new_page()
    said = browsers.watched(page)
    signed_in(page, server)
    page.evaluate("document.body.dataset.same = 'yes'")  # gone once the page is loaded again
    page.keyboard.press("j")
    return page, said


def kept(page: Page) -> None:
    expect(page.locator("#queue[data-sending]")).to_have_count(0)


def test_keys_are_heard_while_decisions_are_on_their_way(server: Server, browser: Browser) -> None:
    ids = held(server, 5)
    page, wrong = opened(server, browser)
    rows, notice, on_the_way = page.locator("[data-row]"), page.locator(".notice"), list[Route]()
    page.route("**/api/v1/decisions", lambda route: on_the_way.append(route))
    for key in "asr4":
        page.keyboard.press(key)
    expect(rows).to_have_count(2)
    expect(page.locator(f"#row-{ids[3]}")).to_be_focused()
    expect(page.locator("nav[aria-label=Console] [data-count=pending]")).to_have_text("2")
    expect(page.locator(".shown")).to_have_text("2 of 2")
    page.keyboard.press("z")  # undone before it has even arrived
    expect(rows).to_have_count(3)
    expect(page.locator(f"#row-{ids[2]}")).to_be_focused()
    expect(notice).to_contain_text("The decision is undone: 1 comment rejected")
    page.keyboard.press("d")  # and decided in another way, which waits for the undo
    wait_until(lambda: page.evaluate("0") == 0 and len(on_the_way) == 3, "three decisions")
    page.route("**/api/v1/decisions", lambda route: route.continue_())
    for route in on_the_way:
        route.continue_()
    kept(page)
    assert statuses(server, ids) == ["approved", "spam", "deleted", "pending", "pending"]
    page.keyboard.press("z")
    page.keyboard.press("z")  # one key, one decision, the latest first
    expect(notice).to_contain_text("The decision is undone: 1 comment filed as spam")
    expect(notice.get_by_role("button")).to_have_text("Undo before that: 1 comment approved")
    look(page, "a decision undone")
    kept(page)
    assert statuses(server, ids) == ["approved", "pending", "pending", "pending", "pending"]
    assert page.locator(".overtaken").count() == 0
    assert page.locator("body[data-same]").count() == 1 and wrong == []


def test_the_rows_of_the_next_page_come_below_and_the_end_is_told(server: Server, browser: Browser) -> None:
    ids = held(server, 23)
    page, wrong = opened(server, browser)
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(20)
    for _ in range(11):
        page.keyboard.press("a")
    expect(rows).to_have_count(12)
    assert [row.get_attribute("id") for row in rows.all()] == [f"row-{id}" for id in ids[11:]]
    expect(page.get_by_role("link", name="More")).to_have_count(0)
    for _ in range(6):
        page.keyboard.press("x")
        page.keyboard.press("j")
    page.keyboard.press("Shift+A")
    expect(rows).to_have_count(6)
    kept(page)
    page.keyboard.press("Shift+D")  # nothing is ticked
    page.keyboard.press("Shift+X")
    page.keyboard.press("Shift+X")
    expect(page.locator("#queue input:checked, #queue [name=reason] :checked")).to_have_count(
        1
    )  # the reason that is none
    page.keyboard.press("o")
    page.wait_for_url("**/moderate/comments/*")
    page.keyboard.press("u")
    page.wait_for_url("**/moderate")
    page.evaluate("document.body.dataset.same = 'yes'")
    page.keyboard.press("j")
    page.keyboard.press("s")
    page.keyboard.press("Shift+X")
    page.keyboard.press("Shift+S")
    expect(page.locator("#main")).to_contain_text("Nothing waits")
    expect(page.locator("#queue")).to_be_hidden()
    look(page, "nothing waits")
    page.keyboard.press("z")
    expect(rows).to_have_count(5)
    expect(page.locator("#queue")).to_be_visible()
    expect(page.locator("#main")).not_to_contain_text("Nothing waits")
    kept(page)
    found = statuses(server, ids)
    assert found.count("approved") == 17 and found.count("spam") == 1
    assert page.locator("body[data-same]").count() == 1 and wrong == []


def test_more_comes_below_and_all_of_it_can_be_ticked(server: Server, browser: Browser) -> None:
    ids = held(server, 22)
    page, wrong = opened(server, browser)
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(20)
    for _ in range(19):
        page.keyboard.press("j")
    expect(rows).to_have_count(20)
    page.keyboard.press("j")  # beyond the last
    expect(rows).to_have_count(22)
    expect(page.locator(f"#row-{ids[20]}")).to_be_focused()
    expect(page.locator(".shown")).to_have_text("22 of 22")
    page.keyboard.press("Shift+X")
    page.keyboard.press("Shift+D")
    expect(page.locator("#main")).to_contain_text("Nothing waits")
    expect(page.locator(".notice")).to_contain_text("22 comments deleted")
    page.keyboard.press("z")
    expect(rows).to_have_count(22)
    kept(page)
    assert set(statuses(server, ids)) == {"pending"}
    assert page.locator("body[data-same]").count() == 1 and wrong == []


def test_what_comes_back_after_its_decision_is_shown_again(server: Server, browser: Browser) -> None:
    ids = held(server, 3)
    page, wrong = opened(server, browser)
    page.keyboard.press("s")
    kept(page)
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    again = {"comments": ids[:1], "action": "hold"}
    answer = httpx.post(f"{server.url}/api/v1/decisions", json=again, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    page.keyboard.press("a")
    page.keyboard.press("a")
    expect(page.locator(f"#row-{ids[0]}")).to_be_focused()
    expect(page.locator("[data-row]")).to_have_count(1)
    assert statuses(server, ids) == ["pending", "approved", "approved"]
    assert page.locator("body[data-same]").count() == 1 and wrong == []


@pytest.mark.parametrize("away", [False, True])
def test_what_is_not_kept_comes_back_and_says_why(server: Server, browser: Browser, away: bool) -> None:
    ids = held(server, 3)
    page = browser.new_page()
    page.route("**/api/v1/events*", lambda route: route.abort())  # so that only the refusal itself tells
    signed_in(page, server)
    page.keyboard.press("j")
    row, notice = page.locator(f"#row-{ids[0]}"), page.locator(".notice")
    if away:
        page.route("**/api/v1/decisions", lambda route: route.abort())
        page.keyboard.press("a")
        expect(notice).to_contain_text("Not kept, 1 comment approved: The service cannot be reached.")
        expect(row).to_be_focused()
        page.unroute("**/api/v1/decisions")
        page.keyboard.press("a")
        expect(row).to_have_count(0)
        kept(page)
        assert statuses(server, ids) == ["approved", "pending", "pending"]
        return
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    other = {"comments": ids[:1], "action": "spam", "expected_revision": 1}
    answer = httpx.post(f"{server.url}/api/v1/decisions", json=other, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    for key in "xjx":
        page.keyboard.press(key)
    page.locator(".bulk").get_by_role("button", name="Approve").click()
    expect(notice).to_contain_text("Not kept, 2 comments approved: Somebody else has changed this meanwhile")
    expect(page.locator("[data-row]")).to_have_count(3)
    expect(row.locator(".newer")).to_contain_text("Now spam")
    expect(row.get_by_role("link", name="See its current state")).to_be_visible()
    expect(row.get_by_role("button")).to_have_count(0)
    expect(page.locator(f"#row-{ids[1]} .newer")).to_have_count(0)
    look(page, "rows that are decided")
    assert statuses(server, ids) == ["spam", "pending", "pending"]
