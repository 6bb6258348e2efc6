"""The embed in a real browser, on a strict page of another origin: what a reader does there, and how it looks to axe."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from moderation.public import texts
from moderation.site import key_of
from tests import browser as browsers
from tests.conftest import Server, wait_until
from tests.hostpage import Host, host_page

THREAD = "/sites/default/articles/my-post/comments"
REFUSED = "the server responded with a status of 4"
LINK = "I wrote about it: https://ann.example/gate"


@pytest.fixture
def host(server: Server) -> Iterator[Host]:
    """A blog whose origin the site allows."""
    with host_page(server.url) as found:
        server.run("add-site", "default", "--origin", found.url)
        allowed = {"Origin": found.url}
        wait_until(
            lambda: "access-control-allow-origin" in httpx.get(server.url + THREAD, headers=allowed).headers,
            "the origin to be allowed",
        )
        yield found


def post(server: Server, body: str, name: str = "Tobias", **more: str) -> dict[str, Any]:
    fields = {"name": name, "email": f"{abs(hash(body))}@example.org", "body": body} | more
    answer = httpx.post(server.url + THREAD, json=fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def thread(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(server.url + THREAD, params={"limit": 200, "view": "flat"}).json()
    return found


def embedded(page: Page, address: str) -> None:
    """Open a page with the embed, and wait until a person could have typed a second."""
    page.goto(address)
    expect(page.locator("leave-a-reply .reply")).to_be_visible()
    wait_until(lambda: bool(page.evaluate(browsers.FORM_AGE) > 1_500), "the form to be old enough for a person")


def fill(page: Page, body: str, name: str = "Ann", email: str = "ann@example.org") -> None:
    for label, words in (("Comment", body), ("Name", name), ("Email", email)):
        page.get_by_role("textbox", name=label, exact=True).fill(words)


def send(page: Page) -> None:
    page.get_by_role("button", name="Post Comment").click()


def focused(page: Page) -> Any:
    """(tag, id, text) of what has the focus in the shadow."""
    return page.evaluate(
        "() => { const e = document.querySelector('leave-a-reply').shadowRoot.activeElement;"
        "return e && [e.tagName, e.id, e.textContent] }"
    )


def stored(page: Page) -> dict[str, Any]:
    kept: dict[str, str] = page.evaluate("() => ({ ...localStorage })")
    return {key: json.loads(value) for key, value in kept.items()}


def status(page: Page) -> Any:
    return page.get_by_role("status")


def test_a_reader_replies_is_published_and_nothing_else_is_asked_for(
    server: Server, host: Host, browser: Browser
) -> None:
    first = post(server, "My grandfather's gate *squeaked*.")
    context = browser.new_context()
    page = context.new_page()
    said, asked = browsers.watched(page), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    embedded(page, host.page("/2026/05/my-post/", 'article="my-post"'))
    expect(page.get_by_role("heading", name="1 Comment")).to_be_visible()
    expect(page.locator(".said em")).to_have_text("squeaked")

    page.get_by_role("button", name="Reply to Tobias").click()
    expect(page.get_by_role("heading", name="Leave a Reply to Tobias")).to_be_visible()
    assert focused(page)[1] == "reply-body"
    fill(page, "Ours does too,\nand **nobody** oils it.")
    send(page)
    card = page.locator(".thread .thread .comment")
    expect(card.locator("strong")).to_have_text("nobody")
    expect(status(page)).to_have_text("Your comment is published.")
    expect(page.get_by_role("heading", name="2 Comments")).to_be_visible()
    expect(page.get_by_role("heading", name="Leave a Reply", exact=True)).to_be_visible()
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("")
    assert focused(page)[0] == "ARTICLE"
    found = thread(server)
    assert [c["parent"] for c in found["comments"]] == [None, first["id"]]

    assert {url.split("/")[2] for url in asked} == {url.split("/")[2] for url in (server.url, host.url)}
    assert context.cookies() == []
    assert said == []


def test_the_comment_brings_the_pages_own_facts_its_token_and_its_proof(
    server: Server, host: Host, browser: Browser
) -> None:
    page = browser.new_page()
    sent: list[tuple[dict[str, str], dict[str, Any]]] = []
    page.on(
        "request",
        lambda request: sent.append((request.headers, request.post_data_json)) if request.method == "POST" else None,
    )
    head = (
        '<meta property="og:title" content="The blue flower, again">'
        '<meta property="article:published_time" content="2026-05-01T10:00:00+02:00">'
        '<link rel="canonical" href="https://blog.example/blue">'
    )
    embedded(page, host.page("/blue/", 'article="my-post"', head=head))
    fill(page, "A kind word about the flower.")
    send(page)
    expect(status(page)).to_have_text("Your comment is published.")
    fill(page, "With proof, a link is no reason to wait: https://ann.example/")
    send(page)
    expect(page.locator(".comment")).to_have_count(2)
    (headers, fields), (later, _) = sent
    assert fields["page"]["title"] == "The blue flower, again"
    assert fields["page"]["url"] == "https://blog.example/blue"
    assert fields["page"]["published_at"] == "2026-05-01T08:00:00.000Z"
    assert "Words of the blog." in fields["page"]["text"]
    assert "." in fields["form_token"]
    assert "receipt" not in headers and "/receipts/" in later["receipt"]
    assert headers["idempotency-key"] != later["idempotency-key"]


def test_the_key_of_a_page_is_its_path_with_tildes(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    long = "/" + "a-very-long-name/" * 20
    for path, article, key in (
        ("/2026/05/my-post/", "", "2026~05~my-post"),
        ("/", "", "~"),
        ("/%E6%96%87/", "", "-E6-96-87"),
        ("/it's(here)!/", "", key_of("https://blog.example/it's(here)!/")),
        ("/x/", "/notes/a b.html", "notes~a-20b.html"),
        ("/x/", "/文章/", "-E6-96-87-E7-AB-A0"),
        (long, "", long.strip("/").replace("/", "~")[:200]),
    ):
        assert key_of("https://blog.example" + (article or path)) == key, "an import gives it the same key"
        embedded(page, host.page(path, f'article="{article}"' if article else ""))
        assert f"{server.url}/sites/default/articles/{key}/comments" in asked
        asked.clear()


def test_each_error_stands_at_its_field_and_a_held_reply_says_so(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    said = browsers.watched(page)
    embedded(page, host.page("/p/", 'article="my-post"'))
    fill(page, "", name="", email="not an address")
    send(page)
    for field, words in (
        ("body", "Please type your comment."),
        ("name", "Please give a name."),
        ("email", "This is not a valid email address."),
    ):
        control = page.locator(f"#reply-{field}")
        expect(control).to_have_attribute("aria-invalid", "true")
        expect(page.locator(f"#{control.get_attribute('aria-describedby')}")).to_have_text(words)
    expect(page.locator("#reply-url")).not_to_have_attribute("aria-invalid", "true")
    assert focused(page)[1] == "reply-body"
    expect(page.get_by_role("textbox", name="Email")).to_have_value("not an address")

    fill(page, LINK)
    send(page)
    held = page.locator(".comment.held")
    expect(held).to_contain_text("Your comment is awaiting moderation.")
    expect(held).to_contain_text(LINK)
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    expect(status(page)).to_have_text("Your comment is awaiting moderation.")
    receipt = held.get_by_role("link", name="receipt").get_attribute("href")
    assert receipt and receipt.startswith(server.url + "/receipts/")
    assert thread(server)["count"] == 0
    assert [line for line in said if REFUSED not in line] == []

    # its author, and nobody else, sees it there when they come back
    embedded(page, page.url)
    expect(page.locator(".comment.held")).to_contain_text(LINK)
    other = browser.new_page()
    embedded(other, page.url)
    expect(other.locator(".comment")).to_have_count(0)

    # and learns what became of it
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    decided = {"comments": [receipt.rpartition("/")[2][:26]], "action": "reject", "note": "Not here, please."}
    httpx.post(
        f"{server.url}/api/decisions", json=decided, headers={"Authorization": f"Bearer {token}"}
    ).raise_for_status()
    embedded(page, page.url)
    expect(page.locator(".comment.held")).to_contain_text("Your comment was not published.")
    expect(page.locator(".comment.held q")).to_have_text("Not here, please.")
    page.get_by_role("button", name="Do not show this again").click()
    expect(page.locator(".comment")).to_have_count(0)
    assert "leave-a-reply:mine:default" not in stored(page) or stored(page)["leave-a-reply:mine:default"] == []


def test_with_the_keyboard_alone(server: Server, host: Host, browser: Browser) -> None:
    """Reply, error, hold, edit, withdraw: without a mouse, and the focus is never lost."""
    post(server, "My grandfather's gate squeaked.")
    page = browser.new_page()
    embedded(page, host.page("/p/", 'article="my-post"'))

    def tab_to(text: str, back: bool = False) -> None:
        for _ in range(25):
            page.keyboard.press("Shift+Tab" if back else "Tab")
            now = focused(page)
            if now and (text in now[2] or text == now[1]):
                return
        raise AssertionError(f"no way to {text!r}")

    tab_to("Reply")
    page.keyboard.press("Enter")
    assert focused(page)[1] == "reply-body"
    tab_to("Cancel reply", back=True)
    page.keyboard.press("Enter")
    assert focused(page)[2] == "Reply"
    page.keyboard.press("Enter")
    page.keyboard.type(LINK)
    tab_to("Post Comment")
    page.keyboard.press("Enter")
    wait_until(lambda: focused(page)[1] == "reply-name", "the first wrong field")
    page.keyboard.type("Ann")
    page.keyboard.press("Tab")
    page.keyboard.type("ann@example.org")
    page.keyboard.press("Enter")
    expect(page.locator(".thread .thread .comment.held")).to_be_visible()
    wait_until(lambda: focused(page)[0] == "ARTICLE", "the held comment")

    tab_to("Edit")
    page.keyboard.press("Enter")
    assert focused(page)[1].startswith("edit-")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("I wrote about it, and leave the address out.")
    tab_to("Save")
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("Your change is saved.")
    expect(page.get_by_role("heading", name="2 Comments")).to_be_visible()
    assert focused(page)[0] == "ARTICLE"
    assert thread(server)["count"] == 2

    tab_to("Withdraw")
    page.keyboard.press("Enter")
    assert focused(page)[2] == "Withdraw"
    tab_to("Cancel")
    page.keyboard.press("Space")
    assert focused(page)[2] == "Withdraw"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("You have withdrawn your comment.")
    assert focused(page)[2] == "You have withdrawn your comment."
    assert thread(server)["count"] == 1


def test_after_fifteen_minutes_nothing_can_be_changed(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    address = host.page("/p/", 'article="my-post"')
    embedded(page, address)
    fill(page, "A kind word.")
    send(page)
    expect(page.get_by_role("button", name="Edit your comment")).to_be_visible()
    page.clock.install()
    page.goto(address)
    expect(page.get_by_role("button", name="Edit your comment")).to_be_visible()
    page.clock.fast_forward("15:05")
    expect(page.get_by_role("button", name="Edit your comment")).to_have_count(0)
    expect(page.get_by_role("button", name="Withdraw your comment")).to_have_count(0)
    expect(page.get_by_role("button", name="Reply to Ann")).to_be_visible()


def test_the_draft_and_the_author_are_kept_in_the_browser_only_as_asked(
    server: Server, host: Host, browser: Browser
) -> None:
    first = post(server, "My grandfather's gate squeaked.")
    page = browser.new_page()
    address = host.page("/p/", 'article="my-post"')
    embedded(page, address)
    page.get_by_role("button", name="Reply to Tobias").click()
    fill(page, "Half a thought")
    embedded(page, address)
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("Half a thought")
    expect(page.get_by_role("heading", name="Leave a Reply to Tobias")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("")
    assert "ann" not in json.dumps(stored(page)).lower(), "a draft has the words, not who wrote them"

    remember = page.get_by_role(
        "checkbox", name="Save my name, email, and website in this browser for the next time I comment."
    )
    expect(remember).not_to_be_checked()
    fill(page, "A whole thought.")
    remember.check()
    send(page)
    expect(page.locator(".comment")).to_have_count(2)
    assert thread(server)["comments"][1]["parent"] == first["id"]
    embedded(page, address)
    expect(page.get_by_role("textbox", name="Comment")).to_have_value("")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("Ann")
    expect(page.get_by_role("textbox", name="Email")).to_have_value("ann@example.org")
    expect(remember).to_be_checked()
    fill(page, "Another thought.")
    remember.uncheck()
    send(page)
    expect(page.locator(".comment")).to_have_count(3)
    assert "leave-a-reply:author" not in stored(page)


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


def test_a_long_thread_comes_by_pages_and_a_link_leads_into_it(server: Server, host: Host, browser: Browser) -> None:
    ids = []
    for number in range(60):
        above = ids[-1] if number % 6 else None
        ids.append(post(server, f"Thought number {number}, calmly.", **({"parent": above} if above else {}))["id"])
    page = browser.new_page()
    address = host.page("/p/", 'article="my-post"')
    embedded(page, address)
    expect(page.get_by_role("heading", name="60 Comments")).to_be_visible()
    expect(page.locator(".comment")).to_have_count(50)
    page.get_by_role("button", name="Show more comments").click()
    expect(page.locator(".comment")).to_have_count(60)
    expect(page.get_by_role("button", name="Show more comments")).to_have_count(0)
    assert focused(page)[0] == "ARTICLE"
    shown = page.locator(".comment").evaluate_all("all => all.map((e) => e.id.slice(8))")
    assert shown == [c["id"] for c in thread(server)["comments"]]
    depth = page.locator(f"#comment-{ids[5]}").evaluate(
        "(e) => { let n = 0; for (; e = e.parentElement.closest('ol'); e = e.parentElement) n++; return n }"
    )
    assert depth == 5

    page.goto("about:blank")
    page.goto(f"{address}#comment-{ids[59]}")
    expect(page.locator(f"#comment-{ids[59]}")).to_be_in_viewport()
    expect(page.locator(".target")).to_have_attribute("id", f"comment-{ids[59]}")

    embedded(page, host.page("/newest/", 'article="my-post" order="newest"'))
    expect(page.locator(".comment").first).to_contain_text("Thought number 54")


def test_it_speaks_chinese_and_what_a_file_of_the_page_says(server: Server, host: Host, browser: Browser) -> None:
    page = browser.new_page()
    said = browsers.watched(page)
    chinese = texts.languages()["zh-Hans"]
    page.goto(host.page("/zh/", 'article="my-post"', root='lang="zh-CN"'))
    expect(page.get_by_role("heading", name=chinese["title"], exact=True)).to_be_visible()
    expect(page.get_by_text(chinese["note"])).to_be_visible()
    page.get_by_role("button", name=chinese["send"]).click()
    expect(page.locator("#reply-name-error")).to_have_text(chinese["error.name.required"])
    expect(page.locator("leave-a-reply .root")).to_have_attribute("lang", "zh-Hans")

    host.pages["/nl.json"] = (
        "application/json",
        "",
        json.dumps({"title": "Laat een reactie achter", "comments.zero": "Geen reacties"}),
    )
    page.goto(host.page("/nl/", 'article="my-post" lang="nl" texts="/nl.json"'))
    expect(page.get_by_role("heading", name="Laat een reactie achter", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Post Comment")).to_be_visible()  # English for what the file lacks
    assert [line for line in said if REFUSED not in line] == []


def test_closed_comments_show_the_thread_without_a_form(server: Server, host: Host, browser: Browser) -> None:
    post(server, "The last word.")
    token = server.run("add-token", "--scopes", "articles").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    httpx.put(f"{server.url}/sites/default/articles/my-post", json={"comments_open": False}, headers=headers)
    page = browser.new_page()
    page.goto(host.page("/p/", 'article="my-post"'))
    expect(page.get_by_text("Comments are closed.")).to_be_visible()
    expect(page.locator(".comment")).to_have_count(1)
    expect(page.get_by_role("button")).to_have_count(0)
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


ARABIC = {
    "lang": "ar", "comments.zero": "لا توجد تعليقات", "comments.one": "تعليق واحد", "comments.two": "تعليقان", "comments.few": "{n} تعليقات",
    "comments.other": "{n} تعليق", "title": "اترك ردّاً", "body": "التعليق", "name": "الاسم", "email": "البريد الإلكتروني", "url": "الموقع الإلكتروني",
    "note": "لن يتم نشر عنوان بريدك الإلكتروني. الحقول الإلزامية مشار إليها بـ *", "send": "إرسال التعليق", "reply": "رد", "reply_to": "رد على {name}",
    "held": "تعليقك في انتظار المراجعة.", "held_note": "سيقرؤه شخص. لا داعي لإرساله مرة أخرى، ولا يراه هنا غيرك.",
    "receipt": "إيصالك يبيّن ما سيحدث له.", "edit": "تعديل", "edit_own": "تعديل تعليقك", "withdraw": "سحب", "withdraw_own": "سحب تعليقك",
}  # fmt: skip
"""As a page's owner may write them: some texts are missing, and English stands in."""


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_axe_finds_nothing_in_any_state(server: Server, host: Host, browser: Browser, direction: str) -> None:
    above = post(
        server, "Words, `code` and https-less **marks**.\n\n> a quotation\n\n- a list", url="https://tobias.example"
    )
    for depth in range(4):
        above = post(server, f"A reply at depth {depth + 2}, where narrow screens break.", parent=above["id"])
    host.pages["/ar.json"] = ("application/json", "", json.dumps(ARABIC))
    root, more = ('lang="en"', "") if direction == "ltr" else ('lang="ar" dir="rtl"', ' texts="/ar.json"')
    says = texts.languages()["en"] | (ARABIC if more else {})
    page = browser.new_page()
    said = browsers.watched(page)
    embedded(page, host.page("/p/", f'article="my-post"{more}', root=root))
    grounds = set()

    def look(state: str) -> None:
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                found = Axe().run(page)
                assert found.violations_count == 0, f"{state}, {width}, {scheme}: {found.generate_report()}"
                wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert wide <= 0, f"{state} is {wide} px too wide at {width} px"
                grounds.add(page.locator("#reply-body").evaluate("(e) => getComputedStyle(e).backgroundColor"))

    def write(**fields: str) -> None:
        for field, words in fields.items():
            page.locator(f"#reply-{field}").fill(words)
        page.get_by_role("button", name=says["send"]).click()

    look("the thread")
    page.locator(".reply-to").last.click()
    look("a reply in place")
    write(body="", email="not an address")
    expect(page.locator("[aria-invalid]")).to_have_count(3)
    look("errors")
    write(body=LINK, name="Ann", email="ann@example.org")
    expect(page.locator(".held")).to_be_visible()
    look("held")
    page.get_by_role("button", name=says["edit_own"]).click()
    look("an edit")
    page.get_by_role("button", name=says["keep"], exact=True).click()
    page.get_by_role("button", name=says["withdraw_own"]).click()
    look("the question")
    page.get_by_role("button", name=says["withdraw"], exact=True).click()
    expect(page.locator(".held")).to_have_count(0)
    look("withdrawn")
    assert len(grounds) == 2, "light and dark are the same"
    # mirrored: a reply stands further from the edge where lines begin
    if more:
        expect(page.get_by_role("heading", name="5 تعليقات")).to_be_visible()
    edges = page.locator(".comment").evaluate_all("all => all.map((e) => e.getBoundingClientRect().right)")
    assert (edges[0] > edges[3]) == (direction == "rtl")
    assert [line for line in said if REFUSED not in line] == []


def test_it_takes_over_the_pages_type_and_no_more(server: Server, host: Host, browser: Browser) -> None:
    """The page's rules for `p` and `button` stay outside, its font and colour come in, and custom properties theme it."""
    post(server, "A kind word.")
    page = browser.new_page()
    page.emulate_media(color_scheme="light")
    embedded(page, host.page("/p/", 'article="my-post"'))

    def style(selector: str, name: str) -> str:
        found: str = page.locator(f"leave-a-reply {selector}").first.evaluate(
            "(e, name) => getComputedStyle(e)[name]", name
        )
        return found

    assert style(".said p", "color") == style(".root", "color") == "rgb(34, 34, 34)"
    assert style(".said p", "letterSpacing") == "normal" and style("button[type=submit]", "textTransform") == "none"
    assert "Georgia" in style(".root", "fontFamily")
    assert re.match(r"1[6-8]", style(".said p", "fontSize")), "the page's rem is 10 px"
    page.evaluate("document.querySelector('leave-a-reply').style.setProperty('--reply-accent', 'rgb(0, 0, 200)')")
    assert style("button[type=submit]", "backgroundColor") == "rgb(0, 0, 200)"
    light = style("#reply-body", "backgroundColor")
    page.evaluate("document.querySelector('leave-a-reply').setAttribute('theme', 'dark')")
    assert style("#reply-body", "backgroundColor") != light
