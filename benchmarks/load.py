"""Load: a raw HTTP/1.1 keep-alive client, cheap enough that the server is what is measured; and the comments it sends."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
PATIENCE = 30.0
"""Seconds after the end in which what was asked must be answered."""


@dataclass
class Outcome:
    """What one window of load saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0.0
    lost: int = 0
    """Asked, and the connection ended without an answer."""
    last: bytes = b""
    """The last answer's body."""

    @property
    def good(self) -> int:
        """Answered, and with a yes: for a comment, that it is stored."""
        return self.statuses[200] + self.statuses[201] + self.statuses[202]

    @property
    def bad(self) -> Counter[str]:
        found = Counter({str(status): n for status, n in self.statuses.items() if status not in (200, 201, 202)})
        return found + Counter({"no answer": self.lost})

    def quantile(self, q: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else float("nan")


class Connection(asyncio.Protocol):
    """Asks, waits for the whole answer, asks again; connects anew where the server closes after each answer."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.transport: asyncio.Transport | None = None
        self.got = bytearray()
        self.wanted = -1
        self.asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance
        self.ask()

    def ask(self) -> None:
        assert self.transport
        request = self.load.next_request()
        self.asked = time.perf_counter() if request else 0.0
        if request is None:
            self.transport.close()
            self.load.end_of(self)
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        got = self.got
        got += data
        if self.wanted < 0:
            head = got.find(b"\r\n\r\n")
            if head < 0:
                return
            length = LENGTH.search(got, 0, head + 2)
            self.wanted = head + 4 + (int(length[1]) if length else 0)
        if len(got) < self.wanted:
            return
        outcome = self.load.outcome
        outcome.milliseconds.append((time.perf_counter() - self.asked) * 1000)
        outcome.statuses[int(got[9:12])] += 1
        head = got.index(b"\r\n\r\n")
        outcome.last = bytes(got[head + 4 : self.wanted])
        closing = CLOSING.search(got, 0, head + 2)
        self.got, self.wanted, self.asked = bytearray(), -1, 0.0
        if not closing:
            self.ask()
        elif self.transport:
            self.transport.close()
            self.load.again(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self.asked:  # in the middle of an answer
            self.load.outcome.lost += 1
            self.load.again(self)


class Load:
    """So many connections against one port of this machine, for so long, and at most so many requests."""

    def __init__(self, port: int, requests: Iterator[bytes], connections: int, seconds: float, most: int) -> None:
        self.port, self.requests, self.connections, self.seconds = port, requests, connections, seconds
        self.left = most
        self.outcome = Outcome()
        self.open: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.done = asyncio.Event()
        self.until = 0.0

    def next_request(self) -> bytes | None:
        if self.left <= 0 or time.perf_counter() >= self.until:
            return None
        self.left -= 1
        return next(self.requests)

    def end_of(self, connection: Connection) -> None:
        self.open.discard(connection)
        if not self.open:
            self.done.set()

    def again(self, old: Connection) -> None:
        self.open.discard(old)
        if self.left <= 0 or time.perf_counter() >= self.until:
            self.end_of(old)
        else:
            self.connect()

    def connect(self) -> None:
        new = Connection(self)
        self.open.add(new)
        task = asyncio.create_task(self._connect(new))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _connect(self, new: Connection) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: new, "127.0.0.1", self.port)
        except OSError:
            self.outcome.lost += 1
            self.end_of(new)

    async def run(self) -> Outcome:
        began = time.perf_counter()
        self.until = began + self.seconds
        for _ in range(self.connections):
            self.connect()
        await asyncio.wait_for(self.done.wait(), self.seconds + PATIENCE)
        self.outcome.seconds = time.perf_counter() - began
        return self.outcome


OPENINGS = (
    "I have been reading your posts since the spring and this is the one I will keep.",
    "Thank you for writing this down so plainly.",
    "We tried the same thing at home and it took us three weekends.",
    "Not sure that I agree with the second half.",
    "My grandmother used to do it exactly this way.",
    "This answered a question that I had carried around for years.",
    "Good article, but the photographs do not show the hinge.",
    "I came here from the newsletter and stayed for the whole series.",
)
MIDDLES = (
    "The part about the soil made me go out and look, and it was just as you said.",
    "Where we live the winters are wetter, so we used larch and never regretted it.",
    "Could you say more about how deep the posts should go when the ground is soft?",
    "Last year I counted {n} seedlings in one bed after a single rain.",
    "My neighbour swears by gravel, though I think that is more about habit than about drainage.",
    "It cost us about {n} euros in the end, most of it for the timber.",
    "I would only add that the paint needs a dry week, which is hard to find here in April.",
    "The children were more interested in the beetles than in the fence.",
)
ENDINGS = (
    "Looking forward to the next part!",
    "Does anybody know whether that works on a slope?",
    "Greetings from the coast.",
    "I will report back when ours is finished.",
    "Keep it up, and do not let the comments discourage you.",
    "Please also write about the shed one day.",
)
ADVERTS = (
    "Great post!! Cheap watches and handbags, 70% off today only: http://watches-{n}.example/sale",
    "Earn ${n} a day from home, no experience needed, click http://easy-{n}.example now",
)
FIRST = ("Ada", "Bruno", "Carla", "Deniz", "Emil", "Fatima", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Lena")
POOL = 4096
ARTICLES = 20


def texts(seed: int = 7) -> list[str]:
    """About 300 characters each, with a `{n}` for a number of its own; one in twenty is an advertisement."""
    rng = random.Random(seed)
    found = []
    for _ in range(POOL):
        if rng.random() < 0.05:
            parts = [rng.choice(ADVERTS), *rng.sample(MIDDLES, 2)]
        else:
            parts = [rng.choice(OPENINGS), *rng.sample(MIDDLES, 2), rng.choice(ENDINGS)]
        text = " ".join(parts)
        if "{n}" not in text:
            text += " That makes {n} of us."
        found.append(text)
    return found


def posts(start: int, path: str, names: tuple[str, str, str], extra: str = "") -> Iterator[bytes]:
    """Endless POSTs, each from another reader: address, name, email and text. `names` are the server's fields."""
    name, email, body = names
    pool = texts()
    number = start
    while True:
        number += 1
        text = pool[number % POOL].replace("{n}", str(number))
        first = FIRST[number % len(FIRST)]
        content = (
            f'{{"{name}":"{first} {number}","{email}":"{first.lower()}.{number}@example.org",{extra}"{body}":"{text}"}}'
        )
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        yield (
            f"POST {path.replace('{article}', f'article-{number % ARTICLES}')} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"X-Forwarded-For: {address}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            f"{content}"
        ).encode("ascii")


def gets(path: str) -> Iterator[bytes]:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n".encode("ascii")
    while True:
        yield request
