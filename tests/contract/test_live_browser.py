"""Two moderators at one queue, in a browser: what one does, the other sees in place."""

from __future__ import annotations

import re
from collections.abc import Callable

import requests
from playwright.sync_api import Browser, Route

from tests.browser import choose_password, sign_in, watched
from tests.conftest import Server

PASSWORD = "four calm garden words"
SENT = {"name": "Ann", "email": "ann@example.org"}


def test_what_one_moderator_does_the_other_sees_in_place(server: Server, browser: Browser) -> None:
    def held(body: str, email: str = "ann@example.org") -> str:
        told = requests.post(
            f"{server.url}/sites/default/articles/post/comments", json=SENT | {"body": body, "email": email}, timeout=20
        )
        assert told.status_code == 202, told.text
        return str(told.json()["id"])

    first = held("I wrote about the bridge at https://blog.example/bridge last year.")
    second = held("We keep bees beside the water; see https://bees.example/ for how that goes.", "bob@example.org")
    link = re.findall(r"http\S+/moderate/set-password/\S+", server.printed)[0]
    other = re.findall(r"http\S+", server.run("add-moderator", "eve@example.org").stdout)[0]
    one, two = browser.new_context().new_page(), browser.new_context().new_page()
    wrong = watched(one) + watched(two)
    for page, url, email in ((one, link, "moderator@example.org"), (two, other, "eve@example.org")):
        choose_password(page, url, PASSWORD)
        sign_in(page, email, PASSWORD)
        page.locator(f"#row-{first}").wait_for()
    two.locator(f"#row-{second}").focus()
    one.locator(f"#row-{second} .looking").wait_for(timeout=10_000)
    assert "eve@example.org looks at this now" in one.locator(f"#row-{second} .looking").inner_text()
    place = one.locator(f"#row-{first}").bounding_box()
    two.locator(f"#row-{first} [data-act=approve]").click()
    newer = one.locator(f"#row-{first} .newer")
    newer.wait_for(timeout=10_000)
    assert "Now approved, by eve@example.org" in newer.inner_text()
    assert one.locator(f"#row-{first} .decide button:not([disabled])").count() == 0
    assert (
        one.locator(".house + nav [data-count=pending], nav[aria-label=Console] [data-count=pending]").inner_text()
        == "1"
    )
    third = held("Maps of the valley are at https://maps.example/valley for all who walk.", "cy@example.org")
    one.locator(".live").wait_for(timeout=10_000)
    assert one.locator(".live").inner_text() == "1 new" and one.locator(f"#row-{third}").count() == 0
    after = one.locator(f"#row-{first}").bounding_box()
    assert place and after and after["y"] == place["y"], "nothing moved"
    one.locator(".live a").click()
    one.locator(f"#row-{third}").wait_for()
    # what was rejected and comes back by an appeal is new to those who have the queue open
    appealing = requests.post(
        f"{server.url}/sites/default/articles/post/comments", timeout=20,
        json=SENT | {"body": "The ferry's timetable: https://ferry.example/times", "email": "dora@example.org"},
    ).json()  # fmt: skip
    two.goto(f"{server.url}/moderate/comments/{appealing['id']}")
    two.get_by_role("button", name="Reject", exact=True).click()
    two.get_by_text("1 comment rejected").first.wait_for()
    one.goto(f"{server.url}/moderate")
    one.locator(f"#row-{third}").wait_for()
    requests.post(appealing["receipt"], data={"act": "appeal", "appeal": "It is the only ferry."}, timeout=20)
    one.locator(".live").wait_for(timeout=10_000)
    assert one.locator(".live").inner_text() == "1 new"
    one.locator(".live a").click()
    one.get_by_text("It is the only ferry.").wait_for()
    assert wrong == []


def answered(told: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(content_type="text/event-stream", body=told)


def test_ones_own_decision_on_hundreds_is_no_news(server: Server, browser: Browser) -> None:
    link = re.findall(r"http\S+/moderate/set-password/\S+", server.printed)[0]
    page = browser.new_page()
    choose_password(page, link, PASSWORD)
    sign_in(page, "moderator@example.org", PASSWORD)
    for own, corners in (("true", 0), ("false", 1)):
        told = f'event: resync\ndata: {{"counts": {{"pending": 7}}, "own": {own}}}\n\n'
        page.unroute_all()
        page.route("**/api/v1/events*", answered(told))
        page.reload()
        page.locator("nav[aria-label=Console] [data-count=pending]", has_text="7").wait_for()
        assert page.locator(".live", has_text="Much has changed").count() == corners
