"""Whatever is sent below /v1alpha1/, no answer is a 500, and every error has its details."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.dialects.perspective import ATTRIBUTES
from tests.budget import long
from tests.conftest import Server
from tests.dialects.perspective import ANALYZE, SUGGEST, error_of

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
ANY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.text(max_size=200) | st.text("aB. !?…。\n👍🏽é你\ud800\u0301\u202e", max_size=200) | st.just("x" * 20_481)
NAMES = st.sampled_from([*ATTRIBUTES, "OBSCENE", "TOXICITY@6"]) | st.text(max_size=9)
LANGUAGES = st.lists(st.sampled_from(["en", "en-US", "de", "zh", "fr", "", "\ud800"]) | st.text(max_size=5), max_size=3)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these fields, each mostly as it should be."""
    return st.fixed_dictionaries({}, optional={name: field | field | field | ANY for name, field in fields.items()})


ENTRY = some(text=TEXTS, type=st.sampled_from(["PLAIN_TEXT", "HTML", "TEXT_TYPE_UNSPECIFIED", "RTF"]))
SCORE = some(value=st.sampled_from([0, 1, 0.5, -1, 1e999]), type=st.just("PROBABILITY"))
PARAMETERS = some(scoreType=st.sampled_from(["PROBABILITY", "RAW"]), scoreThreshold=st.floats(0, 1))
SCORES = some(
    summaryScore=SCORE, spanScores=st.lists(some(begin=st.integers(), end=st.integers(), score=SCORE), max_size=2)
)
BODIES = some(
    comment=ENTRY,
    requestedAttributes=st.dictionaries(NAMES, PARAMETERS, max_size=4),
    attributeScores=st.dictionaries(NAMES, SCORES, max_size=3),
    languages=LANGUAGES,
    context=some(entries=st.lists(ENTRY, max_size=2), articleAndParentComment=some(article=ENTRY, parentComment=ENTRY)),
    spanAnnotations=st.booleans(),
    doNotStore=st.booleans(),
    clientToken=TEXTS,
    sessionId=TEXTS,
    communityId=TEXTS,
)
RIGHT = {
    "comment": {"text": "You idiot"},
    "requestedAttributes": {"TOXICITY": {}},
    "attributeScores": {"SPAM": {"summaryScore": {"value": 1}}},
}
NEARLY = st.builds(
    lambda body, names: RIGHT | {name: body[name] for name in names if name in body},
    BODIES,
    st.lists(
        st.sampled_from(["comment", "requestedAttributes", "languages", "context", "spanAnnotations", "clientToken"]),
        max_size=2,
    ),
)
CONTENTS = (NEARLY | NEARLY | BODIES | ANY).map(lambda body: json.dumps(body).encode()) | st.binary(max_size=200)
PATHS = st.sampled_from(
    [ANALYZE, ANALYZE, ANALYZE, SUGGEST, SUGGEST, "/v1alpha1/comments%3Aanalyze", "/v1alpha1/x", "/v1alpha1//"]
)


@pytest.mark.parametrize("examples", [300, pytest.param(5_000, marks=long)])
def test_no_request_fails_and_every_error_has_its_details(start: Callable[..., Server], examples: int) -> None:
    server = start(log_level="WARNING")
    key = server.run("add-token", "--scopes", "score,teach").stdout.strip()
    seen = Counter[int]()

    with httpx.Client(base_url=server.url) as client:

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(path=PATHS, content=CONTENTS, key=st.sampled_from([key] * 9 + [""]))
        def ask(path: str, content: bytes, key: str) -> None:
            answer = client.post(path, params={"key": key}, content=content)
            seen[answer.status_code] += 1
            if answer.status_code != 200:
                assert answer.status_code in (400, 403, 404)
                error_of(answer)
            else:
                assert set(answer.json()) >= {"detectedLanguages"}

        ask()
    assert seen[200] and seen[400] and seen[403] and seen[404], seen
    assert '"level": "error"' not in server.log
