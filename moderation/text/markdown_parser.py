"""The parser of comments' Markdown: CommonMark without what a comment does not need, and with the words as they were typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import MutableMapping, Sequence
from itertools import count
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, blockquote, hr, list_block
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from moderation.text.bare_addresses import ADDRESS, is_web, without_tail

DEEPEST = 18
"""Levels of blocks within each other, of which the parser reads 20 and drops the words below them. From here on, quotes
and lists are text."""
LAST_NUMBER = 99
"""The largest number that stands whole in the margin of a list."""
_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?$", re.IGNORECASE)
_NUMBER = re.compile("0|[1-9][0-9]*")
_SPACE = frozenset(" \t\n\f\r")
_IDEOGRAPHIC = ("\U000e0100", "\U000e01ef")
"""Variation selectors that only follow Chinese characters."""


def build() -> MarkdownIt:
    parser = _Parser(renderer_cls=_Renderer)
    parser.inline = _Inline()
    parser.configure("commonmark", {"html": False, "breaks": True})
    parser.enable("strikethrough")
    # No images and no raw HTML. No reference links: a distant line would set a link's target. No headings by a row of
    # dashes and no code by indentation: people type both without meaning them.
    parser.disable(["image", "html_inline", "html_block", "reference", "lheading", "code"])
    parser.inline.ruler.before("emphasis", "bare_address", _bare_address)
    parser.block.ruler.at("hr", _rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.at("blockquote", _quote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.at("list", _list, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.core.ruler.after("block", "typed_numbers", _typed_numbers)
    return parser


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        return is_web(url)


class _Renderer(RendererHTML):
    """Headings become bold paragraphs: a comment must not shout over the page's own outline. Struck text is <del>."""

    def s_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return "<del>"

    def s_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]) -> str:
        return "</del>"

    def heading_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return "<p><strong>"

    def heading_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        return "</strong></p>\n"


def _bare_address(state: StateInline, silent: bool) -> bool:
    """An inline rule: http://… and https://… without any brackets become links."""
    if silent or state.linkLevel > 0 or state.src[state.pos] != ":":
        return False
    scheme = _SCHEME.search(state.pending[-6:])
    rest = ADDRESS.match(state.src, state.pos, state.posMax) if scheme else None
    if not scheme or not rest:
        return False
    address = without_tail(rest[0])
    href = state.md.normalizeLink(scheme[0] + address)
    if len(address) <= len("://") or not is_web(href):
        return False
    state.pending = state.pending[: -len(scheme[0])]
    state.push("link_open", "a", 1).attrs = {"href": href}
    state.push("text", "", 0).content = scheme[0] + address
    state.push("link_close", "a", -1)
    state.pos += len(address)
    return True


# --- blocks


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()


def _rule(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """Dashes, and `* * *` with spaces. A row of stars is a rating, and one of underscores a blank: both stay text."""
    line = _line(state, startLine)
    return ("-" in line or " " in line or "\t" in line) and hr(state, startLine, endLine, silent)


def _quote(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    return state.level < DEEPEST and blockquote(state, startLine, endLine, silent)


def _list(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    """A list, which begins with words: a line of nothing but bullets (`* *`, `+ + +`) is text."""
    if state.level >= DEEPEST or not _line(state, startLine).strip("-+* \t"):
        return False
    return list_block(state, startLine, endLine, silent)


def _typed_numbers(state: StateCore) -> None:
    """Shows every number as it was typed. An ordered list stays one if HTML numbers its items alike: at least two, counted
    on by one. Otherwise (`24. December`, `007. Bond`, `3.` and then `5.`) its items are paragraphs with their numbers."""
    opened: list[tuple[int, list[str]]] = []
    as_text: set[int] = set()
    for place, token in enumerate(state.tokens):
        if token.type in ("ordered_list_open", "bullet_list_open"):
            opened.append((place, []))
        elif token.type == "list_item_open" and token.info:
            opened[-1][1].append(token.info)
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            start, numbers = opened.pop()
            if token.type == "ordered_list_close" and not _counts_on(numbers):
                as_text.add(start)
    if as_text:
        state.tokens = _items_as_text(state.tokens, as_text)


def _counts_on(numbers: Sequence[str]) -> bool:
    if len(numbers) < 2 or not all(map(_NUMBER.fullmatch, numbers)) or int(numbers[-1]) > LAST_NUMBER:
        return False
    return all(int(number) == expected for number, expected in zip(numbers, count(int(numbers[0])), strict=False))


def _items_as_text(tokens: Sequence[Token], lists: set[int]) -> list[Token]:
    """The tokens with the items of these ordered lists (by their place) as paragraphs that begin with the typed numbers."""
    output: list[Token] = []
    open_lists: list[bool] = []
    levels: list[int] = []
    """For each open item that is text: the level of its own paragraphs, which a list without blank lines hides."""
    number = ""
    for place, token in enumerate(tokens):
        if token.type in ("ordered_list_open", "bullet_list_open"):
            open_lists.append(place in lists)
        is_text = bool(open_lists) and open_lists[-1]
        starts, ends = token.type == "list_item_open" and is_text, token.type == "list_item_close" and is_text
        if number and token.type == "inline" and output[-1].type == "paragraph_open":
            token.content, number = f"{number} {token.content}", ""
        elif number and token.type != "paragraph_open":
            output += _paragraph(number)
            number = ""
        if starts:
            number = token.info + token.markup
            levels.append(token.level + 1)
        elif ends:
            levels.pop()
        elif not (is_text and token.type.startswith("ordered_list_")):
            if token.type.startswith("paragraph_") and levels and token.level == levels[-1]:
                token.hidden = False
            output.append(token)
        if token.type in ("ordered_list_close", "bullet_list_close"):
            open_lists.pop()
    return output


def _paragraph(words: str) -> list[Token]:
    return [
        Token("paragraph_open", "p", 1, block=True),
        Token("inline", "", 0, content=words, children=[], block=True),
        Token("paragraph_close", "p", -1, block=True),
    ]


# --- emphasis in Chinese, Japanese and Korean


class _Inline(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class _State(StateInline):
    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        """Whether a run of `*`, `_` or `~` can open and close.

        CommonMark's rule expects a space outside a run that has punctuation inside it, and these scripts write none:
        `**注意：**请看`. The CJK-friendly amendment (github.com/tats-u/markdown-cjk-friendly, specification.md, 6.2) is: their
        own punctuation counts as a letter there, and next to one of their characters any other does too.
        """
        end = start
        while end < self.posMax and self.src[end] == self.src[start]:
            end += 1
        if start and self.src[start - 1].isdigit() and self.src[end : end + 1].isdigit():  # 5*3*2 is not 532
            return Scanned(False, False, end - start)
        before = _Neighbour(*_last_character(self.src, start))
        after = _Neighbour(self.src[end] if end < self.posMax else " ")
        left = not after.is_space and (not after.is_foreign_mark or before.parts)
        right = not before.is_space and (not before.is_foreign_mark or after.parts)
        can_open = left and (canSplitWord or not right or before.is_mark)
        can_close = right and (canSplitWord or not left or after.is_mark)
        return Scanned(can_open, can_close, end - start)


class _Neighbour:
    """The character beside a run."""

    def __init__(self, character: str, is_full_width: bool = False) -> None:
        is_cjk = is_full_width or _is_cjk(character)
        category = unicodedata.category(character)
        self.is_space = character in _SPACE or category == "Zs"
        self.is_mark = category[0] in "PS"
        self.is_foreign_mark = self.is_mark and not is_cjk
        self.parts = self.is_space or self.is_foreign_mark or is_cjk
        """Whether it sets the run apart from the word on its other side."""


def _last_character(text: str, end: int) -> tuple[str, bool]:
    """The character before a place, or that below a variation selector, and whether the selector makes it full-width."""
    if end and "\ufe00" <= text[end - 1] <= "\ufe0e" and end > 1:
        return text[end - 2], text[end - 1] == "\ufe01"
    return (text[end - 1] if end else " "), False


def _is_cjk(character: str) -> bool:
    """Wide or Hangul (UAX #11, #24), except emoji, and the selectors of ideographs."""
    if character < "\u1100":
        return False
    if "\u1100" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7fb":
        return True
    if "\u231a" <= character <= "\u2bff" or "\U0001f000" <= character <= "\U0001ffff":
        return character in "\u2329\u232a"
    if _IDEOGRAPHIC[0] <= character <= _IDEOGRAPHIC[1]:
        return True
    return unicodedata.east_asian_width(character) in "WFH"
