"""A card: marks that say their weight, differences within a wave, and texts that other systems sent."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.queue import pages_card
from moderation.queue.pages_card import Called, card, differences, marked
from tests.conftest import Service
from tests.queue.test_why import document, held, rule, word

pytestmark = pytest.mark.anyio
TEXTS = st.text(st.sampled_from("ab <>&;\"'=/\u4f60 amp;lt;script"), max_size=80)


def shown(body: str, *reasons: dict[str, Any], **more: Any) -> dict[str, Any]:
    fields = {"id": "1", "article": "gate", "format": "markdown", "status": "pending"} | more
    return card(document(body, *reasons, **fields), Called(), {}, "")


def test_a_mark_says_what_it_weighs_and_can_be_focused() -> None:
    body = "You idiot, you."
    weighs = [
        word("insult", body, "idiot", 2.46),
        word("toxicity", body, "idiot", 1.0),
        word("insult", body, "you", -1.0),
    ]
    told = shown(body, held("insult", 0.9), *weighs, scores={"insult": 0.9, "toxicity": 0.5})["marked"]
    assert told == 'You <mark tabindex="0" data-weight="insult +2.5 · toxicity +1.0">idiot</mark>, you.'


def test_the_length_of_a_text_is_no_word() -> None:
    length = {"label": "spam", "feature": "(length)", "weight": 1.7, "spans": []}
    told = shown("x", length, scores={"spam": 0.9})["words"]
    assert [(one["kind"], one["text"]) for one in told] == [("look", "length of the text")]


def test_among_many_alike_approval_is_expected_of_none() -> None:
    link = rule("stranger-with-link")
    assert shown("x", link)["expected"] == "approve"
    assert shown("x", link, wave={"1": 1, "2": 1, "3": 1})["expected"] == ""
    assert shown("x", held("spam", 0.9), scores={"spam": 0.9}, wave={"1": 1, "2": 1, "3": 1})["expected"] == "spam"


@pytest.mark.parametrize(
    ("first", "other", "differing"),
    [
        ("Hello Ann, see https://a1.example/now", "Hello Bob, see https://b2.example/now", ["Bob", "b2"]),
        ("One two", "One two", []),
        ("One two", "One two two three", ["two three"]),
        ("你好朋友", "你好老师", ["老师"]),
    ],
)
def test_what_differs_from_the_first_of_a_wave_is_marked(first: str, other: str, differing: list[str]) -> None:
    assert [other[start:end] for start, end, _ in differences(first, other)] == differing
    assert re.findall("<ins>(.*?)</ins>", marked(other, differences(first, other))) == differing


def test_a_plain_text_of_a_check_is_shown_as_it_was_written() -> None:
    assert shown("I &lt;3 gates &amp; you", format="html")["marked"] == "I &lt;3 gates &amp; you"
    assert shown("<b>I</b> &amp; you", format="html")["marked"] == "&lt;b&gt;I&lt;/b&gt; &amp;amp; you"
    assert shown("I &lt;3 you")["marked"] == "I &amp;lt;3 you"


@given(body=TEXTS, format=st.sampled_from(["markdown", "html"]), start=st.integers(0, 80), size=st.integers(1, 20))
def test_no_text_becomes_an_element(body: str, format: str, start: int, size: int) -> None:
    told = marked(body, [(start, start + size, 'insult" +1 <b>')], format)
    left = re.sub(r'<mark tabindex="0" data-weight="[^"<>]*">|</mark>', "", told)
    assert "<" not in left


def test_a_comment_kept_elsewhere_names_its_page() -> None:
    elsewhere = document("x", id="1", article="checks:blog.example-post-0123456789abcdef", format="html")
    assert (
        card(elsewhere, Called(proposed="https://blog.example/post"), {}, "")["elsewhere"]
        == "https://blog.example/post"
    )
    assert card(elsewhere, Called(), {}, "")["elsewhere"].startswith("blog.example-post")
    assert pages_card.kept_elsewhere({"article": "gate"}, Called()) == ""


async def test_the_page_of_a_wave_is_for_those_who_see_its_site(service: Service) -> None:
    id = await service.held()
    assert (await service.client.get(f"/moderate/comments/{id}/wave")).status_code in (303, 401)
