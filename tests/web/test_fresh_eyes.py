"""What one stranger, program or hostile page could still do to others, found by eyes that had not built it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from moderation.comments.model import MOST_EDITS
from moderation.comments.thread_cache import Threads
from moderation.core.problem import TooFast
from moderation.core.signing import parsed_address
from moderation.queue.live import CLIENTS_EACH, Client
from moderation.team.model import Principal
from tests.conftest import Service

pytestmark = pytest.mark.anyio


async def test_an_author_changes_a_comment_so_often_and_withdraws_it_then(service: Service) -> None:
    told = (await service.post()).json()
    path, headers = f"/sites/default/articles/post/comments/{told['id']}", {"Edit-Token": told["edit_token"]}
    for number in range(1, MOST_EDITS):
        changed = {"body": f"A kind word about the garden, put in other words for the {number}. time."}
        assert (await service.client.patch(path, json=changed, headers=headers)).status_code == 200
    once_more = {"body": "A kind word about the garden, once more."}
    assert (await service.client.patch(path, json=once_more, headers=headers)).status_code == 429
    assert (await service.client.delete(path, headers=headers)).is_success


async def test_what_a_cache_holds_is_counted_once_however_many_build_it_at_the_same_time(service: Service) -> None:
    await service.post()
    threads = Threads(service.services.database, service.services.links)

    async def make(session: Any, article: Any) -> bytes:
        await asyncio.sleep(0)
        return b"x" * 1000

    await asyncio.gather(*(threads.read("default", "post", "page", make) for _ in range(16)))
    assert threads._bytes == 1000
    threads.drop("default", "post")
    assert threads._bytes == 0


async def test_one_principal_leaves_room_for_others_to_listen(service: Service) -> None:
    live = service.services.live
    one = Principal(name="one", site="*", scopes=frozenset({"moderate"}))
    mine = [Client(one) for _ in range(CLIENTS_EACH + 1)]
    try:
        live.clients.update(mine[:-1])
        with pytest.raises(TooFast):
            live.join(mine[-1])
    finally:
        live.clients.clear()


async def test_a_sign_out_without_the_session_s_cookie_takes_it_from_nobody(service: Service) -> None:
    answer = await service.client.post("/moderate/logout", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 303 and "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("text", "address"), [("::ffff:10.0.0.1", "10.0.0.1"), ("::1", "::1"), ("10.0.0.1", "10.0.0.1")]
)
async def test_an_ipv4_address_is_the_same_in_ipv6_form(text: str, address: str) -> None:
    assert str(parsed_address(text)) == address


async def test_past_its_allowance_a_network_reaches_the_intake_with_no_new_key(service: Service) -> None:
    first = {"name": "Ann", "email": "ann@example.org", "body": "A kind word about the garden, sent twice."}
    thread, kept = "/sites/default/articles/post/comments", {"Idempotency-Key": "the-first-one"}
    assert (await service.client.post(thread, json=first, headers=kept)).status_code == 201
    for _ in range(60):
        await service.client.post(thread, json=first)
    batches = service.services.intake.counts.batches
    again = await service.client.post(thread, json=first | {"body": "Another."}, headers={"Idempotency-Key": "new"})
    assert again.status_code == 429 and service.services.intake.counts.batches == batches
    assert (await service.client.post(thread, json=first, headers=kept)).status_code == 201
