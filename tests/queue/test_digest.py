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
    words = mail.get_body(("plain",))
    assert words and "Stop this mail" in words.get_content() and link in words.get_content()
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
