"""A tower of combining marks defaces nobody else's comment: what is drawn around it stays as it was, to the pixel."""

from __future__ import annotations

import httpx
from playwright.sync_api import Browser, FloatRect, Locator, Page

from tests.conftest import Server
from tests.contract.embedding import THREAD, embedded, post
from tests.contract.embedding import host as host  # a fixture
from tests.contract.test_pages_browser import signed_in
from tests.hostpage import Host

TOWER = "".join(map(chr, range(0x300, 0x34E))) * 2
"""Marks that stand on each other in DejaVu, as others do in other fonts."""
ZALGO = {"name": f"Zal{TOWER}go", "body": f"A kind word{TOWER} about beans."}


def box(locator: Locator) -> FloatRect:
    found = locator.bounding_box()
    assert found
    return found


def ink(page: Page, cards: Locator, count: int) -> list[bytes]:
    """Pictures of the first cards, each with the gap below it, without their times."""
    times = [page.locator(".when"), page.locator("time")]
    pictures = []
    for number in range(count):
        area = box(cards.nth(number))
        area["height"] += 4
        pictures.append(page.screenshot(clip=area, full_page=True, mask=times, animations="disabled"))
    return pictures


def test_in_the_embed(server: Server, host: Host, browser: Browser) -> None:
    for number in range(3):
        post(server, f"Thought number {number}, calmly.")
    page = browser.new_page()
    address = host.page("/p/", 'article="my-post"')
    embedded(page, address)
    cards = page.locator(".comment")
    before = ink(page, cards, 3)
    post(server, ZALGO["body"], ZALGO["name"])
    post(server, "A last thought, calmly.")
    embedded(page, address)
    assert cards.count() == 5
    assert ink(page, cards, 3) == before
    assert reaches(page, cards.nth(3)) == []


def test_on_the_receipt_and_the_form(server: Server, browser: Browser) -> None:
    made = post(server, ZALGO["body"], ZALGO["name"])
    page = browser.new_page()
    page.goto(made["receipt"])
    assert reaches(page, page.locator(".comment")) == []
    page.goto(f"{server.url}/sites/default/articles/my-post/form?parent={made['id']}")
    assert reaches(page, page.locator(".reply-form > h2")) == []


def test_in_the_console(server: Server, browser: Browser) -> None:
    link = " See https://blog.example/one"
    for number in range(2):
        hold(server, f"Thought number {number}, calmly.{link}{number}")
    page = browser.new_page()
    signed_in(page, server)
    page.goto(f"{server.url}/moderate?order=oldest")
    cards = page.locator(".row > article")
    before = ink(page, cards, 2)
    id = hold(server, ZALGO["body"] + link, ZALGO["name"])
    page.reload()
    assert cards.count() == 3
    assert ink(page, cards, 2) == before
    assert reaches(page, cards.nth(2)) == []
    page.goto(f"{server.url}/moderate/comments/{id}")
    for part in (".one > article > header", ".one .body"):
        assert reaches(page, page.locator(part)) == []


def hold(server: Server, body: str, name: str = "Tobias") -> str:
    fields = {"name": name, "email": f"{abs(hash(body))}@example.org", "body": body}
    answer = httpx.post(server.url + THREAD, json=fields)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def reaches(page: Page, own: Locator) -> list[str]:
    """The sides on which the element draws outside its box: where hiding it changes the picture around."""
    area = box(own)
    around = {
        "above": {"x": area["x"], "y": max(area["y"] - 120, 0), "width": area["width"], "height": min(area["y"], 119)},
        "below": {"x": area["x"], "y": area["y"] + area["height"] + 1, "width": area["width"], "height": 119},
    }
    pictures = []
    for visibility in ("visible", "hidden"):
        own.evaluate("(element, value) => { element.style.visibility = value }", visibility)
        pictures.append(
            {side: page.screenshot(clip=clip, full_page=True, animations="disabled") for side, clip in around.items()}  # type: ignore[arg-type]
        )
    own.evaluate("(element) => { element.style.visibility = '' }")
    shown, hidden = pictures
    return [side for side in around if shown[side] != hidden[side]]


def test_nothing_of_an_ordinary_comment_is_cut(server: Server, host: Host, browser: Browser) -> None:
    """Numbers of lists, letters with a few marks, outlines: the same picture with the clip and without."""
    post(server, "98. ninety-eight\n99. ninety-nine\n\n- a bullet\n\n> Tiếng Việt: ệ ỗ ặ\n\n`code`", "Ệ. Ặng")
    form = {"comment_post_ID": "my-post", "author": "Bob", "email": "bob@example.org",
            "comment": '<ol start="1984"><li>What a book.</li><li value="123456">And this.</li></ol>'}  # fmt: skip
    assert httpx.post(f"{server.url}/sites/default/wp-comments-post.php", data=form).status_code == 303
    page = browser.new_page()
    embedded(page, host.page("/p/", 'article="my-post"'))
    cards = page.locator(".comment")
    assert cards.count() == 2
    for number in range(2):
        area = box(cards.nth(number))
        area |= {"x": area["x"] - 40, "width": area["width"] + 80, "y": area["y"] - 12, "height": area["height"] + 24}
        pictures = []
        for overflow in ("clip", "visible"):
            cards.nth(number).evaluate("(element, value) => { element.style.overflow = value }", overflow)
            pictures.append(page.screenshot(clip=area, full_page=True, animations="disabled"))
        assert pictures[0] == pictures[1]
        assert cards.nth(number).locator("li").count() == 2 + (number == 0)
