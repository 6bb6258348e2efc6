"""Bodies and parameters: every wrong field at once, in our words, and never with what was sent."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from starlette.datastructures import QueryParams

from moderation.articles.api import ArticleIn
from moderation.core.problem import Invalid
from moderation.policy.api import ScoreIn
from moderation.policy.api_what_if import WhatIfIn
from moderation.privacy.api import PersonIn
from moderation.queue.schemas import CommentQuery, DecisionIn, RedactIn, ReplyIn
from moderation.web.params import Body, OneOf, Query, Says, Text, checked, limited, query_of


class Given(Body):
    name: Text
    colour: Annotated[str, OneOf(("red", "green"))] = "red"
    count: Annotated[int | None, Field(ge=1), Says("must be a count from 1")] = None
    tags: list[Annotated[str, OneOf(("a", "b"))]] | None = None


class Asked(Query):
    limit: limited(10) = 5  # type: ignore[valid-type]
    order: Annotated[str, OneOf(("up", "down"))] = "up"
    article: list[str] = []  # noqa: RUF012  (pydantic copies it)


def wrong(model: type[BaseModel], sent: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        checked(model, sent)
    assert {error.code for error in caught.value.errors} == {"invalid"}
    return {error.field: error.message for error in caught.value.errors}


def test_every_wrong_field_is_named_once_in_words() -> None:
    assert wrong(Given, {"name": 1, "colour": "blue", "count": 0, "tags": ["a", "c", "d"]}) == {
        "name": "must be a text",
        "colour": "must be one of red, green",
        "count": "must be a count from 1",
        "tags": "must be one of a, b",
    }
    assert wrong(Given, {}) == {"name": "must be given"}
    assert wrong(Given, {"name": "a\ud800"}) == {"name": "has a broken character (a lone surrogate)"}
    assert wrong(Given, {"name": "a\0"}) == {"name": "must have no U+0000"}


def test_nothing_is_guessed_of_a_body() -> None:
    """A number in a text, a text in a number and a truth in a number are wrong; what is not declared is ignored."""
    assert set(wrong(Given, {"name": True, "count": "3"})) == {"name", "count"}
    assert set(wrong(Given, {"name": "x", "count": True})) == {"count"}
    assert checked(Given, {"name": "x", "more": 1}) == Given(name="x")


def test_a_query_has_texts_and_the_last_of_several_counts() -> None:
    assert query_of(Asked, QueryParams("")) == Asked()
    found = query_of(Asked, QueryParams("limit=3&order=&article=a&article=b&order=down"))
    assert found == Asked(limit=3, order="down", article=["a", "b"])
    for limit in ("", "0", "11", "-1", "x", "1.5", "1e1", " 1", "٣", "9" * 30):
        with pytest.raises(Invalid) as caught:
            query_of(Asked, QueryParams({"limit": limit}))
        assert [(e.field, e.message) for e in caught.value.errors] == [("limit", "must be a whole number from 1 to 10")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SECRET = "kept-to-ourselves-4711"


@pytest.mark.parametrize("model", [ArticleIn, DecisionIn, PersonIn, RedactIn, ReplyIn, ScoreIn, WhatIfIn])
@given(data=st.data())
def test_whatever_is_sent_is_taken_or_its_wrong_fields_are_named(model: type[BaseModel], data: st.DataObject) -> None:
    names = list(model.model_fields)
    sent = data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=len(names)))
    try:
        checked(model, sent)
    except Invalid as invalid:
        fields = [error.field for error in invalid.errors]
        assert fields and len(fields) == len(set(fields)) and set(fields) <= set(names)
        assert all(error.message for error in invalid.errors)


@pytest.mark.parametrize("model", [ArticleIn, DecisionIn, PersonIn, RedactIn, ReplyIn, ScoreIn, WhatIfIn])
def test_no_answer_repeats_what_was_sent(model: type[BaseModel]) -> None:
    for sent in (SECRET, [SECRET], {SECRET: SECRET}, {"x": {"y": SECRET}}):
        try:
            checked(model, dict.fromkeys(model.model_fields, sent))
        except Invalid as invalid:
            assert SECRET not in json.dumps([(e.field, e.message) for e in invalid.errors])


@pytest.mark.parametrize(
    ("query", "field"),
    [("status=new", "status"), ("status=pending,new", "status"), ("status=any,spam", "status"), ("order=best", "order"),
     ("label=nice", "label"), ("rule=none", "rule"), ("author=x", "author"), ("site=A", "site"), ("limit=201", "limit"),
     ("cursor=a%00", "cursor"), ("q=%00", "q")],
)  # fmt: skip
def test_each_filter_of_the_queue_is_checked(query: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        query_of(CommentQuery, QueryParams(query))
    assert [error.field for error in caught.value.errors] == [field]
