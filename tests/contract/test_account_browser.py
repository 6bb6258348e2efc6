"""Account and moderators as people walk them, before axe: narrow and wide, light and dark; and without scripts."""

from __future__ import annotations

import re
import time

import pyotp
from playwright.sync_api import Browser, Page, expect

from tests import browser as browsers
from tests.conftest import Server
from tests.contract.looks import look

PASSWORD = "four unrelated words"
EMAIL = "moderator@example.org"


def secret_on(page: Page) -> str:
    return page.locator(".key").inner_text().replace(" ", "")


def fresh_code(secret: str, used: set[str]) -> str:
    """The app's code, or the next one where this one was used: either is taken, and nothing waits half a minute."""
    now = int(time.time())
    for at in (now, now + 30):
        if (code := pyotp.TOTP(secret).at(at)) not in used:
            used.add(code)
            return code
    raise AssertionError("both codes are used")


def test_axe_finds_nothing_on_account_and_moderators(server: Server, browser: Browser) -> None:
    server.run("set-password", EMAIL, "--password-stdin", stdin=PASSWORD + "\n")
    server.run("add-token", "--scopes", "score")
    page, used = browser.new_page(), set[str]()
    said = browsers.watched(page)
    page.goto(server.url + "/moderate")
    browsers.sign_in(page, EMAIL, PASSWORD)

    page.goto(server.url + "/moderate/account")
    look(page, "account, off")
    page.get_by_label("Your password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("img", name="QR code of the key below")).to_be_visible()
    look(page, "account, begun")
    secret = secret_on(page)
    page.get_by_label("Code", exact=True).fill(fresh_code(secret, used))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("These are your recovery codes")).to_be_visible()
    look(page, "account, recovery codes")
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    look(page, "account, on")

    page.get_by_role("link", name="Moderators").click()
    page.get_by_label("Email").fill("a-rather-long-address-of-somebody@moderators.garden.example")
    page.get_by_label("Role").last.select_option("moderator/default")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("Send this link to")).to_be_visible()
    for change in page.locator("details > summary").all():
        change.click()
    look(page, "moderators, a link")
    page.get_by_label("What it is for").fill("The newsroom's script")
    page.get_by_label("moderate", exact=True).check()
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("This is the new token.")).to_be_visible()
    look(page, "moderators, a token")
    page.get_by_label("What it is for").fill("Without a scope")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "moderators, a mistake")
    assert [line for line in said if "422" not in line] == []  # Chromium notes the mistake's own status


def test_signing_in_with_a_recovery_code_needs_no_javascript(server: Server, browser: Browser) -> None:
    server.run("set-password", EMAIL, "--password-stdin", stdin=PASSWORD + "\n")
    context, used = browser.new_context(java_script_enabled=False), set[str]()
    page = context.new_page()
    page.goto(server.url + "/moderate/account")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/moderate/account")
    page.get_by_label("Your password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_label("Code", exact=True).fill(fresh_code(secret_on(page), used))
    page.get_by_role("button", name="Turn it on").click()
    codes = page.locator(".codes code").all_inner_texts()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="The second step")).to_be_visible()
    page.get_by_label("Code").fill("000 000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Code").fill(codes[3].upper())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/moderate$"))
    page.goto(server.url + "/moderate/account")
    expect(page.get_by_text("9 recovery codes are left")).to_be_visible()


def test_axe_finds_nothing_on_the_second_step(server: Server, browser: Browser) -> None:
    server.run("set-password", EMAIL, "--password-stdin", stdin=PASSWORD + "\n")
    page, used = browser.new_page(), set[str]()
    page.goto(server.url + "/moderate")
    browsers.sign_in(page, EMAIL, PASSWORD)
    page.goto(server.url + "/moderate/account")
    page.get_by_label("Your password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Turn it on").click()
    secret = secret_on(page)
    page.get_by_label("Code", exact=True).fill(fresh_code(secret, used))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    look(page, "the second step")
    page.get_by_label("Code").fill("not a code")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "the second step, a mistake")
    page.get_by_label("Code").fill(fresh_code(secret, used))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/moderate$"))
