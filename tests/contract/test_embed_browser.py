"""The embed in a real browser, on a strict page of another origin: what a reader does there."""

from __future__ import annotations

import json
from typing import Any

import httpx
from playwright.sync_api import Browser, expect

from moderation.sites.article_keys import key_of
from tests import browser as browsers
from tests.conftest import Server, wait_until
from tests.contract.embedding import (
    LINK,
    REFUSED,
    embedded,
    fill,
    focused,
    post,
    send,
    status,
    stored,
    thread,
)
from tests.contract.embedding import host as host  # a fixture
from tests.hostpage import Host


def test_a_reader_replies_is_published_and_nothing_else_is_asked_for(
    server: Server, host: Host, browser: Browser
) -> None:
    first = post(server, "My grandfather's gate *squeaked*.")
    context = browser.new_context()
    page = context.new_page()
    said, asked = browsers.watched(page), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    embedded(page, host.page("/2026/05/my-post/", 'article="my-post"'))
    expect(page.get_by_role("heading", name="1 Comment")).to_be_visible()
    expect(page.locator(".said em")).to_have_text("squeaked")

    page.get_by_role("button", name="Reply to Tobias").click()
    expect(page.get_by_role("heading", name="Leave a Reply to Tobias")).to_be_visible()
    assert focused(page)[1] == "reply-body"
    fill(page, "Ours does too,\nand **nobody** oils it.")
    send(page)
    card = page.locator(".thread .thread .comment")
    expect(card.locator("strong")).to_have_text("nobody")
    expect(status(page)).to_have_text("Your comment is published.")
    expect(page.get_by_role("heading", name="2 Comments")).to_be_visible()
    expect(page.get_by_role("heading", name="Leave a Reply", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("")
    assert focused(page)[0] == "ARTICLE"
    found = thread(server)
    assert [c["parent"] for c in found["comments"]] == [None, first["id"]]

    assert {url.split("/")[2] for url in asked} == {url.split("/")[2] for url in (server.url, host.url)}
    assert context.cookies() == []
    assert said == []


def test_the_comment_brings_the_pages_own_facts_its_token_and_its_proof(
    server: Server, host: Host, browser: Browser
) -> None:
    page = browser.new_page()
    sent: list[tuple[dict[str, str], dict[str, Any]]] = []
    page.on(
        "request",
        lambda request: sent.append((request.headers, request.post_data_json)) if request.method == "POST" else None,
    )
    head = (
        '<meta property="og:title" content="The blue flower, again">'
        '<meta property="article:published_time" content="2001-05-01T10:00:00+02:00">'
        '<link rel="canonical" href="https://blog.example/blue">'
    )
    embedded(page, host.page("/blue/", 'article="my-post"', head=head))
    fill(page, "A kind word about the flower.")
    send(page)
    expect(status(page)).to_have_text("Your comment is published.")
    fill(page, "With proof, a link is no reason to wait: https://ann.example/")
    send(page)
    expect(page.locator(".comment")).to_have_count(2)
    (headers, fields), (later, _) = sent
    proposed = {"title": "The blue flower, again", "url": "https://blog.example/blue"}
    assert fields["page"] == proposed, "its date and its text are the site's to register"
    assert "." in fields["form_token"]
    assert "receipt" not in headers and "/receipts/" in later["receipt"]
    assert headers["idempotency-key"] != later["idempotency-key"]


def test_the_key_of_a_page_is_its_path_with_tildes(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    long = "/" + "a-very-long-name/" * 20
    for path, article, key in (
        ("/2026/05/my-post/", "", "2026~05~my-post"),
        ("/", "", "~"),
        ("/%E6%96%87/", "", "-E6-96-87"),
        ("/it's(here)!/", "", key_of("https://blog.example/it's(here)!/")),
        ("/x/", "/notes/a b.html", "notes~a-20b.html"),
        ("/x/", "/文章/", "-E6-96-87-E7-AB-A0"),
        (long, "", long.strip("/").replace("/", "~")[:183] + "-5a2f359586c88c63"),
        ("/%e6%96%87/", "", "-E6-96-87"),
    ):
        assert key_of("https://blog.example" + (article or path)) == key, "an import gives it the same key"
        embedded(page, host.page(path, f'article="{article}"' if article else ""))
        assert f"{server.url}/sites/default/articles/{key}/comments" in asked
        asked.clear()


def test_each_error_stands_at_its_field_and_a_held_reply_says_so(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    said = browsers.watched(page)
    embedded(page, host.page("/p/", 'article="my-post"'))
    fill(page, "", name="", email="not an address")
    send(page)
    for field, words in (
        ("body", "Please type your comment."),
        ("name", "Please give a name."),
        ("email", "This is not a valid email address."),
    ):
        control = page.locator(f"#reply-{field}")
        expect(control).to_have_attribute("aria-invalid", "true")
        expect(page.locator(f"#{control.get_attribute('aria-describedby')}")).to_have_text(words)
    expect(page.locator("#reply-url")).not_to_have_attribute("aria-invalid", "true")
    assert focused(page)[1] == "reply-body"
    expect(page.get_by_role("textbox", name="Email")).to_have_value("not an address")

    fill(page, LINK)
    send(page)
    held = page.locator(".comment.held")
    expect(held).to_contain_text("Your comment is awaiting moderation.")
    expect(held).to_contain_text(LINK)
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    expect(status(page)).to_have_text("Your comment is awaiting moderation.")
    receipt = held.get_by_role("link", name="receipt").get_attribute("href")
    assert receipt and receipt.startswith(server.url + "/receipts/")
    assert thread(server)["count"] == 0
    assert [line for line in said if REFUSED not in line] == []

    # its author, and nobody else, sees it there when they come back
    embedded(page, page.url)
    expect(page.locator(".comment.held")).to_contain_text(LINK)
    other = browser.new_page()
    embedded(other, page.url)
    expect(other.locator(".comment")).to_have_count(0)

    # and learns what became of it
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    decided = {"comments": [receipt.rpartition("/")[2][:26]], "action": "reject", "note": "Not here, please."}
    httpx.post(
        f"{server.url}/api/v1/decisions", json=decided, headers={"Authorization": f"Bearer {token}"}
    ).raise_for_status()
    embedded(page, page.url)
    expect(page.locator(".comment.held")).to_contain_text("Your comment was not published.")
    expect(page.locator(".comment.held q")).to_have_text("Not here, please.")
    page.get_by_role("button", name="Do not show this again").click()
    expect(page.locator(".comment")).to_have_count(0)
    assert "leave-a-reply:mine:default" not in stored(page) or stored(page)["leave-a-reply:mine:default"] == []


def test_with_the_keyboard_alone(server: Server, host: Host, browser: Browser) -> None:
    """Reply, error, hold, edit, withdraw: without a mouse, and the focus is never lost."""
    post(server, "My grandfather's gate squeaked.")
    page = browser.new_page()
    embedded(page, host.page("/p/", 'article="my-post"'))

    def tab_to(text: str, back: bool = False) -> None:
        for _ in range(25):
            page.keyboard.press("Shift+Tab" if back else "Tab")
            now = focused(page)
            if now and (text in now[2] or text == now[1]):
                return
        raise AssertionError(f"no way to {text!r}")

    tab_to("Reply")
    page.keyboard.press("Enter")
    assert focused(page)[1] == "reply-body"
    tab_to("Cancel reply", back=True)
    page.keyboard.press("Enter")
    assert focused(page)[2] == "Reply"
    page.keyboard.press("Enter")
    page.keyboard.type(LINK)
    tab_to("Post Comment")
    page.keyboard.press("Enter")
    wait_until(lambda: focused(page)[1] == "reply-name", "the first wrong field")
    page.keyboard.type("Ann")
    page.keyboard.press("Tab")
    page.keyboard.type("ann@example.org")
    page.keyboard.press("Enter")
    expect(page.locator(".thread .thread .comment.held")).to_be_visible()
    wait_until(lambda: focused(page)[0] == "ARTICLE", "the held comment")

    tab_to("Edit")
    page.keyboard.press("Enter")
    assert focused(page)[1].startswith("edit-")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("I wrote about it, and leave the address out.")
    tab_to("Save")
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("Your change is saved.")
    expect(page.get_by_role("heading", name="2 Comments")).to_be_visible()
    assert focused(page)[0] == "ARTICLE"
    assert thread(server)["count"] == 2

    tab_to("Withdraw")
    page.keyboard.press("Enter")
    assert focused(page)[2] == "Withdraw"
    tab_to("Cancel")
    page.keyboard.press("Space")
    assert focused(page)[2] == "Withdraw"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("You have withdrawn your comment.")
    assert focused(page)[2] == "You have withdrawn your comment."
    assert thread(server)["count"] == 1


def test_after_fifteen_minutes_nothing_can_be_changed(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    address = host.page("/p/", 'article="my-post"')
    embedded(page, address)
    fill(page, "A kind word.")
    send(page)
    expect(page.get_by_role("button", name="Edit your comment")).to_be_visible()
    page.clock.install()
    page.goto(address)
    expect(page.get_by_role("button", name="Edit your comment")).to_be_visible()
    page.clock.fast_forward("15:05")
    expect(page.get_by_role("button", name="Edit your comment")).to_have_count(0)
    expect(page.get_by_role("button", name="Withdraw your comment")).to_have_count(0)
    expect(page.get_by_role("button", name="Reply to Ann")).to_be_visible()


def test_the_draft_and_the_author_are_kept_in_the_browser_only_as_asked(
    server: Server, host: Host, browser: Browser
) -> None:
    first = post(server, "My grandfather's gate squeaked.")
    page = browser.new_page()
    address = host.page("/p/", 'article="my-post"')
    embedded(page, address)
    page.get_by_role("button", name="Reply to Tobias").click()
    fill(page, "Half a thought")
    embedded(page, address)
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("Half a thought")
    expect(page.get_by_role("heading", name="Leave a Reply to Tobias")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("")
    assert "ann" not in json.dumps(stored(page)).lower(), "a draft has the words, not who wrote them"

    remember = page.get_by_role(
        "checkbox", name="Save my name, email, and website in this browser for the next time I comment."
    )
    expect(remember).not_to_be_checked()
    fill(page, "A whole thought.")
    remember.check()
    send(page)
    expect(page.locator(".comment")).to_have_count(2)
    assert thread(server)["comments"][1]["parent"] == first["id"]
    embedded(page, address)
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Ann")
    expect(page.get_by_role("textbox", name="Email")).to_have_value("ann@example.org")
    expect(remember).to_be_checked()
    fill(page, "Another thought.")
    remember.uncheck()
    send(page)
    expect(page.locator(".comment")).to_have_count(3)
    assert "leave-a-reply:author" not in stored(page)


def test_a_held_comment_is_shown_as_it_will_appear(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    address = host.page("/held/", 'article="my-post"')
    embedded(page, address)
    fill(page, f"**Bold** words. {LINK}")
    send(page)
    said = page.locator(".comment.held .said")
    expect(said.locator("strong")).to_have_text("Bold")
    expect(said.locator("a")).to_have_attribute("href", "https://ann.example/gate")
    embedded(page, address)
    expect(said.locator("strong")).to_have_text("Bold")
    page.get_by_role("button", name="Edit your comment").click()
    field = page.get_by_role("textbox", name="Edit your comment")
    expect(field).to_have_value(f"**Bold** words. {LINK}")
    field.fill(f"*Calm* words. {LINK}")
    page.get_by_role("button", name="Save").click()
    expect(said.locator("em")).to_have_text("Calm")
