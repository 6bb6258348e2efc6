"""Request bodies: limits apply while reading, and parsing is strict."""

from __future__ import annotations

import asyncio
import json
import json.decoder
import json.scanner
from collections.abc import AsyncGenerator, Callable, Collection
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from moderation.core.offload import REQUESTS
from moderation.core.problem import BadRequest, FieldError, Invalid, TooLarge, Unsupported
from moderation.web.headers import header_of

COMMENTS, SCORES, ELSE = 1024 * 1024, 32 * 1024 * 1024, 256 * 1024
"""Bytes."""
FIELDS = 100
AT_ONCE = 16 * 1024
"""Bytes up to which a body is parsed at once on the event loop: a comment of ten thousand letters has fewer."""


async def read(request: Request, most: int = ELSE) -> bytes:
    """The whole body. Raises TooLarge as soon as the limit is passed."""
    encoding = header_of(request, b"content-encoding")
    if encoding is not None and encoding != "identity":
        raise Unsupported(f"Send the body as it is, not as {encoding[:40]!r}.")
    declared = header_of(request, b"content-length") or ""
    if declared.isascii() and declared.isdigit() and (len(declared) > 18 or int(declared) > most):
        raise TooLarge(f"At most {most} bytes.", headers={"Connection": "close"})
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge(f"At most {most} bytes.", headers={"Connection": "close"})
        parts.append(part)
    return b"".join(parts)


async def read_json(request: Request, most: int = ELSE) -> dict[str, Any]:
    """The JSON object of a request. A missing content type is accepted; another one raises Unsupported."""
    if kind_of(request) not in ("application/json", ""):
        raise Unsupported("Send application/json.", headers={"Accept": "application/json"})
    return await parsed(await read(request, most))


async def parsed(raw: bytes) -> dict[str, Any]:
    """`json_object`; long bodies are parsed off the event loop."""
    return await REQUESTS.run(json_object, raw, here=len(raw) <= AT_ONCE)


VALUES = 100_000
"""The most values in a JSON document longer than AT_ONCE."""
decoder: Any = json.decoder
scanner: Any = json.scanner
"""The parser's Python parts, which the type stubs lack."""


class Twice(ValueError):
    """An object has the same key twice."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen = set[str]()
        for key, _ in pairs:
            if key in seen:
                raise Twice(key)
            seen.add(key)
    return found


def refuse_constant(text: str) -> Any:
    raise ValueError(text)


class Patient(json.JSONDecoder):
    """The standard library's parser in Python, with strings in C. The C parser keeps the interpreter's lock to the end, and
    1 MiB can contain 350,000 lists; legitimate requests have fewer than VALUES values."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=once, parse_constant=refuse_constant)
        self._left = VALUES
        self.parse_array = lambda at, scan: decoder.JSONArray(at, partial(self._count, scan))
        self.parse_object = lambda at, strict, scan, *how: decoder.JSONObject(
            at, strict, partial(self._count, scan), *how
        )
        self.scan_once = scanner.py_make_scanner(self)

    def _count(self, scan: Callable[[str, int], Any], text: str, at: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many values")
        return scan(text, at)


STRICT = json.JSONDecoder(object_pairs_hook=once, parse_constant=refuse_constant)
"""One for all bodies up to AT_ONCE: `json.loads` makes a new decoder at each call, which takes longer than a comment's body."""


def json_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises BadRequest if it is not a JSON object in UTF-8, Invalid for a repeated key."""
    try:
        text = raw.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    try:
        document = (STRICT if len(raw) <= AT_ONCE else Patient()).decode(text)
    except Twice as twice:
        raise Invalid(FieldError(shown(str(twice)), "invalid", "is given twice")) from None
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON.") from None
    if not isinstance(document, dict):
        raise BadRequest("The body must be a JSON object.")
    if "\\u0000" in text:  # raw, the decoder refuses it
        refuse_nul(document)
    return document


def shown(name: str) -> str:
    """The start of an unknown field's name, safe to show in an answer."""
    return name[:80].replace("\0", "").encode("utf-8", "replace").decode()


def refuse_nul(value: Any) -> None:
    """Raises BadRequest for U+0000 at any depth. Not recursive: the recursion limit is lower than the parser's depth."""
    waiting = [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, str):
            if "\0" in inner:
                raise BadRequest(HAS_NUL)
        elif isinstance(inner, dict):
            waiting += inner.keys()
            waiting += inner.values()
        elif isinstance(inner, list):
            waiting += inner


def kind_of(request: Request) -> str:
    """The media type, without parameters."""
    return (header_of(request, b"content-type") or "").partition(";")[0].strip().lower()


def is_form(kind: str) -> bool:
    return kind in ("application/x-www-form-urlencoded", "multipart/form-data")


class Unstorable(BadRequest):
    """A form's text is not UTF-8 or has U+0000. `typed` holds the form's texts as far as they can be shown."""

    def __init__(self, detail: str, pairs: list[tuple[str, str]]) -> None:
        super().__init__(detail)
        self.typed = {name: value.replace("\0", "") for name, value in pairs}


NOT_UTF_8, HAS_NUL = "The form is not UTF-8.", "U+0000 cannot be stored; leave it out."
OTHERWISE = "windows-1252"
"""The encoding of a form that is not UTF-8, for showing it again: that of most old pages (HTML Standard, encoding sniffing)."""


async def form_fields(request: Request, raw: bytes) -> list[tuple[str, str]]:
    """The form's names and values in order. Raises BadRequest, or Invalid for a file in place of a text."""
    if kind_of(request) == "multipart/form-data":
        return await multipart(request, raw)
    return await REQUESTS.run(urlencoded, raw, here=len(raw) <= AT_ONCE)


def urlencoded(raw: bytes) -> list[tuple[str, str]]:
    """Raises BadRequest."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except UnicodeDecodeError:
        read = parse_qsl(
            raw.decode(OTHERWISE, "replace"), keep_blank_values=True, encoding=OTHERWISE, errors="replace",
            max_num_fields=FIELDS,
        ) if raw.count(b"&") < FIELDS else []  # fmt: skip
        raise Unstorable(NOT_UTF_8, read) from None
    except ValueError:
        raise BadRequest(f"The form has more than {FIELDS} fields.") from None
    refuse_nul_of(pairs)
    return pairs


def refuse_nul_of(pairs: list[tuple[str, str]]) -> None:
    if any("\0" in text for pair in pairs for text in pair):
        raise Unstorable(HAS_NUL, pairs)


class HasFile(Invalid):
    """A file is in place of a text. `typed` holds the form's texts."""

    def __init__(self, typed: dict[str, str], *names: str) -> None:
        super().__init__(*(FieldError(shown(name), "invalid", "must be a text, not a file") for name in names))
        self.typed = typed


async def multipart(request: Request, raw: bytes) -> list[tuple[str, str]]:
    _, options = parse_options_header(request.headers.get("content-type", ""))
    charset = options.get(b"charset", b"utf-8").decode("latin-1").lower()
    if charset not in ("utf-8", "utf8"):
        raise BadRequest(NOT_UTF_8)
    if b"--%s--" % options.get(b"boundary", b"") not in raw:  # the parser accepts a truncated form
        raise BadRequest("The form cannot be read: it ends before its last boundary.")

    try:
        raw.decode()
    except UnicodeDecodeError:
        read, _ = await parts(request, raw.decode(OTHERWISE, "replace").encode())
        raise Unstorable(NOT_UTF_8, read) from None
    pairs, files = await parts(request, raw)
    if any("\0" in name for name in files):
        raise BadRequest(HAS_NUL)
    refuse_nul_of(pairs)
    if files:
        raise HasFile(dict(pairs), *dict.fromkeys(files))
    return pairs


async def parts(request: Request, raw: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """The texts of a multipart form, and the names of its files. Raises BadRequest."""

    async def stream() -> AsyncGenerator[bytes, None]:
        for at in range(0, len(raw), AT_ONCE):
            if at:
                await asyncio.sleep(0)  # let other tasks run: line ends and partial boundaries are parsed byte by byte
            yield raw[at : at + AT_ONCE]

    try:
        parser = MultiPartParser(
            request.headers, stream(), max_files=FIELDS, max_fields=FIELDS, max_part_size=max(len(raw), 1)
        )
        form = await parser.parse()
    except UnicodeDecodeError:
        raise BadRequest(NOT_UTF_8) from None
    except (MultiPartException, KeyError, ValueError, AssertionError):
        raise BadRequest("The form cannot be read: it is not multipart/form-data (RFC 7578).") from None
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    files = [name for name, value in form.multi_items() if isinstance(value, UploadFile)]
    await form.close()
    return pairs, files


class Form(dict[str, str]):
    """A form's fields, each once, and all values of fields that may be repeated."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


async def read_form(request: Request) -> Form:
    """The request's form. Raises BadRequest, TooLarge, Unsupported, or Invalid for a file in place of a text."""
    return Form(await form_fields(request, await read(request)))


def single(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Raises Invalid for a repeated field."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise Invalid(*(FieldError(shown(name), "invalid", "is given twice") for name in twice))
    return found


async def answer_to_mail(request: Request, acts: Collection[str], unsubscribe: str) -> tuple[str, bool]:
    """The chosen one of `acts` from a page linked in a mail; or `unsubscribe` and True for a mail program's one-click button
    (RFC 8058), which follows no redirect. Raises Invalid otherwise."""
    typed = single(await form_fields(request, await read(request)))
    if typed.get("List-Unsubscribe") == "One-Click":
        return unsubscribe, True
    act = typed.get("act", "")
    if act not in acts:
        raise Invalid(FieldError("act", "invalid", f"must be one of {', '.join(acts)}"))
    return act, False
