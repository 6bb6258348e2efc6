"""A guest's receipt, through HTTP: what it says, what it lets its holder do, and what it never tells."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.conftest import Service, forged
from tests.html import Page

pytestmark = pytest.mark.anyio

PAGE = {"Accept": "text/html,*/*;q=0.8"}
JSON = {"Accept": "application/json"}
SPAM = (
    "Buy cheap viagra online, cialis, xanax, no prescription! Online casino bonus, free spins, payday loans, "
    "cheap replica handbags outlet http://pills.example"
)


def path_of(told: dict[str, Any]) -> str:
    receipt: str = told["receipt"]
    return receipt.removeprefix("http://comments.test")


async def read(service: Service, path: str) -> dict[str, Any]:
    answer = await service.client.get(path, headers=JSON)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def decide(service: Service, id: str, action: str, note: str = "") -> None:
    who = await service.token()
    sent = {"comments": [id], "action": action, "note": note}
    answer = await service.client.post("/api/v1/decisions", json=sent, headers=who)
    assert answer.status_code == 200, answer.text


def is_private(answer: httpx.Response) -> bool:
    headers = answer.headers
    return (
        "noindex" in headers["x-robots-tag"]
        and headers["referrer-policy"] == "no-referrer"
        and headers["cache-control"] == "no-store"
    )


async def test_published_or_held_both_get_one_that_says_so(service: Service) -> None:
    published, held = (await service.post()).json(), (await service.post(body="See https://a.example/")).json()
    for told, status, words in (
        (published, "approved", "Your comment is published."),
        (held, "pending", "Your comment is awaiting moderation."),
    ):
        assert (await read(service, path_of(told)))["status"] == status
        page = await service.client.get(path_of(told), headers=PAGE)
        assert page.status_code == 200 and Page(page.text).text("h1") == words


async def test_what_was_filed_as_spam_cannot_be_told_from_what_waits(service: Service) -> None:
    spam, held = (await service.post(body=SPAM)).json(), (await service.post(body="See https://a.example/")).json()
    who = await service.token()
    assert (await service.client.get(f"/api/v1/comments/{spam['id']}", headers=who)).json()["status"] == "spam"
    told = [await read(service, path_of(one)) for one in (spam, held)]
    assert [one["status"] for one in told] == ["pending", "pending"]
    own = {"id", "body", "text", "html", "created_at", "edit_until"}
    assert {k: v for k, v in told[0].items() if k not in own} == {k: v for k, v in told[1].items() if k not in own}
    pages = [(await service.client.get(path_of(one), headers=PAGE)).text for one in (spam, held)]
    # every element but the links of the text, with the names of its attributes
    shapes = [[(e.name, list(e.attrs)) for e in Page(page).all(":not(.said a)")] for page in pages]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("action", "note", "status", "reason"),
    [
        ("approve", "fine", "approved", None),
        ("reject", "Please, no advertising.", "rejected", "Please, no advertising."),
        ("reject", "", "rejected", None),
        ("spam", "an inner note", "rejected", None),
        ("delete", "an inner note", "rejected", None),
        ("hold", "an inner note", "pending", None),
    ],
)
async def test_only_a_persons_rejection_shows_its_reason(
    service: Service, action: str, note: str, status: str, reason: str | None
) -> None:
    told = (await service.post(body="See https://a.example/")).json()
    await decide(service, told["id"], action, note)
    receipt = await read(service, path_of(told))
    assert (receipt["status"], receipt["reason"]) == (status, reason)
    page = await service.client.get(path_of(told), headers=PAGE)
    assert ("no advertising" in page.text) == bool(reason)
    assert "inner note" not in page.text


async def test_its_holder_may_change_the_comment_for_15_minutes(service: Service) -> None:
    told = (await service.post()).json()
    path = path_of(told)
    edited = await service.client.post(path, data={"act": "edit", "body": "Kinder *still*."})
    assert (edited.status_code, edited.headers["location"]) == (303, f"{path}?saved")
    assert is_private(edited)
    receipt = await read(service, path)
    assert (receipt["body"], receipt["status"]) == ("Kinder *still*.", "approved")
    assert [v["body"].startswith("A kind word") for v in receipt["versions"]] == [True]
    empty = await service.client.post(path, data={"act": "edit", "body": " "}, headers=PAGE)
    assert empty.status_code == 422 and "Please type your comment" in empty.text and is_private(empty)
    service.clock.forward(minutes=16)
    late = await service.client.post(path, data={"act": "edit", "body": "Too late."}, headers=PAGE)
    assert late.status_code == 403 and "15 minutes" in late.text
    assert not Page((await service.client.get(path, headers=PAGE)).text).has("textarea")
    assert (await service.thread())["comments"][0]["text"] == "Kinder *still*."


async def test_its_holder_may_withdraw_it(service: Service) -> None:
    told = (await service.post()).json()
    path = path_of(told)
    assert (await service.client.post(path, data={"act": "withdraw"})).status_code == 303
    assert (await service.thread())["count"] == 0
    page = await service.client.get(path + "?saved", headers=PAGE)
    assert page.status_code == 200 and Page(page.text).text("h1") == "You have withdrawn your comment."
    assert (await read(service, path))["status"] == "withdrawn"
    for act in ("withdraw", "edit"):
        again = await service.client.post(path, data={"act": act, "body": "Back?"}, headers=PAGE)
        assert again.status_code == 404
    assert (await service.thread())["count"] == 0


async def test_its_holder_may_end_the_mails_about_it_at_any_time(service: Service) -> None:
    services = service.services
    told, other = (await service.post()).json(), (await service.post()).json()
    async with services.database.transaction() as tx:  # as the box does where mail is set up
        await tx.execute("UPDATE comments SET notify = 1")
    path = path_of(told)
    service.clock.forward(hours=50)
    assert "No more mails about this comment" in (await service.client.get(path, headers=PAGE)).text
    revision = (await read_as_moderator(service, told["id"]))["revision"]
    for _ in range(2):  # twice is once
        assert (await service.client.post(path, data={"act": "unsubscribe"})).status_code == 303
    assert (await read(service, path))["notify"] is False
    assert "No more mails" not in (await service.client.get(path, headers=PAGE)).text
    assert (await read(service, path_of(other)))["notify"] is True
    assert (await read_as_moderator(service, told["id"]))["revision"] == revision
    who = await service.token()
    entries = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    assert [e["subject"] for e in entries if e["action"] == "comment:unsubscribe"] == [told["id"]]


async def read_as_moderator(service: Service, id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await service.client.get(f"/api/v1/comments/{id}", headers=await service.token())).json()
    return found


async def test_the_data_of_the_comment_is_a_file_and_on_the_page_without_the_email(service: Service) -> None:
    told = (await service.post(email="ann.secret@example.org", url="https://ann.example/", name="Ann Ó")).json()
    path = path_of(told)
    file = await service.client.get(path + "/data")
    assert file.headers["content-disposition"] == f'attachment; filename="comment-{told["id"]}.json"'
    assert file.headers["content-type"] == "application/json" and is_private(file)
    data = json.loads(file.content)
    assert data == await read(service, path)
    assert (data["name"], data["url"], data["status"]) == ("Ann Ó", "https://ann.example/", "approved")
    page = await service.client.get(path, headers=PAGE)
    shown = Page(page.text)
    assert "https://ann.example/" in shown.texts("dl.data dd") and shown.has(f'a[href="{path}/data"]')
    for answer in (file, page):
        assert "ann.secret" not in answer.text and "203.0.113" not in answer.text
    assert not {"scores", "verdict", "reasons", "email"} & set(data)


async def test_wordpress_form_gives_one_too_and_an_edit_by_it_stays_html(service: Service) -> None:
    fields = {
        "author": "Ann",
        "email": "ann@example.org",
        "comment": 'A <b>kind</b> word, see <a href="https://a.example/">here</a>',
        "comment_post_ID": "12",
    }
    held = await service.client.post("/sites/default/wp-comments-post.php", data=fields)
    path = held.headers["location"].removeprefix("http://comments.test")
    receipt = await read(service, path)
    assert (receipt["status"], receipt["format"]) == ("pending", "html")
    page = Page((await service.client.get(path, headers=PAGE)).text)
    assert page.text(".said > p") == "A kind word, see here" and page.text(".said > p > b") == "kind"
    assert page.value("body") == fields["comment"] and fields["comment"] in page.texts("dl.data dd")
    assert (await service.client.post(path, data={"act": "edit", "body": "Only <i>this</i> & that"})).status_code == 303
    assert (await read(service, path))["html"] == "<p>Only <i>this</i> &amp; that</p>\n"


async def test_a_forged_one_is_not_found_and_that_of_an_erased_comment_is_gone(service: Service) -> None:
    told = (await service.post(email="erase.me@example.org")).json()
    path = path_of(told)
    paths = {forged(path): 404, "/receipts/" + told["id"]: 404, "/receipts/" + "0" * 50: 404, path: 410}
    who = await service.token("privacy")
    erased = await service.client.post("/api/v1/privacy/erase", json={"email": "erase.me@example.org"}, headers=who)
    assert erased.json() == {"erased": 1}
    for asked, status in paths.items():
        for answer in (
            await service.client.get(asked, headers=PAGE),
            await service.client.get(asked, headers=JSON),
            await service.client.get(asked + "/data"),
            await service.client.post(asked, data={"act": "withdraw"}, headers=PAGE),
            await service.client.post(asked, data={"act": "edit", "body": "Back from the dead"}, headers=PAGE),
        ):
            assert answer.status_code == status and is_private(answer)
    page = await service.client.get(path, headers=PAGE)
    assert "has been erased" in page.text and page.headers["content-type"].startswith("text/html")
    assert (await service.client.get(path, headers=JSON)).json()["code"] == "gone"


async def test_it_speaks_the_readers_language(service: Service) -> None:
    path = path_of((await service.post(body="See https://a.example/")).json())
    answer = await service.client.get(path, headers=PAGE | {"Accept-Language": "zh-CN,zh;q=0.9"})
    page = Page(answer.text)
    assert page.has('html[lang="zh-Hans"]') and page.text("h1") == "您的评论正在等待审核。"
    assert "Withdraw" not in answer.text and "Download" not in answer.text


@pytest.mark.parametrize("act", ["", "approve", "delete"])
async def test_another_act_is_refused(service: Service, act: str) -> None:
    path = path_of((await service.post()).json())
    answer = await service.client.post(path, data={"act": act}, headers=PAGE)
    assert answer.status_code == 422
    assert (await read(service, path))["status"] == "approved"


async def test_the_page_and_every_answer_are_private(service: Service) -> None:
    path = path_of((await service.post()).json())
    for headers in (PAGE, JSON, {}):
        assert is_private(await service.client.get(path, headers=headers))
