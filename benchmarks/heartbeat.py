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
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from moderation import access
from moderation.app import create_app
from moderation.settings import Settings
from moderation.site import HouseRules, Site
from moderation.storage import sites

MARKS, FORM = "\u0323\u0301", {"Content-Type": "application/x-www-form-urlencoded"}
THREAD = "/sites/default/articles/post/comments"
number = itertools.count()


class Client:
    def __init__(self, client: httpx.AsyncClient, program: dict[str, str]) -> None:
        self.client, self.program = client, program

    async def post(self, **more: str) -> httpx.Response:
        fields = {
            "name": "Ann",
            "email": f"ann{next(number)}@example.org",
            "body": f"A kind word about the garden, {next(number)}.",
        } | more
        return await self.client.post(THREAD, json=fields)

    async def wordpress(self, **more: str) -> httpx.Response:
        fields = {
            "author": "Ann",
            "email": f"ann{next(number)}@example.org",
            "comment": f"A kind word about the garden, {next(number)}.",
        }
        return await self.client.post(
            "/sites/default/wp-comments-post.php", data=fields | {"comment_post_ID": "post"} | more
        )

    async def score(self, texts: list[str]) -> httpx.Response:
        return await self.client.post("/score", json={"texts": texts}, headers=self.program)


def filled(unit: str, length: int) -> str:
    return f"x{next(number)}" + (unit * length)[:length]


SENT: dict[str, Callable[[Client], Awaitable[httpx.Response]]] = {
    "a kind word": lambda at: at.post(),
    "128 KB of marks in the name": lambda at: at.post(name=filled(MARKS, 64_000)),
    "192 KB of marks in WordPress's redirect": lambda at: at.wordpress(redirect_to=f"http://{filled(MARKS, 96_000)}.a/"),
    "10,000 marks": lambda at: at.post(body=filled(MARKS, 9_900)),
    "10,000 ligatures": lambda at: at.post(body=filled("\ufdfa", 9_900)),
    "10,000 characters of [a][": lambda at: at.post(body=filled("[a][", 9_900)),
    "10,000 characters of [x](http://a": lambda at: at.post(body=filled("[x](http://a", 9_900)),
    "10,000 characters of *_": lambda at: at.post(body=filled("*_", 9_900)),
    "65,000 characters of WordPress's HTML": lambda at: at.wordpress(comment=filled("<b><p>&amp;", 65_000)),
    "1 MiB of JSON, all brackets": lambda at: at.client.post(THREAD, content=b'{"a":[' + b"[]," * 349_000 + b"1]}",
                                                             headers={"Content-Type": "application/json"}),
    "1 MiB of a form, all escapes": lambda at: at.client.post(THREAD, content=b"body=" + b"%41" * 349_000, headers=FORM),
    "100 texts to score, 10,000 of [x](http://a": lambda at: at.score([filled("[x](http://a", 9_900)] * 100),
    "1,000 texts to score, 20,000 of [a][": lambda at: at.score([filled("[a][", 20_000)] * 1_000),
}  # fmt: skip


async def late(client: Client, send: Callable[[Client], Awaitable[httpx.Response]], rounds: int) -> list[float]:
    """Seconds, of each beat."""
    beats, over = list[float](), asyncio.Event()

    async def beat() -> None:
        while not over.is_set():
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            beats.append(time.perf_counter() - began - 0.001)

    heart = asyncio.create_task(beat())
    for _ in range(rounds):
        answer = await send(client)
        assert answer.status_code in (200, 201, 202, 303, 413, 422, 503), answer.text  # 503: no time for so many scores
    over.set()
    await heart
    return beats


async def measure(rounds: int, folder: Path) -> dict[str, list[float]]:
    settings = Settings(database=str(folder / "db"), models=str(folder / "models"), secret_key="of the benchmark only",
                        public_url="http://here")  # fmt: skip
    app, found = create_app(settings, say=None), dict[str, list[float]]()
    async with app.router.lifespan_context(app):
        state = app.state
        async with state.database.transaction() as tx:
            rules = HouseRules(
                per_author_a_minute=0, per_address_a_minute=0, blocked=("casino", "*asin*", "spam.example")
            )
            await sites.put_site(tx, Site("default", "My site", rules=rules), state.clock())
            token = await access.add_token(tx, state.links.seal, "*", frozenset({"score"}), state.clock())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://here", timeout=600
        ) as transport:
            client = Client(transport, {"Authorization": f"Bearer {token}"})
            for what, send in SENT.items():
                await send(client)
                found[what] = await late(client, send, rounds)
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
