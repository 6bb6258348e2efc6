"""Two articles as one: every row of the first is the second's, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from moderation.cli import CliContext
from moderation.core.problem import Conflict, Invalid, NotFound
from moderation.sites import store as sites
from moderation.sites.model import Article
from moderation.transfer import commands as transfer_commands
from moderation.transfer import merging
from moderation.transfer.store_tables import DECLARED
from tests.conftest import Service
from tests.transfer import foreign
from tests.transfer.conftest import Bring
from tests.transfer.foreign import Row

pytestmark = pytest.mark.anyio
CASES = Path(__file__).parent / "cases"


async def rows_of(service: Service, key: str) -> dict[str, int]:
    """Table → rows that name this article."""
    found = {}
    async with service.services.database.reading() as session:
        for table in DECLARED:
            if "article" in table.columns:
                row = await session.fetch_one(f"SELECT count(*) FROM {table.name} WHERE article = ?", key)
                found[table.name] = int(row[0]) if row else 0
        row = await session.fetch_one("SELECT count(*) FROM imported_ids WHERE kind = 'article' AND id = ?", key)
        found["imported_ids"] = int(row[0]) if row else 0
    return found


async def test_all_of_one_article_goes_to_the_other(service: Service, bring: Bring) -> None:
    await bring(foreign.wxr(foreign.wxr_post([Row(1), Row(2, 1), Row(3, status="pending")])))
    posted = await service.post("old", page={"title": "Mine", "url": "https://blog.example/x"})
    reply = await service.post(
        "old", parent=posted.json()["id"], name="Bo", email="bo@example.org", body="A reply of Bo's"
    )
    assert reply.status_code == 201
    assert (await service.thread("old"))["count"] == 2
    context = CliContext(service.settings, service.clock)
    with pytest.raises(Conflict, match=r"2 published comments of 'old'.*has 2.*Nothing was changed"):
        await transfer_commands.merge_articles(context, "old", "12")
    assert (await service.thread("old"))["count"] == 2
    await transfer_commands.merge_articles(context, "old", "12", yes=True)
    assert set((await rows_of(service, "old")).values()) == {0}
    thread = await service.thread("12")
    assert (thread["count"], thread["article"]["title"]) == (4, "Hello & welcome")
    (mine,) = [comment for comment in thread["comments"] if comment["id"] == posted.json()["id"]]
    assert [one["text"] for one in mine["replies"]] == ["A reply of Bo's"]
    assert (await service.thread("old"))["count"] == 0
    who = await service.token()
    audit = (await service.client.get("/api/v1/audit", headers=who)).json()
    assert any("article:merge" in str(entry) for entry in audit[next(iter(audit))])


async def test_an_import_after_it_finds_the_merged_article(service: Service, bring: Bring) -> None:
    await bring(foreign.wxr(foreign.wxr_post([Row(1)])))
    context = CliContext(service.settings, service.clock)
    await transfer_commands.merge_articles(context, "12", "new-name", yes=True)  # a new one: it is renamed
    result = await bring(foreign.wxr(foreign.wxr_post([Row(1), Row(2, 1)])))
    assert (result["articles"], result["comments"], result["here_already"]) == (0, {"approved": 1}, 1)
    thread = await service.thread("new-name")
    assert (thread["count"], thread["article"]["title"], len(thread["comments"])) == (2, "Hello & welcome", 1)
    assert (await service.thread("12"))["count"] == 0


async def test_what_cannot_be_merged_changes_nothing(service: Service) -> None:
    await service.post("old")
    context = CliContext(service.settings, service.clock)
    for into, problem in (("old", Invalid), ("not a key", Invalid)):
        with pytest.raises(problem):
            await transfer_commands.merge_articles(context, "old", into, yes=True)
    with pytest.raises(NotFound):
        await transfer_commands.merge_articles(context, "nowhere", "old", yes=True)
    assert (await service.thread("old"))["count"] == 1


async def test_keys_of_an_earlier_version_get_their_one_spelling(service: Service) -> None:
    long = "https://blog.example/" + "a-long-name/" * 20
    cut = merging.cut_key_of(long)
    async with service.services.database.transaction() as tx:
        for key, url in (
            ("-e4-bd-a0", None),
            ("-E4-BD-A0", None),
            ("cafe-cc-81", None),
            ("my-cafe-ca-fe", None),
            (cut, long),
        ):
            await sites.put_article(tx, Article(site="default", key=key, url=url, title=key[:20], created_at=1))
        await tx.execute("UPDATE articles SET comments_open = 1")
    posted = await service.post("-E4-BD-A0")
    async with service.services.database.transaction() as tx:  # as an earlier version stored it
        await tx.execute("UPDATE comments SET article = '-e4-bd-a0' WHERE id = ?", posted.json()["id"])
    merged = await merging.respell(service.services.database, service.clock())
    assert {(one.article, one.into, one.comments) for one in merged} == {
        ("-e4-bd-a0", "-E4-BD-A0", 1),
        ("cafe-cc-81", "caf-C3-A9", 0),
        (cut, merging.key_of(long), 0),
    }
    assert await merging.respell(service.services.database, service.clock()) == []
    for key in ("-e4-bd-a0", "-E4-BD-A0"):
        assert (await service.thread(key))["count"] == 1
    counts = (await service.client.get("/sites/default/counts?article=-e4-bd-a0&article=x")).json()
    assert counts == {"-e4-bd-a0": 1, "x": 0}


async def test_percent_case_is_one_article_in_imports_and_the_api(service: Service, bring: Bring) -> None:
    result = await bring(CASES / "disqus-percent-case.xml")
    assert (result["articles"], result["comments"]) == (1, {"approved": 3})
    for key in ("2020~05~-E4-BD-A0-E5-A5-BD", "2020~05~-e4-bd-a0-e5-a5-bd"):
        assert (await service.thread(key))["count"] == 3
    assert (await service.post("2020~05~-e4-BD-a0-e5-a5-bd")).status_code == 201
    assert (await service.thread("2020~05~-E4-BD-A0-E5-A5-BD"))["count"] == 4


async def test_two_topics_of_one_script_stay_two(service: Service, bring: Bring) -> None:
    result = await bring(CASES / "disqus-two-topics-one-path.xml")
    assert result["articles"] == 2
    for key, title, count in (("viewtopic.php-3ft-3d1", "Beans", 1), ("viewtopic.php-3ft-3d2", "Peas", 2)):
        thread = await service.thread(key)
        assert (thread["count"], thread["article"]["title"]) == (count, title)
