"""Parameters of Akismet's clients: any charset, any body, never an error."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderation.dialects.akismet_form import CHARSETS, MOST, charset_of, read

FORM = "application/x-www-form-urlencoded"


def value(body: bytes, kind: str = FORM, name: str = "comment_content", query: bytes = b"") -> str:
    return read(query, body, kind).get(name)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"comment_content=caf%E9", f"{FORM}; charset=ISO-8859-1"),
        (b"comment_content=caf%E9", f'{FORM};charset="iso-8859-1"'),
        (b"comment_content=caf%E9&blog_charset=ISO-8859-1", FORM),
        (b"blog_charset=latin1&comment_content=caf%e9", ""),
        (b"comment_content=caf%C3%A9", FORM),
        (b"comment_content=caf\xc3\xa9", FORM),
        (b"comment_content=caf%C3%A9&blog_charset=ISO-8859-1", f"{FORM}; charset=UTF-8"),  # the header comes first
        (b"comment_content=caf%C3%A9&blog_charset=no-such-charset", FORM),
        (b"comment_content=caf%E9&blog_charset=windows-1252", f"{FORM}; charset=no-such-charset"),
    ],
)
def test_the_charset_is_the_headers_then_the_blogs_then_utf_8(body: bytes, kind: str) -> None:
    assert value(body, kind) == "café"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("windows-1251", "Привет"),
        ("Shift_JIS", "こんにちは"),
        ("GB2312", "你好"),
        ("EUC-KR", "안녕"),
        ("windows-1252", "“quoted”"),
    ],
)
def test_texts_of_other_charsets(name: str, text: str) -> None:
    codec = CHARSETS[name.lower().replace("_", "-")]
    body = b"comment_content=" + text.encode(codec) + b"&blog_charset=" + name.encode()
    assert value(body) == text


def test_what_is_not_in_the_charset_is_replaced() -> None:
    assert value(b"comment_content=caf%E9") == "caf\ufffd"
    assert value(b"comment_content=a%81b", f"{FORM}; charset=iso-8859-1") == "a\ufffdb"


def test_every_named_charset_is_a_codec_that_reads_ascii() -> None:
    for name, codec in CHARSETS.items():
        assert codecs.lookup(codec).decode(b"a=1&b=2", "replace")[0] == "a=1&b=2", name


@pytest.mark.parametrize(
    "name", ["zip", "rot13", "idna", "punycode", "unicode_escape", "utf-7", "undefined", "x" * 10_000]
)
def test_a_codec_that_is_no_charset_is_not_used(name: str) -> None:
    assert charset_of(name) is None


def test_a_field_without_an_equals_sign_is_empty() -> None:
    found = read(b"", b"a=1&user_role&reporter=admin&&", FORM)
    assert found.get("user_role") == "" and "user_role" in found and found.get("reporter") == "admin"
    assert "is_test" not in found and "" not in found


def test_the_last_of_a_repeated_name_counts_and_the_body_before_the_query() -> None:
    assert value(b"comment_content=a&comment_content=b") == "b"
    assert value(b"comment_content=body", query=b"comment_content=query") == "body"
    assert value(b"", query=b"comment_content=query+text%21") == "query text!"


@pytest.mark.parametrize("kind", ["", "text/plain", "application/octet-stream", "nonsense; charset", FORM.upper()])
def test_any_other_body_is_a_form(kind: str) -> None:
    assert value(b"comment_content=a+b%26c", kind) == "a b&c"


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/vnd.api+json"])
def test_a_json_object_has_the_same_names(kind: str) -> None:
    sent = {
        "comment_content": "café",
        "is_test": True,
        "user_id": 7,
        "x": None,
        "comment_context": ["a", "b"],
        "y": {"a": 1},
    }
    found = read(b"api_key=abc", json.dumps(sent).encode(), kind)
    assert (found.get("comment_content"), found.get("is_test"), found.get("user_id")) == ("café", "true", "7")
    assert found.get("comment_context") == "b" and found.get("api_key") == "abc"
    assert "x" not in found and "y" not in found


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b'"a"', b'{"a": 1, "a": 2}', b"[" * 100_000, b'{"a":' * 50_000, b'{"a": ' + b"9" * 10_000 + b"}", b"\xff\xfe{"],
)  # fmt: skip
def test_a_body_that_is_not_the_json_that_it_says_to_be_has_no_parameters_of_ours(body: bytes) -> None:
    assert read(b"", body, "application/json").get("comment_content") == ""


def test_a_form_that_says_it_is_json_is_read_all_the_same() -> None:
    assert value(b"comment_content=words", "application/json") == "words"


def test_nothing_that_a_database_refuses_is_left() -> None:
    assert value(b"comment_content=a%00b") == "ab"
    assert value(b'{"comment_content": "a\\u0000b\\ud800c"}', "application/json") == "ab?c"


def test_parameters_past_the_most_are_ignored() -> None:
    body = b"comment_content=kept&" + b"x=1&" * (2 * MOST) + b"comment_content=late"
    assert value(body) == "kept"
    assert (
        value(json.dumps({"comment_content": "kept", "x": list(range(3 * MOST))}).encode(), "application/json")
        == "kept"
    )


@pytest.mark.parametrize(("text", "is_true"), [("1", True), ("true", True), ("True", True), (" true ", True), ("0", False),
                                               ("false", False), ("False", False), ("", False), ("no", False)])  # fmt: skip
def test_truth(text: str, is_true: bool) -> None:
    found = read(b"", b"is_test=" + text.encode(), FORM)
    assert found.is_true("is_test") is is_true and not found.is_true("missing")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    query=st.binary(max_size=60),
    body=st.binary(max_size=300) | json_values.map(lambda document: json.dumps(document).encode()),
    kind=st.text(max_size=30) | st.sampled_from([FORM, "application/json", "application/json; charset=gbk", f"{FORM}; charset=iso-2022-jp"]),
)  # fmt: skip
def test_no_bytes_are_an_error_and_every_text_can_be_stored(query: bytes, body: bytes, kind: str) -> None:
    found: Any = read(query, body, kind)
    for name, text in found._values.items():
        assert "\0" not in name + text
        (name + text).encode()
