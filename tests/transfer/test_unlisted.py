"""A list of comments does not say whether a page is public: its articles are to readers as if they did not exist."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moderation.articles import commands as article_commands
from moderation.cli import CliContext
from moderation.core.problem import NotFound
from tests.articles.test_register import allow
from tests.conftest import Service
from tests.transfer import foreign
from tests.transfer.conftest import Bring
from tests.transfer.foreign import Row

pytestmark = pytest.mark.anyio
SECRET = [Row(1, body="The words of a secret post"), Row(2, 1, body="The words of a secret reply")]
ARTICLE = "/sites/default/articles/{}"
PATHS = [
    ARTICLE + "/comments",
    ARTICLE + "/comments?view=flat&order=newest",
    ARTICLE + "/fragment",
    ARTICLE + "/form",
    ARTICLE + "/feed",
    ARTICLE + "/feed.json",
    ARTICLE + "/related",
    "/sites/default/counts?article={}",
    "/sites/default/feed",
    "/sites/default/feed.json",
]


async def answers(service: Service, key: str) -> dict[str, Any]:
    """Each public answer about an article, with its key replaced; tokens and times of a form left out."""
    found = {}
    for path in PATHS:
        answer = await service.client.get(path.format(key))
        lines = [line for line in answer.text.replace(key, "KEY").splitlines() if "form_token" not in line]
        found[path] = answer.status_code, lines
    return found


async def test_every_public_path_answers_as_for_an_unknown_article(service: Service, bring: Bring) -> None:
    result = await bring(foreign.wp_list(SECRET, 7712))
    assert result["comments"] == {"approved": 2}
    assert result["articles_unlisted"] == 1
    unlisted, unknown = await answers(service, "7712"), await answers(service, "8813")
    for path in PATHS:
        assert "secret" not in str(unlisted[path]), path
        if "feed" not in path:  # a feed has the id of its own address
            assert unlisted[path] == unknown[path], path
        assert unlisted[path][0] == unknown[path][0]


async def test_posting_answers_as_for_an_unknown_article(service: Service, bring: Bring) -> None:
    await bring(foreign.wp_list(SECRET, 12))
    who = await service.token()
    queue = (await service.client.get("/api/v1/comments", params={"status": "approved"}, headers=who)).json()[
        "comments"
    ]
    assert {comment["article"] for comment in queue} == {"12"}  # moderators see them
    parent = next(comment["id"] for comment in queue if comment["parent"] is None)
    reply = await service.post("12", parent=parent)
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (422, "unknown_parent")
    form = {
        "author": "Zoë",
        "email": "zoe@example.org",
        "comment": "An answer",
        "comment_post_ID": "12",
        "comment_parent": "1",
    }
    answer = await service.client.post(
        "/sites/default/wp-comments-post.php", data=form, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 403
    shown = await service.client.get(f"/sites/default/articles/12/form?parent={parent}")
    assert "secret" not in shown.text
    assert (await service.post("12")).status_code == (await service.post("13")).status_code == 201
    assert (await service.thread("12"))["count"] == 0
    await allow(service, articles="registered")
    assert (await service.post("12", name="Bo", email="bo@example.org")).status_code == 404


async def test_an_export_lists_the_article_and_a_private_post_does_not(service: Service, bring: Bring) -> None:
    await bring(foreign.wp_list(SECRET, 12))
    await bring(foreign.wp_list([Row(3)], 13))
    result = await bring(
        foreign.wxr(
            foreign.wxr_post([]),
            foreign.wxr_post([], 13, status="private", title="Secret plans", link="https://blog.example/p/"),
        )
    )
    assert result["articles_unlisted"] == 1
    assert (await service.thread("12"))["count"] == 2
    thread = await service.thread("13")
    assert (thread["count"], thread["article"]["title"]) == (0, "")


async def test_a_post_that_became_private_is_seen_no_longer(service: Service, bring: Bring) -> None:
    await bring(foreign.wxr(foreign.wxr_post([Row(1)])))
    assert (await service.thread("12"))["count"] == 1
    await bring(foreign.wxr(foreign.wxr_post([Row(1)], password="secret")))
    assert (await service.thread("12"))["count"] == 0
    await bring(foreign.wxr(foreign.wxr_post([Row(1)])))
    assert (await service.thread("12"))["count"] == 1


@pytest.mark.parametrize("status, password", [("private", ""), ("draft", ""), ("pending", ""), ("publish", "secret")])
async def test_a_post_without_comments_that_became_private_hides_those_made_here(
    service: Service, bring: Bring, status: str, password: str
) -> None:
    await bring(foreign.wxr(foreign.wxr_post([])))
    await service.post("12")
    assert (await service.thread("12"))["count"] == 1
    hidden = foreign.wxr_post([], status=status, password=password)
    await bring(foreign.wxr(hidden, foreign.wxr_post([Row(2)], 13, link="https://blog.example/x/")))
    assert (await service.thread("12"))["count"] == 0


@pytest.mark.parametrize("status, password", [("private", ""), ("draft", ""), ("publish", "secret")])
async def test_an_attachment_is_as_public_as_its_post(
    service: Service, bring: Bring, status: str, password: str
) -> None:
    def attached(comment: int, id: int, parent: int) -> str:
        link = f"https://blog.example/{id}/"
        post = foreign.wxr_post([Row(comment)], id, status="inherit", type="attachment", link=link)
        return post.replace("<wp:post_type>", f"<wp:post_parent>{parent}</wp:post_parent><wp:post_type>")

    result = await bring(
        foreign.wxr(
            foreign.wxr_post([], 100, status=status, password=password, link="https://blog.example/p/"),
            foreign.wxr_post([], 10, link="https://blog.example/q/"),
            attached(1, 21, 100),
            attached(2, 22, 10),
            attached(3, 23, 0),
            attached(4, 24, 999),
        )
    )
    counts = [(await service.thread(key))["count"] for key in ("21", "22", "23", "24")]
    assert counts == [0, 1, 1, 0]
    assert (result["articles_unlisted"], result["comments"]) == (1, {"approved": 3})


async def test_the_operator_lists_it_by_the_api_or_the_command(
    service: Service, bring: Bring, capsys: pytest.CaptureFixture[str]
) -> None:
    await bring(foreign.wp_list(SECRET, 12))
    await bring(foreign.wp_list([Row(3)], 13))
    headers = await service.token("articles")
    put = await service.client.put(ARTICLE.format("12"), json={"title": "Known now"}, headers=headers)
    assert put.json()["listed"] is False  # an omitted field keeps its value
    put = await service.client.put(ARTICLE.format("12"), json={"listed": True}, headers=headers)
    assert put.json()["listed"] is True
    assert (await service.thread("12"))["count"] == 2
    context = CliContext(service.settings, service.clock)
    capsys.readouterr()
    await article_commands.list_unlisted(context)
    assert capsys.readouterr().out == '{"article": "13", "comments": 1}\n'
    with pytest.raises(NotFound, match="nothing was changed"):
        await article_commands.publish_article(context, ["13", "nowhere"])
    assert (await service.thread("13"))["count"] == 0
    await article_commands.publish_article(context, ["13"])
    assert (await service.thread("13"))["count"] == 1
    await article_commands.publish_article(context, ["13"], undo=True)
    assert (await service.thread("13"))["count"] == 0
    assert (await service.client.get("/sites/default/counts?article=12&article=13")).json() == {"12": 2, "13": 0}


async def test_an_article_that_readers_opened_stays_listed(service: Service, bring: Bring) -> None:
    await service.post("12")
    await bring(foreign.wp_list([Row(1)], 12))
    assert (await service.thread("12"))["count"] == 2


async def test_answers_of_the_rest_api_are_lists_too(service: Service, bring: Bring) -> None:
    rows = [
        {"id": row.id, "post": 12, "parent": row.parent, "author": 0, "author_name": row.name, "author_url": "",
         "date": f"{row.when:%Y-%m-%dT%H:%M:%S}", "date_gmt": f"{row.when:%Y-%m-%dT%H:%M:%S}", "status": "approved", "type": "comment",
         "content": {"rendered": f"<p>{row.text}</p>\n"}, "link": "https://blog.example/x/#comment-1", "_links": {"self": [{"href": "x"}]}}
        for row in SECRET
    ]  # fmt: skip
    result = await bring(json.dumps(rows[:1]).encode() + b"\n" + json.dumps(rows[1:]).encode() + b"[]")
    assert (result["source"], result["comments"], result["articles_unlisted"]) == ("wordpress", {"approved": 2}, 1)
    assert (await service.thread("12"))["count"] == 0
    assert (await bring(foreign.wp_list(SECRET)))["here_already"] == 2
    await bring(foreign.wxr(foreign.wxr_post([])))
    (first,) = (await service.thread("12"))["comments"]
    assert [reply["text"].strip() for reply in first["replies"]] == ["The words of a secret reply"]
