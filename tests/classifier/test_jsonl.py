from __future__ import annotations

import pytest

from classifier import jsonl
from classifier.examples import Asked, Author, Example
from classifier.jsonl import BadLine


def test_examples_come_back() -> None:
    given = [
        Example("a\nb", {"spam": 1.0}),
        Example("ü", {"toxicity": 0.5}, Author("n", "u", "d"), "s", "g", "k", 3.0),
    ]
    assert list(jsonl.examples(jsonl.line(one) for one in given)) == given


def test_questions() -> None:
    lines = ['{"text": "x", "author": {"name": "Ann"}}', "", '{"text": "y", "site": "blog"}']
    assert list(jsonl.asked(lines)) == [Asked("x", Author("Ann")), Asked("y", site="blog")]


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        "{}",
        '{"text": 1}',
        '{"text": "secret"}',
        '{"text": "secret", "labels": {"rude": 1}}',
        '{"text": "secret", "labels": {"spam": 2}}',
        '{"text": "secret", "labels": {"spam": "yes"}}',
        '{"text": "secret", "labels": {"spam": 1}, "when": "now"}',
        '{"text": "secret", "labels": {"spam": 1}, "author": []}',
        '{"text": "secret", "labels": {"spam": 1}, "author": {"name": 3}}',
    ],
)
def test_a_bad_line_is_named_and_not_repeated(bad: str) -> None:
    with pytest.raises(BadLine, match="line 2") as refused:
        list(jsonl.examples(['{"text": "fine", "labels": {"spam": 0}}', bad]))
    assert "secret" not in str(refused.value)
