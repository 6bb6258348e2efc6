"""Every view of the queue among 200,000 comments beside the same among 1,000, with the plans of their statements.

    .venv/bin/python -m benchmarks.views [--comments 200000] [--database postgresql://…/empty] [--plans]

It builds two databases (SQLite files in a temporary folder, or the two named) and prints the median of each view's time: of
SQLite, which runs in this process, that of the processor, so that whatever else the machine does is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from classifier.labels import LABELS
from moderation.comments import store as comments
from moderation.comments.model import Comment
from moderation.comments.store import JudgedComment, Keys
from moderation.comments.verdict import Reason, Verdict
from moderation.core.ids import EVERYWHERE, new_id
from moderation.db import connect
from moderation.db.database import Database, Session
from moderation.policy.rules import RULES
from moderation.queue import store as queue
from moderation.queue import store_assignments, store_matching, store_snoozes
from moderation.queue.decide import read_up
from moderation.queue.store import View
from moderation.queue.store_assignments import Assignment
from moderation.queue.store_snoozes import Snooze
from moderation.sites import store as sites
from moderation.sites.model import Article, Site

WORDS = [
    a + b for a in ("ba", "ke", "lo", "mi", "nu", "pra", "sto", "tri") for b in ("la", "den", "ro", "sk", "tum", "vy")
]
STATUSES = ("pending",) * 40 + ("approved",) * 40 + ("spam",) * 15 + ("rejected",) * 4 + ("deleted",)
START = 1_700_000_000_000


def one(chance: random.Random, number: int, count: int) -> JudgedComment:
    """A comment with a verdict. Half of a per mille hold a rare word or carry a rare rule; one in fifty holds `pebble`;
    whatever is published holds `gravel` and carries the rule `many-links`, and nothing else does; of what no label spoke
    about, a fifth holds `quartz`; and the first twentieth of all holds `onyx`."""
    id = new_id(START + number * 1000)
    site, rare = ("news", "news", "news", "blog")[number % 4], number % 2000 == 7
    text = " ".join(chance.choices(WORDS, k=chance.randrange(10, 60))) + (" zeppelin ox 写得很好" if rare else " no")
    status = chance.choice(STATUSES)
    text += " pebble" * (number % 50 == 3) + " gravel" * (status == "approved")
    text += " onyx" * (number < count // 20)
    scores = {label: chance.betavariate(0.4, 1.2) for label in LABELS}
    reasons = [Reason(rule="label", label=chance.choice(LABELS), weight=0.7)] if chance.random() < 0.3 else []
    text += " quartz" * (not reasons and chance.random() < 0.2)
    reasons += [Reason(rule="honeypot")] if rare else []
    reasons += [Reason(rule="many-links")] if status == "approved" else []
    email = f"reader{chance.randrange(20_000)}@{'mail.ballast.example' if rare else 'mail.example.org'}"
    comment = Comment(
        id=id, site=site, article=f"story-{number % 997}", parent=None, path=id, status=status, revision=1, name="A Reader", email=email, url=None, body=text, html=f"<p>{text}</p>",
        created_at=START + number * 1000, edited_at=None, judged_revision=1, is_decided=status != "pending", format="markdown",
    )  # fmt: skip
    verdict = Verdict(action="hold", reasons=tuple(reasons), scores=scores, model="bench", facts={})
    return JudgedComment(
        comment=comment,
        verdict=verdict,
        keys=Keys(author=email, network="", body=""),
        notify=False,
        email_domain="example.org",
    )


async def build(database: Database, count: int) -> float:
    chance, began = random.Random(5), time.perf_counter()
    async with database.transaction() as tx:
        for key in ("news", "blog"):
            await sites.put_site(tx, Site(key=key, name=key.title()), START)
            for n in range(997):
                await sites.put_article(tx, Article(site=key, key=f"story-{n}", title=f"Story {n}", created_at=START))
    for at in range(0, count, 1000):
        async with database.transaction() as tx:
            await comments.add(tx, [one(chance, n, count) for n in range(at, min(at + 1000, count))])
    await share(database, count)
    await read_up(database, all_=True)
    return time.perf_counter() - began


async def share(database: Database, count: int) -> None:
    """One in a hundred of what waits is snoozed until the end of time, one in two hundred is a moderator's."""
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT site, id FROM comments WHERE status = 'pending' ORDER BY id")
        await store_snoozes.put(
            tx,
            [
                Snooze(
                    site=site, id=id, until=2**50, revision=1, moderator="m", act="a", earlier=None, created_at=START
                )
                for site, id in rows[::100]
            ],
        )
        await store_assignments.put(
            tx,
            [
                Assignment(site=site, id=id, moderator="m", assigned_by="m", act="a", earlier="", created_at=START)
                for site, id in rows[::200]
            ],
        )


def views() -> dict[str, View]:
    found = {
        f"{status}, {order}": View(status, order=order) for status in ("pending", "spam") for order in queue.ORDERS
    }
    found |= {f"one site, {order}": View(site="news", order=order) for order in queue.ORDERS}
    found |= {f"published, {order}": View("approved", order=order) for order in queue.ORDERS}
    found["an article"] = View(article="story-5")
    found["an article, worst"] = View(article="story-5", order="worst")
    for order in ("oldest", "useful"):
        found[f"a common label, {order}"] = View(label="spam", order=order)
        found[f"a rare rule, {order}"] = View(rule="honeypot", order=order)
        found[f"a rare word, {order}"] = View(q="zeppelin", order=order)
        found[f"a common word, {order}"] = View(q="kela", order=order)
        found[f"a word of one in fifty, {order}"] = View(q="pebble", order=order)
        found[f"a common word, none pending, {order}"] = View(q="gravel", order=order)
        found[f"a common rule, none pending, {order}"] = View(rule="many-links", order=order)
        found[f"a common label and a common word, {order}"] = View(label="spam", q="kela", order=order)
        found[f"a common label and a word of one in fifty, {order}"] = View(label="spam", q="pebble", order=order)
        found[f"a common label and a common word that never meet, {order}"] = View(
            label="spam", q="quartz", order=order
        )
    found["a word that stands at the other end of the order"] = View(q="onyx", order="newest")
    found["a common word of published comments that a common label never met"] = View(
        "approved", label="spam", q="quartz"
    )
    found["two words of which one is rare"] = View(q="kela zeppelin")
    found["a word nobody wrote"] = View(q="xylophone")
    found["a rule that never fired"] = View(rule=RULES[0][0])
    found["four Chinese letters"] = View(q="写得很好")
    found["two Chinese letters"] = View(q="很好")
    found["one Chinese letter"] = View(q="得")
    found["a rare word of two letters"] = View(q="ox")
    found["a rare word of two letters, useful"] = View(q="ox", order="useful")
    found["a common word of two letters"] = View(q="no")
    found["a common and a rare one"] = View(q="no ox")
    found["a short word that nobody wrote"] = View(q="qq")
    found["a rare mail host"] = View(q="@mail.ballast.example")
    found["a common mail host"] = View(q="@mail.example.org")
    found["a mail host that nobody has"] = View(q="@mail.ballast.example.org")
    found["an address"] = View(q="reader77@mail.example.org")
    now = START + 10**12
    found["pending, without the snoozed"] = View(at=now)
    found["pending, without the snoozed, worst"] = View(at=now, order="worst")
    found["a common label, without the snoozed"] = View(at=now, label="spam")
    found["the snoozed"] = View(at=now, snoozed="only")
    found["a moderator's"] = View(at=now, snoozed="any", assigned="m")
    found["nobody's"] = View(at=now, assigned="none")
    found["the second look"] = View("approved", sample=True)
    found["the second look, worst"] = View("approved", sample=True, order="worst")
    found["published, of an article"] = View("approved", article="story-5")
    return found


def clock_of(database: Database) -> Callable[[], float]:
    return time.process_time if database.kind == "sqlite" else time.perf_counter


Ask = Callable[[Session, View], Awaitable[object]]


async def page_of(session: Session, view: View) -> int:
    return len(await queue.waiting(session, view))


async def all_of(session: Session, view: View) -> int:
    """As many as `matching.py` decides on at once."""
    return len(await store_matching.revisions(session, view, 10_000))


async def timed(database: Database, view: View, ask: Ask, times: int = 9) -> tuple[float, object]:
    took, found, clock = list[float](), None, clock_of(database)
    for _ in range(times):
        async with database.reading() as session:
            began = clock()
            found = await ask(session, view)
            took.append(clock() - began)
    return statistics.median(took) * 1000, found


ASKS: dict[str, Ask] = {"page": page_of, "number": store_matching.count, "all": all_of}


class Told(Session):
    """Passes statements on, and keeps them."""

    def __init__(self, session: Session) -> None:
        self.session, self.kind, self.said = session, session.kind, list[tuple[str, tuple[Any, ...]]]()

    async def fetch(self, sql: str, *args: Any) -> Any:
        self.said.append((sql, args))
        return await self.session.fetch(sql, *args)

    async def execute(self, sql: str, *args: Any) -> int:
        raise TypeError("reads only")

    async def execute_many(self, sql: str, rows: Any) -> None:
        raise TypeError("reads only")


async def plans(database: Database, view: View, ask: Ask) -> None:
    async with database.reading() as session:
        told = Told(session)
        await ask(told, view)
        for sql, args in told.said:
            explain = "EXPLAIN QUERY PLAN " if session.kind == "sqlite" else "EXPLAIN "
            for row in await session.fetch(explain + sql, *args):
                print("      ", row[3] if session.kind == "sqlite" else row[0])


async def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--comments", type=int, default=200_000)
    asked.add_argument("--database", nargs=2, metavar=("LARGE", "SMALL"), help="two empty PostgreSQL databases")
    asked.add_argument("--keep", metavar="FOLDER", help="build the SQLite files there, or measure those that are there")
    asked.add_argument("--only", default="", help="views whose name holds this")
    asked.add_argument("--plans", action="store_true")
    asked.add_argument("--ask", choices=ASKS, default="page", help="a page of each view, its number, or all that match")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large, small = map(
            connect,
            given.database or [str(Path(given.keep or folder, f"{name}.sqlite3")) for name in ("large", "small")],
        )
        await large.open()
        await small.open()
        for database, count in ((large, given.comments), (small, 1000)):
            async with database.reading() as session:
                if await session.fetch("SELECT 1 FROM comments LIMIT 1"):
                    continue
            print(f"{count:,} comments stored in {await build(database, count):.0f} s")
            if database.kind == "postgres":
                async with database.transaction() as tx:
                    await tx.execute("ANALYZE")
        print(f"{'view':40} {'large':>9} {'small':>9} {'ratio':>6}  rows")
        for name, view in views().items():
            if given.only not in name:
                continue
            ask = ASKS[given.ask]
            (slow, rows), (quick, _) = await timed(large, view, ask), await timed(small, view, ask)
            print(f"{name:40} {slow:6.2f} ms {quick:6.2f} ms {slow / quick:6.1f}  {rows}")
            if given.plans:
                await plans(large, view, ask)
        for name, asked_of in (("the numbers on the tabs", queue.counts), ("what waits where", queue.pending)):
            took = []
            for database in (large, small):
                async with database.reading() as session:
                    clock = clock_of(database)
                    began = clock()
                    await asked_of(session, EVERYWHERE)
                    took.append((clock() - began) * 1000)
            print(f"{name:40} {took[0]:6.2f} ms {took[1]:6.2f} ms {took[0] / took[1]:6.1f}")
        await large.close()
        await small.close()


if __name__ == "__main__":
    asyncio.run(main())
