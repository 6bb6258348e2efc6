"""Mails about replies: asked once, told only who said yes, ended with one click; nobody can be flooded or spied on."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx
import pytest

from moderation.outbox import store as outbox
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import Site
from tests.conftest import Service, changed, forged
from tests.html import Page
from tests.outbox.postbox import Postbox

pytestmark = pytest.mark.anyio
ANN, BOB = "ann@mail.example", "bob@mail.example"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def settings(settings: Settings, box: Postbox) -> Settings:
    return changed(settings, smtp_url=box.url, mail_from="Garden <comments@garden.example>", digest_hours=0)


async def delivered(service: Service, box: Postbox) -> list[tuple[str, str]]:
    """(recipient, subject) of the mails that came since the last time it was asked."""
    await service.services.outbox.all_due()
    found = [(mail["To"].addresses[0].addr_spec, str(mail["Subject"])) for mail in box.mails]
    seen = service.said.count("mail")
    service.said += ["mail"] * (len(found) - seen)
    return found[seen:]


def link_in(box: Postbox) -> str:
    """The path that the last mail leads to."""
    body = box.mails[-1].get_body(("plain",))
    assert body
    (found,) = re.findall(r"https?://\S+/subscriptions/\S+", body.get_content())
    return urlsplit(found).path


async def confirmed(service: Service, box: Postbox, email: str = ANN, **more: str) -> str:
    """The id of a comment of theirs that wants to hear of replies, from an address that has said yes."""
    first = (await service.post(email=email, notify=True, **more)).json()["id"]
    assert len(await delivered(service, box)) == 1
    await service.client.post(link_in(box), data={"act": "confirm"})
    return str(first)


async def test_an_address_is_asked_once_and_told_only_after_it_said_yes(service: Service, box: Postbox) -> None:
    first = (await service.post(email=ANN, name="Ann", notify=True, body="What do you think?")).json()["id"]
    ((to, subject),) = await delivered(service, box)
    assert to == ANN and "My site" in subject
    await service.post(email=ANN, name="Ann", notify=True)
    await service.post(email=BOB, parent=first)
    assert await delivered(service, box) == [], "nothing more until it is confirmed"

    link = link_in(box)
    page = await service.client.get(link)
    assert page.status_code == 200 and "Yes, mail me" in page.text and ANN not in page.text
    await service.post(email=BOB, parent=first)
    assert await delivered(service, box) == [], "looking at the page confirms nothing"
    assert (await service.client.post(link, data={"act": "confirm"})).status_code == 303
    reply = await service.post(email=BOB, name="Bob", parent=first, body="I *quite* agree.")
    assert reply.status_code == 201
    ((to, subject),) = await delivered(service, box)
    mail = box.mails[-1]
    words = mail.get_body(("plain",))
    assert words
    text = words.get_content()
    assert to == ANN and "Bob" in text and "agree" in text and BOB not in text
    assert f"parent={reply.json()['id']}" in text
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" and mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<reply.{reply.json()['id']}@comments.test>"


async def test_a_reply_is_told_when_a_moderator_approves_it_and_only_once(service: Service, box: Postbox) -> None:
    first = await confirmed(service, box)
    held = await service.held(email=BOB, parent=first)
    assert await delivered(service, box) == []
    who = await service.token()
    decided = {"comments": [held], "action": "approve"}
    decision = (await service.client.post("/api/v1/decisions", json=decided, headers=who)).json()["id"]
    assert len(await delivered(service, box)) == 1
    await service.client.post(f"/api/v1/decisions/{decision}/undo", headers=who)
    await service.client.post("/api/v1/decisions", json=decided, headers=who)
    assert await delivered(service, box) == []


async def test_what_is_taken_back_before_the_mail_goes_is_not_told(service: Service, box: Postbox) -> None:
    first = await confirmed(service, box)
    reply = (await service.post(email=BOB, parent=first)).json()
    async with service.services.database.reading() as session:
        waiting = await outbox.counts(session)
    place = f"/sites/default/articles/post/comments/{reply['id']}"
    gone = await service.client.delete(place, headers={"Edit-Token": reply["edit_token"]})
    assert gone.status_code == 204 and waiting["waiting"] == 1
    assert await delivered(service, box) == []
    async with service.services.database.reading() as session:
        assert await outbox.counts(session) == {"waiting": 0, "failed": 0}


async def test_nobody_is_told_of_their_own_reply_or_without_the_box(service: Service, box: Postbox) -> None:
    first = await confirmed(service, box)
    await service.post(email=ANN, parent=first)
    plain = (await service.post(email=ANN)).json()["id"]
    await service.post(email=BOB, parent=plain)
    await service.post(email=BOB)
    assert await delivered(service, box) == []


async def test_one_click_ends_it_without_cookie_token_or_redirect(service: Service, box: Postbox) -> None:
    first = await confirmed(service, box)
    await service.post(email=BOB, parent=first)
    assert len(await delivered(service, box)) == 1
    header = str(box.mails[-1]["List-Unsubscribe"])
    link = urlsplit(header.strip("<>")).path
    await service.client.get(link)
    await service.post(email=BOB, parent=first)
    assert len(await delivered(service, box)) == 1, "a mail program that only looks ends nothing"
    answer = await service.client.post(link, data=ONE_CLICK)
    assert answer.status_code == 200
    await service.post(email=BOB, parent=first)
    assert await delivered(service, box) == []
    as_parts = await service.client.post(link, files={"List-Unsubscribe": (None, "One-Click")})
    assert as_parts.status_code == 200


async def test_who_ended_it_may_ask_again_and_who_refused_is_never_asked(service: Service, box: Postbox) -> None:
    await confirmed(service, box)
    link = link_in(box)
    await service.client.post(link, data={"act": "end"})
    await service.post(email=ANN, notify=True)
    assert await delivered(service, box) == [], "at most one question a day"
    service.clock.forward(hours=25)
    await service.post(email=ANN, notify=True)
    assert len(await delivered(service, box)) == 1
    await service.client.post(link, data={"act": "refuse"})
    service.clock.forward(hours=25)
    await service.post(email=ANN, notify=True)
    assert await delivered(service, box) == []


async def test_a_yes_is_taken_once_and_within_a_week(service: Service, box: Postbox) -> None:
    await service.post(email=ANN, notify=True)
    await delivered(service, box)
    link, yes = link_in(box), {"act": "confirm"}
    service.clock.forward(hours=7 * 24)
    page = await service.client.get(link)
    assert "the question is over" in page.text and "Yes, mail me" not in page.text
    assert (await service.client.post(link, data=yes)).status_code == 410
    await service.post(email=ANN, notify=True)
    assert len(await delivered(service, box)) == 1, "another comment asks anew"
    for _ in range(2):  # a double click
        assert (await service.client.post(link, data=yes)).status_code == 303
    # the link of every later mail ends the mails, and whoever gets hold of one cannot start them again
    await service.client.post(link, data=ONE_CLICK)
    page = await service.client.get(link)
    assert "You get no mails" in page.text and "Yes, mail me" not in page.text
    assert (await service.client.post(link, data=yes)).status_code == 410
    assert "You get no mails" in (await service.client.get(link)).text


async def test_the_button_of_an_old_mail_does_not_weaken_a_never(service: Service, box: Postbox) -> None:
    await confirmed(service, box)
    link = link_in(box)
    await service.client.post(link, data={"act": "refuse"})
    assert (await service.client.post(link, data=ONE_CLICK)).status_code == 200
    service.clock.forward(hours=25)
    await service.post(email=ANN, notify=True)
    assert await delivered(service, box) == []
    page = await service.client.get(link)
    assert "will not be asked again" in page.text and "Yes, mail me" not in page.text
    await service.client.post(link, data={"act": "end"})  # a slip can be mended: it starts nothing but a question
    await service.post(email=ANN, notify=True)
    assert len(await delivered(service, box)) == 1


async def test_an_address_is_asked_once_a_day_over_all_sites(service: Service, box: Postbox) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="garden", name="Garden"), service.clock())
    service.services.directory.forget()
    await service.post(email=ANN, notify=True)
    await service.post(email=ANN, notify=True, site="garden")
    await service.post(email=ANN, notify=True)
    assert len(await delivered(service, box)) == 1
    service.clock.forward(hours=25)
    await service.post(email=ANN, notify=True, site="garden")
    ((_, subject),) = await delivered(service, box)
    assert "Garden" in subject


async def test_what_was_filed_as_spam_makes_us_mail_nobody(service: Service, box: Postbox) -> None:
    from moderation.sites.site_settings import SiteSettings

    async with service.services.database.transaction() as tx:
        await sites.put_site(
            tx,
            Site(key="default", name="Mine", origins=(), settings=SiteSettings(disallowed=("casino",))),
            service.clock(),
        )
    await service.post(email=ANN, notify=True, body="The best casino.")
    assert await delivered(service, box) == []


async def test_a_question_shows_nothing_that_a_stranger_typed(service: Service, box: Postbox) -> None:
    await service.post("viagra-now", email=ANN, name="Buy pills", body="Cheap pills here", notify=True)
    await delivered(service, box)
    raw = bytes(box.got[-1].content or b"").decode()
    assert "pills" not in raw.lower() and "viagra" not in raw.lower()


async def test_a_forged_link_is_not_found_and_an_unknown_act_changes_nothing(service: Service, box: Postbox) -> None:
    await confirmed(service, box)
    link = link_in(box)
    for wrong in ("/subscriptions/" + "0" * 50, forged(link)):
        assert (await service.client.get(wrong)).status_code == 404
        assert (await service.client.post(wrong, data=ONE_CLICK)).status_code == 404
    assert (await service.client.post(link, data={"act": "everything"})).status_code == 422
    assert "We mail you" in (await service.client.get(link)).text


async def test_a_refusing_mailbox_does_not_hold_up_the_others(service: Service, box: Postbox) -> None:
    box.rcpt = {ANN: ["450 greylisted", "450 greylisted"], "no@mail.example": ["550 no such user"]}
    await service.post(email=ANN, notify=True)
    await service.post(email="no@mail.example", notify=True)
    await service.post(email=BOB, notify=True)
    assert [to for to, _ in await delivered(service, box)] == [BOB]
    for _ in range(2):
        service.clock.forward(minutes=10)
        await service.services.outbox.all_due()
    assert [to for to, _ in await delivered(service, box)] == [ANN]
    async with service.services.database.reading() as session:
        assert await outbox.counts(session) == {"waiting": 0, "failed": 1}


async def test_the_outbox_and_the_log_hold_no_address(
    service: Service, box: Postbox, caplog: pytest.LogCaptureFixture
) -> None:
    box.rcpt = {ANN: ["550 ann@mail.example is unknown here"]}
    await service.post(email=ANN, notify=True)
    async with service.services.database.reading() as session:
        rows = [row async for row in outbox_rows(session)]
        assert rows and not any("mail.example" in str(row) for row in rows)
    await service.services.outbox.all_due()
    async with service.services.database.reading() as session:
        assert not any("mail.example" in str(row) for row in [row async for row in outbox_rows(session)])
    ours = [record for record in caplog.records if record.name.startswith("moderation")]
    assert ours and not any("mail.example" in str(record.__dict__) for record in ours)


def outbox_rows(session):  # type: ignore[no-untyped-def]
    from moderation.transfer import store_backup as dump

    return dump.rows(session, "outbox")


async def test_the_form_offers_it(service: Service) -> None:
    for path in ("/sites/default/articles/post/form", "/"):
        assert Page((await service.client.get(path)).text).has('[name="notify"]')
    asked = await service.client.get("/sites/default/articles/post/form-token")
    assert asked.json()["offer_notify"] is True


class TestWithoutMail:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return changed(settings, smtp_url="", mail_from="")

    async def test_nothing_is_offered_kept_or_queued(self, service: Service) -> None:
        page = Page((await service.client.get("/sites/default/articles/post/form")).text)
        assert page.has('[name="email"]') and not page.has('[name="notify"]')
        asked = await service.client.get("/sites/default/articles/post/form-token")
        assert asked.json()["offer_notify"] is False
        answer: httpx.Response = await service.post(email=ANN, notify=True)
        assert answer.status_code == 201
        await service.post(email=BOB, parent=answer.json()["id"])
        async with service.services.database.reading() as session:
            assert [row async for row in outbox_rows(session)] == []
            (kept,) = {row[0] for row in await session.fetch("SELECT max(notify) FROM comments")}
        assert kept == 0


async def test_who_ticks_the_box_reads_that_a_mail_was_sent_whoever_they_are(service: Service, box: Postbox) -> None:
    """The same words for a new address and for one that has confirmed: they tell nothing about it."""
    await confirmed(service, box, ANN)
    said = set()
    for number, email in enumerate((ANN, BOB)):
        service.clock.forward(seconds=2)
        page = Page((await service.client.get(FORM)).text)
        service.clock.forward(seconds=5)
        typed = page.form("/sites/default/articles/post/comments").filled()
        typed |= {"name": "Ann", "email": email, "notify": "1", "body": f"A kind word about beans, {number}."}
        sent = await service.client.post("/sites/default/articles/post/comments", data=typed)
        assert sent.status_code == 303 and "notify-sent" in sent.headers["location"], sent.headers
        said.add(Page((await service.client.get(sent.headers["location"])).text).text('[role="status"]'))
        held = await service.post(email=email, notify=True, body=f"See https://blog.example/{number}")
        assert (
            SENT
            in Page((await service.client.get(held.json()["receipt"], headers={"Accept": "text/html"})).text).text()
        )
    assert said == {f"Your comment is published. {SENT}"}
    unasked = (await service.post(email=ANN)).json()["receipt"]
    assert SENT not in (await service.client.get(unasked, headers={"Accept": "text/html"})).text


FORM = "/sites/default/articles/post/form"
SENT = "A mail to confirm your address was sent, unless you have confirmed it before. Replies are mailed once it is confirmed."
