"""How the embed looks and speaks: long threads, other languages and directions, axe, the page's own type."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, expect

from moderation.intake import texts
from tests import browser as browsers
from tests.conftest import Server
from tests.contract import looks
from tests.contract.embedding import (
    ARABIC,
    LINK,
    REFUSED,
    embedded,
    focused,
    post,
    thread,
)
from tests.contract.embedding import host as host  # a fixture
from tests.hostpage import Host


def test_a_long_thread_comes_by_pages_and_a_link_leads_into_it(server: Server, host: Host, browser: Browser) -> None:
    ids = []
    for number in range(60):
        above = ids[-1] if number % 6 else None
        ids.append(post(server, f"Thought number {number}, calmly.", **({"parent": above} if above else {}))["id"])
    page = browser.new_page()
    address = host.page("/p/", 'article="my-post"')
    embedded(page, address)
    expect(page.get_by_role("heading", name="60 Comments")).to_be_visible()
    expect(page.locator(".comment")).to_have_count(50)
    page.get_by_role("button", name="Show more comments").click()
    expect(page.locator(".comment")).to_have_count(60)
    expect(page.get_by_role("button", name="Show more comments")).to_have_count(0)
    assert focused(page)[0] == "ARTICLE"
    shown = page.locator(".comment").evaluate_all("all => all.map((e) => e.id.slice(8))")
    assert shown == [c["id"] for c in thread(server)["comments"]]
    depth = page.locator(f"#comment-{ids[5]}").evaluate(
        "(e) => { let n = 0; for (; e = e.parentElement.closest('ol'); e = e.parentElement) n++; return n }"
    )
    assert depth == 5

    page.goto("about:blank")
    page.goto(f"{address}#comment-{ids[59]}")
    expect(page.locator(f"#comment-{ids[59]}")).to_be_in_viewport()
    expect(page.locator(".target")).to_have_attribute("id", f"comment-{ids[59]}")

    embedded(page, host.page("/newest/", 'article="my-post" order="newest"'))
    expect(page.locator(".comment").first).to_contain_text("Thought number 54")


def test_it_speaks_chinese_and_what_a_file_of_the_page_says(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    said = browsers.watched(page)
    chinese = texts.languages()["zh-Hans"]
    page.goto(host.page("/zh/", 'article="my-post"', root='lang="zh-CN"'))
    expect(page.get_by_role("heading", name=chinese["title"], exact=True)).to_be_visible()
    expect(page.get_by_text(chinese["note"])).to_be_visible()
    page.get_by_role("button", name=chinese["send"]).click()
    expect(page.locator("#reply-name-error")).to_have_text(chinese["error.name.required"])
    expect(page.locator("leave-a-reply .root")).to_have_attribute("lang", "zh-Hans")

    host.pages["/cs.json"] = (
        "application/json",
        "",
        json.dumps({"title": "Napište komentář", "comments.zero": "Žádné komentáře"}),
    )
    page.goto(host.page("/cs/", 'article="my-post" lang="cs" texts="/cs.json"'))
    expect(page.get_by_role("heading", name="Napište komentář", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Post Comment")).to_be_visible()  # English for what the file lacks
    assert [line for line in said if REFUSED not in line] == []


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_axe_finds_nothing_in_any_state(server: Server, host: Host, browser: Browser, direction: str) -> None:
    above = post(
        server, "Words, `code` and https-less **marks**.\n\n> a quotation\n\n- a list", url="https://tobias.example"
    )
    for depth in range(4):
        above = post(server, f"A reply at depth {depth + 2}, where narrow screens break.", parent=above["id"])
    host.pages["/ar.json"] = ("application/json", "", json.dumps(ARABIC))
    root, more = ('lang="en"', "") if direction == "ltr" else ('lang="ar" dir="rtl"', ' texts="/ar.json"')
    says = texts.languages()["ar"] | ARABIC if more else texts.languages()["en"]
    page = browser.new_page()
    said = browsers.watched(page)
    embedded(page, host.page("/p/", f'article="my-post"{more}', root=root))

    grounds = set()
    ground = page.locator("#reply-body")

    def look(state: str) -> None:
        looks.look(page, state, also=lambda: grounds.add(ground.evaluate("(e) => getComputedStyle(e).backgroundColor")))

    def write(**fields: str) -> None:
        for field, words in fields.items():
            page.locator(f"#reply-{field}").fill(words)
        page.get_by_role("button", name=says["send"]).click()

    look("the thread")
    page.locator(".reply-to").last.click()
    look("a reply in place")
    write(body="", email="not an address")
    expect(page.locator("[aria-invalid]")).to_have_count(3)
    look("errors")
    write(body=LINK, name="Ann", email="ann@example.org")
    expect(page.locator(".held")).to_be_visible()
    look("held")
    page.get_by_role("button", name=says["edit_own"]).click()
    look("an edit")
    page.get_by_role("button", name=says["keep"], exact=True).click()
    page.get_by_role("button", name=says["withdraw_own"]).click()
    look("the question")
    page.get_by_role("button", name=says["withdraw"], exact=True).click()
    expect(page.locator(".held")).to_have_count(0)
    look("withdrawn")
    assert len(grounds) == 2, "light and dark are the same"
    # mirrored: a reply stands further from the edge where lines begin
    if more:
        expect(page.get_by_role("heading", name="5 تعليقات")).to_be_visible()
    edges = page.locator(".comment").evaluate_all("all => all.map((e) => e.getBoundingClientRect().right)")
    assert (edges[0] > edges[3]) == (direction == "rtl")
    assert [line for line in said if REFUSED not in line] == []


def test_it_takes_over_the_pages_type_and_no_more(server: Server, host: Host, browser: Browser) -> None:
    """The page's rules for `p` and `button` stay outside, its font and colour come in, and custom properties theme it."""
    post(server, "A kind word.")
    page = browser.new_page()
    page.emulate_media(color_scheme="light")
    embedded(page, host.page("/p/", 'article="my-post"'))

    def style(selector: str, name: str) -> str:
        found: str = page.locator(f"leave-a-reply {selector}").first.evaluate(
            "(e, name) => getComputedStyle(e)[name]", name
        )
        return found

    assert style(".said p", "color") == style(".root", "color") == "rgb(34, 34, 34)"
    assert style(".said p", "letterSpacing") == "normal" and style("button[type=submit]", "textTransform") == "none"
    assert "Georgia" in style(".root", "fontFamily")
    assert re.match(r"1[6-8]", style(".said p", "fontSize")), "the page's rem is 10 px"
    page.evaluate("document.querySelector('leave-a-reply').style.setProperty('--reply-accent', 'rgb(0, 0, 200)')")
    assert style("button[type=submit]", "backgroundColor") == "rgb(0, 0, 200)"
    light = style("#reply-body", "backgroundColor")
    page.evaluate("document.querySelector('leave-a-reply').setAttribute('theme', 'dark')")
    assert style("#reply-body", "backgroundColor") != light
