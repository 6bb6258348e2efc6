"""The key of a page: from its address, and in its one spelling. `keyOf` in intake/element/dom.js does the same."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from classifier.streamsafe import normalize

LONGEST = 200
AS_IN_PATHS = "/%!$&'()*+,;=:@|[]"
"""Characters that browsers keep in a path, besides letters, digits and `-._~` (WHATWG URL, path percent-encode set)."""
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_OTHER = re.compile(r"[^A-Za-z0-9._~-]")
_X, _C = "[0-9a-fA-F]", "-[89abAB][0-9a-fA-F]"
_CHARACTER = re.compile(rf"-(?:[c-dC-D]{_X}{_C}|[eE]{_X}(?:{_C}){{2}}|[fF][0-4](?:{_C}){{3}})")
"""A character beyond ASCII as a key has it: its bytes in UTF-8, each as `-` and two digits."""
TRACKING = re.compile(
    r"(utm_\w+|fbclid|gclid|dclid|msclkid|yclid|twclid|gbraid|wbraid|mc_[ce]id|_ga|_gl|igshid|ref|ref_src|share|shared|"
    r"replytocom|unapproved|moderation-hash|preview|preview_id|preview_nonce|print|cpage|like_comment|_wpnonce|"
    r"PHPSESSID|jsessionid|sid)(=.*)?|(amp|m)(=[01]?)?",
    re.IGNORECASE | re.DOTALL,
)
"""Parameters that name no page: where a reader came from, and how the page is shown."""


def key_of(url: str) -> str:
    """The key of a page by its address. Empty for an invalid address.

    It is the path with `~` for inner slashes; `~` alone is the site's first page. A query belongs to the page's name, as in
    `viewtopic.php?t=2`, without parameters of campaigns. A page without a path but with a query (`/?p=12`) gets its key from
    the query, and what follows `#!` names a page too, as crawlers once read it. Percent escapes are compared in one case (RFC 3986, 6.2.2.1), characters in their composed form (UAX #15).
    """
    try:
        parts = urlsplit(url.strip())
        named = parts.path.strip("/"), naming(parts.query), parts.fragment if parts.fragment.startswith("!") else ""
        path, query, place = (quote(part, safe=AS_IN_PATHS) for part in named)
    except ValueError:
        return ""
    if not url.strip():
        return ""
    path = f"{path}?{query}" if path and query else path or query
    path = _ESCAPE.sub(lambda escape: escape[0].upper(), f"{path}#{place}" if place else path)
    return spelled(_OTHER.sub(_spelled, path))


def naming(query: str) -> str:
    """The parameters of a query that name the page, as they are written."""
    return "&".join(one for one in query.split("&") if one and not TRACKING.fullmatch(one))


def spelled(key: str) -> str:
    """The one spelling of a key; each key has it, in the API, forms, imports and the embed. A longer one keeps a digest."""
    if len(key) == LONGEST:
        return key  # the digest is part of it
    text = normalize("NFC", _CHARACTER.sub(_character, key))
    key = _OTHER.sub(_spelled, text)
    if key in ("", ".", ".."):
        return "~" + key
    return key if len(key) <= LONGEST else f"{key[: LONGEST - 17]}-{digest(key)}"


def digest(key: str) -> str:
    """64 bits of a long key: two multiplicative hashes (FNV-1a and one of another base), which a script computes in a line."""
    first, second = 0x811C9DC5, 0x9E3779B9
    for byte in key.encode():
        first = (first ^ byte) * 0x01000193 & 0xFFFFFFFF
        second = (second ^ byte) * 0x5BD1E995 & 0xFFFFFFFF
    return f"{first:08x}{second:08x}"


def _spelled(other: re.Match[str]) -> str:
    if other[0] in "/%":
        return "~" if other[0] == "/" else "-"
    return f"-{ord(other[0]):x}" if other[0] < "\x80" else quote(other[0]).replace("%", "-")


def _character(escaped: re.Match[str]) -> str:
    try:
        return bytes.fromhex(escaped[0].replace("-", "")).decode()
    except UnicodeDecodeError:
        return escaped[0]
