"""Without an email address nobody is anybody: only networks are limited, compared and blocked."""

from __future__ import annotations

import pytest

from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from tests.conftest import Service
from tests.html import Page
from tests.queue.test_decide import set_password, sign_in
from tests.queue.test_reply import reply
from tests.sites.test_allowance import ELSEWHERE, HOME, say, town

__all__ = ["town"]
pytestmark = pytest.mark.anyio
NOBODY, ANNA = {"name": "", "email": ""}, {"name": "Anna", "email": ""}


@pytest.fixture
async def relaxed(town: Service) -> Service:
    return await rules(town)


async def rules(service: Service, **given: object) -> Service:
    settings = SiteSettings(require_name=False, require_email=False, **given)  # type: ignore[arg-type]
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="My site", settings=settings), 1)
    service.services.directory.forget()
    return service


@pytest.mark.parametrize(("who", "body"), [(NOBODY, "+1"), (ANNA, "Thank you!")])
async def test_two_people_without_an_address_are_not_one(relaxed: Service, who: dict[str, str], body: str) -> None:
    for network in (HOME, ELSEWHERE):
        answer = await say(relaxed, **who, body=body, network=network)
        assert answer.status_code == 201, answer.text


async def test_nobody_says_the_same_from_one_network_and_a_name_does_not(relaxed: Service) -> None:
    """A name from one network is most likely the same form, sent twice."""
    assert [(await say(relaxed, **NOBODY, body="+1")).status_code for _ in range(2)] == [201, 201]
    assert [(await say(relaxed, **ANNA, body="+1")).status_code for _ in range(2)] == [201, 409]


async def test_a_receipt_tells_who_nobody_is(relaxed: Service) -> None:
    first = (await say(relaxed, **NOBODY, body="+1")).json()["receipt"]
    again = await say(relaxed, **NOBODY, body="+1", network=ELSEWHERE, headers={"Receipt": first})
    assert again.status_code == 409


@pytest.mark.parametrize("who", [NOBODY, ANNA])
async def test_only_the_limit_of_the_network_holds(town: Service, who: dict[str, str]) -> None:
    await rules(town, per_author_a_minute=1, per_address_a_minute=3)
    codes = [(await say(town, **who, body=f"Thought {n} about beans.")).status_code for n in range(4)]
    assert codes == [201, 201, 201, 429]
    assert (await say(town, **who, body="Thought 5 about beans.", network=ELSEWHERE)).status_code == 201


@pytest.mark.parametrize("who", [NOBODY, ANNA])
async def test_no_block_and_no_record_by_author(relaxed: Service, who: dict[str, str]) -> None:
    token = await relaxed.token()
    ids = [(await say(relaxed, **who, body=f"Thought {n} about beans.")).json()["id"] for n in range(3)]
    shown = (await relaxed.client.get(f"/api/v1/comments/{ids[0]}", headers=token)).json()
    assert set(shown["blocks"]) == {"article", "network"}
    assert shown["author"]["record"]["approved"] == 1, "its own"
    block = await relaxed.client.post(f"/api/v1/comments/{ids[0]}/block", json={"target": "author"}, headers=token)
    assert block.status_code == 422
    listed = await relaxed.client.get(f"/api/v1/comments?status=approved&author={ids[0]}", headers=token)
    assert [comment["id"] for comment in listed.json()["comments"]] == [ids[0]]


async def test_an_old_block_of_a_name_files_nobody(relaxed: Service) -> None:
    key = relaxed.services.signer.author_key("", "Anna")
    await rules(relaxed, disallowed=(f"author:{key}",))
    assert (await say(relaxed, **ANNA, body="A calm thought about beans.")).status_code == 201


async def rows_of(service: Service) -> str:
    return Page((await service.client.get("/moderate")).text).text("#queue .rows")


async def test_the_queue_links_to_the_same_author_only_where_there_is_one(relaxed: Service) -> None:
    await set_password(relaxed)
    await sign_in(relaxed)
    link = "Look at https://blog.example/one"
    assert (await say(relaxed, **ANNA, body=link)).status_code == 202
    assert "same author" not in await rows_of(relaxed)
    assert (await say(relaxed, "bob@example.org", body=link)).status_code == 202
    assert (await rows_of(relaxed)).count("same author") == 1


async def test_staff_thank_two_readers(service: Service) -> None:
    who = await service.token()
    first, second = [(await service.post(body=f"Thought {n} about beans.")).json()["id"] for n in range(2)]
    codes = [(await reply(service, who, id, body="Thank you!")).status_code for id in (first, second, first)]
    assert codes == [201, 201, 409]


async def test_below_the_deepest_level_too(service: Service) -> None:
    """Two comments there share what a reply attaches to, and are two all the same."""
    parent = None
    for level in range(4):
        parent = (await service.post(body=f"A reply on level {level}.", parent=parent)).json()["id"]
    deepest = [(await service.post(body=f"Thought {n} about beans.", parent=parent)).json()["id"] for n in range(2)]
    who = await service.token()
    assert [(await reply(service, who, id, body="Thank you!")).status_code for id in deepest] == [201, 201]
    same = {"email": "ann@example.org", "body": "Thank you!"}
    assert [(await service.post(parent=id, **same)).status_code for id in deepest] == [201, 201]
