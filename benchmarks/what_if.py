"""What if over 10,000 stored verdicts, every one of them decided on: how long the replay takes, with a list of a thousand
words; under other rules, and scored anew by a model.

    python -m benchmarks.what_if [VERDICTS]

In a fresh SQLite database in a temporary folder. Fails where either takes 5 seconds or more. The seconds of the processor
are printed beside those of the clock, which a busy machine stretches.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from classifier.labels import LABELS
from classifier.serving import Classifier
from moderation.comments import store as comments
from moderation.comments import store_decisions as decisions
from moderation.comments.model import Comment
from moderation.comments.store import JudgedComment, Keys
from moderation.comments.store_decisions import Decision
from moderation.comments.submission import Submission
from moderation.core.ids import new_id
from moderation.db import connect
from moderation.policy.rules import Case, judge
from moderation.policy.scorer import Scorer
from moderation.policy.what_if import WhatIf
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings

WORDS = [
    "a",
    "kind",
    "word",
    "about",
    "the",
    "garden",
    "gate",
    "bread",
    "river",
    "train",
    "timetable",
    "letters",
    "friend",
]
LIMIT = 5.0


def one(n: int, site: Site, chance: random.Random, now: int) -> JudgedComment:
    text = " ".join(chance.choices(WORDS, k=60)) + (" https://a.example/x" if n % 7 == 0 else "")
    sent = Submission.of(text, name="Ann", email=f"ann{n}@example.org")
    scores = {label: chance.random() ** 4 for label in LABELS}
    verdict = judge(
        Case(
            submission=sent,
            settings=site.settings,
            scores=scores,
            model="bench",
            thresholds=dict.fromkeys(LABELS, 0.5),
            links=int(n % 7 == 0),
        )
    )
    id = new_id(now - n * 1000)
    comment = Comment(
        id=id,
        site=site.key,
        article="post",
        parent=None,
        path=id,
        status=verdict.status,
        revision=1,
        name=sent.name,
        email=sent.email,
        url=None,
        body=text,
        html=text,
        created_at=now - n * 1000,
    )
    return JudgedComment(
        comment=comment,
        verdict=verdict,
        keys=Keys(author=f"author{n}", network=f"address{n}", body=f"body{n}"),
        notify=False,
        email_domain="example.org",
    )


def decided(judged: JudgedComment, chance: random.Random) -> Decision:
    """What a moderator made of it."""
    c, action = judged.comment, chance.choice(("approve", "spam", "reject"))
    after = {"approve": "approved", "spam": "spam", "reject": "rejected"}[action]
    return Decision(
        site=c.site,
        id=new_id(c.created_at),
        submission=c.id,
        judged_revision=1,
        action=action,
        labels=(),
        note="",
        moderator="bench",
        before_status=c.status,
        after_status=after,
        after_revision=2,
        created_at=c.created_at,
    )


async def run(count: int) -> float:
    now = time.time_ns() // 1_000_000
    chance = random.Random(5)
    with tempfile.TemporaryDirectory() as folder:
        database = connect(str(Path(folder) / "bench.sqlite3"))
        await database.open()
        site = Site(key="default", name="Bench")
        classifier = Classifier(None)
        classifier.load()
        try:
            async with database.transaction() as tx:
                await sites.put_site(tx, site, now)
                await tx.execute(
                    "INSERT INTO articles (site, article, title, url, text, published_at, comments_open, revision, "
                    "created_at) VALUES ('default', 'post', '', NULL, '', NULL, 1, 0, ?)",
                    now,
                )
                rows = [one(n, site, chance, now) for n in range(count)]
                await comments.add(tx, rows)
                await decisions.add(tx, [decided(row, chance) for row in rows])
            listed = tuple(f"listed{n}" for n in range(1000))
            house = SiteSettings(hold_at=dict.fromkeys(LABELS, 0.4), blocked=(*listed, "timetable"))
            replay = WhatIf(database, Scorer(classifier))
            slowest = 0.0
            for name, version in (("rules", ""), ("a model", classifier.version)):
                began, worked = time.perf_counter(), time.process_time()
                found = await replay.what_if(site, 365, house, now, version)
                took, work = time.perf_counter() - began, time.process_time() - worked
                assert found["verdicts"] == count and sum(found["decided"].values()) == found["changed"] > 0
                print(
                    f"{name}: {count} decisions replayed in {took:.2f} s ({work:.2f} s of the processor), "
                    f"{found['changed']} would change"
                )
                slowest = max(slowest, took)
        finally:
            await database.close()
    return slowest


if __name__ == "__main__":
    slowest = asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
    if slowest >= LIMIT:
        sys.exit(f"too slow: {slowest:.2f} s, {LIMIT:.0f} s are allowed")
