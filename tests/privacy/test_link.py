"""The link to a site's privacy policy: set by an administrator, checked, and on every form of that site."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests import browser as browsers
from tests.conftest import Server, Service

ADDRESS = "https://garden.example/privacy?lang=en&v=2"
RULES, FORM = "/api/v1/sites/default/rules", "/sites/default/articles/post/form"


async def put(service: Service, address: object) -> httpx.Response:
    return await service.client.put(RULES, json={"privacy_url": address}, headers=await service.token("moderate"))


@pytest.mark.anyio
async def test_every_form_links_to_it_in_the_readers_language(service: Service) -> None:
    asked = "/sites/default/articles/post/form-token"
    assert "privacy-policy" not in (await service.client.get(FORM)).text
    assert (await service.client.get(asked)).json()["privacy_url"] is None
    assert (await put(service, ADDRESS)).status_code == 200
    service.services.directory.forget()
    link = '<a href="https://garden.example/privacy?lang=en&amp;v=2" rel="privacy-policy">{}</a>'
    for path in (FORM, "/"):
        assert link.format("Privacy Policy") in (await service.client.get(path)).text, path
    chinese = await service.client.get(FORM, headers={"Accept-Language": "zh-CN"})
    assert link.format("隐私政策") in chinese.text
    assert (await service.client.get(asked)).json()["privacy_url"] == ADDRESS
    assert (await put(service, "")).status_code == 200
    assert "privacy-policy" not in (await service.client.get(FORM)).text


@pytest.mark.anyio
@pytest.mark.parametrize(
    "wanted",
    ["javascript:alert(1)", "ftp://garden.example/", "/privacy", "https://", "https://ann@garden.example/", 1, True,
     "https://garden.example/a b", "https://garden.example/" + "x" * 200, "data:text/html,x", "https://garden.example/\u202e"],
)  # fmt: skip
async def test_only_an_address_of_a_page_is_taken(service: Service, wanted: object) -> None:
    answer = await put(service, wanted)
    assert answer.status_code == 422 and [e["field"] for e in answer.json()["errors"]] == ["privacy_url"]


def test_an_operator_sets_it_and_the_demo_and_the_embed_show_it(server: Server, browser: Browser) -> None:
    assert server.run("set-rules", "default", "privacy_url=gopher://x", check=False).returncode == 1
    server.run("set-rules", "default", "privacy_url=https://garden.example/privacy")
    page = browser.new_page()
    said = browsers.watched(page)
    page.route(
        "http://127.0.0.1:*/host",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<!doctype html><title>Host</title><script src="{server.url}/embed.js" defer></script>'
            '<leave-a-reply site="default" article="post"></leave-a-reply>',
        ),
    )
    for path in ("/", "/sites/default/articles/post/form", "/host"):
        page.goto(server.url + path)
        expect(page.get_by_role("link", name="Privacy Policy")).to_have_attribute(
            "href", "https://garden.example/privacy"
        )
    assert said == []
