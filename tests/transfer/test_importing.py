"""One story, told by every system that people leave: it comes in the same, whole, once."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from moderation.core.problem import Problem
from moderation.team import access
from tests.conftest import Service
from tests.html import Page, csrf
from tests.transfer import foreign
from tests.transfer.conftest import Bring
from tests.transfer.foreign import PATH_KEY, Row

pytestmark = pytest.mark.anyio

STORY = [
    Row(1, name="Ann Other", url="https://ann.example/"),
    Row(2, 1, name="Bob", email="bob@example.org"),
    Row(3, status="pending", email="cem@example.org"),
    Row(5, 1, status="deleted"),
    Row(6, 5),
    Row(7, 99),  # its parent is in no file
    Row(8, 9),  # its parent comes later
    Row(9),
    Row(10, 9),
    Row(11, 10),
    Row(12, 11),
    Row(13, 12),
    Row(14, 13),
    Row(15, 14),
]
SPAM = [Row(4, status="spam", name="Casino", email="win@casino.example", body="Win at https://casino.example now")]
SYSTEMS = ("wordpress", "wp-cli", "disqus", "isso", "remark42")


def told_by(system: str, tmp_path: Path) -> bytes | Path:
    """remark42 knows no pending, isso and WXR no spam."""
    everything = sorted([*STORY, *SPAM], key=lambda row: row.id)
    if system == "wordpress":
        return foreign.wxr(foreign.wxr_post(STORY))
    if system == "wp-cli":
        return foreign.wp_list(everything)
    if system == "disqus":
        return foreign.disqus(row for row in everything if row.status != "pending")
    if system == "isso":
        return foreign.isso(tmp_path / "isso.db", STORY)
    return foreign.remark42(row for row in STORY if row.status != "pending")


async def listed(service: Service, key: str) -> None:
    """What an operator says of an article that only a list of comments has named."""
    headers = await service.token("articles")
    answer = await service.client.put(f"/sites/default/articles/{key}", json={"listed": True}, headers=headers)
    assert answer.json()["listed"] is True


def outline(comments: list[dict[str, Any]]) -> list[Any]:
    """The tree by the numbers in the texts."""
    return [
        (int(c["text"].rstrip(".\n ").rpartition(" ")[2]), *([outline(c["replies"])] if c["replies"] else []))
        for c in comments
    ]


@pytest.mark.parametrize("system", SYSTEMS)
async def test_a_thread_comes_in_with_its_tree_dates_and_statuses(
    service: Service, bring: Bring, tmp_path: Path, system: str
) -> None:
    key = "12" if system in ("wordpress", "wp-cli") else PATH_KEY
    assert (await service.thread(key))["count"] == 0  # cached as empty by the running service
    told = await bring(told_by(system, tmp_path))
    await listed(service, key)
    thread = await service.thread(key)
    # 6 hangs on a deleted comment, 7 on none; the levels below the fifth hang on the fourth
    assert outline(thread["comments"]) == [
        (1, [(2,), (6,)]),
        (7,),
        (9, [(8,), (10, [(11, [(12, [(13,), (14,), (15,)])])])]),
    ]
    assert thread["count"] == 12
    first = thread["comments"][0]
    assert first["author"]["name"] == "Ann Other"
    assert first["created_at"].startswith("2020-05-01T10:01:00")
    assert first["html"] == "<p>The words of comment 1.</p>\n"
    if system != "wp-cli":
        assert thread["article"]["title"] == "Hello & welcome"
    expected = {"approved": 12, "deleted": 1}
    expected |= {"pending": 1} if system in ("wordpress", "wp-cli", "isso") else {}
    expected |= {"spam": 1} if system in ("wp-cli", "disqus") else {}
    assert told["comments"] == expected
    assert told["replies_without_parent"] == 1
    assert told["articles"] == 1
    assert told["decisions"] == {"approve": 12} | ({"spam": 1} if "spam" in expected else {})


@pytest.mark.parametrize("system", SYSTEMS)
async def test_twice_is_as_good_as_once_and_what_was_decided_meanwhile_stays(
    service: Service, bring: Bring, tmp_path: Path, system: str
) -> None:
    key = "12" if system in ("wordpress", "wp-cli") else PATH_KEY
    first = await bring(told_by(system, tmp_path))
    await listed(service, key)
    who = await service.token()
    shown = (await service.thread(key))["comments"]
    decided = await service.client.post(
        "/api/v1/decisions", json={"comments": [shown[0]["id"]], "action": "spam"}, headers=who
    )
    assert decided.status_code == 200
    before = await service.thread(key)
    file = tmp_path / "isso.db"
    again = await bring(file if system == "isso" else told_by(system, tmp_path))
    assert await service.thread(key) == before
    assert (again["articles"], again["comments"], again["decisions"]) == (0, {}, {})
    assert again["here_already"] == sum(first["comments"].values())


async def test_a_list_completes_an_export_by_the_same_numbers(service: Service, bring: Bring) -> None:
    await bring(foreign.wxr(foreign.wxr_post(STORY)))
    told = await bring(foreign.wp_list([*STORY, *SPAM]))
    assert told["comments"] == {"spam": 1}
    assert told["here_already"] == len(STORY)
    who = await service.token()
    queue = (await service.client.get("/api/v1/comments", params={"status": "spam"}, headers=who)).json()["comments"]
    (spam,) = queue
    assert spam["author"] | {"record": None} == {
        "name": "Casino",
        "email": "win@casino.example",
        "url": None,
        "record": None,
    }
    assert spam["verdict"]["action"] == "spam"
    one = (await service.client.get(f"/api/v1/comments/{spam['id']}", headers=who)).json()
    assert [(d["action"], d["moderator"]) for d in one["decisions"]] == [("spam", "import")]
    assert [(r["rule"], r["note"]) for r in one["verdict"]["reasons"]] == [("imported", "wordpress")]


async def test_the_console_says_where_it_was_judged(service: Service, bring: Bring) -> None:
    await bring(foreign.wxr(foreign.wxr_post([Row(3, status="pending")])))
    services = service.services
    async with services.database.transaction() as tx:
        eve = await access.add_moderator(tx, "eve@example.org", "administrator", "*", service.clock())
        await access.set_password(tx, eve, "a password of some length", service.clock())
    page = await service.client.get("/moderate/login")
    form = {"email": "eve@example.org", "password": "a password of some length", "csrf_token": csrf(page.text)}
    await service.client.post("/moderate/login", data=form)
    text = Page((await service.client.get("/moderate")).text).text()
    assert "The words of comment 3." in text
    assert "Imported from wordpress, and judged there" in text
    assert "did not answer" not in text


async def test_a_missing_parent_may_come_with_the_next_file(service: Service, bring: Bring) -> None:
    """And what readers answered meanwhile moves along."""
    await bring(foreign.wxr(foreign.wxr_post([Row(7, 4)])))
    (orphan,) = (await service.thread("12"))["comments"]
    answer = await service.post("12", parent=orphan["id"], body="I agree with number 77")
    assert answer.status_code == 201, answer.text
    told = await bring(foreign.wp_list([Row(3), Row(4, 3)]))
    assert told["replies_without_parent"] == 0
    assert outline((await service.thread("12"))["comments"]) == [(3, [(4, [(7, [(77,)])])])]


async def test_replies_in_a_circle_and_to_themselves_and_across_articles(service: Service, bring: Bring) -> None:
    rows = [Row(1, 2), Row(2, 1), Row(3, 3), Row(4, 3)]
    await bring(
        foreign.wxr(foreign.wxr_post(rows), foreign.wxr_post([Row(5, 3)], 13, link="https://blog.example/other/"))
    )
    thread = await service.thread("12")
    assert thread["count"] == 4
    assert (3, [(4,)]) in outline(thread["comments"])
    assert outline((await service.thread("13"))["comments"]) == [(5,)]


async def test_articles_come_with_what_the_export_knows(service: Service, bring: Bring) -> None:
    posts = [
        foreign.wxr_post([Row(1)], comments="closed"),
        foreign.wxr_post([], 14, type="page", title="About us", link="https://blog.example/about/"),
        foreign.wxr_post([], 15, type="nav_menu_item", title="Menu"),
    ]
    told = await bring(foreign.wxr(*posts))
    assert told["articles"] == 2
    about = (await service.thread("12"))["article"]
    assert about == {
        "key": "12", "title": "Hello & welcome", "url": foreign.LINK,
        "published_at": "2020-05-01T09:00:00.000Z", "comments_open": False,
    }  # fmt: skip
    assert (await service.post("12")).json()["code"] == "closed"
    assert (await service.thread("14"))["article"]["title"] == "About us"


async def test_an_article_that_is_known_keeps_its_words_and_only_gaps_are_filled(
    service: Service, bring: Bring
) -> None:
    put = {"title": "Our own title", "comments_open": True}
    headers = await service.token("articles")
    await service.client.put("/sites/default/articles/12", json=put, headers=headers)
    await bring(foreign.wxr(foreign.wxr_post([Row(1)], comments="closed")))
    article = (await service.thread("12"))["article"]
    assert (article["title"], article["url"], article["comments_open"]) == ("Our own title", foreign.LINK, True)


async def test_many_imported_articles_leave_room_for_new_ones(service: Service, bring: Bring) -> None:
    """They do not count as an hour's new articles."""
    await bring(foreign.wxr(*(foreign.wxr_post([Row(n)], n) for n in range(1, 131))))
    assert (await service.post("a-new-article")).status_code == 201


@pytest.mark.parametrize(
    "hidden", [{"status": "private"}, {"status": "draft"}, {"status": "trash"}, {"password": "secret"}]
)
async def test_comments_on_what_is_not_published_stay_out(
    service: Service, bring: Bring, hidden: dict[str, str]
) -> None:
    public = foreign.wxr_post([Row(3)], 13, link="https://blog.example/other/")
    told = await bring(foreign.wxr(public, foreign.wxr_post([Row(1), Row(2)], **hidden)))
    assert told["comments"] == {"approved": 1}
    assert told["skipped"] == {"its article is not published, or has no address": 2}
    with pytest.raises(Problem, match="Nothing came in"):
        await bring(foreign.wp_list([Row(1), Row(2)]))  # the list does not know that the post is hidden
    assert (await service.thread("12"))["count"] == 0
    # once it is published, they come
    assert (await bring(foreign.wxr(foreign.wxr_post([Row(1), Row(2)]))))["comments"] == {"approved": 2}


async def test_keys_are_paths_where_that_is_asked_for(service: Service, bring: Bring) -> None:
    await bring(foreign.wxr(foreign.wxr_post([Row(1)])), keys="path")
    told = await bring(
        foreign.wp_list([Row(1), Row(2)]), keys="path"
    )  # its posts are known by number from the first file
    assert told["comments"] == {"approved": 1}
    assert (await service.thread(PATH_KEY))["count"] == 2


async def test_a_list_by_path_needs_the_export_first(bring: Bring) -> None:
    with pytest.raises(Problem, match="Nothing came in"):
        await bring(foreign.wp_list([Row(1)]), keys="path")


async def test_rows_that_cannot_come_in_are_named(bring: Bring, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        Row(1, kind="pingback"),
        Row(2, kind="order_note", body="The customer's card ends in 1234"),
        Row(3, body="<!-- nothing --> "),
        Row(4, body="long " * 20_000),
        Row(5, at=1),  # without a date: it has its post's
        Row(6),
        Row(7, at=4_000_000_000),
    ]
    data = foreign.wxr(foreign.wxr_post([*rows, Row(6, body="The same number again"), Row(0)]))
    data = data.replace(b"1970-01-01 00:00:01", b"0000-00-00 00:00:00")
    told = await bring(data)
    assert told["comments"] == {"approved": 2}
    assert told["skipped"] == {
        "not a reader's comment (pingback)": 1,
        "not a reader's comment (order_note)": 1,
        "no text": 1,
        "longer than 65,525 bytes": 1,
        "its date is in the future": 1,
        "twice in the file": 1,
        "no comment id": 1,
    }
    said = capsys.readouterr().err
    assert "skipped: comment 3 (line " in said
    assert "card ends" not in said and "@" not in said


async def test_a_reply_to_a_pingback_stands_at_the_top(service: Service, bring: Bring) -> None:
    rows = [Row(1, kind="pingback"), Row(2, 1), Row(3, kind="trackback", status="spam")]
    result = await bring(foreign.wxr(foreign.wxr_post(rows)))
    assert (result["comments"], result["replies_without_parent"]) == ({"approved": 1}, 0)
    assert outline((await service.thread("12"))["comments"]) == [(2,)]
    assert (await bring(foreign.wxr(foreign.wxr_post(rows))))["here_already"] == 1


async def test_another_blog_with_the_same_numbers_is_not_mixed_in(bring: Bring) -> None:
    await bring(foreign.wxr(foreign.wxr_post([Row(1)])))
    told = await bring(foreign.wxr(foreign.wxr_post([Row(1, at=foreign.MAY + 99_999)])))
    assert told["comments"] == {}
    ((reason, count),) = told["skipped"].items()
    assert (count, "another blog" in reason) == (1, True)


async def test_html_is_made_safe_and_a_broken_address_is_left_out(service: Service, bring: Bring) -> None:
    body = "Hi <b>there</b>\n\n<script>alert(1)</script><a href='javascript:x()' onclick=y()>link</a> <img src=x onerror=z()>"
    await bring(
        foreign.wxr(
            foreign.wxr_post([Row(1, body=body, email="not an address", url="javascript:1", name="A\x07nn &amp; Bo")])
        )
    )
    (comment,) = (await service.thread("12"))["comments"]
    assert "<b>there</b>" in comment["html"]
    for evil in ("<script", "javascript:", "onclick", "onerror", "<img"):
        assert evil not in comment["html"]
    assert (comment["author"]["name"], comment["author"]["url"]) == ("Ann & Bo", None)
    who = await service.token()
    one = (await service.client.get(f"/api/v1/comments/{comment['id']}", headers=who)).json()
    assert one["author"]["email"] == ""


async def test_what_was_erased_does_not_come_back(service: Service, bring: Bring) -> None:
    data = foreign.wxr(foreign.wxr_post([Row(1), Row(2, 1, email="bob@example.org")]))
    await bring(data)
    who = await service.token("privacy")
    await service.client.post("/api/v1/privacy/erase", json={"email": "ann@example.org"}, headers=who)
    assert (await bring(data))["comments"] == {}
    assert (await service.thread("12"))["count"] == 1


async def test_gzip_is_unpacked(service: Service, bring: Bring) -> None:
    await bring(gzip.compress(foreign.remark42([Row(1)], read_only=True)))
    thread = await service.thread(PATH_KEY)
    assert (thread["count"], thread["article"]["comments_open"]) == (1, False)


async def test_what_was_whole_is_in_when_a_file_breaks_off_and_the_next_run_brings_the_rest(
    service: Service, bring: Bring
) -> None:
    rows = [Row(n, n - 1) for n in range(1, 1201)]
    for whole in (foreign.wxr(foreign.wxr_post(rows)), foreign.wp_list(rows)):
        told = await bring(whole[: len(whole) * 2 // 3])
        ((reason, count),) = told["skipped"].items()
        assert (count, "cut short or damaged" in reason) == (1, True)
        some = (await service.thread("12"))["count"]
        assert some > 600
        await bring(whole)
        assert (await service.thread("12"))["count"] == 1200


@pytest.mark.parametrize("keys", ["id", "path"])
async def test_wordpress_s_own_form_goes_on_naming_posts_and_parents_by_number(
    service: Service, bring: Bring, keys: str
) -> None:
    await bring(
        foreign.wxr(
            foreign.wxr_post([Row(1), Row(3, status="pending")]), foreign.wxr_post([Row(4)], 14, status="private")
        ),
        keys=keys,
    )
    form = {"author": "Zoë", "email": "zoe@example.org", "comment": "Answer number 88", "comment_post_ID": "12"}
    address = "/sites/default/wp-comments-post.php"
    answer = await service.client.post(
        address, data=form | {"comment_parent": "1"}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 201, answer.text
    assert outline((await service.thread("12" if keys == "id" else PATH_KEY))["comments"]) == [(1, [(88,)])]
    held = await service.client.post(
        address, data=form | {"comment_parent": "3"}, headers={"Accept": "application/json"}
    )
    assert held.status_code == 403
    hidden = await service.client.post(
        address, data=form | {"comment_post_ID": "14"}, headers={"Accept": "application/json"}
    )
    assert hidden.status_code == 404


async def test_past_verdicts_are_lessons(service: Service, bring: Bring, tmp_path: Path) -> None:
    from moderation.comments import store_decisions as decisions
    from moderation.learning import retrain as learning

    await bring(foreign.wp_list([*STORY, *SPAM]))
    async with service.services.database.reading() as session:
        taught = await decisions.taught(session, "default")
    examples = learning.examples_of(taught, "default")
    assert len(examples) == 13
    assert [e.labels for e in examples if "casino" in e.text] == [{"spam": 1.0}]
    assert {e.when for e in examples} >= {foreign.MAY + 60.0}  # when it was said, not when it came


async def test_imported_replies_can_be_answered_and_imported_ones_undone(service: Service, bring: Bring) -> None:
    await bring(foreign.wp_list([Row(1), *SPAM]))
    who = await service.token()
    (spam,) = (await service.client.get("/api/v1/comments", params={"status": "spam"}, headers=who)).json()["comments"]
    one = (await service.client.get(f"/api/v1/comments/{spam['id']}", headers=who)).json()
    undone = await service.client.post(f"/api/v1/decisions/{one['decisions'][0]['id']}/undo", headers=who)
    assert undone.status_code == 200, undone.text
    assert undone.json()["comments"][0]["status"] == "pending"
