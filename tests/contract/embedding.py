"""The embed in a browser, for tests: a blog that shows it, and what a reader does there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests import browser as browsers
from tests.conftest import Server, wait_until
from tests.hostpage import Host, host_page

THREAD = "/sites/default/articles/my-post/comments"
REFUSED = "the server responded with a status of 4"
LINK = "I wrote about it: https://ann.example/gate"


@pytest.fixture
def host(server: Server) -> Iterator[Host]:
    with blog(server) as found:
        yield found


@contextmanager
def blog(server: Server) -> Iterator[Host]:
    """A blog whose origin the site allows."""
    with host_page(server.url) as found:
        server.run("add-site", "default", "--origin", found.url)
        allowed = {"Origin": found.url}
        wait_until(
            lambda: "access-control-allow-origin" in httpx.get(server.url + THREAD, headers=allowed).headers,
            "the origin to be allowed",
        )
        yield found


def post(server: Server, body: str, name: str = "Tobias", **more: str) -> dict[str, Any]:
    fields = {"name": name, "email": f"{abs(hash(body))}@example.org", "body": body} | more
    answer = httpx.post(server.url + THREAD, json=fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def thread(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(server.url + THREAD, params={"limit": 200, "view": "flat"}).json()
    return found


def embedded(page: Page, address: str) -> None:
    """Open a page with the embed, and wait until a person could have typed a second."""
    page.goto(address)
    expect(page.locator("leave-a-reply .reply")).to_be_visible()
    wait_until(lambda: bool(page.evaluate(browsers.FORM_AGE) > 1_500), "the form to be old enough for a person")


TOKEN_AGE = (
    "performance.now() - Math.max(...performance.getEntriesByType('resource')"
    ".filter((entry) => entry.name.endsWith('/form-token')).map((entry) => entry.responseEnd))"
)


def old_enough(page: Page) -> None:
    """Wait until the form that came last could have been filled by a person."""
    wait_until(lambda: bool(page.evaluate(TOKEN_AGE) > 1_050), "the form to be old enough for a person")


def fill(page: Page, body: str, name: str = "Ann", email: str = "ann@example.org") -> None:
    for label, words in (("Comment", body), ("Name", name), ("Email", email)):
        page.get_by_role("textbox", name=label, exact=True).fill(words)


def send(page: Page) -> None:
    page.get_by_role("button", name="Post Comment").click()


def focused(page: Page) -> Any:
    """(tag, id, text) of what has the focus in the shadow."""
    return page.evaluate(
        "() => { const e = document.querySelector('leave-a-reply').shadowRoot.activeElement;"
        "return e && [e.tagName, e.id, e.textContent] }"
    )


def stored(page: Page) -> dict[str, Any]:
    kept: dict[str, str] = page.evaluate("() => ({ ...localStorage })")
    return {key: json.loads(value) for key, value in kept.items()}


def status(page: Page) -> Any:
    return page.get_by_role("status")


ARABIC = {
    "lang": "ar", "comments.zero": "لا توجد تعليقات", "comments.one": "تعليق واحد", "comments.two": "تعليقان", "comments.few": "{n} تعليقات",
    "comments.other": "{n} تعليق", "title": "اترك ردّاً", "body": "التعليق", "name": "الاسم", "email": "البريد الإلكتروني", "url": "الموقع الإلكتروني",
    "note": "لن يتم نشر عنوان بريدك الإلكتروني. الحقول الإلزامية مشار إليها بـ *", "send": "إرسال التعليق", "reply": "رد", "reply_to": "رد على {name}",
    "held": "تعليقك في انتظار المراجعة.", "held_note": "سيقرؤه شخص. لا داعي لإرساله مرة أخرى، ولا يراه هنا غيرك.",
    "receipt": "إيصالك يبيّن ما سيحدث له.", "edit": "تعديل", "edit_own": "تعديل تعليقك", "withdraw": "سحب", "withdraw_own": "سحب تعليقك",
}  # fmt: skip
"""As a page's owner may write them: some texts are missing, and English stands in."""
