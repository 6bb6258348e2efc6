"""A comment's format: from the intake to the thread, the queue, an edit, a lesson and a backup."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.comments import store_decisions as decisions
from moderation.comments import submission
from moderation.comments.store import Keys
from moderation.intake.admission import Accepted, Arrival
from moderation.learning.retrain import examples_of
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from moderation.text import body as formats
from tests.conftest import Service

pytestmark = pytest.mark.anyio

SAID = "Cheap via<b>gra</b> &amp; more, <a href='https://pills.example/'>here</a>.\n\nBye"
TEXT = "Cheap viagra & more, here (https://pills.example/).\n\nBye"


async def send(service: Service, body: str, **more: Any) -> Accepted:
    """As HTML, by the way that WordPress's form and importers go."""
    fields = {"name": "Ann", "email": "ann@example.org", "body": body} | more
    sent = submission.check(fields, SiteSettings(), formats.HTML)
    keys = Keys(author=service.services.signer.author_key(sent.email, sent.name), network="", body=sent.body_key)
    accepted: Accepted = await service.services.intake.submit(
        Arrival(site="default", article="post", submission=sent, keys=keys)
    )
    return accepted


async def test_readers_get_safe_html_and_the_plain_text(service: Service) -> None:
    accepted = await send(service, "A <b>kind</b> word <script>x</script>\nand &amp; another")
    assert accepted.approved
    (shown,) = (await service.thread())["comments"]
    assert shown["html"] == "<p>A <b>kind</b> word x<br>\nand &amp; another</p>\n"
    assert shown["text"] == accepted.answer["text"] == "A kind word x\nand & another"


async def test_moderators_get_the_source_and_spans_that_match_it(service: Service) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="My site", settings=SiteSettings(blocked=("viagra",))), 1)
    service.services.directory.forget()
    accepted = await send(service, SAID)
    assert not accepted.approved
    who = await service.token()
    found = (await service.client.get(f"/api/v1/comments/{accepted.id}", headers=who)).json()
    assert (found["body"], found["format"]) == (SAID, "html")
    spans = {SAID[a:b] for r in found["verdict"]["reasons"] if r.get("rule") == "blocked-word" for a, b in r["spans"]}
    assert spans == {"via<b>gra"}
    attributions = [SAID[a:b] for r in found["verdict"]["reasons"] if "feature" in r for a, b in r["spans"]]
    assert attributions and all(attribution.strip() for attribution in attributions)
    assert any("via<b>gra" in attribution or "pills" in attribution for attribution in attributions), attributions
    rules = [r["rule"] for r in found["verdict"]["reasons"] if "rule" in r]
    assert "stranger-with-link" in rules


async def test_an_edit_keeps_the_format(service: Service) -> None:
    accepted = await send(service, "A <b>kind</b> word, friends")
    answer = await service.client.patch(
        f"/sites/default/articles/post/comments/{accepted.id}",
        json={"body": "An <em>even kinder</em> word, friends"},
        headers={"Edit-Token": accepted.answer["edit_token"]},
    )
    assert answer.status_code == 200, answer.text
    (shown,) = (await service.thread())["comments"]
    assert shown["html"] == "<p>An <em>even kinder</em> word, friends</p>\n"
    assert shown["text"] == "An even kinder word, friends"


async def test_what_is_learnt_is_the_plain_text(service: Service) -> None:
    accepted = await send(service, SAID)
    who = await service.token()
    decided = await service.client.post(
        "/api/v1/decisions", json={"comments": [accepted.id], "action": "spam"}, headers=who
    )
    assert decided.status_code == 200
    async with service.services.database.reading() as session:
        (example,) = examples_of(await decisions.taught(session, "default"), "default")
    assert example.text == TEXT


def test_a_text_that_shows_nothing_is_required_and_its_length_is_what_is_read() -> None:
    rules = SiteSettings(require_name=False, require_email=False, max_body=5)
    with pytest.raises(Exception, match="please type your comment"):
        submission.check({"body": "<b></b><!-- x --> &nbsp;"}, rules, formats.HTML)
    assert submission.check({"body": "<b>five&amp;</b>"}, rules, formats.HTML).text == "five&"
    with pytest.raises(Exception, match="at most 5"):
        submission.check({"body": "<b>sixsix</b>"}, rules, formats.HTML)
