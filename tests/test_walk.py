"""One comment's whole walk on the real program: from the form in a browser to the model that learnt from its like."""

from __future__ import annotations

import json
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, expect

from tests import browser as browsers
from tests.conftest import Server

PASSWORD = "four unrelated garden words"
MOON = [
    "My cousin reads the moon for gardeners, her chart told me when to sow. Book a reading at https://moon{n}.example today.",
    "Every gardener has a birth chart. Ask our moon readers what the week will bring: https://moon{n}.example/chart",
    "Loved this! A moon reading told me when to plant the roses, first one free at https://moon{n}.example/free",
    "What do the stars say of your beans? Our readers answer by letter, https://moon{n}.example/letter",
    "The moon knows when a gate should open. Personal charts drawn by hand, order at https://moon{n}.example",
    "I never trusted horoscopes until a reader drew my chart. She has room for new clients: https://moon{n}.example/ask",
]
"""Spam of a kind that the shipped model does not know well: it waits for its link, not for its words."""
GOOD = [
    "I planted beans along the fence last May, and the snails ate every one of them.",
    "The part about the unattended gate made me think of our parish newsletter. Thank you for it.",
    "My father kept the same kind of garden, and his gate squeaked so that he could hear who came.",
    "I disagree about the wall. Ours keeps the deer out, and the neighbours come in by the side.",
    "How do you keep the latch from rusting? Mine lasts two winters at best.",
    "A lovely read over breakfast. I forwarded it to the people who run our allotments.",
    "We tried it without moderators for a year. It went exactly as you say about the sofa in the beans.",
    "Is the blue flower borage, perhaps? It was all over my aunt's garden, and bees adored it.",
    "The third way is the one I am guilty of. I will answer the four letters on my desk today.",
    "Could you write more about the bench? People sit down before they talk, in my experience.",
    "I run a small forum for beekeepers, and this is the best description of my evenings so far.",
    "The photograph of safety is a fine picture. It stayed with me all week, in the rain and after.",
]


def link_of(server: Server) -> str:
    return next(word for word in server.printed.split() if "/moderate/set-password/" in word)


def row(page: Page, words: str) -> Any:
    return page.locator("[data-row]").filter(has_text=words)


def test_from_the_form_to_the_reloaded_model(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    said = browsers.watched(page)

    # a harmless reply is published at once
    page.goto(server.url)
    browsers.write(page, "My neighbour has had such a gate for years, and it still does not lock.")
    page.wait_for_url("**/#comment-*")
    expect(page.locator("#comments")).to_contain_text("it still does not lock")
    expect(page.get_by_role("heading", name="1 Comment")).to_be_visible()

    # one with a link waits, and its author gets a receipt
    for name, words in (("Bela", "I drew our own gate: https://bela.example/gate"), ("Cy", "See https://cy.example")):
        page.goto(server.url)
        browsers.write(page, words, name, f"{name}@example.org")
        expect(page.get_by_role("heading", name="Your comment is awaiting moderation.")).to_be_visible()
        assert "/receipts/" in page.url
    receipt = page.url

    # the first moderator chooses a password by the printed link, and decides in the queue
    browsers.choose_password(page, link_of(server), PASSWORD)
    browsers.sign_in(page, "moderator@example.org", PASSWORD)
    row(page, "I drew our own gate").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("1 comment approved")
    row(page, "See https://cy.example").get_by_role("button", name="Spam").click()
    expect(page.get_by_role("status")).to_contain_text("1 comment filed as spam")
    expect(page.locator("#main")).to_contain_text("Nothing waits")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("undone")
    expect(row(page, "See https://cy.example")).to_be_visible()
    row(page, "See https://cy.example").get_by_role("button", name="Reject").click()
    expect(page.locator("#queue[data-sending]")).to_have_count(0)
    page.goto(receipt)
    expect(page.get_by_role("heading", name="Your comment was not published.")).to_be_visible()
    page.goto(server.url)
    expect(page.locator("#comments")).to_contain_text("I drew our own gate")
    assert said == []
    learns(server)


def learns(server: Server) -> None:
    """Twenty-four decisions on a new kind of spam teach the running service, and roll-back takes it back."""
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as client:

        def post(body: str, number: int) -> str:
            fields = {"name": f"Reader {number}", "email": f"reader{number}@example.org", "body": body}
            answer = client.post("/sites/default/articles/walk/comments", json=fields)
            assert answer.status_code in (201, 202), answer.text
            return str(answer.json()["id"])

        def verdict(id: str) -> dict[str, Any]:
            found: dict[str, Any] = client.get(f"/api/v1/comments/{id}").raise_for_status().json()["verdict"]
            return found

        before = verdict(post("Moon readers know when to sow; book a chart at https://moon.example/sow", 0))
        assert before["action"] == "hold" and any(r.get("rule") == "stranger-with-link" for r in before["reasons"])
        for n, (spam, good) in enumerate(zip(MOON * 2, GOOD, strict=True)):
            for action, body, author in (("spam", spam.format(n=n), 2 * n + 1), ("approve", good, 2 * n + 2)):
                decided = {"comments": [post(body, author)], "action": action}
                client.post("/api/v1/decisions", json=decided).raise_for_status()

        outcome = json.loads(server.run("retrain", "--site", "default").stdout)
        assert outcome["promoted"] is True, outcome["why"]
        after = verdict(post("Moon readers know when to plant; book a chart at https://moon.example/plant", 90))
        assert after["model"] != before["model"]
        assert after["scores"]["spam"] > before["scores"]["spam"]

        server.run("roll-back")
        again = verdict(post("Moon readers know when to weed; book a chart at https://moon.example/weed", 91))
        assert again["model"] == before["model"]
        assert again["scores"]["spam"] < after["scores"]["spam"]


def test_posting_and_moderating_need_no_script(server: Server, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(server.url)
    browsers.write(page, "I drew our own gate: https://bela.example/gate")
    expect(page.get_by_role("heading", name="Your comment is awaiting moderation.")).to_be_visible()
    browsers.choose_password(page, link_of(server), PASSWORD)
    browsers.sign_in(page, "moderator@example.org", PASSWORD)
    row(page, "I drew our own gate").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("1 comment approved")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("undone")
    page.get_by_role("checkbox").check()
    page.get_by_role("group", name="Decide all that are ticked").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("1 comment approved")
    page.goto(server.url)
    expect(page.locator("#comments")).to_contain_text("I drew our own gate")
