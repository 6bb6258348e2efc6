"""The threads in which long texts are read, and what they spare the service."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.examples import Author
from moderation.comments.submission import Submission
from moderation.core.offload import Lane
from moderation.core.problem import BadRequest, Invalid, Unavailable
from moderation.policy import api as score
from moderation.policy import rules as policy
from moderation.policy.answer import Answer
from moderation.policy.api import Judge
from moderation.sites.site_settings import SiteSettings
from moderation.text import body as formats
from moderation.text import markdown
from moderation.text.wordlist import Listed
from moderation.web import bodies
from tests.text.test_markdown import SHARP

pytestmark = pytest.mark.anyio


async def test_a_lane_has_one_thread_and_an_end() -> None:
    lane, go = Lane("test", most=2), threading.Event()
    first = asyncio.create_task(lane.run(go.wait))
    second = asyncio.create_task(lane.run(threading.get_ident))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await lane.run(threading.get_ident)
    assert await lane.run(threading.get_ident, here=True) == threading.get_ident()
    go.set()
    await first
    assert await second == await lane.run(threading.get_ident) != threading.get_ident()


async def test_whoever_gives_up_makes_room_and_a_problem_comes_back() -> None:
    lane, go = Lane("test", most=2), threading.Event()
    first = asyncio.create_task(lane.run(go.wait))
    gone = asyncio.create_task(lane.run(threading.get_ident))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)

    def refuse() -> None:
        raise Invalid()

    refused = asyncio.create_task(lane.run(refuse))
    await asyncio.sleep(0)
    go.set()
    await first
    with pytest.raises(Invalid):
        await refused


ORDINARY = (
    "Thank you, that was well said: the second bed needs more water than the first one, doesn't it?\r\n\r\nAnn\r\n"
)


@pytest.mark.parametrize("format", formats.FORMATS)
@pytest.mark.parametrize(
    "body", [ORDINARY, "*Short* and [marked](http://a.example) `up`", "Grüße aus dem Garten! " * 10]
)
def test_an_ordinary_comment_is_read_at_once(body: str, format: str) -> None:
    assert formats.is_light(body, format)


def test_a_long_plain_one_too_and_a_long_marked_one_is_not() -> None:
    assert formats.is_light(ORDINARY * 40, formats.MARKDOWN)
    for unit in ("[a][", "\u0323\u0301", "\ufdfa", "> ", "a*"):
        assert not formats.is_light(unit * 3_000, formats.MARKDOWN) and not formats.is_light(unit * 3_000, formats.HTML)


@given(
    st.lists(
        st.sampled_from([*SHARP, "http://a.example ", "https:", "HTTPS://A.example", "&#104;ttp://a "]), max_size=20
    )
)
def test_links_are_counted_as_they_are_rendered_where_nothing_is_parsed_for_them(pieces: list[str]) -> None:
    body = "".join(pieces)
    assert markdown.count_links(body) == len(markdown.rendered(body)[1])


def case_of(text: str, rules: SiteSettings) -> policy.Case:
    return policy.Case(submission=Submission.of(text, name="Ann"), settings=rules, scores=None)


def test_only_lists_that_read_much_are_asked_in_a_thread() -> None:
    few = SiteSettings(blocked=("casino", "spam.example"))
    assert Listed(()).passes == 0 and policy.is_quick(case_of("[a](" * 3_000, SiteSettings()))
    assert policy.is_quick(case_of("A kind word about the garden. " * 10, few))
    assert not policy.is_quick(case_of("[a](" * 2_000, few))
    many = SiteSettings(blocked=tuple(f"*{'x' * n}*" for n in range(3, 150)))
    assert not policy.is_quick(case_of("A kind word", many)), "not compiled yet"
    assert many.blocks and many.disallows.passes == 0
    assert not policy.is_quick(case_of("A kind word about the garden. " * 10, many))


SCORED = Answer(scores={"spam": 0.1}, model="none", thresholds={}, fields={})


def test_one_question_has_only_so_much_parsed() -> None:
    text = "[x](http://a.example) and https://b.example " * 20
    parsed = score.PARSED // len(text) + 1
    judge = Judge(SiteSettings(), Author())
    with mock.patch.object(markdown, "rendered", wraps=markdown.rendered) as render:
        found = judge.documents([(text, SCORED)] * (parsed + 20))
    assert render.call_count == parsed
    assert {reason["weight"] for one in found for reason in one["reasons"] if reason["rule"] == "many-links"} == {40}


async def test_a_text_is_read_as_far_as_a_comment_may_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[int]()
    monkeypatch.setattr(markdown, "count_links", lambda text: seen.append(len(text)) or 0)
    Judge(SiteSettings(), Author()).documents([("http://a " * 100_000, SCORED)])
    assert seen == [65_525]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": [' + b"[]," * 300_000 + b"1]}",
        b'{"a": [' + b"1," * 400_000 + b"1]}",
        b"{" + b",".join(b'"k%d":1' % n for n in range(120_000)) + b"}",
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    ],
    ids=["lists", "numbers", "keys", "depth"],
)
def test_a_document_of_too_many_values_is_none_of_ours(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        bodies.json_object(raw)


TEXT = st.text(st.characters(exclude_characters="\0"), max_size=3)


@given(st.dictionaries(TEXT, st.recursive(st.none() | st.booleans() | st.integers() | TEXT, st.lists, max_leaves=9)))
def test_a_long_document_is_read_as_a_short_one(fields: dict[str, Any]) -> None:
    raw = json.dumps(fields | {"long": "a"}).encode()
    long = raw.replace(b'"a"}', b'"' + b"a" * bodies.AT_ONCE + b'"}')
    assert bodies.json_object(long) | {"long": "a"} == bodies.json_object(raw)
    for twice in (long[:-1] + b',"long":1}', long[:-1]):
        with pytest.raises((Invalid, BadRequest)):
            bodies.json_object(twice)
