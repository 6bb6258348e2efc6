"""A page as a site exported from WordPress has it, whose form's `action` is all that was changed, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests import browser as browsers
from tests.conftest import Server, wait_until
from tests.hostpage import Host, host_page

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The gate</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main><h1>The gate</h1>
<div id="respond" class="comment-respond"><h3 id="reply-title" class="comment-reply-title">Leave a Reply</h3>
<form action="{action}" method="post" id="commentform" class="comment-form">
<p class="comment-notes">Your email address will not be published. Required fields are marked *</p>
<p><label for="comment">Comment *</label><textarea id="comment" name="comment" cols="45" rows="8" maxlength="65525" required></textarea></p>
<p><label for="author">Name *</label><input id="author" name="author" type="text" maxlength="245" autocomplete="name" required></p>
<p><label for="email">Email *</label><input id="email" name="email" type="text" maxlength="100" autocomplete="email" required></p>
<p><label for="url">Website</label><input id="url" name="url" type="text" maxlength="200" autocomplete="url"></p>
<p><input id="wp-comment-cookies-consent" name="wp-comment-cookies-consent" type="checkbox" value="yes">
<label for="wp-comment-cookies-consent">Save my name, email, and website in this browser for the next time I comment.</label></p>
<p class="form-submit"><input name="submit" type="submit" id="submit" class="submit" value="Post Comment">
<input type="hidden" name="comment_post_ID" value="12" id="comment_post_ID">
<input type="hidden" name="comment_parent" id="comment_parent" value="{parent}"></p>
</form></div></main></body></html>"""
"""With the fields that WordPress 7.1 prints; the words around them are ours."""
PATH = "/2024/05/the-gate/"


@pytest.fixture
def blog(server: Server) -> Iterator[Host]:
    """The exported site: its origin is allowed, its post 12 registered with its address."""
    with host_page(server.url) as found:
        server.run("add-site", "default", "--origin", found.url)
        put_page(found)
        token = server.run("add-token", "--scopes", "articles").stdout.strip()
        answer = httpx.put(
            f"{server.url}/sites/default/articles/12",
            json={"title": "The gate", "url": found.url + PATH},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 201, answer.text
        thread = f"{server.url}/sites/default/articles/12/comments"
        origin = {"Origin": found.url}
        wait_until(
            lambda: "access-control-allow-origin" in httpx.get(thread, headers=origin).headers,
            "the origin to be allowed",
        )
        yield found


def put_page(blog: Host, parent: str = "0") -> None:
    action = f"{blog.service}/sites/default/wp-comments-post.php"
    blog.pages[PATH] = ("text/html; charset=utf-8", "", PAGE.format(action=action, parent=parent))


def reply(page: Page, blog: Host, comment: str, email: str = "ann@example.org") -> None:
    page.goto(blog.url + PATH)
    for name, text in (("Comment *", comment), ("Name *", "Ann"), ("Email *", email), ("Website", "ann.example")):
        page.get_by_label(name, exact=True).fill(text)
    page.get_by_label("Save my name").check()
    page.get_by_role("button", name="Post Comment").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_exported_page_has_comments_by_changing_its_action(
    server: Server, browser: Browser, blog: Host, scripts: bool
) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    reply(page, blog, "A <strong>kind</strong> word.\n\nAnd another.")
    page.wait_for_url(f"{blog.url}{PATH}#comment-*")
    (shown,) = httpx.get(f"{server.url}/sites/default/articles/12/comments").json()["comments"]
    assert shown["html"] == "<p>A <strong>kind</strong> word.</p>\n<p>And another.</p>\n"
    assert shown["author"]["url"] is None and page.url.endswith(shown["id"])

    put_page(blog, parent=shown["id"])
    reply(page, blog, 'I wrote <a href="https://ann.example/gate">about it</a>.', "bob@example.org")
    page.wait_for_url(f"{server.url}/receipts/*")
    expect(page.get_by_role("heading", name="Your comment is awaiting moderation.")).to_be_visible()
    use_receipt(page)

    reply(page, blog, "Who am I?", "nobody at all")
    expect(page.get_by_text("Error: Please enter a valid email address.")).to_be_visible()
    expect(page.get_by_label("Comment", exact=True)).to_have_value("Who am I?")
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(blog.url + PATH)
    if scripts:  # the page before, not a new one: nothing has to be typed again
        expect(page.get_by_label("Comment *", exact=True)).to_have_value("Who am I?")
    assert context.cookies() == []


def use_receipt(page: Page) -> None:
    """Change the comment, take its data home, withdraw it."""
    text = page.get_by_role("textbox", name="Comment")
    expect(text).to_have_value('I wrote <a href="https://ann.example/gate">about it</a>.')
    text.fill("I wrote <em>nothing</em>.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Your comment is published.")).to_be_visible()
    page.get_by_text("Show it").click()
    expect(page.locator(".data")).to_contain_text("I wrote <em>nothing</em>.")
    expect(page.locator(".data")).not_to_contain_text("example.org")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download it").click()
    data = json.loads(download.value.path().read_bytes())
    assert (data["body"], data["status"], data["format"]) == ("I wrote <em>nothing</em>.", "approved", "html")
    assert download.value.suggested_filename == f"comment-{data['id']}.json"
    page.get_by_role("button", name="Withdraw this comment").click()
    expect(page.get_by_role("heading", name="You have withdrawn your comment.")).to_be_visible()


def test_the_page_of_a_refusal_fits_and_complains_of_nothing(server: Server, browser: Browser, blog: Host) -> None:
    for width, scheme in ((360, "light"), (1280, "dark")):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        said = browsers.watched(page)
        reply(page, blog, "Donaudampfschifffahrtsgesellschaft" * 9, "nobody at all")
        expect(page.get_by_role("heading")).to_have_count(2)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert [line for line in said if "status of 422" not in line] == []
        page.close()
