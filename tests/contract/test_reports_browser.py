"""Reporting a comment in a real browser: from a blog's own page, on the page without scripts, and what a moderator sees of it."""

from __future__ import annotations

import httpx
from playwright.sync_api import Browser, expect

from tests import browser as browsers
from tests.conftest import Server
from tests.contract.embedding import embedded
from tests.contract.embedding import host as host  # a fixture
from tests.contract.looks import look
from tests.contract.test_pages_browser import signed_in
from tests.hostpage import Host


def test_a_reader_reports_from_the_blogs_page_and_a_moderator_finds_it(
    server: Server, host: Host, browser: Browser
) -> None:
    server.run("add-site", "default", "--hold", "suspects")
    fields = {"name": "Bert", "email": "bert@example.org", "body": "The gate squeaks in the wind."}
    posted = httpx.post(f"{server.url}/sites/default/articles/my-post/comments", json=fields)
    assert posted.status_code == 201
    page = browser.new_page()
    said = browsers.watched(page)
    embedded(page, host.page("/p/", 'article="my-post"'))
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Report: Bert").click()
    form = opened.value
    form.wait_for_load_state()
    expect(form.get_by_text("The gate squeaks in the wind.")).to_be_visible()
    look(form, "the report's page")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("alert")).to_contain_text("Please choose what is wrong.")
    look(form, "the report's page with what is missing")
    form.get_by_label("It insults somebody").check()
    form.get_by_label("Anything the moderators should know").fill("Every word of it")
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("status")).to_have_text("Thank you. The moderators will look at it.")
    look(form, "the report's page, sent")
    console = browser.new_page()
    signed_in(console, server)
    console.get_by_role("link", name="Reported 1").click()
    row = console.locator("[data-row]")
    expect(row).to_contain_text("Reported by a reader as an insult: Every word of it")
    look(console, "the queue of reported comments")
    row.get_by_role("button", name="Harmless").click()
    expect(row).to_have_count(0)
    console.goto(f"{server.url}/moderate?status=approved")
    expect(console.locator("[data-row]")).to_have_count(1)
    expect(console.get_by_role("link", name="Reported")).to_have_count(0)
    form.goto(form.url.replace("?sent", ""))
    console.set_viewport_size({"width": 1280, "height": 800})
    assert said == []
