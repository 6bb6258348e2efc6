"""Request bodies: any bytes become fields or a Problem, and their limits are told while reading."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from moderation.core.problem import BadRequest, FieldError, Invalid, Problem, TooLarge, Unsupported
from moderation.web import bodies
from moderation.web.cors import problem_answer

pytestmark = pytest.mark.anyio
quick = settings(max_examples=200, deadline=None, derandomize=True)

BOUNDARY = "gate"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def request_of(*parts: bytes, **headers: str) -> Request:
    """A request whose body comes in these parts, and then never again."""
    waiting = list(parts)

    async def receive() -> dict[str, Any]:
        assert waiting, "read beyond what was needed"
        part = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    sent = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": sent}, receive)


async def fields(raw: bytes, kind: str = URLENCODED) -> list[tuple[str, str]]:
    return await bodies.form_fields(request_of(content_type=kind), raw)


def part(name: str, value: str, more: str = "") -> str:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


# --- JSON --------------------------------------------------------------------------------------------------------------


@quick
@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(str.encode)
    | st.lists(st.sampled_from(['"', "{", "}", "[", "]", ":", ",", "a", "\\u0000", "\\ud800", "1", "e9", "-", "NaN", " "])).map(
        lambda bits: "".join(bits).encode()
    )
)  # fmt: skip
def test_any_bytes_are_an_object_or_a_problem_that_can_be_said(raw: bytes) -> None:
    try:
        found = bodies.json_object(raw)
    except Problem as problem:
        assert isinstance(problem, BadRequest | Invalid)
        json.loads(problem_answer(problem).body)
        return
    assert isinstance(found, dict)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8).filter(lambda t: "\0" not in t), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@quick
@given(st.dictionaries(st.text(max_size=8).filter(lambda t: "\0" not in t), json_values, max_size=5))
def test_an_object_comes_back_as_it_was_sent(sent: dict[str, Any]) -> None:
    assert bodies.json_object(json.dumps(sent).encode()) == sent


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense", b"[]", b'"text"', b"5", b"null", b"{", b'{"a":1}x', b"\xff\xfe", b'{"a":"\xff"}', b"{'a': 1}",
     b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":"\x00"}', b'{"a":"\\u0000"}', b'{"\\u0000":1}',
     b'{"a":[{"b":"x\\u0000"}]}', '{"a":1}'.encode("utf-16"), b"[" * 100_000, b'{"a":' * 100_000,
     b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"a":' + b"9" * 100_000 + b"}", b'{"a":"\n"}'],
)  # fmt: skip
def test_what_cannot_be_read_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        bodies.json_object(raw)


@pytest.mark.parametrize("depth", [50, 500, 900, 950, 980, 990, 995, 1000, 1100, 3000])
def test_deep_json_is_read_or_refused_but_never_breaks(depth: int) -> None:
    try:
        assert bodies.json_object(b'{"a":' * depth + b"1" + b"}" * depth)
    except BadRequest:
        assert depth > 50


def test_a_byte_order_mark_is_passed_over() -> None:
    assert bodies.json_object(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


@pytest.mark.parametrize(
    ("raw", "named"),
    [(b'{"a":1,"a":1}', "a"), (b'{"x":{"b":1,"c":2,"b":3}}', "b"), (b'{"\\ud800":1,"\\ud800":2}', "?"),
     (b'{"a":1,"\\u0061":2}', "a"), (b'{"' + b"k" * 200 + b'":1,"' + b"k" * 200 + b'":1}', "k" * 80)],
)  # fmt: skip
def test_a_key_that_stands_twice_is_named(raw: bytes, named: str) -> None:
    with pytest.raises(Invalid) as caught:
        bodies.json_object(raw)
    assert caught.value.errors == (FieldError(named, "invalid", "is given twice"),)
    json.loads(problem_answer(caught.value).body)


def test_many_keys_cost_no_more_than_reading_them() -> None:
    many = ",".join(f'"{i}":1' for i in range(90_000))
    began = time.perf_counter()
    with pytest.raises(Invalid):
        bodies.json_object(f'{{{many},"last":1,"last":1}}'.encode())
    assert time.perf_counter() - began < 5, "comparing each key with each other takes minutes"


# --- limits ------------------------------------------------------------------------------------------------------------


async def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not() -> None:
    assert await bodies.read(request_of(b"x" * 10, b"y" * 6), 16) == b"x" * 10 + b"y" * 6
    with pytest.raises(TooLarge) as caught:
        await bodies.read(request_of(b"x" * 10, b"y" * 7), 16)
    assert caught.value.headers["Connection"] == "close"


async def test_a_declared_length_is_refused_before_anything_is_read() -> None:
    async def refuse() -> AsyncIterator[bytes]:
        raise AssertionError("read")
        yield b""

    for length in ("17", "1073741824", "9" * 5000):
        request = request_of(content_length=length)
        request.stream = refuse  # type: ignore[method-assign]
        with pytest.raises(TooLarge):
            await bodies.read(request, 16)


@pytest.mark.parametrize("length", ["", "16", "0", "-5", "²", "nonsense"])
async def test_an_odd_declared_length_is_not_believed(length: str) -> None:
    assert await bodies.read(request_of(b"short", content_length=length), 16) == b"short"


async def test_reading_stops_at_the_limit() -> None:
    """The second part is never asked for: the fake connection fails if it is."""
    with pytest.raises(TooLarge):
        await bodies.read(request_of(b"x" * 17, b"never"), 16)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, identity"])
async def test_a_coded_body_is_unsupported(coding: str) -> None:
    with pytest.raises(Unsupported):
        await bodies.read(request_of(b"x", content_encoding=coding))


# --- forms -------------------------------------------------------------------------------------------------------------


async def test_fields_come_in_order_and_blank_ones_stay() -> None:
    assert await fields(b"b=2&a=&c=%C3%A9+x&b=3") == [("b", "2"), ("a", ""), ("c", "é x"), ("b", "3")]
    raw = part("b", "2") + part("a", "") + part("c", "é x") + f"--{BOUNDARY}--\r\n"
    assert await fields(raw.encode(), MULTIPART) == [("b", "2"), ("a", ""), ("c", "é x")]


@pytest.mark.parametrize(
    "raw", [b"a=\xff", b"a=%ff", b"%ff=a", b"a=\x00", b"a=%00", b"%00=1", b"&".join([b"a=1"] * 101)]
)
async def test_an_encoded_form_that_cannot_be_read_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        await fields(raw)


END = f"--{BOUNDARY}--\r\n"
BROKEN = [
    b"nonsense",
    b"--gate",
    part("a", "half a form").encode(),
    b"--gate\r\n\r\nno disposition\r\n--gate--\r\n",
    b"--gate\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--gate--\r\n",
    b"--gate\r\nbroken header\r\n\r\nx\r\n--gate--\r\n",
    (part("a", "x\0") + END).encode(),
    (part("a\0", "x") + END).encode(),
    (part("a", "é") + END).encode("latin-1"),
    ("".join(part(f"f{i}", "1") for i in range(101)) + END).encode(),
    ("".join(part(f"f{i}", "1", '; filename="a"') for i in range(101)) + END).encode(),
]


@pytest.mark.parametrize("raw", BROKEN)
async def test_a_multipart_form_that_cannot_be_read_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        await fields(raw, MULTIPART)


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other",
     "multipart/form-data; boundary=gate; charset=utf-7", "multipart/form-data; boundary=gate; charset=nonsense",
     "multipart/form-data; boundary=\xff\xfe", f"multipart/form-data; boundary={'x' * 300}"],
)  # fmt: skip
async def test_a_multipart_form_of_an_odd_type_is_a_bad_request(kind: str) -> None:
    with pytest.raises(BadRequest):
        await fields((part("a", "x") + END).encode(), kind)


async def test_a_file_is_refused_by_name_and_what_was_typed_beside_it_is_kept() -> None:
    raw = part("name", "Ann") + part("body", "text", '; filename="a.txt"') + part("url", "") + END
    with pytest.raises(bodies.HasFile) as caught:
        await fields(raw.encode(), MULTIPART)
    assert caught.value.errors == (FieldError("body", "invalid", "must be a text, not a file"),)
    assert caught.value.typed == {"name": "Ann", "url": ""}


@quick
@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_any_bytes_as_a_form_are_fields_or_a_problem(raw: bytes, many: bool, framed: bool) -> None:
    import asyncio

    if framed:
        raw = f"--{BOUNDARY}\r\n".encode() + raw + f"\r\n{END}".encode()
    try:
        asyncio.run(fields(raw, MULTIPART if many else URLENCODED))
    except Problem as problem:
        assert isinstance(problem, BadRequest | Invalid)
        json.loads(problem_answer(problem).body)


def test_a_field_that_comes_twice_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        bodies.single([("a", "1"), ("b", "2"), ("a", "1"), ("c", "3"), ("c", "4")])
    assert [e.field for e in caught.value.errors] == ["a", "c"]
    assert bodies.single([("a", "1"), ("b", "2")]) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("", ""),
        (";", ""),
    ],
)
def test_the_kind_is_the_media_type_alone(sent: str, kind: str) -> None:
    assert bodies.kind_of(request_of(content_type=sent)) == kind
