"""The Dockerfile without an engine: what it promises, and its own commands in an empty folder as a user who is not root.

The image itself is not built here.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.budget import long
from tests.conftest import ROOT, answers, free_port, missing, wait_until

NOBODY = 65534


@dataclass
class Stage:
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        return [rest for step, rest in self.steps if step == word]

    def one(self, word: str) -> str:
        (found,) = self.all(word)
        return found


def stages() -> list[Stage]:
    found: list[Stage] = []
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            found.append(Stage(rest.partition(" AS ")[2]))
        elif word:
            found[-1].steps.append((word, rest.strip()))
    return found


def copied(step: str) -> tuple[str, list[str], str]:
    """(stage or empty, sources, target) of a COPY."""
    words = shlex.split(step)
    flags = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
    *sources, target = [word for word in words if not word.startswith("--")]
    return flags.get("from", ""), sources, target


def is_ignored(path: str) -> bool:
    """By .dockerignore: the last pattern that matches the path, or a folder above it, decides."""
    ignored = False
    parts = path.split("/")
    above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted = pattern.lstrip("!").strip("/")
        regex = re.escape(wanted).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(regex, a) for a in above):
            ignored = not pattern.startswith("!")
    return ignored


def test_it_says_what_an_operator_needs() -> None:
    builder, image = stages()
    user = image.one("USER")
    assert user not in ("", "0", "root")
    assert image.steps.index(("USER", user)) < image.steps.index(("CMD", image.one("CMD")))
    assert json.loads(image.one("VOLUME")) == ["/data"]
    assert image.one("EXPOSE") == "8000"
    health = image.one("HEALTHCHECK")
    assert "/health/live" in health and "--timeout" in health
    assert json.loads(image.one("CMD")) == ["moderation", "serve"]
    settings = dict(entry.split("=", 1) for entry in shlex.split(image.one("ENV")))
    assert settings["MODERATION_HOST"] == "0.0.0.0"
    for name in ("MODERATION_DATABASE", "MODERATION_MODELS"):
        assert settings[name].startswith("/data/"), "what must outlive the container is in the volume"
    assert all("--require-hashes" in run for run in builder.all("RUN") if "requirements" in run)


def test_every_copied_source_is_there_and_nothing_else_is_sent() -> None:
    names = [stage.name for stage in stages()]
    for stage in stages():
        for step in stage.all("COPY"):
            origin, sources, _ = copied(step)
            if origin:
                assert origin in names
                continue
            for source in sources:
                assert (ROOT / source).exists(), source
                assert not is_ignored(source), f"{source} is in .dockerignore"
    for private in (
        "data/moderation.sqlite3",
        "data/secret-key",
        ".git/config",
        ".venv/bin/python",
        "tests/conftest.py",
    ):
        assert is_ignored(private), private
    assert is_ignored("moderation/__pycache__/app.cpython-313.pyc")


def python_for(user: dict[str, Any]) -> str | None:
    """A Python 3.11 or later that this user may run (root's own may stand in root's home), with venv."""
    probe = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
    base = str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    for candidate in (base, "/usr/local/bin/python3", "/usr/bin/python3"):
        try:
            if subprocess.run([candidate, "-c", probe], cwd="/", capture_output=True, **user).returncode == 0:
                return candidate
        except OSError:
            continue
    return None


@long
def test_its_commands_work_in_an_empty_folder_for_a_user_who_is_not_root(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    python = python_for(user)
    if python is None:
        missing("There is no Python with venv that the user nobody may run (on Debian: apt-get install python3-venv)")
        return
    # Not below pytest's folder: nobody may not enter that one.
    root = Path(
        subprocess.run(
            ["mktemp", "-d", "/tmp/lar-docker-XXXXXX"], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
    try:
        walk(root, python, user)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def walk(root: Path, python: str, user: dict[str, Any]) -> None:
    builder, image = stages()

    def here(text: str) -> str:
        """Absolute paths of the image → below our folder."""
        return re.sub(r"(?<![\w./:*-])/(?=[a-z])", f"{root}/", text)

    home, build, data = root / "home", Path(here(builder.one("WORKDIR"))), Path(here(image.one("WORKDIR")))
    for folder in (home / "bin", build, data):
        folder.mkdir(parents=True)
    (home / "bin" / "python").symlink_to(python)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PIP_", "SSL_")) or name.lower().endswith("_proxy")
    }
    environment |= {"PATH": f"{home / 'bin'}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    own(root, user)
    for word, rest in builder.steps:
        if word == "COPY":
            _, sources, target = copied(rest)
            for source in sources:
                copy(source, build / target, whole=len(sources) == 1)
            own(build, user)
        elif word == "RUN":
            done = subprocess.run(
                ["sh", "-ec", here(rest)], cwd=build, env=environment, capture_output=True, text=True, **user
            )
            assert done.returncode == 0, f"{rest}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    shutil.rmtree(build)  # the image has no sources

    for entry in shlex.split(image.one("ENV")):
        name, _, value = entry.partition("=")
        environment[name] = here(value).replace("$PATH", environment["PATH"])
    environment["MODERATION_PORT"] = str(free_port())
    url = f"http://127.0.0.1:{environment['MODERATION_PORT']}"
    health = json.loads(image.one("HEALTHCHECK").partition("CMD ")[2])
    common: dict[str, Any] = {"cwd": data, "env": environment, **user}
    # `env` finds the program by the image's PATH, as an engine does
    assert subprocess.run(["/usr/bin/env", *health], capture_output=True, **common).returncode != 0, "nothing runs yet"
    with (home / "said").open("w") as said:
        server = subprocess.Popen(["/usr/bin/env", *json.loads(image.one("CMD"))], stdout=said, stderr=said, **common)
    try:
        wait_until(lambda: answers(url) or server.poll() is not None, "the server", 60)
        assert server.poll() is None, (home / "said").read_text()
        assert subprocess.run(["/usr/bin/env", *health], capture_output=True, **common).returncode == 0
        with urllib.request.urlopen(f"{url}/health/ready", timeout=5) as answer:
            assert json.load(answer)["checks"]["model"] == "ok", "the shipped model came along"
        words = {"name": "Ann", "email": "ann@example.org", "body": "I planted beans along the fence last May."}
        assert httpx.post(f"{url}/sites/default/articles/post/comments", json=words).status_code == 201
        if user:
            status = Path(f"/proc/{server.pid}/status").read_text()
            assert f"Uid:\t{NOBODY}" in status
        assert {"moderation.sqlite3", "secret-key"} <= {file.name for file in data.iterdir()}
        log = (home / "said").read_text()
        assert "/moderate/set-password/" in log
        assert "scoring is slow" not in log, "the wheel brings the compiled kernel"
    finally:
        server.terminate()
        assert server.wait(30) in (0, -15)


def own(folder: Path, user: dict[str, Any]) -> None:
    if user:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", folder], check=True)


def copy(source: str, target: Path, *, whole: bool) -> None:
    """As COPY does: a file into a folder, a folder's content into a folder; without what .dockerignore names."""
    found = ROOT / source
    if found.is_file():
        shutil.copy(found, target)
        return
    assert whole
    for file in found.rglob("*"):
        if file.is_file() and not is_ignored(str(file.relative_to(ROOT))):
            place = target / file.relative_to(found)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
