"""Addresses that no page links and that their sender means as links: bare hosts, `site (dot) com`, `hxxp://`, and contacts.

A host without a scheme counts where it begins with `www.`, where a path follows it (`x.example/deal`), or where it ends in a name
that prose and code do not end a word with (`.com`, `.ru`, `.casino`, `.co.uk`). `node.js`, `readme.md`, `e.g.`, `p.m.today` and
version numbers are none. How many good comments have such an address: docs/defences.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import idna

from classifier.streamsafe import normalize, stream_safe

READ = 65_536
"""Characters of a text that are searched; more than any comment of the default length."""
MOST = 100
"""Addresses that are told apart; a comment with three waits already."""

_ALONE = frozenset(
    [
        "com",
        "org",
        "info",
        "biz",
        "ru",
        "su",
        "cn",
        "kz",
        "ua",
        "eu",
        "uk",
        "jp",
        "kr",
        "vn",
        "br",
        "xyz",
        "top",
        "online",
        "site",
        "website",
        "shop",
        "store",
        "club",
        "icu",
        "vip",
        "casino",
        "bet",
        "poker",
        "porn",
        "sex",
        "cam",
        "loan",
        "loans",
        "money",
        "bid",
        "win",
        "click",
        "blog",
        "buzz",
        "cyou",
        "monster",
        "rest",
        "sbs",
        "cfd",
        "quest",
        "fun",
        "tk",
        "ml",
        "ga",
        "cf",
        "gq",
    ]
)
"""Ends of hosts that count without `www.` and without a path. `net` counts too, in small letters."""
_NO_HOST = frozenset(["asp.net", "ado.net", "vb.net", "system.net", "paint.net", "dot.net"])
_CODE = frozenset(
    [
        "js",
        "ts",
        "md",
        "py",
        "rs",
        "sh",
        "pl",
        "so",
        "cs",
        "cc",
        "php",
        "java",
        "json",
        "html",
        "htm",
        "css",
        "txt",
        "zip",
        "mov",
        "jar",
        "ps",
        "vi",
    ]
)
"""Ends of file names, or of their last part; some are countries too."""
_RESERVED = frozenset(("example", "test", "invalid", "onion"))
_WORDLIKE = frozenset(
    [
        "top",
        "online",
        "site",
        "website",
        "shop",
        "store",
        "club",
        "vip",
        "bet",
        "win",
        "click",
        "blog",
        "buzz",
        "monster",
        "rest",
        "quest",
        "fun",
        "bid",
        "loan",
        "loans",
        "money",
        "cam",
    ]
)
"""Words. After a capital letter they begin a sentence whose space is missing: `I saw it.Top marks`."""

_DOTTED = re.compile(r"[.\u3002\uff0e\uff61\u2024]\w")
_SIGNS = (
    " dot ",
    "dot)",
    "dot]",
    "dot}",
    "(.",
    "[.",
    "{.",
    "<.",
    " .",
    ". com",
    "hxx",
    "h**p",
    "http",
    "punkt",
    "punto",
    "ponto",
    "point",
)
"""A text without any of them and without a dot before a letter has no address."""
_CONTACT_SIGNS = (
    *("support", "help", "toll", "hotline", "whats", "viber", "telegram", "skype", "wechat", "signal", "call ", "dial"),
    *("escort", "service", "care", "number", "text us", "text me"),
)

_DOT = re.compile(
    r"\s*[(\[{<]\s*(?:dot|punkt|punto|ponto|point|\.|,)\s*[)\]}>]\s*|[\u3002\uff0e\uff61\u2024]", re.IGNORECASE
)
"""`(dot)`, `[.]`, and dots of other scripts."""
_SPOKEN = re.compile(
    r"(?<![\w.])(?!(?:the|a|an|this|that|these|those|our|early|old|late|new|first|every|another|great|of|pre|post)\b)"
    r"([a-z0-9][a-z0-9-]{1,62})\s+dot\s+(com|net|org|info|biz|ru|co\s+dot\s+uk|co|io|xyz|top|site|online|shop|me|cn)\b",
    re.IGNORECASE,
)
_SPACED = re.compile(
    r"(?<=[a-z0-9-])\s+\.\s*(?=(?:com|ru|org|info|xyz|site|online|shop|top)\b)|(?<=[a-z0-9-])\.\s(?=com\b)"
)
"""`casino .com`, `casino . com`, `casino. com`."""
_SCHEME = re.compile(
    r"\bh\s?(?:xx|\*\*|tt)\s?p\s?s?\s?(?::\s?/\s?/\s?|:\s?\\\s?\\\s?|\s?\(?:\)?\s?//\s?|\[:\]//|://\s+)", re.IGNORECASE
)
_LINKED = re.compile(r"https?://\S*", re.IGNORECASE)
_ZERO_WIDTH = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_HOST = re.compile(
    r"(?<![\w@./\\:=#-])(?<!href=[\"'])(?P<host>[^\W_](?:[\w-]{0,61}\w)?(?:\.[^\W_](?:[\w-]{0,61}\w)?){1,8})\.?"
    r"(?P<port>:\d{2,5})?(?:(?P<path>[/\\](?=[^\s/\\])|[?#](?=[\w&=%-]))|(?![\w@(]))"
)
_PHONE = re.compile(r"(?<![\w.,/-])(?:\+|\(?00)?[\d(][\d().\s/\u2010-\u2015-]{6,20}\d(?![\w/])")
_BEFORE_HANDLES = (":", "=", "@", ">", "+", "-")
_DIGITS = re.compile(r"\d[\d().\s/\u2010-\u2015-]{5,}\d")
"""What every contact has: a sign between a messenger and its handle, or the digits of a telephone number."""
_HELP = re.compile(
    r"\b(?:(?:customer|technical|tech|phone|help)\s*-?\s*(?:care|service|support|line|desk)|helpline|hotline|toll\s*-?\s*free|"
    r"support\s+(?:phone\s+)?(?:number|line|team)|(?:phone|contact|whats\s?app|helpline|service)\s+(?:number|no\b)|whats\s?app|"
    r"viber|telegram|call\s+(?:us|now|me|girls?)|text\s+(?:us|me)|escorts?|dial)\b",
    re.IGNORECASE,
)
_HANDLE = re.compile(
    r"\b(?:telegram|whats\s?app|skype|viber|wechat|signal)\b\s{0,2}(?:[:=@>-]{1,3}|\+)\s{0,2}@?(?:\w{5,32}|\d[\d\s-]{6,18}\d)(?=\W|$)",
    re.I,
)


def hosts(text: str) -> list[str]:
    """One host for each such address of a plain text, in order; "" for a contact (a telephone number of a help line, a handle of
    a messenger). Addresses that begin with http:// or https:// are none: they are linked."""
    text = text[:READ]
    if not text.isascii():
        text = _ZERO_WIDTH.sub("", text)
        text = normalize("NFKC", text) if _needs_folding(text) and stream_safe(text) == text else text
    low = text.lower()
    may_hold = _any_in(_BEFORE_HANDLES, low) or _DIGITS.search(low)
    contacts = _contacts(text) if may_hold and _any_in(_CONTACT_SIGNS, low) else 0
    if not _DOTTED.search(text) and not _any_in(_SIGNS, low):
        return [""] * contacts
    plain = _SPACED.sub(".", _DOT.sub(".", text)) if _any_in(_SIGNS, low) or not text.isascii() else text
    plain = _LINKED.sub(" ", plain) if "://" in plain else plain
    plain = _SPOKEN.sub(_written, plain) if " dot " in low else plain
    plain = _SCHEME.sub(" www.", plain) if "h" in low else plain
    named = [host for match in _HOST.finditer(plain) if (host := _host(match, text))][:MOST]
    return named + [""] * min(contacts, MOST)


def _written(spoken: re.Match[str]) -> str:
    """`casino dot com` → `casino.com`, with a path, since nobody says it without meaning an address."""
    return f"{spoken[1]}.{'.'.join(spoken[2].split()[::2])}/x"


def _any_in(parts: Iterable[str], text: str) -> bool:
    for part in parts:  # noqa: SIM110 - a third of the time of `any` with a generator, for every comment
        if part in text:
            return True
    return False


def _needs_folding(text: str) -> bool:
    """Whether letters of it are styled or wide ones (`𝐜𝐚𝐬𝐢𝐧𝐨．𝐜𝐨𝐦`)."""
    return any(
        "\uff01" <= c <= "\uff5e" or "\U0001d400" <= c <= "\U0001d7ff" or "\u2460" <= c <= "\u24ff" for c in text
    )


def _host(match: re.Match[str], text: str) -> str:
    """The host of a match as it is compared; "" if it is none."""
    written = match["host"]
    host = written.lower()
    labels = host.split(".")
    last, has_www, has_path = labels[-1], labels[0].startswith("www") and len(labels) > 2, bool(match["path"])
    if host in _NO_HOST or not any(c.isalpha() for c in host) or not last[0].isalpha() or len(labels[-2]) < 1:
        return ""
    if has_www:
        return ascii_host(host)
    if last not in top_level() or (last in _CODE and labels[-2] not in ("wa", "t")):
        return ""
    if len("".join(labels[:-1])) < 2 and not (has_path and labels[-2] in ("t", "x", "g")):
        return ""
    if match["path"] or match["port"]:
        return ascii_host(host) if labels[-2].strip("0123456789") or match["port"] is None else ""
    ending, name = written.rpartition(".")[2], written.split(".")[-2]
    if ending.istitle() and not (name.istitle() or name.isupper()) and last in _WORDLIKE:
        return ""
    if last == "net":
        return ascii_host(host) if ending == "net" or (ending == "NET" and name.isupper()) else ""
    if (
        last in _ALONE
        or (len(labels) > 2 and labels[-2] in ("co", "com", "org", "net", "gov", "ac"))
        or last.startswith("xn--")
    ):
        return ascii_host(host)
    return ""


def _contacts(text: str) -> int:
    """Telephone numbers beside words of a help line, and handles of messengers."""
    handles = len(_HANDLE.findall(text))
    if handles or not _HELP.search(text):
        return handles
    return sum(8 <= sum(map(str.isdigit, number)) <= 15 for number in _PHONE.findall(text))


def ascii_host(host: str) -> str:
    """A host as links have it: small letters, punycode, without a dot at its end. "" where it is none."""
    host = host.strip(".").lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode() if len(host) <= 253 and stream_safe(host) == host else ""
    except (idna.IDNAError, UnicodeError):
        return ""


@cache
def public_suffixes() -> frozenset[str]:
    """Mozilla's list of public suffixes (publicsuffix.org), as the package `publicsuffixlist` brings it, in ASCII and as written;
    a wild card stands for its parent."""
    listed = files("publicsuffixlist").joinpath("public_suffix_list.dat").read_text("utf-8")
    names = {
        line.split()[0].lstrip("*.!") for line in listed.splitlines() if line.strip() and not line.startswith("//")
    }
    return frozenset(names | {ascii_host(name) for name in names if not name.isascii()})


@cache
def top_level() -> frozenset[str]:
    """Every top-level domain, and those that are reserved for examples (RFC 2606)."""
    return frozenset(name for name in public_suffixes() if "." not in name) | _RESERVED
