"""comments:analyze as clients of the Perspective API know it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from classifier.labels import LABELS
from moderation.core.problem import Unavailable
from moderation.dialects.perspective import ATTRIBUTES, SPANS
from moderation.transfer.store_tables import TABLES
from tests.conftest import Service
from tests.dialects.perspective import ANALYZE, SIX, SUGGEST, Client, asked, client_of, error_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("address", ["sqlite"], indirect=True)]

INSULT = "You are a stupid idiot and everyone hates you"


@pytest.fixture
async def client(service: Service) -> Client:
    return await client_of(service)


# --- answers -----------------------------------------------------------------------------------------------------------


async def test_an_answer_has_every_field_that_clients_read(client: Client) -> None:
    answer = await client.ask(asked(INSULT, clientToken="t1"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    document = answer.json()
    score = document["attributeScores"]["TOXICITY"]["summaryScore"]
    assert document == {
        "attributeScores": {
            "TOXICITY": {"spanScores": [{"begin": 0, "end": len(INSULT), "score": score}], "summaryScore": score}
        },
        "languages": ["en"],
        "detectedLanguages": ["en"],
        "clientToken": "t1",
    }
    assert score["type"] == "PROBABILITY" and 0.9 < score["value"] <= 1
    assert "clientToken" not in await client.analyze(asked(INSULT))


async def test_each_attribute_is_the_score_of_its_own_label(client: Client) -> None:
    given = {name: {} for name in (*SIX, "SPAM")}
    scores = (await client.analyze(asked(INSULT, requestedAttributes=given)))["attributeScores"]
    own = await client.service.client.post(
        "/api/v1/score", json={"text": INSULT}, headers={"Authorization": f"Bearer {client.key}"}
    )
    assert list(scores) == list(given) and set(ATTRIBUTES) == set(given) and set(ATTRIBUTES.values()) == set(LABELS)
    by_label = {ATTRIBUTES[name]: score["summaryScore"]["value"] for name, score in scores.items()}
    assert by_label == pytest.approx(own.json()["scores"])


async def test_spans_are_the_sentences_and_the_summary_is_the_whole_texts(client: Client) -> None:
    text = "You are a stupid idiot 👍🏽. What a lovely garden!"
    whole = (await client.analyze(asked(text)))["attributeScores"]["TOXICITY"]
    toxicity = (await client.analyze(asked(text, spanAnnotations=True)))["attributeScores"]["TOXICITY"]
    assert toxicity["summaryScore"] == whole["summaryScore"]
    rude, kind = toxicity["spanScores"]
    assert (rude["begin"], rude["end"], kind["begin"], kind["end"]) == (0, 28, 29, 50)
    assert rude["score"]["value"] > 0.9 > 0.1 > kind["score"]["value"]
    alone = (await client.analyze(asked("What a lovely garden!")))["attributeScores"]["TOXICITY"]
    assert kind["score"]["value"] == pytest.approx(alone["summaryScore"]["value"], abs=1e-6)
    for false in (False, None):
        assert (
            len((await client.analyze(asked(text, spanAnnotations=false)))["attributeScores"]["TOXICITY"]["spanScores"])
            == 1
        )


async def test_one_sentence_is_one_span_over_all_of_it(client: Client) -> None:
    for text, end in (("👍🏽", 4), ("Naïve", 5), ("你好朋友", 4)):
        toxicity = (await client.analyze(asked(text, spanAnnotations=True)))["attributeScores"]["TOXICITY"]
        assert [(span["begin"], span["end"]) for span in toxicity["spanScores"]] == [(0, end)]
        assert toxicity["spanScores"][0]["score"] == toxicity["summaryScore"]


async def test_very_many_sentences_end_in_a_long_one(client: Client) -> None:
    text = "No. " * 5_000
    spans = (await client.analyze(asked(text, spanAnnotations=True, languages=["en"])))["attributeScores"]["TOXICITY"][
        "spanScores"
    ]
    assert len(spans) == SPANS and spans[-1]["end"] == len(text.rstrip())


async def test_a_threshold_leaves_attributes_out_and_the_last_takes_the_field_with_it(client: Client) -> None:
    given = {"TOXICITY": {"scoreThreshold": 0.5}, "THREAT": {"scoreThreshold": 0.99}, "INSULT": {"scoreThreshold": 0}}
    assert list((await client.analyze(asked(INSULT, requestedAttributes=given)))["attributeScores"]) == [
        "TOXICITY",
        "INSULT",
    ]
    kind = await client.analyze(asked(requestedAttributes={"TOXICITY": {"scoreThreshold": 0.5}}))
    assert kind == {"languages": ["en"], "detectedLanguages": ["en"]}


@pytest.mark.parametrize("more", [
    {"doNotStore": True, "sessionId": "https://forum.example_7", "communityId": "c", "unknown": {"a": [1]}},
    {"context": {"entries": [{"text": '{"url": "https://blog.example/"}'}, {"url": "x"}]}},
    {"context": {"entries": [], "articleAndParentComment": {"article": {"text": "An article"}}}},
    {"context": None, "languages": [], "clientToken": None, "comment": {"text": INSULT, "type": "PLAIN_TEXT"}},
    {"comment": {"text": INSULT, "type": "TEXT_TYPE_UNSPECIFIED", "more": 1}},
    {"requestedAttributes": {"TOXICITY": None}},
    {"requestedAttributes": {"TOXICITY": {"scoreType": "PROBABILITY", "scoreThreshold": 0, "more": 1}}},
    {"requestedAttributes": {"TOXICITY": {"scoreType": "SCORE_TYPE_UNSPECIFIED"}}},
])  # fmt: skip
async def test_what_is_legal_and_changes_nothing(client: Client, more: dict[str, Any]) -> None:
    assert await client.analyze(asked(INSULT) | more) == await client.analyze(asked(INSULT))


async def test_snake_case_is_understood_too(client: Client) -> None:
    snake = {
        "comment": {"text": INSULT},
        "requested_attributes": {"TOXICITY": {"score_threshold": 0.5}, "THREAT": {"score_threshold": 1.0}},
        "span_annotations": True,
        "client_token": "t",
    }
    document = await client.analyze(snake)
    assert list(document["attributeScores"]) == ["TOXICITY"] and document["clientToken"] == "t"


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json;charset=utf-8", "text/plain", "", "application/x-www-form-urlencoded"],
)
async def test_the_content_type_does_not_matter(client: Client, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = await client.post(ANALYZE, json.dumps(asked()).encode(), **headers)
    assert answer.status_code == 200


async def test_half_of_an_emoji_is_scored_and_echoed(client: Client) -> None:
    document = await client.analyze(asked("You idiot \ud83d", clientToken="\ud83d", spanAnnotations=True))
    assert document["attributeScores"]["TOXICITY"]["spanScores"][0]["end"] == 11
    assert document["clientToken"] == "\ufffd"


# --- the request's line and headers ------------------------------------------------------------------------------------


async def test_the_key_comes_in_the_query_or_in_a_header(service: Service, client: Client) -> None:
    for query, headers in (
        ({"key": client.key}, {}),
        ({}, {"X-Goog-Api-Key": client.key}),
        (
            {
                "key": client.key,
                "alt": "json",
                "prettyPrint": "false",
                "$.xgafv": "2",
                "quotaUser": "a",
                "fields": "x",
                "userIp": "1",
            },
            {},
        ),
    ):
        answer = await service.client.post(ANALYZE, params=query, headers=headers, json=asked())
        assert answer.status_code == 200


async def test_an_encoded_colon_is_the_same_path(service: Service, client: Client) -> None:
    place = f"/v1alpha1/comments%3Aanalyze?key={client.key}"
    assert (await service.client.post(place, json=asked())).status_code == 200


async def test_the_key_is_asked_first(service: Service, client: Client) -> None:
    for content in (b"", b"{", b"\xff", json.dumps(asked()).encode()):
        unknown = await service.client.post(ANALYZE, params={"key": "nobody"}, content=content)
        assert unknown.status_code == 400
        error = error_of(unknown)
        assert (error["status"], error["message"]) == (
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
        )
        assert error["details"][0] == {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
            "metadata": {"service": "commentanalyzer.googleapis.com"},
        }  # fmt: skip
        assert "www-authenticate" not in unknown.headers
        for query in ({}, {"key": ""}, {"key": " "}):
            without = await service.client.post(ANALYZE, params=query, content=content)
            assert without.status_code == 403
            error = error_of(without)
            assert error["status"] == "PERMISSION_DENIED" and error["details"][0]["reason"] == "CREDENTIALS_MISSING"
            assert error["message"].startswith("Method doesn't allow unregistered callers")


async def test_a_key_without_the_scope_is_blocked(service: Service) -> None:
    other = await client_of(service, "moderate")
    answer = await other.ask(asked())
    assert answer.status_code == 403 and error_of(answer)["details"][0]["reason"] == "API_KEY_SERVICE_BLOCKED"
    judge = await client_of(service, "score")
    answer = await judge.post(SUGGEST, b"{}")
    assert answer.status_code == 403 and error_of(answer)["details"][0]["reason"] == "API_KEY_SERVICE_BLOCKED"


# --- errors ------------------------------------------------------------------------------------------------------------

LONG = "x" * 20_481
TYPES = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
BOTH = {"entries": [{"text": "a"}], "articleAndParentComment": {"article": {"text": "a"}}}
WRONG: list[tuple[Any, str, str]] = [
    ({}, "Comment must be non-empty.", "COMMENT_EMPTY"),
    ({"comment": None}, "Comment must be non-empty.", "COMMENT_EMPTY"),
    (asked(""), "Comment must be non-empty.", "COMMENT_EMPTY"),
    (asked(LONG), "Comment text too long.", "COMMENT_TOO_LONG"),
    (asked("é" * 10_241), "Comment text too long.", "COMMENT_TOO_LONG"),
    (asked(requestedAttributes={}), "Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES"),
    ({"comment": {"text": "a"}}, "Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES"),
    (asked(requestedAttributes={"TOXICITY": {}, "NOPE": {}}), "Unknown requested attribute: NOPE", "INVALID_REQUEST"),
    (asked(requestedAttributes={"": {}}), "Unknown requested attribute: ", "INVALID_REQUEST"),
    (asked(comment={"text": "a", "type": "HTML"}), "Currently, only 'PLAIN_TEXT' comments are supported", "INVALID_REQUEST"),
    (asked(comment={"text": "a", "type": "RTF"}), "Unknown text type", "INVALID_REQUEST"),
    (asked(requestedAttributes={"THREAT": {"scoreType": "RAW"}}),
     "Requested score type RAW is not supported by attribute THREAT", "INVALID_REQUEST"),
    (asked(context=BOTH), "Context can have either entries or article_and_parent_comment, but both fields were populated.",
     "INVALID_REQUEST"),
    (asked(languages=["xx"]), "Attribute TOXICITY does not support request languages: xx", "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"),
    (asked("Это очень плохая идея"), "Unable to detect language", "LANGUAGE_DETECTION_FAILED"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message", "error_type"), WRONG)
async def test_an_error_has_the_message_that_clients_match(
    client: Client, body: Any, message: str, error_type: str
) -> None:
    error = await client.refused(body)
    assert (error["status"], error["message"]) == ("INVALID_ARGUMENT", message)
    assert error["details"][0]["@type"] == TYPES and error["details"][0]["errorType"] == error_type


@pytest.mark.parametrize("name", [
    "TOXICITY_EXPERIMENTAL", "SEXUALLY_EXPLICIT", "FLIRTATION", "AFFINITY_EXPERIMENTAL", "ALIENATION_EXPERIMENTAL", "OBSCENE",
    "ATTACK_ON_AUTHOR", "INFLAMMATORY", "LIKELY_TO_REJECT", "TOXICITY_FAST", "TOXICITY@6", "toxicity", "OFF_TOPIC", "N" * 5_000, "\ud800",
])  # fmt: skip
async def test_an_attribute_that_no_model_was_trained_for_is_unknown(client: Client, name: str) -> None:
    error = await client.refused(asked(requestedAttributes={name: {}, "TOXICITY": {}}))
    assert error["message"].startswith("Unknown requested attribute: ") and len(error["message"]) < 300
    assert error["details"][0]["errorType"] == "INVALID_REQUEST"


async def test_the_first_of_several_errors_is_told(client: Client) -> None:
    everything = {
        "comment": {"text": "", "type": "HTML"},
        "requestedAttributes": {"NOPE": {"scoreType": "RAW"}},
        "context": BOTH,
        "languages": ["xx"],
    }
    order = []
    for mended in (
        {"comment": {"text": LONG, "type": "HTML"}},
        {"comment": {"text": "a", "type": "HTML"}},
        {"comment": {"text": "a"}, "requestedAttributes": {}},
        {"requestedAttributes": {"NOPE": {"scoreType": "RAW"}}},
        {"requestedAttributes": {"TOXICITY": {"scoreType": "RAW"}}},
        {"requestedAttributes": {"TOXICITY": {}}},
        {"context": None},
        {"languages": ["en"]},
    ):
        order.append((await client.refused(everything))["message"][:20])
        everything |= mended
    assert order == [message[:20] for message in (
        "Comment must be non-empty.", "Comment text too long.", "Currently, only 'PLAIN_TEXT'", "Missing requested_attributes",
        "Unknown requested attribute", "Requested score type", "Context can have either", "Attribute TOXICITY does not",
    )]  # fmt: skip
    await client.analyze(everything)


@pytest.mark.parametrize("body", [
    [], "a", 1, None, {"comment": "a"}, {"comment": []}, {"comment": {"text": 1}}, asked(requestedAttributes=[]),
    asked(requestedAttributes={"TOXICITY": 1}), asked(requestedAttributes={"TOXICITY": {"scoreThreshold": "0.5"}}),
    asked(requestedAttributes={"TOXICITY": {"scoreThreshold": True}}), asked(requestedAttributes={"TOXICITY": {"scoreType": 1}}),
    asked(languages="en"), asked(languages=[1]), asked(languages={"en": 1}), asked(spanAnnotations="yes"), asked(doNotStore=1),
    asked(clientToken=1), asked(sessionId={}), asked(communityId=[]), asked(context="a"), asked(context={"entries": {}}),
    asked(context={"entries": ["a"]}), asked(context={"articleAndParentComment": "a"}), {"comment": {"text": "", "type": 1}},
])  # fmt: skip
async def test_a_wrong_type_is_no_valid_payload(client: Client, body: Any) -> None:
    check_payload(await client.refused(body))


@pytest.mark.parametrize("content", [
    b"{", b"{'comment': 1}", b"\xff\xfe", b'{"comment": {"text": "\xff"}}', b'{"comment": {"text": "a\\u0000"}}', b"[" * 100_000,
    b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"a": 1' + b"0" * 5_000 + b"}", b'{"comment": {}} x',
])  # fmt: skip
async def test_what_is_not_json_is_no_valid_payload(client: Client, content: bytes) -> None:
    answer = await client.post(ANALYZE, content)
    assert answer.status_code == 400
    check_payload(error_of(answer))


def check_payload(error: dict[str, Any]) -> None:
    assert error["status"] == "INVALID_ARGUMENT" and error["message"].startswith("Invalid JSON payload received. ")
    detail = error["details"][0]
    assert (
        detail["@type"] == "type.googleapis.com/google.rpc.BadRequest" and detail["fieldViolations"][0]["description"]
    )


async def test_a_request_without_a_body_is_one_without_a_comment(client: Client) -> None:
    for content in (b"", b"  \n"):
        error = error_of(await client.post(ANALYZE, content))
        assert error["details"][0]["errorType"] == "COMMENT_EMPTY"


async def test_compressed_and_far_too_large_bodies_are_refused_in_the_same_form(client: Client) -> None:
    answer = await client.post(ANALYZE, b"{}", **{"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    check_payload(error_of(answer))
    answer = await client.ask(asked("x" * 300_000))
    assert answer.status_code == 413 and error_of(answer)["details"][0]["errorType"] == "INVALID_REQUEST"


@pytest.mark.parametrize(("method", "path"), [
    ("GET", ANALYZE), ("GET", SUGGEST), ("PUT", ANALYZE), ("DELETE", SUGGEST), ("OPTIONS", ANALYZE), ("PATCH", ANALYZE),
    ("GET", "/v1alpha1/"), ("POST", "/v1alpha1"), ("POST", "/v1alpha1/comments:other"), ("POST", ANALYZE + "/"),
    ("GET", "/v1alpha1/comments"), ("PROPFIND", "/v1alpha1/x/y"), ("POST", "/v1alpha1//comments:analyze"), ("POST", "/batch"),
])  # fmt: skip
async def test_everything_else_is_not_found_in_the_same_form(
    service: Service, client: Client, method: str, path: str
) -> None:
    answer = await service.client.request(
        method, path, params={"key": client.key}, json=asked(), headers={"Accept": "text/html"}
    )
    assert answer.status_code == 404 and error_of(answer)["status"] == "NOT_FOUND"
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_failure_of_ours_has_the_same_form(
    service: Service, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def unscored(asked: list[Any], *rest: Any, **more: Any) -> list[None]:
        return [None] * len(asked)

    monkeypatch.setattr(service.services.scorer, "score_by", unscored)
    answer = await client.ask(asked())
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert error_of(answer)["status"] == "UNAVAILABLE"

    async def broken(*rest: Any, **more: Any) -> None:
        raise RuntimeError("of words that nobody may read")

    monkeypatch.setattr(service.services.scorer, "score_by", broken)
    answer = await client.ask(asked())
    assert answer.status_code == 500 and error_of(answer)["status"] == "INTERNAL"
    assert "nobody may read" not in answer.text
    assert any(record.getMessage() == "a request failed" for record in caplog.records)

    async def full(*rest: Any, **more: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(service.services.scorer, "score_by", full)
    assert (await client.ask(asked())).status_code == 503


# --- languages ---------------------------------------------------------------------------------------------------------

GERMAN = "Das ist doch alles völliger Unsinn, was du hier schreibst."
FRENCH = "C'est une très mauvaise idée, je ne suis pas du tout d'accord."


async def test_languages_mirror_the_request_and_detected_ones_the_text(client: Client) -> None:
    for given, languages in ([], ["de"]), (["en"], ["en"]), (["de-AT", "en"], ["de-AT", "en"]):
        document = await client.analyze(asked(GERMAN, languages=given))
        assert (document["languages"], document["detectedLanguages"]) == (languages, ["de"])
    for text in ("👍🏽", "ok", "12345", " "):
        document = await client.analyze(asked(text))
        assert (document["languages"], document["detectedLanguages"]) == (["en"], ["en"])
    named = await client.analyze(asked("Это очень плохая идея, я совсем не согласен.", languages=["en"]))
    assert (named["languages"], named["detectedLanguages"]) == (["en"], ["ru"])


async def test_a_language_that_was_not_measured_names_one_attribute(client: Client) -> None:
    given: dict[str, Any] = {name: {} for name in SIX}
    error = await client.refused(asked(GERMAN, requestedAttributes=given, languages=["de"]))
    assert error["message"] == "Attribute SEVERE_TOXICITY does not support request languages: de"
    assert error["details"][0]["languageNotSupportedByAttributeError"] == {
        "attribute": "SEVERE_TOXICITY", "requestedLanguages": ["de"], "detectedLanguages": ["de"],
    }  # fmt: skip
    while "attribute" in error.get("details", [{}])[0].get("languageNotSupportedByAttributeError", {}):
        del given[error["details"][0]["languageNotSupportedByAttributeError"]["attribute"]]
        error = (await client.ask(asked(GERMAN, requestedAttributes=given, languages=["de"]))).json().get("error", {})
    assert list(given) == ["TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY"]

    error = await client.refused(asked(GERMAN, languages=["en", "xx", "tlh"]))
    assert error["message"] == "Attribute TOXICITY does not support request languages: xx, tlh"
    assert error["details"][0]["languageNotSupportedByAttributeError"]["requestedLanguages"] == ["en", "xx", "tlh"]


async def test_a_detected_language_that_was_not_measured_is_refused_too(client: Client) -> None:
    error = await client.refused(asked(FRENCH))
    assert error["message"] == "Attribute TOXICITY does not support request languages: fr"
    assert error["details"][0]["languageNotSupportedByAttributeError"]["detectedLanguages"] == ["fr"]
    assert (await client.analyze(asked(FRENCH, languages=["en"])))["detectedLanguages"] == ["fr"]


# --- nothing is kept ---------------------------------------------------------------------------------------------------


async def test_nothing_of_a_text_is_stored_or_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "moderation")
    await client.analyze(asked())  # the key's last use is stored once an hour
    before = await rows(client.service)
    secret = "Wenceslas planted quinces"
    for more in ({}, {"doNotStore": False}, {"spanAnnotations": True}, {"sessionId": secret}, {"languages": [secret]}):
        await client.ask(asked(secret, clientToken=secret, communityId=secret) | more)
    await client.ask({"comment": {"text": secret}, "requestedAttributes": {secret: {}}})
    assert await rows(client.service) == before
    assert secret not in caplog.text and client.key not in caplog.text


async def rows(service: Service) -> dict[str, int]:
    """Table → number of rows."""
    async with service.services.database.reading() as session:
        return {name: len(await session.fetch(f"SELECT 1 FROM {name}")) for name in (*TABLES, "tokens", "audit")}
