"""The embed where one reads and writes: a preview, the hint at Markdown, times, code that the keyboard scrolls."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Browser, Route, expect

from tests import browser as browsers
from tests.conftest import Server, wait_until
from tests.contract.embedding import embedded, fill, focused, post, send, status, thread
from tests.contract.embedding import host as host  # a fixture
from tests.hostpage import Host

RULE = (
    "for bed in garden.beds:\n"
    "    if bed.soil.moisture < 0.3 and not bed.covered and bed.last_watered < today - timedelta(days=2): bed.water(litres=5)"
)
BODY = "Some **bold** words, `code` and\n\n> a quote\n\n<b>no tag</b>"


def test_a_preview_shows_a_text_as_it_will_appear(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    said = browsers.watched(page)
    embedded(page, host.page("/p/", 'article="my-post"'))
    control = page.get_by_role("textbox", name="Comment")
    expect(control).to_have_accessible_description("Markdown works: **bold**, *italics*, `code`, > quote.")
    fill(page, BODY)
    page.get_by_role("button", name="Preview").click()
    preview = page.get_by_role("group", name="Preview")
    expect(preview.locator("strong")).to_have_text("bold")
    expect(preview.locator("blockquote")).to_have_text("a quote")
    expect(preview.locator("b, img")).to_have_count(0)
    expect(preview).to_contain_text("<b>no tag</b>")
    assert focused(page)[0] == "DIV"
    seen = preview.locator(".said").inner_html()
    assert thread(server)["count"] == 0
    fill(page, BODY + " ")
    expect(preview).to_be_hidden()
    fill(page, BODY)
    page.get_by_role("button", name="Preview").click()
    expect(preview).to_be_visible()
    send(page)
    expect(page.locator("leave-a-reply .comment")).to_have_count(1)
    expect(preview).to_be_hidden()
    assert page.locator(".comment .said").inner_html() == seen
    page.get_by_role("button", name="Preview").click()  # of nothing
    expect(page.locator("#reply-body-error")).to_have_text("Please type your comment.")
    assert [line for line in said if "422" not in line] == []


def test_a_preview_that_cannot_be_had_loses_nothing(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    embedded(page, host.page("/p/", 'article="my-post"'))
    fill(page, "A thought.")
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", "Retry-After": "60"}
    answer = json.dumps({"code": "too_fast", "detail": "Too many previews."})

    def refuse(route: Route) -> None:
        route.fulfill(status=429, headers=headers | {"Access-Control-Allow-Headers": "*"}, body=answer)

    page.route("**/preview", refuse)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text("in 60 seconds")
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("A thought.")


def test_times_are_relative_and_the_exact_one_is_there_in_the_reader_s_zone(
    server: Server, host: Host, browser: Browser
) -> None:
    post(server, "A word about the gate.")
    made: str = thread(server)["comments"][0]["created_at"]
    address = host.page("/p/", 'article="my-post"')
    context = browser.new_context(timezone_id="Asia/Tokyo", locale="en-US")
    page = context.new_page()
    page.clock.install(time=made)
    page.goto(address)
    time = page.locator("leave-a-reply time")
    expect(time).to_have_text("this minute")
    expect(time).to_have_attribute("datetime", made)
    title: Any = time.get_attribute("title")
    assert title.endswith("GMT+9") and "at" in title
    page.clock.fast_forward("05:05")
    expect(time).to_have_text("5 minutes ago")
    for later, words in (("02:00:00", "2 hours ago"), ("22:00:00", "yesterday")):
        page.clock.fast_forward(later)
        expect(time).to_have_text(words)
    page.clock.fast_forward(31 * 86_400_000)
    expect(time).not_to_contain_text("ago")
    expect(time).to_contain_text(made[:4])

    german = browser.new_context(timezone_id="Europe/Berlin").new_page()
    german.clock.install(time=made)
    german.goto(host.page("/de/", 'article="my-post" lang="de" texts="/de.json"'))
    host.pages["/de.json"] = ("application/json", "", json.dumps({"lang": "de"}))
    german.reload()
    german.clock.fast_forward("03:00:00")
    expect(german.locator("leave-a-reply time")).to_have_text("vor 3 Stunden")
    assert str(german.locator("leave-a-reply time").get_attribute("title")).endswith(("MEZ", "MESZ"))


def test_code_is_scrolled_by_the_keyboard(server: Server, host: Host, browser: Browser) -> None:
    post(server, f"I sow by this rule:\n\n```python\n{RULE}\n```")
    page = browser.new_page()
    embedded(page, host.page("/p/", 'article="my-post"'))
    code = page.get_by_role("group", name="Code")
    expect(code).to_have_attribute("tabindex", "0")
    code.focus()
    page.keyboard.press("ArrowRight")
    wait_until(lambda: bool(code.evaluate("element => element.scrollLeft > 0")), "the code to be scrolled")
    expect(page.locator("leave-a-reply pre code")).to_contain_text("water(litres=5)")
    assert status(page).count() == 1
