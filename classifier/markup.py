"""Markup → plain text: a comment says the same in every form of writing it. Standard library only.

HTML, BBCode, Markdown and what WordPress's form makes of links become one form: no tags and no emphasis, entities as characters,
and each address bare, behind the words that link to it, without what one form adds to it (`https` or `www.` in place of
`http://`, a slash at its end). The form of a comment's markup is that of a site, so it may teach and tell nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

_ADDRESS = r"(?:https?://|www\.)[^\s<>\"'\[\]()]{1,500}"
_BLOCKS = frozenset(
    ["p", "br", "div", "li", "ul", "ol", "blockquote", "pre", "table", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "hr"]
)  # fmt: skip
_INLINE = (
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "center", "cite", "code", "del", "dfn", "em", "font", "i", "img", "ins",
    "kbd", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var",
)  # fmt: skip
_TOKEN = re.compile(
    rf"""(?P<bare>{_ADDRESS})
    |(?P<link><a\b[^<>]{{0,400}}>|\[(?:url|link)=[^\[\]]{{1,500}}\])
    |(?P<unlink></a\s{{0,9}}>|\[/(?:url|link)\])
    |(?P<tag></?(?P<name>{"|".join([*sorted(_BLOCKS), *_INLINE])})\b[^<>]{{0,400}}>|<!--[^<>]{{0,400}}-->
       |\[/?(?:url|link|b|i|u|s|img|quote|code|size|color|center|list|email)(?:=[^\[\]]{{0,100}})?\])
    |(?P<entity>&(?:\#\d{{1,7}}|\#x[0-9a-f]{{1,6}}|[a-z][a-z0-9]{{1,20}});)
    |(?P<close>\]\(\s{{0,9}}<?(?P<to>[^\s()<>]{{1,500}}(?:\([^\s()<>]{{0,100}}\)[^\s()<>]{{0,100}})?)>?
       (?:\s{{1,9}}["'][^"'\n]{{0,200}}["'])?\s{{0,9}}\))
    |(?P<boxed>[\[<(](?P<inside>{_ADDRESS})[\]>)](?!\())
    |(?P<open>!?\[)
    |(?P<start>\n[ \t]{{0,3}}(?:>[ \t]?|\#{{1,6}}[ \t]+|[-*+][ \t]+)+)
    |(?P<marks>\*{{1,3}}|_{{1,3}}|~~|`{{1,3}})
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_START = re.compile(r"[ \t]{0,3}(?:>[ \t]?|\#{1,6}[ \t]+|[-*+][ \t]+)+")
_BEGINS = re.compile(r"<|\(http|\(www|\[|\]|&|\*|_|~~|`|!\[|http://|https://|Http|HTTP|www\.|WWW\.|\n[ \t]{0,3}[-+>#*]")
"""Where a token may begin. Each alternative begins with a letter, so that texts are searched as fast as for a set of letters."""
_HREF = re.compile(r"""(?:href\s{0,9}=\s{0,9}|\[(?:url|link)=)["']?([^"'<>\[\]\s]{1,500})""", re.IGNORECASE)
_SOURCE = re.compile(r"""src\s{0,9}=\s{0,9}["']?([^"'<>\[\]\s]{1,500})""", re.IGNORECASE)
_SCHEME = re.compile(r"(?:https?:)?//(?:www\.)?|www\.|mailto:", re.IGNORECASE)
_WITHIN = re.compile(r"[#?]|/(?!/)")
"""How an address within the site begins."""
_ADDED = ".,;:!?"
"""What follows an address in a sentence."""


class Piece(NamedTuple):
    """Text, and where it stood: each character at its own place from `at` on, or all of them at `at`."""

    text: str
    at: int
    each: bool


def plain(text: str) -> str:
    """The text without markup."""
    if not _BEGINS.search(text) and not _START.match(text):
        return text
    return "".join(piece.text for piece in pieces(text))


def pieces(text: str) -> list[Piece]:
    """The same in pieces, with their places in the original."""
    out: list[Piece] = []
    links: list[tuple[int, str, int]] = []
    brackets: list[int] = []
    marks: dict[str, list[int]] = {}
    first = _START.match(text)
    done = at = first.end() if first else 0
    while candidate := _BEGINS.search(text, at):
        match = _TOKEN.match(text, candidate.start())
        if match is None:
            at = candidate.start() + 1
            continue
        begin, at = match.span()
        if done < begin:
            out.append(Piece(text[done:begin], done, True))
        done = at
        match match.lastgroup if match.lastgroup not in ("name", "to", "inside") else _outer(match):
            case "bare":
                address = match[0].rstrip(_ADDED)
                out += [Piece(bare(address), begin, False), Piece(match[0][len(address) :], begin + len(address), True)]
            case "boxed":
                out.append(Piece(f" {bare(match['inside'])} ", begin + 1, False))
            case "link":
                found = _HREF.search(match[0])
                links.append((len(out), found[1] if found else "", begin + (found.start(1) if found else 0)))
            case "unlink":
                out += _linked(out, links.pop() if links else None)
            case "tag":
                out += _of_tag(match, begin)
            case "entity":
                out.append(Piece(html.unescape(match[0]), begin, False))
            case "start":
                out.append(Piece("\n", begin, True))
            case "open":
                brackets.append(len(out))
                out.append(Piece(match[0], begin, True))
            case "close":
                opened = brackets.pop() if brackets else None
                if opened is None:
                    out.append(Piece(match[0], begin, True))
                else:
                    out[opened] = Piece("", out[opened].at, True)
                    out += _linked(out, (opened, match["to"], match.start("to")))
            case "marks":
                out.append(Piece(_emphasis(text, match, out, marks), begin, True))
    if done < len(text):
        out.append(Piece(text[done:], done, True))
    while links:
        out += _linked(out, links.pop())
    return _joined([piece for piece in out if piece.text])


def _joined(found: list[Piece]) -> list[Piece]:
    """Addresses without the space around them where there is one already, or nothing."""
    out: list[Piece] = []
    for number, (text, at, each) in enumerate(found):
        if not each:
            if text[0] == " " and (not out or out[-1].text[-1].isspace()):
                text = text[1:]
            if text.endswith(" ") and (number + 1 == len(found) or not found[number + 1].text[0].isalnum()):
                text = text[:-1]
        if text:
            out.append(Piece(text, at, each))
    return out


def with_origins(text: str) -> tuple[str, list[int]]:
    """The text without markup, and for each of its characters the place in the original."""
    found = pieces(text)
    origins = [piece.at + number * piece.each for piece in found for number in range(len(piece.text))]
    return "".join(piece.text for piece in found), origins


def bare(address: str) -> str:
    """An address in the one form; of what is no web address, the same without its scheme."""
    rest = _SCHEME.sub("", address, count=1)
    return f"http://{rest.rstrip('/')}" if not address.lower().startswith("mailto:") else rest


def _outer(match: re.Match[str]) -> str:
    return next(name for name in ("tag", "close", "boxed") if match[name] is not None)


def _linked(out: list[Piece], link: tuple[int, str, int] | None) -> Iterator[Piece]:
    """The address of a link behind its words, unless these are the address."""
    if link is None or not link[1] or _WITHIN.match(link[1]):
        return
    begun, address, at = link
    words = "".join(piece.text for piece in out[begun:]).strip()
    address = bare(html.unescape(address))
    if words and bare(words) == address:
        return
    yield Piece(f" {address} ", at, False)


def _of_tag(match: re.Match[str], at: int) -> Iterator[Piece]:
    name = (match["name"] or "").lower()
    if name == "img" and (found := _SOURCE.search(match[0])):
        yield Piece(f" {bare(html.unescape(found[1]))} ", at + found.start(1), False)
    elif name in _BLOCKS:
        yield Piece("\n", at, False)


def _emphasis(text: str, match: re.Match[str], out: list[Piece], opened: dict[str, list[int]]) -> str:
    """What stays of a run of marks: nothing if it closes one, which then goes too. A run inside a word is a letter's disguise, and
    stays."""
    run, at, end = match[0], match.start(), match.end()
    before = at > 0 and not text[at - 1].isspace()
    after = end < len(text) and not text[end].isspace()
    word_before = at > 0 and text[at - 1].isalnum()
    word_after = end < len(text) and text[end].isalnum()
    if word_before and word_after:
        return run
    if before and not word_after and opened.get(run):
        place = opened[run].pop()
        out[place] = Piece("", out[place].at, True)
        return ""
    if after and not word_before:
        opened.setdefault(run, []).append(len(out))
    return run
