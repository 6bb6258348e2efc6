"""The parameters of an Akismet request: from the query and a body of any content type, in any charset, without an error."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from moderation.web import bodies

BytePairs = list[tuple[bytes, bytes]]
TextPairs = list[tuple[str, str]]
MOST = 5_000
"""The most parameters of one request; further ones are ignored. WordPress sends each header and each field of the form."""
NESTED = 3
"""The deepest lists of a JSON value that are read."""

CHARSETS = {
    "utf-8": "utf-8", "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "us-ascii": "cp1252", "ascii": "cp1252", "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "l1": "cp1252",
    "iso-8859-9": "cp1254", "latin5": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "latin2": "iso8859_2", "koi8-r": "koi8_r", "koi8-u": "koi8_u", "ibm866": "cp866", "cp866": "cp866", "macintosh": "mac_roman",
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs", "big5-hkscs": "big5hkscs",
    "euc-jp": "euc_jp", "shift-jis": "cp932", "sjis": "cp932", "windows-31j": "cp932", "iso-2022-jp": "iso2022_jp",
    "euc-kr": "cp949", "ks-c-5601-1987": "cp949",
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in (*range(2, 9), 10, 13, 14, 15, 16)},
    **{f"{prefix}125{n}": f"cp125{n}" for n in range(9) for prefix in ("windows-", "cp")},
}  # fmt: skip
"""Name of a charset → Python's codec, as browsers map them (WHATWG Encoding). Other names are ignored: some of Python's codecs
are no charsets, and some take quadratic time."""


class Parameters:
    """The parameters by name. Of a repeated one, the last value counts."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values = dict(pairs)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str) -> str:
        """The value; empty if it is missing."""
        return self._values.get(name, "")

    def is_true(self, name: str) -> bool:
        """`1` and `true` are true; everything else and a missing parameter are false."""
        return self.get(name).strip().lower() in ("1", "true")


def read(query: bytes, body: bytes, content_type: str, parts: BytePairs | None = None) -> Parameters:
    """The parameters of a request; those of the body win. `parts`: the fields of a multipart body, read already."""
    kind, declared = kind_and_charset(content_type)
    texts: TextPairs | None = None
    if parts is None and is_json(kind):
        texts = json_pairs(body.decode(declared or "utf-8", "replace"))
    fields = parts if parts is not None else [] if texts is not None else urlencoded(body)
    pairs = urlencoded(query) + fields
    charset = declared or charset_of(last(pairs, b"blog_charset").decode("latin-1")) or "utf-8"
    decoded = [(name.decode(charset, "replace"), value.decode(charset, "replace")) for name, value in pairs]
    return Parameters((cleaned(name), cleaned(value)) for name, value in decoded + (texts or []))


def kind_and_charset(content_type: str) -> tuple[str, str | None]:
    """The media type, and the codec of the declared charset if it is a known one."""
    kind, _, options = content_type.partition(";")
    match = re.search(r"(?:^|;)\s*charset\s*=\s*\"?([^\s\";]*)", options[:1000], re.IGNORECASE)
    return kind.strip().lower(), charset_of(match[1]) if match else None


def charset_of(name: str) -> str | None:
    """The codec of a charset, by any of its names."""
    return CHARSETS.get(name.strip().lower().replace("_", "-")) if len(name) < 40 else None


def is_json(kind: str) -> bool:
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def urlencoded(raw: bytes) -> BytePairs:
    """The fields of a form; one without `=` has an empty value."""
    fields = raw.split(b"&", MOST)[:MOST]
    split = [field.replace(b"+", b" ").partition(b"=") for field in fields if field]
    return [(unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in split]


def last(pairs: BytePairs, name: bytes) -> bytes:
    return next((value for key, value in reversed(pairs) if key == name), b"")


def json_pairs(text: str) -> TextPairs | None:
    """The members of a JSON object as texts, lists as repeated names. None if it is not a JSON object."""
    try:
        document = (bodies.STRICT if len(text) <= bodies.AT_ONCE else bodies.Patient()).decode(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    pairs: TextPairs = []
    for name, value in document.items():
        pairs += [(name, one) for one in texts_of(value)]
        if len(pairs) > MOST:
            break
    return pairs[:MOST]


def texts_of(value: Any, depth: int = 0) -> list[str]:
    """A JSON value as the texts that a form would have; null and objects have none."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, int | float):
        return [str(value)]
    if isinstance(value, list) and depth < NESTED:
        return [text for one in value[:MOST] for text in texts_of(one, depth + 1)]
    return []


def cleaned(text: str) -> str:
    """Without U+0000 and lone surrogates, which no database stores."""
    text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text
