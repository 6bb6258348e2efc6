"""What becomes of a rejected comment on the blog's own page: its reason, and the way to an answer."""

from __future__ import annotations

import httpx
from playwright.sync_api import Browser, expect

from tests import browser as browsers
from tests.conftest import Server
from tests.contract.embedding import embedded, fill, send
from tests.contract.embedding import host as host  # a fixture
from tests.hostpage import Host


def test_a_rejection_says_why_and_leads_to_the_appeal(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    said = browsers.watched(page)
    address = host.page("/p/", 'article="my-post"')
    embedded(page, address)
    fill(page, "I wrote about it: https://ann.example/")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        send(page)
    id = answered.value.json()["id"]
    who = {"Authorization": f"Bearer {server.run('add-token', '--scopes', 'moderate').stdout.split()[-1]}"}
    sent = {"comments": [id], "action": "reject", "reason": "advertising", "note": "A shop."}
    httpx.post(f"{server.url}/api/v1/decisions", json=sent, headers=who).raise_for_status()
    embedded(page, address)
    verdict = page.locator(".comment .verdict")
    expect(verdict).to_contain_text("Your comment was not published.")
    expect(verdict).to_contain_text("It advertises something. The moderator wrote: A shop.")
    page.goto(verdict.get_by_role("link", name="Ask for a second look").get_attribute("href") or "")
    page.get_by_label("Why it should be published").fill("I sell nothing.")
    page.get_by_role("button", name="Send").click()
    embedded(page, address)
    expect(verdict).to_contain_text("Your comment is awaiting moderation.")
    assert said == []
