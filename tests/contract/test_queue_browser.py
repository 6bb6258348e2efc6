"""The queue in a real browser: a page of twenty decided by keyboard, a slip taken back with one key, and axe's opinion."""

from __future__ import annotations

import random
import time

import httpx
from playwright.sync_api import Browser, expect

from tests.conftest import Server
from tests.contract.looks import look
from tests.contract.test_pages_browser import post, signed_in

CHANCE = random.Random(20)
SYLLABLES = ["ba", "ke", "lo", "mi", "nu", "pra", "sto", "tri", "vel", "zan", "gor", "fip", "duk", "hes", "wim", "jax"]
"""Twenty comments that have nothing in common: those alike would be one row."""


def test_a_page_of_twenty_is_decided_by_keyboard_in_under_twenty_seconds(server: Server, browser: Browser) -> None:
    for n in range(20):
        words = " ".join("".join(CHANCE.choices(SYLLABLES, k=2)) for _ in range(12))
        post(server, f"{words} https://{words[:4]}{n}.example/", name=f"{words[-4:].title()} {n}")
    page = browser.new_page()
    signed_in(page, server)
    rows, said = page.locator("[data-row]"), page.get_by_role("status")
    expect(rows).to_have_count(20)
    page.keyboard.press("j")
    began = time.monotonic()
    for left in range(19, -1, -1):
        for key in "a" if left % 3 else "r1" if left % 2 else "rr":
            page.keyboard.press(key)
        expect(rows).to_have_count(left)
        expect(page.locator("[data-row]:focus")).to_have_count(
            min(left, 1)
        )  # the next one is there, and the keys are its
        if left == 10:  # a slip: one key, and it is back
            page.keyboard.press("z")
            expect(rows).to_have_count(left + 1)
            page.keyboard.press("j")
            page.keyboard.press("s")
            expect(rows).to_have_count(left)
            page.keyboard.press("j")
    took = time.monotonic() - began
    expect(said).to_be_visible()
    assert took < 20, f"took {took:.1f} s"


def test_axe_finds_nothing_in_a_queue_with_an_appeal_nor_on_its_receipt(server: Server, browser: Browser) -> None:
    told = post(server, "I wrote about it: https://blog.example/mine", name="Tobias")
    page = browser.new_page()
    signed_in(page, server)
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.get_by_role("button", name="1 Insult")).to_be_focused()
    look(page, "the kinds of a rejection")
    page.keyboard.press("n")
    page.keyboard.type("Try the other article.")
    page.keyboard.press("Enter")
    page.keyboard.press("2")
    expect(page.get_by_role("status")).to_contain_text("1 comment rejected")
    receipt = browser.new_page()
    receipt.goto(told["receipt"])
    expect(receipt.get_by_text("It is not about the article.")).to_be_visible()
    expect(receipt.get_by_text("Try the other article.")).to_be_visible()
    look(receipt, "a receipt")
    receipt.get_by_label("Why it should be published").fill("It is about the same gate.")
    receipt.get_by_role("button", name="Send").click()
    expect(receipt.get_by_text("It is about the same gate.")).to_be_visible()
    look(receipt, "a receipt with an appeal")
    page.goto(f"{server.url}/moderate?rule=appeal&order=useful&q=blog.example")
    expect(page.get_by_text("It is about the same gate.")).to_be_visible()
    look(page, "the queue with an appeal")
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url("**/moderate/comments/*")
    look(page, "a comment")
    assert httpx.get(told["receipt"], headers={"Accept": "application/json"}).json()["status"] == "pending"
