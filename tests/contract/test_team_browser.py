"""What a team shares of the queue, in a browser: snoozed, assigned, and saved as tabs; by keyboard, by thumb, without scripts, and as
others hear of it."""

from __future__ import annotations

import httpx
from playwright.sync_api import Browser, Page, Route, expect

from tests import browser as browsers
from tests.conftest import Server
from tests.contract.looks import look
from tests.contract.test_deciding_browser import held, kept
from tests.contract.test_pages_browser import PASSWORD, signed_in


def told(server: Server, id: str) -> dict[str, object]:
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    answer = httpx.get(f"{server.url}/api/v1/comments/{id}", headers={"Authorization": f"Bearer {token}"})
    found: dict[str, object] = answer.raise_for_status().json()
    return found


def opened(server: Server, page: Page) -> list[str]:
    said = browsers.watched(page)
    signed_in(page, server)
    page.evaluate("document.body.dataset.same = 'yes'")  # gone once the page is loaded again
    page.keyboard.press("j")
    return said


def test_two_keys_snooze_and_one_takes_it_back(server: Server, browser: Browser) -> None:
    ids = held(server, 3)
    page = browser.new_context(timezone_id="Asia/Tokyo").new_page()
    wrong = opened(server, page)
    row, notice = page.locator(f"#row-{ids[0]}"), page.locator(".notice")
    page.keyboard.press("h")
    expect(row.get_by_role("button", name="Snooze until this evening")).to_be_focused()
    expect(row.get_by_text("UTC)")).to_have_count(3)
    expect(row.get_by_text("(18:00 UTC)")).to_be_hidden()
    look(page, "what a comment can be snoozed to")
    page.keyboard.press("2")
    expect(row).to_have_count(0)
    expect(page.locator(f"#row-{ids[1]}")).to_be_focused()
    expect(notice).to_contain_text("1 comment snoozed until")
    expect(notice).to_contain_text("09:00")
    tab = page.get_by_role("link", name="Snoozed 1")
    expect(tab).to_be_visible()
    expect(page.locator("nav[aria-label=Console] [data-count=pending]")).to_have_text("2")
    kept(page)
    found = told(server, ids[0])
    assert found["status"] == "pending" and str(found["snoozed_until"]).endswith("T00:00:00.000Z"), "nine in Tokyo"
    page.keyboard.press("z")
    expect(row).to_be_focused()
    expect(notice).to_contain_text("It is undone: 1 comment snoozed")
    kept(page)
    assert told(server, ids[0])["snoozed_until"] is None
    expect(tab).to_be_hidden()
    page.keyboard.press("a")  # no decision is refused for it
    expect(page.locator("[data-row]")).to_have_count(2)
    kept(page)
    assert told(server, ids[0])["status"] == "approved"
    assert page.locator("body[data-same]").count() == 1 and wrong == []


def test_what_is_snoozed_is_a_list_and_comes_back_at_a_press(server: Server, browser: Browser) -> None:
    ids = held(server, 2)
    page = browser.new_page()
    wrong = opened(server, page)
    page.keyboard.press("h")
    page.keyboard.press("3")
    kept(page)
    page.get_by_role("link", name="Snoozed 1").click()
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator(f"#row-{ids[0]} .shared")).to_contain_text("Snoozed until")
    look(page, "the snoozed ones")
    page.keyboard.press("j")
    page.keyboard.press("h")
    expect(page.get_by_role("button", name="Back to the queue now")).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator("#main")).to_contain_text("Nothing is snoozed.")
    kept(page)
    assert page.locator("nav[aria-label=Console] [data-count=pending]").inner_text() == "2" and wrong == []


def test_one_key_makes_it_mine_and_others_see_it_while_they_look(server: Server, browser: Browser) -> None:
    ids = held(server, 2)
    page = browser.new_page()
    wrong = opened(server, page)
    row = page.locator(f"#row-{ids[0]}")
    page.keyboard.press("m")
    expect(row.locator(".shared")).to_have_text("For you")
    expect(page.locator(".notice")).to_contain_text("Assigned to you")
    expect(page.get_by_role("link", name="Mine 1")).to_be_visible()
    look(page, "one of mine")
    kept(page)
    page.keyboard.press("m")
    expect(row.locator(".shared")).to_have_text("")
    kept(page)
    page.keyboard.press("z")
    expect(row.locator(".shared")).to_have_text("For you")
    kept(page)
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as other:
        mine = told(server, ids[0])["assigned_to"]
        other.post("/api/v1/assignments", json={"comments": ids[1:], "to": mine}).raise_for_status()
        expect(page.locator(f"#row-{ids[1]} .shared")).to_have_text("For you")
        other.post("/api/v1/assignments", json={"comments": ids, "to": None}).raise_for_status()
        expect(row.locator(".shared")).to_have_text("")
    expect(row.get_by_role("button", name="Approve", exact=False).first).to_be_visible()
    assert page.locator("body[data-same]").count() == 1 and wrong == []


def test_what_cannot_be_snoozed_comes_back_and_says_why(server: Server, browser: Browser) -> None:
    ids = held(server, 2)
    page = browser.new_page()
    opened(server, page)

    def refused(route: Route) -> None:
        route.abort()

    page.route("**/api/v1/snoozes", refused)
    page.keyboard.press("h")
    page.keyboard.press("1")
    expect(page.locator(".notice")).to_contain_text("The service cannot be reached")
    expect(page.locator(f"#row-{ids[0]}")).to_be_focused()
    assert told(server, ids[0])["snoozed_until"] is None


def test_without_scripts_and_by_thumb_the_same_stands_in_the_menu(server: Server, browser: Browser) -> None:
    ids = held(server, 2)
    link = next(word for word in server.printed.split() if "/moderate/set-password/" in word)
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    browsers.choose_password(page, link, PASSWORD)
    browsers.sign_in(page, "moderator@example.org", PASSWORD)
    row = page.locator(f"#row-{ids[0]}")
    row.locator(".further summary").click()
    row.get_by_role("link", name="Assign to somebody").click()
    page.get_by_role("button", name="(you)").click()
    expect(page.get_by_role("status")).to_contain_text("1 comment assigned")
    row.locator(".further summary").click()
    row.get_by_role("button", name="Until tomorrow (9:00 UTC)").click()
    expect(page.get_by_role("status")).to_contain_text("1 comment snoozed")
    expect(row).to_have_count(0)
    page.get_by_role("link", name="Mine 1").click()
    expect(row.locator(".shared")).to_contain_text("For you")
    thumb = browser.new_context(
        storage_state=context.storage_state(), viewport={"width": 360, "height": 740}, has_touch=True
    ).new_page()
    wrong = browsers.watched(thumb)
    thumb.goto(f"{server.url}/moderate")
    other = thumb.locator(f"#row-{ids[1]}")
    other.locator(".further summary").tap()
    other.get_by_role("button", name="Until next week").tap()
    expect(other).to_have_count(0)
    kept(thumb)
    thumb.get_by_role("button", name="Undo").tap()
    expect(other).to_have_count(1)
    kept(thumb)
    assert told(server, ids[1])["snoozed_until"] is None and wrong == []


def test_a_list_is_saved_as_a_tab_that_counts_as_the_queue_changes(server: Server, browser: Browser) -> None:
    held(server, 3)
    page = browser.new_page()
    wrong = opened(server, page)
    page.goto(f"{server.url}/moderate?rule=stranger-with-link&order=newest")
    page.get_by_text("Save as a tab").click()
    look(page, "a list to be saved")
    page.get_by_label("Name", exact=True).fill("Links of strangers")
    page.get_by_label("for the team").check()
    page.get_by_role("button", name="Save", exact=True).click()
    tab = page.get_by_role("navigation", name="Saved filters").get_by_role("link", name="Links of strangers")
    expect(tab).to_have_text("Links of strangers 3")
    expect(tab).to_have_attribute("aria-current", "page")
    look(page, "a saved tab")
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(tab).to_have_text("Links of strangers 2", timeout=15_000)
    page.get_by_role("link", name="Edit saved filters").click()
    look(page, "saved filters")
    page.get_by_label("New name of Links of strangers").fill("Links")
    page.get_by_role("button", name="Rename Links of strangers").click()
    expect(page.get_by_role("link", name="Links", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete Links").click()
    expect(page.locator("#main")).to_contain_text("No filter is saved.")
    look(page, "no saved filters")
    assert wrong == []
