"""An author's page, notes and blocks with an end, by keyboard and mouse in a real browser, wide and narrow, light and dark."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests import browser as browsers
from tests.conftest import Server
from tests.contract.looks import look
from tests.contract.test_pages_browser import post, signed_in


def test_an_author_is_blocked_for_a_week_looked_at_noted_and_decided_on(server: Server, browser: Browser) -> None:
    post(server, "I wrote about it: https://blog.example/mine", name="Tobias", email="tobias@example.org")
    post(server, "Once more, on the hinge: https://blog.example/hinge", name="Tobias", email="tobias@example.org")
    page = browser.new_page()
    wrong = browsers.watched(page)
    signed_in(page, server)
    page.keyboard.press("j")
    page.keyboard.press("b")
    row = page.locator("[data-row]").first
    row.get_by_label("Block for").select_option("week")
    row.get_by_label("because").fill("A ring: j k a s d")
    look(page, "what can be blocked, and for how long")
    row.get_by_role("button", name="Block the author").click()
    expect(page.get_by_role("status").first).to_contain_text("The author is blocked")
    expect(row.locator("[data-block]", has_text="blocked until")).to_have_count(1)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("everything by the same author")
    page.keyboard.press("Escape")
    row.focus()
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="Everything by Tobias")).to_be_visible()
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.locator(".hits")).to_contain_text("A ring: j k a s d")
    page.get_by_label("A note on the author").fill("Rang us up.\nTwice.")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#notes li .text")).to_have_text("Rang us up.\nTwice.")
    look(page, "an author with notes and blocks")
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.get_by_role("status").first).to_contain_text("1 comment filed as spam")
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.locator("[data-row] .status")).to_have_text(["Spam", "Pending"])
    expect(page.locator(".past")).to_contain_text("spam by moderator@example.org")
    page.keyboard.press("z")
    expect(page.locator("[data-row] .status")).to_have_text(["Pending", "Pending"])
    page.get_by_role("link", name="All blocks of the site").click()
    expect(page.locator(".blocks li")).to_contain_text("until")
    look(page, "the blocks")
    page.get_by_role("button", name="Lift").click()
    expect(page.get_by_role("status").first).to_contain_text("It is lifted")
    look(page, "no block")
    page.goto(f"{server.url}/moderate")
    expect(page.locator("[data-row] .noted").first).to_contain_text(
        "Note on the author moderator@example.org: Rang us up."
    )
    look(page, "the queue with notes on its cards")
    page.locator("[data-row] a[data-open]").first.click()
    page.get_by_text("Change or delete").click()
    look(page, "a comment with notes")
    page.get_by_role("button", name="Delete", exact=True).last.click()
    expect(page.locator("#notes li")).to_have_count(0)
    assert wrong == []


def test_without_scripts_the_authors_page_decides_and_takes_notes(server: Server, browser: Browser) -> None:
    post(server, "I wrote about it: https://blog.example/mine", name="Tobias", email="tobias@example.org")
    first = browser.new_page()
    signed_in(first, server)
    plain = browser.new_context(java_script_enabled=False, storage_state=first.context.storage_state())
    page = plain.new_page()
    page.goto(f"{server.url}/moderate")
    page.get_by_role("link", name="Tobias").first.click()
    page.get_by_label("A note on the author").fill("Kind.")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#notes li .text")).to_have_text("Kind.")
    page.locator("[data-row]").get_by_role("button", name="Approve").first.click()
    expect(page.locator("[data-row] .status")).to_have_text(["Approved"])
    expect(page.locator(".counts div").first).to_have_text("Published 1")
