"""The embed where something is in the way: a lost answer, a limit, a closed article, no service, no scripts."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
from playwright.sync_api import Browser, Route, expect

from tests.conftest import Server
from tests.contract.embedding import (
    embedded,
    fill,
    post,
    send,
    status,
    thread,
)
from tests.contract.embedding import host as host  # a fixture
from tests.hostpage import Host


def test_a_double_click_and_a_lost_answer_store_it_once(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    keys: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            assert route.fetch().status == 201
            route.abort()
        else:
            route.continue_()

    embedded(page, host.page("/p/", 'article="my-post"'))
    page.route("**/comments", lose_the_first_answer)
    fill(page, "Said once, whatever happens.")
    page.get_by_role("button", name="Post Comment").dblclick()
    expect(status(page)).to_have_text("Your comment is published.")
    assert len(keys) == 2 and len(set(keys)) == 1
    expect(page.locator(".comment")).to_have_count(1)
    assert thread(server)["count"] == 1


def problem(code: str, status: int, after: int) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Retry-After",
            "Retry-After": str(after),
            "Content-Type": "application/problem+json",
        }
        route.fulfill(status=status, headers=headers, body=json.dumps({"code": code, "detail": "Said by the server."}))

    return answer


def test_too_fast_and_not_now_say_when_and_lose_nothing(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    embedded(page, host.page("/p/", 'article="my-post"'))
    fill(page, "A thought that can wait.")
    button = page.get_by_role("button", name="Post Comment")

    page.route("**/comments", problem("unavailable", 503, 30))
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("try again in 30 seconds")
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("A thought that can wait.")
    expect(button).not_to_have_attribute("aria-disabled", "true")

    page.unroute("**/comments")
    page.route("**/comments", problem("too_fast", 429, 2))
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("You can send it again in 2 seconds.")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(status(page)).to_have_text("You can send it now.")
    expect(button).not_to_have_attribute("aria-disabled", "true")

    page.unroute("**/comments")
    send(page)
    expect(status(page)).to_have_text("Your comment is published.")
    assert thread(server)["count"] == 1


def test_closed_comments_show_the_thread_without_a_form(server: Server, host: Host, browser: Browser) -> None:
    post(server, "The last word.")
    token = server.run("add-token", "--scopes", "articles").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    httpx.put(f"{server.url}/sites/default/articles/my-post", json={"comments_open": False}, headers=headers)
    page = browser.new_page()
    page.goto(host.page("/p/", 'article="my-post"'))
    expect(page.get_by_text("Comments are closed.")).to_be_visible()
    expect(page.locator(".comment")).to_have_count(1)
    expect(page.get_by_role("button", name="Reply")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_text(["Report"])
    expect(page.get_by_role("textbox")).to_have_count(0)


def test_where_the_service_does_not_answer_it_says_so_and_tries_again(
    server: Server, host: Host, browser: Browser
) -> None:
    page = browser.new_page()
    page.route(
        "**/comments", lambda route: route.fulfill(status=404, body="{}", headers={"Access-Control-Allow-Origin": "*"})
    )
    page.goto(host.page("/p/", 'article="my-post"'))
    expect(page.get_by_text("The comments cannot be loaded right now.")).to_be_visible()
    page.unroute("**/comments")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="No Comments")).to_be_visible()


def test_without_scripts_what_the_page_put_inside_is_shown(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    address = host.page("/p/", 'article="my-post"')
    kind, policy, content = host.pages["/p/"]
    link = f'<a href="{server.url}/sites/default/articles/my-post/form">Leave a Reply</a></leave-a-reply>'
    host.pages["/p/"] = (kind, policy, content.replace("</leave-a-reply>", link))
    page.goto(address)
    page.get_by_role("link", name="Leave a Reply").click()
    expect(page.get_by_role("button", name="Post Comment")).to_be_visible()
