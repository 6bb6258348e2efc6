"""The use of keys: counted beside the checks, written now and then, shown to the key's holder."""

from __future__ import annotations

from typing import Any

import pytest

from moderation.comments.verdict import HOLD, Reason, Verdict
from moderation.core.problem import Unavailable
from moderation.db.database import Database
from moderation.dialects import usage
from moderation.dialects.akismet_form import Parameters
from moderation.dialects.usage import BLOGS, OTHERS, KeyUsage, month_named
from moderation.team.model import Principal
from moderation.team.store_key_usage import Counts
from tests.conftest import Clock, Service
from tests.dialects.conftest import FILED, PUBLISHED, Akismet, new_key

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000_000  # 2027-01-15
CALL = Counts(calls=1, spam=1)


def principal(token_hash: str = "hash", site: str = "*") -> Principal:
    return Principal(name="token:x", site=site, scopes=frozenset(), token_hash=token_hash)


async def rows(database: Database) -> list[tuple[Any, ...]]:
    async with database.reading() as session:
        sql = "SELECT site, token_hash, blog, day, calls, spam, ham, missed_spam, false_positives, is_unlinked FROM key_usage"
        return [tuple(row) for row in await session.fetch(f"{sql} ORDER BY site, token_hash, blog, day")]


async def test_counts_are_written_once_and_added_to_those_of_before(database: Database) -> None:
    clock = Clock()
    counting = KeyUsage(database, clock)
    for _ in range(3):
        counting.count(principal(), "a.example", CALL)
    assert await rows(database) == [] and await counting.is_waiting()
    for _ in range(2):
        await counting.flush()
    counting.count(principal(), "a.example", Counts(calls=1, ham=1))
    await KeyUsage(database, clock).flush()  # another process has nothing to write
    await counting.flush()
    assert not await counting.is_waiting()
    assert await rows(database) == [("*", "hash", "a.example", NOW // 86_400_000, 4, 3, 1, 0, 0, 0)]


async def test_counts_that_cannot_be_written_are_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = KeyUsage(database, Clock())
    counting.count(principal(), "a.example", CALL)

    def full() -> Any:
        raise Unavailable("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(database, "transaction", full)
        with pytest.raises(Unavailable):
            await counting.flush()
    counting.count(principal(), "a.example", CALL)
    await counting.flush()
    assert [row[4] for row in await rows(database)] == [2]


async def test_endless_sites_are_counted_together(database: Database) -> None:
    counting = KeyUsage(database, Clock())
    for n in range(BLOGS + 20):
        counting.count(principal(), f"{n}.example", CALL)
    await counting.flush()
    counted = {row[2]: row[4] for row in await rows(database)}
    assert len(counted) == BLOGS + 1 and counted[OTHERS] == 20


async def test_a_site_is_unlinked_until_its_next_call(database: Database) -> None:
    clock = Clock()
    counting = KeyUsage(database, clock)

    async def unlinked() -> dict[str, bool]:
        return {one.blog: one.is_unlinked for one in await counting.of_sites(principal(), month_named("", clock()))}

    counting.count(principal(), "a.example", CALL)
    counting.count(principal(), "b.example", CALL)
    await counting.unlink(principal(), "a.example")
    assert await unlinked() == {"a.example": True, "b.example": False}
    clock.forward(hours=48)
    assert await unlinked() == {"a.example": True, "b.example": False}
    counting.count(principal(), "a.example", CALL)
    assert await unlinked() == {"a.example": False, "b.example": False}


async def test_the_service_writes_the_last_counts_when_it_stops(akismet: Akismet) -> None:
    """As it does in a periodic job meanwhile."""
    await akismet.check()
    services = akismet.service.services
    assert await services.key_usage.is_waiting()
    await services.periodic.due()
    assert len(await rows(services.database)) == 1 and not await services.key_usage.is_waiting()


async def test_a_check_writes_nothing_of_its_own(akismet: Akismet, monkeypatch: pytest.MonkeyPatch) -> None:
    await akismet.check()  # which notes the hour of the key's last use

    def none() -> Any:
        raise AssertionError("a transaction")

    monkeypatch.setattr(akismet.service.services.database, "transaction", none)
    assert (await akismet.check()).text == "false"


@pytest.mark.parametrize(
    ("text", "name", "days"),
    [("2026-11", "2026-11", 30), ("2024-02", "2024-02", 29), ("2026-12", "2026-12", 31), ("", "2027-01", 31), ("2026-13", "2027-01", 31),
     ("2026-1", "2027-01", 31), ("٢٠٢٦-١١", "2027-01", 31), ("0000-01", "2027-01", 31), ("9999-12", "2027-01", 31), ("1969-12", "2027-01", 31)],
)  # fmt: skip
def test_months(text: str, name: str, days: int) -> None:
    month = month_named(text, NOW)
    assert month.name == name and month.last - month.first == days


# --- key-sites ---------------------------------------------------------------------------------------------------------


async def used(akismet: Akismet) -> None:
    """Three sites: one with two hams, one with three spams, one with one of each."""
    for blog, verdicts in (("one", "hh"), ("two", "sss"), ("three", "hs")):
        for n, verdict in enumerate(verdicts):
            akismet.checks.verdict = FILED if verdict == "s" else PUBLISHED
            await akismet.check(blog=f"https://{blog}.example/", comment_content=f"{blog} {n}")


async def test_sites_of_a_key(akismet: Akismet) -> None:
    await used(akismet)
    document = await akismet.sites()
    assert list(document) == ["2027-01", "limit", "offset", "total"]
    assert document["2027-01"][0] == {
        "site": "two.example", "api_calls": "3", "spam": "3", "ham": "0", "missed_spam": "0", "false_positives": "0", "is_revoked": False,
    }  # fmt: skip
    assert (document["limit"], document["offset"], document["total"]) == (500, 0, 3)


@pytest.mark.parametrize(
    ("values", "sites", "total"),
    [
        ({}, ["two", "one", "three"], 3),
        ({"order": "ham"}, ["one", "three", "two"], 3),
        ({"order": "nonsense"}, ["two", "one", "three"], 3),
        ({"limit": "1", "offset": "1"}, ["one"], 3),
        ({"limit": "x", "offset": "-1"}, ["two", "one", "three"], 3),
        ({"limit": "9" * 5000, "offset": "9" * 5000}, [], 3),
        ({"filter": "T"}, ["two", "three"], 2),
        ({"month": "2026-11"}, [], 0),
    ],
)
async def test_a_page_of_sites(akismet: Akismet, values: dict[str, str], sites: list[str], total: int) -> None:
    await used(akismet)
    document = await akismet.sites(**values)
    rows_of_month = document[values.get("month", "2027-01")]
    assert [row["site"].removesuffix(".example") for row in rows_of_month] == sites and document["total"] == total


async def test_sites_as_csv_do_not_show_the_key(akismet: Akismet) -> None:
    await used(akismet)
    answer = await akismet.call("/1.2/key-sites", "GET", format="csv", limit="2")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines() == [
        "Active sites for this key during 2027-01 (limit:2, offset: 0, total: 3)",
        "Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked",
        "two.example,3,3,0,0,0,false",
        "one.example,2,0,2,0,0,false",
    ]
    assert akismet.key not in answer.text


async def test_a_key_shows_its_own_use_only(akismet: Akismet, service: Service) -> None:
    await used(akismet)
    akismet.key = await new_key(service)
    assert (await akismet.sites())["total"] == 0
    assert (await akismet.call("/1.2/usage-limit")).json()["usage"] == 0


async def test_a_deactivated_site_is_revoked_until_it_calls_again(akismet: Akismet) -> None:
    async def revoked() -> bool:
        document = await akismet.sites()
        return bool(document["2027-01"][0]["is_revoked"])

    await akismet.check()
    assert (await akismet.call("/1.1/deactivate", key=akismet.key)).text == "deactivated"
    assert await revoked()
    assert (await akismet.call("/1.1/verify-key")).text == "valid"  # and the key stays one
    assert not await revoked()


# --- what counts -------------------------------------------------------------------------------------------------------


async def test_tests_count_as_calls_and_neither_as_spam_nor_as_ham(akismet: Akismet) -> None:
    await akismet.check(is_test="1")
    await akismet.check(comment_author="viagra-test-123")
    await akismet.check(user_role="administrator")
    assert await akismet.counts() == {
        "api_calls": "3",
        "spam": "0",
        "ham": "1",
        "missed_spam": "0",
        "false_positives": "0",
    }


@pytest.mark.parametrize(
    ("told", "what", "counted"),
    [
        ("false", "spam", "missed_spam"),
        ("true", "ham", "false_positives"),
        ("true", "spam", None),
        ("false", "ham", None),
        ("", "spam", None),
    ],
)
async def test_without_a_check_here_the_clients_word_for_the_answer_counts(
    akismet: Akismet, told: str, what: str, counted: str | None
) -> None:
    await akismet.check(comment_content="Another.")
    for _ in range(2):
        await akismet.submit(what, comment_check_response=told)
    counts = await akismet.counts()
    assert {name for name in ("missed_spam", "false_positives") if counts[name] == "1"} == (
        {counted} if counted else set()
    )


async def test_a_verdict_that_could_not_be_made_is_no_call(akismet: Akismet) -> None:
    await akismet.check()
    akismet.checks.verdict = Verdict(action=HOLD, reasons=(Reason(rule="unscored"),))
    assert (await akismet.check(comment_content="Another.")).status_code == 503
    assert (await akismet.counts())["api_calls"] == "1"


# --- get-stats ---------------------------------------------------------------------------------------------------------


async def test_stats_of_a_site(akismet: Akismet) -> None:
    await used(akismet)
    akismet.service.clock.forward(hours=24)
    await akismet.check(blog="https://three.example", comment_content="three, a day later")
    answer = await akismet.call("/1.1/get-stats", key=akismet.key, blog="http://three.example", **{"from": "60-days"})
    part = {"missed_spam": 0, "false_positives": 0, "blogs": 1}
    assert answer.json() == {
        "spam": 2, "ham": 1, "missed_spam": 0, "false_positives": 0, "accuracy": "100.00", "time_saved": 0,
        "breakdown": {
            "2027-01-15": {"spam": 1, "ham": 1, **part, "da": "2027-01-15"},
            "2027-01-16": {"spam": 1, "ham": 0, **part, "da": "2027-01-16"},
        },
    }  # fmt: skip


@pytest.mark.parametrize(("span", "spam"), [("60-days", 1), ("6-months", 2), ("all", 3), ("nonsense", 3)])
async def test_stats_of_a_time(akismet: Akismet, span: str, spam: int) -> None:
    akismet.checks.verdict = FILED
    for n, days in enumerate((0, 100, 100)):
        akismet.service.clock.forward(hours=24 * days)
        await akismet.check(comment_content=f"{n}")
    document = (await akismet.call("/1.1/get-stats", key=akismet.key, **{"from": span})).json()
    assert document["spam"] == spam == sum(part["spam"] for part in document["breakdown"].values())
    assert set(document["breakdown"]) <= {"2027-01", "2027-04", "2027-08", "2027-08-03"}


async def test_stats_of_nothing(akismet: Akismet) -> None:
    document = (await akismet.call("/1.1/get-stats", key=akismet.key, **{"from": "all"})).json()
    assert document["breakdown"] == {} and document["accuracy"] == "0" and document["time_saved"] == 0


def test_accuracy_is_the_share_that_nobody_reported() -> None:
    day = {20_000: (Counts(calls=200, spam=150, ham=50, missed_spam=1, false_positives=2), 1)}
    assert usage.stats_document(day, by_day=True)["accuracy"] == "98.50"
    assert usage.stats_document({1: (Counts(spam=1, missed_spam=3), 1)}, by_day=False)["accuracy"] == "0.00"


def test_a_hostile_site_name_is_a_field_of_csv() -> None:
    rows = [usage.BlogUsage(blog='a,"b', counts=CALL, is_unlinked=True)]
    page = usage.page_of(rows, month_named("2026-11", NOW), Parameters())
    assert usage.sites_csv(page).splitlines()[-1] == '"a,""b",1,1,0,0,0,true'
