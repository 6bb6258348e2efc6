"""What the docs say is so: the README's commands work as they are written, settings and commands are all described."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from moderation import settings
from moderation.__main__ import COMMANDS, commands_of
from tests.conftest import ROOT, Server, missing
from tests.test_walk import GOOD, MOON

README = (ROOT / "README.md").read_text("utf-8")


def blocks(heading: str) -> list[str]:
    """The shell blocks of one section of the README."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def run(server: Server, commands: list[str]) -> list[str]:
    """Each as a reader would paste it, one after the other in one shell; only the address is this server's."""
    mark = "--- next ---"
    script = f"echo; echo '{mark}'\n".join(commands).replace("http://127.0.0.1:8000", server.url)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=server.folder, env=server.environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [said.strip() for said in done.stdout.split(mark)]


def test_the_readmes_walk_works_as_written(server: Server) -> None:
    if not shutil.which("curl"):
        missing("curl is not installed")
    (server.folder / ".venv").symlink_to(sys.prefix)

    approved, held, thread = (json.loads(said) for said in run(server, blocks("Post")))
    assert (approved["status"], held["status"]) == ("approved", "pending")
    assert [c["id"] for c in thread["comments"]] == [approved["id"]]

    (said,) = run(server, blocks("Moderate"))
    assert json.loads(said)["comments"] == [{"id": held["id"], "status": "approved", "revision": 2}]

    (said,) = run(server, blocks("Keep your comments where they are"))
    assert (
        said.startswith("false{") and json.loads(said[5:])["attributeScores"]["TOXICITY"]["summaryScore"]["value"] > 0.5
    )

    decide(server)
    learnt, back = (json.loads(said) for said in run(server, blocks("Retrain")))
    assert learnt["promoted"] is True, learnt["why"]
    assert back["rolled_back"] is True


def decide(server: Server) -> None:
    """The twenty decisions that the README takes for granted by then."""
    token = server.run("add-token", "--scopes", "moderate").stdout.strip()
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as client:
        for n, (spam, good) in enumerate(zip(MOON * 2, GOOD, strict=True)):
            for action, body in (("spam", spam.format(n=n)), ("approve", good)):
                fields = {"name": "Reader", "email": f"{action}{n}@example.org", "body": body}
                answer = client.post("/sites/default/articles/my-post/comments", json=fields).raise_for_status()
                decided = {"comments": [answer.json()["id"]], "action": action}
                client.post("/api/v1/decisions", json=decided).raise_for_status()


def test_every_setting_is_in_the_docs_as_the_code_has_it() -> None:
    assert settings.table() in (ROOT / "docs" / "settings.md").read_text("utf-8"), (
        "print the table anew: python -c 'from moderation.settings import table; print(table(), end=\"\")'"
    )


@pytest.mark.parametrize("name", sorted(name for names in COMMANDS.values() for name in names))
def test_every_command_is_in_the_docs_with_all_its_options(name: str) -> None:
    docs = (ROOT / "docs" / "commands.md").read_text("utf-8")
    command = next(commands_of(module)[name] for module, names in COMMANDS.items() if name in names)
    usage = " ".join([name, *command.collect_usage_pieces(None)])
    assert f"\n## {name}\n\n`{usage}`\n" in docs, f"{name} has no section with its usage"
    described = set(re.findall(r"^## (\S+)$", docs, re.MULTILINE))
    assert described <= {name for names in COMMANDS.values() for name in names}, (
        "a command is described that is not there"
    )


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_between_the_docs_lead_somewhere(page: str) -> None:
    here = ROOT / page
    for target, anchor in re.findall(r"\]\((?!https?://|mailto:)([^)#]*)#?([^)]*)\)", here.read_text("utf-8")):
        there = Path(os.path.normpath(here.parent / target)) if target else here
        assert there.exists(), f"{page}: {target}"
        assert not anchor or anchor in anchors(there.read_text("utf-8")), f"{page}: {target}#{anchor}"


def anchors(page: str) -> set[str]:
    """The fragment of each heading, as forges make it: lower case, hyphens for spaces, no punctuation."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
