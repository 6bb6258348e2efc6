"""A typed client, generated from the document, drives the main job: post, read, moderate, undo, score."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from tests.conftest import Server

TEXTS = (
    "application/atom+xml",
    "application/feed+json",
    "image/svg+xml",
    "text/css",
    "text/event-stream",
    "text/javascript",
)
"""Kinds of answers that the generator does not know; it is told to take them as texts."""


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of the package that was made from the document of the routes."""
    from moderation.app import routes
    from moderation.settings import Settings
    from moderation.web import openapi

    folder = tmp_path_factory.mktemp("client")
    document = folder / "openapi.json"
    document.write_text(json.dumps(openapi.document(routes(Settings()), "http://127.0.0.1")))
    name = "leave_a_reply_client"
    config = Config.from_sources(
        ConfigFile(
            package_name_override=name, post_hooks=[], content_type_overrides=dict.fromkeys(TEXTS, "text/plain")
        ),
        MetaType.NONE,
        document_source=document,
        file_encoding="utf-8",
        overwrite=True,
        output_path=folder / name,
    )
    errors = generate(config=config)
    assert not errors, [f"{error.header} {error.detail}" for error in errors]
    sys.path.insert(0, str(folder))
    yield name
    sys.path.remove(str(folder))


@pytest.fixture
def of(generated: str) -> Callable[[str], Any]:
    return lambda name: importlib.import_module(f"{generated}.{name}")


def test_the_generated_client_has_a_function_for_each_operation(generated: str, of: Callable[[str], Any]) -> None:
    folder = Path(of("api").__file__).parent
    names = {path.stem for path in folder.rglob("*.py")}
    assert {
        "create_comment",
        "list_thread",
        "list_comments",
        "create_decision",
        "undo_decision",
        "score_texts",
    } <= names


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_the_generated_client_does_the_main_job(
    start: Callable[..., Server], address: str, of: Callable[[str], Any]
) -> None:
    server = start(database=address)
    token = server.run("add-token", "--scopes", "moderate,score,articles").stdout.strip()
    models, client_of = of("models"), of("client")
    public = client_of.Client(base_url=server.url, raise_on_unexpected_status=True)
    ours = client_of.AuthenticatedClient(base_url=server.url, token=token, raise_on_unexpected_status=True)

    article = of("api.articles.put_article").sync(
        "default", "post", client=ours, body=models.ArticleIn(title="Gates", comments_open=True)
    )
    assert isinstance(article, models.ArticleOut) and article.title == "Gates"

    def post(body: str) -> Any:
        given = models.CommentIn(name="Ann", email="ann@example.org", body=body)
        return of("api.comments.create_comment").sync("default", "post", client=public, body=given)

    held = post("The same happened in our town, see https://blog.example/post")
    assert isinstance(held, models.AcceptedOut) and held.status == "pending"

    waiting = of("api.queue.list_comments").sync(client=ours, status="pending")
    assert isinstance(waiting, models.CommentList)
    (comment,) = [one for one in waiting.comments if one.id == held.id]
    assert comment.author.email == "ann@example.org" and comment.verdict.reasons

    decide = of("api.queue.create_decision").sync
    given = models.DecisionIn(
        comments=[held.id], action=models.DecisionInAction.APPROVE, expected_revision=comment.revision
    )
    decision = decide(client=ours, body=given)
    assert isinstance(decision, models.DecisionOut) and decision.comments[0].status == "approved"
    again = decide(client=ours, body=given)
    assert isinstance(again, models.Problem) and again.status == 409

    thread = of("api.comments.list_thread").sync("default", "post", client=public)
    assert isinstance(thread, models.Thread) and [one.id for one in thread.comments] == [held.id]

    undone = of("api.queue.undo_decision").sync(decision.id, client=ours)
    assert isinstance(undone, models.DecisionOut) and undone.comments[0].status == "pending"
    assert of("api.comments.list_thread").sync("default", "post", client=public).count == 0

    scores = of("api.score.score_texts").sync(client=ours, body=models.ScoreIn(text="Buy cheap pills now"))
    assert isinstance(scores, models.ScoreOut) and 0 <= scores.scores["spam"] <= 1

    refused = of("api.queue.list_comments").sync(client=client_of.Client(base_url=server.url))
    assert isinstance(refused, models.Problem) and refused.status == 401
    assert httpx.get(server.url + "/openapi.json").status_code == 200
