"""Real clients: Google's own by the discovery document, and the bytes that others have sent.

`recorded/` holds requests as they went over the wire, with `KEY` and `HOST` in place of a key and an address: of npm
`@conversationai/perspectiveapi-js-client` 1.0.1, `perspective-api-client` 3.1.0 and `googleapis` 178, of PyPI `PyPerspective` 1.0.4,
`perspective` 1.0.3, `perspectiveapi` 1.1.0 and `google-api-python-client` 2.202.0. Those of Coral, Discourse and Go are written from
their source.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from tests.conftest import Server, free_port

RECORDED = Path(__file__).parent / "recorded"
SCORED = {
    "perspectiveapi-js-client": {"SPAM", "TOXICITY"},
    "perspective-api-client": {"TOXICITY", "INSULT"},
    "npm-googleapis": {"TOXICITY"},
    "pyperspective": {"TOXICITY", "INSULT"},
    "pypi-perspective": {"TOXICITY"},
    "pypi-perspectiveapi": {"TOXICITY", "THREAT"},
    "google-api-python-client": {"TOXICITY"},
    "coral": {"TOXICITY"},
    "discourse": {"SEVERE_TOXICITY"},
    "go": {"TOXICITY", "SEVERE_TOXICITY"},
}
"""Recorded request → the attributes in its answer."""
REFUSED = {
    "perspective-api-client-unknown-attribute": ("INVALID_ARGUMENT", "errorType", "INVALID_REQUEST"),
    "pyperspective-key-test": ("INVALID_ARGUMENT", "errorType", "COMMENT_EMPTY"),
    "pyperspective-wrong-key": ("INVALID_ARGUMENT", "reason", "API_KEY_INVALID"),
    "pyperspective-french": ("INVALID_ARGUMENT", "errorType", "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"),
    "google-api-python-client-empty": ("INVALID_ARGUMENT", "errorType", "COMMENT_EMPTY"),
}
"""Recorded request → its error's status, and a member of `details[0]`."""
DISCOVERIES = {"npm-googleapis-discovery", "google-api-python-client-discovery"}
SUGGESTIONS = {"coral-suggest", "npm-googleapis-suggest", "pypi-perspective-suggest"}


@pytest.fixture
def key(server: Server) -> str:
    return server.run("add-token", "--scopes", "score,teach", "--site", "default").stdout.strip()


def replayed(server: Server, name: str, key: str) -> tuple[int, dict[str, Any]]:
    """Status and document of the answer to a recorded request, sent byte for byte."""
    place = urlsplit(server.url)
    raw = (
        (RECORDED / f"{name}.http")
        .read_bytes()
        .replace(b"KEY", key.encode(), 1)
        .replace(b"HOST", place.netloc.encode(), 1)
    )
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall(raw)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        document = json.loads(answer.read())
    return answer.status, document


def test_every_recorded_request_is_replayed() -> None:
    assert {path.stem for path in RECORDED.iterdir()} == {*SCORED, *REFUSED, *DISCOVERIES, *SUGGESTIONS}


def test_the_bytes_of_other_clients_are_answered_as_they_expect(server: Server, key: str) -> None:
    for name, attributes in SCORED.items():
        status, document = replayed(server, name, key)
        assert status == 200, (name, document)
        assert set(document["attributeScores"]) == attributes, name
        assert document["languages"] == document["detectedLanguages"] == ["en"], name
        for score in document["attributeScores"].values():
            assert score["summaryScore"]["type"] == "PROBABILITY" and 0 <= score["summaryScore"]["value"] <= 1
            for span in score["spanScores"]:
                assert 0 <= span["begin"] < span["end"] and 0 <= span["score"]["value"] <= 1 and span["score"]["type"]
    for name, (status_word, member, value) in REFUSED.items():
        status, document = replayed(server, name, key)
        error = document["error"]
        assert (status, error["code"], error["status"]) == (400, 400, status_word), name
        assert error["details"][0][member] == value, name
    for name in SUGGESTIONS:
        status, document = replayed(server, name, key)
        assert status == 200 and document["clientToken"] and document["detectedLanguages"] == ["en"], name
    for name in DISCOVERIES:
        status, document = replayed(server, name, key)
        assert status == 200 and document["rootUrl"] == f"{server.url}/", name


def built(server: Server, key: str, prefix: str = "") -> Any:
    """Google's client, as every example of the Perspective API builds it, but for the address."""
    place = f"{server.url}{prefix}/$discovery/rest?version=v1alpha1"
    return discovery.build(
        "commentanalyzer", "v1alpha1", developerKey=key, discoveryServiceUrl=place, static_discovery=False
    )


def test_googles_client_for_python_works_by_the_discovery_document(server: Server, key: str) -> None:
    with built(server, key) as client:
        body = {
            "comment": {"text": "You are a stupid idiot."},
            "requestedAttributes": {"TOXICITY": {}},
            "clientToken": "t",
        }
        answer = client.comments().analyze(body=body).execute()
        assert answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] > 0.9 and answer["clientToken"] == "t"
        with pytest.raises(HttpError) as refused:
            client.comments().analyze(body={"comment": {"text": ""}}).execute()
        assert refused.value.status_code == 400 and refused.value.reason == "Comment must be non-empty."
        assert refused.value.error_details[0]["errorType"] == "COMMENT_EMPTY"
        taught = {
            "comment": {"text": "Oh damn"},
            "attributeScores": {"PROFANITY": {"summaryScore": {"value": 1}}},
            "clientToken": "t",
        }
        assert client.comments().suggestscore(body=taught).execute() == {
            "clientToken": "t",
            "detectedLanguages": ["en"],
        }
        batch = client.new_batch_http_request()
        batch.add(client.comments().analyze(body=body))
        with pytest.raises(HttpError) as missing:
            batch.execute()
        assert missing.value.status_code == 404
    with built(server, "nobody") as client, pytest.raises(HttpError) as unknown:
        client.comments().analyze(body=body).execute()
    assert unknown.value.error_details[0]["reason"] == "API_KEY_INVALID"


def test_below_a_path_googles_client_finds_its_way(
    start: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setattr("tests.conftest.free_port", lambda: port)
    server = start(public_url=f"http://127.0.0.1:{port}/comments")
    key = server.run("add-token", "--scopes", "score").stdout.strip()
    with built(server, key, "/comments") as client:
        body = {"comment": {"text": "You idiot."}, "requestedAttributes": {"TOXICITY": {}}}
        request = client.comments().analyze(body=body)
        assert request.uri.startswith(f"http://127.0.0.1:{port}/comments/v1alpha1/comments:analyze?")
        assert request.execute()["attributeScores"]
