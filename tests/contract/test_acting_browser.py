"""Replies, pieces removed and blocks in the queue, without loading the page: the list stays, and so does who reads it."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import Server
from tests.contract.looks import look
from tests.contract.test_deciding_browser import held, kept, opened, statuses
from tests.contract.test_desk_browser import thread
from tests.contract.test_pages_browser import post

TELEPHONE = "0170 5554433221"


def stays(page: Page, wrong: list[str]) -> None:
    kept(page)
    assert page.locator("body[data-same]").count() == 1, "the page was loaded again"
    assert wrong == []


def test_a_reply_takes_its_comment_along_and_both_come_back_by_one_key(server: Server, browser: Browser) -> None:
    ids = held(server, 3)
    page, wrong = opened(server, browser)
    notice = page.locator(".notice")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.type("Thank you. j k a s d")
    page.get_by_label("Your name").fill("Marta")
    page.keyboard.press("Control+Enter")
    expect(notice).to_contain_text("Your reply is published, and what it answers")
    expect(page.locator("[data-row]")).to_have_count(2)
    expect(page.locator(f"#row-{ids[2]}")).to_be_focused()
    expect(page.locator(".box, #reply-form")).to_have_count(0)
    assert len(thread(server)) == 2
    page.keyboard.press("a")  # the next one, by the same keys
    expect(page.locator(f"#row-{ids[0]}")).to_be_focused()
    page.keyboard.press("z")
    expect(page.locator(f"#row-{ids[2]}")).to_be_focused()
    page.keyboard.press("z")
    expect(notice).to_contain_text("The decision is undone: Your reply is published, and what it answers")
    expect(page.locator(f"#row-{ids[1]}")).to_be_focused()
    stays(page, wrong)
    assert statuses(server, ids) == ["pending"] * 3 and thread(server) == []
    page.keyboard.press("a")  # of the revision that the undo left
    stays(page, wrong)
    assert statuses(server, ids) == ["pending", "approved", "pending"]


def test_of_a_wave_one_is_answered_and_the_row_stands_for_the_others(server: Server, browser: Browser) -> None:
    text = "Cheap lamps for every garden, the best prices in our whole town, order at https://lamps.example/{}"
    ids = [post(server, text.format(n), name=f"Lamp Shop {n}")["id"] for n in range(4)]
    page, wrong = opened(server, browser)
    row = page.locator("[data-row]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("A wave of 4")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.type("We sell none.")
    page.get_by_label("Your name").fill("Marta")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".notice")).to_contain_text("Your reply is published, and what it answers")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("A wave of 3")
    expect(row).to_be_focused()
    assert sorted(statuses(server, ids)) == ["approved", *["pending"] * 3] and len(thread(server)) == 2
    page.keyboard.press("z")
    expect(row).to_contain_text("A wave of 4")
    stays(page, wrong)
    assert statuses(server, ids) == ["pending"] * 4
    page.keyboard.press("s")  # of the revisions that they have now, all four
    expect(row).to_have_count(0)
    stays(page, wrong)
    assert statuses(server, ids) == ["spam"] * 4


def test_what_cannot_be_published_stays_in_its_box_and_says_why(server: Server, browser: Browser) -> None:
    (id,) = held(server, 1)
    page, wrong = opened(server, browser)
    page.route("**/replies", lambda route: route.abort())
    page.keyboard.press("c")
    page.keyboard.type("Thank you.")
    page.get_by_label("Your name").fill("Marta")
    page.keyboard.press("Control+Enter")
    alert = page.locator(".box").get_by_role("alert")
    expect(alert).to_contain_text("The service cannot be reached. Your text is still here.")
    expect(page.get_by_label("Your reply")).to_have_value("Thank you.")
    look(page, "a reply that was not sent")
    page.unroute("**/replies")
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    other = {"comments": [id], "action": "spam"}
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as somebody:
        assert somebody.post("/api/v1/decisions", json=other).status_code == 200
    page.keyboard.press("Control+Enter")
    expect(alert).to_contain_text("Somebody else has changed this meanwhile")
    expect(page.locator(".newer")).to_contain_text("Now spam")
    page.keyboard.press("Control+Enter")  # all the same: the newer state is in view
    expect(page.locator("[data-row]")).to_have_count(0)
    stays(page, [line for line in wrong if "ERR_FAILED" not in line and "409" not in line])
    assert len(thread(server)) == 2


def test_a_reply_to_what_is_published_leaves_it_where_it_is(server: Server, browser: Browser) -> None:
    post(server, "A kind word.", name="Tobias")
    page, wrong = opened(server, browser)
    page.get_by_role("link", name="Approved").click()
    page.wait_for_url("**status=approved**")  # with its scripts
    page.evaluate("document.body.dataset.same = 'yes'")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.type("Thank you.")
    page.get_by_label("Your name").fill("Marta")
    page.get_by_role("button", name="Reply", exact=True).click()
    expect(page.locator(".notice")).to_contain_text("Your reply is published")
    expect(page.locator("[data-row]")).to_be_focused()
    assert len(thread(server)) == 2
    page.keyboard.press("z")
    expect(page.locator(".notice")).to_contain_text("undone")
    stays(page, wrong)
    assert len(thread(server)) == 1


def test_a_piece_goes_out_of_the_row_and_of_its_reasons(server: Server, browser: Browser) -> None:
    ids = [
        post(server, f"Call me: {TELEPHONE}. I wrote about {word}: https://blog.example/{word}", name=word)["id"]
        for word in ("gardens", "weather")
    ]
    page, wrong = opened(server, browser)
    row = page.locator("[data-row]:focus")
    page.keyboard.press("e")
    page.get_by_label("The piece to remove").fill("0170 1")
    page.keyboard.press("Enter")
    expect(page.locator(".box").get_by_role("alert")).to_contain_text("Text does not occur in this comment")
    page.get_by_label("The piece to remove").fill(TELEPHONE)
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_contain_text("It is removed, and nothing of it is kept.")
    expect(row.locator(".body")).to_contain_text("Call me: [removed].")
    assert TELEPHONE not in row.inner_text() and "5554433221" not in row.inner_html()
    page.keyboard.press("a")  # of the revision that it has now
    expect(page.locator(".overtaken")).to_have_count(0)
    stays(page, [line for line in wrong if "422" not in line])
    assert sorted(statuses(server, ids)) == ["approved", "pending"]


@pytest.mark.parametrize(("key", "said", "undone"), [("2", "The author is blocked", "The author is let in again"),
                                                     ("1", "The article is closed", "The article is open again")])  # fmt: skip
def test_a_block_is_said_in_place_and_taken_back(
    server: Server, browser: Browser, key: str, said: str, undone: str
) -> None:
    ids = held(server, 2)
    page, wrong = opened(server, browser)
    notice = page.locator(".notice")
    for press in ("b", key):
        page.keyboard.press(press)
    expect(notice).to_contain_text(said)
    expect(page.locator(f"#row-{ids[0]}")).to_be_focused()
    word = "Open the article again" if key == "1" else "Let the author in again"
    for id in ids if key == "1" else ids[:1]:  # the other comment of the article says so too
        expect(page.locator(f"#row-{id} [data-block]", has_text=word)).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("a")  # and the list goes on
    expect(page.locator("[data-row]")).to_have_count(1)
    page.keyboard.press("z")
    page.keyboard.press("z")
    expect(notice).to_contain_text(undone)
    expect(page.locator("[data-block]", has_text=word)).to_have_count(0)
    look(page, "a block taken back")
    stays(page, wrong)


def test_a_block_that_cannot_be_is_said_in_the_row(server: Server, browser: Browser) -> None:
    held(server, 1)
    page, wrong = opened(server, browser)
    page.route("**/block", lambda route: route.abort())
    for press in ("b", "2"):
        page.keyboard.press(press)
    expect(page.locator("[data-row]").get_by_role("alert")).to_have_text("The service cannot be reached.")
    look(page, "a row that says what went wrong")
    stays(page, [line for line in wrong if "ERR_FAILED" not in line])
