"""A model that reads along, before axe, and by an administrator without scripts."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.conftest import Server, wait_until
from tests.contract.looks import look
from tests.contract.test_pages_browser import signed_in
from tests.contract.test_policy_browser import said
from tests.policy.test_read_along import candidate


def test_a_candidate_is_started_watched_and_promoted_without_scripts(server: Server, browser: Browser) -> None:
    models = Path(server.environment["MODERATION_MODELS"])
    models.mkdir(parents=True, exist_ok=True)
    candidate(models, "stern", toxicity=30.0)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    signed_in(page, server)
    page.goto(server.url + "/moderate/policy")
    page.get_by_role("link", name="What if: try another model").click()
    page.get_by_label("Scored by").select_option("stern")
    page.get_by_role("button", name="Let the model read along").click()
    expect(page.get_by_role("status")).to_contain_text("The model reads along")
    said(server, "My gate squeaked too.", "My turnips did well.", "See https://ines.example for the gate.")

    def has_read() -> bool:
        page.goto(server.url + "/moderate/what-if")
        return page.get_by_role("region", name="Examples").count() == 1

    wait_until(has_read, "the round", 90)
    expect(page.get_by_role("region", name="Changes")).to_contain_text("published")
    with_scripts = browser.new_context(storage_state=context.storage_state()).new_page()
    with_scripts.goto(server.url + "/moderate/what-if")
    look(with_scripts, "reading along", ("ltr", "rtl"))
    page.get_by_role("button", name="Promote it").click()
    expect(page.get_by_role("status")).to_contain_text("live from the next comment on")
    with_scripts.goto(server.url + "/moderate/what-if")
    look(with_scripts, "reading along, promoted", ("ltr", "rtl"))
