"""The pages that mails lead to, as their readers walk them: narrow and wide, light and dark, before axe, by keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests import browser as browsers
from tests.conftest import Server, wait_until
from tests.contract.embedding import blog, embedded, fill, send, status
from tests.contract.looks import look
from tests.contract.test_pages_browser import signed_in
from tests.outbox.postbox import Postbox

ARTICLE = "/sites/default/articles/why-a-garden-needs-a-gate/form"


def mailed(box: Postbox, count: int, place: str) -> str:
    """The link to such a place, in the mail that makes it so many."""
    wait_until(lambda: len(box.got) >= count, f"mail number {count}")
    body = box.mails[-1].get_body(("plain",))
    assert body
    (found,) = re.findall(rf"https?://\S+/{place}/\S+", body.get_content())
    return str(found)


def test_a_reader_subscribes_unsubscribes_downloads_and_erases(
    start: Callable[..., Server], browser: Browser, box: Postbox
) -> None:
    server = start(smtp_url=box.url, mail_from="Garden <comments@garden.example>")
    page = browser.new_page()
    said = browsers.watched(page)

    page.goto(server.url + ARTICLE)
    page.get_by_label("Mail me when somebody replies").check()
    browsers.write(page, "A gate keeps the deer out.", email="ann@mail.example")
    page.goto(mailed(box, 1, "subscriptions"))
    look(page, "subscription")
    page.get_by_role("button", name="Yes, mail me").click()
    assert page.get_by_role("heading").inner_text() == "We mail you about replies."
    look(page, "subscribed")
    page.get_by_role("button", name="Stop these mails").press("Enter")
    assert "You get no mails" in page.get_by_role("heading").inner_text()
    page.get_by_role("button", name="Never mail me").click()
    expect(page.get_by_role("button", name="You may ask me again")).to_be_visible()
    look(page, "never")

    page.goto(server.url + "/privacy")
    look(page, "privacy")
    page.get_by_role("button", name="Mail me a link").click()
    assert page.get_by_label("Email").get_attribute("aria-invalid") == "true"
    page.get_by_label("Email").fill("ann@mail.example")
    page.get_by_label("Email").press("Enter")
    assert page.get_by_role("heading").inner_text() == "Look into your mailbox"
    link = mailed(box, 2, "privacy")
    page.goto(link)
    look(page, "person")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download it").click()
    assert download.value.suggested_filename == "my-comments.json"
    held = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert [c["body"] for c in held["comments"]] == ["A gate keeps the deer out."]
    page.goto(link)
    assert page.get_by_role("button", name="Download it").count() == 0
    page.get_by_role("button", name="Erase it all").click()
    assert page.get_by_role("heading").inner_text() == "Erase everything?"
    page.get_by_role("button", name="Yes, erase it all").click()
    assert page.get_by_role("heading").inner_text() == "It is erased"
    page.goto(server.url + "/")
    assert page.get_by_text("keeps the deer out").count() == 0
    assert [m for m in said if "422" not in m] == []
    assert "mail.example" not in server.log


def test_an_administrator_tries_the_mail_settings(start: Callable[..., Server], browser: Browser, box: Postbox) -> None:
    server = start(smtp_url=box.url, mail_from="Garden <comments@garden.example>")
    page = browser.new_page()
    said = browsers.watched(page)
    signed_in(page, server)
    page.goto(server.url + "/moderate/moderators")
    page.get_by_role("link", name="Mail settings").click()
    look(page, "settings")
    page.get_by_role("button", name="Send a test mail to me").click()
    expect(page.get_by_role("status")).to_contain_text("The mail server has taken it.")
    assert [mail["To"] for mail in box.mails] == ["moderator@example.org"]
    box.rcpt = {"moderator@example.org": ["550 5.1.1 moderator@example.org is unknown here"]}
    page.get_by_role("button", name="Send a test mail to me").click()
    expect(page.get_by_role("alert")).to_contain_text("5.1.1 … is unknown here")
    look(page, "refused")
    assert said == []


def test_who_ticks_the_box_in_the_embed_reads_that_a_mail_was_sent(
    start: Callable[..., Server], browser: Browser, box: Postbox
) -> None:
    server = start(smtp_url=box.url, mail_from="Garden <comments@garden.example>")
    page = browser.new_page()
    with blog(server) as host:
        embedded(page, host.page("/p/", 'article="my-post"'))
        page.get_by_label("Mail me when somebody replies").check()
        fill(page, "A gate keeps the deer out.", email="ann@mail.example")
        send(page)
        expect(page.locator(".comment")).to_contain_text("A mail to confirm your address was sent")
        expect(status(page)).to_contain_text("Your comment is published. A mail to confirm your address was sent")
    assert mailed(box, 1, "subscriptions")
