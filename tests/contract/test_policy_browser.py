"""The policy page and *what if* before axe, and by a person without scripts."""

from __future__ import annotations

import httpx
from playwright.sync_api import Browser, expect

from tests import browser as browsers
from tests.conftest import Server
from tests.contract.looks import look
from tests.contract.test_pages_browser import signed_in

ARTICLE = "why-a-garden-needs-a-gate"


def said(server: Server, *bodies: str) -> None:
    for n, body in enumerate(bodies):
        fields = {"name": f"Ines {n}", "email": f"ines{n}@example.org", "body": body}
        httpx.post(f"{server.url}/sites/default/articles/{ARTICLE}/comments", json=fields).raise_for_status()


def test_axe_finds_nothing_on_the_policy_page_and_what_if(server: Server, browser: Browser) -> None:
    said(server, "My gate squeaked too.", "My turnips did well.", "See https://ines.example for the gate.")
    page = browser.new_page()
    watched = browsers.watched(page)
    signed_in(page, server)
    page.goto(server.url + "/moderate/policy")
    page.get_by_label("Hold what names").fill("turnips")
    page.get_by_label("Links that hold it").fill("many")
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_role("alert")).to_contain_text("1 setting needs your attention")
    look(page, "wrong values", ("ltr", "rtl"))
    page.get_by_label("Links that hold it").fill("2")
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("heading", name="would change")).to_contain_text("1 of 3 verdicts")
    look(page, "what if", ("ltr", "rtl"))
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_role("status")).to_contain_text("The policy is saved")
    look(page, "policy", ("ltr", "rtl"))
    assert [m for m in watched if "422" not in m] == []


def test_without_scripts_the_policy_is_tried_saved_and_undone(server: Server, browser: Browser) -> None:
    said(server, "My turnips did well.")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    signed_in(page, server)
    page.goto(server.url + "/moderate/policy")
    page.get_by_label("Hold what names").fill("turnips")
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("table")).to_contain_text(["held"])
    page.get_by_role("button", name="Save the policy").click()
    expect(page.get_by_label("Hold what names")).to_have_value("turnips")
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("status")).to_contain_text("as they were before that change")
    expect(page.get_by_label("Hold what names")).to_have_value("")
