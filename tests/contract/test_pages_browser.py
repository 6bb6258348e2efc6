"""The pages in a real browser: narrow and wide, light and dark, wrong values, the keyboard."""

from __future__ import annotations

import httpx
from playwright.sync_api import Browser, Page, expect

from tests import browser as browsers
from tests.conftest import Server

PASSWORD = "four unrelated garden words"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenhersteller" * 2
ARTICLE = "why-a-garden-needs-a-gate"


def post(server: Server, body: str, name: str = "Ann", **more: str) -> dict[str, str]:
    fields = {"name": name, "email": f"{abs(hash(body))}@example.org", "body": body} | more
    answer = httpx.post(f"{server.url}/sites/default/articles/{ARTICLE}/comments", json=fields)
    assert answer.status_code in (201, 202), answer.text
    found: dict[str, str] = answer.json()
    return found


def signed_in(page: Page, server: Server) -> None:
    link = next(word for word in server.printed.split() if "/moderate/set-password/" in word)
    browsers.choose_password(page, link, PASSWORD)
    browsers.sign_in(page, "moderator@example.org", PASSWORD)


COLOURS = """() => {
  const [body, root] = [document.body, document.documentElement].map((e) => getComputedStyle(e));
  return [body.color, body.backgroundColor === "rgba(0, 0, 0, 0)" ? root.backgroundColor : body.backgroundColor];
}"""


def contrast(colours: list[str]) -> float:
    """WCAG 2's formula, for two colours as a browser computes them: `rgb(r, g, b)`."""

    def luminance(colour: str) -> float:
        parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    dark, bright = sorted(luminance(colour) for colour in colours)
    return (bright + 0.05) / (dark + 0.05)


def test_no_page_overflows_or_complains(server: Server, browser: Browser) -> None:
    first = post(server, f"A long word first: {LONG}. And then a few short ones.", name=LONG)
    above = first["id"]
    for depth in range(5):
        above = post(server, f"A reply at depth {depth}, which is where narrow screens break.", parent=above)["id"]
    held = post(server, f"I wrote about it: https://blog.example/{LONG}", url="https://ann.example/" + "a" * 150)
    receipt = held["receipt"].removeprefix(server.url)
    grounds = set()
    page = browser.new_page()
    said = browsers.watched(page)
    form = f"/sites/default/articles/{ARTICLE}/form"
    seen = ["/", f"/?parent={first['id']}", form, receipt, "/moderate/login", "/docs"]
    console = [
        "/moderate",
        "/moderate?status=approved",
        f"/moderate/comments/{held['id']}",
        "/moderate/history",
        "/moderate/rules",
    ]
    for paths in (seen, console):
        if paths is console:
            signed_in(page, server)
        for path in paths:
            for width in (360, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                    page.goto(server.url + path)
                    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                    assert wide <= 0, f"{path} is {wide} px too wide at {width} px"
                    colours = page.evaluate(COLOURS)
                    assert contrast(colours) >= 4.5, f"{path} in {scheme}"
                    grounds.add(colours[1])
                    assert page.title() and page.locator("h1, h2").count(), path
    assert len(grounds) > 1, "light and dark are the same"
    assert said == []


def test_wrong_values_are_named_at_their_fields_and_nothing_typed_is_lost(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(server.url)
    words = 'Half a thought, with <b>markup</b> & "quotes"'
    browsers.write(page, words, name="", email="not an address", Website="javascript:alert(1)")
    expect(page.get_by_role("alert")).to_contain_text("3 things need your attention")
    for label, kept in (("Comment", words), ("Email", "not an address"), ("Website", "javascript:alert(1)")):
        expect(page.get_by_role("textbox", name=label)).to_have_value(kept)
    for field in ("name", "email", "url"):
        box = page.locator(f"#reply-{field}")
        expect(box).to_have_attribute("aria-invalid", "true")
        message = page.locator(f"#{box.get_attribute('aria-describedby')}")
        expect(message).to_be_visible()
    expect(page.locator("#reply-body")).not_to_have_attribute("aria-invalid", "true")
    page.get_by_role("alert").get_by_role("link").first.click()
    assert page.evaluate("document.activeElement.id").startswith("reply-")
    # mended, it goes through
    browsers.write(page, words, Website="https://ann.example")
    page.wait_for_url("**/#comment-*")
    expect(page.locator("#comments")).to_contain_text('Half a thought, with <b>markup</b> & "quotes"')


def test_the_keyboard_decides_in_the_console(server: Server, browser: Browser) -> None:
    for name in ("One", "Two", "Three"):
        post(server, f"{name} wrote about it: https://{name.lower()}.example/post", name=name)
    page = browser.new_page()
    said = browsers.watched(page)
    signed_in(page, server)
    at = page.locator("[data-row]:focus .name, [data-row]:focus-within .name")
    page.keyboard.press("j")
    expect(at).to_have_text("One")
    page.keyboard.press("j")
    expect(at).to_have_text("Two")
    page.keyboard.press("k")
    expect(at).to_have_text("One")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("1 comment approved")
    expect(at).to_have_text("Three")  # the one that moved up into its place
    expect(page.locator("[data-row]")).to_have_count(2)
    page.keyboard.press("z")
    expect(page.get_by_role("status")).to_contain_text("undone")
    expect(page.locator("[data-row]")).to_have_count(3)
    page.locator("#main").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    # while somebody types, no key decides
    page.get_by_label("Search").fill("")
    page.get_by_label("Search").press("a")
    expect(page.locator("[data-row]")).to_have_count(3)
    assert said == []
