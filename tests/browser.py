"""Chromium from the system's packages, through Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import wait_until

FORM_AGE = "performance.now() - performance.getEntriesByType('navigation')[0].responseStart"
"""Milliseconds since the form came. A younger one than `moderation.core.signing.FORM_YOUNGEST` is held. Asked from here, since
the pages' policy lets nothing in them evaluate a string."""

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no test of ours leaves this machine
]


def chromium() -> str | None:
    return shutil.which("chromium") or next(
        (p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(p).exists()), None
    )


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        try:
            yield found
        finally:
            found.close()


def watched(page: Page) -> list[str]:
    """What goes wrong on a page from now on: errors in its console (a broken Content-Security-Policy too) and in scripts."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def write(page: Page, body: str, name: str = "Ann", email: str = "ann@example.org", **more: Any) -> None:
    """Fill in the Leave a Reply form, as a person who takes a second for it, and send it."""
    page.get_by_role("textbox", name="Comment").fill(body)
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Email").fill(email)
    for label, value in more.items():
        page.get_by_role("textbox", name=label).fill(value)
    wait_until(lambda: bool(page.evaluate(FORM_AGE) > 1_050), "the form to be old enough for a person")
    page.get_by_role("button", name="Post Comment").click()


def choose_password(page: Page, link: str, password: str) -> None:
    page.goto(link)
    page.get_by_label("New password").fill(password)
    page.get_by_label("The same again").fill(password)
    page.get_by_role("button", name="Set the password").click()
    page.wait_for_url("**/moderate/login")


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/moderate")
