"""What is done from a comment, by keyboard in a real browser: answered, shortened, its author kept out, rejected with a reason."""

from __future__ import annotations

import httpx
from playwright.sync_api import Browser, Page, expect

from tests import browser as browsers
from tests.conftest import Server
from tests.contract.looks import look
from tests.contract.test_pages_browser import post, signed_in


def thread(server: Server) -> list[dict[str, object]]:
    url = f"{server.url}/sites/default/articles/why-a-garden-needs-a-gate/comments?view=flat"
    found: list[dict[str, object]] = httpx.get(url).json()["comments"]
    return found


def opened(server: Server, browser: Browser) -> tuple[Page, list[str]]:
    page = browser.new_page()
    wrong = browsers.watched(page)
    signed_in(page, server)
    page.keyboard.press("j")
    return page, wrong


def test_a_comment_is_approved_and_answered_by_keyboard_and_both_are_taken_back(
    server: Server, browser: Browser
) -> None:
    post(server, "I wrote about it: https://blog.example/mine", name="Tobias")
    page, wrong = opened(server, browser)
    page.keyboard.press("c")
    box = page.get_by_role("group", name="Reply as staff")
    expect(box.get_by_label("Your reply")).to_be_focused()
    look(page, "the box for a reply")
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(page.locator("[data-row]")).to_be_focused()
    page.keyboard.press("c")
    page.keyboard.type("Thank you, Tobias. j k a s d")
    box.get_by_label("Your name").fill("Marta")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status").first).to_contain_text("Your reply is published, and what it answers")
    above, below = thread(server)
    assert below["author"]["name"] == "Marta" and below["author"]["mark"] == "staff"  # type: ignore[index]
    assert below["parent"] == above["id"]
    reader = browser.new_page()
    reader.goto(f"{server.url}/")
    expect(reader.locator(".staff")).to_have_text("Staff")
    page.keyboard.press("z")
    expect(page.locator("[data-row]")).to_have_count(1)
    expect(page.locator("#queue[data-sending]")).to_have_count(0)  # the row comes back at the press
    assert thread(server) == []
    assert wrong == []


def test_what_is_selected_is_removed_for_good_by_keyboard(server: Server, browser: Browser) -> None:
    post(server, "Call me: 0170 5554433221. I wrote about it: https://blog.example/mine", name="Tobias")
    page, wrong = opened(server, browser)
    page.evaluate(
        """() => {
          const text = document.querySelector("[data-row] .body").firstChild;
          getSelection().setBaseAndExtent(text, 9, text, 24);
        }"""
    )
    page.keyboard.press("e")
    field = page.get_by_label("The piece to remove")
    expect(field).to_have_value("0170 5554433221")
    look(page, "what is to go")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("It is removed")
    expect(page.locator("[data-row] .body")).to_have_text(
        "Call me: [removed]. I wrote about it: https://blog.example/mine"
    )
    assert wrong == []


def test_without_scripts_a_reply_is_a_page_of_its_own(server: Server, browser: Browser) -> None:
    post(server, "I wrote about it: https://blog.example/mine", name="Tobias")
    page = browser.new_context(java_script_enabled=False).new_page()
    signed_in(page, server)
    page.locator("[data-more] summary").click()
    page.get_by_role("link", name="Approve and reply").click()
    page.get_by_label("Your reply").fill("Thank you, Tobias.")
    page.get_by_label("Your name").fill("Marta")
    page.get_by_role("button", name="Approve and reply").click()
    expect(page.get_by_role("status")).to_contain_text("Your reply is published, and what it answers")
    assert len(thread(server)) == 2


def test_an_author_is_blocked_and_an_article_closed_by_two_keys_and_undone_by_one(
    server: Server, browser: Browser
) -> None:
    post(server, "I wrote about it: https://blog.example/mine", name="Tobias")
    page, wrong = opened(server, browser)
    for keys, said, undone in (
        ("b2", "The author is blocked", "The author is let in again"),
        ("b1", "The article is closed", "The article is open again"),
    ):
        for key in keys:
            page.keyboard.press(key)
        expect(page.get_by_role("status").first).to_contain_text(said)
        expect(page.locator("[data-row]")).to_be_focused()
        page.keyboard.press("z")
        expect(page.get_by_role("status").first).to_contain_text(undone)
    page.keyboard.press("j")
    page.keyboard.press("b")
    expect(page.get_by_role("button", name="1 Close the article")).to_be_focused()
    look(page, "blocking and closing")
    page.keyboard.press("Escape")
    expect(page.locator("[data-row]")).to_be_focused()
    page.keyboard.press("o")
    page.wait_for_url("**/moderate/comments/*")
    for key in "b2":
        page.keyboard.press(key)
    expect(page.get_by_role("status").first).to_contain_text("The author is blocked")
    look(page, "a blocked author")
    assert wrong == []
