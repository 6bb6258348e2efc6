"""What each further system writes comes in with threads, dates and verdicts, once, and as far as it can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.core.problem import Problem
from moderation.transfer.formats import staticman as staticman_format
from moderation.transfer.formats.file import files
from moderation.transfer.formats.readers import reader_for
from moderation.transfer.records import ImportedComment, Record, Skipped
from tests.conftest import ROOT, Service
from tests.transfer.conftest import Bring
from tests.transfer.foreign import PATH_KEY, Row
from tests.transfer.systems import SYSTEMS, coral_rows, jsonl

pytestmark = pytest.mark.anyio
STORY = [
    Row(1, name="Ann Other"),
    Row(2, 1, name="Bob", email="bob@example.org"),
    Row(3, status="pending"),
    Row(4, status="spam", name="Casino", email="win@casino.example"),
    Row(5, status="deleted"),
    Row(6, status="rejected"),
    Row(7, 1),
]


def told_by(name: str, tmp_path: Path) -> tuple[bytes | Path, list[Row]]:
    system = SYSTEMS[name]
    rows = [row for row in STORY if row.status in system.statuses.split()]
    return (system.write(tmp_path, rows) if system.takes_folder else system.write(rows)), rows


@pytest.mark.parametrize("name", SYSTEMS)
async def test_threads_dates_and_verdicts_are_kept_and_nothing_comes_twice(
    service: Service, bring: Bring, tmp_path: Path, name: str
) -> None:
    system = SYSTEMS[name]
    data, rows = told_by(name, tmp_path)
    result = await bring(data)
    expected: dict[str, int] = {}
    for row in rows:
        expected[row.status] = expected.get(row.status, 0) + 1
    assert (result["source"], result["comments"], result["skipped"]) == (system.source, expected, {})
    thread = await service.thread(PATH_KEY)
    (first,) = thread["comments"]
    assert first["author"]["name"] == "Ann Other"
    assert first["text"].strip() == "The words of comment 1."
    assert first["created_at"] == "2020-05-01T10:01:00.000Z"
    assert [reply["text"].strip()[-2:] for reply in first["replies"]] == ["2.", "7."]
    assert thread["article"]["title"] == system.title
    assert result["decisions"] == {"approve": 3} | ({"spam": 1} if "spam" in expected else {})
    who = await service.token()
    one = (await service.client.get(f"/api/v1/comments/{first['id']}", headers=who)).json()
    assert one["author"]["email"] == ("ann@example.org" if system.has_email else "")
    again = await bring(data)
    assert (again["articles"], again["comments"], again["here_already"]) == (0, {}, len(rows))


def read(path: Path) -> list[Record]:
    return [record for file in files(str(path)) for record in reader_for(file, None).read(file, "path")]


@pytest.mark.parametrize("name", [name for name, system in SYSTEMS.items() if not system.takes_folder])
@given(at=st.floats(0.3, 1), junk=st.binary(max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_breaks_off_gives_what_it_has_and_says_so(
    tmp_path: Path, name: str, at: float, junk: bytes
) -> None:
    data, rows = told_by(name, tmp_path)
    assert isinstance(data, bytes)
    cut = data[: int(len(data) * at)] + junk
    (tmp_path / "export").write_bytes(cut)
    try:
        records = read(tmp_path / "export")
    except Problem:
        return
    comments = [record for record in records if isinstance(record, ImportedComment)]
    assert len(comments) <= len(rows)
    # a file of lines that ends with a line looks whole; one without a comment is refused as a whole
    ends_a_line = SYSTEMS[name].has_lines and cut.rstrip().endswith(b"}")
    if comments and len(comments) < len(rows) and not ends_a_line:
        assert any(isinstance(record, Skipped) for record in records)


@pytest.mark.parametrize("name", [name for name, system in SYSTEMS.items() if not system.takes_folder])
@given(
    value=st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.lists(st.integers(), max_size=2)
    | st.just({"a": [1]}),
    pick=st.integers(0, 50),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_in_any_field_is_no_traceback(tmp_path: Path, name: str, value: Any, pick: int) -> None:
    data, _ = told_by(name, tmp_path)
    assert isinstance(data, bytes)
    text = data.decode()
    names = sorted({part.split('"')[-1] for part in text.split('":')[:-1]})
    field = names[pick % len(names)]

    def spoilt(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: value if key == field else spoilt(inner) for key, inner in node.items()}
        return [spoilt(inner) for inner in node] if isinstance(node, list) else node

    documents = (
        [json.loads(line) for line in text.splitlines() if line[0] != "#"]
        if SYSTEMS[name].has_lines
        else [json.loads(text)]
    )
    (tmp_path / "export").write_text("\n".join(json.dumps(spoilt(document)) for document in documents))
    try:
        read(tmp_path / "export")
    except Problem as problem:
        assert problem.detail


async def test_the_written_format_takes_pages_by_address_and_names_wrong_lines(service: Service, bring: Bring) -> None:
    lines: list[Any] = [
        {
            "comment": {
                "id": "a",
                "article": "https://blog.example/x/?utm_source=y",
                "name": "Ann",
                "body": "*One*",
                "created_at": 1588327200,
            }
        },
        {
            "comment": {
                "id": "b",
                "article": "/x/",
                "parent": "a",
                "body": "a < b\n\nhttps://a.example",
                "format": "text",
                "created_at": "2020-05-01",
            }
        },
        {"comment": {"id": "c", "article": "/x/", "status": "unheard of", "body": "x"}},
        {"comment": {"id": "d", "body": "x"}},
        {"comment": {"article": "/x/"}},
        "nonsense",
        {"article": {"id": "hidden", "listed": False, "title": "Hidden"}},
        {"comment": {"id": "e", "article": "hidden", "body": "Nobody sees this", "created_at": "2020-05-01T00:00:00Z"}},
    ]
    result = await bring("\n".join(map(json.dumps, lines)).encode())
    assert result["comments"] == {"approved": 3}
    assert sum(result["skipped"].values()) == 4 and len(result["skipped"]) == 3
    thread = await service.thread("x")
    (first,) = thread["comments"]
    assert first["html"] == "<p><em>One</em></p>\n"
    (second,) = first["replies"]
    assert second["html"].startswith("<p>a &lt; b</p>") and 'href="https://a.example"' in second["html"]
    assert (await service.thread("hidden"))["count"] == 0


def test_the_schema_is_json_and_names_what_is_read() -> None:
    schema = json.loads((ROOT / "docs" / "comments.schema.json").read_text())
    comment = schema["$defs"]["comment"]["properties"]
    for line in jsonl(STORY).splitlines()[2:]:
        assert json.loads(line)["comment"].keys() <= comment.keys()
        assert json.loads(line)["comment"]["status"] in comment["status"]["enum"]
    assert comment["format"]["enum"] == ["markdown", "html", "text"]
    assert {"id", "url", "key", "title", "text", "published_at", "comments_open", "listed"} == set(
        schema["$defs"]["article"]["properties"]
    )


@pytest.mark.parametrize(
    "yaml, value",
    [
        ("message: plain words # a note", "plain words"),
        ("message: 'it''s'", "it's"),
        (r'message: "a\nb \u00e9 \U0001F331 \"c\""', 'a\nb é 🌱 "c"'),
        ("message: |\n  a\n   b\n\n  c\n", "a\n b\n\nc"),
        ("message: >-\n  a\n  b\n\n  c\n", "a b\nc"),
        ("message: a\n  b\n\n  c", "a b\nc"),
        ('message: "a\n  b"', "a b"),
        ('message: "a \\\n  b\\\n  \\ c"', "a b c"),
        ("message: null", ""),
        ("message:", ""),
        ("x: 1\n- y\nmessage: z: w", "z: w"),
    ],
)
def test_the_yaml_that_staticman_writes(yaml: str, value: str) -> None:
    assert staticman_format.mapping("---\n" + yaml)["message"] == value


REQUEST = """Dear human,

Here's a new entry for your approval. :tada:

---
| Field   | Content                          |
| ------- | -------------------------------- |
| name    | Ann                              |
| email   | d41d8cd98f00b204e9800998ecf8427e |
| url     | http://ann.example               |
| message | The **first** line

and | another |
| date    | 1588327260                       |"""
SENT = {
    "fields": {"name": "Bo", "email": "bo@example.org", "message": "Buy -->", "date": 1588327320},
    "options": {"slug": "hello", "origin": "https://blog.example/2020/05/hello/"},
}


def request(number: int, state: str, body: str, **more: Any) -> dict[str, Any]:
    """As `gh pr list --json` prints it."""
    files = [{"path": f"_data/comments/hello/entry{number}.yml", "additions": 6}]
    return {
        "number": number,
        "state": state,
        "headRefName": f"staticman_id{number}",
        "body": body,
        "files": files,
    } | more


async def test_refused_requests_of_staticman_are_spam_and_open_ones_wait(
    service: Service, bring: Bring, tmp_path: Path
) -> None:
    sent = json.dumps(SENT).replace("-->", "--\\u003e")
    requests = [
        request(1, "CLOSED", REQUEST),
        request(2, "OPEN", f"Dear human\n\n<!--staticman_notification:{sent}-->"),
        request(3, "MERGED", REQUEST),
        request(4, "CLOSED", "A change by hand", headRefName="patch-1"),
        request(5, "CLOSED", "No table"),
    ]
    data = json.dumps(requests).encode()
    result = await bring(data)
    assert (result["source"], result["comments"]) == ("staticman", {"spam": 1, "pending": 1})
    assert (result["decisions"], sum(result["skipped"].values())) == ({"spam": 1}, 1)
    queue = {"status": "any"}
    rows = (await service.client.get("/api/v1/comments", params=queue, headers=await service.token())).json()[
        "comments"
    ]
    (spam,), (waiting,) = ([row for row in rows if row["status"] == status] for status in ("spam", "pending"))
    assert (spam["author"]["name"], spam["article"], spam["created_at"]) == ("Ann", "hello", "2020-05-01T10:01:00.000Z")
    assert spam["html"] == "<p>The <strong>first</strong> line</p>\n<p>and | another</p>\n"
    assert (waiting["author"]["email"], waiting["body"]) == ("bo@example.org", "Buy -->")
    assert (await bring(data))["here_already"] == 2
    body = f"<!--staticman_notification:{sent}-->"
    of_the_api = {"state": "closed", "merged_at": None, "head": {"ref": "staticman_id9"}, "body": body}
    assert (await bring(json.dumps([of_the_api]).encode()))["comments"] == {"spam": 1}


async def test_the_pages_and_numbered_replies_of_jekyll_s_themes(
    service: Service, bring: Bring, tmp_path: Path
) -> None:
    page = tmp_path / "comments" / "hello"
    page.mkdir(parents=True)
    entries = [
        "_id: a\n_parent: /old/hello/\nname: Ann\nmessage: One\nreplying_to: ''\ndate: '2020-05-01T10:00:00Z'",
        "name: Bo\nmessage: Two, without an id\nhidden: ''\ndate: '2020-05-01T11:00:00Z'",
        "_id: c\n_parent: /new/hello/\nname: Cy\nmessage: To two\nreplying_to: '2'\ndate: '2020-05-01T12:00:00Z'",
        "_id: d\n_parent: d\nname: Di\nmessage: Its own parent\npost_id: /x/\ndate: '2020-05-01T13:00:00Z'",
    ]
    for number, entry in enumerate(entries):
        (page / f"comment-{number}.yml").write_text(f"---\n{entry}\n")
    result = await bring(tmp_path / "comments")
    assert (result["comments"], result["replies_without_parent"], result["skipped"]) == ({"approved": 4}, 0, {})
    shown = (await service.thread("x"))["comments"]
    assert [comment["text"] for comment in shown] == ["One", "Two, without an id", "Its own parent"]
    assert [reply["text"] for reply in shown[1]["replies"]] == ["To two"]
    assert (await bring(tmp_path / "comments"))["here_already"] == 4


async def test_what_coral_has_in_a_comment(service: Service, bring: Bring) -> None:
    collections = coral_rows([Row(1), Row(2)])
    first, second = collections["comments"]
    first["revisions"].append(
        {"body": "<div>Better <b>words</b><br>here</div>", "createdAt": {"$date": "2020-05-01T10:05:00Z"}}
    )
    second["revisions"] = [{"body": "", "media": {"type": "youtube", "url": "https://v.example/1?a=1&b=2"}}]
    lines = [*collections["stories"], *collections["comments"]]
    result = await bring(json.dumps(lines).encode())
    assert (result["comments"], result["skipped"]) == ({"approved": 2}, {})
    edited, film = (await service.thread(PATH_KEY))["comments"]
    assert (edited["author"]["name"], edited["edited_at"]) == ("Anonymous", "2020-05-01T10:05:00.000Z")
    assert "Better <b>words</b><br>" in edited["html"]
    assert 'href="https://v.example/1?a=1&amp;b=2"' in film["html"]


async def test_a_folder_for_another_system_is_refused(bring: Bring, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Problem, match="no folder"):
        await bring(tmp_path / "empty", "disqus")
    with pytest.raises(Problem, match="Nothing came in"):
        await bring(tmp_path / "empty")
