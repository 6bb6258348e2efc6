"""The card in a real browser: how high it is, what it says, how a thumb decides, and how a wave opens; before axe in every state."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests import browser as browsers
from tests.conftest import Server
from tests.contract.looks import look
from tests.contract.test_deciding_browser import kept, statuses
from tests.contract.test_pages_browser import post, signed_in

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
WAVE = "Cheap lamps for every garden, the best prices in our whole town, order at https://lamps.example/{}"
ONE_LINE = (
    "Only an idiot writes so stupid an article.",
    "See https://allotment.example/",
    "f u c k you",
    "你是一个白痴，滚出去 https://zh.example/",
    "كتبت عن الموضوع نفسه https://ar.example/",
    "<b>Bold</b> https://html.example/",
    "I know where you live and I will use one on you.",
)


@pytest.fixture(autouse=True)
def answered(server: Server) -> None:
    """The questions that a new site's first page asks are answered."""
    server.run("add-site", "default", "--hold", "suspects", "--origin", "https://blog.example")


def varied(server: Server) -> list[str]:
    """Comments of many kinds, each of its own author; those of one line first."""
    ids = [post(server, body, name=f"Reader {n}")["id"] for n, body in enumerate(ONE_LINE)]
    first = post(server, "A kind word about gates.", name="Marta")
    ids.append(post(server, "So I say, too: https://rita.example/", name="Rita", parent=first["id"])["id"])
    ids += [post(server, WAVE.format(n), name=f"Lamp Shop {n}")["id"] for n in range(4)]
    ids.append(post(server, "\n".join(f"Line {n}" for n in range(40)) + "\nhttps://lines.example/", name="Lines")["id"])
    ids.append(
        post(server, "Long: https://name.example/" + "x" * 150, name="N" * 90, url="https://w.example/" + "y" * 150)[
            "id"
        ]
    )
    appealed = post(server, "My own garden's page: https://borage.example/", name="Paul")
    with client(server) as somebody:
        told = {"comments": [appealed["id"]], "action": "reject", "reason": "advertising", "note": "Is this a shop?"}
        somebody.post("/api/v1/decisions", json=told).raise_for_status()
        staff = {"body": "Thank you, Marta.", "name": "Staff"}
        somebody.post(f"/api/v1/comments/{first['id']}/replies", json=staff).raise_for_status()
    httpx.post(appealed["receipt"], data={"act": "appeal", "appeal": "I sell nothing."})
    return [*ids, appealed["id"]]


def client(server: Server) -> httpx.Client:
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"})


def on_phone(browser: Browser, server: Server, scripts: bool = True) -> Page:
    page = browser.new_context(viewport=PHONE, has_touch=True, java_script_enabled=scripts).new_page()  # type: ignore[arg-type]
    signed_in(page, server)
    return page


def heights(page: Page, ids: list[str]) -> list[float]:
    boxes = [page.locator(f"#row-{id}").bounding_box() for id in ids]
    return [box["height"] for box in boxes if box]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_comment_of_one_line_is_a_low_card(server: Server, browser: Browser, scripts: bool) -> None:
    ids = varied(server)
    low = [*ids[: len(ONE_LINE) + 1], ids[-1]]
    page = browser.new_context(viewport=WIDE, java_script_enabled=scripts).new_page()  # type: ignore[arg-type]
    signed_in(page, server)
    told = heights(page, low)
    assert len(told) == len(low) and max(told) <= 160, told
    whole = [
        row
        for row in page.locator("[data-row]").all()
        if (box := row.bounding_box()) and box["y"] + box["height"] <= 900
    ]
    assert 5 <= len(whole) <= 8
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    told = heights(page, low)
    assert max(told) <= 300, told
    first = page.locator("[data-row]").first.bounding_box()
    assert first and first["y"] < 200, "the first comment at once"


def test_axe_finds_nothing_in_any_kind_of_card_opened_or_not(server: Server, browser: Browser) -> None:
    varied(server)
    page = browser.new_page()
    wrong = browsers.watched(page)
    signed_in(page, server)
    look(page, "cards", ("ltr", "rtl"))
    for summary in page.locator("details.verdict > summary").all():
        summary.click()
    look(page, "cards with their verdicts")
    page.get_by_text("Filters", exact=True).click()
    page.locator("[data-row] input[type=checkbox]").first.check()
    look(page, "filters, and a ticked card")
    page.goto(f"{server.url}/moderate?status=any&order=newest")
    look(page, "every status")
    page.goto(f"{server.url}/moderate")
    page.locator("[data-wave]").click()
    page.get_by_role("heading", name="A wave of 4").wait_for()
    look(page, "a wave", ("ltr", "rtl"))
    assert wrong == []


def test_why_is_one_sentence_and_all_else_one_key_away(server: Server, browser: Browser) -> None:
    body = "Only an idiot writes so stupid an article."
    id = post(server, body, name="Dan")["id"]
    page = browser.new_page()
    signed_in(page, server)
    row = page.locator(f"#row-{id}")
    summary = row.locator("details.verdict > summary")
    expect(summary).to_contain_text("Looks like an insult")
    expect(summary.locator("em")).to_contain_text("idiot")
    expect(row.locator(".scores")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("v")
    expect(row.locator(".scores dt").first).to_have_text("insult")
    expect(row.locator(".scores > div").first).to_have_class("certain")
    expect(row.get_by_text("@example.org")).to_be_visible()
    expect(row).to_be_focused()
    page.keyboard.press("v")
    expect(row.locator(".scores")).to_be_hidden()
    mark = row.locator("mark", has_text="idiot")
    mark.focus()
    said = mark.evaluate("(e) => getComputedStyle(e, '::after').content + e.dataset.weight")
    assert "attr" not in said and "insult +" in said


def test_a_wave_opens_and_is_decided_apart_and_together(server: Server, browser: Browser) -> None:
    ids = [post(server, WAVE.format(n), name=f"Lamp Shop {n}")["id"] for n in range(5)]
    page = browser.new_page()
    wrong = browsers.watched(page)
    signed_in(page, server)
    page.locator("[data-wave]").click()
    expect(page.locator("[data-row]")).to_have_count(5)
    expect(page.locator(f"#row-{ids[3]} .body ins")).to_have_text(["3"])
    page.evaluate("document.body.dataset.same = 'yes'")
    page.locator(f"#row-{ids[0]} [data-act=approve]").click()
    expect(page.locator("[data-row]")).to_have_count(4)
    kept(page)
    expect(page.get_by_role("button", name="Spam all 4")).to_be_visible()
    assert page.locator("body[data-same]").count() == 1
    page.get_by_role("button", name="Spam all 4").click()
    expect(page.get_by_role("status").first).to_contain_text("4 comments filed as spam")
    assert statuses(server, ids) == ["approved", *["spam"] * 4]
    page.goto(f"{server.url}/moderate/comments/{ids[1]}/wave")
    expect(page.get_by_text("Nothing of this wave waits.")).to_be_visible()
    assert wrong == []


def test_without_scripts_a_wave_is_decided_as_a_whole(server: Server, browser: Browser) -> None:
    ids = [post(server, WAVE.format(n), name=f"Lamp Shop {n}")["id"] for n in range(3)]
    page = browser.new_context(java_script_enabled=False).new_page()
    signed_in(page, server)
    page.locator("[data-wave]").click()
    page.locator(f"#row-{ids[1]} [data-act=approve]").click()
    expect(page.locator("[data-row]")).to_have_count(2)
    page.get_by_role("button", name="Reject all 2").click()
    expect(page.get_by_role("status").first).to_contain_text("2 comments rejected")
    assert statuses(server, ids) == ["rejected", "approved", "rejected"]


def swipe(page: Page, row: Locator, by: int) -> None:
    box = row.locator("article .body").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)

    def touch(kind: str, at: float | None) -> None:
        points = [] if at is None else [{"x": at, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", x)
    for step in range(1, 9):
        touch("touchMove", x + by * step / 8)
    touch("touchEnd", None)


def test_a_thumb_decides_by_buttons_at_the_bottom_and_by_swipes_with_undo(server: Server, browser: Browser) -> None:
    ids = [post(server, body, name=f"Reader {n}")["id"] for n, body in enumerate(ONE_LINE)]
    page = on_phone(browser, server)
    wrong = browsers.watched(page)
    first = page.locator(f"#row-{ids[0]}")
    approve = first.locator("[data-act=approve]")
    expect(first).to_have_attribute("data-current", "")
    box = approve.bounding_box()
    assert box and box["y"] > PHONE["height"] * 0.8 and box["height"] >= 44
    approve.tap()
    expect(first).to_have_count(0)
    second = page.locator(f"#row-{ids[1]}")
    expect(second).to_have_attribute("data-current", "")
    swipe(page, second, -150)
    expect(second).to_have_count(0)
    third = page.locator(f"#row-{ids[2]}")
    swipe(page, third, 40)  # too short to be meant
    expect(third).to_be_visible()
    swipe(page, third, 150)
    expect(third).to_have_count(0)
    kept(page)
    assert statuses(server, ids[:4]) == ["approved", "spam", "approved", "pending"]
    undo = page.get_by_role("button", name="Undo")
    place = undo.bounding_box()
    assert place and place["y"] > PHONE["height"] / 2, "undo is in reach, too"
    undo.tap()
    expect(third).to_be_visible()
    kept(page)
    assert statuses(server, ids[:4]) == ["approved", "spam", "pending", "pending"]
    page.locator(f"#row-{ids[4]} .body").tap()  # another card is meant
    expect(page.locator(f"#row-{ids[4]}")).to_have_attribute("data-current", "")
    look(page, "a thumb's page")
    assert wrong == []


def test_on_a_phone_without_scripts_each_card_has_its_buttons(server: Server, browser: Browser) -> None:
    ids = [post(server, body, name=f"Reader {n}")["id"] for n, body in enumerate(ONE_LINE[:2])]
    page = on_phone(browser, server, scripts=False)
    page.locator(f"#row-{ids[1]} [data-act=reject]").tap()
    expect(page.get_by_role("status")).to_contain_text("1 comment rejected")
    assert statuses(server, ids) == ["pending", "rejected"]


def test_a_comment_that_is_kept_elsewhere_says_where(server: Server, browser: Browser) -> None:
    token = server.run("add-token", "--site", "default", "--scopes", "score,teach").stdout.strip()
    told = {
        "text": "You are an idiot, and a stupid one.",
        "name": "Dan",
        "id": "7",
        "article": "https://blog.example/post-7",
    }
    answer = httpx.post(
        f"{server.url}/api/v1/sites/default/checks", json=told, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200, answer.text
    page = browser.new_page()
    signed_in(page, server)
    where = page.locator("[data-row] .where")
    expect(where).to_contain_text("kept elsewhere: https://blog.example/post-7")
    expect(where.get_by_role("link")).to_have_count(1)
