"""What both databases promise."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moderation.articles import store_openings as openings
from moderation.comments import store as comments
from moderation.comments.model import Comment
from moderation.comments.store import JudgedComment, Keys
from moderation.comments.verdict import Reason, Verdict
from moderation.core.ids import new_id
from moderation.core.problem import Unavailable
from moderation.db import connect
from moderation.db.database import Database, Session
from moderation.db.sqlite import Writer
from moderation.intake import store as idempotency
from moderation.privacy import store as data_subjects
from moderation.privacy.store import DataSubject
from moderation.queue import store as queue
from moderation.sites import store as sites
from moderation.sites.model import Article, Site
from moderation.sites.site_settings import SiteSettings
from moderation.team import store as moderators

pytestmark = pytest.mark.anyio


async def a_site(tx: Session, key: str = "default") -> None:
    await sites.put_site(
        tx,
        Site(key=key, name=key.title(), origins=("https://blog.example",), settings=SiteSettings(blocked=("bank",))),
        1,
    )
    await sites.put_article(tx, Article(site=key, key="post", title="A post", created_at=1))


def judged(id: str, site: str = "default", **more: object) -> JudgedComment:
    values: dict[str, object] = {
        "id": id, "site": site, "article": "post", "parent": None, "path": id, "status": "approved", "revision": 1,
        "name": "Ann", "email": "ann@example.org", "url": None, "body": "Text", "html": "<p>Text</p>", "created_at": 5,
    } | more  # fmt: skip
    verdict = Verdict(
        action="publish",
        reasons=(Reason(rule="label", label="spam", weight=0.25, spans=((0, 4),)),),
        scores={"spam": 0.25},
        model="m1",
        facts={"links": 0},
    )
    return JudgedComment(
        comment=Comment(**values),
        verdict=verdict,
        keys=Keys(author="author", network="address", body="body"),
        notify=False,
        email_domain="example.org",
    )  # type: ignore[arg-type]


async def test_what_is_stored_comes_back_as_it_was(database: Database) -> None:
    one = judged(new_id(5), url="https://example.org/", body="Grüße 🌱 \u2028 'quoted' ?")
    async with database.transaction() as tx:
        await a_site(tx)
        await comments.add(tx, [one])
    async with database.reading() as session:
        assert (await sites.sites(session))["default"].settings.blocked == ("bank",)
        assert await comments.find(session, [one.comment.id]) == {one.comment.id: one.comment}
        assert await comments.verdicts(session, "default", [one.comment.id]) == {one.comment.id: one.verdict}


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await a_site(tx)
            raise RuntimeError("in the middle")
    async with database.reading() as session:
        assert await sites.sites(session) == {}


async def test_what_nobody_waits_for_is_there_for_whoever_asks_next_and_goes_with_the_transaction(
    database: Database,
) -> None:
    add = "INSERT INTO training_state (site, examples_read_at) VALUES (?, ?)"
    async with database.transaction() as tx:
        await tx.execute_many(add, [("one", 1), ("two", 2)])
        assert [
            tuple(row)
            for row in await tx.fetch("SELECT site, examples_read_at FROM training_state ORDER BY examples_read_at")
        ] == [
            ("one", 1),
            ("two", 2),
        ]
        await tx.execute_many("UPDATE training_state SET examples_read_at = ? WHERE site = ?", [(5, "one")])
        assert await tx.execute("DELETE FROM training_state WHERE examples_read_at = 5") == 1
        await tx.execute_many(add, [("three", 3)])
    with pytest.raises(Exception, match=r"UNIQUE|unique|duplicate"):
        async with database.transaction() as tx:
            await tx.execute_many(add, [("four", 4)])
            await tx.execute_many(add, [("three", 3)])  # on SQLite this is refused at the commit
    async with database.reading() as session:
        assert [
            tuple(row)
            for row in await session.fetch(
                "SELECT site, examples_read_at FROM training_state ORDER BY examples_read_at"
            )
        ] == [
            ("two", 2),
            ("three", 3),
        ]


async def test_a_batch_goes_to_the_writers_thread_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = connect(str(tmp_path / "db.sqlite3"))
    await database.open()
    async with database.transaction() as tx:
        await a_site(tx)
    hops, run = [], Writer.run

    async def counted(self: Writer, work: Any, *args: Any) -> Any:
        hops.append(args)
        return await run(self, work, *args)

    monkeypatch.setattr(Writer, "run", counted)
    async with database.transaction() as tx:
        assert await comments.postings(tx.before, "default", ["author"], ["body"]) == set()
        await comments.add(tx, [judged(new_id(5, n)) for n in range(10)])
        await sites.touch(tx, "default", ["post"])
    assert hops == [("BEGIN IMMEDIATE",), ("COMMIT",)]
    async with database.reading() as session:
        assert await comments.approved(session, "default", ["post"]) == {"post": 10}
        assert (await queue.counts(session, "default"))["approved"] == 10
    await database.close()


async def test_a_person_is_found_and_erased_with_texts_that_never_were_comments(database: Database) -> None:
    comment, asked = judged(new_id(5)), judged(new_id(6))
    async with database.transaction() as tx:
        await a_site(tx)
        await comments.add(tx, [comment])
        await comments.add_verdicts(tx, [replace(asked, source="import")])
        person = DataSubject(key="author")
        assert [(site, ids) async for site, ids in data_subjects.judged_ids(tx, person)] == [
            ("default", [comment.comment.id, asked.comment.id])
        ]
        await data_subjects.erase(tx, person)
        assert await tx.fetch("SELECT id FROM submissions") == [] and await tx.fetch("SELECT id FROM comments") == []


async def test_a_status_moves_only_from_the_revision_seen(database: Database) -> None:
    one = judged(new_id(5))
    async with database.transaction() as tx:
        await a_site(tx)
        await comments.add(tx, [one])
        assert await comments.move(tx, one.comment, "spam", decided=True)
        assert not await comments.move(tx, one.comment, "approved", decided=True)
        found = (await comments.find(tx, [one.comment.id]))[one.comment.id]
    assert (found.status, found.revision, found.is_decided) == ("spam", 2, True)


async def test_writers_take_turns_and_none_is_lost(database: Database) -> None:
    async with database.transaction() as tx:
        await a_site(tx)

    async def write(number: int) -> None:
        async with database.transaction() as tx:
            row = await tx.fetch_one("SELECT revision FROM articles WHERE site = ? AND article = ?", "default", "post")
            assert row
            await tx.execute(
                "UPDATE articles SET revision = ? WHERE site = ? AND article = ?", row[0] + 1, "default", "post"
            )

    await asyncio.gather(*(write(n) for n in range(20)))
    assert await database.article_revision("default", "post") == 20


async def test_a_reader_sees_one_moment_and_never_waits(database: Database) -> None:
    async with database.transaction() as tx:
        await a_site(tx)
    async with database.reading() as session:
        assert len(await sites.sites(session)) == 1
        async with database.transaction() as tx:
            await a_site(tx, "second")
        assert len(await sites.sites(session)) == 1
    async with database.reading() as session:
        assert len(await sites.sites(session)) == 2


@pytest.mark.parametrize("address", ["postgres"], indirect=True)
async def test_the_index_of_a_text_has_every_three_letters_of_it(database: Database) -> None:
    texts = ["", "ab", "Abc", "aBÇd\nabcd", "🦊🦊🦊 e\u0301", "kind words " * 900]
    async with database.reading() as session:
        for text in texts:
            (row,) = await session.fetch("SELECT trigrams(?)", text)
            low = text.lower()
            assert set(row[0] or ()) == {low[at : at + 3] for at in range(len(low) - 2)}, text


async def test_writers_that_open_a_new_file_at_once_wait_for_each_other(tmp_path: Path) -> None:
    for number in range(30):  # SQLite refuses about one in twelve of them
        writers = [Writer(tmp_path / f"{number}.sqlite3") for _ in range(4)]
        await asyncio.gather(*(writer.write_ahead() for writer in writers))
        for writer in writers:
            assert writer.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            await writer.close()


async def test_attempts_and_retries_are_counted_where_every_process_sees_them(database: Database) -> None:
    async with database.transaction() as tx:
        await a_site(tx)
        for at in (1_000, 2_000):
            await moderators.add_attempt(tx, "who", at)
        await idempotency.add(tx, [("default", "post", "key", "request", "{}")], now=1_000)
    other = connect(str(database.path)) if database.kind == "sqlite" else connect(database._address)  # type: ignore[attr-defined]
    await other.open()
    async with other.reading() as session:
        assert await moderators.attempts(session, "who", 2_000, 2_000) == 2
        assert await moderators.attempts(session, "who", 2_000, 500) == 1
        assert await idempotency.find(session, "default", ["key"], now=2_000) == {("post", "key"): ("request", "{}")}
        assert await idempotency.find(session, "default", ["key"], now=1_000 + idempotency.KEPT + 1) == {}
    await other.close()


async def test_a_closed_database_says_that_nothing_was_stored(database: Database) -> None:
    await database.close()
    with pytest.raises(Unavailable, match="nothing was stored"):
        async with database.transaction():
            pass


async def test_sqlite_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    database = connect(str(tmp_path / "new" / "db.sqlite3"))
    await database.open()
    async with database.transaction() as tx:
        pragmas = {
            name: (await tx.fetch(f"PRAGMA {name}"))[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    await database.close()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert (tmp_path / "new" / "db.sqlite3").stat().st_mode & 0o077 == 0


async def test_no_query_of_the_hot_path_scans_a_table(tmp_path: Path) -> None:
    database = connect(str(tmp_path / "db.sqlite3"))
    await database.open()
    plans = []

    class Explaining(Session):
        def __init__(self, session: Session) -> None:
            self.session = session

        async def fetch(self, sql: str, *args: object) -> list:  # type: ignore[type-arg]
            plans.extend(row[3] for row in await self.session.fetch("EXPLAIN QUERY PLAN " + sql, *args))
            return await self.session.fetch(sql, *args)

        async def execute(self, sql: str, *args: object) -> int:
            return await self.session.execute(sql, *args)

        async def execute_many(self, sql: str, rows: object) -> None:
            raise AssertionError

    async with database.reading() as session:
        asked = Explaining(session)
        await comments.postings(asked, "default", ["a"], ["b"])
        await comments.recent_by_author(asked, "default", ["a"], "0")
        await comments.recent(asked, "default", ["a"], "0")
        await openings.by_network(asked, "default", ["a"], 0)
        await openings.proposals(asked, "default", ["a"])
        await comments.of_site(asked, "default", ["a"])
        await comments.find(asked, ["a"])
        await comments.thread(asked, "default", "post", newest=False, limit=50, after=("a", "a"))
        await comments.approved(asked, "default", ["post"])
    await database.close()
    assert len(plans) >= 7
    assert not [plan for plan in plans if plan.startswith("SCAN") and "sites" not in plan], plans
