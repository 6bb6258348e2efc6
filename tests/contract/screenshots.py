"""The pictures in the docs, taken from a real server on a temporary folder:

.venv/bin/python -m tests.contract.screenshots    writes docs/images/demo.png and docs/images/queue.png
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from tests import browser as browsers
from tests.conftest import ROOT, answers, free_port, wait_until

IMAGES = ROOT / "docs" / "images"
PASSWORD = "four unrelated garden words"
ARTICLE = "why-a-garden-needs-a-gate"
COMMENTS = [
    ("Marta Lindqvist", "The part about the unattended gate hit home. We closed comments last year because nobody looked up when it clicked."),
    ("Tobias", "My grandfather's gate squeaked. He said it saved him a *doorbell*, and he never oiled it."),
    ("Marta Lindqvist", "Squeaking as a feature! I will tell our plumber."),
    ("Ines Okafor", "I wrote down how we do it at our allotment, with the rota and all: https://allotment.example/gate-rota"),
    ("Dan", "What a stupid, pathetic article. Only an idiot could write this garbage, and you are one."),
    ("Luxury Watches", "Best replica watches, 80% off today only! Order now at https://watches.example and get free shipping!"),
    ("Priya N.", "Is the blue flower borage? There is a good page on it here: https://flowers.example/borage"),
]  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
        environment |= {"PYTHONPATH": str(ROOT), "MODERATION_PORT": str(port), "MODERATION_DEMO": "true"}
        printed = Path(folder) / "printed"
        with printed.open("w") as out:
            command = [sys.executable, "-m", "moderation", "serve"]
            server = subprocess.Popen(command, cwd=folder, env=environment, stdout=out)
        try:
            wait_until(lambda: answers(url), "the server")
            post(url)
            link = next(word for word in printed.read_text().split() if "/set-password/" in word)
            take(url, link)
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
        page.screenshot(path=IMAGES / "queue.png")
        page.goto(url)
        page.set_viewport_size({"width": 1280, "height": 1360})
        page.locator("#comments").evaluate("e => window.scrollTo(0, e.offsetTop - 24)")
        page.wait_for_load_state("networkidle")  # the avatars are drawn
        page.screenshot(path=IMAGES / "demo.png")
    for image in ("demo.png", "queue.png"):
        print(image, (IMAGES / image).stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
