"""Shadow mode before axe, and by an administrator without scripts."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.conftest import Server, wait_until
from tests.contract.looks import look
from tests.contract.test_pages_browser import signed_in
from tests.contract.test_policy_browser import said
from tests.learning.test_shadow import candidate


def test_a_candidate_is_started_watched_and_promoted_without_scripts(server: Server, browser: Browser) -> None:
    models = Path(server.environment["MODERATION_MODELS"])
    models.mkdir(parents=True, exist_ok=True)
    candidate(models, "stern", toxicity=30.0)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    signed_in(page, server)
    page.goto(server.url + "/moderate/policy")
    page.get_by_role("link", name="Shadow mode").click()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("status")).to_contain_text("The candidate runs")
    said(server, "My gate squeaked too.", "My turnips did well.", "See https://ines.example for the gate.")

    def has_read() -> bool:
        page.goto(server.url + "/moderate/shadow")
        return page.get_by_role("region", name="Comments on which they differ").count() == 1

    wait_until(has_read, "the round", 90)
    expect(page.get_by_role("region", name="What each did")).to_contain_text("published")
    with_scripts = browser.new_context(storage_state=context.storage_state()).new_page()
    with_scripts.goto(server.url + "/moderate/shadow")
    look(with_scripts, "shadow mode", ("ltr", "rtl"))
    page.get_by_role("button", name="Promote the candidate").click()
    expect(page.get_by_role("status")).to_contain_text("live from the next comment on")
    with_scripts.goto(server.url + "/moderate/shadow")
    look(with_scripts, "shadow mode, promoted", ("ltr", "rtl"))
