"""Field rules: any fields at all become a Submission, or every wrong one is named. Nothing else ever comes out."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation.comments.submission import Submission, body_key, check, has_something_visible, ticked
from moderation.core.problem import FieldError, Invalid
from moderation.sites.site_settings import SiteSettings
from moderation.text.addresses import BIDI, checked_email, checked_url

RULES = SiteSettings()
GOOD = {"name": "Ann", "email": "ann@example.org", "body": "A kind word."}
FIELDS = ("name", "email", "url", "body", "parent", "notify")

wild_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)
telling = st.sampled_from(
    ["", " ", "\0", "\ud800", "a\u202eb", "true", "on", "http://a.example", "javascript:alert(1)", "http://[", "a@b.example",
     "x" * 245, "x" * 246, "𝒳" * 245, "@", "a@", "@b", "http://user@host.example", "\r\n", "\u3164", "http://bücher.example"]
)  # fmt: skip
wild = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | wild_text | telling,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(wild_text, inner, max_size=3),
    max_leaves=8,
)
fields = st.dictionaries(st.sampled_from(FIELDS) | wild_text, wild, max_size=8)
quick = settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def wrong(**given: Any) -> list[tuple[str, str]]:
    """What is wrong with these fields over good ones: (field, code)."""
    try:
        check(GOOD | given, RULES)
    except Invalid as problem:
        return [(e.field, e.code) for e in problem.errors]
    return []


@quick
@given(fields, st.booleans(), st.booleans())
def test_any_fields_are_a_submission_or_every_wrong_one_is_named(
    raw: dict[str, Any], require_name: bool, require_email: bool
) -> None:
    rules = SiteSettings(require_name=require_name, require_email=require_email)
    try:
        sent = check(raw, rules)
    except Invalid as problem:
        assert problem.errors
        assert {e.field for e in problem.errors} <= set(FIELDS)
        assert {e.code for e in problem.errors} <= {"required", "invalid", "too_long"}
        assert len({e.field for e in problem.errors}) == len(problem.errors), "one message a field"
        return
    assert isinstance(sent, Submission)
    for text in (sent.name, sent.email, sent.url or "", sent.body, sent.parent or ""):
        text.encode()  # no lone surrogate came through
    assert 1 <= len(sent.body) <= rules.max_body and sent.body == sent.body.strip() and "\r" not in sent.body
    assert sent.name or not require_name
    assert sent.email or not require_email
    assert len(sent.email) <= 254


@quick
@given(st.sampled_from(FIELDS), wild)
def test_one_odd_field_never_blames_another(field: str, value: Any) -> None:
    assert {f for f, _ in wrong(**{field: value})} <= {field}


@quick
@given(wild_text)
def test_a_name_that_passes_turns_nothing_around_and_can_be_seen(name: str) -> None:
    if wrong(name=name):
        return
    shown = check(GOOD | {"name": name}, RULES).name
    assert shown == shown.strip() and 1 <= len(shown) <= 245
    assert not any(c in BIDI or unicodedata.category(c) in ("Cc", "Cs") for c in shown)
    assert has_something_visible(shown)


@quick
@given(st.text(max_size=60) | telling)
def test_an_address_that_passes_holds_nothing_that_could_break_a_header_and_stays_as_it_is(text: str) -> None:
    for candidate in (text, f"{text}@example.org", f"ann@{text}.example"):
        found = checked_email(candidate)
        if found is not None:
            assert not any(c.isspace() or unicodedata.category(c) == "Cc" for c in found)
            assert found.count("@") == 1
            assert checked_email(found) == found


@quick
@given(st.text(max_size=60) | telling, st.sampled_from(["", "http://", "https://", "http://a.example/", "//", "data:"]))
def test_a_url_that_passes_is_http_with_an_ascii_host_and_passes_again(text: str, start: str) -> None:
    found = checked_url(start + text)
    if found is None:
        return
    assert re.match(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?([/?#]|$)", found)
    assert not any(c.isspace() for c in found) and "\\" not in found
    assert checked_url(found) == found


@pytest.mark.parametrize("value", [5, 1.5, True, [], ["a"], {}, {"a": 1}])
@pytest.mark.parametrize("field", ["name", "email", "url", "body", "parent"])
def test_a_wrong_type_is_invalid(field: str, value: Any) -> None:
    assert wrong(**{field: value}) == [(field, "invalid")]


@pytest.mark.parametrize("field", ["name", "email", "url", "body", "parent"])
def test_a_lone_surrogate_is_invalid(field: str) -> None:
    assert wrong(**{field: "a\ud800b"}) == [(field, "invalid")]


@pytest.mark.parametrize("value", [1, 0, "perhaps", [], {}, 1.0])
def test_notify_is_a_boolean(value: Any) -> None:
    assert wrong(notify=value) == [("notify", "invalid")]


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), (False, False), (None, False)],
)
def test_notify_as_json_says_it(value: Any, meant: bool) -> None:
    assert check(GOOD | {"notify": value}, RULES).notify is meant


@pytest.mark.parametrize(("word", "meant"), [("on", True), ("true", True), ("1", True), ("", False), ("off", False)])
def test_notify_as_forms_say_it_and_only_they_may(word: str, meant: bool) -> None:
    assert check(GOOD | {"notify": ticked(word)}, RULES).notify is meant
    assert wrong(notify=word) == [("notify", "invalid")]


def test_every_wrong_field_is_named_at_once() -> None:
    every = wrong(name="", email="nobody", url="javascript:alert(1)", body=" \n ", parent=7, notify="perhaps")
    assert sorted(every) == [
        ("body", "required"),
        ("email", "invalid"),
        ("name", "required"),
        ("notify", "invalid"),
        ("parent", "invalid"),
        ("url", "invalid"),
    ]


def test_unknown_fields_are_ignored_and_null_is_nothing() -> None:
    sent = check(GOOD | {"role": "administrator", "id": 1, "url": None, "parent": None}, RULES)
    assert (sent.url, sent.parent, sent.notify) == (None, None, False)


@pytest.mark.parametrize("letter", ["x", "é", "𝒳", "名"])
def test_a_name_has_245_code_points_at_the_most(letter: str) -> None:
    assert wrong(name=letter * 245) == []
    assert wrong(name=letter * 246) == [("name", "too_long")]
    assert wrong(name=f"  {letter * 245}\n") == [], "trimmed before it is counted"


@pytest.mark.parametrize(
    "name", ["Ann\r\nX: y", "Ann\0", "Ann\x1b[31m", "a\u2028b", "a\u2029b", *(f"a{c}b" for c in sorted(BIDI))]
)
def test_a_name_has_no_control_characters(name: str) -> None:
    assert wrong(name=name) == [("name", "invalid")]


@pytest.mark.parametrize("name", ["\u200fAnn\u200e", " \u2068 Ann\u2069\n", "\u202eAnn"])
def test_a_name_loses_directional_marks_at_its_ends(name: str) -> None:
    assert check(GOOD | {"name": name}, RULES).name == "Ann"


@pytest.mark.parametrize(
    "name", ["\u200b", "\u3164", "\u2800\u2800", "\u00ad", "\u115f\u1160", "\ufe0f", "\u0301", "\u2060\u200d"]
)
def test_a_name_has_something_to_see(name: str) -> None:
    assert wrong(name=name) == [("name", "invalid")]


@pytest.mark.parametrize(
    "name", ["名前", "Ἀθηνᾶ", "محمد", "דוד", "🦊", "O’Neill", "👩\u200d🌾", "نمی\u200cدانم", "a<b>&\"c'"]
)
def test_names_of_the_world_are_names(name: str) -> None:
    assert check(GOOD | {"name": name}, RULES).name == unicodedata.normalize("NFC", name)


def test_what_a_site_relaxes_may_be_left_out_but_not_be_wrong() -> None:
    relaxed = SiteSettings(require_name=False, require_email=False)
    sent = check({"body": "Hello."}, relaxed)
    assert (sent.name, sent.email, sent.email_domain) == ("", "", "")
    with pytest.raises(Invalid):
        check({"body": "Hello.", "email": "nobody"}, relaxed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ann@EXAMPLE.org", "Ann@example.org"),
        ("jörg@bücher.example", "jörg@bücher.example"),
        ("jo\u0308rg@bu\u0308cher.example", "jörg@bücher.example"),
        ("ann@xn--bcher-kva.example", "ann@bücher.example"),
        ("用户@例え.jp", "用户@例え.jp"),
        (" ann@example.org ", "ann@example.org"),
        ("ann+tag@example.org", "ann+tag@example.org"),
    ],
)
def test_an_address_is_kept_normalised(typed: str, kept: str) -> None:
    sent = check(GOOD | {"email": typed}, RULES)
    assert sent.email == kept
    assert sent.email_domain == kept.partition("@")[2]


@pytest.mark.parametrize(
    "email",
    ["ann", "ann@", "@example.org", "a b@example.org", "ann@example.org\r\nBcc: all@example.org", "ann@[127.0.0.1]",
     "ann@localhost", "Ann <ann@example.org>", "ann@exam\u202eple.org", "ann@example..org", ".ann@example.org",
     "a@b.example, c@d.example"],
)  # fmt: skip
def test_what_is_no_address_is_invalid(email: str) -> None:
    assert wrong(email=email) == [("email", "invalid")]


def test_an_address_has_254_characters_at_the_most() -> None:
    def of(length: int) -> str:
        local, host = "a" * 64 + "@", ".".join(["b" * 60] * 3)
        return local + "c" * (length - len(local) - len(host) - 1) + "." + host

    assert len(of(254)) == 254 and wrong(email=of(254)) == []
    assert wrong(email=of(255)) == [("email", "too_long")]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("http://example.org", "http://example.org"),
        ("HTTPS://Example.ORG/Path?q=1#f", "https://example.org/Path?q=1#f"),
        ("http://bücher.example/ä", "http://xn--bcher-kva.example/ä"),
        ("http://аpple.com/", "http://xn--pple-43d.com/"),
        ("http://ⓔxample.org", "http://example.org"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("http://example.org:80", "http://example.org:80"),
        ("example.org", "http://example.org"),
        ("www.example.org/me?a=1#b", "http://www.example.org/me?a=1#b"),
        ("bücher.example:8080/ä", "http://xn--bcher-kva.example:8080/ä"),
    ],
)
def test_a_url_shows_where_it_leads(typed: str, kept: str) -> None:
    assert check(GOOD | {"url": typed}, RULES).url == kept


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "ftp://a.example",
     "//a.example", "/path", "ann", "a.example:x", "ann@a.example", "a.example javascript:x", "mailto:a@b.example", "http://", "http:///a", "http://user@a.example",
     "http://google.com@evil.example", "http://a.example\\@evil.example", "http://a b.example", "http://a\r\nX: y",
     "http://a.example/\u202egpj.exe", "http://[", "http://a.example:99999", "http://a.example:x", "http://a%00b.example",
     "http://" + "ü" * 60 + ".example"],
)  # fmt: skip
def test_a_url_that_is_none_or_hides_where_it_leads_is_invalid(url: str) -> None:
    assert wrong(url=url) == [("url", "invalid")]


def test_a_url_has_200_characters_at_the_most() -> None:
    start = "http://a.example/"
    assert wrong(url=start + "x" * (200 - len(start))) == []
    assert wrong(url=start + "x" * (201 - len(start))) == [("url", "too_long")]


@pytest.mark.parametrize("letter", ["x", "é", "𝒳"])
def test_a_body_has_exactly_so_many_code_points(letter: str) -> None:
    assert wrong(body=letter * 10_000) == []
    assert wrong(body=letter * 10_001) == [("body", "too_long")]
    assert wrong(body=f"\n {letter * 10_000} \r\n") == [], "trimmed before it is counted"


def test_a_body_has_65525_bytes_at_the_most_whatever_the_site_says() -> None:
    generous = SiteSettings.of({"max_body": 1_000_000})
    assert check(GOOD | {"body": "x" * 65_525}, generous)
    for body in ("x" * 65_526, "𝒳" * 16_382):
        with pytest.raises(Invalid) as caught:
            check(GOOD | {"body": body}, generous)
        assert caught.value.errors == (FieldError("body", "too_long", "at most 65525 bytes"),)


@pytest.mark.parametrize("body", ["", " \n\t ", "\u200b", "\u3164\u2800", None])
def test_a_body_has_something_to_see(body: str | None) -> None:
    assert wrong(body=body) == [("body", "required")]


def test_a_body_keeps_its_lines_and_loses_what_nobody_typed() -> None:
    assert check(GOOD | {"body": "a\r\nb\rc\n\n\td\x1b[31m\x9b"}, RULES).body == "a\nb\nc\n\n\td[31m"


@pytest.mark.parametrize(
    "same",
    [
        "The  same words",
        "the same\nwords",
        "THE SAME WORDS ",
        "Ｔｈｅ ｓａｍｅ ｗｏｒｄｓ",
        "the\u00a0same\u3000words",
        "The same\twords",
    ],
)
def test_bodies_that_a_reader_would_call_the_same_have_one_key(same: str) -> None:
    assert body_key(same) == body_key("The same words")
    assert body_key(same) != body_key("The same words!")


@quick
@given(st.text(max_size=80))
def test_a_body_key_is_blind_to_form_and_spacing(body: str) -> None:
    key = body_key(body)
    assert re.fullmatch("[0-9a-f]{32}", key)
    for same in (unicodedata.normalize("NFC", body), unicodedata.normalize("NFD", body), f"  {body}\n"):
        assert body_key(same) == key
    assert body_key(re.sub(r"\s", "  \n", body)) == key
    plain = body.encode("ascii", "ignore").decode()
    assert body_key(plain.upper()) == body_key(plain.lower()) == body_key(plain)
