"""The examples of docs/clients.md, run as they are written against a running server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx

from tests.conftest import ROOT, Server

PAGE = (ROOT / "docs" / "clients.md").read_text("utf-8")
LANGUAGES = PAGE.split("\n## In your language\n")[1].split("\n## ")[0]
PROGRAMS = {
    "sh": ("bash", "-e"), "python": ("python3",), "js": ("node",), "php": ("php",), "ruby": ("ruby",), "go": ("go", "run"),
}  # fmt: skip
"""Language → program. Those that are not installed are not run."""


def example(language: str) -> str:
    (block,) = re.findall(rf"```{language}\n(.*?)```", LANGUAGES, re.DOTALL)
    return str(block)


def test_each_language_has_an_example() -> None:
    assert set(re.findall(r"```(\w+)\n", LANGUAGES)) == {*PROGRAMS, "r"}


def test_the_examples_work_as_written(server: Server, tmp_path: Path) -> None:
    token = server.run("add-token", "--scopes", "score,teach", "--site", "default").stdout.strip()
    environment = server.environment | {
        "LEAVE_A_REPLY_TOKEN": token,
        "GOFLAGS": "-mod=mod",
        "GOCACHE": str(tmp_path / "go"),
    }
    environment |= {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    tried = []
    for language, (program, *options) in PROGRAMS.items():
        if not shutil.which(program):
            continue
        file = tmp_path / f"example.{language}"
        file.write_text(example(language).replace("http://127.0.0.1:8000", server.url))
        done = subprocess.run(
            [program, *options, str(file)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, (language, done.stderr)
        said = (
            done.stdout
            if language != "sh"
            else json.loads(done.stdout.partition("}{")[0].removesuffix("}") + "}")["action"]
        )
        assert said.strip() == "publish", language
        tried.append(language)
    assert {"sh", "python"} <= set(tried)
    with httpx.Client(base_url=server.url, trust_env=False, headers={"Authorization": f"Bearer {token}"}) as client:
        for language in tried:
            known = client.get(f"/api/v1/sites/default/checks/{language}-1")
            assert (known.status_code, known.json()["status"]) == (200, "approved"), language
    if "js" in tried:
        (block,) = re.findall(r"```js\n(.*?)```", PAGE.split("\n### Waline\n")[1].split("\n### ")[0], re.DOTALL)
        (tmp_path / "index.js").write_text(block)
        subprocess.run(["node", "--check", str(tmp_path / "index.js")], check=True)


def test_the_shortest_calls_of_both_protocols_work_as_written(server: Server) -> None:
    keys = {
        "LEAVE_A_REPLY_TOKEN": server.run("add-token", "--scopes", "score", "--site", "default").stdout.strip(),
        "AKISMET_KEY": server.run("add-token", "--akismet", "--site", "default").stdout.strip(),
        "no_proxy": "127.0.0.1",
    }
    said = []
    for name in ("Perspective", "Akismet"):
        section = PAGE.split(f"\n## With {name}'s protocol\n")[1].split("\n## ")[0]
        (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
        script = block.replace("http://127.0.0.1:8000", server.url)
        done = subprocess.run(
            ["bash", "-ec", script], env=server.environment | keys, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert 0 < json.loads(said[0])["attributeScores"]["TOXICITY"]["summaryScore"]["value"] < 1
    assert said[1] == "false"
