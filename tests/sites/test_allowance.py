"""What one network may still ask: limits come first, every answer counts, and no answer tells whose address wrote a comment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from moderation.core.signing import SHARED
from moderation.sites import store as sites
from moderation.sites.allowance import KEPT, MINUTE, WRONG_A_MINUTE, LastMinute
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from tests.conftest import Service

pytestmark = pytest.mark.anyio

HOME, ELSEWHERE = "198.51.100.7", "198.51.100.8"
SAID = "The gate was painted green in spring, and it has stayed that way."


@pytest.fixture
async def town(service: Service) -> AsyncIterator[Service]:
    """A declared proxy stands in front: its header says which network each reader is in."""
    service.services.authenticator.trusted = (ip_network("203.0.113.9/32"),)
    yield service


async def rules(service: Service, **given: Any) -> None:
    async with service.services.database.transaction() as tx:
        await sites.put_site(tx, Site(key="default", name="My site", origins=(), settings=SiteSettings(**given)), 1)
    service.services.directory.forget()


async def say(
    service: Service, email: str, body: str = SAID, network: str = HOME, article: str = "post", **more: Any
) -> httpx.Response:
    headers = {"X-Forwarded-For": network} | more.pop("headers", {})
    fields = {"name": "Ann", "email": email, "body": body} | more
    return await service.client.post(f"/sites/default/articles/{article}/comments", json=fields, headers=headers)


async def wp(service: Service, email: str, body: str, network: str = HOME) -> httpx.Response:
    fields = {"comment_post_ID": "post", "author": "Ann", "email": email, "comment": body}
    return await service.client.post(
        "/sites/default/wp-comments-post.php", data=fields, headers={"X-Forwarded-For": network}
    )


async def stored(service: Service) -> int:
    async with service.services.database.reading() as session:
        (row,) = await session.fetch("SELECT count(*) FROM comments")
    return int(row[0])


async def test_a_network_past_its_allowance_is_told_so_before_its_comment_is_read(town: Service) -> None:
    await rules(town, per_address_a_minute=2)
    statuses = [(await say(town, f"ann{n}@example.org", f"{SAID} {n}")).status_code for n in range(4)]
    assert statuses == [201, 201, 429, 429]

    async def body() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    headers = {"X-Forwarded-For": HOME, "Content-Type": "application/json"}
    path = "/sites/default/articles/post/comments"
    refused = await town.client.post(path, content=body(), headers=headers)
    assert refused.status_code == 429 and refused.headers["retry-after"] == "60"


# --- whose address wrote a comment ---------------------------------------------------------------------------------------


async def test_from_elsewhere_the_same_words_are_a_new_comment_whoever_is_said_to_write_them(town: Service) -> None:
    assert (await say(town, "victim@example.org")).status_code == 201
    guesses = [await say(town, email, network=ELSEWHERE) for email in ("nobody@example.org", "victim@example.org")]
    assert [answer.status_code for answer in guesses] == [201, 201]
    form = await town.client.post(
        "/sites/default/articles/post/comments",
        data={"name": "Ann", "email": "victim@example.org", "body": SAID},
        headers={"X-Forwarded-For": "198.51.100.9"},
    )
    assert form.status_code == 303
    assert (await wp(town, "victim@example.org", SAID, "198.51.100.10")).status_code == 303


async def test_it_is_a_duplicate_from_the_same_network_or_with_its_own_receipt(town: Service) -> None:
    first = await say(town, "ann@example.org")
    same = await say(town, "ann@example.org")
    assert (same.status_code, same.json()["code"]) == (409, "duplicate")
    other = await say(town, "ann@example.org", "Another thing that I said of the gate.", ELSEWHERE)
    with_another = await say(
        town, "ann@example.org", network="198.51.100.9", headers={"Receipt": other.json()["receipt"]}
    )
    assert with_another.status_code == 201, "a receipt of something else under the same address proves nothing"
    proven = await say(town, "ann@example.org", network="198.51.100.10", headers={"Receipt": first.json()["receipt"]})
    assert (proven.status_code, proven.json()["code"]) == (409, "duplicate")
    for answer in (same, proven):
        for secret in ("edit_token", "receipt"):
            assert first.json()[secret] not in answer.text and secret not in answer.json()


async def test_it_is_one_only_in_reply_to_the_same_comment(town: Service) -> None:
    one, two = [(await say(town, f"{n}@example.org", f"Remark {n} on the gate.")).json()["id"] for n in (1, 2)]
    for parent in (None, one, two):
        assert (await say(town, "ann@example.org", "So it is.", parent=parent)).status_code == 201, parent
        assert (await say(town, "ann@example.org", "So it is.", parent=parent)).status_code == 409, parent


async def test_a_network_at_its_limit_hears_nothing_of_duplicates(town: Service) -> None:
    """Asked before the limit, every wrong guess was a 429 and the right one a 409: nothing was stored, and all was told."""
    await rules(town, per_address_a_minute=3, per_author_a_minute=0)
    assert (await say(town, "ann@example.org")).status_code == 201
    for n in range(2):
        assert (await say(town, f"p{n}@example.org")).status_code == 201
    before = await stored(town)
    for email in ("nobody@example.org", "ann@example.org", "p1@example.org"):
        answer = await say(town, email)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_fast")
        form = await wp(town, email, SAID)
        assert form.status_code == 429 and "Duplicate" not in form.text
    assert await stored(town) == before


# --- what counts -------------------------------------------------------------------------------------------------------


async def test_every_refusal_counts_and_a_minute_later_none_does(town: Service) -> None:
    await rules(town, per_address_a_minute=6)
    token = await town.token("articles")
    await town.client.put("/sites/default/articles/over", json={"comments_open": False}, headers=token)
    assert (await say(town, "ann@example.org")).status_code == 201
    assert (await say(town, "ann@example.org")).status_code == 409
    assert (await say(town, "bob@example.org", article="over")).status_code == 403
    assert (await wp(town, "ann@example.org", "A kind word of the gate.", ELSEWHERE)).status_code == 303  # another's
    headers = {"X-Forwarded-For": HOME}
    path = "/sites/default/articles/post/comments"
    assert (await town.client.post(path, content=b"<xml/>", headers=headers)).status_code == 415
    broken = await town.client.post(path, content=b"{", headers=headers | {"Content-Type": "application/json"})
    assert broken.status_code == 400
    strange = await town.client.post(path, json={}, headers=headers | {"Origin": "https://evil.example"})
    assert strange.status_code == 403
    told = await say(town, "new@example.org", "A remark that nobody has made yet.")
    assert (told.status_code, told.headers["retry-after"]) == (429, "60")
    assert (await say(town, "new@example.org", "One more from elsewhere.", ELSEWHERE)).status_code == 201
    town.clock.forward(minutes=1)
    assert (await say(town, "new@example.org", "A remark that nobody has made yet.")).status_code == 201


async def test_refusals_of_one_batch_count_too(town: Service) -> None:
    import asyncio

    await rules(town, per_address_a_minute=10, per_author_a_minute=0)
    assert (await say(town, "ann@example.org")).status_code == 201
    answers = await asyncio.gather(*(say(town, "ann@example.org") for _ in range(40)))
    assert sorted(answer.status_code for answer in answers) == [409] * 9 + [429] * 31


async def test_a_first_answer_given_again_counts_for_nothing_and_is_given_at_the_limit(town: Service) -> None:
    await rules(town, per_address_a_minute=2)
    key = {"Idempotency-Key": "4711"}
    first = await say(town, "ann@example.org", headers=key)
    for _ in range(5):
        again = await say(town, "ann@example.org", headers=key)
        assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (await say(town, "bob@example.org", "Mine came after five retries.")).status_code == 201
    assert (await say(town, "carl@example.org", "Mine is one too many.")).status_code == 429
    assert (await say(town, "ann@example.org", headers=key)).content == first.content
    other = await say(town, "dora@example.org", headers={"Idempotency-Key": "another"})
    assert other.status_code == 429, "a key alone is no way round the limit"


async def test_an_authors_own_edit_counts_for_nothing(town: Service) -> None:
    await rules(town, per_address_a_minute=2)
    told = (await say(town, "ann@example.org")).json()
    path = f"/sites/default/articles/post/comments/{told['id']}"
    headers = {"X-Forwarded-For": HOME, "Edit-Token": told["edit_token"]}
    for n in range(4):
        edit = await town.client.patch(path, json={"body": f"The gate is green, {n}."}, headers=headers)
        assert edit.status_code == 200
    assert (await say(town, "bob@example.org", "There is room for one more.")).status_code == 201
    assert (await say(town, "carl@example.org", "But not for two.")).status_code == 429
    edit = await town.client.patch(path, json={"body": "The gate is green after all."}, headers=headers)
    assert edit.status_code == 200


async def test_wrong_fields_have_an_allowance_of_their_own(town: Service) -> None:
    await rules(town, per_address_a_minute=2)
    for _ in range(WRONG_A_MINUTE - 1):
        assert (await say(town, "no address")).status_code == 422
    unknown = await say(town, "ann@example.org", parent="01m843hsam0024pgrw9tw3s7e7")
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (422, "unknown_parent")
    told = await say(town, "no address")
    assert (told.status_code, told.headers["retry-after"]) == (429, "60")
    form = await town.client.post(
        "/sites/default/articles/post/comments",
        data={"name": "Ann", "email": "no address", "body": SAID},
        headers={"X-Forwarded-For": HOME},
    )
    assert form.status_code == 429 and SAID in form.text, "what was typed is not lost"
    assert (await wp(town, "no address", SAID)).status_code == 429
    assert (await say(town, "no address", network=ELSEWHERE)).status_code == 422
    assert (await say(town, "ann@example.org")).status_code == 201, "whoever mistyped may post"
    town.clock.forward(minutes=1)
    assert (await say(town, "no address")).status_code == 422


# --- an author, from a network -------------------------------------------------------------------------------------------


async def test_who_types_anothers_address_uses_up_nothing_of_theirs(town: Service) -> None:
    for n in range(10):
        assert (await say(town, "victim@example.org", f"Word {n} in your name.", ELSEWHERE)).status_code == 201
    assert (await say(town, "victim@example.org", "Word 11 in your name.", ELSEWHERE)).status_code == 429
    assert (await say(town, "victim@example.org", "My own word.")).status_code == 201
    assert (await wp(town, "other@example.org", "A word by the old form.", ELSEWHERE)).status_code == 429


async def test_nor_the_pause_of_wordpresss_form(town: Service) -> None:
    assert (await wp(town, "victim@example.org", "A word in your name.", ELSEWHERE)).status_code == 303
    assert (await wp(town, "victim@example.org", "My own word.")).status_code == 303
    assert (await wp(town, "another@example.org", "From the same network at once.")).status_code == 429
    town.clock.forward(seconds=15)
    assert (await wp(town, "another@example.org", "From the same network in good time.")).status_code == 303


# --- a proxy that nobody declared ----------------------------------------------------------------------------------------


async def test_a_header_never_removes_a_limit(service: Service) -> None:
    """Whoever an undeclared proxy hides shares one network, with ten times the allowance; whatever they write in it."""
    await rules(service, per_address_a_minute=2, per_author_a_minute=1)
    service.services.authenticator.trusted = ()
    headers = [HOME, ELSEWHERE, "nonsense", "127.0.0.1", "2001:db8::1", "203.0.113.9, unknown", ""]
    sent = [await say(service, f"p{n}@example.org", f"A calm remark, number {n}.", headers[n % 6]) for n in range(21)]
    assert [answer.status_code for answer in sent] == [201] * 20 + [429]
    async with service.services.database.reading() as session:
        rows = await session.fetch("SELECT DISTINCT network_key FROM comments")
    assert [row[0] for row in rows] == [SHARED]


async def test_a_hop_that_says_no_address_is_not_without_limit(town: Service) -> None:
    await rules(town, per_address_a_minute=1)
    sent = [await say(town, f"p{n}@example.org", f"A calm remark, number {n}.", "unknown") for n in range(11)]
    assert [answer.status_code for answer in sent] == [201] * 10 + [429]
    assert (await say(town, "ann@example.org", "From an honest network.", f"{HOME}:4711")).status_code == 201
    assert (await say(town, "bob@example.org", "From the same network.", HOME)).status_code == 429


@pytest.mark.parametrize(
    "network", ["198.51.100.8:{}", "[2001:db8::5]:{}", '"[2001:db8::5]:{}"', "[::ffff:198.51.100.8]:{}"]
)
async def test_a_port_makes_no_other_network(town: Service, network: str) -> None:
    """As gateways write it, with another port for each connection: the second form within 15 s is too fast."""
    sent = []
    for port in (1111, 2222):
        town.clock.forward(seconds=2)
        sent.append(await wp(town, f"p{port}@example.org", f"A calm remark, number {port}.", network.format(port)))
    assert [answer.status_code for answer in sent] == [303, 429]


async def test_the_readers_of_a_whole_proxy_are_not_kept_out_with_one(service: Service) -> None:
    from moderation.comments import store as comments
    from moderation.queue import block

    service.services.authenticator.trusted = ()
    id = (await say(service, "ann@example.org")).json()["id"]
    async with service.services.database.reading() as session:
        found = await comments.of_site(session, "default", [id])
        offered = await block.offered(session, list(found.values()))
    assert "author" in offered[id] and "network" not in offered[id]


# --- the counter -------------------------------------------------------------------------------------------------------


def test_a_counter_forgets_what_is_older_than_a_minute() -> None:
    counter = LastMinute()
    assert [counter.add("a", second * 1000) for second in (0, 0, 30)] == [1, 2, 3]
    assert counter.of("a", 59_999) == 3 and counter.of("b", 59_999) == 0
    assert counter.of("a", MINUTE * 1000) == 1
    assert counter.of("a", 90_000) == 0 and len(counter) == 0


def test_a_counter_has_a_bound_however_many_networks_ask() -> None:
    counter = LastMinute(kept=100)
    for n in range(1_000):
        counter.add(n, n * 50)
        assert len(counter) <= 100
    assert counter.of(999, 50_000) == 1 and counter.of(0, 50_000) == 0
    assert KEPT <= 100_000


def test_a_clock_that_was_set_back_leaves_nobody_counted_for_long() -> None:
    counter = LastMinute()
    counter.add("a", 3_600_000)
    assert counter.of("a", 3_599_000) == 1
    assert counter.of("a", 0) == 0 and counter.add("a", 0) == 1 and counter.of("a", 60_000) == 0
