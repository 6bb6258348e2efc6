"""The pages that mails lead to, as their readers walk them: narrow and wide, light and dark, before axe, by keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests import browser as browsers
from tests.conftest import Server, wait_until
from tests.contract.test_pages_browser import signed_in
from tests.moderation.outbox.postbox import Postbox

ARTICLE = "/sites/default/articles/why-a-garden-needs-a-gate/form"


def mailed(box: Postbox, count: int, place: str) -> str:
    """The link to such a place, in the mail that makes it so many."""
    wait_until(lambda: len(box.got) >= count, f"mail number {count}")
    body = box.mails[-1].get_body(("plain",))
    assert body
    (found,) = re.findall(rf"https?://\S+/{place}/\S+", body.get_content())
    return str(found)


def looks_well(page: Page, shots: Path, name: str) -> None:
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=shots / f"{name}-{width}-{scheme}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, (name, width)
            found = Axe().run(page).response["violations"]
            assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]


def test_a_reader_subscribes_unsubscribes_downloads_and_erases(
    start: Callable[..., Server], browser: Browser, box: Postbox, tmp_path: Path
) -> None:
    server = start(smtp_url=box.url, mail_from="Garden <comments@garden.example>")
    page = browser.new_page()
    said = browsers.watched(page)

    page.goto(server.url + ARTICLE)
    page.get_by_label("Mail me when somebody replies").check()
    browsers.write(page, "A gate keeps the deer out.", email="ann@mail.example")
    page.goto(mailed(box, 1, "subscriptions"))
    looks_well(page, tmp_path, "subscription")
    page.get_by_role("button", name="Yes, mail me").click()
    assert page.get_by_role("heading").inner_text() == "We mail you about replies."
    looks_well(page, tmp_path, "subscribed")
    page.get_by_role("button", name="Stop these mails").press("Enter")
    assert "You get no mails" in page.get_by_role("heading").inner_text()
    page.get_by_role("button", name="Never mail me").click()
    expect(page.get_by_role("button", name="You may ask me again")).to_be_visible()
    looks_well(page, tmp_path, "never")

    page.goto(server.url + "/privacy")
    looks_well(page, tmp_path, "privacy")
    page.get_by_role("button", name="Mail me a link").click()
    assert page.get_by_label("Email").get_attribute("aria-invalid") == "true"
    page.get_by_label("Email").fill("ann@mail.example")
    page.get_by_label("Email").press("Enter")
    assert page.get_by_role("heading").inner_text() == "Look into your mailbox"
    link = mailed(box, 2, "privacy")
    page.goto(link)
    looks_well(page, tmp_path, "person")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download it").click()
    assert download.value.suggested_filename == "my-comments.json"
    held = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert [c["body"] for c in held["comments"]] == ["A gate keeps the deer out."]
    page.goto(link)
    assert page.get_by_role("button", name="Download it").count() == 0
    page.get_by_role("button", name="Erase it all").click()
    assert page.get_by_role("heading").inner_text() == "It is erased"
    page.goto(server.url + "/")
    assert page.get_by_text("keeps the deer out").count() == 0
    assert [m for m in said if "422" not in m] == []
    assert "mail.example" not in server.log


def test_an_administrator_tries_the_mail_settings(
    start: Callable[..., Server], browser: Browser, box: Postbox, tmp_path: Path
) -> None:
    server = start(smtp_url=box.url, mail_from="Garden <comments@garden.example>")
    page = browser.new_page()
    said = browsers.watched(page)
    signed_in(page, server)
    page.goto(server.url + "/moderate/moderators")
    page.get_by_role("link", name="Mail settings").click()
    looks_well(page, tmp_path, "settings")
    page.get_by_role("button", name="Send a test mail to me").click()
    expect(page.get_by_role("status")).to_contain_text("The mail server has taken it.")
    assert [mail["To"] for mail in box.mails] == ["moderator@example.org"]
    box.rcpt = {"moderator@example.org": ["550 5.1.1 moderator@example.org is unknown here"]}
    page.get_by_role("button", name="Send a test mail to me").click()
    expect(page.get_by_role("alert")).to_contain_text("5.1.1 … is unknown here")
    looks_well(page, tmp_path, "refused")
    assert said == []
