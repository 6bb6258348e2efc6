"""The queue's search beside plain trigram indexes, among 200,000 comments in eight languages.

    .venv/bin/python -m benchmarks.search [--comments 200000] [--database postgresql://…/empty]

Plain is one full-text index and one statement, with nothing else: on SQLite an FTS5 table with the tokenizer `trigram`, on
PostgreSQL pg_trgm. A word that trigrams cannot find (below three characters) is looked for row by row. Both answer with the
first 20 comments of one site and status, oldest first. It prints medians in milliseconds, on SQLite of the processor, and
the numbers of rows, which differ for words of one or two letters only: the queue finds these as whole words.
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

import asyncpg

from benchmarks.views import clock_of
from classifier.labels import LABELS
from moderation.comments import store as comments
from moderation.comments.model import Comment
from moderation.comments.store import COMMENT, VERDICT, JudgedComment, Keys
from moderation.comments.verdict import Verdict
from moderation.core.ids import new_id
from moderation.db import connect
from moderation.db.database import Database, Session
from moderation.queue import store as queue
from moderation.queue.decide import read_up
from moderation.queue.store import View
from moderation.queue.store_search import escaped, words
from moderation.sites import store as sites
from moderation.sites.model import Article, Site

SITE, START = "news", 1_700_000_000_000
TIMES, ENOUGH = 7, 2.0
"""Each query is asked so often, or for so many seconds."""
STATUSES = ("pending",) + ("approved",) * 16 + ("spam",) * 3
"""One in twenty waits."""
TEXTS = (
    ("en", " ", ["a", "no", "the", "kind", "word", "about", "this", "garden", "gate", "was", "painted", "blue", "last", "spring", "by", "our", "neighbour", "who", "never", "tires"]),
    ("de", " ", ["ja", "so", "das", "freundliche", "Wort", "über", "den", "Garten", "am", "Zaun", "hat", "uns", "gestern", "sehr", "gefreut", "und", "wir", "danken", "herzlich"]),
    ("fr", " ", ["un", "où", "la", "grille", "du", "jardin", "est", "peinte", "en", "bleu", "depuis", "que", "notre", "voisin", "aime", "tant", "cette", "couleur", "vive"]),
    ("ru", " ", ["да", "мы", "красим", "калитку", "в", "саду", "каждую", "весну", "потому", "что", "сосед", "любит", "голубой", "цвет", "и", "никогда", "не", "устаёт"]),
    ("ar", " ", ["لا", "هو", "باب", "الحديقة", "الأزرق", "جميل", "جدا", "وقد", "صبغه", "جارنا", "في", "الربيع", "الماضي", "ولم", "يتعب", "أبدا", "من", "العمل"]),
    ("zh", "", ["花园", "的", "门", "每年", "春天", "都", "被", "邻居", "漆成", "蓝色", "我们", "觉得", "非常", "漂亮", "谢谢", "大家", "写", "这些", "评论"]),
    ("ja", "", ["庭", "の", "門", "は", "毎年", "春", "に", "隣の人", "が", "青く", "塗って", "くれます", "とても", "綺麗", "ですね", "ありがとう"]),
    ("th", "", ["ประตู", "สวน", "ของ", "เรา", "เพื่อนบ้าน", "ทาสี", "ฟ้า", "ทุก", "ฤดูใบไม้ผลิ", "สวย", "มาก", "ขอบคุณ", "ทุกคน"]),
)  # fmt: skip
RARE = {
    "en": " zeppelin ox",
    "de": " Zeppelin äö",
    "ru": " дирижабль юх",
    "ar": " منطاد",
    "zh": "鲸鱼",
    "ja": "鯨鰯",
    "th": "ช้าง",
}
QUERIES = {
    "a common word": "garden",
    "a common word, published": "garden",
    "a word of every published comment and of none that waits": "gravel",
    "a rare word": "zeppelin",
    "a rare word in Cyrillic": "дирижабль",
    "two words of which one is rare": "garden zeppelin",
    "a phrase": '"word about this"',
    "a rare phrase": '"zeppelin ox"',
    "a word nobody wrote": "xylophone",
    "a word at the other end of the order": "onyx",
    "a rare word of two letters": "ox",
    "a rare word of two letters, published": "ox",
    "a common word of two letters": "no",
    "two letters that nobody wrote": "qq",
    "two rare Chinese characters": "鲸鱼",
    "two rare Chinese characters, published": "鲸鱼",
    "one rare Chinese character": "鲸",
    "two common Chinese characters": "春天",
    "two Chinese characters that nobody wrote": "鳄鱼",
    "four common Chinese characters": "邻居漆成",
    "a rare Thai word": "ช้าง",
    "an address": "reader77@mail.example.org",
}


def one(chance: random.Random, number: int, count: int) -> JudgedComment:
    """A comment of 10 to 60 words. One in 4,000 has its language's rare words; a published one has `gravel`; the last twentieth
    has `onyx`."""
    id, (language, space, vocabulary) = new_id(START + number * 1000), TEXTS[number % len(TEXTS)]
    status = chance.choice(STATUSES)
    body = space.join(chance.choices(vocabulary, k=chance.randrange(10, 60)))
    body += RARE.get(language, "") if number // len(TEXTS) % 500 == 7 else ""
    body += " gravel" * (status == "approved") + " onyx" * (number > count - count // 20)
    email = f"reader{chance.randrange(20_000)}@mail.example.org"
    comment = Comment(
        id=id, site=SITE, article=f"story-{number % 97}", parent=None, path=id, status=status, revision=1, name="A Reader",
        email=email, url=None, body=body, html=f"<p>{body}</p>", created_at=START + number * 1000, edited_at=None,
        judged_revision=1, is_decided=status != "pending", format="markdown",
    )  # fmt: skip
    verdict = Verdict(action="hold", reasons=(), scores=dict.fromkeys(LABELS, 0.1), model="bench", facts={})
    keys = Keys(author=email, network="", body="")
    return JudgedComment(comment=comment, verdict=verdict, keys=keys, notify=False, email_domain="example.org")


async def build(database: Database, address: str, count: int) -> None:
    chance, began = random.Random(5), time.perf_counter()
    async with database.transaction() as tx:
        await sites.put_site(tx, Site(key=SITE, name="News"), START)
        for n in range(97):
            await sites.put_article(tx, Article(site=SITE, key=f"story-{n}", title=f"Story {n}", created_at=START))
    for at in range(0, count, 1000):
        async with database.transaction() as tx:
            await comments.add(tx, [one(chance, n, count) for n in range(at, min(at + 1000, count))])
    stored = time.perf_counter()
    await read_up(database, all_=True)
    indexed = time.perf_counter()
    if database.kind == "sqlite":
        async with database.transaction() as tx:
            for statement in PLAIN["sqlite"]:
                await tx.execute(statement)
    else:  # by a connection of its own: the service's have a deadline
        connection = await asyncpg.connect(address)
        for statement in PLAIN["postgres"]:
            await connection.execute(statement)
        await connection.close()
    print(
        f"{database.kind}: {count:,} comments stored in {stored - began:.0f} s, the rest of the search's index made in "
        f"{indexed - stored:.0f} s, the plain index in {time.perf_counter() - indexed:.0f} s"
    )


TEXT = "(c.name || chr(10) || c.email || chr(10) || c.body)"
PLAIN = {
    "sqlite": (
        "CREATE VIRTUAL TABLE plain USING fts5 (name, email, body, content = '', columnsize = 0, tokenize = 'trigram')",
        "INSERT INTO plain (rowid, name, email, body) SELECT rowid, name, email, body FROM comments",
    ),
    "postgres": (
        "CREATE EXTENSION pg_trgm",
        f"CREATE INDEX plain ON comments USING gin ({TEXT.replace('c.', '')} gin_trgm_ops)",
        "ANALYZE",
    ),
}


async def plain(session: Session, view: View) -> list[Any]:
    """One statement. SQLite begins with the words (CROSS JOIN): along the order, it would ask the index about each comment."""
    where, args, tables = list[str](), list[Any](), "comments c"
    long = [word for word in words(view.q) if session.kind == "postgres" or len(word) >= 3]
    if session.kind == "sqlite" and long:
        tables = "plain t CROSS JOIN comments c ON c.rowid = t.rowid"
        where, args = ["plain MATCH ?"], [" AND ".join(f'"{word}"' for word in long)]
    for word in words(view.q):
        if session.kind == "postgres":
            where, args = [*where, f"{TEXT} ILIKE ?"], [*args, f"%{escaped(word)}%"]
        elif word not in long:
            where.append("(c.body LIKE ? OR c.name LIKE ? OR c.email LIKE ?)")
            args += [f"%{word}%"] * 3
    return await session.fetch(
        f"SELECT {COMMENT}, {VERDICT}, c.id FROM {tables} JOIN submissions s ON s.site = c.site AND s.id = c.id AND "
        f"s.revision = c.judged_revision WHERE c.site = ? AND c.status = ? AND {' AND '.join(where)} ORDER BY c.id LIMIT ?",
        *(SITE, view.status, *args, view.limit),
    )


async def timed(
    database: Database, search: Callable[[Session, View], Awaitable[list[Any]]], view: View
) -> tuple[float, int]:
    """Milliseconds, the median, and rows."""
    took, rows, clock = list[float](), 0, clock_of(database)
    while len(took) < TIMES and sum(took) < ENOUGH:
        async with database.reading() as session:
            began = clock()
            rows = len(await search(session, view))
            took.append(clock() - began)
    return statistics.median(took) * 1000, rows


async def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--comments", type=int, default=200_000)
    asked.add_argument("--database", help="an empty PostgreSQL database, in place of a SQLite file")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        address = given.database or str(Path(folder) / "search.sqlite3")
        database = connect(address)
        await database.open()
        try:
            await build(database, address, given.comments)
            print("| query | rows | search | plain |\n|---|---|---|---|")
            for name, q in QUERIES.items():
                view = View("approved" if name.endswith(", published") else "pending", site=SITE, q=q)
                ours, rows = await timed(database, queue.waiting, view)
                theirs, as_plain = await timed(database, plain, view)
                number = str(rows) if rows == as_plain else f"{rows}, plain {as_plain}"
                print(f"| {name} | {number} | {ours:.2f} | {theirs:.2f} |", flush=True)
        finally:
            await database.close()


if __name__ == "__main__":
    asyncio.run(main())
