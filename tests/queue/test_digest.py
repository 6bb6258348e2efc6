"""The digest: each moderator's own choice, on the account's page or by the mail's own button."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from moderation.queue import digest
from moderation.settings import Settings
from tests.conftest import Service, changed, forged
from tests.html import Page
from tests.outbox.postbox import Postbox
from tests.policy.test_settings import signed_in

pytestmark = pytest.mark.anyio
ACCOUNT = "/moderate/account"


@pytest.fixture
def settings(settings: Settings, box: Postbox) -> Settings:
    return changed(settings, smtp_url=box.url, mail_from="Garden <comments@garden.example>", digest_hours=0)


async def digested(service: Service, box: Postbox) -> int:
    """How many mails one round sends."""
    before = len(box.mails)
    service.clock.forward(hours=25)
    await digest.digest(service.services.database, service.clock())
    await service.services.outbox.all_due()
    return len(box.mails) - before


async def acts(service: Service) -> list[str]:
    entries = (await service.client.get("/api/v1/audit", headers=await service.token())).json()["entries"]
    return [entry["action"] for entry in entries if entry["action"].startswith("digest:")]


async def test_one_click_ends_it_and_the_account_brings_it_back(service: Service, box: Postbox) -> None:
    csrf = await signed_in(service, "moderator")
    await service.held()
    assert await digested(service, box) == 1
    mail = box.mails[-1]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = urlsplit(str(mail["List-Unsubscribe"]).strip("<>")).path
    assert "Stop this mail" in text_of(box) and link in text_of(box)
    service.client.cookies.clear()  # a mail program has none
    page = await service.client.get(link)
    assert page.status_code == 200 and "Stop these mails" in page.text and "garden.example" not in page.text
    assert await digested(service, box) == 1, "looking ends nothing"
    for _ in range(2):
        answer = await service.client.post(link, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200 and "Mail me again" in answer.text
    assert await digested(service, box) == 0
    assert await acts(service) == ["digest:stop"]
    wrong = (forged(link), link.replace("/digests/", "/subscriptions/"))
    for path in wrong:
        assert (await service.client.post(path, data={"List-Unsubscribe": "One-Click"})).status_code == 404
    assert (await service.client.post(link, data={"act": "all"})).status_code == 422
    assert (await service.client.post(link, data={"act": "start"})).status_code == 303
    assert await digested(service, box) == 1 and csrf


async def test_the_account_has_the_choice_and_what_waits_to_go_out_obeys_it(service: Service, box: Postbox) -> None:
    csrf = await signed_in(service, "moderator")
    await service.held()
    form = {"csrf_token": csrf, "act": "digest"}
    assert Page((await service.client.get(ACCOUNT)).text).has('[name="digest"][value="1"][checked]')
    await digest.digest(service.services.database, service.clock())
    assert (await service.client.post(ACCOUNT, data=form)).status_code == 303
    page = Page((await service.client.get(f"{ACCOUNT}?done=digest")).text)
    assert page.has('[name="digest"][value="1"]:not([checked])') and "Your choice of mails is saved." in page.text()
    await service.services.outbox.all_due()
    assert box.mails == []
    assert await digested(service, box) == 0
    assert (await service.client.post(ACCOUNT, data=form | {"digest": "1"})).status_code == 303
    assert await acts(service) == ["digest:start", "digest:stop"]


def text_of(box: Postbox) -> str:
    body = box.mails[-1].get_body(("plain",))
    assert body
    return str(body.get_content()).replace("\r\n", "\n")


async def test_it_names_articles_and_people_and_leads_to_each_comment(service: Service, box: Postbox) -> None:
    await signed_in(service, "moderator")
    put = {"title": "Beans in May", "url": "https://blog.example/beans/"}
    articles = await service.token("articles")
    assert (await service.client.put("/sites/default/articles/beans", json=put, headers=articles)).is_success
    titled = await service.held("beans", name="Zoë Q. Baum")
    proposed = await service.held("peas", name="Bob", page={"title": "Peas & Co.", "url": "https://blog.example/peas/"})
    bare = await service.held("leeks", name="Cleo")
    assert await digested(service, box) == 1
    text = text_of(box)
    for id, name, title in (
        (titled, "Zoë Q. Baum", "Beans in May"),
        (proposed, "Bob", "Peas & Co."),
        (bare, "Cleo", "leeks"),
    ):
        before = text.split(f"/moderate/comments/{id}\n")[0].rstrip().splitlines()[-2]
        assert before.startswith(f"{name} on {title}, "), before
    assert str(box.mails[-1]["Subject"]) == "3 comments wait on My site"


async def test_it_is_in_the_language_of_the_site(service: Service, box: Postbox) -> None:
    await signed_in(service, "moderator")
    rules = await service.client.put(
        "/api/v1/sites/default/rules", json={"language": "zh-Hans"}, headers=await service.token("moderate")
    )
    assert rules.status_code == 200, rules.text
    id = await service.held("beans", name="安娜")
    assert await digested(service, box) == 1
    assert str(box.mails[-1]["Subject"]) == "My site：1 条评论待审核"
    assert "安娜，《beans》，" in text_of(box) and f"/moderate/comments/{id}" in text_of(box)
    html = box.mails[-1].get_body(("html",))
    assert html and Page(html.get_content()).has('html[lang="zh-Hans"]')
