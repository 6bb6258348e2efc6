"""The pictures in the docs, taken from a real server on a temporary folder:

make screenshots    writes demo, queue, embed, embed-dark and embed-rtl.png in docs/images, and every page of the console in
                    docs/images/console
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import Page

from tests import browser as browsers
from tests import smallpng
from tests.conftest import ROOT, answers, free_port, wait_until
from tests.contract import consolepictures
from tests.contract.embedding import ARABIC, LINK
from tests.hostpage import Host, host_page
from tests.outbox.postbox import postbox

IMAGES = ROOT / "docs" / "images"
PASSWORD = "four unrelated garden words"
ARTICLE = "why-a-garden-needs-a-gate"
COMMENTS = [
    ("Marta Lindqvist", "The part about the unattended gate hit home. We closed comments last year because nobody looked up when it clicked."),
    ("Tobias", "My grandfather's gate squeaked. He said it saved him a *doorbell*, and he never oiled it."),
    ("Marta Lindqvist", "Squeaking as a feature! I will tell our plumber."),
    ("Ines Okafor", "I wrote down how we do it at our allotment, with the rota and all: https://allotment.example/gate-rota"),
    ("Dan", "What a stupid, pathetic article. Only an idiot could write this garbage, and you are one."),
    ("Victor", "I sell replica watches, all of them are on my page: https://watches.example/list"),
    ("Priya N.", "Is the blue flower borage? There is a good page on it here: https://flowers.example/borage"),
]  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, postbox() as box:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
        environment |= {"PYTHONPATH": str(ROOT), "MODERATION_PORT": str(port), "MODERATION_DEMO": "true"}
        environment |= {"MODERATION_SMTP_URL": box.url, "MODERATION_MAIL_FROM": "Garden <comments@garden.example>"}
        printed = Path(folder) / "printed"
        with printed.open("w") as out:
            command = [sys.executable, "-m", "moderation", "serve"]
            server = subprocess.Popen(command, cwd=folder, env=environment, stdout=out)
        try:
            wait_until(lambda: answers(url), "the server", 120)
            post(url)
            link = next(word for word in printed.read_text().split() if "/set-password/" in word)

            def run(*words: str) -> subprocess.CompletedProcess[str]:
                return subprocess.run(
                    [sys.executable, "-m", "moderation", *words],
                    cwd=folder, env=environment, check=True, capture_output=True, text=True,
                )  # fmt: skip

            # answers the questions on the first page
            run("add-site", "default", "--hold", "suspects", "--origin", "https://blog.example.org")
            take(url, link)
            with browsers.browser() as browser:
                consolepictures.take(browser, url, run, Path(folder) / "data" / "models")
            with host_page(url) as host:
                allow = [sys.executable, "-m", "moderation", "add-site", "default", "--origin", host.url]
                subprocess.run(allow, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
                wait_until(lambda: allows(url, host.url), "the origin to be allowed")
                take_embed(host)
        finally:
            server.terminate()
            server.wait(30)


def post(url: str) -> None:
    first = ""
    for number, (name, words) in enumerate(COMMENTS):
        fields = {"name": name, "email": f"reader{number}@example.org", "body": words}
        if number == 2:
            fields["parent"] = first
        answer = httpx.post(f"{url}/sites/default/articles/{ARTICLE}/comments", json=fields).raise_for_status().json()
        print(answer["status"], name)
        if number == 1:
            first = answer["id"]


def take(url: str, link: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with browsers.browser() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        browsers.choose_password(page, link, PASSWORD)
        browsers.sign_in(page, "moderator@example.org", PASSWORD)
        smallpng.write(browser, page.screenshot(), IMAGES / "queue.png")
        page.goto(url)
        page.set_viewport_size({"width": 1280, "height": 1360})
        page.locator("#comments").evaluate("e => window.scrollTo(0, e.offsetTop - 24)")
        page.wait_for_load_state("networkidle")  # the avatars are drawn
        smallpng.write(browser, page.screenshot(), IMAGES / "demo.png")


def allows(url: str, origin: str) -> bool:
    answer = httpx.get(f"{url}/sites/default/counts?article=a", headers={"Origin": origin})
    return "access-control-allow-origin" in answer.headers


def take_embed(host: Host) -> None:
    """On a blog's page, with that page's own type: wide and light, narrow and dark, and from right to left."""
    host.pages["/ar.json"] = ("application/json", "", json.dumps(ARABIC))
    with browsers.browser() as browser:

        def opened(width: int, height: int, scheme: str, attributes: str = "", root: str = 'lang="en"') -> Page:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(host.page("/blue/", f'article="{ARTICLE}"{attributes}', root=root))
            page.locator("leave-a-reply .reply").wait_for()
            page.wait_for_load_state("networkidle")
            return page

        page = opened(1000, 900, "light")
        page.get_by_role("button", name="Reply to Tobias").click()
        page.get_by_role("textbox", name="Comment").fill("Ours does too, and nobody oils it.")
        page.evaluate("scrollTo(0, document.querySelector('leave-a-reply').offsetTop - 16)")
        smallpng.write(browser, page.screenshot(), IMAGES / "embed.png")

        page = opened(360, 720, "dark")
        page.locator("#reply-email").fill("not an address")
        page.get_by_role("button", name="Post Comment").click()
        page.locator("[aria-invalid]").first.wait_for()
        page.locator(".reply").evaluate("(e) => e.scrollIntoView()")
        smallpng.write(browser, page.screenshot(), IMAGES / "embed-dark.png")

        page = opened(360, 720, "light", ' texts="/ar.json"', 'lang="ar" dir="rtl"')
        for field, words in (("body", LINK), ("name", "Ann"), ("email", "ann@example.org")):
            page.locator(f"#reply-{field}").fill(words)
        page.get_by_role("button", name=ARABIC["send"]).click()
        page.locator(".held").wait_for()
        page.locator(".held").evaluate("(e) => scrollTo(0, e.getBoundingClientRect().top + scrollY - 240)")
        smallpng.write(browser, page.screenshot(), IMAGES / "embed-rtl.png")


if __name__ == "__main__":
    main()
