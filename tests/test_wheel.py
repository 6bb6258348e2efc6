"""The wheel, installed where the checkout is not: it holds what it imports, serves, learns, and scores as the checkout does."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from classifier import kernel
from classifier.examples import Asked
from classifier.linear import Floats
from classifier.serving import open_base
from tests import builds, test_house
from tests.budget import long
from tests.classifier.test_kernel import LONG
from tests.conftest import ROOT, Service, answers, free_port, missing, wait_until
from tests.learning.test_retrain import OFFERS, TALK

pytestmark = [pytest.mark.anyio, long]

TEXTS = [*OFFERS, *TALK, *LONG, "", "you n1twit", "f.o.o.l", "你好世界", "see http://x.example/buy now!!!"]
SCORING = """
import json, sys
from classifier.examples import Asked
from classifier.serving import open_base
base = open_base(None)
asked = [Asked(text) for text in json.load(sys.stdin)]
sys.stdout.buffer.write(base.log_odds(asked).tobytes())
"""


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel, which finds the libraries of this one, and no sources and no compiler."""

    wheel: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "TMPDIR")}
        return kept | {"PATH": str(self.folder / "bin")}

    def run(
        self, *command: str, stdin: str = "", status: int = 0, **settings: str
    ) -> subprocess.CompletedProcess[bytes]:
        """A program of the environment, in an empty folder."""
        environment = self.environment | {f"MODERATION_{name.upper()}": value for name, value in settings.items()}
        done = subprocess.run(
            [self.folder / "bin" / command[0], *command[1:]],
            cwd=self.folder / "empty", env=environment, input=stdin.encode(), capture_output=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == status, done.stderr.decode()
        return done

    def log_odds(self) -> Floats:
        """Of TEXTS."""
        scored = self.run("python", "-c", SCORING, stdin=json.dumps(TEXTS))
        return np.frombuffer(scored.stdout, np.float32).reshape(len(TEXTS), -1)

    @contextmanager
    def serving(self) -> Iterator[tuple[str, Path]]:
        """The address of the installed service, and its log."""
        port, log = free_port(), self.folder / "log"
        environment = self.environment | {"MODERATION_PORT": str(port)}
        with log.open("w") as file:
            server = subprocess.Popen(
                [self.folder / "bin" / "moderation", "serve"],
                cwd=self.folder / "empty", env=environment, stdout=file, stderr=file,
            )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(url) or server.poll() is not None, "the server", 60)
            assert server.poll() is None, log.read_text()
            yield url, log
        finally:
            server.terminate()
            server.wait(30)


def install(wheel: Path, folder: Path) -> Installed:
    """Of the environment's own there is only the wheel: no index is asked, no pip, no setuptools is in it."""
    venv.create(folder, with_pip=False, symlinks=True)
    options = "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", *options, wheel], check=True, timeout=120
    )
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (site_packages / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    (folder / "empty").mkdir()
    return Installed(wheel, folder)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    sources = builds.copy_sources(tmp_path_factory.mktemp("compiled"))
    return install(builds.build_wheel(sources), tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built where no compiler is found."""
    sources = builds.copy_sources(tmp_path_factory.mktemp("plain"))
    return install(builds.build_wheel(sources, compiler="false"), tmp_path_factory.mktemp("environment"))


def modules(wheel: Path) -> dict[str, str]:
    """Name of each module in the wheel → its path."""
    with zipfile.ZipFile(wheel) as opened:
        paths = [name for name in opened.namelist() if name.endswith(".py")]
    return {path.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): path for path in paths}


def test_it_holds_what_serves_and_what_learns_and_nothing_else(compiled: Installed) -> None:
    assert compiled.wheel.name.split("-")[2:4] == ["cp311", "abi3"], "one wheel for every later Python"
    with zipfile.ZipFile(compiled.wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert {"classifier/_kernel.abi3.so", "classifier/models/current", "classifier/training/compare.py"} <= names
    assert {name.split("/")[0] for name in names} == {"moderation", "classifier"}
    unwanted = {name for name in names if "evaluation" in name or name.endswith((".c", ".h", ".pyc", ".gz"))}
    assert not unwanted


def test_every_module_in_it_imports_and_imports_only_what_is_in_it(compiled: Installed) -> None:
    inside = modules(compiled.wheel)
    with_torch = {name for name in inside if name.startswith("classifier.training.reader")}  # the extra `train`
    assert with_torch, "a reader's training is in it"
    program = (
        "import importlib, json, sys\n"
        "for name in json.load(sys.stdin): importlib.import_module(name)\n"
        "ours = {name: module.__file__ for name, module in sys.modules.items() if name.split('.')[0] in ('moderation', 'classifier')}\n"
        "print(json.dumps({name: where for name, where in ours.items() if where}))"
    )
    imported = json.loads(
        compiled.run("python", "-c", program, stdin=json.dumps(sorted(inside.keys() - with_torch))).stdout
    )
    assert inside.keys() - with_torch <= imported.keys()
    assert all(Path(where).is_relative_to(compiled.folder) for where in imported.values())
    left_out = test_house.modules() - inside.keys()
    assert left_out, "there is something to be found"
    assert all(name.startswith("classifier.evaluation") for name in left_out)
    for module, path in inside.items():
        assert not test_house.imports(ROOT / path) & left_out, f"{module} imports what is not in the wheel"


def test_it_scores_equal_to_the_bit_with_the_checkout(compiled: Installed) -> None:
    if kernel.problem():
        missing(f"{kernel.problem()}: {kernel.BUILD}")
    here = open_base(None).log_odds([Asked(text) for text in TEXTS])
    assert compiled.log_odds().tobytes() == here.tobytes()


async def test_it_serves_and_takes_a_comment(compiled: Installed) -> None:
    words = {"name": "Ann", "email": "ann@example.org", "body": "I planted beans along the fence last May."}
    with compiled.serving() as (url, log):
        answer = httpx.post(f"{url}/sites/default/articles/post/comments", json=words)
        assert answer.status_code == 201, answer.text
        assert httpx.get(f"{url}/health/ready").json()["checks"]["model"] == "ok"
    assert "scoring is slow" not in log.read_text()
    assert "numpy scores" not in compiled.run("moderation", "check", status=1).stdout.decode()


def test_what_needs_the_checkout_says_so(compiled: Installed) -> None:
    python = compiled.folder / "bin" / "python"
    command = python, "-m", "classifier", "evaluate", "--data", "."
    done = subprocess.run(command, cwd=compiled.folder, env=compiled.environment, capture_output=True, text=True)
    assert done.returncode == 1 and "checkout" in done.stderr and "Traceback" not in done.stderr


async def test_without_a_compiler_numpy_serves_and_says_so(plain: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(plain.wheel) as opened:
        assert not [name for name in opened.namelist() if name.endswith(".so")]
    words = {"name": "Ann", "email": "ann@example.org", "body": "I planted beans along the fence last May."}
    with plain.serving() as (url, log):
        assert httpx.post(f"{url}/sites/default/articles/post/comments", json=words).status_code == 201
    assert "scoring is slow" in log.read_text() and "the compiled kernel is missing" in log.read_text()
    assert "so numpy scores" in plain.run("moderation", "check", status=1).stdout.decode()
    base = open_base(None)
    monkeypatch.setattr(base, "kernel", None)
    # The order of numpy's sums follows processor and alignment, so the last bits of two processes may differ; the kernel's may not.
    np.testing.assert_allclose(plain.log_odds(), base.log_odds([Asked(text) for text in TEXTS]), rtol=0, atol=1e-4)


async def test_it_learns_from_decisions_beside_a_running_service(compiled: Installed, service: Service) -> None:
    who = await service.token()
    for n in range(20):
        body, action = (OFFERS, "spam") if n % 2 else (TALK, "approve")
        id = (await service.post(f"post-{n % 4}", body=body[n // 2].format(n=n + 3), name=f"Writer {n}")).json()["id"]
        service.clock.forward(minutes=7)
        given = {"comments": [id], "action": action}
        assert (await service.client.post("/api/v1/decisions", json=given, headers=who)).status_code == 200
    settings = service.settings
    done = await asyncio.to_thread(
        compiled.run, "moderation", "retrain", "--site", "default",
        database=str(settings.database), models=settings.models, secret_key=settings.secret().decode(),
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["promoted"], told["why"]
