"""The commands as an operator runs them: beside a running server, killed half-way, through a pipe, into a backup."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from moderation.db import connect
from moderation.transfer import backup
from moderation.transfer import store as imports
from tests.conftest import Server, Service, wait_until
from tests.transfer import foreign
from tests.transfer.conftest import Bring
from tests.transfer.foreign import Row
from tests.transfer.test_importing import SPAM, STORY


def thread(server: Server, article: str = "12") -> Any:
    with urllib.request.urlopen(f"{server.url}/sites/default/articles/{article}/comments?limit=200") as answer:
        return json.load(answer)


def test_killed_half_way_and_run_again_beside_a_server_it_is_whole_and_not_doubled(
    server: Server, tmp_path: Path
) -> None:
    rows = [
        Row(n, n + 1 if n % 2 else n - 2 if n > 2 else 0) for n in range(1, 8_001)
    ]  # half of them before their parents
    file = tmp_path / "blog.xml"
    file.write_bytes(foreign.wxr(foreign.wxr_post(rows)))
    command = [sys.executable, "-m", "moderation", "import", str(file)]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=server.environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    wait_until(lambda: thread(server)["count"] > 0, "the first comments")
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    some = thread(server)["count"]
    assert 0 < some < 8_000
    told = json.loads(server.run("import", str(file)).stdout)
    assert told["here_already"] == some
    assert told["comments"] == {"approved": 8_000 - some}
    found = thread(server)
    assert found["count"] == 8_000
    # one root for all: 2; and every odd one below its even parent
    assert len(found["comments"]) == 1 and found["comments"][0]["text"] == "The words of comment 2."
    assert json.loads(server.run("import", str(file)).stdout)["comments"] == {}


def test_a_pipe_will_do_and_the_data_is_alone_on_standard_output(server: Server, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "moderation"]
    server.run("add-site", "blog")  # without the demo's articles
    done = subprocess.run(
        [*program, "import", "-", "--site", "blog"],
        input=foreign.wp_list([*STORY, *SPAM]),
        env=server.environment,
        cwd=tmp_path,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["comments"] == {"approved": 12, "pending": 1, "deleted": 1, "spam": 1}
    assert b"comments, spam" in done.stderr
    lines = server.run("export", "--site", "blog").stdout.splitlines()
    assert [next(iter(json.loads(line))) for line in lines] == ["format", "article", *["comment"] * 15, "end"]
    assert server.run("export", "--site", "blog", "--format", "wxr").stdout.count("<wp:comment>") == 15
    server.run("export", "--output", "out.jsonl")
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600
    again = server.run("export", "--output", "out.jsonl", check=False)
    assert (again.returncode, again.stdout) == (1, "")


def test_what_a_blog_knows_teaches_its_first_model(server: Server, tmp_path: Path) -> None:
    """Lists and past verdicts in, `retrain`, and a model of the site's own is live."""
    rng = random.Random(1)

    def unlike(words: str) -> str:  # of a wave one would be learnt
        return " ".join(rng.choices(words.split(), k=12))

    garden = "tomatoes bed rain thank came well soil seeds watered sunny slugs compost harvest beans spring rows leaves roots"
    crew = "kitchen remodel estimate trusted local crew call us today roof gutter free quote licensed discount bathroom tiles price"
    rows = [Row(n, body=unlike(garden), email=f"r{n}@example.org") for n in range(1, 81)]
    rows += [Row(n, status="spam", body=unlike(crew), email=f"s{n}@example.net") for n in range(81, 161)]
    file = tmp_path / "comments.json"
    file.write_bytes(foreign.wp_list(rows))
    assert json.loads(server.run("import", str(file)).stdout)["decisions"] == {"approve": 80, "spam": 80}
    learnt = json.loads(server.run("retrain").stdout)
    assert learnt["sites"]["default"]["examples"] == 160, learnt
    assert learnt["promoted"], learnt


@pytest.mark.anyio
async def test_a_backup_holds_the_ids_from_elsewhere(service: Service, bring: Bring, tmp_path: Path) -> None:
    await bring(foreign.wxr(foreign.wxr_post(STORY)))
    services = service.services
    await backup.write(services.database, tmp_path / "models", b"a secret of the tests", tmp_path / "backup.zip")
    fresh = connect(str(tmp_path / "fresh" / "db.sqlite3"))
    await fresh.open()
    await backup.restore(fresh, tmp_path / "other", tmp_path / "key", tmp_path / "backup.zip")
    async with fresh.reading() as there, services.database.reading() as here:
        numbers = [str(row.id) for row in STORY]
        found = await imports.found(there, "default", "wordpress", "comment", numbers)
        assert found == await imports.found(here, "default", "wordpress", "comment", numbers)
        assert len(found) == len(STORY)
    await fresh.close()
