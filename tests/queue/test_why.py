"""Why a comment waits, in one sentence; and the levels of its labels beside the thresholds that decided."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.labels import LABELS
from moderation.policy.rules import RULES
from moderation.queue import why

LOW = dict.fromkeys(LABELS, 0.01)


def rule(name: str, note: str = "", **more: Any) -> dict[str, Any]:
    return {"rule": name, "note": note, "weight": 1.0, "spans": []} | more


def held(label: str, p: float, at: float = 0.25, field: str = "") -> dict[str, Any]:
    note = f"{label} {p:.2f}{f' {field}' if field else ''}, held from {at:.2f}"
    return rule("label", note, label=label, weight=p)


def word(label: str, body: str, text: str, weight: float) -> dict[str, Any]:
    start = body.index(text)
    return {"label": label, "feature": text, "weight": weight, "spans": [[start, start + len(text)]]}


def document(
    body: str, *reasons: dict[str, Any], scores: dict[str, float] | None = None, **more: Any
) -> dict[str, Any]:
    author = {"name": "Ann", "email": "ann@example.org", "url": None, "record": {}} | more.pop("author", {})
    verdict = {"scores": LOW | (scores or {}), "action": "hold", "reasons": list(reasons), "model": "m"}
    return {"body": body, "html": "", "author": author, "appeal": None, "status": "pending", "verdict": verdict} | more


def said(shown: dict[str, Any]) -> list[str]:
    return [str(one).replace("\xa0", " ") for one in why.sentences(shown)]


def test_an_insult_is_quoted_with_its_word() -> None:
    body = "What a stupid article, only an idiot could write it."
    shown = document(
        body, held("toxicity", 0.9), held("insult", 0.71), word("insult", body, "idiot", 2.5), word("insult", body, "stupid", 1.0),
        word("insult", body, "article", -0.4), scores={"toxicity": 0.9, "insult": 0.71},
    )  # fmt: skip
    assert said(shown) == ["Looks like an insult (71 %): idiot", "Reads as hostile (90 %): idiot"]
    assert [one.label for one in why.levels(shown)][:2] == ["insult", "toxicity"]


def test_a_threat_stands_first_and_is_quoted_as_a_phrase() -> None:
    body = "I have a gun and I will use one on you."
    shown = document(
        body, held("insult", 0.9), held("threat", 0.4, 0.1), word("threat", body, "use", 1.0), word("threat", body, "you", 1.2),
        scores={"insult": 0.9, "threat": 0.4},
    )  # fmt: skip
    assert said(shown)[0] == "Reads like a threat (40 %): use one on you"


def test_a_link_of_somebody_new_names_its_host() -> None:
    link = rule("stranger-with-link", "a link from an author without an approved comment")
    shown = document(
        "See https://www.allotment.example/rota", link, html='<a href="https://www.allotment.example/rota">x</a>'
    )
    assert said(shown) == ["A link from somebody new: allotment.example"]
    shown = document("See allotment-x.com/rota", link, author={"record": {"approved": 3}})
    assert said(shown) == ["A link without proof that it is the known author: allotment-x.com"]
    website = rule("stranger-with-link", "a website of an author without an approved comment")
    assert said(document("Hi", website, author={"url": "https://shop.example/a"})) == [
        "A website from somebody new: shop.example"
    ]


def test_a_label_stands_before_rules_about_the_sender_and_a_list_before_a_label() -> None:
    insult = held("insult", 0.5)
    shown = document("x", rule("review-all"), rule("form-token", "no form token"), insult, scores={"insult": 0.5})
    assert said(shown) == ["Looks like an insult (50 %)", "Sent without the form’s token", "Every comment waits here"]
    listed = rule("disallowed", "word: casino; muted, so it only holds: moderators mostly overturn it")
    assert said(document("casino", insult, listed))[0] == "A word of your list: casino"


def test_a_name_or_a_website_that_decided_is_named() -> None:
    shown = document(
        "Nice.", held("spam", 0.97, 0.3, "by the name alone"), scores={"spam": 0.97}, author={"name": "Casino Bonus"}
    )
    assert said(shown) == ["The author’s name looks like spam (97 %): Casino Bonus"]
    shown = document(
        "Nice.",
        held("spam", 0.97, 0.3, "by the website alone"),
        scores={"spam": 0.97},
        author={"url": "https://c.example/"},
    )
    assert said(shown) == ["The author’s website looks like spam (97 %): c.example"]


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (document("x"), "Nothing spoke against it"),
        (document("x", rule("unscored", "no model answered in time")), "No model answered in time"),
        (document("x", rule("imported", "Disqus")), "Imported from Disqus, and judged there"),
        (document("x", author={"staff": True}), "Written by a moderator"),
        (document("x", rule("many-links", "the rule could not run (KeyError)")), "The rule “many links” could not run"),
        (document("x", rule("blocked-word", "author")), "By a blocked author"),
        (document("x", rule("disposable", "a disposable email address")), "A disposable email address: example.org"),
        (document("x", appeal={"body": "y", "against": {"action": "spam"}}), "Its author appeals against filing it as spam"),
        (document("x", rule("a-rule-of-tomorrow", "for a reason")), "A rule of tomorrow: for a reason"),
    ],
)  # fmt: skip
def test_every_other_case_has_its_sentence(shown: dict[str, Any], sentence: str) -> None:
    assert said(shown)[0] == sentence


def test_every_rule_has_a_sentence_of_its_own() -> None:
    texts = [
        said(document("x", rule(name, label="spam" if name in ("label", "certain-spam") else "")))[0]
        for name, _, _ in RULES
    ]
    assert not any(name.replace("-", " ").capitalize() in texts for name, _, _ in RULES)


def test_what_was_held_is_never_calm() -> None:
    shown = document(
        "x", held("insult", 0.26), held("threat", 0.9, 0.1), scores={"insult": 0.26, "threat": 0.9, "spam": 0.29}
    )
    levels = {one.label: one for one in why.levels(shown, {"spam": 0.3})}
    assert (levels["threat"].state, levels["insult"].state, levels["spam"].state) == ("certain", "held", "calm")
    assert list(levels)[:2] == ["threat", "insult"], "the label that decided stands first"
    assert levels["spam"].held_from == 0.3 and levels["insult"].held_from == 0.25


def test_the_queue_expects_spam_where_the_model_says_so_and_nothing_for_hostile_words() -> None:
    assert why.expected(document("x", held("spam", 0.9), scores={"spam": 0.9})) == "spam"
    assert why.expected(document("x", rule("wave"))) == "spam"
    assert why.expected(document("x", held("insult", 0.9), scores={"insult": 0.9})) == ""
    assert why.expected(document("x", rule("stranger-with-link"))) == "approve"
    assert why.expected(document("x", rule("stranger-with-link"), status="spam")) == "", "it is decided"


def test_a_sentence_of_chinese_is_quoted_by_its_words() -> None:
    body = "你是一个白痴，滚出去！"
    shown = document(
        body,
        held("insult", 0.6),
        word("insult", body, "白痴", 2.0),
        word("insult", body, "你是", 0.1),
        scores={"insult": 0.6},
    )
    assert said(shown) == ["Looks like an insult (60 %): 白痴"]


@given(
    body=st.text(max_size=200),
    spans=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200), st.floats(0.01, 9)), min_size=1, max_size=8),
)
def test_a_quote_is_one_short_line_whatever_the_text(body: str, spans: list[tuple[int, int, float]]) -> None:
    words = [{"label": "insult", "feature": "x", "weight": w, "spans": [[min(a, b), max(a, b)]]} for a, b, w in spans]
    (sentence,) = why.sentences(document(body, held("insult", 0.9), *words, scores={"insult": 0.9}))
    assert len(sentence.quote) <= why.QUOTE and "\n" not in sentence.quote
