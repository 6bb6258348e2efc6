"""The first screen of a thread of ten thousand beside that of a thread of ten, built anew each time.

    .venv/bin/python -m benchmarks.thread [--database postgresql://…] [--comments 10000] [--rounds 300]

Each request finds nothing kept in memory: the article's row is asked for, its number, 50 comments in tree order, and the
answer is written. The two threads take turns; the figures are medians, through the whole application but for the socket.
A thread of ten shows ten comments and the long one fifty, so a thread of fifty stands beside them.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx

from moderation.app import create_app
from moderation.comments import store as comments
from moderation.comments.model import Comment, place
from moderation.comments.store import JudgedComment, Keys
from moderation.comments.verdict import Verdict
from moderation.core.ids import new_id
from moderation.db import connect
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import Article, Site

SCREENS = ("comments", "comments?order=newest", "fragment", "fragment?order=newest")
SITE = "benchmark"
AT = 1_700_000_000_000


def a_thread(article: str, count: int) -> list[JudgedComment]:
    """Half of them replies, at any depth, to any comment before."""
    chance, made = random.Random(1), list[Comment]()
    for number in range(count):
        id = new_id(AT + number * 1000)
        above, path = place(id, chance.choice(made) if made and chance.random() < 0.5 else None)
        body = " ".join(chance.choice(("a", "kind", "word", "about", "gardens")) for _ in range(60))
        at, name, html = AT + number * 1000, f"Ann {number % 50}", f"<p>{body}</p>\n"
        made.append(
            Comment(
                id=id,
                site=SITE,
                article=article,
                parent=above,
                path=path,
                status="approved",
                revision=1,
                name=name,
                email="",
                url=None,
                body=body,
                html=html,
                created_at=at,
            )
        )
    verdict = Verdict(action="publish", reasons=(), scores={"spam": 0.01}, model="none", facts={})
    return [
        JudgedComment(
            comment=c, verdict=verdict, keys=Keys(author=c.id, network="", body=c.id), notify=False, email_domain=""
        )
        for c in made
    ]


async def measure(address: str, lengths: tuple[int, ...], rounds: int) -> dict[tuple[str, int], list[float]]:
    database = connect(address)
    await database.open()
    async with database.transaction() as tx:
        await sites.put_site(tx, Site(key=SITE, name="Benchmark"), AT)
        for length in lengths:
            await sites.put_article(tx, Article(site=SITE, key=f"of-{length}", created_at=AT))
            await comments.add(tx, a_thread(f"of-{length}", length))
        await tx.execute("ANALYZE")  # as autovacuum does of itself
    await database.close()
    app = create_app(Settings(database=address, secret_key="of the benchmark only", public_url="http://here"), say=None)
    took: dict[tuple[str, int], list[float]] = {}
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            for _ in range(rounds):
                for screen in SCREENS:
                    for length in lengths:
                        app.services.threads.drop(SITE, f"of-{length}")
                        begun = time.perf_counter()
                        answer = await client.get(f"/sites/{SITE}/articles/of-{length}/{screen}")
                        took.setdefault((screen, length), []).append((time.perf_counter() - begun) * 1000)
                        assert answer.status_code == 200 and len(answer.content) > 1000
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description="A long thread's first screen beside a short one's.")
    parser.add_argument("--database", help="an empty one; by default SQLite in a temporary folder")
    parser.add_argument("--comments", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=300)
    args = parser.parse_args()
    lengths = (10, 50, args.comments)
    with tempfile.TemporaryDirectory() as folder:
        address = args.database or str(Path(folder) / "moderation.sqlite3")
        took = asyncio.run(measure(address, lengths, args.rounds))
    print(f"| first screen, ms | of 10 | of 50 | of {args.comments:,} | ÷ of 10 | ÷ of 50 |\n|---|---|---|---|---|---|")
    for screen in SCREENS:
        ten, fifty, long = (median(took[screen, length]) for length in lengths)
        print(f"| {screen} | {ten:.2f} | {fifty:.2f} | {long:.2f} | {long / ten:.1f} | {long / fifty:.2f} |")


if __name__ == "__main__":
    main()
