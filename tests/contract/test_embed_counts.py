"""Numbers of comments beside links to articles: one request for a page, whatever shows them."""

from __future__ import annotations

import httpx
from playwright.sync_api import Browser, Page, expect

from tests import browser as browsers
from tests.conftest import Server
from tests.contract.embedding import host as host  # a fixture
from tests.hostpage import Host

LIST = """
<reply-count article="first"></reply-count> <reply-count article="/second/">Comments</reply-count>
<a href="/first/#comments" data-replies>Replies</a> <a href="/second/" data-replies></a>
<a href="/elsewhere/" data-replies="first">Replies</a> <a href="/third/?a=1" data-replies>Replies</a>
<a href="/third/">Not one of ours</a>
"""


def posted(server: Server, article: str, times: int) -> None:
    for number in range(times):
        fields = {
            "name": "Ann",
            "email": f"{article}{number}@example.org",
            "body": f"Thought number {number} on {article}.",
        }
        answer = httpx.post(f"{server.url}/sites/default/articles/{article}/comments", json=fields)
        assert answer.status_code == 201, answer.text


def counts(page: Page) -> list[str]:
    """The requests for numbers, from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/counts" in request.url else None)
    return asked


def texts(page: Page) -> list[str]:
    return page.locator("main > article > :is(reply-count, a)").all_text_contents()


def test_one_request_tells_all_numbers_of_a_page(server: Server, host: Host, browser: Browser) -> None:
    posted(server, "first", 2)
    posted(server, "second", 1)
    page = browser.new_page()
    asked, said = counts(page), browsers.watched(page)
    page.goto(host.page("/", 'article="first"', body=LIST))
    one, two, none = "1 Comment", "2 Comments", "No Comments"
    expect(page.locator("main > article > :is(reply-count, a)")).to_have_text(
        [two, one, two, one, two, none, "Not one of ours"]
    )
    assert len(asked) == 1 and asked[0].endswith("/counts?article=first&article=second&article=third")

    # those that a page adds later ask for themselves, together
    page.evaluate(
        "document.querySelector('article').append(...['first', 'second'].map((article) =>"
        " Object.assign(document.createElement('reply-count'), { id: article })))"
    )
    expect(page.locator("reply-count#first")).to_have_text(none)  # of this page's own article
    assert len(asked) == 2
    page.evaluate("for (const one of document.querySelectorAll('reply-count[id]')) one.setAttribute('article', one.id)")
    expect(page.locator("reply-count#first")).to_have_text(two)
    expect(page.locator("reply-count#second")).to_have_text(one)
    assert len(asked) == 3
    assert said == []


def test_numbers_are_in_the_page_s_language_and_follow_its_address(
    server: Server, host: Host, browser: Browser
) -> None:
    posted(server, "first", 2)
    page = browser.new_page()
    asked = counts(page)
    page.goto(host.page("/first/", root='lang="zh_CN"', body="<reply-count></reply-count>"))
    expect(page.locator("reply-count")).to_have_text("2 条评论")
    page.evaluate("history.pushState({}, '', '/second/')")
    expect(page.locator("reply-count")).to_have_text("暂无评论")
    assert len(asked) == 2


def test_more_than_two_hundred_articles_are_asked_for_in_pieces(server: Server, host: Host, browser: Browser) -> None:
    posted(server, "a249", 1)
    page = browser.new_page()
    asked = counts(page)
    page.goto(host.page("/", body="".join(f'<a href="/a{n}/" data-replies>Replies</a>' for n in range(250))))
    expect(page.locator('a[href="/a249/"]')).to_have_text("1 Comment")
    expect(page.locator('a[href="/a0/"]')).to_have_text("No Comments")
    assert len(asked) == 2


def test_without_an_answer_a_link_keeps_its_words(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    page.route("**/counts?*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.goto(host.page("/", body=LIST))
    page.evaluate("new Promise((done) => setTimeout(done))")
    assert texts(page) == ["", "Comments", "Replies", "", "Replies", "Replies", "Not one of ours"]
