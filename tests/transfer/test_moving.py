"""An article gets another key: its page has moved."""

from __future__ import annotations

import pytest

from moderation.cli import CliContext
from moderation.core.problem import Conflict, Invalid, NotFound
from moderation.sites import store as sites
from moderation.transfer import commands
from tests.conftest import Service

pytestmark = pytest.mark.anyio


async def test_an_article_goes_with_its_thread_to_a_key_of_its_own(service: Service) -> None:
    posted = await service.post("old", page={"title": "Mine", "url": "https://blog.example/old"})
    await service.post("old", parent=posted.json()["id"], name="Bo", email="bo@example.org", body="A reply of Bo's")
    cli = CliContext(service.settings, service.clock)
    await commands.move_article(cli, "old", "new", url="https://blog.example/new")
    thread = await service.thread("new")
    assert thread["count"] == 2 and len(thread["comments"][0]["replies"]) == 1
    assert (await service.thread("old"))["count"] == 0
    async with service.services.database.reading() as session:
        articles = await sites.articles(session, "default", ["old", "new"])
    assert set(articles) == {"new"} and articles["new"].url == "https://blog.example/new"


async def test_a_key_that_is_taken_or_wrong_changes_nothing(service: Service) -> None:
    await service.post("one")
    await service.post("two")
    cli = CliContext(service.settings, service.clock)
    with pytest.raises(Conflict, match="merge-articles one two"):
        await commands.move_article(cli, "one", "two")
    with pytest.raises(NotFound, match="no article 'three'"):
        await commands.move_article(cli, "three", "four")
    for to, url in (("a b", None), ("one", None), ("five", "javascript:x")):
        with pytest.raises(Invalid):
            await commands.move_article(cli, "one", to, url=url)
    assert [(await service.thread(key))["count"] for key in ("one", "two", "five")] == [1, 1, 0]
