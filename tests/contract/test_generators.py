"""The snippets of docs/generators.md: each loads the script and names its article; the plain one is tried in a browser."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import ROOT, Server
from tests.contract.embedding import host as host  # a fixture
from tests.hostpage import Host
from tests.html import Page, attribute

SECTIONS = dict(
    re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", (ROOT / "docs" / "generators.md").read_text("utf-8"), re.M)
)
SERVICE = "https://comments.example.org"


def snippet(name: str) -> str:
    """The one code block with the element."""
    (found,) = [
        block for block in re.findall(r"```\w+\n(.*?)```", SECTIONS[name], re.DOTALL) if "<leave-a-reply" in block
    ]
    return str(found)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_snippet_loads_the_script_and_names_its_article(name: str) -> None:
    page = Page(snippet(name))
    assert attribute(page.one("script"), "src") == f"{SERVICE}/embed.js" and page.one("script").has_attr("defer")
    element = page.one("leave-a-reply")
    assert {"id", "site", "loading"} <= element.attrs.keys() and element["id"] == "comments"
    assert element.has_attr("article") == (name != "Plain HTML")


def test_every_generator_has_its_line_and_its_snippet() -> None:
    text = (ROOT / "docs" / "generators.md").read_text("utf-8")
    lines = {
        name.lower(): told for name, told in re.findall(r"^\| ([\w ]+) \| [^|]* \| (\*(?:built|not run)\*)", text, re.M)
    }
    assert lines.keys() == {name.lower() for name in SECTIONS} and lines["zola"] == "*not run*"


def test_the_plain_snippet_works_as_it_stands(server: Server, host: Host, browser: Browser) -> None:
    fields = {"name": "Tobias", "email": "t@example.org", "body": "Said on this page."}
    httpx.post(f"{server.url}/sites/default/articles/my-post/comments", json=fields).raise_for_status()
    links = '<a href="/my-post/#comments" data-replies>Comments</a>' + "<p>A paragraph.</p>" * 100
    content = f"<!doctype html><title>A page</title>{links}{snippet('Plain HTML').replace(SERVICE, server.url)}"
    host.pages["/my-post/"] = ("text/html; charset=utf-8", "", content)
    page = browser.new_page()
    page.goto(f"{host.url}/my-post/")
    expect(page.locator("a[data-replies]")).to_have_text("1 Comment")
    page.get_by_role("link", name="1 Comment").click()
    expect(page.locator("leave-a-reply .said")).to_have_text("Said on this page.")
