"""How long the event loop stands still while somebody sends what nobody types, each input by itself.

    .venv/bin/python -m benchmarks.heartbeat [--rounds 5]

A task beside the requests wakes every millisecond and notes how late it is; the figures are the latest it ever was and the
99th percentile, after a first round that warms up. A worker thread gives the interpreter's lock back every 5 ms, so that is
what is to be expected; what keeps the lock for longer, as `unicodedata` does for a run of marks, shows here, and nowhere in
a sum of processor time. The requests go through the whole application, but for the socket.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import httpx

from moderation.app import create_app
from moderation.settings import Settings
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.sites.site_settings import SiteSettings
from moderation.team import access

MARKS, POSTED = "\u0323\u0301", "/sites/default/articles/post/comments"
number = itertools.count()
Written = tuple[str, str, bytes]
"""Path, content type, body: written before the clock starts, since that takes its time too."""


def json_(path: str, fields: dict[str, object]) -> Written:
    return path, "application/json", json.dumps(fields, ensure_ascii=False).encode()


def post(**more: str) -> Written:
    fields = {"name": "Ann", "email": f"ann{next(number)}@example.org", "body": f"A kind word, {next(number)}."}
    return json_(POSTED, fields | more)


def form(path: str, fields: dict[str, str]) -> Written:
    return path, "application/x-www-form-urlencoded", urlencode(fields).encode()


def wordpress(**more: str) -> Written:
    fields = {"author": "Ann", "email": f"ann{next(number)}@example.org", "comment": f"A kind word, {next(number)}."}
    return form("/sites/default/wp-comments-post.php", fields | {"comment_post_ID": "post"} | more)


def filled(unit: str, length: int) -> str:
    return f"x{next(number)}" + (unit * length)[:length]


SENT: dict[str, Callable[[], Written | None]] = {
    "nothing: what the machine does by itself": lambda: None,
    "a kind word": lambda: post(),
    "128 KB of marks in the name": lambda: post(name=filled(MARKS, 64_000)),
    "192 KB of marks in WordPress's redirect": lambda: wordpress(redirect_to=f"http://{filled(MARKS, 96_000)}.a/"),
    "10,000 marks": lambda: post(body=filled(MARKS, 9_900)),
    "10,000 ligatures": lambda: post(body=filled("\ufdfa", 9_900)),
    "10,000 characters of `[a][`": lambda: post(body=filled("[a][", 9_900)),
    "10,000 characters of `[x](http://a`": lambda: post(body=filled("[x](http://a", 9_900)),
    "10,000 characters of `*_`": lambda: post(body=filled("*_", 9_900)),
    "65,000 characters of WordPress's HTML": lambda: wordpress(comment=filled("<b><p>&amp;", 65_000)),
    "1 MiB of JSON, all brackets": lambda: (POSTED, "application/json", b'{"a":[' + b"[]," * 349_000 + b"1]}"),
    "1 MiB of a form, all escapes": lambda: (POSTED, form("", {})[1], b"body=" + b"%41" * 349_000),
    "100 texts to score, 10,000 of `[x](http://a`": lambda: json_("/api/v1/score", {"texts": [filled("[x](http://a", 9_900)] * 100}),
    "1,000 texts to score, 20,000 of `[a][`": lambda: json_("/api/v1/score", {"texts": [filled("[a][", 20_000)] * 1_000}),
}  # fmt: skip


async def late(client: httpx.AsyncClient, write: Callable[[], Written | None]) -> list[float]:
    """Seconds, of each beat."""
    beats, over, written = list[float](), asyncio.Event(), write()

    async def beat() -> None:
        while not over.is_set():
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            beats.append(time.perf_counter() - began - 0.001)

    heart = asyncio.create_task(beat())
    if written:
        path, kind, body = written
        answer = await client.post(path, content=body, headers={"Content-Type": kind})
        assert answer.status_code in (200, 201, 202, 303, 400, 413, 422, 503), answer.text  # 503: too slow to score
    else:
        await asyncio.sleep(0.5)
    over.set()
    await heart
    return beats


async def measure(rounds: int, folder: Path) -> dict[str, list[float]]:
    settings = Settings(database=str(folder / "db"), models=str(folder / "models"), secret_key="of the benchmark only",
                        public_url="http://here")  # fmt: skip
    app, found = create_app(settings, say=None), dict[str, list[float]]()
    async with app.router.lifespan_context(app):
        services = app.services
        async with services.database.transaction() as tx:
            rules = SiteSettings(
                per_author_a_minute=0, per_address_a_minute=0, blocked=("casino", "*asin*", "spam.example")
            )
            await sites.put_site(tx, Site(key="default", name="My site", settings=rules), services.clock())
            token = await access.add_token(tx, services.signer, "*", frozenset({"score"}), services.clock())
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://here", headers=headers, timeout=600
        ) as client:
            for what, write in SENT.items():
                await late(client, write)
                found[what] = [beat for _ in range(rounds) for beat in await late(client, write)]
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=5)
    rounds = asked.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(rounds, Path(folder)))
    print("| sent | latest beat | 99 in 100 |\n|---|--:|--:|")
    for what, beats in found.items():
        last = sorted(beats)
        print(f"| {what} | {1000 * last[-1]:.1f} ms | {1000 * last[int(len(last) * 0.99) - 1]:.1f} ms |")


if __name__ == "__main__":
    main()
