"""Files as they really come: what can be read comes in, the rest is named, and no file stops half-way."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.__main__ import main
from moderation.core.problem import Problem
from moderation.transfer.formats.file import File, files
from moderation.transfer.formats.readers import reader_for
from moderation.transfer.records import ImportedArticle, ImportedComment, Record, Skipped
from tests.conftest import Service
from tests.transfer import foreign
from tests.transfer.conftest import Bring
from tests.transfer.foreign import Row

pytestmark = pytest.mark.anyio
CASES = Path(__file__).parent / "cases"
STORY = foreign.wxr(
    foreign.wxr_post([Row(1), Row(2, 1)]),
    foreign.wxr_post([Row(3), Row(4, 3), Row(5)], 13, link="https://blog.example/other/"),
)


def read(path: Path, named: Any = None) -> list[Record]:
    return [record for file in files(str(path)) for record in reader_for(file, named).read(file, "id")]


def written(tmp_path: Path, data: bytes, name: str = "export") -> list[Record]:
    (tmp_path / name).write_bytes(data)
    return read(tmp_path / name)


def comments(records: list[Record]) -> dict[str, str]:
    """Comment → the beginning of its text."""
    return {one.foreign: one.body for one in records if isinstance(one, ImportedComment)}


def skipped(records: list[Record]) -> list[Skipped]:
    return [one for one in records if isinstance(one, Skipped)]


WHOLE = comments(read(CASES / "wxr-https-namespace.xml"))


@pytest.mark.parametrize(
    "case",
    ["undeclared-prefix", "undeclared-prefix-in-item", "cdata-end-in-post", "blank-lines-first", "https-namespace"],
)
async def test_an_export_as_wordpress_writes_it_comes_in_whole(service: Service, bring: Bring, case: str) -> None:
    result = await bring(CASES / f"wxr-{case}.xml")
    assert (result["articles"], result["comments"], result["skipped"]) == (2, {"approved": 3}, {})
    assert (await service.thread("1"))["count"] == 1
    (top,) = (await service.thread("2"))["comments"]
    assert [reply["text"] for reply in top["replies"]] == ["Try fleece."]


TEXTS = {
    "an undeclared prefix of an attribute": (b"<description></description>", b'<media:x media:y="1" flattr:z=\'2\'/>'),
    "two scripts": (b"<p>A garden", b"<script>// <![CDATA[\na()\n// ]]></script> x <script>// <![CDATA[\nb()\n// ]]></script>"),
    "ends without beginnings": (b"<p>A garden", b"]]> and ]]> and a[b[0]]>1"),
    "a beginning without an end": (b"<p>A garden", b"<![CDATA[ and <![CDATA["),
    "a title with its own tag": (b"Hello &amp; welcome", b"The </title> tag &amp; <title> once more"),
    "entities of html": (b"<description></description>", b"<description>&nbsp;&eacute;&bogus; & &am</description>"),
    "references to control characters": (b"<description></description>", b"<description>&#0;&#11;&#x1F;&#xD800;&#xFFFFFFF;</description>"),
    "bare control characters": (b"A garden", b"A\x00\x0b\x1f garden\xff\xfe"),
    "tags that never end": (b"<description></description>", b"<description>a < b <br> <img src=\"x> <p>words</description>"),
    "ends of nothing": (b"<description></description>", b"</div></b></other:x>"),
    "a comment that never ends": (b"<description></description>", b"<description><!-- x</description>"),
    "another root in a text": (b"<description></description>", b"<description><rss> <channel></channel></rss></description>"),
    "a document type in a text": (b"<description></description>", b"<description><!DOCTYPE html></description>"),
    "an unfinished entity in a reply": (b"<![CDATA[The words of comment 2.]]>", b"The words of comment 2. &am"),
    "a section that never ends": (b"<![CDATA[The words of comment 2.]]>", b"<![CDATA[The words of comment 2."),
}  # fmt: skip


@pytest.mark.parametrize("what", TEXTS)
def test_no_text_of_a_post_or_comment_hides_the_others(tmp_path: Path, what: str) -> None:
    old, new = TEXTS[what]
    assert old in STORY
    records = written(tmp_path, STORY.replace(old, new, 1))
    assert {id: re.sub(r"\W*(am)?$", "", text) for id, text in comments(records).items()} == {
        str(n): f"The words of comment {n}" for n in range(1, 6)
    }
    assert [(one.foreign, one.key) for one in records if isinstance(one, ImportedArticle)] == [
        ("12", "12"),
        ("13", "13"),
    ]
    assert not skipped(records)


HEADS = {
    "blank lines": b"\n\r\n  \n",
    "a mark and blank lines": b"\xef\xbb\xbf\n\n",
    "a notice of PHP": b"\nNotice: Undefined index: a in /srv/x.php on line 2\n",
    "many notices of PHP": b"PHP Notice:  Undefined index: a in /srv/x.php on line 2\n" * 2_000,
    "a document type without a definition": b"<!DOCTYPE html>\n",
    "a notice of PHP in HTML": b"<br />\n<b>Warning</b>:  Cannot modify <i>x</i> in <b>/srv/x.php</b><br />\n",
}


@pytest.mark.parametrize("head", HEADS)
def test_what_stands_before_the_declaration_is_passed_over(tmp_path: Path, head: str) -> None:
    assert len(comments(written(tmp_path, HEADS[head] + STORY))) == 5


async def test_a_comment_outside_of_a_post_is_named(bring: Bring) -> None:
    outside = foreign.wxr_comment(Row(9)).encode()
    result = await bring(STORY.replace(b"</channel>", outside + b"</channel>"))
    assert result["comments"] == {"approved": 5}
    assert result["skipped"] == {"it stands outside of what it belongs to": 1}


NOISE = [
    b"PHP Notice:  Undefined index: a in /srv/x.php on line 2\n" * 2_000,
    b"Array\n(\n    [0] => a\n)\n#0 [internal function]: f([x])\n",
    b'debug: [{"a": 1}] and [{"b": []}]\n',
    b"\xef\xbb\xbf\x1b[31mWarning:\x1b[0m x\n",
]


@pytest.mark.parametrize("noise", NOISE)
def test_notices_around_a_list_hide_none_of_it(tmp_path: Path, noise: bytes) -> None:
    records = written(tmp_path, noise + foreign.wp_list([Row(1), Row(2)]) + noise + foreign.wp_list([Row(3)]))
    assert set(comments(records)) == {"1", "2", "3"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "iso-8859-1", "windows-1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = (
        STORY.decode()
        .replace("comment 3.", "comment 3, déjà.")
        .replace('"UTF-8"', f'"{encoding.removesuffix("-sig")}"')
    )
    found = comments(written(tmp_path, text.encode(encoding)))
    assert found["3"] == "The words of comment 3, déjà."
    assert len(found) == 5


def test_a_list_of_two_bytes_a_character_as_powershell_writes_it(tmp_path: Path) -> None:
    assert len(comments(written(tmp_path, foreign.wp_list([Row(1), Row(2)]).decode().encode("utf-16")))) == 2


@pytest.mark.parametrize(
    "namespace",
    [
        "https://wordpress.org/export/1.2/",
        "http://www.wordpress.org/export/1.0",
        "HTTP://WordPress.org/export/1.1/",
        "urn:other",
    ],
)
@pytest.mark.parametrize("prefix", [b"wp", b"ns7"])
def test_any_spelling_of_the_namespace_is_that_of_wordpress(tmp_path: Path, namespace: str, prefix: bytes) -> None:
    if namespace == "urn:other" and prefix != b"wp":
        return  # then nothing says whose it is
    data = STORY.replace(b'http://wordpress.org/export/1.2/"\n>', namespace.encode() + b'"\n>')
    data = (
        data.replace(b"xmlns:wp", b"xmlns:" + prefix)
        .replace(b"<wp:", b"<%s:" % prefix)
        .replace(b"</wp:", b"</%s:" % prefix)
    )
    assert len(comments(written(tmp_path, data))) == 5


def test_two_exports_in_one_file(tmp_path: Path) -> None:
    second = foreign.wxr(foreign.wxr_post([Row(8)], 14))
    assert set(comments(written(tmp_path, STORY + second))) == {"1", "2", "3", "4", "5", "8"}


def test_characters_beyond_the_first_plane_written_as_two_halves(tmp_path: Path) -> None:
    data = STORY.replace(b"<![CDATA[The words of comment 2.]]>", b"Beans &#55356;&#57137; grow&#128512;")
    assert comments(written(tmp_path, data))["2"] == "Beans \U0001f331 grow\U0001f600"


def test_wordpress_s_own_split_of_a_section_is_one_text(tmp_path: Path) -> None:
    data = foreign.wxr(foreign.wxr_post([Row(1, body="if (a[b[0]]>1) { <![CDATA[ x ]]> y }")]))
    assert comments(written(tmp_path, data))["1"] == "if (a[b[0]]>1) { <![CDATA[ x ]]> y }"
    mixed = STORY.replace(b"<![CDATA[The words of comment 2.]]>", b"<![CDATA[a]]> &amp; <![CDATA[b]]> &lt;i&gt;c")
    assert comments(written(tmp_path, mixed))["2"] == "a & b <i>c"


@given(st.integers(0, len(STORY)))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cut_at_any_byte_loses_no_comment_before_it(tmp_path: Path, at: int) -> None:
    before = STORY[:at]
    try:
        records = written(tmp_path, before)
    except Problem:
        assert at < 300  # nothing of WordPress yet
        return
    assert len(comments(records)) == before.count(b"</wp:comment>")
    assert sum(isinstance(one, ImportedArticle) for one in records) >= before.count(b"</item>")
    ((place, reason),) = [(one.where, one.reason) for one in skipped(records)] or [("", "")]
    assert (at >= STORY.index(b"</rss>") + 6) == (not reason)
    assert not reason or re.fullmatch(r"line \d+", place)


@given(st.integers(STORY.index(b"<wp:author>"), len(STORY)), st.binary(min_size=1, max_size=30))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_some_bytes_in_any_place_lose_what_they_stand_in_at_most(tmp_path: Path, at: int, bytes_: bytes) -> None:
    """Random bytes that are no mark-up of their own: at most the comment or the post around them is lost."""
    if set(bytes_) & set(b"<>&![]?/-\"'"):
        return
    records = written(tmp_path, STORY[:at] + bytes_ + STORY[at:])
    assert len(comments(records)) >= 2


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


async def test_a_zip_as_wordpress_com_makes_it(service: Service, bring: Bring) -> None:
    second = foreign.wxr(foreign.wxr_post([Row(8, 3)], 13))
    members = {"blog/2.xml": second, "blog/1.xml": STORY, "__MACOSX/blog/._1.xml": b"\0\5\x16", "notes.txt": b"no"}
    result = await bring(packed(members))
    assert result["comments"] == {"approved": 6}
    assert (await service.thread("13"))["count"] == 4


async def test_other_files_in_a_zip_hide_no_export(bring: Bring) -> None:
    members = {
        "0.json": b'{"name": "a package"}',
        "1.json": foreign.wp_list([Row(6, status="spam")]),
        "2.wxr": STORY[: len(STORY) // 2],
        "3.xml.gz": gzip.compress(STORY),
        "sitemap.xml": foreign.SITEMAP.encode(),
    }
    result = await bring(packed(members))
    assert result["comments"] == {"approved": 5, "spam": 1}
    assert (
        result["skipped"]["no export"]
        == result["skipped"]["not from the same system as the other files in the zip"]
        == 1
    )
    with pytest.raises(Problem, match="no known system"):
        await bring(packed({"0.json": members["0.json"]}))


@pytest.mark.parametrize(
    "data, words",
    [
        (packed({"readme.txt": b"x"}), "no export in the zip"),
        (packed({"a.xml": STORY})[:-30], "cut short or damaged"),
        (packed({f"a{n}.xml": b"x" for n in range(1_001)}), "more in it than an export"),
    ],
)
async def test_another_zip_is_refused_in_words(bring: Bring, data: bytes, words: str) -> None:
    with pytest.raises(Problem, match=words):
        await bring(data)


async def test_a_packed_file_that_breaks_off_brings_what_it_has(service: Service, bring: Bring) -> None:
    rows = [Row(n, body=f"Words {n} " + "".join(chr(97 + n * k % 26) for k in range(400))) for n in range(1, 800)]
    data = gzip.compress(foreign.wxr(foreign.wxr_post(rows)))
    result = await bring(data[: len(data) // 2])
    assert 200 < result["comments"]["approved"] < 600
    assert any("cannot be unpacked" in reason for reason in result["skipped"])


async def test_a_feed_that_has_comments_of_wordpress_says_so(service: Service, bring: Bring, tmp_path: Path) -> None:
    """Its beginning looks like a feed's: the comments come far behind."""
    post = foreign.wxr_post([Row(1)])
    item = re.sub(r"<(/?)wp:(?!comment)[\w]+>.*?</wp:[\w]+>", "", post)
    early = f"<item><title>{'x' * 70_000}</title><link>https://blog.example/x/</link></item>"
    data = f"<rss><channel>{early}{item}</channel></rss>".encode()
    result = await bring(data)
    assert result["skipped"] == {"a comment of WordPress in a feed: import the file with --from wordpress": 1}
    assert len(comments(written(tmp_path, data))) == 0
    file = File(str(tmp_path / "export"))
    assert len(comments(list(reader_for(file, "wordpress").read(file, "path")))) == 1


# --- the exit status ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, status",
    [
        (STORY, 0),
        (STORY[:-200], 3),
        (foreign.wxr(foreign.wxr_post([Row(1), Row(2, kind="pingback")])), 3),
        (foreign.wxr(foreign.wxr_post([Row(1), Row(2)], status="private")), 1),
        (foreign.wxr(), 1),
        (b"[]", 1),
        ((CASES / "foreign-list.json").read_bytes(), 1),
        ((CASES / "wp-list-after-a-notice.json").read_bytes(), 0),
        (foreign.wp_list([Row(1), Row(2)])[:-30], 3),
        (foreign.wp_list([Row(1), Row(2)]).replace(b'"comment_ID": "1"', b'"comment_ID": 1 1'), 3),
    ],
)
def test_the_exit_status_says_whether_all_came_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: bytes, status: int
) -> None:
    monkeypatch.setenv("MODERATION_DATABASE", str(tmp_path / "db"))
    (tmp_path / "export").write_bytes(data)
    assert main(["import", str(tmp_path / "export")]) == status
    out, err = capsys.readouterr()
    assert bool(out) == (status != 1)
    assert ("skipped: " in err) == (status == 3) or status == 1
    assert "again" not in err or "again for" in err
    if status != 1:  # all of it is here already
        assert main(["import", str(tmp_path / "export")]) == status
