"""Links to hosts that persons have approved, and when an author's website is a link."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.policy.known_hosts import may_be_known
from tests.conftest import Service

pytestmark = pytest.mark.anyio

LINKED = "The table of the last years is at https://frost.example/table if you want it."


async def rules(service: Service, **given: Any) -> None:
    answer = await service.client.put("/api/v1/sites/default/rules", json=given, headers=await service.token())
    assert answer.status_code == 200, answer.text


async def linked_by(service: Service, name: str, body: str = LINKED) -> str:
    answer = await service.post(
        name=name, email=f"{name.lower()}@example.org", body=f"{body} {name} {service.clock.now}"
    )
    assert answer.status_code in (201, 202), answer.text
    return str(answer.json()["id"])


async def status(service: Service, id: str) -> tuple[str, list[str]]:
    shown = (await service.client.get(f"/api/v1/comments/{id}", headers=await service.token())).json()
    return shown["status"], [reason["rule"] for reason in shown["verdict"]["reasons"] if "rule" in reason]


async def approved_by(service: Service, *names: str, body: str = LINKED) -> list[tuple[str, str]]:
    """(comment, decision) of each."""
    made = [(await linked_by(service, name, body)) for name in names]
    return [(id, await service.decide(id)) for id in made]


async def test_a_host_of_three_authors_that_a_person_approved_holds_no_link_any_more(service: Service) -> None:
    await approved_by(service, "Ann", "Bea")
    assert (await status(service, await linked_by(service, "Stranger")))[0] == "pending"
    await approved_by(service, "Ann")
    assert (await status(service, await linked_by(service, "Stranger")))[0] == "pending", "two authors, three comments"
    await approved_by(service, "Cay")
    assert (await status(service, await linked_by(service, "Stranger")))[0] == "approved"
    for other in ("https://www.frost.example/", "https://sub.frost.example/", "https://frost.example.org/"):
        assert (await status(service, await linked_by(service, "Stranger", f"See {other} for it.")))[0] == "pending", (
            other
        )
    both = f"{LINKED} And https://elsewhere.example/x too."
    assert (await status(service, await linked_by(service, "Stranger", both)))[0] == "pending"


async def test_what_a_moderator_does_to_a_host_is_undone_with_the_decision(service: Service) -> None:
    *_, (_, last) = await approved_by(service, "Ann", "Bea", "Cay")
    spam = await linked_by(service, "Dan")
    called = await service.decide(spam, "spam")
    assert (await status(service, await linked_by(service, "Stranger")))[0] == "pending", "a person called it spam"
    headers = await service.token()
    assert (await service.client.post(f"/api/v1/decisions/{called}/undo", headers=headers)).status_code == 200
    assert (await status(service, await linked_by(service, "Stranger")))[0] == "approved"
    assert (await service.client.post(f"/api/v1/decisions/{last}/undo", headers=headers)).status_code == 200
    assert (await status(service, await linked_by(service, "Stranger")))[0] == "pending", "two authors are left"


async def test_an_erased_authors_comment_vouches_for_nothing(service: Service) -> None:
    await approved_by(service, "Ann", "Bea", "Cay")
    headers = await service.token("privacy")
    assert (
        await service.client.post("/api/v1/privacy/erase", json={"email": "cay@example.org"}, headers=headers)
    ).status_code == 200
    assert (await status(service, await linked_by(service, "Stranger")))[0] == "pending"
    async with service.services.database.reading() as session:
        rows = await session.fetch("SELECT DISTINCT author_key FROM comment_hosts WHERE site = 'default'")
    assert len(rows) == 3  # Ann, Bea, and the stranger


async def test_the_sites_own_pages_are_no_strangers_links(service: Service) -> None:
    headers = await service.token("articles")
    about = {"url": "https://blog.example/beans"}
    assert (await service.client.put("/sites/default/articles/post", json=about, headers=headers)).status_code in (
        200,
        201,
    )
    assert (
        await status(
            service,
            await linked_by(
                service, "Ann", "We wrote about the peas before, in https://blog.example/peas, and they liked the rain."
            ),
        )
    )[0] == "approved"
    assert (
        await status(
            service,
            await linked_by(
                service,
                "Ann",
                "We wrote about the peas before, in https://blog.example.org/peas, and they liked the rain.",
            ),
        )
    )[0] == "pending"


@pytest.mark.parametrize(
    "linked",
    ["https://bit.ly/x", "https://www.google.com/url?q=x", "https://github.io/", "https://co.uk/x", "https://amazonaws.com/x",
     "https://frost.example/out?to=https://casino.example/", "https://frost.example/r/https%3A%2F%2Fcasino.example"],
)  # fmt: skip
async def test_shorteners_redirectors_and_what_anybody_has_a_page_on_never_count(service: Service, linked: str) -> None:
    await approved_by(service, "Ann", "Bea", "Cay", body=f"See {linked} for it.")
    assert (await status(service, await linked_by(service, "Stranger", f"See {linked} for it.")))[0] == "pending"


def test_a_page_of_ones_own_below_a_shared_name_may_be_known() -> None:
    assert (
        may_be_known("anna.github.io", ())
        and may_be_known("blog.example.co.uk", ())
        and may_be_known("en.wikipedia.org", ())
    )
    assert not any(may_be_known(host, {"is.gd"}) for host in ("", "is.gd", "www.is.gd", "blogspot.com", "com", "t.co"))


async def test_a_website_is_a_link_once_a_person_has_approved_this_very_comment(service: Service) -> None:
    first = (await service.post(name="Ann", url="https://ann.example/", body="A kind word about beans.")).json()
    assert first["status"] == "approved" and first["author"]["url"] is None and first["author"]["mark"] is None
    decision = await service.decide(first["id"])
    (shown,) = (await service.thread())["comments"]
    assert shown["author"]["url"] == "https://ann.example/" and shown["author"]["mark"] is None
    service.clock.forward(seconds=1)
    proof = {"Receipt": first["receipt"]}
    known = await service.client.post(
        "/sites/default/articles/post/comments",
        json={"name": "Ann", "email": "ann@example.org", "url": "https://ann.example/", "body": "Another kind word."},
        headers=proof,
    )
    assert known.json()["author"] | {"avatar": ""} == {
        "name": "Ann", "url": "https://ann.example/", "avatar": "", "mark": "known",
    }  # fmt: skip
    borrowed = (await service.post(name="Ann", url="https://casino.example/", body="A third kind word.")).json()
    assert (borrowed["author"]["url"], borrowed["author"]["mark"]) == (None, None)
    answer = await service.client.post(f"/api/v1/decisions/{decision}/undo", headers=await service.token())
    assert answer.status_code == 200
    websites = {comment["id"]: comment["author"]["url"] for comment in (await service.thread())["comments"]}
    assert websites[first["id"]] is None and websites[known.json()["id"]] == "https://ann.example/"


@pytest.mark.parametrize(("setting", "shown"), [("always", "https://ann.example/"), ("never", None)])
async def test_a_site_says_when_websites_are_links(service: Service, setting: str, shown: str | None) -> None:
    first = (await service.post(name="Ann", url="https://ann.example/", body="A kind word about beans.")).json()
    for path in ("/comments", "/fragment", "/feed", "/feed.json"):  # kept from before the change
        await service.client.get(f"/sites/default/articles/post{path}")
    await rules(service, author_links=setting)
    if setting == "never":
        await service.decide(first["id"])
    assert (await service.thread())["comments"][0]["author"]["url"] == shown
    for path in ("/fragment", "/feed", "/feed.json"):
        text = (await service.client.get(f"/sites/default/articles/post{path}")).text
        assert ("https://ann.example/" in text) is (shown is not None), path


async def test_where_websites_are_links_at_once_a_strangers_one_waits(service: Service) -> None:
    await rules(service, author_links="always")
    answer = await service.post(name="Ann", url="https://ann.example/", body="A kind word about beans.")
    assert answer.status_code == 202
    assert (await status(service, answer.json()["id"]))[1] == ["stranger-with-link"]
    assert (await service.post(name="Bea", body="Another kind word.")).status_code == 201
