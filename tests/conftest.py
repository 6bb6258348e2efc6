"""Real parts in a fixed world: a fresh database file or cluster per test, a pinned clock, a real server on a free port."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import hypothesis
import pytest
from argon2 import PasswordHasher

from classifier.serving import Classifier
from moderation.app import create_app
from moderation.db import connect
from moderation.db.database import Database
from moderation.services import Application, Services
from moderation.settings import Settings
from moderation.team import passwords
from tests import postgres

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.outbox.postbox import Postbox

ROOT = Path(__file__).parent.parent
for name in [name for name in os.environ if name.startswith("MODERATION_")]:
    del os.environ[name]  # what whoever runs the tests has set is no setting of theirs
SCORING_MS = 30_000
"""A machine that runs tests is busy with others of them meanwhile, and a comment without scores is held."""
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")  # a clock tells nothing on a busy machine
STRICT = os.environ.get("CI") == "true"
"""In CI nothing may be skipped: what is missing there fails."""


def missing(what: str) -> None:
    if STRICT:
        pytest.fail(f"{what}: in CI nothing may be skipped")
    pytest.skip(what)


# --- a browser ---------------------------------------------------------------------------------------------------------


@dataclass
class Browsing:
    """One Chromium for all tests of this process, and the thread in which whatever drives it runs.

    Playwright's loop runs as long as it does, and in a thread where one runs nothing else may start a loop of its own.
    """

    thread: ThreadPoolExecutor
    browser: Browser


IN_THREAD = pytest.StashKey[Browsing]()


@pytest.fixture(scope="session")
def browsing() -> Iterator[Browsing]:
    from tests import browser as browsers  # which waits with what is in here

    if not browsers.chromium():
        missing("Chromium is not installed")
    with ThreadPoolExecutor(1) as thread, ExitStack() as opened:
        browser = thread.submit(opened.enter_context, browsers.browser()).result()
        yield Browsing(thread, browser)
        thread.submit(opened.close).result()


@pytest.fixture
def browser(browsing: Browsing, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """For tests that are not async. Each finds it without a page, a cookie or anything stored."""
    request.node.stash[IN_THREAD] = browsing

    def clean() -> None:
        for context in browsing.browser.contexts:
            context.close()

    yield browsing.browser
    browsing.thread.submit(clean).result()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: at the end all other processes would wait for them."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that asks for the browser runs in its thread."""
    browsing = pyfuncitem.stash.get(IN_THREAD, None)
    if browsing is None:
        return None
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    browsing.thread.submit(pyfuncitem.obj, **given).result()
    return True


def forged(token: str) -> str:
    """Another one, by its last character. (A character that is always the same one is sometimes the true one.)"""
    return token[:-1] + ("A" if token[-1] != "A" else "B")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# --- databases ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    binaries = postgres.binaries()
    if binaries is None:
        missing("PostgreSQL is not installed (initdb)")
    assert binaries
    with postgres.running(binaries) as found:
        yield found


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row."""
    path = tmp_path_factory.mktemp("migrated") / "moderation.sqlite3"
    asyncio.run(migrate(str(path)))
    return path


async def migrate(address: str) -> None:
    database = connect(address)
    await database.open()
    await database.close()


@pytest.fixture(scope="session")
def migrated(cluster: str) -> postgres.Migrated:
    address = f"{cluster}/migrated"  # nobody connects to it after this: it is copied
    asyncio.run(postgres.ask(f"{cluster}/postgres", "CREATE DATABASE migrated"))
    asyncio.run(migrate(address))
    return postgres.Migrated(cluster, asyncio.run(postgres.ask(address, postgres.SHAPE)))


@contextmanager
def own_database(request: pytest.FixtureRequest, folder: Path, *, migrated: bool) -> Iterator[str]:
    """The address of a database of this test's own, of the kind that the fixture was asked for."""
    if request.param == "sqlite":
        path = folder / "data" / "moderation.sqlite3"
        if migrated:
            path.parent.mkdir()
            shutil.copy(request.getfixturevalue("migrated_file"), path)
        yield str(path)
    elif migrated:
        with request.getfixturevalue("migrated").one() as address:
            yield address
    else:
        cluster = request.getfixturevalue("cluster")
        name = f"t{time.time_ns()}"
        asyncio.run(postgres.ask(f"{cluster}/postgres", f"CREATE DATABASE {name}"))
        yield f"{cluster}/{name}"


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of a database without a row, on each of the two; its tables are there, which saves a third of a second a test."""
    with own_database(request, tmp_path, migrated=True) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same before its first migration."""
    with own_database(request, tmp_path, migrated=False) as found:
        yield found


@pytest.fixture
async def database(address: str) -> AsyncIterator[Database]:
    """Open and migrated."""
    found = connect(address)
    await found.open()
    yield found
    await found.close()


# --- the service in this process ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hashes of the same kind that cost a thousandth: 64 MiB and a fifth of a second each are for attackers.
    `tests/team/test_access.py` holds what a real one costs."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "hasher", cheap)
        patch.setattr(passwords, "NOBODY", cheap.hash("nobody has this one"))
        yield


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The shipped model, loaded once: its table, so that a busy machine holds up no test."""
    found = Classifier(None, reader=False)
    found.load()
    return found


@dataclass
class Clock:
    """Moves only when told to. Unix milliseconds."""

    now: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        self.now += int((seconds + minutes * 60 + hours * 3600) * 1000)


@dataclass
class Service:
    """The service, running in this process, and a client that speaks to it."""

    app: Application
    client: httpx.AsyncClient
    clock: Clock
    settings: Settings
    said: list[str] = field(default_factory=list)

    @property
    def services(self) -> Services:
        return self.app.services

    def have(self, **parts: Any) -> None:
        """Other parts from now on: mail that is set up, say."""
        self.app.services = replace(self.services, **parts)

    async def post(self, article: str = "post", site: str = "default", **more: Any) -> httpx.Response:
        """A harmless reply, but for what is given; each call from another author, a second later."""
        self.clock.forward(seconds=1)
        headers = more.pop("headers", None)
        fields = {
            "name": "Ann",
            "email": f"ann{self.clock.now}@example.org",
            "body": f"A kind word about the garden, {self.clock.now}.",
        }
        return await self.client.post(f"/sites/{site}/articles/{article}/comments", json=fields | more, headers=headers)

    async def held(self, article: str = "post", **more: Any) -> str:
        """The id of a comment that waits: a link from a stranger."""
        body = more.pop(
            "body", f"The same happened in our town last year, see https://elsewhere.example/{self.clock.now}"
        )
        answer = await self.post(article, body=body, **more)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def proof(self, **more: Any) -> str:
        """The receipt of a comment that a person has approved."""
        made = (await self.post(**more)).json()
        decision = {"comments": [made["id"]], "action": "approve"}
        answer = await self.client.post("/api/v1/decisions", json=decision, headers=await self.token())
        assert answer.status_code == 200, answer.text
        return str(made["receipt"])

    async def decide(self, id: str, action: str = "approve") -> str:
        """A moderator's decision on a comment; its id."""
        given = {"comments": [id], "action": action}
        answer = await self.client.post("/api/v1/decisions", json=given, headers=await self.token())
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def thread(self, article: str = "post", site: str = "default", **query: Any) -> Any:
        answer = await self.client.get(f"/sites/{site}/articles/{article}/comments", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def token(self, scopes: str = "moderate", site: str = "*") -> dict[str, str]:
        """The headers of a new bearer token."""
        from moderation.team import access

        services = self.services
        async with services.database.transaction() as tx:
            token = await access.add_token(tx, services.signer, site, frozenset(scopes.split(",")), self.clock())
        return {"Authorization": f"Bearer {token}"}


def changed(settings: Settings, **given: Any) -> Settings:
    """Other settings, checked like an operator's; what is not given stays."""
    return Settings(**dict(settings) | given)


@pytest.fixture
def settings(address: str, tmp_path: Path) -> Settings:
    return Settings(
        database=address,
        models=str(tmp_path / "models"),
        public_url="http://comments.test",
        secret_key="a secret key that only the tests know",
        demo=True,
        scoring_ms=SCORING_MS,
    )


@pytest.fixture
async def service(settings: Settings, classifier: Classifier) -> AsyncIterator[Service]:
    """The service on a fresh database, with the shipped model and a clock that stands still."""
    clock, said = Clock(), list[str]()
    app = create_app(settings, classifier=classifier, clock=clock, say=said.append)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.9", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://comments.test") as client:
            yield Service(app, client, clock, settings, said)


# --- the service as a real process -------------------------------------------------------------------------------------


def free_port() -> int:
    """Below those that the system gives to connections: until the server takes it, nobody else gets it by chance."""
    while True:
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class Server:
    """`python -m moderation serve`, on loopback."""

    process: subprocess.Popen[str]
    url: str
    environment: dict[str, str]
    folder: Path

    def run(self, *command: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """An operator's command beside the running server."""
        return subprocess.run(
            [sys.executable, "-m", "moderation", *command],
            cwd=self.folder, env=self.environment, input=stdin, capture_output=True, text=True, check=check, timeout=120,
        )  # fmt: skip

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(30)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def printed(self) -> str:
        return (self.folder / "printed").read_text()


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Ask until it is so; never longer than needed."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + "/health/live", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts real servers; stops them at the end. Started again in the same folder, one finds what the other left."""
    started: list[Server] = []

    def begin(**settings: str) -> Server:
        port = free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
        environment |= {
            "PYTHONPATH": str(ROOT),
            "MODERATION_DATABASE": str(tmp_path / "data" / "moderation.sqlite3"),
            "MODERATION_MODELS": str(tmp_path / "data" / "models"),
            "MODERATION_PORT": str(port),
            "MODERATION_DEMO": "true",
            "MODERATION_SCORING_MS": str(SCORING_MS),
            "MODERATION_READER": "off",  # most tests are about something else, and say so where they are not
        }
        environment |= {f"MODERATION_{name.upper()}": value for name, value in settings.items()}
        with open(tmp_path / "printed", "a") as printed, open(tmp_path / "log", "a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "moderation", "serve"],
                cwd=tmp_path, env=environment, stdout=printed, stderr=log, text=True,
            )  # fmt: skip
        server = Server(process, f"http://127.0.0.1:{port}", environment, tmp_path)
        started.append(server)
        wait_until(lambda: answers(server.url) or process.poll() is not None, "the server", 60)
        assert process.poll() is None, server.log
        return server

    yield begin
    for server in started:
        server.stop(signal.SIGKILL)


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start()


@pytest.fixture
def box() -> Iterator[Postbox]:
    from tests.outbox.postbox import postbox

    with postbox() as found:
        yield found
