"""The readers' own pages before axe (WCAG 2.2 AA and its best practices): narrow and wide, light and dark, mirrored,
with scripts and without."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests import browser as browsers
from tests.conftest import Server
from tests.contract.looks import look

PASSWORD = "four unrelated garden words"
ARTICLE = "why-a-garden-needs-a-gate"
BOTH = ("ltr", "rtl")
FORM = f"/sites/default/articles/{ARTICLE}/form"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_axe_finds_nothing_on_a_readers_page(server: Server, browser: Browser, scripts: bool) -> None:
    page = browser.new_page()
    if not scripts:  # as a page stands whose scripts never came: where they are turned off, axe could not run either
        page.route("**/*.js", lambda route: route.abort())
    thread = f"{server.url}/sites/default/articles/{ARTICLE}/comments"
    fields = {
        "name": "Tobias",
        "email": "tobias@example.org",
        "body": "My gate *squeaked*.",
        "url": "https://t.example",
    }
    first = httpx.post(thread, json=fields).raise_for_status().json()
    reply = fields | {"name": "Ines", "email": "ines@example.org", "parent": first["id"], "body": "So does `mine`."}
    httpx.post(thread, json=reply).raise_for_status()
    for path in ("/", f"/?parent={first['id']}", FORM, "/nowhere"):
        page.goto(server.url + path)
        look(page, path, BOTH)

    page.goto(server.url + FORM)
    browsers.write(page, "", name="", email="not an address")
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "errors", BOTH)
    browsers.write(page, "See https://ann.example/gate")
    expect(page.get_by_role("heading", name="Your comment is awaiting moderation.")).to_be_visible()
    look(page, "a receipt", BOTH)


def test_the_box_keeps_the_author_in_this_browser_and_only_while_it_is_ticked(server: Server, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    said = browsers.watched(page)
    words = "Save my name, email, and website in this browser for the next time I comment."
    page.goto(server.url + FORM)
    box = page.get_by_role("checkbox", name=words)
    expect(box).not_to_be_checked()
    box.check()
    with page.expect_request(lambda request: request.method == "POST") as sent:
        browsers.write(page, "A kind word.", Website="https://ann.example/")
    assert "remember" not in (sent.value.post_data or "")
    page.wait_for_url("**/#comment-*")

    page.goto(server.url + FORM)
    for label, kept in (("Name", "Ann"), ("Email", "ann@example.org"), ("Website", "https://ann.example/")):
        expect(page.get_by_role("textbox", name=label)).to_have_value(kept)
    expect(box).to_be_checked()
    assert context.cookies() == []
    box.uncheck()
    browsers.write(page, "Another kind word.")
    page.wait_for_url("**/#comment-*")
    page.goto(server.url + FORM)
    expect(page.get_by_role("textbox", name="Email")).to_have_value("")
    expect(box).not_to_be_checked()
    assert said == []


def test_without_scripts_the_form_works_and_offers_no_box(server: Server, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(server.url + FORM)
    expect(page.get_by_role("checkbox")).to_have_count(0)
    browsers.write(page, "A kind word.")
    page.wait_for_url("**/#comment-*")
    expect(page.locator("#comments")).to_contain_text("A kind word.")


def test_axe_finds_nothing_on_the_consoles_doors_lists_and_problems(server: Server, browser: Browser) -> None:
    """The pages that no other test has before axe; the queue with several rows, since one alone clashes with nothing."""
    thread = f"{server.url}/sites/default/articles/{ARTICLE}/comments"
    told = ("Our rota is at", "Borage flowers in June, says", "Who oils a hinge ought to read")
    for n, words in enumerate(told):
        fields = {"name": "Ann", "email": f"ann{n}@example.org", "body": f"{words} https://blog{n}.example/"}
        httpx.post(thread, json=fields).raise_for_status()
    link = next(word for word in server.printed.split() if "/moderate/set-password/" in word)
    page = browser.new_page()
    page.goto(link)
    look(page, "a password", BOTH)
    browsers.choose_password(page, link, PASSWORD)
    look(page, "signing in", BOTH)
    page.goto(link)
    look(page, "a link that is over", BOTH)
    page.goto(f"{server.url}/moderate/login")
    browsers.sign_in(page, "moderator@example.org", PASSWORD)
    expect(page.locator("[data-row]")).to_have_count(3)
    look(page, "the queue", BOTH)
    row = page.locator("[data-row]").first
    row.get_by_text("More").click()
    row.get_by_role("button", name="Block the author").click()
    expect(page.get_by_role("status")).to_contain_text("The author is blocked")
    look(page, "the author is blocked", BOTH)
    for path in ("history", "rules", "stats", "spam/empty", f"comments/{'0' * 26}"):
        page.goto(f"{server.url}/moderate/{path}")
        look(page, path, BOTH)
