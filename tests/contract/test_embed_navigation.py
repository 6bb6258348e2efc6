"""The embed on pages that change their address without being loaded, and however it is put there: threads are never mixed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests import browser as browsers
from tests.budget import daily
from tests.conftest import Server, wait_until
from tests.contract.embedding import embedded, fill, old_enough, send, status
from tests.contract.embedding import host as host  # a fixture
from tests.hostpage import Host

GO = {
    "pushState": "(path) => history.pushState({}, '', path)",
    "replaceState": "(path) => history.replaceState({}, '', path)",
    "a function that the page kept from before": "(path) => History.prototype.pushState.call(history, {}, '', path)",
    "an attribute": "(path) => document.querySelector('leave-a-reply').setAttribute('article', path)",
}


def posted(server: Server, article: str, body: str) -> str:
    fields = {"name": "Tobias", "email": f"{abs(hash(body))}@example.org", "body": body}
    answer = httpx.post(f"{server.url}/sites/default/articles/{article}/comments", json=fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def bodies(server: Server, article: str) -> list[str]:
    found = httpx.get(f"{server.url}/sites/default/articles/{article}/comments", params={"view": "flat"}).json()
    return [comment["text"] for comment in found["comments"]]


def shows(page: Page, *texts: str) -> None:
    expect(page.locator("leave-a-reply .said")).to_have_text(list(texts))


@pytest.mark.parametrize("way", daily(list(GO), 2))
def test_a_comment_goes_to_the_article_that_is_shown(way: str, server: Server, host: Host, browser: Browser) -> None:
    posted(server, "first", "Said on the first page.")
    posted(server, "second", "Said on the second page.")
    page = browser.new_page()
    said = browsers.watched(page)
    embedded(page, host.page("/first/"))
    shows(page, "Said on the first page.")
    fill(page, "A draft for the first page")
    page.evaluate(GO[way], "/second/")
    shows(page, "Said on the second page.")
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("")
    fill(page, "Meant for the second page.")
    old_enough(page)
    send(page)
    shows(page, "Said on the second page.", "Meant for the second page.")
    assert bodies(server, "second") == ["Said on the second page.", "Meant for the second page."]
    assert bodies(server, "first") == ["Said on the first page."]
    if way == "pushState":
        page.go_back()
    else:
        page.evaluate(GO[way], "/first/")
    shows(page, "Said on the first page.")
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("A draft for the first page")
    assert said == []


def test_an_address_of_the_same_article_changes_nothing(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    embedded(page, host.page("/first/"))
    fill(page, "Half a thought")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for place in ("/first/?page=2", "/first/#part", "/first"):
        page.evaluate(GO["pushState"], place)
    page.go_back()
    page.evaluate("history.replaceState({ scroll: 5 }, '')")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Ann")
    assert asked == []
    embedded(page, host.page("/named/", 'article="named"'))
    fill(page, "Half a thought")
    asked.clear()
    page.evaluate(GO["pushState"], "/elsewhere/")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Ann")
    assert asked == [], "an article that the page names stays"


@pytest.mark.parametrize("way", daily(["pushState", "an attribute"], 1))
def test_answers_on_their_way_for_the_earlier_article_are_dropped(
    way: str, server: Server, host: Host, browser: Browser
) -> None:
    posted(server, "first", "Said on the first page.")
    posted(server, "second", "Said on the second page.")
    page = browser.new_page()
    waiting: list[Route] = []
    page.route("**/articles/first/comments", lambda route: waiting.append(route))
    page.goto(host.page("/first/"))
    wait_until(lambda: page.evaluate("1") == 1 and bool(waiting), "the first page's thread to be asked for")
    page.evaluate(GO[way], "/second/")
    shows(page, "Said on the second page.")
    with page.expect_response("**/articles/first/comments"):
        waiting.pop().continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    shows(page, "Said on the second page.")

    # a comment on its way is stored where it was written, and is shown there
    page.evaluate(GO[way], "/first/")
    wait_until(lambda: page.evaluate("1") == 1 and bool(waiting), "the first page's thread to be asked for")
    waiting.pop().continue_()
    expect(page.locator("leave-a-reply .reply")).to_be_visible()
    old_enough(page)
    fill(page, "Sent from the first page.")
    send(page)
    wait_until(lambda: page.evaluate("1") == 1 and bool(waiting), "the comment to be on its way")
    page.evaluate(GO[way], "/second/")
    shows(page, "Said on the second page.")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        waiting.pop().continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    shows(page, "Said on the second page.")
    expect(status(page)).to_have_text("")
    page.unroute("**/articles/first/comments")
    page.evaluate(GO[way], "/first/")
    shows(page, "Said on the first page.", "Sent from the first page.")
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("")
    assert bodies(server, "second") == ["Said on the second page."]


def test_what_the_page_before_said_of_itself_is_not_said_of_the_next(
    server: Server, host: Host, browser: Browser
) -> None:
    head = '<meta property="og:title" content="The first page"><link rel="canonical" href="https://blog.example/first">'
    page = browser.new_page()
    sent: list[dict[str, Any]] = []
    page.on("request", lambda request: sent.append(request.post_data_json) if request.method == "POST" else None)
    embedded(page, host.page("/first/", head=head))
    page.evaluate(
        "() => { history.pushState({}, '', '/second/'); document.querySelector('h1').textContent = 'The second page' }"
    )
    expect(page.locator("leave-a-reply .reply")).to_be_visible()
    old_enough(page)
    fill(page, "A kind word about the second page.")
    send(page)
    expect(status(page)).to_have_text("Your comment is published.")
    assert sent[0]["page"] == {"title": "The second page", "url": f"{host.url}/second/"}
    renewed = (
        "() => { history.pushState({}, '', '/third/');"
        "document.querySelector('meta[property]').content = 'The third page';"
        "document.querySelector('link[rel=canonical]').href = 'https://blog.example/third' }"
    )
    page.evaluate(renewed)
    expect(page.locator("leave-a-reply .comment")).to_have_count(0)
    expect(page.locator("leave-a-reply .reply")).to_be_visible()
    old_enough(page)
    fill(page, "A kind word about the third page.")
    send(page)
    expect(status(page)).to_have_text("Your comment is published.")
    assert sent[1]["page"] == {"title": "The third page", "url": "https://blog.example/third"}


@pytest.mark.parametrize(
    "scripts",
    [
        '<script type="module" src="{service}/embed.js"></script>',
        '<script async src="{service}/embed.js?v=2"></script>',
        '<script type="module" src="/app.js"></script>',  # which imports it
    ],
)
def test_a_script_of_any_kind_finds_its_service(scripts: str, server: Server, host: Host, browser: Browser) -> None:
    posted(server, "first", "Said on the first page.")
    address = host.page("/first/")
    kind, policy, content = host.pages["/first/"]
    usual = f'<script src="{host.service}/embed.js" defer></script>'
    assert usual in content
    policy = policy.replace("script-src", "script-src 'self'")
    host.pages["/first/"] = (kind, policy, content.replace(usual, scripts.format(service=host.service)))
    host.pages["/app.js"] = (
        "text/javascript",
        "",
        f'import "{host.service}/embed.js"; history.replaceState({{}}, "");',
    )
    page = browser.new_page()
    said = browsers.watched(page)
    page.goto(address)
    shows(page, "Said on the first page.")
    assert said == []


def test_with_lazy_loading_nothing_is_asked_for_until_the_reader_comes_near(
    server: Server, host: Host, browser: Browser
) -> None:
    id = posted(server, "first", "Said on the first page.")
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/sites/" in request.url else None)
    long = "<p>A paragraph.</p>" * 120
    address = host.page("/first/", 'loading="lazy"', body=long)
    page.goto(address)
    expect(page.locator("leave-a-reply")).to_have_count(1)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    assert asked == []
    page.mouse.wheel(0, 100_000)
    shows(page, "Said on the first page.")
    assert len(asked) >= 1
    page.evaluate("scrollTo(0, 0)")
    asked.clear()
    page.evaluate(GO["pushState"], "/second/")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    assert asked == [], "nor for the next article"
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.get_by_role("heading", name="No Comments")).to_be_visible()

    linked = browser.new_page()
    linked.goto(f"{address}#comment-{id}")
    expect(linked.locator(".comment.target")).to_be_in_viewport()


@pytest.mark.parametrize("tag", daily(["zh_CN", "zh-CN", "zh_CN.UTF-8", "ZH_hans", "zh_CN@pinyin"], 1))
def test_a_language_is_understood_as_generators_write_it(
    tag: str, server: Server, host: Host, browser: Browser
) -> None:
    page = browser.new_page()
    said = browsers.watched(page)
    page.goto(host.page("/first/", root=f'lang="{tag}"'))
    expect(page.get_by_role("heading", name="暂无评论")).to_be_visible()
    assert said == []
