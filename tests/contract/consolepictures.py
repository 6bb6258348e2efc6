"""Every page of the console as a picture, for docs/console.md: taken by `tests.contract.screenshots` from its server."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pyotp
from playwright.sync_api import Browser, Locator, Page

from tests import browser as browsers
from tests import smallpng
from tests.conftest import ROOT, wait_until
from tests.policy import test_read_along as reading

FOLDER = ROOT / "docs" / "images" / "console"
EMAIL, PASSWORD = "moderator@example.org", "four unrelated garden words"
Run = Callable[..., "subprocess.CompletedProcess[str]"]
WAVE = "Hello friends, {} earned a fortune at home with this one weird trick, come and see it at https://riches{}.example/now"
WIDE, NARROW = {"width": 1180, "height": 860}, {"width": 390, "height": 844}


class Camera:
    """Wide and light, and where it is asked for narrow and dark too."""

    def __init__(self, browser: Browser, page: Page) -> None:
        self.browser, self.page = browser, page

    def take(self, name: str, *, narrow: bool = False, tallest: int = 1400, row: Locator | None = None) -> None:
        """`row`: of the narrow page only that row, whose box is what the picture is about."""
        kinds = [("", WIDE, "light")] + ([("-narrow", NARROW, "dark")] if narrow else [])
        for suffix, size, scheme in kinds:
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            height = min(tallest, self.page.evaluate("document.documentElement.scrollHeight"))
            if not self.page.evaluate("scrollY"):
                self.page.set_viewport_size({"width": size["width"], "height": max(400, height)})
            shown = row if row and suffix else self.page
            smallpng.write(self.browser, shown.screenshot(), FOLDER / f"{name}{suffix}.png")
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]


def post(url: str, body: str, name: str, **more: str) -> dict[str, str]:
    fields = {"name": name, "email": f"{name.split()[0].lower()}@readers.example", "body": body} | more
    answer = httpx.post(
        f"{url}/sites/default/articles/why-a-garden-needs-a-gate/comments", json=fields
    ).raise_for_status()
    found: dict[str, str] = answer.json()
    return found


def take(browser: Browser, url: str, run: Run, models: Path) -> None:
    """Once everybody has written; it writes more, and decides."""
    for file in FOLDER.glob("*.png"):
        file.unlink()
    reading.candidate(models, "stern", toxicity=5.0)
    run("read-along", "start", "--model", "stern")
    post(url, "The squeak is half of the charm, if you ask me.", "Nora Lind")
    post(url, "Ours is painted blue, and the postman approves.", "Yusuf")
    for n, who in enumerate(("Ann", "Bob", "Cleo", "Dora")):
        post(url, WAVE.format(who, n), who)
    page = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
    page.set_default_timeout(120_000)
    camera = Camera(browser, page)
    doors(camera, url, run)
    the_queue(camera, url, run)
    shared_work(camera, url)
    one_comment(camera, url)
    an_author(camera, url)
    rules_and_figures(camera, url)
    people(camera, url)


def doors(camera: Camera, url: str, run: Run) -> None:
    page = camera.page
    link = next(word for word in run("set-password", EMAIL).stdout.split() if "/set-password/" in word)
    page.goto(link)
    camera.take("set-password")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.wait_for_url("**/moderate/login")
    camera.take("signin", narrow=True)
    page.goto(link)
    camera.take("link-over")
    page.goto(f"{url}/moderate/login")
    browsers.sign_in(page, EMAIL, PASSWORD)


def the_queue(camera: Camera, url: str, run: Run) -> None:
    page = camera.page
    rows = page.locator("[data-row]")
    page.goto(f"{url}/moderate?order=newest")
    page.keyboard.press("j")
    camera.take("queue", narrow=True)
    page.goto(f"{url}/moderate")
    row = rows.filter(has_text="pathetic")
    row.focus()
    page.keyboard.press("v")
    camera.take("queue-why", narrow=True, tallest=760)
    page.keyboard.press("v")
    page.locator("[data-wave]").click()
    page.get_by_role("heading", name="A wave of 4").wait_for()
    camera.take("wave", narrow=True, tallest=760)
    page.goto(f"{url}/moderate")
    row = rows.filter(has_text="allotment")
    row.focus()
    page.keyboard.press("r")
    camera.take("queue-reject", narrow=True, row=row, tallest=760)
    page.keyboard.press("Escape")
    row.focus()
    page.keyboard.press("b")
    camera.take("queue-block", narrow=True, tallest=760)
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.keyboard.type("Thank you, Ines! I have put the rota beside the article.")
    page.get_by_label("Your name").fill("Marta, who tends the gate")
    camera.take("queue-reply", narrow=True, row=row, tallest=760)
    page.keyboard.press("Control+Enter")
    page.get_by_text("Your reply is published").first.wait_for()
    camera.take("queue-undo", tallest=760)
    page.keyboard.press("?")
    page.get_by_role("heading", name="Keyboard").wait_for()
    camera.take("keyboard", tallest=760)
    page.keyboard.press("Escape")
    page.goto(f"{url}/moderate?q=zeppelin")
    camera.take("queue-nothing")
    page.goto(f"{url}/moderate")
    rows.filter(has_text="replica").focus()
    page.keyboard.press("s")
    page.get_by_text("1 comment filed as spam").first.wait_for()
    page.locator("#queue:not([data-sending])").wait_for()
    page.goto(f"{url}/moderate?status=spam")
    camera.take("spam")
    page.get_by_role("link", name="Empty the spam folder").click()
    camera.take("empty")


def shared_work(camera: Camera, url: str) -> None:
    """What a team shares of the queue: saved lists, snoozes, assignments, and one decision on all that match."""
    page = camera.page
    page.goto(f"{url}/moderate?rule=stranger-with-link&order=newest")
    page.get_by_text("Save as a tab").click()
    page.get_by_label("Name", exact=True).fill("Links of strangers")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Edit saved filters").click()
    page.get_by_role("heading", name="Saved filters").wait_for()
    camera.take("filters", narrow=True)
    page.goto(f"{url}/moderate")
    rows = page.locator("[data-row]")
    rows.filter(has_text="borage").focus()
    page.keyboard.press("m")
    page.get_by_text("Assigned to you").first.wait_for()
    page.keyboard.press("h")
    camera.take("queue-snooze", narrow=True, tallest=760)
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+X")
    camera.take("queue-ticked", narrow=True, tallest=760)
    page.keyboard.press("Shift+M")
    page.get_by_role("heading", name="that match").wait_for()
    camera.take("matching", narrow=True)
    page.goto(f"{url}/moderate")
    rows.filter(has_text="borage").get_by_text("More").click()
    page.get_by_role("link", name="Assign to somebody").click()
    page.get_by_role("heading", name="Assign the comment").wait_for()
    camera.take("assign")


def one_comment(camera: Camera, url: str) -> None:
    page = camera.page
    told = post(url, "You can reach me at 0170 5554433221, or here: https://borage.example/", "Paul Okoro")
    page.goto(f"{url}/moderate/comments/{told['id']}/redact")
    page.get_by_label("The piece to remove").fill("0170 5554433221")
    camera.take("redact", narrow=True)
    page.get_by_role("button", name="Remove it for good").click()
    page.get_by_text("nothing of it is kept").first.wait_for()
    page.goto(f"{url}/moderate/comments/{told['id']}")
    page.get_by_label("Reason if rejected").select_option("advertising")
    page.locator("#note").fill("Is this a shop? Tell us, and we look again.")
    page.get_by_role("button", name="Reject", exact=True).click()
    page.get_by_text("1 comment rejected").first.wait_for()
    page.goto(told["receipt"])
    page.get_by_label("Why it should be published").fill("It is my own garden's page, and I sell nothing.")
    camera.take("receipt", narrow=True)
    page.get_by_role("button", name="Send").click()
    page.goto(f"{url}/moderate/comments/{told['id']}")
    camera.take("comment", narrow=True)
    page.goto(f"{url}/moderate/comments/{told['id']}/reply")
    camera.take("reply")
    page.goto(f"{url}/moderate/comments/{'0' * 26}")
    camera.take("problem")


def an_author(camera: Camera, url: str) -> None:
    page = camera.page
    post(url, "The hinge, the latch and the paint: what a gate costs in ten years.", "Rosa Brandt")
    post(
        url,
        "My page on hinges has all the prices: https://hinges.example/prices",
        "Rosa B.",
        email="rosa@readers.example",
    )
    told = post(url, "Whoever oils a hinge with butter is an idiot.", "Rosa Brandt")
    page.goto(f"{url}/moderate/comments/{told['id']}")
    page.get_by_role("button", name="Reject", exact=True).click()
    page.get_by_text("1 comment rejected").first.wait_for()
    page.get_by_text("More", exact=False).first.click()
    page.get_by_label("Block for").select_option("week")
    page.get_by_label("because").fill("Insults after two warnings")
    page.get_by_role("button", name="Block the author").click()
    page.get_by_text("The author is blocked").first.wait_for()
    page.get_by_role("link", name="Everything by this author").click()
    page.get_by_label("A note on the author").fill("Rang us up: means well, writes in haste.")
    page.get_by_role("button", name="Add the note").click()
    page.locator("#notes li").wait_for()
    page.goto(f"{url}/moderate/comments/{told['id']}/author")
    camera.take("author", narrow=True)
    page.goto(f"{url}/moderate/blocks")
    camera.take("blocks", narrow=True)


def rules_and_figures(camera: Camera, url: str) -> None:
    page = camera.page
    page.goto(f"{url}/moderate/policy")
    camera.take("policy", narrow=True)
    page.locator("#policy-max_links").fill("1")
    page.get_by_role("button", name="See what would change").click()
    page.wait_for_url("**/moderate/what-if")
    camera.take("what-if")
    for name in ("rules", "stats", "history"):
        page.goto(f"{url}/moderate/{name}")
        camera.take(name, narrow=name == "history", tallest=1000)

    def has_read() -> bool:
        page.goto(f"{url}/moderate/what-if")
        return page.get_by_role("region", name="Examples").count() == 1

    wait_until(has_read, "the candidate to read along", 90)
    camera.take("read-along", narrow=True)
    page.goto(f"{url}/moderate/mail")
    page.get_by_role("button", name="Send a test mail to me").click()
    page.get_by_text("The mail server has taken it.").wait_for()
    camera.take("mail", narrow=True)


def people(camera: Camera, url: str) -> None:
    page = camera.page
    page.goto(f"{url}/moderate/moderators")
    page.get_by_label("Email").fill("eve@moderators.example")
    page.get_by_role("button", name="Invite").click()
    page.get_by_label("What it is for").fill("The newsroom's script")
    page.get_by_label("moderate", exact=True).check()
    page.get_by_role("button", name="Make a token").click()
    page.get_by_text("This is the new token.").wait_for()
    camera.take("moderators", narrow=True)
    page.goto(f"{url}/moderate/account")
    camera.take("account", narrow=True)
    page.get_by_label("Your password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Turn it on").click()
    camera.take("account-second-factor")
    secret = page.locator(".key").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).at(int(time.time())))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_text("These are your recovery codes").wait_for()
    camera.take("account-recovery-codes")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="The second step").wait_for()
    camera.take("signin-code")


def pictures() -> list[Path]:
    return sorted(FOLDER.glob("*.png"))
