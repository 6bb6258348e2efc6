"""What the queue finds and in which order, through the API, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.views import Told
from moderation.queue import decide as queue
from moderation.queue import store as storage_queue
from moderation.queue import store_search as search
from moderation.queue.store import View, waiting
from tests.conftest import Service
from tests.html import csrf

pytestmark = pytest.mark.anyio


async def ids(service: Service, **query: Any) -> list[str]:
    answer = await service.client.get("/api/v1/comments", params=query, headers=await service.token())
    assert answer.status_code == 200, answer.text
    return [c["id"] for c in answer.json()["comments"]]


async def test_search_finds_pieces_of_words_and_words_without_spaces(service: Service) -> None:
    chinese = await service.held(body="这篇文章写得很好，谢谢作者分享 https://a.example/1", name="王小明")
    english = await service.held(body='The Übergroßvater said "100% of it" at https://b.example/2')
    assert await ids(service, q="写得很好") == [chinese]
    assert await ids(service, q="文章") == [chinese]  # two letters: too short for the index, found all the same
    assert await ids(service, q="小明") == [chinese]
    assert await ids(service, q="großvat") == [english]
    assert await ids(service, q="said THE") == [english]  # all the words, in any order
    assert await ids(service, q='"said the"') == []  # in one piece
    assert await ids(service, q="100%") == [english]
    assert await ids(service, q="b_example") == []  # no wildcard
    assert await ids(service, q='"') == [chinese, english]
    assert await ids(service, q="a.example OR b.example") == []
    assert await ids(service, q="nobody@nowhere") == []


async def test_search_finds_short_words_and_mail_hosts(service: Service) -> None:
    one = await service.held(body="Ox and I, see https://a.example/1 or C#, 東京 👍!", email="ann@mail.garden.example")
    two = await service.held(body="A fox said so: https://b.example/2 大阪", email="bob@garden.example")
    for q, found in {
        "ox": [one], "OX": [one], "so": [two], "a": [one, two], "i": [one], "an": [], "c#": [one], "京": [one], "東京": [one],
        "京都": [], "阪": [two], "大阪 so": [two], "東京 so": [], "👍": [one], "ox and": [one], "so and": [],
        "@garden.example": [two], "@mail.garden.example": [one], "@MAIL.garden.example ox": [one], "@garden": [two],
        "@arden.example": [], "@garden.example so": [two], '" "': [one, two],
    }.items():  # fmt: skip
        assert await ids(service, q=q) == found, q


async def test_search_finds_whole_addresses_wherever_they_stand(service: Service) -> None:
    mine = await service.held(email="Ann@garden.example")
    longer = await service.held(email="joann@garden.example.org")
    named = await service.held(body="Write to ann@garden.example, or https://a.example/1", email="bob@garden.example")
    await service.held(email="ann@other.example")
    for q, found in {
        "ann@garden.example": [mine, longer, named], "ANN@Garden.example": [mine, longer, named], "ann@garden": [mine, longer, named],
        "joann@garden.example": [longer], "ann@garden.example.org": [longer], "ann@garden.example write": [named],
        "ann@garden_example": [], "bob@garden.example ann@garden.example": [named], "ann@garden.test": [],
    }.items():  # fmt: skip
        assert await ids(service, q=q) == found, q


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
@pytest.mark.parametrize("order", ["oldest", "newest", "worst", "uncertain", "useful"])
async def test_the_second_look_has_an_index_of_its_own_in_every_order(service: Service, order: str) -> None:
    async with service.services.database.reading() as session:
        told = Told(session)
        await waiting(told, View("approved", "default", sample=True, order=order))
        ((sql, args),) = told.said
        plan = [str(row[3]) for row in await session.fetch(f"EXPLAIN QUERY PLAN {sql}", *args)]
    assert "audit_sample_by" in plan[0] and not any("TEMP B-TREE" in line for line in plan), plan


async def test_what_was_stored_before_the_index_is_read_in_pieces_and_found_meanwhile(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "AT_ONCE", 2)
    made = [await service.held(body=f"Ox {n}: https://a.example/{n}") for n in range(5)]
    database = service.services.database
    async with database.reading() as session:
        assert len(await session.fetch("SELECT * FROM comment_short_words_unindexed")) in (0, 5)
    assert await ids(service, q="ox") == made, "read row by row"
    await queue.read_up(database, all_=True)
    async with database.reading() as session:
        assert await session.fetch("SELECT * FROM comment_short_words_unindexed") == []
        assert not await search.is_behind(session)
    assert await ids(service, q="ox") == made


@pytest.mark.parametrize("q", ["ox", "ox 京", "京", "@mail.garden.example", "@mail.garden.example zeppelin", "qq"])
async def test_a_short_word_is_looked_up_and_no_table_is_read_through(service: Service, q: str) -> None:
    await service.held(body="Ox, zeppelin 東京 https://a.example/1", email="ann@mail.garden.example")
    database = service.services.database
    await queue.read_up(database, all_=True)
    async with database.reading() as session:
        told = Told(session)
        await waiting(told, View(q=q))
        if database.kind == "postgres":  # of one row it would read the table; of 200,000 it does not
            await session.fetch("SELECT set_config('enable_seqscan', 'off', true)")
        explain = "EXPLAIN QUERY PLAN " if database.kind == "sqlite" else "EXPLAIN "
        plans = {
            sql: [
                str(row[3] if database.kind == "sqlite" else row[0])
                for row in await session.fetch(explain + sql, *args)
            ]
            for sql, args in told.said
        }
    (looked_up,) = [sql for sql in plans if "comment_short_words " in sql and sql.startswith("SELECT count")]
    wanted = "VIRTUAL TABLE INDEX" if database.kind == "sqlite" else "comment_short_words"
    assert any(wanted in line for line in plans[looked_up]), plans[looked_up]
    for sql, plan in plans.items():
        read = [
            line
            for line in plan
            if ("SCAN" in line and "VIRTUAL TABLE" not in line and line != "SCAN found") or "Seq Scan" in line
        ]
        read = [
            line for line in read if "sqlite_master" not in sql and "comment_counts" not in sql and "sites" not in line
        ]
        assert read == [], (sql, plan)


async def decide(service: Service, chosen: list[str], action: str) -> str:
    told = {"comments": chosen, "action": action}
    answer = await service.client.post("/api/v1/decisions", json=told, headers=await service.token())
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize("asked", [{"q": "zeppelin"}, {"q": "ox"}, {"rule": "stranger-with-link"}], ids=str)
async def test_what_is_common_but_of_no_comment_of_this_status_is_found_out_without_reading_them(
    service: Service, monkeypatch: pytest.MonkeyPatch, asked: dict[str, str]
) -> None:
    monkeypatch.setattr(search, "MANY", 3)
    common = [await service.held(body=f"Ox, zeppelin {n}: https://a.example/{n}") for n in range(5)]
    other = (await service.post(body="Nothing of that.")).json()["id"]
    await queue.read_up(service.services.database, all_=True)
    await decide(service, common, "approve")
    await decide(service, [other], "hold")
    async with service.services.database.reading() as session:  # the index may still say where they stood
        assert await waiting(session, View("pending", "default", **asked)) == []
        assert len(await waiting(session, View("approved", "default", **asked))) == 5
    await queue.read_up(service.services.database, all_=True)
    async with service.services.database.reading() as session:
        told = Told(session)
        assert await waiting(told, View("pending", "default", **asked)) == []
        assert not any("ORDER BY" in sql for sql, _ in told.said), told.said
        assert len(await waiting(session, View("approved", "default", **asked))) == 5


@pytest.mark.parametrize("order", ["oldest", "newest", "uncertain", "worst", "useful"])
async def test_filters_that_seldom_meet_find_all_the_same_and_end_before_all_is_read(
    service: Service, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr(search, "MANY", 3)
    monkeypatch.setattr(storage_queue, "FAR", 2)
    both = [await service.held(body=f"Ox, zeppelin {n}: https://a.example/{n}") for n in range(4)]
    first = [await service.held(body=f"A zeppelin {n}: https://a.example/{n}") for n in range(6)]
    second = [await service.held(body=f"An ox {n}: https://a.example/{n}") for n in range(6)]
    every = await ids(service, order=order)
    assert len(every) == 16
    for indexed in (False, True):
        for asked, wanted in (
            ({"q": "zeppelin"}, {*both, *first}),
            ({"q": "ox"}, {*both, *second}),
            ({"q": "zeppelin ox"}, set(both)),
            ({"q": "zeppelin ox", "rule": "stranger-with-link"}, set(both)),
            ({"q": "zeppelin", "rule": "stranger-with-link"}, {*both, *first}),
            ({"q": "zeppelin nobody"}, set()),
        ):
            assert await ids(service, order=order, **asked) == [id for id in every if id in wanted], (asked, indexed)
            seen, cursor = list[str](), None
            while True:
                query: dict[str, Any] = {"order": order, "limit": 3, **asked, **({"cursor": cursor} if cursor else {})}
                answer = await service.client.get("/api/v1/comments", params=query, headers=await service.token())
                seen += [c["id"] for c in answer.json()["comments"]]
                if not (cursor := answer.json()["next"]):
                    break
            assert seen == [id for id in every if id in wanted], (asked, indexed)
        await queue.read_up(service.services.database, all_=True)
    async with service.services.database.reading() as session:
        told = Told(session)
        assert len(await waiting(told, View("pending", "default", q="zeppelin ox", order=order))) == 4
    walk, sort = [sql for sql, _ in told.said if "c.body, c.html" in sql]
    assert "<= (" in walk or "<= ?" in walk or ">= (" in walk or ">= ?" in walk, "the walk ends somewhere"
    assert sort.count("c.id IN (SELECT") == 3, "both are looked up"


@pytest.mark.parametrize("address", ["postgres"], indirect=True)
async def test_what_is_new_waits_on_a_short_list_for_each_inverted_index(service: Service) -> None:
    async with service.services.database.reading() as session:
        indexes = await session.fetch(
            "SELECT i.relname, i.reloptions FROM pg_class i JOIN pg_am m ON m.oid = i.relam WHERE m.amname = 'gin'"
        )
    assert len(indexes) >= 2
    for name, options in indexes:
        assert options == ["gin_pending_list_limit=128"], f"{name}: a search reads the whole list, by default of 4 MB"


async def test_what_a_rule_says_no_more_since_an_edit_hides_nothing_behind_it(service: Service) -> None:
    made = [await service.held() for _ in range(5)]
    async with service.services.database.transaction() as tx:
        for id in made[:4]:
            await tx.execute("UPDATE submissions SET reasons = '[]' WHERE id = ?", id)
    async with service.services.database.reading() as session:
        for order in ("oldest", "useful"):
            asked = View("pending", "default", rule="stranger-with-link", order=order, limit=1)
            assert [comment.id for comment, _, _ in await waiting(session, asked)] == made[4:]


async def test_what_is_looked_up_moves_along_with_every_decision(service: Service) -> None:
    one, two = [await service.held(body=f"Ox, zeppelin {n}: https://a.example/{n}") for n in range(2)]
    searches: list[dict[str, str]] = [
        {"q": "zeppelin"},
        {"q": "ox"},
        {"q": "ox zeppelin"},
        {"rule": "stranger-with-link"},
    ]

    async def found(status: str) -> list[list[str]]:
        return [await ids(service, status=status, **asked) for asked in searches]

    assert await found("pending") == [[one, two]] * 4
    decision = await decide(service, [one], "spam")
    for _ in range(2):
        assert await found("pending") == [[two]] * 4 and await found("spam") == [[one]] * 4
        await queue.read_up(service.services.database, all_=True)
    assert (
        await service.client.post(f"/api/v1/decisions/{decision}/undo", headers=await service.token())
    ).status_code == 200
    for _ in range(2):
        assert await found("pending") == [[one, two]] * 4 and await found("spam") == [[]] * 4
        await queue.read_up(service.services.database, all_=True)
    await decide(service, [two], "reject")
    await queue.read_up(service.services.database, all_=True)
    assert await found("rejected") == [[two]] * 4 and await found("pending") == [[one]] * 4


async def test_search_follows_edits_and_erasure(service: Service) -> None:
    answer = await service.post(body="Before https://a.example/1", email="ann@example.org")
    made = answer.json()
    where = f"/sites/default/articles/post/comments/{made['id']}"
    edited = await service.client.patch(
        where, json={"body": "Afterwards https://a.example/1"}, headers={"Edit-Token": made["edit_token"]}
    )
    assert edited.status_code == 202
    assert await ids(service, q="before") == []
    assert await ids(service, q="afterw") == [made["id"]]
    assert await ids(service, q="@example.org") == [made["id"]]
    headers = await service.token("privacy")
    await service.client.post("/api/v1/privacy/erase", json={"email": "ann@example.org"}, headers=headers)
    assert await ids(service, q="afterw") == []
    assert await ids(service, q="@example.org") == []
    async with service.services.database.reading() as session:
        assert await session.fetch("SELECT * FROM comment_reasons") == []
        for table in ("comment_short_words", "comment_short_words_unindexed"):
            assert await session.fetch(f"SELECT * FROM {table}") == []


async def test_the_queue_is_filtered_by_rule_and_by_author(service: Service) -> None:
    one = await service.held(email="ann@example.org")
    two = await service.held(email="ann@example.org")
    spam = "Buy cheap viagra online, cialis, xanax, no prescription! Casino bonus, free spins, payday loans, replica handbags"
    other = await service.held(email="bob@example.org", body=f"{spam} https://pills.example/")
    assert set(await ids(service, rule="stranger-with-link")) == {one, two}
    assert await ids(service, rule="certain-spam", status="spam") == [other]
    assert await ids(service, rule="honeypot") == []
    assert await ids(service, author=two) == [one, two]
    assert await ids(service, author=other, status="spam", q="pills.example") == [other]
    for wrong in ({"rule": "no-such-rule"}, {"author": "ann@example.org"}, {"order": "best"}):
        answer = await service.client.get("/api/v1/comments", params=wrong, headers=await service.token())
        assert answer.status_code == 422, answer.text


async def test_the_most_useful_comes_first_but_nothing_waits_for_ever(service: Service) -> None:
    dull = await service.held()
    async with service.services.database.transaction() as tx:  # a sure verdict, and one in the middle
        await tx.execute("UPDATE comments SET rank = ? WHERE id = ?", service.clock(), dull)
    service.clock.forward(hours=1)
    telling = await service.held()
    async with service.services.database.transaction() as tx:
        await tx.execute("UPDATE comments SET rank = ? WHERE id = ?", service.clock() - 86_400_000, telling)
    assert await ids(service, order="useful") == [telling, dull]
    service.clock.forward(hours=49)
    late = await service.held()
    assert (await ids(service, order="useful"))[-1] == late  # two days are the longest head start there is


@pytest.mark.parametrize("order", ["oldest", "newest", "uncertain", "worst", "useful"])
async def test_pages_of_every_order_hold_each_comment_once_over_all_sites(service: Service, order: str) -> None:
    async with service.services.database.transaction() as tx:
        from moderation.sites import store as sites
        from moderation.sites.model import Site

        await sites.put_site(tx, Site(key="other", name="Other"), 1)
    made = {await service.held(site=("default", "other")[n % 2]) for n in range(9)}
    who, seen, cursor = await service.token(), list[str](), None
    while True:
        query = {"order": order, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await service.client.get("/api/v1/comments", params=query, headers=who)).json()
        seen += [c["id"] for c in page["comments"]]
        cursor = page["next"]
        if not cursor:
            break
    assert len(seen) == 9 and set(seen) == made
    every = await ids(service, order=order)
    assert every == seen


@pytest.mark.parametrize("order", ["oldest", "newest", "uncertain", "worst", "useful"])
async def test_several_statuses_are_one_list_in_every_order(service: Service, order: str) -> None:
    who = await service.token()
    held = [await service.held() for _ in range(6)]
    for action, some in (("spam", held[:2]), ("reject", held[2:4]), ("approve", held[4:5])):
        await service.client.post("/api/v1/decisions", json={"comments": some, "action": action}, headers=who)

    async def listed(status: str) -> list[str]:
        seen, cursor = list[str](), None
        while True:
            query = {"order": order, "limit": 2, "status": status} | ({"cursor": cursor} if cursor else {})
            page = (await service.client.get("/api/v1/comments", params=query, headers=who)).json()
            seen += [c["id"] for c in page["comments"]]
            cursor = page["next"]
            if not cursor:
                return seen

    every, some = await listed("any"), await listed("spam,pending,spam")
    assert len(every) == 6 and set(every) == set(held)
    assert set(some) == {*held[:2], held[5]} and some == [id for id in every if id in some]
    assert every == await ids(service, order=order, status="any")


async def test_the_numbers_on_the_tabs_are_kept_by_the_database(service: Service) -> None:
    from moderation.queue import store as queue

    who = await service.token()
    held = [await service.held() for _ in range(3)]
    await service.post()
    done = await service.client.post("/api/v1/decisions", json={"comments": held[:2], "action": "spam"}, headers=who)
    await service.client.post("/api/v1/decisions", json={"comments": held[:1], "action": "delete"}, headers=who)
    assert done.status_code == 200
    async with service.services.database.reading() as session:
        kept = await queue.counts(session)
        counted = {
            row[0]: row[1] for row in await session.fetch("SELECT status, count(*) FROM comments GROUP BY status")
        }
        assert await queue.pending(session) == {"default": 1}
    assert kept == {"pending": 1, "approved": 1, "spam": 1, "rejected": 0, "deleted": 1}
    assert {k: v for k, v in kept.items() if v} == counted


async def test_the_spam_folder_is_emptied_after_asking_and_nothing_else_goes(service: Service) -> None:
    from tests.queue.test_decide import set_password, sign_in

    held, other = await service.held(), await service.held()
    who = await service.token()
    await service.client.post("/api/v1/decisions", json={"comments": [held], "action": "spam"}, headers=who)
    service.clock.forward(seconds=1)
    await set_password(service)
    await sign_in(service)
    asked = await service.client.get("/moderate/spam/empty")
    assert asked.status_code == 200 and "1 comment of all your sites" in asked.text
    assert await ids(service, status="spam") == [held]
    refused = await service.client.post("/moderate/spam/empty", data={"csrf_token": "wrong"})
    assert refused.status_code == 403 and await ids(service, status="spam") == [held]
    done = await service.client.post("/moderate/spam/empty", data={"csrf_token": csrf(asked.text), "site": ""})
    assert done.status_code == 303
    assert await ids(service, status="spam") == [] and await ids(service) == [other]
    async with service.services.database.reading() as session:
        assert await session.fetch("SELECT body FROM submissions WHERE id = ? AND body <> ''", held) == []
    entries = (await service.client.get("/api/v1/audit", headers=who)).json()["entries"]
    assert ("spam:empty", {"comments": 1}) in [(e["action"], e["detail"]) for e in entries]
