"""The mail settings tried from the console: by an administrator, to their own address, with nothing secret shown or kept."""

from __future__ import annotations

import logging

import httpx
import pytest

from classifier.serving import Classifier
from moderation.app import create_app
from moderation.settings import Settings
from tests.conftest import Clock, Service, changed
from tests.html import Page
from tests.outbox.postbox import postbox
from tests.policy.test_settings import signed_in

pytestmark = pytest.mark.anyio
PAGE = "/moderate/mail"


async def test_without_settings_it_says_which_are_missing(service: Service) -> None:
    assert (await service.client.get(PAGE)).status_code == 303
    await signed_in(service, "moderator")
    assert (await service.client.get(PAGE)).status_code == 403
    csrf = await signed_in(service, "administrator")
    assert "MODERATION_SMTP_URL" in (await service.client.get(PAGE)).text
    assert Page((await service.client.get("/moderate/moderators")).text).has('a[href="/moderate/mail"]')
    tried = await service.client.post(PAGE, data={"csrf_token": csrf})
    assert tried.status_code == 200 and "not set up" in tried.text


async def test_a_test_mail_goes_to_whoever_presses_and_the_answer_is_shown(
    settings: Settings, classifier: Classifier, caplog: pytest.LogCaptureFixture
) -> None:
    with postbox(login=True) as box, caplog.at_level(logging.DEBUG):
        mailed = changed(settings, smtp_url=box.url, mail_from="Garden <comments@garden.example>")
        app = create_app(mailed, classifier=classifier, clock=Clock(), say=lambda text: None)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://comments.test")
        async with app.router.lifespan_context(app), client:
            service = Service(app, client, Clock(), mailed)
            csrf = await signed_in(service, "moderator")
            assert (await client.post(PAGE, data={"csrf_token": csrf})).status_code == 403
            csrf = await signed_in(service, "administrator")
            shown = (await client.get(PAGE)).text
            assert (
                "127.0.0.1:" in shown and "comments@garden.example" in shown and "with a name and a password" in shown
            )
            assert (await client.post(PAGE, data={"csrf_token": "forged"})).status_code == 403 and not box.got
            taken = await client.post(PAGE, data={"csrf_token": csrf, "address": "eve@mail.example"})
            assert taken.status_code == 200 and "The mail server has taken it." in taken.text
            assert [mail["To"] for mail in box.mails] == ["administrator@garden.example"]
            box.rcpt = {"administrator@garden.example": ["550 5.1.1 administrator@garden.example is unknown here"]}
            refused = (await client.post(PAGE, data={"csrf_token": csrf})).text
            assert "refuses the recipient (550). It says: “5.1.1 … is unknown here”" in refused
            log = (await client.get("/api/v1/audit", headers=await service.token())).json()["entries"]
            tries = [e["detail"] for e in log if e["action"] == "mail:test"]
            assert sorted(tries, key=str) == [{"taken": False}, {"taken": True}]
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("moderation"))
    for text in (shown, taken.text, refused, ours, str(log)):
        assert "p@ss" not in text and "relay.example" not in text and "p%40ss" not in text
    assert "garden.example" not in ours + str(log)
