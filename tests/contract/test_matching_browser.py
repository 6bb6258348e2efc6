"""All that match, in a browser: offered once all that are shown are ticked, asked once, stopped between two batches, and undone as
one; by keyboard, by thumb, and without scripts."""

from __future__ import annotations

import httpx
from playwright.sync_api import Browser, Page, Route, expect

from tests import browser as browsers
from tests.conftest import Server, wait_until
from tests.contract.looks import look
from tests.contract.test_deciding_browser import held, kept, statuses
from tests.contract.test_pages_browser import PASSWORD, post, signed_in


def small_batches(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace("BATCH = 200", "BATCH = 5"))


def opened(page: Page, server: Server) -> list[str]:
    said = browsers.watched(page)
    page.route("**/static/matching.js", small_batches)
    signed_in(page, server)
    return said


def test_all_that_match_are_decided_by_keyboard_and_undone_by_one_key(server: Server, browser: Browser) -> None:
    ids = held(server, 23)
    page = browser.new_page()
    wrong = opened(page, server)
    expect(page.locator("[data-row]")).to_have_count(20)
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    offer = page.locator(".bulk a")
    expect(offer).to_be_visible()
    expect(offer).to_have_text("All 23 that match")
    look(page, "all that are shown are ticked")
    page.keyboard.press("Shift+M")
    expect(page.get_by_role("heading", name="All 23 that match")).to_be_visible()
    look(page, "all that match")
    page.keyboard.press("s")
    expect(page.get_by_role("status")).to_contain_text("23 comments filed as spam")
    assert set(statuses(server, ids)) == {"spam"}
    page.keyboard.press("z")
    expect(page.get_by_role("status")).to_contain_text("The decision is undone.")
    assert set(statuses(server, ids)) == {"pending"} and wrong == []


def test_it_stops_between_two_batches_and_says_how_far_it_came(server: Server, browser: Browser) -> None:
    ids = held(server, 12)
    page, on_the_way = browser.new_page(), list[Route]()
    wrong = opened(page, server)
    page.goto(f"{server.url}/moderate/matching?order=newest")
    page.route("**/api/v1/decisions", lambda route: on_the_way.append(route))
    page.get_by_role("button", name="Approve all 12").click()
    wait_until(lambda: page.evaluate("0") == 0 and len(on_the_way) == 1, "the first batch")
    on_the_way.pop().continue_()
    expect(page.get_by_role("status")).to_have_text("5 of 12 approved")
    wait_until(lambda: page.evaluate("0") == 0 and len(on_the_way) == 1, "the second batch")
    look(page, "a decision under way")
    page.get_by_role("button", name="Stop").click()
    on_the_way.pop().continue_()
    expect(page.get_by_role("status")).to_contain_text("10 comments approved")
    assert statuses(server, ids) == ["approved"] * 10 + ["pending"] * 2
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("The decision is undone.")
    assert set(statuses(server, ids)) == {"pending"} and wrong == []


def test_what_changed_meanwhile_is_said_and_changes_nothing(server: Server, browser: Browser) -> None:
    ids = held(server, 3)
    page = browser.new_page()
    wrong = opened(page, server)
    page.goto(f"{server.url}/moderate/matching")
    late = post(server, "Something else altogether: https://late.example/", name="Late")["id"]
    page.get_by_role("button", name="Delete all 3").click()
    expect(page.get_by_role("alert")).to_contain_text("4 comments match now, not 3; nothing changed.")
    look(page, "another number")
    assert set(statuses(server, [*ids, late])) == {"pending"}
    page.get_by_role("link", name="Look again").click()
    page.route("**/api/v1/decisions", lambda route: route.abort())
    page.get_by_role("button", name="Delete all 4").click()
    expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached; 0 of 4 deleted.")
    expect(page.get_by_role("button", name="Delete all 4")).to_be_visible()
    assert set(statuses(server, [*ids, late])) == {"pending"}
    assert all("ERR_FAILED" in one for one in wrong)


def test_by_thumb_all_that_are_shown_are_ticked_with_one_more_tap(server: Server, browser: Browser) -> None:
    ids = held(server, 3)
    page = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True).new_page()
    wrong = opened(page, server)
    page.locator(".pick label").first.tap()
    page.get_by_role("button", name="All shown").tap()
    expect(page.locator(".pick :checked")).to_have_count(3)
    page.get_by_role("link", name="All 3 that match").tap()
    page.get_by_role("button", name="Reject all 3").tap()
    expect(page.get_by_role("status")).to_contain_text("3 comments rejected")
    assert set(statuses(server, ids)) == {"rejected"} and wrong == []


def test_what_is_decided_in_the_list_no_longer_matches(server: Server, browser: Browser) -> None:
    held(server, 3)
    page = browser.new_page()
    opened(page, server)
    page.goto(f"{server.url}/moderate?rule=stranger-with-link")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.keyboard.press("x")
    expect(page.locator(".bulk a")).to_have_text("All 2 that match this filter")
    kept(page)


def test_without_scripts_one_page_asks_and_one_press_decides(server: Server, browser: Browser) -> None:
    ids = held(server, 3)
    link = next(word for word in server.printed.split() if "/moderate/set-password/" in word)
    page = browser.new_context(java_script_enabled=False).new_page()
    browsers.choose_password(page, link, PASSWORD)
    browsers.sign_in(page, "moderator@example.org", PASSWORD)
    page.get_by_role("checkbox", name="Tick").first.check()
    page.get_by_role("link", name="All 3 that match").click()
    page.get_by_label("Reason if rejected").select_option("advertising")
    page.get_by_role("button", name="Reject all 3").click()
    expect(page.get_by_role("status")).to_contain_text("3 comments rejected")
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    answer = httpx.get(f"{server.url}/api/v1/comments/{ids[0]}", headers={"Authorization": f"Bearer {token}"})
    assert [one["reason"] for one in answer.json()["decisions"]] == ["advertising"]
